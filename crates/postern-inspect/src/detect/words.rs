//! Which rows have one of their words near a segment: one pass over the text answers for all.
//!
//! Most numbers of states are found only beside a word. Where none of a row's words stands in the
//! segment or to its left, its pattern need not run.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::context;
use super::engine::Row;
use super::facts;
use super::prefilter::Bits;

const NOBODY: (Bits, Bits) = (Bits::NONE, Bits::NONE);

/// The words of all rows.
#[derive(Debug)]
pub(crate) struct Words {
    automaton: AhoCorasick,
    /// For each word, the rows that have it, and those that ask for it in the text to the left.
    rows: Vec<(Bits, Bits)>,
    /// The rows that ask for bytes beyond ASCII in the text to the left, too.
    beyond: Bits,
    /// The rows of which the text to the left is known to hold a word.
    pub(crate) asking: Bits,
}

impl Words {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut known: BTreeMap<String, (Bits, Bits)> = BTreeMap::new();
        let (mut beyond, mut asking) = (Bits::NONE, Bits::NONE);
        for (at, row) in rows.iter().enumerate() {
            for word in row.detector.words {
                let of = known.entry((*word).to_owned()).or_insert(NOBODY);
                of.0.set(at);
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
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .expect("the words of the tables are few and short");
        Self {
            automaton,
            rows,
            beyond,
            asking,
        }
    }

    /// The rows of which a word stands in the text, in any letter case, and those of `asking` whose
    /// text to the left may stand in it. Whether a word is whole and where it stands is for the row
    /// to say.
    pub(crate) fn near(&self, text: &str) -> (Bits, Bits) {
        let (mut near, mut left) = NOBODY;
        if !text.is_ascii() {
            left.join(&self.beyond);
        }
        let text = context::spoken(text);
        for found in self.automaton.find_overlapping_iter(text.as_bytes()) {
            let (with, asking) = &self.rows[found.pattern().as_usize()];
            near.join(with);
            left.join(asking);
        }
        (near, left)
    }
}
