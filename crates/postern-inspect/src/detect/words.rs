//! Which rows have one of their words near a segment: one pass over the text answers for all.
//!
//! Most numbers of states are found only beside a word. Where none of a row's words stands in the
//! segment or to its left, its pattern need not run. Segments stand close together, so what was
//! read for one of them is kept for the next.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::context::{Joint, floor, joint, small};
use super::engine::Row;
use super::facts;
use super::literals::{Literals, State};
use super::prefilter::Bits;
use crate::bounds::LEFT_BYTES;

/// Rows that have a word, and rows that ask for it in the text to the left.
type Rows = (Vec<u16>, Vec<u16>);

/// More than the words of all rows have letters, marks, and bytes of letters beyond ASCII.
const WORD_CLASSES: usize = 144;

/// The words of all rows.
#[derive(Debug)]
pub(crate) struct Words {
    literals: Literals<WORD_CLASSES>,
    /// For each word, its rows.
    rows: Vec<Rows>,
    /// For each row, the most bytes of what it asks for in the text to the left.
    left_max: Vec<usize>,
    /// The rows that ask for bytes beyond ASCII in the text to the left, too.
    beyond: Bits,
    /// The rows of which the text to the left is known to hold a word.
    pub(crate) asking: Bits,
}

/// The bytes of ASCII that are at no joint of a name.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        plain[byte as usize] = !matches!(byte, b'_' | b'-' | b'A'..=b'Z');
        byte += 1;
    }
    plain
};

fn is_plain(byte: &u8) -> bool {
    PLAIN[usize::from(*byte)]
}

/// The words near the segments of one text, as far as it was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Near {
    /// The first byte not yet read.
    at: usize,
    /// How far the automaton is in the text as it is, and in the text with blanks at the joints of
    /// names; `None` at its start.
    states: Option<(State, State)>,
    /// Where words ended, and which.
    ends: VecDeque<(usize, u16)>,
    /// Where the last character beyond ASCII ended.
    beyond: Option<usize>,
    /// Near the segment that was asked about last, the rows that ask for text to their left, and
    /// where something ended that such text holds.
    reach: Vec<(u16, usize)>,
}

/// Where matches of a row may start, as far as the text to their left goes.
pub(crate) struct Reach<'a> {
    /// Where ends what such text holds, in the order of the text; `None` if that is not known.
    ends: Option<std::slice::Iter<'a, (u16, usize)>>,
    row: u16,
    last: Option<usize>,
    left_max: usize,
}

impl Reach<'_> {
    /// The first place from there on.
    pub(crate) fn next(&mut self, at: usize) -> Option<usize> {
        let Some(ends) = &mut self.ends else {
            return Some(at);
        };
        loop {
            match self.last {
                Some(end) if at < end => return Some(end),
                Some(end) if at < end.saturating_add(self.left_max) => return Some(at),
                _ => {}
            }
            let own = ends.find(|(row, _)| *row == self.row);
            self.last = Some(own?.1);
        }
    }
}

impl Near {
    /// How many bytes would be read to ask about the segment.
    pub(crate) fn unread(&self, segment: &Range<usize>) -> usize {
        let from = segment.start.saturating_sub(LEFT_BYTES).max(self.at);
        segment.end.saturating_sub(from)
    }

    /// The text lost so many bytes at its front.
    pub(crate) fn shift(&mut self, bytes: usize) {
        if self.at < bytes {
            *self = Self::default();
            return;
        }
        self.at -= bytes;
        self.beyond = self.beyond.and_then(|end| end.checked_sub(bytes));
        self.reach.clear();
        self.ends.retain_mut(|(end, _)| {
            let kept = *end >= bytes;
            *end = end.saturating_sub(bytes);
            kept
        });
    }
}

