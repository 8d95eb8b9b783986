//! Placeholders that stand for values and are turned back in the answer.
//!
//! A placeholder is the class's label, `_`, and sixteen letters of a keyed hash, which prove that
//! we made it: `EMAIL_k3v7q2hd7xnb4ts6`.
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
use super::kept::KeptPseudonyms;
use super::keys::{HASH_CHARS, MaskKeys};
use super::ours::NAME_BYTES_MAX;
use crate::bounds::{PSEUDONYM_VALUE_BYTES_MAX, PSEUDONYMS_BYTES_MAX};

/// Placeholders and what they stand for; bounded. Shared by a request and its answer.
#[derive(Clone, Default)]
pub struct Pseudonyms {
    map: Arc<BTreeMap<String, Stood>>,
    bytes: usize,
}

/// What a placeholder stands for.
#[derive(Clone)]
struct Stood {
    value: Zeroizing<String>,
    /// Whether its scope is wider than the request.
    outlives: bool,
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

    /// Takes up those of earlier requests, the newest first, as far as there is room.
    pub(super) fn merge(&mut self, earlier: &KeptPseudonyms) {
        for (placeholder, value) in earlier.newest_last().rev() {
            self.add(placeholder, value, true);
        }
    }

    /// Those whose scope is wider than the request.
    pub(super) fn outliving(&self) -> impl Iterator<Item = (&str, &str)> {
        let wide = self.map.iter().filter(|(_, stood)| stood.outlives);
        wide.map(|(placeholder, stood)| (placeholder.as_str(), stood.value.as_str()))
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
            Some(known) => (action::normal(class, &known.value) == normal).then_some(placeholder),
            None => {
                let outlives = scope != PseudonymScope::Request;
                self.add(&placeholder, value, outlives)
                    .then_some(placeholder)
            }
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
                .take(NAME_BYTES_MAX)
                .take_while(|b| name(b))
                .count();
            // The longest name first: `CUSTOM_EMAIL_…` is not `EMAIL_…`.
            for start in under - length..under {
                if let Some(known) = self.map.get(&text[start..end]) {
                    return Some((start, end, known.value.to_string()));
                }
            }
        }
        None
    }

    fn add(&mut self, placeholder: &str, value: &str, outlives: bool) -> bool {
        if self.map.contains_key(placeholder) {
            return true;
        }
        let bytes = placeholder.len() + value.len();
        if value.len() > PSEUDONYM_VALUE_BYTES_MAX || self.bytes + bytes > PSEUDONYMS_BYTES_MAX {
            return false;
        }
        self.bytes += bytes;
        let value = Zeroizing::new(value.to_owned());
        let stood = Stood { value, outlives };
        Arc::make_mut(&mut self.map).insert(placeholder.to_owned(), stood);
        true
    }
}
