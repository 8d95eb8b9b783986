//! Passing over words of prose in which nothing is found, a block of bytes at a time.
//!
//! Most text is small letters and white space. A bit for each byte of a block says where words end,
//! and which of them need a closer look: long ones, and those with a byte that is no small letter
//! and no common mark. All others are passed over without a look at each.

use std::ops::Range;

use super::{Link, Segmenter, Stop, armour, join, month, quoted};
use crate::bounds::WINDOW_BYTES;
use crate::detect::prefilter::{
    BLOCK_BYTES, CAPITAL, DIGIT, Look, OTHER, Plain, QUOTE, SPECIAL, STOP, white_and_small,
};

/// A byte that is the end of the words that are passed over: it stands behind the last bytes.
const BEHIND: u8 = 0x7f;

/// Words that are shorter are passed over without a look, in bytes.
const LONG: usize = 8;

/// The bits of a block.
struct Marks {
    /// Bytes that end a run.
    stops: u64,
    /// Those of them that are no white space.
    hard: u64,
    /// Bytes for which a word needs a closer look.
    odd: u64,
}

impl Marks {
    /// Of the block that begins at the offset.
    fn of(bytes: &[u8], from: usize, plain: &Plain) -> Self {
        let mut block = [BEHIND; BLOCK_BYTES];
        match bytes.get(from..from + BLOCK_BYTES) {
            Some(whole) => block.copy_from_slice(whole),
            None => {
                let rest = bytes.get(from..).unwrap_or_default();
                block[..rest.len()].copy_from_slice(rest);
            }
        }
        let (white, small) = white_and_small(&block);
        let (mut hard, mut odd) = (0, 0);
        let mut others = !(white | small);
        while others != 0 {
            let at = others.trailing_zeros();
            let byte = block[at as usize];
            hard |= u64::from(byte >= BEHIND) << at;
            odd |= u64::from(plain.odd[usize::from(byte)]) << at;
            others &= others - 1;
        }
        let stops = white | hard;
        Self { stops, hard, odd }
    }

    /// Whether nothing is found in the run, and it is over behind its end, which is in the block
    /// that begins at `block`. What of it is before the block needs no closer look.
    fn passes(
        &self,
        (text, block): (&str, usize),
        run: Range<usize>,
        before: impl Fn(usize) -> u8,
        plain: &Plain,
    ) -> bool {
        let stop = (run.end - block) as u32;
        if self.hard >> stop & 1 != 0 {
            return false;
        }
        let mut odd = self.odd & below(stop) & !below(run.start.saturating_sub(block) as u32);
        if odd == 0 {
            return is_short(&run, before, plain);
        }
        // Of all other bytes nothing has to be known.
        let mut kinds = Kinds::default();
        while odd != 0 {
            let at = block + odd.trailing_zeros() as usize;
            kinds.add(text.as_bytes(), (run.start, at), plain);
            odd &= odd - 1;
        }
        kinds.passes(text, run, before, plain)
    }
}

/// The bits below that one.
const fn below(bit: u32) -> u64 {
    (1 << bit) - 1
}

/// The bits up to that one.
const fn up_to(bit: u32) -> u64 {
    u64::MAX >> (u64::BITS - 1 - bit)
}

/// How many bytes are before the last bit, and it.
const fn behind_last(bits: u64) -> usize {
    (u64::BITS - bits.leading_zeros()) as usize
}

/// The last bits of rows of [`LONG`] bits and more.
const fn long(bits: u64) -> u64 {
    let two = bits & bits << 1;
    let four = two & two << 2;
    four & four << 4
}

