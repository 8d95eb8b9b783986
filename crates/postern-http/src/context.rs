//! *context*: what is asked of which upstream?
//!
//! Resolves the upstream inside the caller's environment, and reads of the request what policy asks
//! about. An AI request is read whole, because the model stands in its body; any other body is left
//! to stream, unless a rule of the token asks about it. Whatever cannot be determined is refused.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use postern_guard::{Caller, Upstream};
use postern_inspect::{Dialect, InspectError, RequestFacts, Target, locate};
use postern_types::{
    CanonicalPath, Refusal, RefusalCode, RequestContext, SmolStr, Source, UpstreamKind,
};

use crate::arrival::{Arrival, ArrivalBody, Query};
use crate::gateway::{Journey, Plane};

/// A request whose upstream and meaning are known.
pub(crate) struct Exchange {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) method: http::Method,
    /// The path that the upstream sees.
    pub(crate) path: CanonicalPath,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ExchangeBody,
    pub(crate) wants_trailers: bool,
}

/// The body of a request, as far as it had to be read.
pub(crate) enum ExchangeBody {
    /// An AI request, read whole.
    Ai { facts: RequestFacts, body: Bytes },
    /// Read whole, because a rule of the token asks about it.
    Whole(Bytes),
    /// Not read yet; it streams.
    Stream {
        body: ArrivalBody,
        declared: Option<u64>,
    },
}

impl Plane {
    /// Builds the context of a request.
    ///
    /// # Errors
    /// `unknown_upstream`, `unknown_operation`, `unknown_model`, `bad_request`, `unsupported`, and
    /// what reading the body gives.
    pub(crate) async fn context(
        &self,
        arrival: Box<Arrival>,
        caller: &Caller,
        journey: &mut Journey,
    ) -> Result<(Box<RequestContext>, Box<Exchange>), Refusal> {
        let Arrival {
            method,
            path,
            query,
            headers,
            source,
            tls,
            body_bytes: declared,
            wants_trailers,
            body,
            ..
        } = *arrival;
        let Some((name, path)) = path.split_first() else {
            return Err(Refusal::new(
                RefusalCode::UnknownUpstream,
                "the path names no upstream",
            ));
        };
        let upstream = caller.upstream(&name)?;
        let kind = upstream.row.kind;
        journey.dialect = Dialect::from(kind);
        journey.flight.toward(&upstream);
        // Boxed, as is the exchange: they go from stage to stage, and each would hold a copy.
        let mut context = Box::new(RequestContext {
            now: journey.flight.arrived(),
            subject: caller.subject().clone(),
            upstream: upstream.row.name.clone(),
            upstream_kind: kind,
            ai: None,
            method: SmolStr::new(method.as_str()),
            path,
            query: query.pairs().to_vec(),
            headers: headers
                .keys()
                .map(|name| SmolStr::new(name.as_str()))
                .collect(),
            json_body: None,
            body_bytes: declared,
            source: Source { ..source },
            tls,
        });
        let body = if kind == UpstreamKind::Http {
            self.http_body(caller, &upstream, &headers, &mut context, body)
                .await?
        } else {
            self.ai_body(caller, &headers, &mut context, body, journey)
                .await?
        };
        let body = match body {
            ExchangeBody::Stream { body, .. } => ExchangeBody::Stream { body, declared },
            read => read,
        };
        let path = context.path.clone();
        let exchange = Box::new(Exchange {
            upstream,
            method,
            path,
            query,
            headers,
            body,
            wants_trailers,
        });
        Ok((context, exchange))
    }

