//! Words of the format: ids, types, names. They pass as they are, unless a value stands in one.
//!
//! A word is no prose: an id is drawn at random, so that what has no sign of its own (a run of
//! letters and digits, a number with one check digit) would be found in every third of them. Rows
//! whose values say by their prefix, shape or checksum what they are, and classes that rules
//! define, are looked for all the same. What holds such a value is no word: it is text.

use super::custom::Walk;
use super::{Cleaner, Weight};
use crate::detect::engine::Wanted;
use crate::detect::words::Near;

/// A shorter word holds no value: the shortest ones are addresses of four digits and three dots.
const BYTES_MIN: usize = 7;

/// A shorter word without a digit holds no value: the keys that may do without are longer.
const LETTERS_MIN: usize = 16;

impl Cleaner {
    /// Whether a word of the format may pass as one. `named` says that it is a name or an id, which
    /// somebody chose, so that it may be what a rule's own class tells of; the vocabulary of a
    /// format is not.
    pub(crate) fn passes_word(&self, word: &str, named: bool) -> bool {
        if self.idle() {
            return true;
        }
        let may_hold = word.len() >= LETTERS_MIN
            || word.len() >= BYTES_MIN && word.bytes().any(|byte| byte.is_ascii_digit());
        let found = may_hold && self.finds(word, self.rules.word_rows(self.direction), false);
        let placeholder = || self.restores() && self.pseudonyms.next(word, 0).is_some();
        let held = found || (named && self.finds_own(word)) || placeholder();
        !held
    }

    /// Whether a value stands in a short text that clients put together from pieces: one that must
    /// not get through, in any row that the rules ask for.
    pub(crate) fn holds_value(&self, text: &str) -> bool {
        self.finds(text, self.rules.rows(self.direction), true) || self.finds_own(text)
    }

    /// Whether a row finds a value. `alone` says that the text may be nothing but the value, so
    /// that rows count whose values show by that alone.
    fn finds(&self, text: &str, rows: &Wanted, alone: bool) -> bool {
        let judge = |class: &_, confidence| self.weight(class, confidence);
        let engine = self.rules.engine();
        !engine
            .find(
                text,
                (0..text.len(), alone),
                rows,
                &mut Near::default(),
                &judge,
            )
            .is_empty()
    }

    fn finds_own(&self, text: &str) -> bool {
        self.rules.custom().is_some_and(|custom| {
            let found = Walk::new(0).advance(custom, text, true);
            let asked = |class: &_| self.weight(class, 100) != Weight::None;
            found.iter().any(|own| asked(&own.class))
        })
    }
}
