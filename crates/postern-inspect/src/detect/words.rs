//! Which rows have one of their words near a segment: one pass over the text answers for all.
//!
//! Most numbers of states are found only beside a word. Where none of a row's words stands in the
//! segment or to its left, its pattern need not run.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::engine::Row;
use super::prefilter::Bits;

/// The words of all rows.
#[derive(Debug)]
pub(crate) struct Words {
    automaton: AhoCorasick,
    /// For each word, its row.
    rows: Vec<usize>,
}

impl Words {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let of_row =
            |(at, row): (usize, &Row)| row.detector.words.iter().map(move |word| (*word, at));
        let (words, rows): (Vec<&str>, Vec<usize>) =
            rows.iter().enumerate().flat_map(of_row).unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .expect("the words of the tables are few and short");
        Self { automaton, rows }
    }

    /// The rows of which a word stands in the text, in any letter case. Whether it is a whole word
    /// and stands to the left of a match is for the row to say.
    pub(crate) fn near(&self, text: &str) -> Bits {
        let mut near = Bits::NONE;
        let text = text.to_lowercase();
        for found in self.automaton.find_overlapping_iter(&text) {
            near.set(self.rows[found.pattern().as_usize()]);
        }
        near
    }
}
