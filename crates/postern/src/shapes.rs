//! What goes over the wire of the admin API: the same types for the server, the command line and
//! the OpenAPI document.
//!
//! Times are RFC 3339, durations are written with a unit (`"1h"`). No shape but [`IssuedToken`]
//! can hold a token, and none of the answers can hold an upstream credential.

mod audit;
mod data_rules;
mod tokens;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub use audit::{AuditEntry, AuditProgress, AuditQuery, CheckpointNote, SearchLine};
pub use data_rules::{ChangeDataRule, CustomClass, DataRule, DataRuleSpec, FieldRule, NewDataRule};
pub use tokens::{
    IssuedToken, NewToken, RevokeToken, RevokedToken, RotateToken, Token, TokenList, TokenSecret,
};

/// An environment: an isolation boundary with keys and names of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Its name: letters and digits, part of every token's text.
    #[schema(example = "dev")]
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The longest life of its tokens, if it sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "30d")]
    pub token_ttl_max: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A new environment. It gets keys of its own, and the guard-rail policy `baseline`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// Its name: 1 to 16 letters and digits, never used before.
    #[schema(example = "dev")]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The longest life that its tokens may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "30d")]
    pub token_ttl_max: Option<String>,
}

/// Who tokens speak for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// `KIND:NAME`.
    #[schema(example = "service:web")]
    pub id: String,
    /// Its team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// When it was made.
    pub created_at: String,
}

/// A new principal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrincipal {
    /// `KIND:NAME`, with kind user, service, workload or agent.
    #[schema(example = "service:web")]
    pub id: String,
    /// Its team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What changes of a principal; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrincipal {
    /// Its team; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Its tenant; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Whether its tokens are refused. Running streams end too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A named backend inside an environment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Upstream {
    /// Its name, the first segment of its requests' paths.
    #[schema(example = "openai")]
    pub name: String,
    /// `openai`, `azure-openai`, `anthropic`, `gemini` or `http`.
    #[schema(example = "openai")]
    pub kind: String,
    /// Its address.
    #[schema(example = "https://api.openai.com")]
    pub url: String,
    /// Where its credential comes from: `env:NAME`, `file:PATH` or `sealed`. Never the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "env:OPENAI_API_KEY")]
    pub credential: Option<String>,
    /// Why the gateway could not have the credential. It reads it when it starts and at each change
    /// of the environment; requests are refused until it has it. Told where one upstream is shown,
    /// made or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_fault: Option<String>,
    /// Its settings.
    pub settings: UpstreamSettings,
    /// When it was made.
    pub created_at: String,
}

/// What an upstream is set to, beside its address and credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamSettings {
    /// Whether `stream_options.include_usage` is added to OpenAI stream requests that lack it.
    pub include_usage: bool,
    /// A PEM file on the gateway's machine with the authority to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Headers set on each request to it; `{credential}` stands for the credential.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            include_usage: true,
            ca_file: None,
            headers: BTreeMap::new(),
        }
    }
}

/// A new upstream.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpstream {
    /// Its name.
    #[schema(example = "openai")]
    pub name: String,
    /// `openai`, `azure-openai`, `anthropic`, `gemini` or `http`.
    #[schema(example = "openai")]
    pub kind: String,
    /// Its address, with the base path if there is one.
    #[schema(example = "https://api.openai.com")]
    pub url: String,
    /// Its credential, if it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<NewCredential>,
    /// Its settings.
    #[serde(default)]
    pub settings: UpstreamSettings,
}

/// What changes of an upstream; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUpstream {
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<NewCredential>,
    /// All of its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<UpstreamSettings>,
}

/// Where an upstream's credential comes from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewCredential {
    /// An environment variable of the gateway.
    Env(String),
    /// A file on the gateway's machine.
    File(String),
    /// The credential itself, to be sealed in the store.
    #[schema(value_type = String)]
    Sealed(SecretText),
}

/// A secret on its way in. Wiped when dropped, not shown by `Debug`.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a secret over.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The secret, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

/// A guard-rail policy of an environment, in Cedar.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Its name.
    #[schema(example = "baseline")]
    pub name: String,
    /// Cedar text: one or more statements.
    pub text: String,
    /// When it was made.
    pub created_at: String,
}

/// A new policy. It is checked against the schema before it is saved.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// Its name.
    #[schema(example = "office-hours")]
    pub name: String,
    /// Cedar text: one or more statements.
    pub text: String,
}

/// How the gateway is doing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The release.
    pub version: String,
    /// When it started.
    pub started_at: String,
    /// Where the data plane listens.
    pub data: String,
    /// Where the admin API listens.
    pub admin: String,
    /// Whether it stops taking requests.
    pub stopping: bool,
    /// Whether the audit log takes records.
    pub audit_healthy: bool,
    /// Entries that the newest checkpoint covers.
    pub audit_size: u64,
    /// `buffered` or `durable`.
    pub audit_durability: String,
    /// Requests in progress.
    pub requests_in_progress: usize,
    /// Bytes of request bodies held in memory.
    #[serde(default)]
    pub body_bytes: u64,
    /// Tokens in memory.
    pub tokens_cached: usize,
    /// Environments served.
    pub environments: usize,
    /// The analyzer of names, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyzer: Option<AnalyzerStatus>,
}

/// What became of the questions to the analyzer since the start.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AnalyzerStatus {
    /// Questions that were asked, one a piece of text.
    pub calls: u64,
    /// Questions that were not answered in time, or not readably.
    pub failures: u64,
    /// The time that all questions took together, in microseconds.
    pub total_us: u64,
}

/// A refusal of the admin API: problem details (RFC 9457) with the closed refusal codes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The refusal code's text.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The refusal code.
    #[schema(example = "denied")]
    pub code: String,
    /// What was wrong, for the administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request, as the audit log names it.
    pub request_id: String,
}
