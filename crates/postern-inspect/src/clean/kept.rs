//! Placeholders that outlive their request, so that a later answer can be turned back too.
//!
//! Where a provider keeps a conversation, the answer to a later request names what only an earlier
//! one said. What is kept is one caller's, is bounded, and lets the oldest go first. Whoever keeps
//! it seals it: it holds the values.

use std::collections::HashSet;
use std::fmt;

use zeroize::Zeroizing;

use super::ours::is_placeholder;
use super::pseudonym::Pseudonyms;
use crate::bounds::{PSEUDONYM_VALUE_BYTES_MAX, PSEUDONYMS_BYTES_MAX, PSEUDONYMS_KEPT_MAX};

/// The placeholders of one caller's earlier requests, and what they stand for.
#[derive(Clone, Default)]
pub struct KeptPseudonyms {
    /// The oldest first.
    pairs: Vec<(String, Zeroizing<String>)>,
}

impl fmt::Debug for KeptPseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptPseudonyms({})", self.pairs.len())
    }
}

impl KeptPseudonyms {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Writes them as bytes, to be sealed: they hold the values.
    #[must_use]
    pub fn export(&self) -> Zeroizing<Vec<u8>> {
        let pairs: Vec<(&str, &str)> = self.newest_last().collect();
        let bytes = postcard::to_stdvec(&pairs).expect("pairs of texts always have a binary form");
        Zeroizing::new(bytes)
    }

    /// Reads what [`KeptPseudonyms::export`] wrote; `None` if it is anything else.
    #[must_use]
    pub fn import(bytes: &[u8]) -> Option<Self> {
        let pairs: Vec<(&str, &str)> = postcard::from_bytes(bytes).ok()?;
        let mut kept = Self::default();
        for (placeholder, value) in pairs {
            let whole = is_placeholder(placeholder);
            (whole && value.len() <= PSEUDONYM_VALUE_BYTES_MAX).then_some(())?;
            kept.pairs.push(pair(placeholder, value));
        }
        kept.shrink();
        Some(kept)
    }

    /// Takes up those of a request whose scope is wider than the request. Returns whether there was
    /// a new one. Those that were used again become the newest.
    pub fn renew(&mut self, of: &Pseudonyms) -> bool {
        let used: HashSet<&str> = of.outliving().map(|(placeholder, _)| placeholder).collect();
        if used.is_empty() {
            return false;
        }
        let all = std::mem::take(&mut self.pairs);
        let (again, rest): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(placeholder, _)| used.contains(placeholder.as_str()));
        let known: HashSet<&str> = again.iter().map(|(name, _)| name.as_str()).collect();
        let new: Vec<_> = of
            .outliving()
            .filter(|(placeholder, _)| !known.contains(placeholder))
            .map(|(placeholder, value)| pair(placeholder, value))
            .collect();
        let grows = !new.is_empty();
        self.pairs = rest;
        self.pairs.extend(again);
        self.pairs.extend(new);
        self.shrink();
        grows
    }

    /// From the oldest to the newest.
    pub(super) fn newest_last(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        let pairs = self.pairs.iter();
        pairs.map(|(placeholder, value)| (placeholder.as_str(), value.as_str()))
    }

    /// Lets the oldest go until the rest is within the bounds.
    fn shrink(&mut self) {
        let mut bytes = 0;
        let fitting = self.newest_last().rev().take_while(|(placeholder, value)| {
            bytes += placeholder.len() + value.len();
            bytes <= PSEUDONYMS_BYTES_MAX
        });
        let stay = fitting.take(PSEUDONYMS_KEPT_MAX).count();
        self.pairs.drain(..self.pairs.len() - stay);
    }
}

fn pair(placeholder: &str, value: &str) -> (String, Zeroizing<String>) {
    (placeholder.to_owned(), Zeroizing::new(value.to_owned()))
}
