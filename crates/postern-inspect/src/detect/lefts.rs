//! Which rows have what they ask for to the left of a possible match.
//!
//! Most rows that ask for text to their left ask for a word in it, which [`super::words`] looks
//! for. For the others, whose labels are as short as `ss` or `t:`, one automaton reads backwards
//! from every place where a match may begin, over the text as it is and over the one with blanks at
//! the joints of names.

use std::ops::Range;

use regex_automata::util::syntax::parse_with;

use super::Edges;
use super::context::Spaced;
use super::engine::{Row, left_of};
use super::facts::{ByteSet, of_word, syntax};
use super::many::{Many, Patterns};
use super::prefilter::Bits;

/// The text to the left of the rows without a word to look for.
#[derive(Debug)]
pub(crate) struct Lefts {
    many: Many,
    /// For each row, the bytes with which a match may begin, and those behind which it may.
    starts: Vec<(usize, ByteSet, ByteSet)>,
}

impl Lefts {
    /// Of all rows that ask for text to their left but those in `others`.
    pub(crate) fn new(rows: &[Row], others: &Bits) -> Self {
        let mut patterns = Patterns::NONE;
        let mut starts = Vec::new();
        let no_word = ByteSet::of(|byte| !of_word(byte));
        for (index, row) in rows.iter().enumerate() {
            let left = row.detector.left;
            if left.is_empty() || others.has(index) {
                continue;
            }
            let left = parse_with(&format!("(?i:{left})"), &syntax());
            patterns.add(left.expect("a test reads every pattern"), index);
            let behind = match row.detector.edges {
                Edges::Any | Edges::Glued => row.left_end,
                _ => row.left_end.meet(&no_word),
            };
            starts.push((index, row.facts.first, behind));
        }
        Self {
            many: Many::backward(patterns),
            starts,
        }
    }

    /// The rows that this is about.
    pub(crate) fn covered(&self) -> &Bits {
        &self.many.covered
    }

    /// Those of `picked` of which a match may begin in the segment, as far as the text to its left
    /// says.
    pub(crate) fn before(&self, text: &str, segment: Range<usize>, picked: &Bits) -> Bits {
        let bytes = text.as_bytes();
        let (mut first, mut may_stand_before) = (ByteSet::default(), ByteSet::default());
        for (_, begins, behind) in self.starts.iter().filter(|(row, ..)| picked.has(*row)) {
            first = first.join(begins);
            may_stand_before = may_stand_before.join(behind);
        }
        let begins = |at: &usize| {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let behind = before.is_none_or(|before| may_stand_before.has(before));
            behind && first.has(bytes[*at]) && text.is_char_boundary(*at)
        };
        let mut ending = self.many.ending();
        for start in segment.filter(begins) {
            let left = left_of(text, start);
            let read = ending.read(left.bytes().rev());
            // Where no name has joints in what was read, the other reading is the same.
            if Spaced::differs(left, read) {
                ending.read(Spaced::backwards(left));
            }
        }
        ending.rows()
    }
}
