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

/// Whether every client may send this field to an AI upstream.
fn is_for_ai(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-language"
            | "content-encoding"
            | "content-type"
            | "idempotency-key"
            | "traceparent"
            | "tracestate"
            | "user-agent"
            | "x-client-request-id"
    )
}

/// What the SDKs say of themselves, for the provider's own diagnosis.
const SDK_PREFIX: &str = "x-stainless-";

/// Whether every client may send this field to a plain HTTP upstream.
fn is_for_http(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-language"
            | "cache-control"
            | "content-encoding"
            | "content-language"
            | "content-type"
            | "idempotency-key"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "range"
            | "traceparent"
            | "tracestate"
            | "user-agent"
    )
}

/// Whether a field belongs to one connection (RFC 9110, section 7.6.1).
fn is_of_the_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Whether a field never goes upstream from a client, also if a grant should name it: it frames the
/// message, carries a credential, or claims who or where the client is.
fn is_never_upstream(name: &str) -> bool {
    matches!(
        name,
        "accept-encoding"
            | "api-key"
            | "authorization"
            | "client-cert"
            | "client-cert-chain"
            | "content-length"
            | "expect"
            | "forwarded"
            | "host"
            | "via"
            | "x-api-key"
            | "x-goog-api-key"
            | "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-url"
            | "x-real-ip"
            | "x-rewrite-url"
    )
}

/// Beginnings of such names.
const NEVER_UPSTREAM_PREFIXES: &[&str] = &["x-forwarded-", "postern-", "proxy-"];

/// Whether a field of an answer speaks for the upstream's own origin: taken by a client, it would
/// hold for the gateway's.
fn is_never_downstream(name: &str) -> bool {
    matches!(
        name,
        "alt-svc" | "clear-site-data" | "public-key-pins" | "refresh" | "strict-transport-security"
    )
}

/// Whether a field names the account behind the shared credential.
fn names_the_account(name: &str) -> bool {
    matches!(
        name,
        "openai-organization" | "openai-project" | "anthropic-organization-id"
    )
}

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
    let base = if kind.is_ai() { is_for_ai } else { is_for_http };
    let passes = |name: &str| {
        let known = base(name)
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
    is_of_the_hop(name)
        || is_never_upstream(name)
        || NEVER_UPSTREAM_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Takes off an answer what is not for the client.
pub(crate) fn inbound(kind: UpstreamKind, headers: &mut HeaderMap, wants_trailers: bool) {
    let nominated = nominated(headers);
    let is_ours_alone = |name: &str| {
        is_of_the_hop(name)
            || is_never_downstream(name)
            // A provider's cookies stand for the shared account, not for this client.
            || (kind.is_ai() && (name == "set-cookie" || names_the_account(name)))
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
        // What nearly all say: an option of the connection, and a field of the hop in any case.
        if [&b"keep-alive"[..], b"close"].contains(&value.as_bytes()) {
            continue;
        }
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let options = text.split(',').map(str::trim);
        names.extend(options.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests;