impl Segmenter {
    /// What [`Self::pass_word`] does, for as many words as there are whole.
    pub(super) fn skip_words(&mut self, text: &str, plain: &Plain) {
        let bytes = text.as_bytes();
        let open = self.at != self.start || self.run != self.start || self.special;
        if open || self.kinds != 0 || self.joined || self.link != Link::None {
            return;
        }
        if self.armour.is_some() || self.swallow.is_some() || self.origin == Some(self.start) {
            return;
        }
        let first = self.start;
        let before = |start: usize| {
            let mut passed = bytes[first..start].iter().rev();
            passed
                .find(|byte| **byte > b' ')
                .copied()
                .unwrap_or(self.before)
        };
        let mut start = first;
        // In what is no prose, the first byte says that a block is not worth its bits.
        let is_odd = |byte: &u8| plain.odd[usize::from(*byte)];
        while bytes.get(start).is_some_and(is_odd) {
            let Some(end) = passed(text, start, before, plain) else {
                self.go_to(start, before(start));
                return;
            };
            start = end + 1;
        }
        let most = plain.bytes_min.min(plain.gated_min).min(WINDOW_BYTES);
        let (mut block, mut odd) = (start, false);
        'text: loop {
            let marks = Marks::of(bytes, block, plain);
            let stops = marks.stops;
            if stops != 0 {
                let inner = !stops;
                let looked = marks.odd | marks.hard | if most < LONG { inner } else { long(inner) };
                // The word that began before the block, and no word that goes on behind it.
                let carried = u64::from(start < block) << stops.trailing_zeros();
                let last = behind_last(stops);
                let mut looked = (looked | carried) & up_to(last as u32 - 1);
                while looked != 0 {
                    let at = looked.trailing_zeros();
                    let earlier = stops & below(at);
                    if earlier != 0 {
                        (start, odd) = (block + behind_last(earlier), false);
                    }
                    let stop = at + (stops >> at).trailing_zeros();
                    let end = block + stop as usize;
                    let passes = if odd {
                        passed(text, start, before, plain).is_some()
                    } else {
                        marks.passes((text, block), start..end, before, plain)
                    };
                    if !passes {
                        break 'text;
                    }
                    (start, odd) = (end + 1, false);
                    looked &= !up_to(stop);
                }
                (start, odd) = (block + last, marks.odd >> (last - 1) != 0);
            } else {
                odd |= marks.odd != 0;
            }
            block += BLOCK_BYTES;
            // What is longer is judged in windows.
            if block - start > WINDOW_BYTES {
                break;
            }
        }
        self.go_to(start, before(start));
    }

    /// Goes on behind words that are passed over.
    fn go_to(&mut self, start: usize, before: u8) {
        (self.start, self.run, self.at) = (start, start, start);
        (self.before, self.letter) = (before, 0);
    }
}

/// What kinds of bytes a word holds.
#[derive(Default)]
struct Kinds {
    kinds: u8,
    /// Whether one is in no plain word, or is a capital behind a letter.
    special: bool,
}

impl Kinds {
    /// Those of a byte in the word that began at `start`.
    fn add(&mut self, bytes: &[u8], (start, at): (usize, usize), plain: &Plain) {
        let kind = plain.kinds[usize::from(bytes[at])];
        self.kinds |= kind;
        let inner = kind & CAPITAL != 0 && at > start && bytes[at - 1].is_ascii_alphabetic();
        self.special |= inner || kind & SPECIAL != 0;
    }

    /// Whether nothing is found in the run, and it is over at the white space behind it.
    fn passes(
        &self,
        text: &str,
        run: Range<usize>,
        before: impl Fn(usize) -> u8,
        plain: &Plain,
    ) -> bool {
        // What is shorter is worth no search, whatever stands before it.
        let short = !self.special && run.len() < plain.bytes_min.min(plain.gated_min);
        let look = || Look {
            length: run.len(),
            kinds: self.kinds,
            special: self.special,
            joined: false,
            before: before(run.start),
        };
        let passes = run.len() < WINDOW_BYTES && (short || !plain.is_worth(look()));
        passes && is_over(text, run, self.kinds)
    }
}

