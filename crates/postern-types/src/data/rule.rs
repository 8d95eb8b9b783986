//! Data rules: what is looked for, where, and what is done about it.
//!
//! A rule is an object of an environment. All rules of the environment that name the upstream (or
//! none) apply together to a request; where two speak of one class in one direction, the stronger
//! action holds ([`DataAction::strength`]).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ClassGroup, DataClass, Direction};
use crate::{RuleName, UpstreamName};

/// What is done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataAction {
    /// It passes, and nothing is reported.
    Allow,
    /// It passes, and is reported.
    Flag,
    /// A label with the class stands for it.
    Mask,
    /// Stars stand for all but so many of its last letters and digits; at most half of them stay.
    KeepLast(u8),
    /// A label with a keyed hash stands for it: the same value has the same label in an
    /// environment.
    Hash,
    /// A placeholder stands for it and is turned back in the answer to the same caller.
    Pseudonym(PseudonymScope),
    /// The request is refused, or the answer ends.
    Block,
}

/// How far a pseudonym stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PseudonymScope {
    /// Within one request and its answer.
    Request,
    /// Within one conversation: requests of one token that begin alike.
    Conversation,
    /// For one token.
    Token,
    /// In the whole environment.
    Environment,
}

/// The text names no action.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no action: use allow, flag, mask, keep-last-N (N from 1 to 8), hash, \
     pseudonym[:request|conversation|token|environment] or block"
)]
pub struct ParseDataActionError(String);

/// How many letters [`DataAction::KeepLast`] may leave.
const KEEP_LAST_MAX: u8 = 8;

impl PseudonymScope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 4] = [
        Self::Request,
        Self::Conversation,
        Self::Token,
        Self::Environment,
    ];

    /// The word used in rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Conversation => "conversation",
            Self::Token => "token",
            Self::Environment => "environment",
        }
    }
}

impl DataAction {
    /// Which of two actions holds where both apply: the greater.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Flag => 1,
            Self::Pseudonym(_) => 2,
            Self::Hash => 3,
            Self::KeepLast(_) => 4,
            Self::Mask => 5,
            Self::Block => 6,
        }
    }

    /// Whether the value itself passes.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Allow | Self::Flag)
    }

    /// Parses the word used in rules.
    ///
    /// # Errors
    /// When it names no action.
    pub fn parse(text: &str) -> Result<Self, ParseDataActionError> {
        let scope = |name: &str| PseudonymScope::ALL.into_iter().find(|s| s.as_str() == name);
        let keep = |digits: &str| {
            let count = digits.parse::<u8>().ok()?;
            ((1..=KEEP_LAST_MAX).contains(&count) && !digits.starts_with(['0', '+']))
                .then_some(Self::KeepLast(count))
        };
        let action = match text {
            "allow" => Some(Self::Allow),
            "flag" => Some(Self::Flag),
            "mask" => Some(Self::Mask),
            "hash" => Some(Self::Hash),
            "pseudonym" => Some(Self::Pseudonym(PseudonymScope::Request)),
            "block" => Some(Self::Block),
            _ => match text.strip_prefix("keep-last-") {
                Some(digits) => keep(digits),
                None => text
                    .strip_prefix("pseudonym:")
                    .and_then(scope)
                    .map(Self::Pseudonym),
            },
        };
        action.ok_or_else(|| ParseDataActionError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for DataAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.pad("allow"),
            Self::Flag => f.pad("flag"),
            Self::Mask => f.pad("mask"),
            Self::KeepLast(count) => f.pad(&format!("keep-last-{count}")),
            Self::Hash => f.pad("hash"),
            Self::Pseudonym(scope) => f.pad(&format!("pseudonym:{}", scope.as_str())),
            Self::Block => f.pad("block"),
        }
    }
}

impl std::str::FromStr for DataAction {
    type Err = ParseDataActionError;
    fn from_str(text: &str) -> Result<Self, ParseDataActionError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DataAction {
    type Error = ParseDataActionError;
    fn try_from(text: String) -> Result<Self, ParseDataActionError> {
        Self::parse(&text)
    }
}

impl From<DataAction> for String {
    fn from(action: DataAction) -> String {
        action.to_string()
    }
}

/// A class or a group of classes, as rules name them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClassSelector {
    /// Every built-in class that needs no analyzer.
    All,
    /// Every class of a group.
    Group(ClassGroup),
    /// One class.
    Class(DataClass),
}

