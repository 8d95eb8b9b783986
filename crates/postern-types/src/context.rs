//! What is known of a request when it is decided on.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{CanonicalPath, EnvName, Operation, PrincipalId, TokenId, UpstreamKind, UpstreamName};

/// The principal behind a token, as the store knows it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its id, unique in the environment.
    pub id: PrincipalId,
    /// The team it belongs to, if any.
    pub team: Option<String>,
    /// The tenant it belongs to, if any.
    pub tenant: Option<String>,
}

/// Who asks, with which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The token's environment: every name of the request resolves inside it.
    pub environment: EnvName,
    /// The token's public id.
    pub token: TokenId,
    /// When the token was made.
    pub issued_at: Timestamp,
    /// Who it speaks for.
    pub principal: Principal,
}

/// How the client's address was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceVia {
    /// It is the socket's peer.
    Socket,
    /// A listed proxy named it in `X-Forwarded-For`.
    TrustedProxy,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The client's address.
    pub address: IpAddr,
    /// How it was learnt.
    pub via: SourceVia,
}

/// Something that an upstream keeps under the shared provider credential, and that therefore
/// belongs to the principal that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnedKind {
    /// A stored response (`previous_response_id`).
    Response,
    /// A conversation.
    Conversation,
    /// A file.
    File,
    /// A stored prompt.
    Prompt,
    /// Cached content.
    CachedContent,
    /// An item of an earlier response.
    Item,
}

impl OwnedKind {
    /// The word used in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Conversation => "conversation",
            Self::File => "file",
            Self::Prompt => "prompt",
            Self::CachedContent => "cached_content",
            Self::Item => "item",
        }
    }
}

/// A reference to something owned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnedId {
    /// What it is.
    pub kind: OwnedKind,
    /// Its id at the provider.
    pub id: String,
}

/// What is known of a request to an AI upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AiRequest {
    /// The operation.
    pub operation: Operation,
    /// The model; `None` only for the list of models.
    pub model: Option<SmolStr>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The most output the request allows, if it says so (choices multiplied in).
    pub output_cap: Option<u64>,
    /// Bytes of text that go to the model.
    pub text_bytes: u64,
}

/// All that policy may ask about a request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// When the request arrived.
    pub now: Timestamp,
    /// Who asks.
    pub subject: Subject,
    /// The upstream, resolved inside the subject's environment.
    pub upstream: UpstreamName,
    /// The upstream's kind.
    pub upstream_kind: UpstreamKind,
    /// What is asked of an AI upstream; `None` for plain HTTP.
    pub ai: Option<AiRequest>,
    /// The method, in capitals.
    pub method: SmolStr,
    /// The path as the upstream will see it.
    pub path: CanonicalPath,
    /// The query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The names of the headers that came, in lower case.
    pub headers: Vec<SmolStr>,
    /// The request body as JSON text, where a rule of the token asks about it and it was read.
    pub json_body: Option<Vec<u8>>,
    /// The body's length, when the head declares it.
    pub body_bytes: Option<u64>,
    /// Where the request comes from.
    pub source: Source,
    /// Whether the client's connection is encrypted.
    pub tls: bool,
}
