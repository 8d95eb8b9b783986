//! What a segment holds, counted a block of bytes at a time.
//!
//! A bit for each byte of a block says of what kind it is, so that what is in a row is counted once
//! for each row and not once for each byte.

use super::block::{BLOCK_BYTES, ONES, gather};
use crate::detect::facts::{ByteSet, of_run, of_word};

/// What a segment holds, to pass over rows whose patterns ask for more.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) bytes: ByteSet,
    pub(super) digits: usize,
    /// The most digits in a row.
    pub(super) digits_in_row: usize,
    /// The longest run of letters, digits and the marks that keys have.
    pub(super) longest: usize,
    /// For each length of a run of letters, digits and `_`, its bit; see [`length_bit`].
    pub(crate) lengths: u64,
}

/// The bit of a run's length; those beyond the bits share the last. The first says nothing.
pub(crate) fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

const DIGIT: u8 = 1;
const RUN: u8 = 2;
const WORD: u8 = 4;

/// Of what kinds each byte is.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let (digit, run, word) = (byte.is_ascii_digit(), of_run(byte), of_word(byte));
        kinds[at] = (digit as u8 * DIGIT) | (run as u8 * RUN) | (word as u8 * WORD);
        at += 1;
    }
    kinds
};

impl Held {
    /// What the segment holds.
    pub(super) fn of(segment: &[u8]) -> Self {
        let mut held = Self::default();
        let (mut digits, mut runs, mut words) = (Open(0), Open(0), Open(0));
        let mut set = [0; 4];
        for block in segment.chunks(BLOCK_BYTES) {
            let (mut of_digits, mut of_runs, mut of_words) = (0, 0, 0);
            let (eights, rest) = block.as_chunks();
            // What stands behind the last byte is of no kind.
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            for (nth, bytes) in eights.iter().chain([&last]).enumerate() {
                let kinds = u64::from_le_bytes(bytes.map(|byte| KINDS[usize::from(byte)]));
                let at = (8 * nth) as u32;
                // Behind a whole block there is no room, and nothing.
                of_digits |= gather(kinds & ONES).unbounded_shl(at);
                of_runs |= gather((kinds / u64::from(RUN)) & ONES).unbounded_shl(at);
                of_words |= gather((kinds / u64::from(WORD)) & ONES).unbounded_shl(at);
            }
            for byte in block {
                set[usize::from(*byte >> 6)] |= 1_u64 << (*byte & 63);
            }
            held.digits += of_digits.count_ones() as usize;
            held.digits_in_row = held.digits_in_row.max(digits.longest(of_digits));
            held.longest = held.longest.max(runs.longest(of_runs));
            words.read(of_words, |length| {
                held.lengths |= length_bit(length);
            });
        }
        held.lengths |= length_bit(0) | length_bit(words.0);
        held.bytes = ByteSet::of_bits(set);
        held
    }
}

/// How long the run is so far that goes on behind what was read.
struct Open(usize);

impl Open {
    /// Reads a block; the longest run in it, with what was before.
    #[inline(always)]
    fn longest(&mut self, bits: u64) -> usize {
        let first = self.0 + bits.trailing_ones() as usize;
        self.0 = match bits {
            u64::MAX => first,
            _ => bits.leading_ones() as usize,
        };
        // Each round takes the last bit of each row.
        let (mut rest, mut rounds) = (bits, 0);
        while rest != 0 {
            rest &= rest << 1;
            rounds += 1;
        }
        first.max(rounds)
    }

    /// Reads a block; tells the length of each run that ends in it, and of nothing.
    #[inline(always)]
    fn read(&mut self, bits: u64, mut tell: impl FnMut(usize)) {
        let (mut rest, mut left) = (bits, BLOCK_BYTES);
        loop {
            let inner = rest.trailing_ones() as usize;
            self.0 += inner;
            if inner == left {
                return;
            }
            tell(self.0);
            self.0 = 0;
            rest >>= inner;
            left -= inner;
            let outer = rest.trailing_zeros() as usize;
            if outer >= left {
                return;
            }
            rest >>= outer;
            left -= outer;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The longest run of such bytes.
    fn longest(segment: &[u8], of: fn(u8) -> bool) -> usize {
        let runs = segment.split(|byte| !of(*byte)).map(<[u8]>::len);
        runs.max().unwrap_or(0)
    }

    fn part() -> impl Strategy<Value = String> {
        "[0-9]{0,40}[a-z_]{0,70}[+/=.-]{0,3}[ é\0\"]{0,2}"
    }

    proptest! {
        /// Goal: blocks count what there is. Method: texts with runs over the ends of blocks,
        /// beside
        /// counts of the pieces between what ends a run.
        #[test]
        fn blocks_count_what_there_is(
            parts in proptest::collection::vec(part(), 0..6),
        ) {
            let text = parts.concat();
            let bytes = text.as_bytes();
            let held = Held::of(bytes);
            prop_assert!((0..=u8::MAX).all(|byte| held.bytes.has(byte) == bytes.contains(&byte)));
            let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
            prop_assert_eq!(held.digits, digits.count());
            prop_assert_eq!(held.digits_in_row, longest(bytes, |byte| byte.is_ascii_digit()));
            prop_assert_eq!(held.longest, longest(bytes, of_run));
            let words = bytes.split(|byte| !of_word(*byte)).map(<[u8]>::len);
            let lengths = words.fold(length_bit(0), |bits, length| bits | length_bit(length));
            prop_assert_eq!(held.lengths, lengths);
        }
    }
}
