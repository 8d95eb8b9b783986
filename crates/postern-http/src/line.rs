//! The straight line: the life of one request, a stage a line.
//!
//! Each stage hands on what only it can make: a `Caller`, a context, a `Permit`, an `Outbound`, a
//! `Clearance`, an `Answer`. What happens whatever happened, the close, is the flight's, which
//! travels with the answer's body.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG};
use http_body_util::BodyExt as _;
use postern_guard::{Caller, Clearance, Permit};
use postern_inspect::ModelsFilter;
use postern_types::{
    AiRequest, End, Operation, RateNotice, Refusal, RefusalCode, RequestContext, RequestId,
};

use crate::arrival::Arrival;
use crate::body::{Answer, AnswerSource, Course};
use crate::context::{Exchange, ExchangeBody, refuse};
use crate::controls::{Ahead, Before, Reader, clean_list};
use crate::forward::{Inbound, InboundBody};
use crate::gateway::{Journey, Plane};
use crate::headers;
use crate::inspect::{Outbound, Sent};
use crate::refusal::{REQUEST_ID, rate_fields};

impl Plane {
    /// The life of one request. Each step consumes what the step before it proved.
    pub(crate) async fn carry(
        &self,
        arrival: Box<Arrival>,
        journey: &mut Journey,
    ) -> Result<Answer, Refusal> {
        let caller = self.authenticate(&arrival, journey).await?;
        // The body is read here: a token that ends meanwhile does not keep its request waiting.
        let (context, exchange) = {
            let read = pin!(self.context(arrival, &caller, journey));
            unless_ended(&caller, read).await?
        };
        let permit = self
            .authorize(&caller, &context, &exchange, journey)
            .await?;
        journey.flight.limit(&caller, &permit)?;
        // Reading a body for the data rules may take as long as its client likes.
        let outbound = {
            let inspected = pin!(self.inspect_request(&permit, exchange, &caller, journey));
            unless_ended(&caller, inspected).await?
        };
        let clearance = journey.flight.clear(&caller, &permit, &context).await?;
        let inbound = self.forward(&clearance, outbound, &caller, journey).await?;
        let answer = self
            .inspect_response(inbound, &caller, &context, &clearance, journey)
            .await
            .map_err(Refusal::of_answer)?;
        self.still_valid(&caller)?;
        Ok(answer)
    }

    /// SECURITY: an answer that streams asks for its token's age with each piece. One that was read
    /// whole asks here, however long that took: nothing of it goes out later than its token. One
    /// that is yet to stream asks here too: cut before its head is out, it would end the connection
    /// without a word.
    fn still_valid(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.guard.clock().now() >= caller.ends_at() {
            let cause = "the token expired while its request was under way";
            return Err(Refusal::new(RefusalCode::Revoked, cause).of_expiry());
        }
        Ok(())
    }

    /// *authenticate*: who presents the credential?
    async fn authenticate(
        &self,
        arrival: &Arrival,
        journey: &mut Journey,
    ) -> Result<Caller, Refusal> {
        let presented = arrival
            .credential
            .as_ref()
            .map(|credential| credential.expose());
        journey.flight.authenticate(presented).await
    }

    /// *authorize*: every layer of policy, also about each model that a tool of the request uses
    /// beside the request's own; and then who owns what the request refers to. In this
    /// order, so that a token that may not ask at all learns nothing about ids.
    async fn authorize(
        &self,
        caller: &Caller,
        context: &RequestContext,
        exchange: &Exchange,
        journey: &Journey,
    ) -> Result<Permit, Refusal> {
        let permit = journey.flight.authorize(caller, context)?;
        if let ExchangeBody::Ai { facts, .. } = &exchange.body {
            for model in &facts.tool_models {
                let mut question = context.clone();
                question.ai = Some(AiRequest {
                    model: Some(model.clone()),
                    ..facts.ai.clone()
                });
                journey.flight.authorize(caller, &question)?;
            }
            let references = &facts.references;
            self.guard
                .check_references(caller, &exchange.upstream, references)
                .await?;
        }
        Ok(permit)
    }

