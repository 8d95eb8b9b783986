//! Header fields, both ways.
//!
//! Upstream goes a closed list: what every client of that kind of API sends, what the grant names,
//! and the credential. Fields of the hop, fields that a `Connection` nominates, and fields that
//! claim an identity never pass, whatever a list says. Downstream comes everything but the fields
//! of the hop and those that speak for a host or an account that is not the client's business.

mod credential;
mod scrub;

use std::sync::Arc;

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONNECTION, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName,
    HeaderValue, LAST_MODIFIED, TE, TRAILER,
};
use postern_types::UpstreamKind;

use crate::arrival::takes_trailers;

pub use credential::{CredentialError, HeaderTemplate, UpstreamCredential};
pub(crate) use scrub::{Scrubbed, Scrubber};

/// What every client may send to an AI upstream.
const AI_FIELDS: &[&str] = &[
    "accept",
    "accept-language",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-client-request-id",
];

/// What the SDKs say of themselves, for the provider's own diagnosis.
const SDK_PREFIX: &str = "x-stainless-";

/// What every client may send to a plain HTTP upstream.
const HTTP_FIELDS: &[&str] = &[
    "accept",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "traceparent",
    "tracestate",
    "user-agent",
];

/// Fields that belong to one connection (RFC 9110, section 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields that never go upstream from a client, also if a grant should name them: they frame the
/// message, carry credentials, or claim who or where the client is.
const NEVER_UPSTREAM: &[&str] = &[
    "accept-encoding",
    "api-key",
    "authorization",
    "client-cert",
    "client-cert-chain",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "via",
    "x-api-key",
    "x-goog-api-key",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Beginnings of such names.
const NEVER_UPSTREAM_PREFIXES: &[&str] = &["x-forwarded-", "postern-", "proxy-"];

/// Fields of an answer that speak for the upstream's own origin: taken by a client, they would hold
/// for the gateway's.
const NEVER_DOWNSTREAM: &[&str] = &[
    "alt-svc",
    "clear-site-data",
    "public-key-pins",
    "refresh",
    "strict-transport-security",
];

/// Fields that name the account behind the shared credential.
const ACCOUNT_FIELDS: &[&str] = &[
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
];

/// Fields that describe the bytes of a body, or parts of it.
const OF_THE_BYTES: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// The further fields that clients of a kind of API send.
fn fields_of(kind: UpstreamKind) -> &'static [&'static str] {
    match kind {
        // Not `openai-organization` and `openai-project`: they choose who pays.
        UpstreamKind::OpenAi => &["openai-beta"],
        UpstreamKind::AzureOpenAi => &["openai-beta", "x-ms-client-request-id"],
        UpstreamKind::Anthropic => &[
            "anthropic-beta",
            "anthropic-dangerous-direct-browser-access",
            "anthropic-version",
        ],
        // Not `x-goog-user-project`, for the same reason.
        UpstreamKind::Gemini => &["x-goog-api-client"],
        UpstreamKind::Http => &[],
    }
}

/// The fields that go upstream. `allowed` are those that the grant names.
///
/// The answer is asked for without compression: usage is read in it, and the upstream's credential
/// looked for.
pub(crate) fn outbound(
    kind: UpstreamKind,
    arrived: &HeaderMap,
    allowed: &[Arc<str>],
    credential: &UpstreamCredential,
) -> HeaderMap {
    let nominated = nominated(arrived);
    let own = fields_of(kind);
    let base = if kind.is_ai() { AI_FIELDS } else { HTTP_FIELDS };
    let passes = |name: &str| {
        let known = base.contains(&name)
            || own.contains(&name)
            || (kind.is_ai() && name.starts_with(SDK_PREFIX))
            || allowed.iter().any(|allowed| &**allowed == name);
        known && !is_barred(name) && !nominated.iter().any(|nominated| nominated == name)
    };
    let mut headers = HeaderMap::with_capacity(arrived.len() + 4);
    for (name, value) in arrived {
        if passes(name.as_str()) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if kind == UpstreamKind::Http && takes_trailers(arrived) {
        // Asked for anew, for this hop: the field itself never passes.
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    credential.put(&mut headers);
    headers
}

fn is_barred(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
        || NEVER_UPSTREAM.contains(&name)
        || NEVER_UPSTREAM_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Takes off an answer what is not for the client.
pub(crate) fn inbound(kind: UpstreamKind, headers: &mut HeaderMap, wants_trailers: bool) {
    let nominated = nominated(headers);
    let is_ours_alone = |name: &str| {
        HOP_BY_HOP.contains(&name)
            || NEVER_DOWNSTREAM.contains(&name)
            // A provider's cookies stand for the shared account, not for this client.
            || (kind.is_ai() && (name == "set-cookie" || ACCOUNT_FIELDS.contains(&name)))
            || name.starts_with("postern-")
            || nominated.iter().any(|nominated| nominated == name)
    };
    // An answer has few fields and the lists are long: the fields are looked up in the lists.
    let dropped: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_ours_alone(name.as_str()))
        .cloned()
        .collect();
    // Declared trailers are sent on only to a client that takes them (RFC 9110, section 6.5.1).
    let trailers: Vec<HeaderValue> = if wants_trailers && !nominated.iter().any(|n| n == "trailer")
    {
        headers.get_all(TRAILER).iter().cloned().collect()
    } else {
        Vec::new()
    };
    for name in dropped {
        headers.remove(name);
    }
    for value in trailers {
        headers.append(TRAILER, value);
    }
}

/// Takes out what no longer holds once the bytes of a body may have changed: its length, its
/// validators, its digests, and the offer of parts of it.
pub(crate) fn forget_bytes(headers: &mut HeaderMap) {
    for name in [CONTENT_LENGTH, ETAG, LAST_MODIFIED, ACCEPT_RANGES] {
        headers.remove(name);
    }
    for name in OF_THE_BYTES {
        headers.remove(name);
    }
}

/// The names that `Connection` fields nominate for this hop, in lower case.
fn nominated(headers: &HeaderMap) -> Vec<String> {
    let mut names = Vec::new();
    for value in headers.get_all(CONNECTION) {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let options = text.split(',').map(str::trim);
        names.extend(options.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests;
