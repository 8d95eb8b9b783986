//! Refusals: any non-success that the gateway itself makes, and the closed list of their codes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The client's: sending the same request again does not help.
    Downstream,
    /// The upstream's.
    Upstream,
    /// The gateway's, or its operator's.
    Ours,
}

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident = $word:literal, $status:literal, $fault:ident, $public:literal;
    )*) => {
        /// Every reason for which the gateway refuses. Closed and script-facing: a code is added
        /// or changed only with a page in `docs/decisions/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCode {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as scripts see it, in the `postern-refusal` header.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whose fault it is.
            #[must_use]
            pub fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }

            /// The one text that the outside sees, the same for all causes of a code.
            #[must_use]
            pub fn public(self) -> &'static str {
                match self { $(Self::$name => $public,)* }
            }
        }
    };
}

codes! {
    /// No token, or one that does not open anything here; which of the two the answer does not
    /// tell.
    Unauthenticated = "unauthenticated", 401, Downstream,
        "No valid token was presented.";
    /// The token is valid but does not reach this.
    Denied = "denied", 403, Downstream,
        "This token is not allowed to do this.";
    /// The token's environment has no upstream of this name.
    UnknownUpstream = "unknown_upstream", 404, Downstream,
        "There is no such upstream in this token's environment.";
    /// The path and method are no operation that the gateway can judge.
    UnknownOperation = "unknown_operation", 404, Downstream,
        "This operation is not one that the gateway serves.";
    /// The request does not say which model, where it must.
    UnknownModel = "unknown_model", 404, Downstream,
        "The model of this request cannot be determined; name it in the request.";
    /// The request is malformed or could be read in two ways.
    BadRequest = "bad_request", 400, Downstream,
        "The request is malformed or ambiguous.";
    /// The request body is larger than the gateway takes.
    BodyTooLarge = "body_too_large", 413, Downstream,
        "The request body is too large.";
    /// A part of HTTP, or of an API, that this release does not serve.
    Unsupported = "unsupported", 501, Downstream,
        "The gateway does not support this kind of request.";
    /// A rate limit is used up.
    RateLimited = "rate_limited", 429, Downstream,
        "Too many requests with this token, or failed attempts from this address; try again later.";
    /// Too many requests in progress.
    TooManyConcurrent = "too_many_concurrent", 429, Downstream,
        "Too many requests of this token are in progress; try again later.";
    /// A budget is used up.
    BudgetExhausted = "budget_exhausted", 429, Downstream,
        "The budget of this token is used up.";
    /// Data that may not pass was found.
    DataBlocked = "data_blocked", 403, Downstream,
        "The request or its answer holds data that may not pass.";
    /// A data rule applies and the content cannot be inspected.
    CannotInspect = "cannot_inspect", 422, Downstream,
        "The content cannot be inspected, and a data rule applies.";
    /// The token was revoked while the answer was under way.
    Revoked = "revoked", 401, Downstream,
        "The token was revoked; the answer was cut off.";
    /// No connection to the upstream could be made.
    UpstreamUnreachable = "upstream_unreachable", 502, Upstream,
        "The upstream cannot be reached.";
    /// The upstream did not answer in time.
    UpstreamTimeout = "upstream_timeout", 504, Upstream,
        "The upstream did not answer in time.";
    /// The upstream's answer broke its protocol or stopped half-way.
    UpstreamProtocol = "upstream_protocol", 502, Upstream,
        "The upstream's answer was broken.";
    /// The audit log cannot take a record, so nothing is done.
    AuditUnavailable = "audit_unavailable", 503, Ours,
        "The audit log is unavailable; nothing is served unrecorded.";
    /// The store cannot be read or written.
    StoreUnavailable = "store_unavailable", 503, Ours,
        "The gateway's store is unavailable; try again later.";
    /// The gateway has too much to do.
    Overloaded = "overloaded", 503, Ours,
        "The gateway is overloaded; try again later.";
    /// The gateway is shutting down.
    ShuttingDown = "shutting_down", 503, Ours,
        "The gateway is shutting down; try again later.";
    /// A fault of the gateway itself.
    Internal = "internal", 500, Ours,
        "The gateway failed to handle the request.";
}

