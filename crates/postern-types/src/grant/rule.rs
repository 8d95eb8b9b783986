//! One rule of an HTTP grant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::GrantError;
use crate::PathTemplate;

/// Methods whose requests have a body: a rule for one of them says what it may be.
pub const METHODS_WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Headers that the gateway answers for: granting one of them would let a client speak in the
/// gateway's name, change what was authorized, or change the framing.
const RESERVED_HEADERS: [&str; 24] = [
    "host",
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
    "x-http-method-override",
    "x-method-override",
];

/// Methods, a path template, and which query parameters and headers may pass. Everything is closed
/// by default: a query parameter that is not named is refused, a header that is not named is taken
/// off (but for the few that every client sends, such as `accept` and `content-type`), and what a
/// body may be has to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRule {
    /// The methods, in capitals.
    pub methods: Vec<Arc<str>>,
    /// The path, as the upstream sees it.
    pub path: PathTemplate,
    /// Query parameters that may be present, each at most once, and what their value may be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, ValueRule>,
    /// Further headers that may pass, in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Arc<str>>,
    /// What the request body may be. To be said for POST, PUT and PATCH; for rules with none of
    /// them it may be left out, and there is none then.
    #[serde(default, skip_serializing_if = "BodyRule::is_default")]
    pub body: BodyRule,
}

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueRule {
    /// Anything.
    Any,
    /// A decimal integer, with at most 18 digits and an optional minus sign.
    Integer,
    /// One of these texts exactly.
    OneOf(Vec<String>),
    /// A JSON value in which every object key, at any depth, is one of these. Operators of a
    /// backend's query language (`$inQuery`, `$where`) are keys, so they are closed too.
    JsonKeys(Vec<String>),
}

/// What the request body may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyRule {
    /// Not said. No new grant with POST, PUT or PATCH is taken so; in a grant that was stored
    /// before it had to be said, it means [`Any`](Self::Any).
    #[default]
    ByMethod,
    /// Anything for methods that have a body (POST, PUT, PATCH); nothing for the others. Many
    /// backends read a body as more than data: `_method` in it is another method to some.
    Any,
    /// No body at all.
    None,
    /// A JSON object in which every key, at any depth, is one of these. The body is read whole
    /// before it is sent.
    JsonKeys(Vec<String>),
}

impl BodyRule {
    fn is_default(&self) -> bool {
        *self == Self::ByMethod
    }
}

impl CallRule {
    /// A rule for one template with nothing else allowed.
    #[must_use]
    pub fn new(methods: Vec<Arc<str>>, path: PathTemplate) -> Self {
        Self {
            methods,
            path,
            query: BTreeMap::new(),
            headers: Vec::new(),
            body: BodyRule::ByMethod,
        }
    }

    /// Whether one of the methods is one whose requests have a body.
    pub(super) fn has_body(&self) -> bool {
        self.methods.iter().any(|method| has_body(method))
    }

    /// Whether requests may come with any body at all.
    #[must_use]
    pub fn takes_any_body(&self) -> bool {
        self.has_body() && matches!(self.body, BodyRule::ByMethod | BodyRule::Any)
    }

    pub(super) fn check(&mut self) -> Result<(), GrantError> {
        for method in &self.methods {
            check_method(method)?;
        }
        if self.body == BodyRule::ByMethod && self.has_body() {
            let rule = format!("{} {}", self.methods.join("|"), self.path.as_str());
            return Err(GrantError::Body(rule.chars().take(200).collect()));
        }
        for header in &mut self.headers {
            let lower = header.to_ascii_lowercase();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
            let reserved = RESERVED_HEADERS.contains(&lower.as_str())
                || lower.starts_with("postern-")
                || lower.is_empty()
                || !lower.bytes().all(plain);
            if reserved {
                return Err(GrantError::Header(header.chars().take(80).collect()));
            }
            *header = Arc::from(lower);
        }
        Ok(())
    }
}

pub(super) fn has_body(method: &str) -> bool {
    METHODS_WITH_BODY.contains(&method)
}

pub(super) fn check_method(method: &str) -> Result<(), GrantError> {
    if METHODS.contains(&method) {
        Ok(())
    } else {
        Err(GrantError::Method(method.chars().take(80).collect()))
    }
}
