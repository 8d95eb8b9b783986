//! The words of data controls: classes of sensitive data, and what is done about them.
//!
//! A class is what a value *is* (a card number, a provider's key); a detector of `postern-inspect`
//! is one way to recognise it. Rules, policies, findings and labels speak of classes alone.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod class;
mod rule;

pub use class::BuiltinClass;
pub use rule::{
    ClassSelector, CustomDetector, DataAction, DataRule, DataRuleSpec, DataRules, FieldRule,
    Finding, OpaqueAction, ParseDataActionError, PseudonymScope, ThinkingAction,
};

/// A class of sensitive data: one of the built-in ones, or one that a rule defines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataClass {
    /// Recognised by the detectors that ship with the product.
    Builtin(BuiltinClass),
    /// Defined by a data rule; the name without its `custom:` prefix.
    Custom(Arc<str>),
}

/// A family of classes, usable wherever a class is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassGroup {
    /// What names, reaches or places a person or a device.
    Personal,
    /// What moves money.
    Payment,
    /// Numbers by which states know people and companies.
    NationalId,
    /// What opens a door.
    Secret,
    /// What needs a statistical model: told by an external analyzer only.
    Analyzed,
}

impl ClassGroup {
    /// Every group, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Personal,
        Self::Payment,
        Self::NationalId,
        Self::Secret,
        Self::Analyzed,
    ];

    /// The word used in rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Payment => "payment",
            Self::NationalId => "national_id",
            Self::Secret => "secret",
            Self::Analyzed => "analyzed",
        }
    }
}

/// The text names no class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no data class: `postern data-rule classes` lists them; one of your own is custom:NAME"
)]
pub struct ParseDataClassError(String);

/// The name of the class under which dry runs report what would be refused.
const CANNOT_INSPECT: &str = "cannot_inspect";

const CUSTOM: &str = "custom:";
const CUSTOM_NAME_BYTES_MAX: usize = 40;

impl DataClass {
    /// The class under which a dry run reports what cannot be inspected and would be refused.
    #[must_use]
    pub fn cannot_inspect() -> Self {
        Self::Custom(Arc::from(CANNOT_INSPECT))
    }

    /// Parses a class: a built-in name, or `custom:NAME` with lower-case letters, digits and `_`.
    ///
    /// # Errors
    /// When the name is unknown or the custom name is not valid.
    pub fn parse(text: &str) -> Result<Self, ParseDataClassError> {
        let wrong = || ParseDataClassError(text.chars().take(80).collect());
        let Some(custom) = text.strip_prefix(CUSTOM) else {
            return BuiltinClass::parse(text)
                .map(Self::Builtin)
                .ok_or_else(wrong);
        };
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let valid = custom.len() <= CUSTOM_NAME_BYTES_MAX
            && custom.bytes().all(letter)
            && custom
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_lowercase());
        if valid {
            Ok(Self::Custom(Arc::from(custom)))
        } else {
            Err(wrong())
        }
    }

    /// The label that stands for a masked value, without brackets: `EMAIL`, `CUSTOM_BADGE`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Builtin(class) => class.as_str().to_ascii_uppercase(),
            Self::Custom(name) => format!("CUSTOM_{}", name.to_ascii_uppercase()),
        }
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(class) => f.pad(class.as_str()),
            Self::Custom(name) => f.pad(&format!("{CUSTOM}{name}")),
        }
    }
}

impl From<BuiltinClass> for DataClass {
    fn from(class: BuiltinClass) -> Self {
        Self::Builtin(class)
    }
}

impl TryFrom<String> for DataClass {
    type Error = ParseDataClassError;
    fn try_from(text: String) -> Result<Self, ParseDataClassError> {
        Self::parse(&text)
    }
}

impl From<DataClass> for String {
    fn from(class: DataClass) -> String {
        class.to_string()
    }
}

impl std::str::FromStr for DataClass {
    type Err = ParseDataClassError;
    fn from_str(text: &str) -> Result<Self, ParseDataClassError> {
        Self::parse(text)
    }
}

/// Which way data travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

impl Direction {
    /// The word used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back() {
        let words = [
            "allow",
            "flag",
            "mask",
            "keep-last-4",
            "hash",
            "pseudonym:request",
            "pseudonym:environment",
            "block",
        ];
        for word in words {
            assert_eq!(DataAction::parse(word).unwrap().to_string(), word);
        }
        let short = DataAction::parse("pseudonym").unwrap();
        assert_eq!(short, DataAction::Pseudonym(PseudonymScope::Request));
        for wrong in ["", "keep-last-0", "keep-last-9", "keep-last-+4", "Mask"] {
            assert!(DataAction::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_class_reads_back() {
        for class in BuiltinClass::ALL {
            let class = DataClass::Builtin(class);
            assert_eq!(DataClass::parse(&class.to_string()), Ok(class.clone()));
            let json = serde_json::to_string(&class).unwrap();
            assert_eq!(serde_json::from_str::<DataClass>(&json).unwrap(), class);
        }
        let custom = DataClass::parse("custom:badge_2").unwrap();
        assert_eq!(custom.label(), "CUSTOM_BADGE_2");
        assert_eq!(DataClass::parse(&custom.to_string()), Ok(custom));
        for wrong in ["", "Email", "custom:", "custom:A", "custom:a-b", "nothing"] {
            assert!(DataClass::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