    /// *forward*: sends what was inspected, now that the intent is recorded. A token that ends
    /// meanwhile ends the exchange, also while the body is still being uploaded.
    async fn forward(
        &self,
        _clearance: &Clearance,
        outbound: Box<Outbound>,
        caller: &Caller,
        journey: &mut Journey,
    ) -> Result<(Box<Sent>, Inbound), Refusal> {
        let Outbound {
            destination,
            request,
            sent,
        } = *outbound;
        let answered = {
            let answered = pin!(self.forward.send(&destination, request));
            unless_ended(caller, answered).await
        };
        let request_bytes = sent
            .request_bytes
            .load(std::sync::atomic::Ordering::Relaxed);
        journey.flight.observed().request_bytes = request_bytes;
        let inbound = answered?;
        journey.flight.answered(inbound.status.as_u16());
        Ok((sent, inbound))
    }

    /// *inspect response*: reads the answer as it passes, and puts it under guard.
    async fn inspect_response(
        &self,
        (sent, mut inbound): (Box<Sent>, Inbound),
        caller: &Caller,
        context: &RequestContext,
        clearance: &Clearance,
        journey: &mut Journey,
    ) -> Result<Answer, Refusal> {
        headers::inbound(
            sent.upstream.row.kind,
            &mut inbound.headers,
            sent.wants_trailers,
        );
        let lists = context
            .ai
            .as_ref()
            .is_some_and(|ai| ai.operation == Operation::ListModels);
        if lists && inbound.status.is_success() {
            // Boxed, as is all that few requests do: every request would carry the room for it.
            let list = self.list_models((sent, inbound), caller, context, clearance, journey);
            return Box::pin(list).await;
        }
        // An analyzer may be asked about the head: what ends the token ends this as any other wait.
        let mut reading = {
            let reading = pin!(self.reading(&sent, &mut inbound, journey));
            unless_ended(caller, reading).await?
        };
        let Inbound {
            status,
            headers,
            mut body,
        } = inbound;
        let coded = reading.coded;
        let course = |source, reader, first| {
            AnswerSource::Course(Box::new(Course {
                guard: self.guard.clone(),
                caller: caller.clone(),
                upstream: Arc::clone(&sent.upstream),
                source,
                reader,
                first,
                analyzer: (self.analyzer.clone(), sent.needs_analyzer()),
                workers: (self.rules.workers(), coded),
                request_bytes: Arc::clone(&sent.request_bytes),
                trailers_pass: sent.trailers_pass,
                conversation: sent.conversation().cloned(),
            }))
        };
        let body = match reading.before {
            Before::AtHand => match at_hand(&mut body).await {
                Some(bytes) => {
                    let reader = &mut reading.reader;
                    let bytes = self.read_at_hand(bytes, reader, (&sent, caller), journey)?;
                    AnswerSource::Whole(bytes)
                }
                None => course(body, reading.reader, Vec::new()),
            },
            Before::Nothing => course(body, reading.reader, Vec::new()),
            Before::First { .. } | Before::Whole => {
                let ahead = self.read_ahead(&mut body, reading, (&sent, caller), journey);
                match Box::pin(ahead).await? {
                    Ahead::Whole(bytes) => AnswerSource::Whole(bytes),
                    Ahead::Begun { reader, first } => course(body, reader, first),
                }
            }
        };
        let mut head = self.head(status, headers, clearance.notice(), journey);
        journey.tell(&mut head.headers);
        Ok(Answer { head, body })
    }

    /// Reads an answer that is there whole and passes as it is.
    ///
    /// # Errors
    /// When what has to be read of it cannot be read.
    fn read_at_hand(
        &self,
        bytes: Bytes,
        reader: &mut Reader,
        (sent, caller): (&Sent, &Caller),
        journey: &mut Journey,
    ) -> Result<Bytes, Refusal> {
        let mut out = Vec::new();
        let read = reader
            .push(bytes, &mut out)
            .and_then(|()| reader.finish(&mut out));
        self.take_down(reader, (sent, caller), journey);
        read.map_err(|error| refuse(&error))?;
        Ok(match out.len() {
            0 | 1 => out.pop().unwrap_or_default(),
            _ => out.concat().into(),
        })
    }

