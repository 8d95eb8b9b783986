//! Names people choose: environments, upstreams, policies, principals.
//!
//! Every name has one spelling (lower case, no Unicode look-alikes), is bounded, and is safe in a
//! path, a shell, a log line and a policy text without escaping. Parsing is the only way in.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// Why a name was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{noun} name {given:?} is not valid: use {rule}")]
pub struct NameError {
    noun: &'static str,
    rule: &'static str,
    given: String,
}

impl NameError {
    fn new(noun: &'static str, rule: &'static str, given: &str) -> Self {
        // Bounded, so that a megabyte of nonsense does not travel into an error message.
        let given = given.chars().take(80).collect();
        Self { noun, rule, given }
    }
}

fn name_ok(text: &str, max: usize, extra: &[u8]) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= max
        && bytes[0].is_ascii_lowercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || extra.contains(b))
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $max:literal, $extra:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Parses a name.
            ///
            /// # Errors
            /// When the text is empty, too long, or holds a character outside the rule.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                if name_ok(text, $max, $extra) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(NameError::new($noun, $rule, text))
                }
            }

            /// The name as text that others may hold on to.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// A map by name can be asked with any text: what is no name is in none.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name_type!(
    /// An isolation boundary: dev, staging, prod. It is part of every token's text, so letters and
    /// digits only, at most 16.
    EnvName, "environment", 16, b"", "1 to 16 characters: a-z first, then a-z and 0-9"
);
name_type!(
    /// A named backend inside one environment, and the first path segment of its requests.
    UpstreamName, "upstream", 63, b"-", "1 to 63 characters: a-z first, then a-z, 0-9 and -"
);
name_type!(
    /// A guard-rail policy of one environment.
    PolicyName, "policy", 63, b"-_", "1 to 63 characters: a-z first, then a-z, 0-9, - and _"
);
name_type!(
    /// A data rule of one environment.
    RuleName, "data rule", 63, b"-_", "1 to 63 characters: a-z first, then a-z, 0-9, - and _"
);

/// What sort of actor a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A long-running program.
    Service,
    /// A job: CI, batch, function.
    Workload,
    /// An AI agent.
    Agent,
}

impl PrincipalKind {
    /// The word used in `kind:name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::Workload => "workload",
            Self::Agent => "agent",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Service, Self::Workload, Self::Agent]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

const PRINCIPAL_RULE: &str = "KIND:NAME with kind user, service, workload or agent, \
     and a name of 1 to 63 characters: a-z first, then a-z, 0-9, -, _, . and @";

/// Who a token speaks for, written `service:web` or `user:ada@example.org`. Unique inside one
/// environment; the same text in another environment is another principal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct PrincipalId {
    kind: PrincipalKind,
    text: Arc<str>,
}

impl Serialize for PrincipalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl PrincipalId {
    /// Parses `kind:name`.
    ///
    /// # Errors
    /// When the kind is unknown or the name breaks the rule.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let error = || NameError::new("principal", PRINCIPAL_RULE, text);
        let (kind, name) = text.split_once(':').ok_or_else(error)?;
        let kind = PrincipalKind::parse(kind).ok_or_else(error)?;
        if name_ok(name, 63, b"-_.@") {
            Ok(Self {
                kind,
                text: Arc::from(text),
            })
        } else {
            Err(error())
        }
    }

    /// What sort of actor it is.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The part after the colon.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.kind.as_str().len() + 1..]
    }

    /// `kind:name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.text)
    }
}

impl std::str::FromStr for PrincipalId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PrincipalId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<PrincipalId> for String {
    fn from(id: PrincipalId) -> String {
        id.text.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        // Goal: nothing but the documented alphabet passes. Method: a row per way to break it.
        for bad in [
            "",
            "Dev",
            "1dev",
            "dev-1",
            "dév",
            "dev ",
            "a234567890123456x",
            "dev\0",
        ] {
            assert!(EnvName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(EnvName::parse("dev2").unwrap().as_str(), "dev2");
        assert!(UpstreamName::parse("open_ai").is_err());
        assert!(UpstreamName::parse("open-ai").is_ok());
    }

    #[test]
    fn principals_split_into_kind_and_name() {
        let id = PrincipalId::parse("user:ada@example.org").unwrap();
        assert_eq!(
            (id.kind(), id.name()),
            (PrincipalKind::User, "ada@example.org")
        );
        for bad in ["ada", "root:ada", "user:", "user:Ada", "user:a:b"] {
            assert!(PrincipalId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
