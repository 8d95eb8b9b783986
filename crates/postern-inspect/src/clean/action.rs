//! What stands for a value: labels, stars, hashes.
//!
//! Nothing that is written here may be found again, or cleaning twice would change text and a
//! conversation would be masked ever anew. So labels have shapes that are recognised
//! ([`is_ours`]), and a finding that consists of them is none.

use std::ops::Range;

use postern_types::{BuiltinClass, ClassGroup, DataAction, DataClass};

use super::Value;
use super::keys::{BASE32, HASH_CHARS, MaskKeys};
use crate::detect::context::floor;
use crate::detect::fold::folded;

/// The label that stands for a value: `[EMAIL]`.
pub(super) fn mask(class: &DataClass) -> String {
    format!("[{}]", class.label())
}

/// What stands for a value under `mask`, `keep-last-n` or `hash`.
pub(super) fn replace(
    action: DataAction,
    class: &DataClass,
    keys: &MaskKeys,
    value: Value<'_>,
) -> String {
    match (action, value) {
        (DataAction::KeepLast(count), Value::Whole(text)) => keep_last(text, count.into()),
        (DataAction::Hash, Value::Whole(text) | Value::BeforeAt(text)) => {
            let hash = keys.hash(class, &normal(class, text));
            format!("[{}:{hash}]", class.label())
        }
        _ => mask(class),
    }
}

/// Stars for all letters and digits but the last `count`, of which at most half stay. Marks and
/// spaces stay where they are.
fn keep_last(text: &str, count: usize) -> String {
    let solid = text.chars().filter(|c| c.is_alphanumeric()).count();
    let hidden = solid - count.min(solid / 2);
    let mut seen = 0;
    text.chars()
        .map(|c| {
            if !c.is_alphanumeric() {
                return c;
            }
            seen += 1;
            if seen <= hidden { '*' } else { c }
        })
        .collect()
}

/// The value without what is only spelling, so that one value has one label: letter case of
/// addresses and names, separators of numbers.
pub(super) fn normal(class: &DataClass, text: &str) -> String {
    let text = &*folded(text);
    let DataClass::Builtin(builtin) = class else {
        return text.to_lowercase();
    };
    let bare = |text: &str| -> String {
        let solid = text.chars().filter(|c| c.is_alphanumeric());
        solid.flat_map(char::to_uppercase).collect()
    };
    match (builtin.group(), builtin) {
        // Letter case counts in these alphabets.
        (ClassGroup::Secret, _) | (_, BuiltinClass::CryptoAddress) => text.to_owned(),
        (ClassGroup::Payment | ClassGroup::NationalId, _) => bare(text),
        (_, BuiltinClass::Phone) => {
            let plus = if text.trim_start().starts_with('+') {
                "+"
            } else {
                ""
            };
            format!("{plus}{}", bare(text))
        }
        _ => text.to_lowercase(),
    }
}

/// Whether the text consists of what we write in place of values, of which `kept` letters are left
/// at most.
///
/// SECURITY: anybody can write stars. Only what looks exactly like a value of which rules leave so
/// many letters counts: stars for the others before them, and no more letters than that.
pub(super) fn is_ours(text: &str, kept: usize) -> bool {
    let mut rest = text;
    let (mut ours, mut stars, mut solid) = (0_usize, 0_usize, 0_usize);
    while let Some(c) = rest.chars().next() {
        if let Some(length) = label_at(rest) {
            ours += length;
            rest = &rest[length..];
            continue;
        }
        if c == '*' {
            if solid > 0 {
                return false;
            }
            stars += 1;
        }
        solid += usize::from(c.is_alphanumeric());
        rest = &rest[c.len_utf8()..];
    }
    match (stars, solid) {
        (0, 0) => ours > 0,
        (0, _) => false,
        // Of a short value half is left.
        _ if solid < kept => stars == solid || stars == solid + 1,
        _ => solid == kept && stars >= solid,
    }
}

