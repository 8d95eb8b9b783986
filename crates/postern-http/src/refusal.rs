//! The one place where a refusal becomes an answer.
//!
//! The status and the text come from the code, the body's shape from the dialect, the challenge
//! from RFC 6750. The cause never goes out; of what cannot be inspected its sort does.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use postern_inspect::{Dialect, RefusalText, error_body};
use postern_types::{Limit, RateNotice, Refusal, RefusalCode, RequestId};

/// The request's id, in every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("postern-request-id");
/// The refusal's code, in every refusal.
const REFUSAL: HeaderName = HeaderName::from_static("postern-refusal");
/// Tells the clients of OpenAI and Anthropic whether to try again, whatever the status.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The longest rate field has 51 bytes.
const RATE_FIELD_BYTES_MAX: usize = 64;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is said about the credential (RFC 6750, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// The refusal is not about credentials.
    None,
    /// No credential came: the scheme is named, and no error.
    Missing,
    /// One came and opens nothing.
    Invalid,
    /// More than one came, or a malformed one.
    Request,
    /// The token is valid and too narrow.
    Scope,
}

impl Challenge {
    /// The field's value, where the status of the refusal is one that carries a challenge.
    fn value(self, code: RefusalCode) -> Option<&'static str> {
        let bare = r#"Bearer realm="postern""#;
        match (code.status(), self) {
            (401, Self::Missing) => Some(bare),
            (401, _) => Some(r#"Bearer realm="postern", error="invalid_token""#),
            (403, Self::Scope) => Some(r#"Bearer realm="postern", error="insufficient_scope""#),
            (400, Self::Request) => Some(r#"Bearer realm="postern", error="invalid_request""#),
            _ => None,
        }
    }
}

/// Renders a refusal. `head_only` answers a HEAD request: the same head and no body.
pub(crate) fn render(
    refusal: &Refusal,
    challenge: Challenge,
    dialect: Dialect,
    request: &RequestId,
    head_only: bool,
) -> Response<Full<Bytes>> {
    let code = refusal.code();
    let request = request.to_string();
    let public = refusal.public();
    let text = RefusalText {
        status: code.status(),
        code: code.as_str(),
        message: &public,
        request_id: &request,
    };
    let (content_type, body) = error_body(dialect, &text);
    let body = if head_only { Vec::new() } else { body };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFUSAL, HeaderValue::from_static(code.as_str()));
    if let Ok(request) = HeaderValue::try_from(request) {
        if let Some(theirs) = request_id_of(dialect) {
            headers.insert(theirs, request.clone());
        }
        headers.insert(REQUEST_ID, request);
    }
    if code == RefusalCode::Unsupported {
        // By its status alone the clients would try again what can never be done.
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if let Some(challenge) = challenge.value(code) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    let after = refusal.retry_after_value().or_else(|| retry_after(code));
    let after = after.map(|after| (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1));
    if let Some(seconds) = after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        if code == RefusalCode::CannotInspect {
            // By its status alone no client would try again.
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("true"));
        }
    }
    if let Some(mut notice) = refusal.limit() {
        // Section 6 of the draft: `Retry-After` is not before the time that the limit names. A
        // window has room again before all of it is back.
        let seconds = after.map_or(u32::MAX, |after| u32::try_from(after).unwrap_or(u32::MAX));
        notice.reset_seconds = notice.reset_seconds.min(seconds);
        rate_fields(&notice, headers);
    }
    response
}

/// Where the official clients of a dialect look for the id that their exceptions show. On what the
/// provider answers the field is the provider's own.
fn request_id_of(dialect: Dialect) -> Option<HeaderName> {
    match dialect {
        Dialect::OpenAi | Dialect::AzureOpenAi => Some(HeaderName::from_static("x-request-id")),
        Dialect::Anthropic => Some(HeaderName::from_static("request-id")),
        Dialect::Gemini | Dialect::Http => None,
    }
}

/// When it makes sense to try again, where the refusal itself does not know. Every code is here, so
/// that a new one must say.
fn retry_after(code: RefusalCode) -> Option<Duration> {
    use RefusalCode as C;
    match code {
        C::RateLimited | C::TooManyConcurrent | C::Overloaded => Some(Duration::from_secs(1)),
        C::AuditUnavailable | C::StoreUnavailable | C::ShuttingDown => Some(Duration::from_secs(5)),
        C::BudgetExhausted => Some(Duration::from_mins(1)),
        C::Unauthenticated
        | C::Denied
        | C::UnknownUpstream
        | C::UnknownOperation
        | C::UnknownModel
        | C::BadRequest
        | C::BodyTooLarge
        | C::Unsupported
        | C::DataBlocked
        | C::CannotInspect
        | C::Revoked
        | C::UpstreamUnreachable
        | C::UpstreamTimeout
        | C::UpstreamProtocol
        | C::Internal => None,
    }
}

/// Sets the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-11): Structured-Fields lists
/// of strings. They name the sort of limit, nothing of whose it is.
pub(crate) fn rate_fields(notice: &RateNotice, headers: &mut HeaderMap) {
    let (policy, state) = match notice.limit {
        Limit::Requests { count, window } => (
            field(
                &[r#""requests";q="#, ";w="],
                [count.get(), window.seconds()],
            ),
            field(
                &[r#""requests";r="#, ";t="],
                [notice.remaining, notice.reset_seconds],
            ),
        ),
        Limit::Concurrency { count } => (
            field(
                &[r#""concurrency";q="#, r#";qu="concurrent-requests""#],
                [count.get()],
            ),
            field(&[r#""concurrency";r="#], [notice.remaining]),
        ),
    };
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

/// A field value of texts and the numbers after them; none if it is longer than any that there is.
/// Every answer has two, so they are put together without asking for memory in between.
fn field<const N: usize>(texts: &[&str], numbers: [u32; N]) -> Option<HeaderValue> {
    let mut space = [0; RATE_FIELD_BYTES_MAX];
    let mut used = 0;
    let mut put = |text: &str| {
        let place = space.get_mut(used..used + text.len())?;
        place.copy_from_slice(text.as_bytes());
        used += text.len();
        Some(())
    };
    let mut digits = itoa::Buffer::new();
    let mut numbers = numbers.into_iter();
    for text in texts {
        put(text)?;
        if let Some(number) = numbers.next() {
            put(digits.format(number))?;
        }
    }
    HeaderValue::from_bytes(space.get(..used)?).ok()
}

#[cfg(test)]
mod tests;
