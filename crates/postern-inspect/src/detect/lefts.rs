//! Which rows have what they ask for to the left of a possible match.
//!
//! Most rows that ask for text to their left ask for a word in it, which [`super::words`] looks
//! for. For the others, whose labels are as short as `ss` or `t:`, one automaton reads backwards
//! from every place where a match may begin, over the text as it is and over the one with blanks at
//! the joints of names.

use std::ops::Range;

use regex_automata::util::syntax::parse_with;

use super::engine::{Row, left_of};
use super::facts::{ByteSet, syntax};
use super::many::{Many, Patterns};
use super::prefilter::Bits;

/// The text to the left of the rows without a word to look for.
#[derive(Debug)]
pub(crate) struct Lefts {
    many: Many,
    /// For each row, the bit of what its matches begin with and stand behind.
    bits: Vec<u64>,
    /// For each row, no match is shorter, in bytes.
    least: Vec<usize>,
    /// For each byte, the bits with which a match may begin, and those behind which it may.
    first: [u64; 256],
    behind: [u64; 256],
}

impl Lefts {
    /// Of all rows that ask for text to their left but those in `others`.
    pub(crate) fn new(rows: &[Row], others: &Bits) -> Self {
        let mut patterns = Patterns::NONE;
        let mut starts: Vec<(ByteSet, ByteSet)> = Vec::new();
        let mut bits = vec![0; rows.len()];
        let (mut first, mut behind) = ([0; 256], [0; 256]);
        for (index, row) in rows.iter().enumerate() {
            let left = row.detector.left;
            if left.is_empty() || others.has(index) {
                continue;
            }
            let left = parse_with(&format!("(?i:{left})"), &syntax());
            patterns.add(left.expect("a test reads every pattern"), index);
            let start = (row.facts.first, row.behind);
            let known = starts.iter().position(|known| *known == start);
            let nth = known.unwrap_or_else(|| {
                starts.push(start);
                starts.len() - 1
            });
            // What has no bit of its own shares the last one.
            let bit = 1 << nth.min(63);
            bits[index] = bit;
            row.facts.first.each(|byte| first[usize::from(byte)] |= bit);
            row.behind.each(|byte| behind[usize::from(byte)] |= bit);
        }
        Self {
            many: Many::backward(patterns),
            bits,
            least: rows.iter().map(|row| row.facts.bytes_min).collect(),
            first,
            behind,
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
        let (mut asked, mut least) = (0, usize::MAX);
        for row in picked.meet(&self.many.covered).rows() {
            asked |= self.bits[row];
            least = least.min(self.least[row]);
        }
        let begins = |at: &usize| {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let behind = before.map_or(u64::MAX, |before| self.behind[usize::from(before)]);
            asked & behind & self.first[usize::from(bytes[*at])] != 0 && text.is_char_boundary(*at)
        };
        let last = (segment.end + 1).saturating_sub(least.max(1));
        let mut ending = self.many.ending();
        for start in (segment.start..last).filter(begins) {
            ending.read(left_of(text, start));
        }
        ending.rows()
    }
}