    /// Finds the operation and reads the body of an AI request.
    async fn ai_body(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        context: &mut RequestContext,
        mut body: ArrivalBody,
        journey: &mut Journey,
    ) -> Result<ExchangeBody, Refusal> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let target = Target {
            method: &context.method,
            path: &context.path,
            query: &context.query,
            content_type: text(CONTENT_TYPE),
            content_encoding: text(CONTENT_ENCODING),
        };
        let located = locate(journey.dialect, &target).map_err(|error| refuse(&error))?;
        journey
            .flight
            .note(|summary| summary.operation = Some(located.operation()));
        let body = body
            .collect(self.inspected_bytes_max(), caller.body_room())
            .await?;
        journey.body_read = true;
        context.body_bytes = Some(body.len() as u64);
        let facts = located.read(&body).map_err(|error| refuse(&error))?;
        journey.flight.note(|summary| {
            summary.model.clone_from(&facts.ai.model);
            summary.stream = facts.ai.stream;
        });
        context.ai = Some(facts.ai.clone());
        Ok(ExchangeBody::Ai { facts, body })
    }

    /// Reads the body of a plain request only where a rule of the token asks about it.
    async fn http_body(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        headers: &HeaderMap,
        context: &mut RequestContext,
        mut body: ArrivalBody,
    ) -> Result<ExchangeBody, Refusal> {
        if !caller.needs_json_body(upstream, &context.method, &context.path) {
            return Ok(ExchangeBody::Stream {
                body,
                declared: None,
            });
        }
        let body = body
            .collect(self.inspected_bytes_max(), caller.body_room())
            .await?;
        context.body_bytes = Some(body.len() as u64);
        // SECURITY: what is judged as JSON here must not be read as a form, or in another charset,
        // behind us: the same bytes could mean something else there. Unjudged, the rule denies.
        context.json_body = says_json(headers).then(|| body.to_vec());
        Ok(ExchangeBody::Whole(body))
    }
}

impl Plane {
    /// A body that is read whole may be as large as any body.
    pub(crate) fn inspected_bytes_max(&self) -> usize {
        usize::try_from(self.bounds.downstream.body_bytes_max).unwrap_or(usize::MAX)
    }
}

/// Whether the head says, once and plainly, that the body is JSON in UTF-8.
fn says_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let value = value.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let utf8 = |part: &str| matches!(part, "charset=utf-8" | "charset=\"utf-8\"");
    (media == "application/json" || media.ends_with("+json"))
        && parts.all(utf8)
        && !headers.contains_key(CONTENT_ENCODING)
}

/// A refusal for what inspection could not judge. Of what cannot be inspected the sort is told,
/// where it is a text of the program: without it nobody could mend the request.
pub(crate) fn refuse(error: &InspectError) -> Refusal {
    let refusal = Refusal::new(error.refusal_code(), error.to_string());
    match error {
        InspectError::CannotInspect(Cow::Borrowed(what)) => refusal.telling(what),
        _ => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_json_is_judged_as_json() {
        // Goal: bytes that were judged as JSON are read as JSON by the backend too. Method: a row
        // per way to make it read them as something else.
        let head = |lines: &[(&'static str, &'static str)]| -> HeaderMap {
            let line = |(name, value): &(&'static str, &'static str)| {
                let value = http::HeaderValue::from_static(value);
                (http::HeaderName::from_static(name), value)
            };
            lines.iter().map(line).collect()
        };
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/vnd.api+json",
        ] {
            assert!(says_json(&head(&[("content-type", good)])), "{good}");
        }
        for bad in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=a",
            "application/json; charset=utf-7",
            "application/json; charset=utf-8; charset=utf-7",
            "application/json, text/plain",
            "application/x-www-form-urlencoded; a=application/json",
            "",
        ] {
            assert!(!says_json(&head(&[("content-type", bad)])), "{bad}");
        }
        let json = ("content-type", "application/json");
        assert!(!says_json(&head(&[])));
        assert!(!says_json(&head(&[json, ("content-encoding", "gzip")])));
        let mut twice = head(&[json]);
        let form = http::HeaderValue::from_static("application/x-www-form-urlencoded");
        twice.append(CONTENT_TYPE, form);
        assert!(!says_json(&twice));
    }
}