/// As [`is_ours`], or an address in front of whose `@` a placeholder stands: there was a value in
/// front of a host.
pub(super) fn is_written(class: &DataClass, text: &str, kept: usize) -> bool {
    let address = *class == DataClass::Builtin(BuiltinClass::Email);
    let at = text.rfind('@').filter(|_| address);
    is_ours(text, kept) || at.is_some_and(|at| label_at(text) == Some(at))
}

/// Whether the piece of text lies within a label or placeholder.
pub(super) fn within_ours(text: &str, piece: Range<usize>) -> bool {
    let first = floor(text, piece.start.saturating_sub(LABEL_BYTES_MAX));
    let starts = text[first..piece.end]
        .char_indices()
        .map(|(at, _)| first + at);
    starts
        .take_while(|at| *at <= piece.start)
        .any(|at| label_at(&text[at..]).is_some_and(|length| at + length >= piece.end))
}

/// The bytes of the label or placeholder at the start of the text.
pub(super) fn label_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let bracketed = bytes.first() == Some(&b'[');
    let start = usize::from(bracketed);
    if !bytes.get(start)?.is_ascii_uppercase() {
        return None;
    }
    let name = bytes[start..]
        .iter()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_')
        .take(NAME_BYTES_MAX + 1)
        .count();
    let end = start + name;
    if bracketed {
        let label = &text[start..end];
        let closes = |at: usize| bytes.get(at) == Some(&b']');
        let hashed = bytes.get(end) == Some(&b':') && is_hash(bytes, end + 1);
        let end = if hashed { end + 1 + HASH_CHARS } else { end };
        return (closes(end) && is_label(label)).then_some(end + 1);
    }
    // A placeholder: the label, `_`, and the hash, whose digits the name has taken along.
    let under = text[..end].match_indices('_').map(|(at, _)| at);
    under
        .filter(|at| is_hash(bytes, at + 1) && is_label(&text[..*at]))
        .map(|at| at + 1 + HASH_CHARS)
        .next()
}

/// The longest name in a label, in bytes: `CUSTOM_`, 40 characters of a rule's class, and what a
/// hash may add that looks like a name.
pub(super) const NAME_BYTES_MAX: usize = 60;

/// The longest label, in bytes.
const LABEL_BYTES_MAX: usize = NAME_BYTES_MAX + HASH_CHARS + 3;

fn is_hash(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at..at + HASH_CHARS)
        .is_some_and(|hash| hash.iter().all(|byte| BASE32.contains(byte)))
}

fn is_label(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    BuiltinClass::parse(&lower).is_some()
        || lower
            .strip_prefix("custom_")
            .is_some_and(|name| DataClass::parse(&format!("custom:{name}")).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_leave_half_at_most() {
        assert_eq!(keep_last("4111 1111-1111 1234", 4), "**** ****-**** 1234");
        assert_eq!(keep_last("abc", 4), "**c");
        assert_eq!(keep_last("a", 4), "*");
    }

    #[test]
    fn what_we_write_is_ours() {
        for ours in [
            "[EMAIL]",
            "[EMAIL:abcdefgh27]",
            "EMAIL_abcdefgh27",
            "**** 1234",
            "\"[JWT]\"",
        ] {
            assert!(is_ours(ours, 4), "{ours}");
        }
        assert!(is_ours("CUSTOM_A_B_abcdefgh27", 0) && is_ours("US_SSN_2bcdefgh27", 0));
        for value in [
            "EMAIL",
            "[EMAIL]x",
            "[EMAILS]",
            "EMAIL_abcdefgh2",
            "x*y",
            "a*bc",
            "[]",
            "",
            "********hunter2",
            "**ab**cd",
            "***hunter",
        ] {
            assert!(!is_ours(value, 4), "{value}");
        }
    }

    #[test]
    fn one_value_has_one_normal_form() {
        let card = DataClass::Builtin(BuiltinClass::Card);
        assert_eq!(normal(&card, "4111-1111 1111"), "411111111111");
        let phone = DataClass::Builtin(BuiltinClass::Phone);
        assert_eq!(normal(&phone, "+45 (12) 34"), "+451234");
        let key = DataClass::Builtin(BuiltinClass::ApiKey);
        assert_eq!(normal(&key, "sk-aB"), "sk-aB");
    }
}