impl RefusalCode {
    /// Parses the script-facing word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A refusal on its way to being an answer. The code decides what the outside sees, and beside it
/// no more than what the program itself says ([`Refusal::telling`]); the cause goes to the
/// diagnostic log, never into an answer.
#[derive(Clone)]
pub struct Refusal(Box<Parts>);

/// What a refusal says. Boxed: each stage of the line hands on a result that could hold one, and
/// hardly any does.
#[derive(Debug, Clone)]
struct Parts {
    code: RefusalCode,
    cause: String,
    retry_after: Option<Duration>,
    limit: Option<RateNotice>,
    client_gone: bool,
    expired: bool,
    told: Option<(&'static str, Whose)>,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Request,
    Answer,
}

/// What a limit has to say to the client: the figures of the `RateLimit` fields
/// (draft-ietf-httpapi-ratelimit-headers-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateNotice {
    /// The limit that is nearest to exhaustion.
    pub limit: crate::Limit,
    /// What is left of it.
    pub remaining: u32,
    /// Seconds until all of it is back.
    pub reset_seconds: u32,
}

impl Refusal {
    /// A refusal with the operator's cause.
    #[must_use]
    pub fn new(code: RefusalCode, cause: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            cause: cause.into(),
            retry_after: None,
            limit: None,
            client_gone: false,
            expired: false,
            told: None,
        }))
    }

    /// Adds what the client is told of the request beside the code's own text. SECURITY: it is a
    /// text of the program, so that nothing of the content can be in it.
    #[must_use]
    pub fn telling(mut self, what: &'static str) -> Self {
        self.0.told = Some((what, Whose::Request));
        self
    }

    /// Says that it is the answer that is refused. Nobody is asked to try again: the request was
    /// carried out, and would be once more.
    #[must_use]
    pub fn of_answer(mut self) -> Self {
        self.0.retry_after = None;
        self.0.told = self.0.told.map(|(what, _)| (what, Whose::Answer));
        self
    }

    /// The text that the client reads.
    #[must_use]
    pub fn public(&self) -> Cow<'static, str> {
        let public = self.0.code.public();
        let Some((what, whose)) = self.0.told else {
            return Cow::Borrowed(public);
        };
        let whose = match whose {
            Whose::Request => "request",
            Whose::Answer => "answer",
        };
        Cow::Owned(format!(
            "{} ({whose}: {what}).",
            public.trim_end_matches('.')
        ))
    }

    /// Says that the client went away before this came about: nobody reads it, and the request did
    /// not end by being refused.
    #[must_use]
    pub fn client_gone(mut self) -> Self {
        self.0.client_gone = true;
        self
    }

    /// Whether the client went away first.
    #[must_use]
    pub fn is_client_gone(&self) -> bool {
        self.0.client_gone
    }

    /// Says that it came about because the token's time ended, not because somebody ended it.
    #[must_use]
    pub fn of_expiry(mut self) -> Self {
        self.0.expired = true;
        self
    }

    /// Whether the token's time ended.
    #[must_use]
    pub fn is_of_expiry(&self) -> bool {
        self.0.expired
    }

    /// Adds when it makes sense to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds the figures of the limit that refused.
    #[must_use]
    pub fn with_limit(mut self, notice: RateNotice) -> Self {
        self.0.limit = Some(notice);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        self.0.code
    }

    /// The operator's cause. Never send it out.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.0.cause
    }

    /// When it makes sense to try again.
    #[must_use]
    pub fn retry_after_value(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The figures of the limit that refused.
    #[must_use]
    pub fn limit(&self) -> Option<RateNotice> {
        self.0.limit
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.cause)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_stands_in_the_public_text() {
        let refusal = Refusal::new(RefusalCode::CannotInspect, "secret");
        assert_eq!(refusal.public(), RefusalCode::CannotInspect.public());
        let told = refusal.telling("a key stands twice");
        assert!(told.public().ends_with(" (request: a key stands twice)."));
        assert!(
            told.of_answer()
                .public()
                .ends_with(" (answer: a key stands twice).")
        );
    }

    #[test]
    fn words_are_unique_and_read_back() {
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::parse(code.as_str()), Some(*code));
            assert_eq!(
                serde_json::to_string(code).unwrap(),
                format!("\"{}\"", code.as_str()),
                "records and headers use the same word"
            );
            assert!((400..600).contains(&code.status()));
        }
        assert_eq!(RefusalCode::ALL.len(), 22);
    }
}
