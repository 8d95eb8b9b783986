//! A request as it arrived: judged, taken apart, nothing decided yet.
//!
//! What [`crate::strict`] does for the bytes of HTTP/1, this does for the request that hyper made
//! of them, of either version: one host, one path with one meaning, one query with one reading, one
//! credential. What passes here is still a stranger's request.

mod body;
mod credential;
mod query;
mod whole;

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HOST, HeaderMap, TE, USER_AGENT};
use http::{Method, Request, Uri, Version, request};
use hyper::body::{Body, Incoming};
use ipnet::IpNet;
use postern_types::{CanonicalPath, Refusal, RefusalCode, Source, looks_like_token};

use crate::bounds::Bounds;
use crate::connection::ConnectionFacts;
use crate::refusal::Challenge;
use crate::source;
use crate::strict::{self, Fault};

pub(crate) use body::{ArrivalBody, ReceiveError};
pub(crate) use credential::Credential;
pub(crate) use query::Query;

/// Bytes of a path that are kept for the record.
const PATH_KEPT_BYTES: usize = 1024;
/// Bytes of a user agent that are kept for the record.
const USER_AGENT_KEPT_BYTES: usize = 256;

/// Fields that would be read differently by different servers if they came twice.
const ONCE_AT_MOST: [&str; 7] = [
    "content-type",
    "content-encoding",
    "content-length",
    "host",
    "expect",
    "user-agent",
    "range",
];

/// The settings by which requests are received.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    pub(crate) bounds: Arc<Bounds>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub(crate) proxies: Arc<[IpNet]>,
}

/// A request that is well formed.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) method: Method,
    /// The path, with the upstream's name in front.
    pub(crate) path: CanonicalPath,
    pub(crate) query: Query,
    /// The header fields as they came, without the credential and without `Expect`.
    pub(crate) headers: HeaderMap,
    pub(crate) credential: Option<Credential>,
    pub(crate) source: Source,
    pub(crate) tls: bool,
    pub(crate) version: Version,
    /// The body's length: `Some(0)` without a body, `None` when it is not declared.
    pub(crate) body_bytes: Option<u64>,
    /// Whether the client takes trailers (RFC 9110, section 6.5.1).
    pub(crate) wants_trailers: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) body: ArrivalBody,
}

/// A request that is not well formed, and what can be told of it for the record.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) refusal: Refusal,
    pub(crate) challenge: Challenge,
    pub(crate) source: Source,
    pub(crate) method: String,
    /// The path as sent, printable, without the query.
    pub(crate) path: String,
    /// The header fields, where the head could be read; to choose the refusal's shape by.
    pub(crate) headers: HeaderMap,
    pub(crate) user_agent: Option<String>,
}

/// Why a request is rejected.
struct Reason {
    refusal: Refusal,
    challenge: Challenge,
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self {
            refusal: fault.refusal(),
            challenge: Challenge::None,
        }
    }
}

impl Arrival {
    /// Judges a request.
    ///
    /// # Errors
    /// When it is malformed, could be read in two ways, or uses a part of HTTP that is not served.
    pub(crate) fn receive(
        request: Request<Incoming>,
        facts: &ConnectionFacts,
        reception: &Reception,
    ) -> Result<Box<Self>, Box<Rejected>> {
        if let Some(violation) = &facts.violation {
            let path = violation.target.split('?').next().unwrap_or_default();
            return Err(Box::new(Rejected {
                refusal: violation.fault.refusal(),
                challenge: Challenge::None,
                source: source::locate(facts.peer.ip(), &HeaderMap::new(), &reception.proxies),
                method: violation.method.clone(),
                path: path.to_owned(),
                headers: HeaderMap::new(),
                user_agent: None,
            }));
        }
        let (mut head, body) = request.into_parts();
        let source = source::locate(facts.peer.ip(), &head.headers, &reception.proxies);
        match judge(&mut head, &body, reception) {
            // Boxed: it goes from stage to stage, and each would hold a copy.
            Ok(judged) => Ok(Box::new(Self {
                method: head.method,
                path: judged.path,
                query: judged.query,
                credential: judged.credential,
                source,
                tls: facts.tls,
                version: head.version,
                body_bytes: judged.body_bytes,
                wants_trailers: takes_trailers(&head.headers),
                user_agent: user_agent(&head.headers),
                headers: head.headers,
                body: ArrivalBody::new(body, &reception.bounds.downstream),
            })),
            Err(reason) => Err(Box::new(Rejected {
                refusal: reason.refusal,
                challenge: reason.challenge,
                source,
                method: head.method.as_str().chars().take(32).collect(),
                path: head.uri.path().chars().take(PATH_KEPT_BYTES).collect(),
                user_agent: user_agent(&head.headers),
                headers: head.headers,
            })),
        }
    }
}

