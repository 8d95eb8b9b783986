//! The audit log on the wire of the admin API.

use postern_types::{AuditRecord, RefusalCode, RequestId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is searched for: everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Records of this token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Records of this principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Records of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Records with this status, or with a status of this class (`4xx`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Records with this refusal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Records whose path begins with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Records of this model; `gpt-*` for a prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Records of this upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Records of this kind: `intent`, `outcome`, `admin`, `strangers`, `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Records of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Acts with this name, or whose name begins with this (`token.`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Outcomes of requests in which data rules found this class, a class of this group, or
    /// anything (`all`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Words that the record holds, in any field, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Not older than this: a time, or how long ago (`1h`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Not newer than this: a time, or how long ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only entries from this number on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The newest so many; at most 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Go on with what is written from now on, until the connection is closed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// One entry of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its number: the leaf index in the tree.
    pub seq: u64,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// `intent`, `outcome`, `admin`, `strangers`, `system`, or `log` for the log's own notes.
    pub kind: String,
    /// Whose key seals the body.
    pub domain: String,
    /// The request, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request: Option<RequestId>,
    /// The status that the client saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The refusal, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub refusal: Option<RefusalCode>,
    /// What was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub record: Option<Box<AuditRecord>>,
    /// Why the record cannot be shown, if it cannot; for the log's own notes, the note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditProgress {
    /// Entries read.
    pub read: u64,
    /// Entries there are.
    pub of: u64,
}

/// One line of a search's answer (JSON lines).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchLine {
    /// How far the search is.
    Progress(AuditProgress),
    /// An entry that fits.
    Entry(AuditEntry),
    /// The search broke off.
    Failed(String),
    /// The search is complete.
    Done(AuditProgress),
}

/// The newest signed checkpoint of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CheckpointNote {
    /// Entries that it covers.
    pub size: u64,
    /// The signed note (C2SP), to be kept somewhere else.
    pub note: String,
    /// The public key that it is checked with.
    pub key: String,
}
