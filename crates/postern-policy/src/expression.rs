//! Cedar expressions in the engine's JSON form.
//!
//! WHY NOT text: a name in a policy text would have to be escaped, and a mistake there would let a
//! name write policy. In this form a string is a string, and nothing is parsed.

use serde_json::{Value, json};

use crate::schema::Type;

pub(crate) fn context(attribute: &str) -> Value {
    json!({".": {"left": {"Var": "context"}, "attr": attribute}})
}

/// A segment of the path, from 1; to be asked only under [`has_segment`].
pub(crate) fn segment(place: usize) -> Value {
    json!({".": {"left": context("segments"), "attr": format!("s{place}")}})
}

pub(crate) fn has_segment(place: usize) -> Value {
    json!({"has": {"left": context("segments"), "attr": format!("s{place}")}})
}

pub(crate) fn segment_count() -> Value {
    json!({".": {"left": context("segments"), "attr": "count"}})
}

pub(crate) fn literal(value: impl Into<Value>) -> Value {
    json!({"Value": value.into()})
}

pub(crate) fn entity(kind: Type, id: &str) -> Value {
    json!({"Value": {"__entity": {"type": kind.name(), "id": id}}})
}

pub(crate) fn set<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    json!({"Set": values.into_iter().map(literal).collect::<Vec<_>>()})
}

pub(crate) fn binary(operator: &str, left: Value, right: Value) -> Value {
    json!({operator: {"left": left, "right": right}})
}

pub(crate) fn equal(left: Value, right: Value) -> Value {
    binary("==", left, right)
}

pub(crate) fn not(value: Value) -> Value {
    json!({"!": {"arg": value}})
}

pub(crate) fn is_empty(value: Value) -> Value {
    json!({"isEmpty": {"arg": value}})
}

/// `value like "prefix*"`, with the prefix taken letter by letter.
pub(crate) fn starts_with(value: Value, prefix: &str) -> Value {
    json!({"like": {"left": value, "pattern": [{"Literal": prefix}, "Wildcard"]}})
}

/// `value.isInRange(ip("range"))`.
pub(crate) fn in_range(value: Value, range: &str) -> Value {
    json!({"isInRange": [value, {"ip": [literal(range)]}]})
}

/// All hold; of nothing, true.
pub(crate) fn all(terms: Vec<Value>) -> Value {
    joined("&&", terms).unwrap_or_else(|| literal(true))
}

/// One holds; of nothing, false.
pub(crate) fn any(terms: Vec<Value>) -> Value {
    joined("||", terms).unwrap_or_else(|| literal(false))
}

/// The terms in their order, as a balanced tree: a chain of hundreds would nest as deep as the
/// engine's evaluation can go, and fail.
fn joined(operator: &str, mut terms: Vec<Value>) -> Option<Value> {
    let right = match terms.len() {
        0 | 1 => return terms.pop(),
        count => terms.split_off(count.div_ceil(2)),
    };
    Some(binary(
        operator,
        joined(operator, terms)?,
        joined(operator, right)?,
    ))
}
