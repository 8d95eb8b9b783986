//! The decoded content of an audit log entry.
//!
//! An entry has two parts. The *header* is clear and holds nothing personal: kind, time, request,
//! environment, outcome. The *body* is sealed with the environment's key. Both are one version byte
//! and a postcard encoding, which is canonical: the same record always gives the same bytes, and
//! verification works on the bytes that were kept, never on a re-encoding.
//!
//! A request that is forwarded has two records: an *intent* before anything leaves, an *outcome*
//! after. A request that is refused has an outcome only.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use thiserror::Error;

use crate::{
    EnvName, Finding, Operation, PrincipalId, RefusalCode, RequestId, Source, TokenId,
    UpstreamKind, UpstreamName, Usage,
};

mod first;

/// The version of the header's encoding, its first byte.
const HEADER_VERSION: u8 = 1;

/// The version of the body's encoding, its first byte. Version 1 had no findings; it is read on.
const BODY_VERSION: u8 = 2;

/// Bytes that the header of a request's record has at most as a rule, and that its body has: room
/// made once, instead of again and again while it is written.
const HEADER_BYTES_USUAL: usize = 64;
const BODY_BYTES_USUAL: usize = 512;

/// What sort of record an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// Before a request is forwarded.
    Intent,
    /// After a request ended, forwarded or not.
    Outcome,
    /// An act of an administrator.
    Admin,
    /// A batch of refused unauthenticated requests from one address.
    Strangers,
    /// Start, stop and recovery of the gateway itself.
    System,
}

/// The clear part of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordHeader {
    /// What the body holds.
    pub kind: RecordKind,
    /// When it was written, in Unix milliseconds.
    pub at_ms: i64,
    /// The request, for intents and outcomes.
    pub request: Option<RequestId>,
    /// The environment, where there is one.
    pub environment: Option<EnvName>,
    /// The status that the client saw.
    pub status: Option<u16>,
    /// The refusal, if it was one.
    pub refusal: Option<RefusalCode>,
}

/// What is known of a request, in both of its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// The request.
    pub request: RequestId,
    /// When it arrived, in Unix milliseconds.
    pub arrived_ms: i64,
    /// The environment, once the token is known.
    pub environment: Option<EnvName>,
    /// The token, once it is known.
    pub token: Option<TokenId>,
    /// The principal, once it is known.
    pub principal: Option<PrincipalId>,
    /// Where it came from.
    pub source: Source,
    /// The method.
    pub method: String,
    /// The path without the query, as the client sent it, cut at 1024 bytes.
    pub path: String,
    /// The names of query parameters; their values may be personal and are not kept.
    pub query_names: Vec<String>,
    /// The upstream, once it is resolved.
    pub upstream: Option<UpstreamName>,
    /// The upstream's kind.
    pub upstream_kind: Option<UpstreamKind>,
    /// The AI operation.
    pub operation: Option<Operation>,
    /// The AI model that was asked for.
    pub model: Option<SmolStr>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The client's user agent, cut at 256 bytes.
    pub user_agent: Option<String>,
}

/// Written before a request is forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentRecord {
    /// The request; shared with whoever goes on with it.
    pub summary: Arc<RequestSummary>,
    /// The policies that allowed it, grants included.
    pub policies: Arc<[Arc<str>]>,
    /// The most output the request allows, if it says so.
    pub output_cap: Option<u64>,
    /// Bytes of text that go to the model.
    pub text_bytes: u64,
}

/// How a request ended. Records have its number: a new one comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The whole answer was sent.
    Done,
    /// The gateway refused.
    Refused,
    /// The upstream's connection broke before the answer was whole.
    UpstreamReset,
    /// The upstream fell silent for too long.
    UpstreamTimedOut,
    /// The client went away, or stalled for too long.
    ClientGone,
    /// The token was revoked while the answer was under way.
    Revoked,
    /// The gateway shut down while the answer was under way.
    Shutdown,
    /// A fault of the gateway while the answer was under way.
    Panic,
    /// Found at start: an intent whose outcome was never written.
    Abandoned,
    /// The token's time ended while the answer was under way.
    Expired,
}

