//! Data rules on the wire of the admin API.
//!
//! The fields of a rule are those of `postern_types::DataRuleSpec`, by which they are read: what
//! that does not take is refused with its words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A data rule of an environment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DataRule {
    /// Its name.
    #[schema(example = "people")]
    pub name: String,
    /// What it says.
    pub rule: DataRuleSpec,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub changed_at: String,
}

/// A new data rule. It is compiled before it is saved.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDataRule {
    /// Its name.
    #[schema(example = "people")]
    pub name: String,
    /// What it says.
    pub rule: DataRuleSpec,
}

/// What a data rule says: what is looked for, where, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRuleSpec {
    /// The upstream it is for; every upstream of the environment when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "openai")]
    pub upstream: Option<String>,
    /// `request`, `response`, or both.
    #[schema(example = json!(["request", "response"]))]
    pub directions: Vec<String>,
    /// Classes, groups of classes, or `all`.
    #[serde(default)]
    #[schema(example = json!(["card", "personal"]))]
    pub classes: Vec<String>,
    /// `allow`, `flag`, `mask`, `keep-last-N`, `hash`, `pseudonym[:SCOPE]` or `block`.
    #[schema(example = "mask")]
    pub action: String,
    /// Whether it only reports what it would do.
    #[serde(default)]
    pub dry_run: bool,
    /// Findings less sure than this, in percent, are passed over.
    #[serde(default = "confidence_min")]
    #[schema(example = 50)]
    pub confidence_min: u8,
    /// Classes that it defines; they are looked for as if `classes` named them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomClass>,
    /// Fields of JSON bodies of plain HTTP upstreams, found by their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldRule>,
    /// Headers whose values are inspected too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Query parameters whose values are inspected too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// What happens to content that is no text: `allow` or `refuse`.
    #[serde(default = "refuse")]
    #[schema(example = "refuse")]
    pub opaque: String,
    /// What happens to signed reasoning, which must not be altered: `drop` or `pass`.
    #[serde(default = "drop_it")]
    #[schema(example = "drop")]
    pub thinking: String,
    /// Whether findings are told to the client in the header `postern-findings`.
    #[serde(default)]
    pub tell_client: bool,
}

fn confidence_min() -> u8 {
    50
}

fn refuse() -> String {
    "refuse".to_owned()
}

fn drop_it() -> String {
    "drop".to_owned()
}

/// A class that a rule defines: a pattern, or a list of words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomClass {
    /// `custom:NAME`.
    #[schema(example = "custom:badge")]
    pub class: String,
    /// A regular expression without look-around and back references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "B-[0-9]{6}")]
    pub pattern: Option<String>,
    /// Texts to find, as whole words, in any letter case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// A field of a JSON body, found by its place and not by what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The place: member names, `[*]`, `*` and `..` of a JSON path (RFC 9535).
    #[schema(example = "$.customer.email")]
    pub path: String,
    /// The class that is reported.
    #[schema(example = "email")]
    pub class: String,
}

/// What changes of a data rule; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDataRule {
    /// The upstream it is for; empty for every upstream of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// `request`, `response`, or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directions: Option<Vec<String>>,
    /// Classes, groups of classes, or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// The action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Whether it only reports what it would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Findings less sure than this, in percent, are passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_min: Option<u8>,
    /// All classes that it defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Vec<CustomClass>>,
    /// All fields that it finds by their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<FieldRule>>,
    /// All headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<String>>,
    /// All query parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Vec<String>>,
    /// What happens to content that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<String>,
    /// What happens to signed reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    /// Whether findings are told to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_client: Option<bool>,
}

impl DataRuleSpec {
    /// The rule with a change made to it.
    #[must_use]
    pub fn changed(self, change: ChangeDataRule) -> Self {
        Self {
            upstream: match change.upstream {
                Some(name) => (!name.is_empty()).then_some(name),
                None => self.upstream,
            },
            directions: change.directions.unwrap_or(self.directions),
            classes: change.classes.unwrap_or(self.classes),
            action: change.action.unwrap_or(self.action),
            dry_run: change.dry_run.unwrap_or(self.dry_run),
            confidence_min: change.confidence_min.unwrap_or(self.confidence_min),
            custom: change.custom.unwrap_or(self.custom),
            fields: change.fields.unwrap_or(self.fields),
            headers: change.headers.unwrap_or(self.headers),
            query: change.query.unwrap_or(self.query),
            opaque: change.opaque.unwrap_or(self.opaque),
            thinking: change.thinking.unwrap_or(self.thinking),
            tell_client: change.tell_client.unwrap_or(self.tell_client),
        }
    }
}
