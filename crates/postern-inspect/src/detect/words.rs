//! Which rows have one of their words near a segment: one pass over the text answers for all.
//!
//! Most numbers of states are found only beside a word. Where none of a row's words stands in the
//! segment or to its left, its pattern need not run.

use std::collections::BTreeMap;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind, StartKind};

use super::context::{Joint, joint, small};
use super::engine::Row;
use super::facts;
use super::prefilter::Bits;

const NOBODY: (Bits, Bits) = (Bits::NONE, Bits::NONE);

/// The words of all rows.
#[derive(Debug)]
pub(crate) struct Words {
    automaton: DFA,
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
                // A blank stands for the joint of a name, see `joint`.
                for word in [(*word).to_owned(), word.replace(['_', '-'], " ")] {
                    known.entry(one_sigma(&word)).or_insert(NOBODY).0.set(at);
                }
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
                    known.entry(one_sigma(&factor)).or_insert(NOBODY).1.set(at);
                }
            }
        }
        let (words, rows): (Vec<String>, Vec<_>) = known.into_iter().unzip();
        let automaton = DFA::builder()
            .start_kind(StartKind::Unanchored)
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
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
    /// to say. The text is read as it is, and with blanks at the joints of names.
    pub(crate) fn near(&self, text: &str) -> (Bits, Bits) {
        let mut near = NOBODY;
        if !text.is_ascii() {
            near.1.join(&self.beyond);
        }
        let Ok(start) = self.automaton.start_state(Anchored::No) else {
            return near;
        };
        let mut readings = Readings {
            words: self,
            plain: start,
            spaced: start,
            near,
        };
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte.is_ascii() {
                match joint(bytes, at) {
                    Joint::None => readings.both(byte),
                    Joint::Here => readings.apart(byte, b" "),
                    Joint::Before => readings.apart(byte, &[b' ', byte]),
                }
                at += 1;
                continue;
            }
            // Letters beyond ASCII must be written small for the automaton.
            let Some(c) = text[at..].chars().next() else {
                break;
            };
            for small in small(c) {
                let mut buffer = [0; 4];
                for byte in small.encode_utf8(&mut buffer).bytes() {
                    readings.both(byte);
                }
            }
            at += c.len_utf8();
        }
        readings.near
    }
}

/// The word with the letters that [`small`] gives.
fn one_sigma(word: &str) -> String {
    word.replace('ς', "σ")
}

/// Both readings of a text at once: mostly they are in the same state.
struct Readings<'a> {
    words: &'a Words,
    plain: StateID,
    spaced: StateID,
    near: (Bits, Bits),
}

impl Readings<'_> {
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
        for byte in spaced {
            self.spaced = self.step(self.spaced, *byte);
        }
    }

    fn step(&mut self, state: StateID, byte: u8) -> StateID {
        let automaton = &self.words.automaton;
        let state = automaton.next_state(Anchored::No, state, byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for nth in 0..automaton.match_len(state) {
                let found = automaton.match_pattern(state, nth).as_usize();
                let (with, asking) = &self.words.rows[found];
                self.near.0.join(with);
                self.near.1.join(asking);
            }
        }
        state
    }
}
