//! Cedar expressions in the engine's JSON form.
//!
//! WHY NOT text: a name in a policy text would have to be escaped, and a mistake there would let a
//! name write policy. In this form a string is a string, and nothing is parsed.

use serde_json::Value;

use crate::schema::Type;

/// A record of the JSON form. The `json!` macro would copy each part once more.
pub(crate) fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

pub(crate) fn variable(name: &str) -> Value {
    record([("Var", name.into())])
}

fn access(operator: &str, left: Value, attribute: String) -> Value {
    record([(
        operator,
        record([("left", left), ("attr", attribute.into())]),
    )])
}

pub(crate) fn context(attribute: &str) -> Value {
    access(".", variable("context"), attribute.to_owned())
}

/// A segment of the path, from 1; to be asked only under [`has_segment`].
pub(crate) fn segment(place: usize) -> Value {
    access(".", context("segments"), format!("s{place}"))
}

pub(crate) fn has_segment(place: usize) -> Value {
    access("has", context("segments"), format!("s{place}"))
}

pub(crate) fn segment_count() -> Value {
    access(".", context("segments"), "count".to_owned())
}

/// `resource is kind`.
pub(crate) fn resource_is(kind: Type) -> Value {
    let of = record([
        ("left", variable("resource")),
        ("entity_type", kind.name().into()),
    ]);
    record([("is", of)])
}

pub(crate) fn literal(value: impl Into<Value>) -> Value {
    record([("Value", value.into())])
}

/// The name of an entity, as scopes write it.
pub(crate) fn uid(kind: Type, id: &str) -> Value {
    record([("type", kind.name().into()), ("id", id.into())])
}

pub(crate) fn entity(kind: Type, id: &str) -> Value {
    literal(record([("__entity", uid(kind, id))]))
}

pub(crate) fn set<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    record([("Set", values.into_iter().map(literal).collect())])
}

pub(crate) fn binary(operator: &str, left: Value, right: Value) -> Value {
    record([(operator, record([("left", left), ("right", right)]))])
}

pub(crate) fn equal(left: Value, right: Value) -> Value {
    binary("==", left, right)
}

pub(crate) fn not(value: Value) -> Value {
    record([("!", record([("arg", value)]))])
}

pub(crate) fn is_empty(value: Value) -> Value {
    record([("isEmpty", record([("arg", value)]))])
}

/// `value like "prefix*"`, with the prefix taken letter by letter.
pub(crate) fn starts_with(value: Value, prefix: &str) -> Value {
    let pattern = vec![record([("Literal", prefix.into())]), "Wildcard".into()];
    record([(
        "like",
        record([("left", value), ("pattern", pattern.into())]),
    )])
}

/// `value.isInRange(ip("range"))`.
pub(crate) fn in_range(value: Value, range: &str) -> Value {
    let range = record([("ip", vec![literal(range)].into())]);
    record([("isInRange", vec![value, range].into())])
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