impl End {
    /// Every end, in the order of their declaration.
    pub const ALL: &'static [Self] = &[
        Self::Done,
        Self::Refused,
        Self::UpstreamReset,
        Self::UpstreamTimedOut,
        Self::ClientGone,
        Self::Revoked,
        Self::Shutdown,
        Self::Panic,
        Self::Abandoned,
        Self::Expired,
    ];

    /// The word used in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::UpstreamReset => "upstream_reset",
            Self::UpstreamTimedOut => "upstream_timed_out",
            Self::ClientGone => "client_gone",
            Self::Revoked => "revoked",
            Self::Shutdown => "shutdown",
            Self::Panic => "panic",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
        }
    }
}

/// Where the time of a request went, in microseconds since its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// When the request went upstream.
    pub forwarded_us: Option<u64>,
    /// When the upstream's head came.
    pub first_byte_us: Option<u64>,
    /// When it ended.
    pub total_us: u64,
}

/// Written when a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The request.
    pub summary: Arc<RequestSummary>,
    /// How it ended.
    pub end: End,
    /// The status that the client saw; `None` when it saw none.
    pub status: Option<u16>,
    /// The refusal, if the gateway made one (also in mid-stream).
    pub refusal: Option<RefusalCode>,
    /// Why, for the owner: the cause behind the refusal, without secrets.
    pub cause: Option<String>,
    /// The status that the upstream gave.
    pub upstream_status: Option<u16>,
    /// Bytes of request body that went upstream.
    pub request_bytes: u64,
    /// Bytes of response body that went downstream.
    pub response_bytes: u64,
    /// What the model consumed.
    pub usage: Option<Usage>,
    /// The model that the provider says it used.
    pub response_model: Option<SmolStr>,
    /// Where the time went.
    pub timing: Timing,
    /// What data rules found on the way, and what was done about it; at most 64 kinds of it.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// Who did something to the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An admin token over the admin API.
    AdminToken(TokenId),
    /// The owner of the data directory, over its socket (the peer's user id).
    Owner(u32),
    /// The gateway itself.
    Gateway,
}

/// An act of an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminRecord {
    /// The admin request.
    pub request: RequestId,
    /// Who.
    pub actor: Actor,
    /// The client's address; `None` on the socket.
    pub address: Option<IpAddr>,
    /// `token.create`, `policy.delete`, `audit.search` …
    pub action: String,
    /// The object's name or id.
    pub object: String,
    /// The environment, where there is one.
    pub environment: Option<EnvName>,
    /// The status that was answered; `None` in the record that is written before the act.
    pub status: Option<u16>,
    /// What was asked, as JSON without secrets.
    pub detail: String,
}

/// Refused unauthenticated requests of one address, coalesced, with exact counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangerRecord {
    /// The address; `None` for the rest, when more addresses came than are kept apart.
    pub address: Option<IpAddr>,
    /// The first request of the batch, in Unix milliseconds.
    pub first_ms: i64,
    /// The last request of the batch.
    pub last_ms: i64,
    /// How many requests, by refusal code.
    pub counts: Vec<(RefusalCode, u64)>,
    /// The path of the first, cut at 256 bytes.
    pub sample_path: String,
}

/// Start, stop and recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRecord {
    /// `start`, `stop`, `recovered`, `keys_rotated` …
    pub event: String,
    /// What an operator should know, as text.
    pub detail: String,
}

/// One audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum AuditRecord {
    /// Before a request is forwarded.
    Intent(IntentRecord),
    /// After a request ended.
    Outcome(OutcomeRecord),
    /// An act of an administrator.
    Admin(AdminRecord),
    /// Coalesced refusals of strangers.
    Strangers(StrangerRecord),
    /// The gateway itself.
    System(SystemRecord),
}

/// An entry could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeRecordError {
    /// Written by a newer release.
    #[error("the record has format version {0}, which this release does not read")]
    Version(u8),
    /// The bytes are not a record.
    #[error("the record's bytes are malformed")]
    Malformed,
}