impl ClassSelector {
    /// Parses `all`, a group or a class.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Self, super::ParseDataClassError> {
        if text == "all" {
            return Ok(Self::All);
        }
        let group = ClassGroup::ALL.into_iter().find(|g| g.as_str() == text);
        match group {
            Some(group) => Ok(Self::Group(group)),
            None => DataClass::parse(text).map(Self::Class),
        }
    }

    /// Whether the class is meant.
    #[must_use]
    pub fn selects(&self, class: &DataClass) -> bool {
        match (self, class) {
            (Self::All, DataClass::Builtin(class)) => class.group() != ClassGroup::Analyzed,
            (Self::Group(group), DataClass::Builtin(class)) => class.group() == *group,
            (Self::Class(named), class) => named == class,
            (Self::All | Self::Group(_), DataClass::Custom(_)) => false,
        }
    }
}

impl fmt::Display for ClassSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("all"),
            Self::Group(group) => f.pad(group.as_str()),
            Self::Class(class) => class.fmt(f),
        }
    }
}

impl std::str::FromStr for ClassSelector {
    type Err = super::ParseDataClassError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ClassSelector {
    type Error = super::ParseDataClassError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ClassSelector> for String {
    fn from(selector: ClassSelector) -> String {
        selector.to_string()
    }
}

/// A class that a rule defines: a pattern, or a list of words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomDetector {
    /// The class it finds: `custom:NAME`.
    pub class: DataClass,
    /// A pattern without look-around and back references; matches at most 512 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Texts to find, as whole words, in any letter case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// A field of a JSON body, found by its place and not by what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The place: `$.user.email`, `$.items[*].note`, `$..password` (RFC 9535, of which member
    /// names, `[*]`, `*` and `..` are taken).
    pub path: String,
    /// The class reported.
    pub class: DataClass,
}

/// What happens to content that is no text: images, audio, files, encrypted reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpaqueAction {
    /// It passes uninspected.
    Allow,
    /// The request or answer is refused as `cannot_inspect`.
    #[default]
    Refuse,
}

/// What happens to signed reasoning, which must not be altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingAction {
    /// It is left out.
    #[default]
    Drop,
    /// It passes whole, uninspected.
    Pass,
}

/// What a rule says, apart from its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRuleSpec {
    /// The upstream it is for; `None` for every upstream of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamName>,
    /// The directions it is for.
    pub directions: Vec<Direction>,
    /// What is looked for.
    pub classes: Vec<ClassSelector>,
    /// What is done about it.
    pub action: DataAction,
    /// Whether it only reports what it would do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Findings less sure than this, in percent, are passed over.
    #[serde(default = "confidence")]
    pub confidence_min: u8,
    /// Classes that the rule defines; they are looked for as if `classes` named them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomDetector>,
    /// Fields of JSON bodies of plain HTTP upstreams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldRule>,
    /// Headers whose values are inspected too, in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Query parameters whose values are inspected too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// What happens to content that is no text.
    #[serde(default)]
    pub opaque: OpaqueAction,
    /// What happens to signed reasoning.
    #[serde(default)]
    pub thinking: ThinkingAction,
    /// Whether findings are told to the client in the header `postern-findings`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tell_client: bool,
}

/// The confidence that a finding needs where a rule does not say.
const CONFIDENCE_MIN: u8 = 50;

fn confidence() -> u8 {
    CONFIDENCE_MIN
}

/// A data rule: its name and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRule {
    /// Its name, told in findings.
    pub name: RuleName,
    /// What it says.
    pub spec: DataRuleSpec,
}

/// The data rules that hold for one request: part of the permit.
#[derive(Debug, Clone, Default)]
pub struct DataRules {
    /// The rules of the environment that apply to the upstream; shared by all its requests.
    pub rules: Arc<[DataRule]>,
    /// Classes that this principal may send unmasked.
    pub revealed_in_request: Arc<[DataClass]>,
    /// Classes that this principal may see unmasked.
    pub revealed_in_response: Arc<[DataClass]>,
}

/// What was found and what was done about it: never the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub class: DataClass,
    /// Which way it travelled.
    pub direction: Direction,
    /// What was done.
    pub action: DataAction,
    /// The rule that said so.
    pub rule: RuleName,
    /// Whether the rule only reports.
    pub dry_run: bool,
    /// The place, as a path without array indices (`messages.content`), at most 128 bytes.
    pub place: String,
    /// How often.
    pub count: u32,
}
