//! Which rows have one of their words near a segment: one pass over the text answers for all.
//!
//! Most numbers of states are found only beside a word. Where none of a row's words stands in the
//! segment or to its left, its pattern need not run. Segments stand close together, so what was
//! read for one of them is kept for the next.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use super::context::floor;
use super::engine::Row;
use super::facts;
use super::prefilter::Bits;
use crate::bounds::LEFT_BYTES;

const NOBODY: (Bits, Bits) = (Bits::NONE, Bits::NONE);

/// The words of all rows.
#[derive(Debug)]
pub(crate) struct Words {
    automaton: NFA,
    start: StateID,
    /// For each word, the rows that have it, and those that ask for it in the text to the left.
    rows: Vec<(Bits, Bits)>,
    /// The rows that ask for bytes beyond ASCII in the text to the left, too.
    beyond: Bits,
    /// The rows of which the text to the left is known to hold a word.
    pub(crate) asking: Bits,
}

/// The words near the segments of one text, as far as it was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Near {
    /// The first byte not yet read.
    at: usize,
    /// How far the automaton is; `None` at its start.
    state: Option<StateID>,
    /// Where words ended, and which.
    ends: VecDeque<(usize, usize)>,
    /// Where the last character beyond ASCII ended.
    beyond: Option<usize>,
}

impl Near {
    /// The text lost so many bytes at its front.
    pub(crate) fn shift(&mut self, bytes: usize) {
        if self.at < bytes {
            *self = Self::default();
            return;
        }
        self.at -= bytes;
        self.beyond = self.beyond.and_then(|end| end.checked_sub(bytes));
        self.ends.retain_mut(|(end, _)| {
            let kept = *end >= bytes;
            *end = end.saturating_sub(bytes);
            kept
        });
    }
}

/// The small letter that is looked for instead; one letter has two small forms.
fn small(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().map(|c| if c == 'ς' { 'σ' } else { c })
}

impl Words {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut known: BTreeMap<String, (Bits, Bits)> = BTreeMap::new();
        let (mut beyond, mut asking) = (Bits::NONE, Bits::NONE);
        for (at, row) in rows.iter().enumerate() {
            for word in row.detector.words {
                let word = word.chars().flat_map(small).collect();
                known.entry(word).or_insert(NOBODY).0.set(at);
            }
            if row.detector.left.is_empty() {
                continue;
            }
            let left = format!("(?i:{})", row.detector.left);
            if let Some((factors, also)) = facts::factors(&left) {
                asking.set(at);
                if also {
                    beyond.set(at);
                }
                for factor in factors {
                    known.entry(factor).or_insert(NOBODY).1.set(at);
                }
            }
        }
        let (words, rows): (Vec<String>, Vec<_>) = known.into_iter().unzip();
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(words)
            .expect("the words of the tables are few and short");
        let start = automaton.start_state(Anchored::No);
        Self {
            start: start.expect("it is built to start anywhere"),
            automaton,
            rows,
            beyond,
            asking,
        }
    }

    /// The rows of which a word stands in the segment or to its left, in any letter case, and those
    /// of `asking` whose text to the left may stand there. Whether a word is whole and where it
    /// stands is for the row to say. Segments are asked about in the order of the text.
    pub(crate) fn near(&self, text: &str, segment: Range<usize>, near: &mut Near) -> (Bits, Bits) {
        let from = floor(text, segment.start.saturating_sub(LEFT_BYTES));
        self.read(text, from..segment.end, near);
        while near.ends.front().is_some_and(|(end, _)| *end <= from) {
            near.ends.pop_front();
        }
        let (mut with, mut left) = NOBODY;
        if near.beyond.is_some_and(|end| end > from) {
            left.join(&self.beyond);
        }
        for (_, word) in &near.ends {
            let (worded, asking) = &self.rows[*word];
            with.join(worded);
            left.join(asking);
        }
        (with, left)
    }

    fn read(&self, text: &str, range: Range<usize>, near: &mut Near) {
        if near.at < range.start {
            near.at = range.start;
            near.state = None;
        }
        let bytes = text.as_bytes();
        let mut state = near.state.unwrap_or(self.start);
        while near.at < range.end {
            let byte = bytes[near.at];
            if byte.is_ascii() {
                near.at += 1;
                state = self.next(state, byte, near);
                continue;
            }
            // Only letters beyond ASCII must be written small for the automaton.
            let c = text[near.at..].chars().next();
            let c = c.expect("segments and what is left of them begin and end between characters");
            near.at += c.len_utf8();
            near.beyond = Some(near.at);
            for small in small(c) {
                let mut bytes = [0; 4];
                for byte in small.encode_utf8(&mut bytes).bytes() {
                    state = self.next(state, byte, near);
                }
            }
        }
        near.state = Some(state);
    }

    fn next(&self, state: StateID, byte: u8, near: &mut Near) -> StateID {
        let state = self.automaton.next_state(Anchored::No, state, byte);
        if self.automaton.is_special(state) && self.automaton.is_match(state) {
            for nth in 0..self.automaton.match_len(state) {
                let word = self.automaton.match_pattern(state, nth).as_usize();
                near.ends.push_back((near.at, word));
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::engine::ENGINE;

    /// Goal: what is kept from one segment to the next is what a look at the text itself shows, and
    /// what a text loses at its front does not matter. Method: segments of a text with words of the
    /// tables in it, each asked about with what was kept, and without.
    #[test]
    fn words_near_a_segment_are_those_of_the_text() {
        let words = &ENGINE.words;
        let whole = "Phone and ΑΡΙΘΜΌΣ, ID 123. Født 1.2.1970, nothing of that sort, and more of it: \
                     so that the first words are far away by now, CPR 4711, passport no 12345678.";
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
}
