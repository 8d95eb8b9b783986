//! What an independent reader sees of a body.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// The members that are asked about. The names of the others are taken as bytes: nobody is asked
/// what half of a surrogate pair says in them.
pub(super) struct Seen<'a> {
    pub(super) model: Option<Cow<'a, str>>,
}

/// The name of a member, as bytes.
struct Name(bool);

/// A text that need not be copied.
#[derive(serde::Deserialize)]
struct Model<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Seen<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Seen<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut model = None;
                while let Some(Name(is_model)) = map.next_key()? {
                    if !is_model {
                        map.next_value::<IgnoredAny>()?;
                    } else if model.is_some() {
                        return Err(A::Error::duplicate_field("model"));
                    } else {
                        model = Some(map.next_value::<Option<Model<'de>>>()?);
                    }
                }
                let model = model.flatten().map(|Model(model)| model);
                Ok(Seen { model })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Name, E> {
                Ok(Name(name == b"model"))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bytes_and_the_model_is_seen_once() {
        let seen = |body: &'static str| {
            let seen = serde_json::from_str::<Seen<'_>>(body);
            seen.map(|seen| seen.model)
        };
        let half = "{\"a\\ud800\":\"\\udc00\",\"mod\\u0065l\":\"m\"}";
        assert_eq!(seen(half).unwrap().as_deref(), Some("m"));
        assert_eq!(seen("{\"model\":null,\"b\":[1e999]}").unwrap(), None);
        for odd in [
            "{\"model\":\"a\",\"model\":\"b\"}",
            "[]",
            "{\"model\":1}",
            "{",
        ] {
            assert!(seen(odd).is_err(), "{odd}");
        }
    }
}