impl Words {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut known: BTreeMap<String, Rows> = BTreeMap::new();
        let (mut beyond, mut asking) = (Bits::NONE, Bits::NONE);
        let mut left_max = vec![0; rows.len()];
        for (at, row) in rows.iter().enumerate() {
            for word in row.detector.words {
                // A blank stands for the joint of a name, see `joint`.
                for word in [(*word).to_owned(), word.replace(['_', '-'], " ")] {
                    let (with, _) = known.entry(one_sigma(&word)).or_default();
                    with.push(at as u16);
                }
            }
            if row.detector.left.is_empty() {
                continue;
            }
            let left = format!("(?i:{})", row.detector.left);
            left_max[at] = facts::bytes_max(&left);
            if let Some((factors, also)) = facts::factors(&left) {
                asking.set(at);
                if also {
                    beyond.set(at);
                }
                for factor in factors {
                    let (_, left) = known.entry(one_sigma(&factor)).or_default();
                    left.push(at as u16);
                }
            }
        }
        let (words, mut rows): (Vec<String>, Vec<Rows>) = known.into_iter().unzip();
        for (with, left) in &mut rows {
            with.dedup();
            with.shrink_to_fit();
            left.dedup();
            left.shrink_to_fit();
        }
        Self {
            literals: Literals::new(&words),
            rows,
            left_max,
            beyond,
            asking,
        }
    }

    /// The rows of which a word stands in the segment or to its left, in any letter case, and those
    /// of `asking` whose text to the left may stand there. Whether a word is whole and where it
    /// stands is for the row to say. The text is read as it is, and with blanks at the joints of
    /// names. Segments are asked about in the order of the text.
    pub(crate) fn near(&self, text: &str, segment: Range<usize>, near: &mut Near) -> (Bits, Bits) {
        let from = floor(text, segment.start.saturating_sub(LEFT_BYTES));
        self.read(text, from..segment.end, near);
        while near.ends.front().is_some_and(|(end, _)| *end <= from) {
            near.ends.pop_front();
        }
        let (mut with, mut left) = (Bits::NONE, Bits::NONE);
        near.reach.clear();
        if near.beyond.is_some_and(|end| end > from) {
            left.join(&self.beyond);
        }
        for (end, word) in &near.ends {
            let (worded, asking) = &self.rows[usize::from(*word)];
            worded.iter().for_each(|row| with.set(usize::from(*row)));
            // What is further away is in the text to the left of no match.
            for row in asking {
                let nth = usize::from(*row);
                if end.saturating_add(self.left_max[nth]) > segment.start {
                    left.set(nth);
                    near.reach.push((*row, *end));
                }
            }
        }
        (with, left)
    }

    /// Where matches of the row may start in the segment that was asked about last.
    pub(crate) fn reach<'a>(&self, row: usize, near: &'a Near) -> Reach<'a> {
        let known = self.asking.has(row) && !self.beyond.has(row);
        Reach {
            ends: known.then(|| near.reach.iter()),
            row: row as u16,
            last: None,
            left_max: self.left_max[row],
        }
    }

    /// Where matches of a row may start if nobody asked about the segment.
    pub(crate) fn anywhere() -> Reach<'static> {
        Reach {
            ends: None,
            row: 0,
            last: None,
            left_max: 0,
        }
    }

    /// Reads on up to the last character, which is to the left of no match: what joint is at a byte
    /// is known once there is one behind it.
    fn read(&self, text: &str, range: Range<usize>, near: &mut Near) {
        if near.at < range.start {
            near.at = range.start;
            near.states = None;
        }
        let bytes = text.as_bytes();
        let (plain, spaced) = near.states.unwrap_or_default();
        let mut readings = Readings {
            words: self,
            plain,
            spaced,
            near,
        };
        while readings.near.at + 1 < range.end {
            readings.read_plain(bytes, range.end - 1);
            let at = readings.near.at;
            let Some(byte) = bytes[..range.end - 1].get(at) else {
                break;
            };
            if byte.is_ascii() {
                readings.near.at += 1;
                match joint(bytes, at) {
                    Joint::None => readings.both(*byte),
                    Joint::Here => readings.apart(*byte, b" "),
                    Joint::Before => readings.apart(*byte, &[b' ', *byte]),
                }
                continue;
            }
            // Only letters beyond ASCII must be written small for the automaton.
            let c = text[at..].chars().next();
            let c = c.expect("segments and what is left of them begin and end between characters");
            if at + c.len_utf8() >= range.end {
                break;
            }
            readings.near.at += c.len_utf8();
            readings.near.beyond = Some(readings.near.at);
            for small in small(c) {
                let mut buffer = [0; 4];
                for byte in small.encode_utf8(&mut buffer).bytes() {
                    readings.both(byte);
                }
            }
        }
        let states = (readings.plain, readings.spaced);
        near.states = Some(states);
    }
}

/// The word with the letters that [`small`] gives.
fn one_sigma(word: &str) -> String {
    word.replace('ς', "σ")
}

/// Both readings of a text at once: mostly they are in the same state.
struct Readings<'a> {
    words: &'a Words,
    plain: State,
    spaced: State,
    near: &'a mut Near,
}

