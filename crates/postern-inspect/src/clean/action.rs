//! What stands for a value: labels, stars, hashes.
//!
//! What is written here should not be found again, or cleaning twice would change text and a
//! conversation would be masked ever anew. So labels are recognised ([`super::ours`]), and a
//! finding that consists of them is none. Stars are not: what is found with them again loses
//! letters again.

use postern_types::{BuiltinClass, ClassGroup, DataAction, DataClass};

use super::Value;
use super::keys::MaskKeys;
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
        (DataAction::KeepLast(count), Value::Whole(text)) => {
            let secret = matches!(class, DataClass::Builtin(class)
                if class.group() == ClassGroup::Secret);
            keep_last(text, count.into(), secret)
        }
        (DataAction::Hash, Value::Whole(text) | Value::BeforeAt(text)) => {
            let hash = keys.hash(class, &normal(class, text));
            format!("[{}:{hash}]", class.label())
        }
        _ => mask(class),
    }
}

/// Stars for all letters and digits but the last `count`, of which at most half stay. Marks and
/// spaces stay where they are, but those of a secret are a part of it. Stars that are there already
/// are nothing to keep.
fn keep_last(text: &str, count: usize, secret: bool) -> String {
    let solid = |c: char| c.is_alphanumeric() || secret && c != '*' && !c.is_whitespace();
    let all = text.chars().filter(|c| solid(*c)).count();
    let hidden = all - count.min(all / 2);
    let mut seen = 0;
    text.chars()
        .map(|c| {
            if !solid(c) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_leave_half_at_most() {
        assert_eq!(
            keep_last("4111 1111-1111 1234", 4, false),
            "**** ****-**** 1234"
        );
        assert_eq!(keep_last("abc", 4, false), "**c");
        assert_eq!(keep_last("a", 4, false), "*");
        assert_eq!(keep_last("pass-word!", 2, true), "********d!");
        assert_eq!(keep_last("****1234", 4, true), "******34");
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