    /// Remembers what an answer that was read whole says: whose it is that it names, what the model
    /// consumed, what was found.
    pub(crate) fn take_down(
        &self,
        reader: &mut Reader,
        (sent, caller): (&Sent, &Caller),
        journey: &mut Journey,
    ) {
        for owned in reader.newly_created() {
            let conversation = sent.conversation();
            self.guard
                .remember(caller, &sent.upstream, owned.clone(), conversation);
        }
        let report = reader.report();
        let observed = journey.flight.observed();
        observed.usage = report.usage;
        observed.response_model = report.response_model;
        journey.found_in_answer(reader.findings());
    }

    /// The list of models, without those that the token may not use.
    async fn list_models(
        &self,
        (sent, inbound): (Box<Sent>, Inbound),
        caller: &Caller,
        context: &RequestContext,
        clearance: &Clearance,
        journey: &mut Journey,
    ) -> Result<Answer, Refusal> {
        let Inbound {
            status,
            mut headers,
            mut body,
        } = inbound;
        let encoding = headers
            .get(CONTENT_ENCODING)
            .and_then(|value| value.to_str().ok());
        let mut filter = ModelsFilter::new(encoding).map_err(|error| refuse(&error))?;
        // Nothing has gone out yet, so what ends the token ends this as it ends any other wait.
        {
            let read = pin!(read_whole(&mut body, &mut filter));
            unless_ended(caller, read).await?;
        }
        let flight = &journey.flight;
        let mut keep = |model: &str| flight.may_use_model(caller, context, model);
        let list = filter.finish(&mut keep).map_err(|error| refuse(&error))?;
        let list = {
            let cleaned = pin!(clean_list(self.analyzer.as_deref(), &sent, list, journey));
            unless_ended(caller, cleaned).await?
        };
        for name in [CONTENT_ENCODING, CONTENT_LENGTH, ETAG] {
            headers.remove(name);
        }
        let mut head = self.head(status, headers, clearance.notice(), journey);
        journey.tell(&mut head.headers);
        Ok(Answer {
            head,
            body: AnswerSource::Whole(list),
        })
    }

    /// The head of an answer that came from an upstream.
    fn head(
        &self,
        status: http::StatusCode,
        headers: http::HeaderMap,
        notice: Option<RateNotice>,
        journey: &Journey,
    ) -> http::response::Parts {
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = status;
        head.headers = headers;
        if let Some(notice) = notice {
            rate_fields(&notice, &mut head.headers);
        }
        let mut room = [0; RequestId::TEXT_BYTES];
        let request = journey.flight.request().encode(&mut room);
        let value = HeaderValue::from_str(request).expect("a request id is printable ASCII");
        head.headers.insert(REQUEST_ID, value);
        head
    }
}

/// Does `work` unless the token ends first.
pub(crate) async fn unless_ended<T>(
    caller: &Caller,
    work: Pin<&mut impl Future<Output = Result<T, Refusal>>>,
) -> Result<T, Refusal> {
    let done = caller.unless_ended(work).await;
    done.unwrap_or_else(|| Err(ended(caller)))
}

/// The whole of a small answer, where it is there already: then nothing has to stand by for the
/// rest of it. Nothing is waited for.
async fn at_hand(body: &mut InboundBody) -> Option<Bytes> {
    std::future::poll_fn(|cx| Poll::Ready(body.poll_at_hand(cx))).await
}

/// Reads the list of models to its end.
async fn read_whole(body: &mut InboundBody, filter: &mut ModelsFilter) -> Result<(), Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.refusal())?;
        if let Some(data) = frame.data_ref() {
            filter.push(data).map_err(|error| refuse(&error))?;
        }
    }
    Ok(())
}

/// Why an exchange ends when its token ends.
fn ended(caller: &Caller) -> Refusal {
    match caller.ended() {
        Some(End::Shutdown) => Refusal::new(
            RefusalCode::ShuttingDown,
            "the gateway ended its requests in progress",
        ),
        _ => Refusal::new(
            RefusalCode::Revoked,
            "the token was revoked while it was forwarded",
        ),
    }
}