impl Readings<'_> {
    /// Reads on over bytes that are the same in both, which most of a text is.
    fn read_plain(&mut self, bytes: &[u8], end: usize) {
        let literals = &self.words.literals;
        let from = self.near.at;
        let mut rest = bytes[from..end].iter();
        let (mut plain, mut spaced) = (self.plain, self.spaced);
        while plain != spaced {
            let Some(byte) = rest.as_slice().first().filter(|byte| is_plain(byte)) else {
                break;
            };
            rest.next();
            let at = end - rest.len();
            plain = literals.next(plain, *byte);
            spaced = literals.next(spaced, *byte);
            if plain.ends() {
                self.note(plain, at);
            }
            if spaced.ends() && spaced != plain {
                self.note(spaced, at);
            }
        }
        if plain == spaced {
            // From there on they are the same.
            while let Some(byte) = rest.as_slice().first().filter(|byte| is_plain(byte)) {
                rest.next();
                plain = literals.next(plain, *byte);
                if plain.ends() {
                    self.note(plain, end - rest.len());
                }
            }
            spaced = plain;
        }
        self.near.at = end - rest.len();
        (self.plain, self.spaced) = (plain, spaced);
    }

    fn both(&mut self, byte: u8) {
        let same = self.plain == self.spaced;
        self.plain = self.step(self.plain, byte);
        self.spaced = if same {
            self.plain
        } else {
            self.step(self.spaced, byte)
        };
    }

    fn apart(&mut self, plain: u8, spaced: &[u8]) {
        self.plain = self.step(self.plain, plain);
        // Where a match begins behind this byte, nothing follows it that makes it a joint.
        self.step(self.spaced, plain);
        for byte in spaced {
            self.spaced = self.step(self.spaced, *byte);
        }
    }

    /// The next state; the words that end in it are noted.
    #[inline(always)]
    fn step(&mut self, state: State, byte: u8) -> State {
        let state = self.words.literals.next(state, byte);
        if state.ends() {
            self.note(state, self.near.at);
        }
        state
    }

    #[cold]
    fn note(&mut self, state: State, at: usize) {
        let words = self.words;
        let texts = words.literals.texts(state).iter();
        self.near.ends.extend(texts.map(|word| (at, *word)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::context::Named;
    use crate::detect::engine::{ENGINE, left_of};

    /// Goal: what is kept from one segment to the next is what a look at the text itself shows, and
    /// what a text loses at its front does not matter. Method: segments of a text with words of the
    /// tables in it, each asked about with what was kept, and without.
    #[test]
    fn words_near_a_segment_are_those_of_the_text() {
        let words = &ENGINE.words;
        let whole = "Phone and ΑΡΙΘΜΌΣ, ID 123. Født 1.2.1970, nothing of that sort, and more of it: \
                     so that the first words are far away by now, CPR 4711, passport no 12345678, userTax_id=5 1.";
        let mut kept = Near::default();
        let (mut text, mut lost, mut told) = (whole, 0, 0);
        for (start, _) in whole.match_indices(' ') {
            let end = whole[start + 1..]
                .find(' ')
                .map_or(whole.len(), |at| start + 1 + at);
            let segment = start + 1 - lost..end - lost;
            let mut fresh = Near::default();
            let now = words.near(text, segment.clone(), &mut kept);
            let alone = words.near(text, segment, &mut fresh);
            assert!(now.0 == alone.0 && now.1 == alone.1, "{start}");
            told += now.0.rows().count();
            if start > LEFT_BYTES + lost + 8 {
                let drop = floor(text, start - LEFT_BYTES - lost);
                text = &text[drop..];
                lost += drop;
                kept.shift(drop);
            }
        }
        assert!(told > 0 && lost > 0);
    }

    /// Goal: no row is lost whose word or text to the left stands before a match in the reading in
    /// which the row looks for it. Method: every word as a name of a program writes it and as it
    /// is, each place in a text behind it, with what the row itself says of its left.
    #[test]
    fn words_are_near_in_every_spelling_of_names() {
        let words = &ENGINE.words;
        let mut told = 0;
        for (at, row) in ENGINE.rows.iter().enumerate() {
            for word in row.detector.words {
                let blanks = word.replace(['_', '-'], " ");
                let snake = blanks.replace(' ', "_");
                for name in [
                    (*word).to_owned(),
                    snake.to_uppercase(),
                    camel(&blanks),
                    snake,
                ] {
                    let text = format!("my_{name}-1 aB:{name}Number=\"12 ");
                    let mut kept = Near::default();
                    for (start, _) in text.char_indices().skip(1) {
                        let (near, _) = words.near(&text, start..text.len(), &mut kept);
                        let segment = floor(&text, start + 1)..text.len();
                        let (fresh, _) = words.near(&text, segment, &mut Near::default());
                        if Named::by(left_of(&text, start)).has_word(row.detector.words) {
                            told += 1;
                            assert!(near.has(at) && fresh.has(at), "{}: {name}", row.detector.id);
                        }
                    }
                }
            }
        }
        assert!(told > 1000, "{told} places");
    }

    /// The words as one name of a program: `taxId`.
    fn camel(words: &str) -> String {
        let mut parts = words.split(' ');
        let first = parts.next().unwrap_or_default().to_owned();
        let capital = |part: &str| {
            let mut letters = part.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        };
        parts.fold(first, |name, part| name + &capital(part))
    }
}
