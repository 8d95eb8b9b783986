//! Which rows have what they ask for to the left of a possible match.
//!
//! Most rows that ask for text to their left ask for a word in it, which [`super::words`] looks
//! for. For the others, whose labels are as short as `ss` or `t:`, one automaton reads backwards
//! from every place where a match may begin, over the text as it is and over the one with blanks at
//! the joints of names. Before that, another reads a few bytes forwards: in most places nothing
//! begins that has the shape of a value.

use std::ops::Range;

use regex_automata::util::syntax::parse_with;

use super::engine::{Row, left_of};
use super::facts::{ByteSet, syntax};
use super::many::{Many, Patterns};
use super::prefilter::Bits;
use super::shapes::{EDGE, beginning};

/// The text to the left of the rows without a word to look for.
#[derive(Debug)]
pub(crate) struct Lefts {
    many: Many,
    /// The shapes of their matches.
    values: Many,
    /// The rows of matches without one.
    shapeless: Bits,
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
        let covered = |(index, _): &(usize, &Row)| bits[*index] != 0;
        let (values, shapeless) = beginning(rows.iter().enumerate().filter(covered));
        Self {
            many: Many::backward(patterns),
            values: Many::forward(values),
            shapeless,
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
        let asking = picked.meet(&self.many.covered);
        for row in asking.rows() {
            asked |= self.bits[row];
            least = least.min(self.least[row]);
        }
        let last = (segment.end + 1).saturating_sub(least.max(1));
        let first = |byte: u8| asked & self.first[usize::from(byte)];
        let at_start = segment.start == 0 && last > 0 && first(bytes[0]) != 0;
        let from = segment.start.max(1);
        let pairs = bytes.get(from - 1..last).unwrap_or_default().windows(2);
        let inner = pairs.enumerate().filter_map(|(nth, pair)| {
            let behind = self.behind[usize::from(pair[0])];
            // Mostly this says no.
            (behind & first(pair[1]) != 0).then_some(from + nth)
        });
        let inner = inner.filter(|at| text.is_char_boundary(*at));
        let starts = at_start.then_some(0).into_iter().chain(inner);
        let (mut ending, mut values) = (self.many.ending(), self.values.beginning());
        let shapeless = asking.meets(&self.shapeless);
        for start in starts {
            // To see that no value begins there takes a few bytes, and what is left of it many.
            let value = (&bytes[start..segment.end], EDGE);
            if shapeless || values.any(value, &asking) {
                ending.read(left_of(text, start));
            }
        }
        ending.rows()
    }
}
