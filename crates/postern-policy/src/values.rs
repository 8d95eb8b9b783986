//! The demands of HTTP rules that Cedar cannot express: what a value or a JSON body may be.
//!
//! They are judged here, closed: what cannot be read in exactly one way does not hold. The outcome
//! goes into the Cedar request as the fact `rules_met`, and Cedar decides.

use std::collections::HashSet;
use std::fmt;

use postern_types::{BodyRule, CallRule, ValueRule};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::de::{SliceRead, StrRead};

/// Whether a rule has demands of this sort.
pub(crate) fn demands(rule: &CallRule) -> bool {
    let open = |value: &ValueRule| matches!(value, ValueRule::Any);
    !rule.query.values().all(open) || matches!(rule.body, BodyRule::JsonKeys(_))
}

/// Whether a request meets them.
pub(crate) fn met(rule: &CallRule, query: &[(String, String)], json_body: Option<&[u8]>) -> bool {
    let values = query.iter().all(|(name, value)| {
        // A name that the rule does not list is not for this place to judge: the policy text
        // allows the listed names only.
        rule.query
            .get(name)
            .is_none_or(|demand| value_meets(demand, value))
    });
    values
        && match &rule.body {
            BodyRule::ByMethod | BodyRule::Any | BodyRule::None => true,
            BodyRule::JsonKeys(keys) => json_body.is_some_and(|body| object_has_only(body, keys)),
        }
}

fn value_meets(demand: &ValueRule, value: &str) -> bool {
    match demand {
        ValueRule::Any => true,
        ValueRule::Integer => is_integer(value),
        ValueRule::OneOf(values) => values.iter().any(|allowed| allowed == value),
        ValueRule::JsonKeys(keys) => json_has_only(value, keys),
    }
}

/// At most 18 digits with an optional minus sign: below the range of a signed 64-bit integer, so no
/// backend reads another number.
fn is_integer(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn json_has_only(text: &str, keys: &[String]) -> bool {
    let mut reader = Deserializer::new(StrRead::new(text));
    JsonKeys {
        keys,
        object_only: false,
    }
    .deserialize(&mut reader)
    .is_ok()
        && reader.end().is_ok()
}

fn object_has_only(body: &[u8], keys: &[String]) -> bool {
    let mut reader = Deserializer::new(SliceRead::new(body));
    JsonKeys {
        keys,
        object_only: true,
    }
    .deserialize(&mut reader)
    .is_ok()
        && reader.end().is_ok()
}

/// Reads one JSON value (RFC 8259) to its end and fails on a key that is not listed, on a key that
/// stands twice in one object, and on more than 128 levels. Keys are compared decoded, so an
/// escaped spelling is the same key.
#[derive(Clone, Copy)]
struct JsonKeys<'a> {
    keys: &'a [String],
    object_only: bool,
}

impl JsonKeys<'_> {
    fn inner(self) -> Self {
        Self {
            object_only: false,
            ..self
        }
    }

    fn scalar<E: Error>(self) -> Result<(), E> {
        if self.object_only {
            Err(E::custom("not an object"))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for JsonKeys<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonKeys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with the listed keys only")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !self.keys.contains(&key) {
                return Err(A::Error::custom("a key that is not listed"));
            }
            if !seen.insert(key) {
                return Err(A::Error::custom("a key that stands twice"));
            }
            map.next_value_seed(self.inner())?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.scalar::<A::Error>()?;
        while items.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

#[cfg(test)]
mod tests;
