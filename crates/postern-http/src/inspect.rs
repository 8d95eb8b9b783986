//! *inspect request* and *inspect response*: the two places where bytes meet rules.
//!
//! `Outbound` can be made only here and only with a permit in hand; the bytes in it are those that
//! may leave. With no data rule they are the client's bytes, but for the one key that asks a
//! provider to report its usage. What a data rule does to them is in `controls`.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use postern_guard::{Caller, Permit, Upstream};
use postern_inspect::{Dialect, Outgoing};
use postern_types::{AiRequest, Direction, Refusal};

use crate::arrival::{ArrivalBody, ReceiveError};
use crate::context::{Exchange, ExchangeBody};
use crate::controls::{CleanRequest, Controls};
use crate::forward::{Destination, OutboundBody, OutboundRequest};
use crate::gateway::{Journey, Plane};
use crate::headers;

/// Proof that a request was inspected: what may leave, and where to.
pub(crate) struct Outbound {
    pub(crate) destination: Arc<Destination>,
    pub(crate) request: OutboundRequest,
    pub(crate) sent: Box<Sent>,
}

/// What is remembered of a request that was sent, to read its answer.
pub(crate) struct Sent {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) dialect: Dialect,
    pub(crate) ai: Option<AiRequest>,
    /// Whether usage was asked for on the client's behalf, and has to be taken out again.
    pub(crate) strip_usage: bool,
    /// Whether what the answer names is kept by the provider and belongs to the principal.
    pub(crate) keeps_answer: bool,
    /// How many answers were asked for.
    pub(crate) choices: u64,
    pub(crate) wants_trailers: bool,
    /// Trailers are not inspected, so they pass only where no data rule changes the answer.
    pub(crate) trailers_pass: bool,
    /// Bytes of request body that went upstream so far.
    pub(crate) request_bytes: Arc<AtomicU64>,
    /// The data rules of the permit, with what they found and changed in the request.
    pub(crate) controls: Option<Box<Controls>>,
}

impl Sent {
    /// The conversation that the answer belongs to, where a data rule asks for it.
    pub(crate) fn conversation(&self) -> Option<&Arc<str>> {
        self.controls.as_ref()?.conversation.as_ref()
    }

    /// Whether nothing of the answer may pass that no analyzer has seen.
    pub(crate) fn needs_analyzer(&self) -> bool {
        let rules = self.controls.as_ref().map(|controls| &controls.rules);
        rules.is_some_and(|rules| rules.needs_analyzer(Direction::Response))
    }
}

impl Plane {
    /// Lets the request's bytes through as the permit allows.
    ///
    /// # Errors
    /// `data_blocked` and `cannot_inspect` by a data rule, and then what reading the body gives;
    /// `store_unavailable` when placeholders of a wider scope cannot be kept;
    /// `upstream_unreachable` when the upstream's address or credential is not usable.
    pub(crate) async fn inspect_request(
        &self,
        permit: &Permit,
        exchange: Box<Exchange>,
        caller: &Caller,
        journey: &mut Journey,
    ) -> Result<Box<Outbound>, Refusal> {
        let Exchange {
            upstream,
            method,
            path,
            mut query,
            mut headers,
            mut body,
            wants_trailers,
        } = *exchange;
        let controls = self.controls(permit, &upstream, caller, &body, journey)?;
        let mut controls = controls.map(Box::new);
        let tells = |controls: &Controls| controls.rules.tells_client().then_some(false);
        journey.tells = controls.as_deref().and_then(tells);
        let splice = upstream.settings.include_usage;
        let mut cleaned = None;
        if let Some(controls) = &mut controls {
            let request = CleanRequest {
                headers: &mut headers,
                query: &mut query,
                body: &mut body,
                splice,
                room: caller.body_room(),
            };
            // Boxed: only requests under a rule need the room.
            cleaned = Box::pin(self.clean_request(request, controls, journey)).await?;
            Box::pin(self.keep_placeholders(controls, caller)).await?;
        }
        let environment = &caller.subject().environment;
        let destination = self.directory.find(environment, &upstream, &self.bounds)?;
        let headers: HeaderMap = headers::outbound(
            upstream.row.kind,
            &headers,
            permit.allowed_headers(),
            &destination.credential,
        );
        let trailers_pass = controls
            .as_ref()
            .is_none_or(|controls| controls.only_reports(Direction::Response));
        let mut sent = Box::new(Sent {
            dialect: Dialect::from(upstream.row.kind),
            ai: None,
            strip_usage: false,
            keeps_answer: false,
            choices: 1,
            wants_trailers: wants_trailers && trailers_pass,
            trailers_pass,
            request_bytes: Arc::default(),
            upstream,
            controls,
        });
        let body = outbound_body(body, cleaned, &mut sent);
        let request = OutboundRequest {
            method,
            path,
            query: query.encoded(),
            headers,
            body,
        };
        Ok(Box::new(Outbound {
            destination,
            request,
            sent,
        }))
    }
}

/// The body as it leaves: as it was cleaned, if it was, else as it came.
fn outbound_body(body: ExchangeBody, cleaned: Option<Outgoing>, sent: &mut Sent) -> OutboundBody {
    let outgoing = match (body, cleaned) {
        (ExchangeBody::Ai { facts, body }, cleaned) => {
            let splice = sent.upstream.settings.include_usage;
            let outgoing = cleaned.unwrap_or_else(|| facts.outbound(body, splice));
            sent.strip_usage = outgoing.strip_usage;
            sent.keeps_answer = facts.keeps_answer;
            sent.choices = facts.choices;
            sent.ai = Some(facts.ai);
            outgoing
        }
        (_, Some(cleaned)) => cleaned,
        (ExchangeBody::Whole(body), None) => Outgoing {
            len: body.len() as u64,
            pieces: vec![body],
            strip_usage: false,
        },
        (ExchangeBody::Stream { body, declared }, None) => {
            let passed = Arc::clone(&sent.request_bytes);
            return OutboundBody::stream(Counted { body, passed }, declared);
        }
    };
    sent.request_bytes.store(outgoing.len, Ordering::Relaxed);
    OutboundBody::pieces(outgoing.pieces)
}

/// A request body that counts what passes.
struct Counted {
    body: ArrivalBody,
    passed: Arc<AtomicU64>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = ReceiveError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.passed.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