/// The same variants without the tag, which postcard cannot carry.
#[derive(Deserialize)]
enum Plain {
    Intent(IntentRecord),
    Outcome(OutcomeRecord),
    Admin(AdminRecord),
    Strangers(StrangerRecord),
    System(SystemRecord),
}

/// [`Plain`] on its way out: the same variants in the same order.
#[derive(Serialize)]
enum Written<'a> {
    Intent(&'a IntentRecord),
    Outcome(&'a OutcomeRecord),
    Admin(&'a AdminRecord),
    Strangers(&'a StrangerRecord),
    System(&'a SystemRecord),
}

impl AuditRecord {
    /// Encodes the record: the clear header and the body to be sealed.
    #[must_use]
    pub fn encode(&self, at: Timestamp) -> (Vec<u8>, Vec<u8>) {
        let header = write(HEADER_VERSION, &self.header(at), HEADER_BYTES_USUAL);
        let plain = match self {
            Self::Intent(record) => Written::Intent(record),
            Self::Outcome(record) => Written::Outcome(record),
            Self::Admin(record) => Written::Admin(record),
            Self::Strangers(record) => Written::Strangers(record),
            Self::System(record) => Written::System(record),
        };
        (header, write(BODY_VERSION, &plain, BODY_BYTES_USUAL))
    }

    /// Decodes a body.
    ///
    /// # Errors
    /// When the version is unknown or the bytes are malformed.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeRecordError> {
        let plain = match body.first() {
            Some(&first::VERSION) => read::<first::Plain>(first::VERSION, body)?.into(),
            _ => read(BODY_VERSION, body)?,
        };
        Ok(match plain {
            Plain::Intent(record) => Self::Intent(record),
            Plain::Outcome(record) => Self::Outcome(record),
            Plain::Admin(record) => Self::Admin(record),
            Plain::Strangers(record) => Self::Strangers(record),
            Plain::System(record) => Self::System(record),
        })
    }

    /// The environment whose key seals the body; `None` for the installation's own records.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvName> {
        match self {
            Self::Intent(record) => record.summary.environment.as_ref(),
            Self::Outcome(record) => record.summary.environment.as_ref(),
            Self::Admin(record) => record.environment.as_ref(),
            Self::Strangers(_) | Self::System(_) => None,
        }
    }

    fn header(&self, at: Timestamp) -> RecordHeader {
        let (kind, request, status, refusal) = match self {
            Self::Intent(record) => (RecordKind::Intent, Some(record.summary.request), None, None),
            Self::Outcome(record) => (
                RecordKind::Outcome,
                Some(record.summary.request),
                record.status,
                record.refusal,
            ),
            Self::Admin(record) => (RecordKind::Admin, Some(record.request), record.status, None),
            Self::Strangers(_) => (RecordKind::Strangers, None, None, None),
            Self::System(_) => (RecordKind::System, None, None, None),
        };
        let environment = self.environment().cloned();
        RecordHeader {
            kind,
            at_ms: at.as_millisecond(),
            request,
            environment,
            status,
            refusal,
        }
    }
}

impl RecordHeader {
    /// Decodes a header.
    ///
    /// # Errors
    /// When the version is unknown or the bytes are malformed.
    pub fn decode(header: &[u8]) -> Result<Self, DecodeRecordError> {
        read(HEADER_VERSION, header)
    }
}

fn write<T: Serialize>(version: u8, value: &T, usual: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(usual);
    out.push(version);
    postcard::to_extend(value, out)
        .expect("records hold only types that postcard can write, into memory")
}

fn read<'a, T: Deserialize<'a>>(version: u8, bytes: &'a [u8]) -> Result<T, DecodeRecordError> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => {
            postcard::from_bytes(rest).map_err(|_| DecodeRecordError::Malformed)
        }
        Some((found, _)) => Err(DecodeRecordError::Version(*found)),
        None => Err(DecodeRecordError::Malformed),
    }
}

#[cfg(test)]
mod tests;
