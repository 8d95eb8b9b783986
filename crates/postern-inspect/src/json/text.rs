//! Strings: runs of plain bytes, escapes, and what is kept of them.

use crate::bounds::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// A string that is being read.
#[derive(Debug, Clone, Default)]
pub(super) struct StringState {
    /// Whether the string is a key.
    pub(super) key: bool,
    /// Whether its bytes are needed.
    pub(super) wanted: bool,
    /// Whether a part of it went through [`StringState::hold`], so that it is not one slice.
    pub(super) split: bool,
    /// Whether an escape other than `\/` stood in it.
    pub(super) escaped: bool,
    /// Whether half of a surrogate pair stood in it alone.
    pub(super) lone_surrogate: bool,
    /// Whether an escaped NUL stood in it, where some readers take it to end.
    pub(super) nul: bool,
    /// Its decoded length in bytes, so far.
    pub(super) bytes: u64,
    held: Vec<u8>,
    too_long: bool,
    high: Option<u16>,
}

impl StringState {
    pub(super) fn begin(&mut self, key: bool, wanted: bool) {
        self.key = key;
        self.wanted = wanted;
        self.split = false;
        self.escaped = false;
        self.lone_surrogate = false;
        self.nul = false;
        self.bytes = 0;
        self.held.clear();
        self.too_long = false;
        self.high = None;
    }

    /// Keeps a run of plain bytes.
    pub(super) fn hold(&mut self, run: &[u8]) {
        self.split = true;
        if !run.is_empty() {
            self.end_pair();
        }
        self.keep(run);
    }

    /// What was kept; `None` when it was too long.
    pub(super) fn held(&self) -> Option<&[u8]> {
        (!self.too_long).then_some(self.held.as_slice())
    }

    /// A two-character escape; `None` when there is no such.
    pub(super) fn escape(&mut self, byte: u8) -> Option<()> {
        let decoded = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return None,
        };
        // PHP writes every slash as `\/`, and all readers agree on it.
        self.escaped |= byte != b'/';
        self.end_pair();
        self.bytes += 1;
        self.keep(&[decoded]);
        Some(())
    }

    /// A `\u` escape.
    pub(super) fn unit(&mut self, unit: u16) {
        self.escaped = true;
        self.nul |= unit == 0;
        let decoded = match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let pair = (u32::from(high & 0x3ff) << 10) | u32::from(unit & 0x3ff);
                char::from_u32(0x1_0000 + pair)
            }
            (None, 0xd800..=0xdbff) => {
                self.high = Some(unit);
                return;
            }
            (Some(_), 0xd800..=0xdbff) => {
                self.lone_surrogate = true;
                self.high = Some(unit);
                return;
            }
            (Some(_), _) => {
                self.lone_surrogate = true;
                char::from_u32(u32::from(unit))
            }
            (None, _) => char::from_u32(u32::from(unit)),
        };
        match decoded {
            Some(letter) => {
                let mut buffer = [0; 4];
                let encoded = letter.encode_utf8(&mut buffer);
                self.bytes += encoded.len() as u64;
                self.keep(encoded.as_bytes());
            }
            None => self.lone_surrogate = true,
        }
    }

    /// The string is at its end, or something that is no surrogate follows.
    pub(super) fn end_pair(&mut self) {
        if self.high.take().is_some() {
            self.lone_surrogate = true;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let max = if self.key {
            KEY_BYTES_MAX
        } else {
            VALUE_BYTES_MAX
        };
        if self.wanted && !self.too_long {
            if self.held.len() + bytes.len() > max {
                self.too_long = true;
            } else {
                self.held.extend_from_slice(bytes);
            }
        }
    }
}

/// How many bytes at the beginning are plain string content: no quote, no backslash, no control
/// character. Most strings are short, so the end is looked for in sixteen bytes at a time; of a
/// longer text, twice as many are passed at once as long as it does not end in them.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<16>() {
        let plain = plain_bytes(chunk);
        at += plain;
        if plain < chunk.len() {
            return at;
        }
        while at >= 32
            && let Some(chunk) = bytes[at..].first_chunk::<32>()
            && !chunk.iter().fold(false, |any, byte| any | ends(*byte))
        {
            at += chunk.len();
        }
    }
    at + bytes[at..].iter().take_while(|byte| !ends(**byte)).count()
}

fn ends(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The same for sixteen bytes, without a way out in the middle, so that it becomes a few vector
/// instructions.
fn plain_bytes(bytes: &[u8; 16]) -> usize {
    let marks = bytes.map(|byte| if ends(byte) { 0xff } else { 0 });
    u128::from_le_bytes(marks).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::plain_run;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_run_ends_at_the_first_byte_that_is_not_plain(
            text in "[ -~é\u{7f}-\u{9f}]{0,120}",
            ends in proptest::collection::vec((0_usize..130, any::<u8>()), 0..3),
        ) {
            // Goal: looking at many bytes at once changes nothing. Method: beside one at a time.
            let mut bytes = text.into_bytes();
            for (at, byte) in ends {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
            prop_assert_eq!(plain_run(&bytes), bytes.iter().take_while(plain).count());
        }
    }
}
