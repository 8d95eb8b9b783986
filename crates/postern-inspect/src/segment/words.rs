//! Passing over words of prose in which nothing is found, a block of bytes at a time.
//!
//! Most text is small letters and white space. Two bits for each byte of a block, from a table, say
//! where words end and which of them need a closer look, so that nothing is decided byte by byte.

use super::{Link, Segmenter, armour, join, month, quoted};
use crate::bounds::WINDOW_BYTES;
use crate::detect::prefilter::{CAPITAL, DIGIT, GATE, ODD, Plain, QUOTE, SPECIAL};

/// Bytes whose bits fill one word of the machine.
const BLOCK_BYTES: usize = 32;

/// The bits of bytes that end a run.
const STOPS: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/// A byte that is the end of the words that are passed over: it stands behind the last bytes.
const BEHIND: u8 = 0x7f;

/// The bits of the bytes from there on.
fn marks(bytes: &[u8], from: usize, plain: &Plain) -> u64 {
    let mut block = [BEHIND; BLOCK_BYTES];
    match bytes.get(from..from + BLOCK_BYTES) {
        Some(whole) => block.copy_from_slice(whole),
        None => {
            let rest = bytes.get(from..).unwrap_or_default();
            block[..rest.len()].copy_from_slice(rest);
        }
    }
    let mut marks = 0;
    for (at, byte) in block.iter().enumerate() {
        marks |= u64::from(plain.marks[usize::from(*byte)]) << (2 * at);
    }
    marks
}

impl Segmenter {
    /// What [`Self::pass_word`] does, for as many words as there are whole.
    pub(super) fn skip_words(&mut self, bytes: &[u8], plain: &Plain) {
        let open = self.at != self.start || self.run != self.start || self.special;
        if open || self.kinds != 0 || self.joined || self.link != Link::None {
            return;
        }
        if self.armour.is_some() || self.swallow.is_some() || self.origin == Some(self.start) {
            return;
        }
        let (mut start, mut before) = (self.start, self.before);
        let most = plain.bytes_min.min(plain.gated_min).min(WINDOW_BYTES);
        let (mut block, mut odd) = (start, false);
        'text: loop {
            let marks = marks(bytes, block, plain);
            let (mut stops, mut odds) = (marks & STOPS, marks & !STOPS);
            while stops != 0 {
                let stop = stops.trailing_zeros();
                let inner = (1 << (stop - 1)) - 1;
                let end = block + stop as usize / 2;
                let word = &bytes[start..end.min(bytes.len())];
                let white = marks >> (stop - 1) & ODD == 0;
                let close = odd || odds & inner != 0;
                let long = word.len() >= most;
                if !white
                    || close && !passes(word, before, plain)
                    || !close && long && !is_short(word, before, plain)
                {
                    break 'text;
                }
                before = word.last().copied().unwrap_or(before);
                start = end + 1;
                odd = false;
                odds &= !inner;
                stops &= stops - 1;
            }
            odd |= odds != 0;
            block += BLOCK_BYTES;
            // What is longer is judged in windows.
            if block - start > WINDOW_BYTES {
                break;
            }
        }
        (self.start, self.run, self.at) = (start, start, start);
        (self.before, self.letter) = (before, 0);
    }
}

/// Whether nothing is found in the word, whatever follows the white space behind it.
fn passes(word: &[u8], before: u8, plain: &Plain) -> bool {
    let (mut kinds, mut last) = (0, 0);
    for byte in word {
        let kind = plain.kinds[usize::from(*byte)];
        let inner_capital = (kind & CAPITAL) >> 1 & last;
        kinds |= kind | (inner_capital * SPECIAL);
        last = kind;
    }
    let Some(end) = word.last() else {
        return true;
    };
    let goes_on = kinds & (SPECIAL | DIGIT) | last & CAPITAL != 0
        || *end == b')'
        || join::ends_quoted(word)
        || kinds & QUOTE != 0 && quoted::opens(word)
        || *end == b':' && armour::opens_putty(word)
        || month::leads(word);
    !goes_on && is_short_of(word, kinds & GATE != 0 || plain.gate.has(before), plain)
}

/// [`passes`] for a word in which no byte needs a closer look.
fn is_short(word: &[u8], before: u8, plain: &Plain) -> bool {
    is_short_of(word, plain.gate.has(before), plain)
}

fn is_short_of(word: &[u8], gated: bool, plain: &Plain) -> bool {
    let short = word.len() < plain.bytes_min.min(WINDOW_BYTES);
    short && (word.len() < plain.gated_min || !gated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Step;
    use super::*;
    use crate::detect::engine::ENGINE;

    /// The segments of the text, which is there all at once or comes byte by byte.
    fn segments(text: &str, at_once: bool) -> Vec<(usize, usize)> {
        let plain = &ENGINE.prefilter.plain;
        let mut segmenter = Segmenter::new("name: ");
        let whole = format!("name: {text}");
        let ends = whole.char_indices().map(|(at, _)| at).skip(6);
        let ends: Vec<usize> = ends.filter(|_| !at_once).chain([whole.len()]).collect();
        let mut segments = Vec::new();
        for end in ends {
            loop {
                match segmenter.step(&whole[..end], plain, end == whole.len()) {
                    Step::More => break,
                    Step::Segment(start, end) => segments.push((start, end)),
                    Step::Window(..) | Step::Rest(..) => return Vec::new(),
                }
            }
        }
        segments
    }

    /// A word with what stands behind it.
    fn word() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            6 => "[a-z]{0,14}",
            1 => "[a-z,.;:'\"()*-]{1,12}",
            1 => "[(<]?\"[a-z]{1,9}(\"@x\\.org)?",
            1 => "[A-Za-z][a-z]{1,9}[.,)]?",
            1 => "[A-Z0-9]{1,6}",
            1 => "(May|Sept\\.|march|Mar|July)",
            1 => "[a-zæ号é\u{7f}]{1,5}",
        ];
        (word, "[ \n]{1,2}").prop_map(|(word, space)| word + &space)
    }

    proptest! {
        /// Goal: what is passed over in blocks is what is passed over byte by byte. Method: text of
        /// words with all that ends a block early, whole and in pieces of one character, which
        /// never fill a block.
        #[test]
        fn blocks_change_no_segment(words in proptest::collection::vec(word(), 0..60)) {
            let text = words.concat();
            prop_assert_eq!(segments(&text, true), segments(&text, false));
        }
    }
}
