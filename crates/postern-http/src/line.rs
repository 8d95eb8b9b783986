//! The straight line: the life of one request, a stage a line.
//!
//! Each stage hands on what only it can make: a `Caller`, a context, a `Permit`, an `Outbound`, a
//! `Clearance`, an `Answer`. What happens whatever happened, the close, is the flight's, which
//! travels with the answer's body.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG};
use http_body_util::BodyExt as _;
use postern_guard::{Caller, Clearance, Permit};
use postern_inspect::ModelsFilter;
use postern_types::{AiRequest, End, Operation, RateNotice, Refusal, RefusalCode, RequestContext};

use crate::arrival::Arrival;
use crate::body::{Answer, AnswerSource, Course};
use crate::context::{Exchange, ExchangeBody, refuse};
use crate::controls::clean_list;
use crate::forward::{Inbound, InboundBody};
use crate::gateway::{Journey, Plane};
use crate::headers;
use crate::inspect::{Outbound, Sent};
use crate::refusal::rate_fields;

impl Plane {
    /// The life of one request. Each step consumes what the step before it proved.
    pub(crate) async fn carry(
        &self,
        arrival: Arrival,
        journey: &mut Journey,
    ) -> Result<Answer, Refusal> {
        let caller = self.authenticate(&arrival, journey).await?;
        // The body is read here: a token that ends meanwhile does not keep its request waiting.
        let (context, exchange) = tokio::select! {
            biased;
            () = caller.revoked().cancelled() => Err(ended(&caller)),
            read = self.context(arrival, &caller, journey) => read,
        }?;
        let permit = self
            .authorize(&caller, &context, &exchange, journey)
            .await?;
        journey.flight.limit(&caller, &permit)?;
        // Reading a body for the data rules may take as long as its client likes.
        let outbound = tokio::select! {
            biased;
            () = caller.revoked().cancelled() => Err(ended(&caller)),
            inspected = self.inspect_request(&permit, exchange, &caller, journey) => inspected,
        }?;
        let clearance = journey.flight.clear(&caller, &permit, &context).await?;
        let inbound = self.forward(&clearance, outbound, &caller, journey).await?;
        self.inspect_response(inbound, &caller, &context, &clearance, journey)
            .await
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
        outbound: Outbound,
        caller: &Caller,
        journey: &mut Journey,
    ) -> Result<(Sent, Inbound), Refusal> {
        let Outbound {
            destination,
            request,
            sent,
        } = outbound;
        let answered = tokio::select! {
            biased;
            () = caller.revoked().cancelled() => Err(ended(caller)),
            answered = self.forward.send(&destination, request) => answered,
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
        (sent, mut inbound): (Sent, Inbound),
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
            return self
                .list_models((sent, inbound), caller, context, clearance, journey)
                .await;
        }
        // A refusal from here on is of the answer, whose findings are known by then.
        journey.tells = journey.tells.map(|_| true);
        let reading = self.reading(&sent, &mut inbound, journey).await?;
        let Inbound {
            status,
            headers,
            mut body,
        } = inbound;
        let whole = reading.whole;
        let body = if whole {
            // Nothing has gone out yet, so what ends the token ends this as any other wait.
            let clean = tokio::select! {
                biased;
                () = caller.revoked().cancelled() => Err(ended(caller)),
                read = self.read_clean(&mut body, reading, (&sent, caller), journey) => read,
            };
            AnswerSource::Whole(clean?)
        } else {
            AnswerSource::Course(Box::new(Course {
                guard: self.guard.clone(),
                caller: caller.clone(),
                upstream: Arc::clone(&sent.upstream),
                source: body,
                reader: reading.reader,
                analyzer: (self.analyzer.clone(), sent.needs_analyzer()),
                workers: (self.rules.workers(), reading.coded),
                request_bytes: Arc::clone(&sent.request_bytes),
                trailers_pass: sent.trailers_pass,
                conversation: sent.conversation().cloned(),
            }))
        };
        let mut head = self.head(status, headers, clearance.notice(), journey);
        if let Some(controls) = sent.controls.filter(|it| it.rules.tells_client()) {
            let findings = &journey.flight.observed().findings;
            controls.tell(findings, whole, &mut head.headers);
        }
        Ok(Answer { head, body })
    }

    /// The list of models, without those that the token may not use.
    async fn list_models(
        &self,
        (sent, inbound): (Sent, Inbound),
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
        tokio::select! {
            biased;
            () = caller.revoked().cancelled() => return Err(ended(caller)),
            read = read_whole(&mut body, &mut filter) => read?,
        }
        let flight = &journey.flight;
        let mut keep = |model: &str| flight.may_use_model(caller, context, model);
        let list = filter.finish(&mut keep).map_err(|error| refuse(&error))?;
        let list = clean_list(self.analyzer.as_deref(), &sent, list, journey).await?;
        for name in [CONTENT_ENCODING, CONTENT_LENGTH, ETAG] {
            headers.remove(name);
        }
        let head = self.head(status, headers, clearance.notice(), journey);
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
        let request = journey.flight.request().to_string();
        let value = HeaderValue::try_from(request).expect("a request id is printable ASCII");
        head.headers.insert("postern-request-id", value);
        head
    }
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
