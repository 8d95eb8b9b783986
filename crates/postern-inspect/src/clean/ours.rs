//! Telling what we wrote in place of values, so that cleaning twice changes little.
//!
//! SECURITY: anybody can write what looks like it, with a value inside. So a bare label counts,
//! which has no room for a value; what carries letters counts if it proves that they are ours, by
//! the tag in them; and stars never count, since nobody can tell whose they are.

use std::ops::Range;

use postern_types::{BuiltinClass, DataClass};

use super::Cleaner;
use super::keys::{BASE32, HASH_CHARS, MaskKeys};
use super::rules::RuleSet;
use crate::detect::context::floor;

/// The longest name in a label, in bytes: `CUSTOM_`, 40 characters of a rule's class, and what a
/// hash may add that looks like a name.
pub(super) const NAME_BYTES_MAX: usize = 66;

/// The longest label, in bytes.
pub(super) const LABEL_BYTES_MAX: usize = NAME_BYTES_MAX + HASH_CHARS + 3;

/// Marks beside labels at most, in characters: fewer than any secret has.
const MARKS_MAX: usize = 5;

/// What one cleaner writes and may have written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ours<'a> {
    keys: &'a MaskKeys,
    rules: &'a RuleSet,
}

impl Cleaner {
    pub(super) fn ours(&self) -> Ours<'_> {
        Ours {
            keys: &self.keys,
            rules: &self.rules,
        }
    }
}

impl Ours<'_> {
    /// Whether the text consists of what we write in place of values.
    pub(super) fn is(self, text: &str) -> bool {
        let mut rest = text;
        let (mut labels, mut marks) = (0, 0);
        while let Some(c) = rest.chars().next() {
            if let Some(length) = self.at(rest) {
                labels += 1;
                rest = &rest[length..];
                continue;
            }
            if c.is_alphanumeric() {
                return false;
            }
            marks += usize::from(!c.is_whitespace());
            rest = &rest[c.len_utf8()..];
        }
        labels > 0 && marks <= MARKS_MAX
    }

    /// As [`Ours::is`], or an address in front of whose `@` a label stands: there was a value in
    /// front of a host.
    pub(super) fn is_written(self, class: &DataClass, text: &str) -> bool {
        let address = *class == DataClass::Builtin(BuiltinClass::Email);
        let at = text.rfind('@').filter(|_| address);
        self.is(text) || at.is_some_and(|at| self.at(text) == Some(at))
    }

    /// Whether the piece of text lies within a label or placeholder.
    pub(super) fn is_around(self, text: &str, piece: Range<usize>) -> bool {
        let first = floor(text, piece.start.saturating_sub(LABEL_BYTES_MAX));
        let starts = text[first..piece.end]
            .char_indices()
            .map(|(at, _)| first + at);
        starts.take_while(|at| *at <= piece.start).any(|at| {
            self.at(&text[at..])
                .is_some_and(|length| at + length >= piece.end)
        })
    }

    /// The bytes of the label or placeholder at the start of the text.
    fn at(self, text: &str) -> Option<usize> {
        let mut shapes = shapes(text);
        let ours = shapes.find(|shape| match shape.hash {
            Some(hash) => self.keys.made(shape.label, hash),
            None => self.knows(shape.label),
        });
        ours.map(|shape| shape.bytes)
    }

    /// Whether a bare label is of a class. One that a rule defines has a name that anybody may
    /// choose, so it must be of these rules.
    fn knows(self, label: &str) -> bool {
        match class_of(label) {
            Some(DataClass::Builtin(_)) => true,
            Some(class) => self.rules.knows(&class),
            None => false,
        }
    }
}

/// Whether the text has the shape of a placeholder, whoever made it.
pub(super) fn is_placeholder(text: &str) -> bool {
    let whole = |shape: &Shape<'_>| shape.bytes == text.len() && !text.starts_with('[');
    shapes(text).any(|shape| whole(&shape) && class_of(shape.label).is_some())
}

/// What looks like a label or placeholder.
struct Shape<'a> {
    label: &'a str,
    hash: Option<&'a str>,
    bytes: usize,
}

/// How the start of the text may be read as a label or placeholder.
fn shapes(text: &str) -> impl Iterator<Item = Shape<'_>> {
    let bytes = text.as_bytes();
    let bracketed = bytes.first() == Some(&b'[');
    let start = usize::from(bracketed);
    let capital = bytes.get(start).is_some_and(u8::is_ascii_uppercase);
    let name = bytes[start.min(bytes.len())..]
        .iter()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_')
        .take(NAME_BYTES_MAX + 1)
        .count();
    let end = if capital { start + name } else { start };
    // A placeholder: the label, `_`, and the hash, whose digits the name has taken along.
    let under = text[start..end].match_indices('_');
    let placeholders = under
        .filter(move |_| !bracketed)
        .filter_map(move |(at, _)| {
            let hash = hash_at(text, at + 1)?;
            Some(Shape {
                label: &text[..at],
                hash: Some(hash),
                bytes: at + 1 + HASH_CHARS,
            })
        });
    let label = (bracketed && capital)
        .then(|| in_brackets(text, end))
        .flatten();
    placeholders.chain(label)
}

/// A label in brackets whose name ends there.
fn in_brackets(text: &str, end: usize) -> Option<Shape<'_>> {
    let bytes = text.as_bytes();
    let hash = match bytes.get(end)? {
        b']' => None,
        b':' => Some(hash_at(text, end + 1)?),
        _ => return None,
    };
    let close = hash.map_or(end, |hash| end + 1 + hash.len());
    (bytes.get(close) == Some(&b']')).then(|| Shape {
        label: &text[1..end],
        hash,
        bytes: close + 1,
    })
}

fn hash_at(text: &str, at: usize) -> Option<&str> {
    let hash = text.get(at..at + HASH_CHARS)?;
    let all = hash.bytes().all(|byte| BASE32.contains(&byte));
    all.then_some(hash)
}

fn class_of(label: &str) -> Option<DataClass> {
    let lower = label.to_ascii_lowercase();
    match lower.strip_prefix("custom_") {
        Some(name) => DataClass::parse(&format!("custom:{name}")).ok(),
        None => BuiltinClass::parse(&lower).map(DataClass::Builtin),
    }
}