/// What judging a request gives besides its head.
struct Judged {
    path: CanonicalPath,
    query: Query,
    credential: Option<Credential>,
    body_bytes: Option<u64>,
}

fn judge(
    head: &mut request::Parts,
    body: &Incoming,
    reception: &Reception,
) -> Result<Judged, Reason> {
    let bounds = &reception.bounds.downstream;
    // Taken out first, so that it is not in the headers whatever happens next.
    let credential = credential::take(&mut head.headers).map_err(|fault| Reason {
        refusal: fault.refusal(),
        challenge: Challenge::Request,
    });
    check_method(&head.method)?;
    check_host(head)?;
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    if target.len() > bounds.request_line_bytes_max {
        return Err(Fault::bad("the request target is too long").into());
    }
    if !target.as_bytes().iter().all(strict::is_target_byte) {
        return Err(Fault::bad("the request target holds a character that is not for URIs").into());
    }
    check_fields(&mut head.headers, bounds.headers_max)?;
    let (path, query) = read_target(&head.uri)?;
    let credential = credential?;
    let body_bytes = if body.is_end_stream() {
        Some(0)
    } else {
        body.size_hint().exact()
    };
    if body_bytes.is_some_and(|bytes| bytes > bounds.body_bytes_max) {
        let refusal = Refusal::new(
            RefusalCode::BodyTooLarge,
            "the declared length is too large",
        );
        return Err(Reason {
            refusal,
            challenge: Challenge::None,
        });
    }
    // A body there has no meaning, and servers that do not read it take it for the next request
    // (RFC 9110, section 9.3.1).
    if body_bytes != Some(0) && matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Fault::bad("a GET or HEAD request has a body").into());
    }
    Ok(Judged {
        path,
        query,
        credential,
        body_bytes,
    })
}

fn check_method(method: &Method) -> Result<(), Fault> {
    let served = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if served.contains(method) {
        Ok(())
    } else {
        Err(Fault::unsupported("the method is not served"))
    }
}

/// Exactly one host: for HTTP/2 `:authority`, or `Host`, or both the same (RFC 9113, 8.3.1).
fn check_host(head: &request::Parts) -> Result<(), Fault> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Fault::bad("the request has two Host fields"));
    }
    let authority = head
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let host = host.map(http::HeaderValue::as_bytes);
    let https = head.uri.scheme_str() == Some("https");
    let sane = match (authority, host) {
        (Some(authority), Some(host)) => strict::are_same(https, authority, host),
        (Some(one), None) | (None, Some(one)) => strict::is_sane(one),
        (None, None) => false,
    };
    if sane {
        Ok(())
    } else {
        Err(Fault::bad("the request does not name one host"))
    }
}

fn check_fields(headers: &mut HeaderMap, headers_max: usize) -> Result<(), Fault> {
    if headers.len() > headers_max {
        return Err(Fault::bad("the request has too many header fields"));
    }
    // Where no name stands twice, none of them does.
    if headers.len() > headers.keys_len()
        && ONCE_AT_MOST
            .iter()
            .any(|name| headers.get_all(*name).iter().nth(1).is_some())
    {
        return Err(Fault::bad("a header field that may stand once came twice"));
    }
    let is_text = |name| headers.get(name).is_none_or(|value| value.to_str().is_ok());
    if !is_text(CONTENT_TYPE) || !is_text(CONTENT_ENCODING) {
        return Err(Fault::bad("the content type or encoding is not text"));
    }
    match headers.remove(EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(Fault::bad("the expectation is not 100-continue"))
        }
        _ => Ok(()),
    }
}

fn read_target(uri: &Uri) -> Result<(CanonicalPath, Query), Fault> {
    let path = CanonicalPath::parse(uri.path())
        .map_err(|_| Fault::bad("the path could be read in more than one way"))?;
    if path
        .segments()
        .iter()
        .any(|segment| looks_like_token(segment))
    {
        return Err(Fault::bad("a token stands in the path"));
    }
    Ok((path, Query::parse(uri.query())?))
}

/// Whether these fields ask for trailers.
pub(crate) fn takes_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
        })
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(USER_AGENT)?.as_bytes();
    let shown = |byte: &u8| {
        if matches!(byte, 0x20..=0x7e) {
            char::from(*byte)
        } else {
            '?'
        }
    };
    Some(
        value
            .iter()
            .take(USER_AGENT_KEPT_BYTES)
            .map(shown)
            .collect(),
    )
}