/// Where the word ends that starts there, if nothing is found in it and it is over at the white
/// space behind it.
fn passed(text: &str, start: usize, before: impl Fn(usize) -> u8, plain: &Plain) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut kinds = Kinds::default();
    let mut end = start;
    while plain.kinds[usize::from(*bytes.get(end)?)] & STOP == 0 {
        kinds.add(bytes, (start, end), plain);
        end += 1;
        // Mostly the first bytes say that it is worth a search.
        if kinds.kinds & OTHER != 0 && end - start >= plain.least {
            return None;
        }
    }
    let passes = bytes[end] <= b' ' && kinds.passes(text, start..end, before, plain);
    passes.then_some(end)
}

/// Whether nothing is found in a run in which no byte needs a closer look.
fn is_short(run: &Range<usize>, before: impl Fn(usize) -> u8, plain: &Plain) -> bool {
    let most = plain.bytes_min.min(plain.gated_min).min(WINDOW_BYTES);
    let look = || Look {
        length: run.len(),
        kinds: 0,
        special: false,
        joined: false,
        before: before(run.start),
    };
    run.len() < most || run.len() < WINDOW_BYTES && !plain.is_worth(look())
}

/// Whether the run, which holds such kinds of bytes, is over at the white space behind it.
fn is_over(text: &str, run: Range<usize>, kinds: u8) -> bool {
    let (word, behind) = text.as_bytes()[run.start..].split_at(run.len());
    let Some(last) = word.last() else {
        return true;
    };
    // Nearly all words end so.
    let plainly = last.is_ascii_lowercase() || matches!(last, b'.' | b',' | b';');
    if plainly && kinds & (DIGIT | QUOTE) == 0 && !month::leads(word) {
        return true;
    }
    if join::ends_quoted(word)
        || kinds & QUOTE != 0 && quoted::opens(word)
        || *last == b':' && armour::opens_putty(word)
        || *last == b'N' && armour::opens(word)
    {
        return false;
    }
    let ends = kinds & DIGIT == 0 && *last != b')' && !last.is_ascii_uppercase();
    if ends && !month::leads(word) {
        return true;
    }
    match behind {
        // Mostly a small letter says it, alone or behind a capital.
        [b' ', b'a'..=b'z', ..] | [b' ', b'A'..=b'Z', b'a'..=b'z', ..] if kinds & DIGIT == 0 => {
            true
        }
        // No group is so long, and what follows no group goes on with a digit or a mark at most.
        [b' ', next @ ..] if kinds & DIGIT == 0 && begins_long(next) => true,
        [b' ', b'A'..=b'Z', ..] if kinds & DIGIT == 0 && ends_long(word) => true,
        [b' ' | b'\t', ..] => {
            let around = join::Around {
                link: Link::None,
                joined: false,
                first: false,
                ended: false,
            };
            join::decide(text, run, around) == Stop::Break
        }
        _ => true,
    }
}

/// Whether more letters begin the text than a group has.
fn begins_long(text: &[u8]) -> bool {
    let first = text.first_chunk::<{ join::GROUP_CHARS_MAX + 1 }>();
    first.is_some_and(|first| first.iter().all(u8::is_ascii_alphabetic))
}

/// Whether more letters end the word than a group has.
fn ends_long(word: &[u8]) -> bool {
    let last = word.last_chunk::<{ join::GROUP_CHARS_MAX + 1 }>();
    last.is_some_and(|last| last.iter().all(u8::is_ascii_alphabetic))
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
            1 => "(May|Sept\\.|march|Mar|July|SEPTEMBER)",
            1 => "[a-zæ号é\u{7f}]{1,5}",
            1 => "[A-Z]{4,9}[.,)]?",
            1 => "[(]?[0-9]{1,3}(th|[.,)])?",
            1 => "(of|de|-----BEGIN|PRIVATE|Private-Lines:|==|!=|\"abcdefgh\")",
        ];
        (word, "([ \n]{1,2}|\t)").prop_map(|(word, space)| word + &space)
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
