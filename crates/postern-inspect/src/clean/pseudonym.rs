//! Placeholders that stand for values and are turned back in the answer.
//!
//! A placeholder is the class's label, `_`, and ten letters of a keyed hash: `EMAIL_k3v7q2hd7x`.
//! All of a class are of one length, so none is the beginning of another, and it has no mark that a
//! model, HTML, Markdown or an address would write differently. It does not look like a value of
//! its class on purpose: what looks real cannot be told from what is real, and would be turned
//! back, or not, by accident.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use postern_types::{DataClass, PseudonymScope};
use zeroize::Zeroizing;

use super::action;
use super::keys::{HASH_CHARS, MaskKeys};
use crate::bounds::{PSEUDONYM_VALUE_BYTES_MAX, PSEUDONYMS_BYTES_MAX};

/// Placeholders and what they stand for; bounded. Shared by a request and its answer.
#[derive(Clone, Default)]
pub struct Pseudonyms {
    map: Arc<BTreeMap<String, Zeroizing<String>>>,
    bytes: usize,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms({})", self.map.len())
    }
}

impl Pseudonyms {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Writes them as bytes, to be sealed and kept: they hold the values.
    #[must_use]
    pub fn export(&self) -> Zeroizing<Vec<u8>> {
        let pairs: Vec<(&str, &str)> = self
            .map
            .iter()
            .map(|(placeholder, value)| (placeholder.as_str(), value.as_str()))
            .collect();
        let bytes = postcard::to_stdvec(&pairs).expect("pairs of texts always have a binary form");
        Zeroizing::new(bytes)
    }

    /// Reads what [`Pseudonyms::export`] wrote; `None` if it is anything else.
    #[must_use]
    pub fn import(bytes: &[u8]) -> Option<Self> {
        let pairs: Vec<(&str, &str)> = postcard::from_bytes(bytes).ok()?;
        let mut pseudonyms = Self::default();
        for (placeholder, value) in pairs {
            (action::label_at(placeholder) == Some(placeholder.len())).then_some(())?;
            pseudonyms.add(placeholder, value);
        }
        Some(pseudonyms)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (placeholder, value) in other.map.iter() {
            self.add(placeholder, value);
        }
    }

    /// The placeholder of a value; `None` beyond the bounds, or if it is another value's.
    pub(super) fn place(
        &mut self,
        keys: &MaskKeys,
        scope: PseudonymScope,
        class: &DataClass,
        value: &str,
    ) -> Option<String> {
        let normal = action::normal(class, value);
        let hash = keys.scoped(scope, class, &normal);
        let placeholder = format!("{}_{hash}", class.label());
        match self.map.get(&placeholder) {
            Some(known) => (action::normal(class, known) == normal).then_some(placeholder),
            None => self.add(&placeholder, value).then_some(placeholder),
        }
    }

    /// The placeholder that starts in `text` at or after `from`, with what it stands for.
    pub(super) fn next(&self, text: &str, from: usize) -> Option<(usize, usize, String)> {
        let bytes = text.as_bytes();
        for under in memchr::memchr_iter(b'_', &bytes[from..]) {
            let under = from + under;
            let end = under + 1 + HASH_CHARS;
            if !text.is_char_boundary(end.min(text.len())) || end > text.len() {
                continue;
            }
            let name =
                |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
            let length = bytes[from..under]
                .iter()
                .rev()
                .take_while(|b| name(b))
                .count();
            // The longest name first: `CUSTOM_EMAIL_…` is not `EMAIL_…`.
            for start in under - length..under {
                if let Some(value) = self.map.get(&text[start..end]) {
                    return Some((start, end, value.to_string()));
                }
            }
        }
        None
    }

    fn add(&mut self, placeholder: &str, value: &str) -> bool {
        if self.map.contains_key(placeholder) {
            return true;
        }
        let bytes = placeholder.len() + value.len();
        if value.len() > PSEUDONYM_VALUE_BYTES_MAX || self.bytes + bytes > PSEUDONYMS_BYTES_MAX {
            return false;
        }
        self.bytes += bytes;
        Arc::make_mut(&mut self.map)
            .insert(placeholder.to_owned(), Zeroizing::new(value.to_owned()));
        true
    }
}
