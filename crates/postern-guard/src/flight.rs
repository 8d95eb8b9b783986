//! One request in progress, and its close.
//!
//! A flight is opened at arrival and closed exactly once: by [`Flight::close`] where the end is
//! known, or by being dropped where it is not (client gone, panic, shutdown). Dropping does no
//! work: it hands the flight to the closer through a place that was reserved at opening, so closing
//! never fails for lack of room.
//!
//! SECURITY: record or refuse. The room for both records is reserved before anything is decided,
//! and nothing is forwarded without a [`Clearance`], which exists only once the intent is in the
//! audit log.

use std::sync::Arc;

use jiff::Timestamp;
use postern_audit::{Entry, SlotPool, Slots};
use postern_policy::Permit;
use postern_store::INSTALLATION;
use postern_types::{
    AuditRecord, End, EnvName, Finding, IntentRecord, OutcomeRecord, RateNotice, Refusal,
    RefusalCode, RequestContext, RequestId, RequestSummary, SmolStr, Source, Timing, Usage,
};

use crate::authenticate::Caller;
use crate::bounds::{
    RECORD_FINDINGS_MAX, RECORD_PATH_MAX, RECORD_QUERY_NAMES_MAX, RECORD_TEXT_MAX, cut,
};
use crate::closer::Place;
use crate::limit::Reservation;
use crate::meters::{ModelCounts, RequestCounts, Settled};
use crate::recover::Intent;
use crate::{Guard, Upstream, limit};

/// What is known of a request when it arrives.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as the client sent it, without the query.
    pub path: &'a str,
    /// The names of the query parameters.
    pub query_names: Vec<&'a str>,
    /// Where it comes from.
    pub source: Source,
    /// The client's user agent.
    pub user_agent: Option<&'a str>,
}

/// What a data plane saw of a request while it was in progress.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The status that the client saw.
    pub status: Option<u16>,
    /// The status that the upstream gave.
    pub upstream_status: Option<u16>,
    /// Bytes of request body that went upstream.
    pub request_bytes: u64,
    /// Bytes of response body that went downstream.
    pub response_bytes: u64,
    /// What the model consumed.
    pub usage: Option<Usage>,
    /// The model that the provider says it used.
    pub response_model: Option<SmolStr>,
    /// What data rules found, and what was done about it. Those beyond the bound of a record are
    /// left out of it.
    pub findings: Vec<Finding>,
}

/// Proof that the intent is in the audit log: the request may be forwarded.
pub struct Clearance {
    notice: Option<RateNotice>,
}

impl Clearance {
    /// The limit nearest to exhaustion, for the `RateLimit` fields of the answer.
    #[must_use]
    pub fn notice(&self) -> Option<RateNotice> {
        self.notice
    }
}

/// One request in progress.
pub struct Flight(Option<Box<State>>);

/// All that closing needs.
pub(crate) struct State {
    guard: Arc<Guard>,
    place: Option<Place>,
    summary: Arc<RequestSummary>,
    arrived: Timestamp,
    started_us: u64,
    slots: Option<Slots>,
    reservation: Option<Reservation>,
    /// Where the request is counted, once its upstream is known.
    counts: Option<Arc<RequestCounts>>,
    /// Where its model is counted, once it may be forwarded.
    model: Option<Arc<ModelCounts>>,
    /// The intent, until its outcome is on its way.
    intent: Option<Intent>,
    forwarded_us: Option<u64>,
    first_byte_us: Option<u64>,
    observed: Observed,
    refusal: Option<(RefusalCode, String)>,
}

impl Flight {
    pub(crate) fn open(guard: &Arc<Guard>, opening: &Opening<'_>) -> Result<Self, Refusal> {
        guard.accepts()?;
        let place = guard.closer.place()?;
        let arrived = guard.clock.now();
        let unix_ms = u64::try_from(arrived.as_millisecond()).unwrap_or(0);
        let summary = Arc::new(RequestSummary {
            request: RequestId::new(unix_ms, &guard.random.bytes()),
            arrived_ms: arrived.as_millisecond(),
            environment: None,
            token: None,
            principal: None,
            source: opening.source,
            method: cut(opening.method, RECORD_TEXT_MAX),
            path: recorded_path(opening.path),
            query_names: opening
                .query_names
                .iter()
                .take(RECORD_QUERY_NAMES_MAX)
                .map(|name| cut(name, RECORD_TEXT_MAX))
                .collect(),
            upstream: None,
            upstream_kind: None,
            operation: None,
            model: None,
            stream: false,
            user_agent: opening.user_agent.map(|agent| cut(agent, RECORD_TEXT_MAX)),
        });
        Ok(Self(Some(Box::new(State {
            guard: Arc::clone(guard),
            place: Some(place),
            summary,
            arrived,
            started_us: guard.clock.micros(),
            slots: None,
            reservation: None,
            counts: None,
            model: None,
            intent: None,
            forwarded_us: None,
            first_byte_us: None,
            observed: Observed::default(),
            refusal: None,
        }))))
    }

    fn state(&mut self) -> &mut State {
        self.0
            .as_mut()
            .expect("the state is taken only by close and drop, which end the flight")
    }

    /// The request's id: in every answer, and in both records.
    #[must_use]
    pub fn request(&self) -> RequestId {
        let state = self.0.as_ref();
        state
            .expect("the state is taken only by close and drop")
            .summary
            .request
    }

    /// When the request arrived.
    #[must_use]
    pub fn arrived(&self) -> Timestamp {
        self.0
            .as_ref()
            .expect("the state is taken only by close and drop")
            .arrived
    }

    /// *authenticate*: finds out who asks, and reserves the room for the request's records.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited` (only failures), `store_unavailable`, `overloaded` or
    /// `audit_unavailable`.
    pub async fn authenticate(&mut self, presented: Option<&str>) -> Result<Caller, Refusal> {
        let state = self.state();
        let guard = Arc::clone(&state.guard);
        let now_us = guard.clock.micros();
        let caller = guard.caller(presented, state.arrived, now_us).await;
        let caller = caller.map_err(|refusal| match refusal.code() {
            RefusalCode::Unauthenticated => {
                guard.failed(refusal, state.summary.source.address, now_us)
            }
            _ => refusal,
        })?;
        // One for the intent, one for the outcome: from here on this request is recorded.
        state.slots = Some(guard.slots(SlotPool::Authenticated, 2)?);
        let subject = caller.subject();
        let summary = Arc::make_mut(&mut state.summary);
        summary.environment = Some(subject.environment.clone());
        summary.token = Some(subject.token);
        summary.principal = Some(subject.principal.id.clone());
        Ok(caller)
    }

    /// Takes note of what was resolved while the context is built, so that a refusal on the way
    /// is recorded with it.
    pub fn note(&mut self, note: impl FnOnce(&mut RequestSummary)) {
        note(Arc::make_mut(&mut self.state().summary));
    }

    /// Takes note of the upstream that was resolved: there the request is recorded and counted.
    pub fn toward(&mut self, upstream: &Upstream) {
        let state = self.state();
        let summary = Arc::make_mut(&mut state.summary);
        summary.upstream = Some(upstream.row.name.clone());
        summary.upstream_kind = Some(upstream.row.kind);
        state.counts = Some(Arc::clone(&upstream.counts));
    }

    /// *authorize*: asks every layer of policy, and which data may pass unmasked.
    ///
    /// # Errors
    /// `denied`; `unknown_upstream` when the context is of another environment.
    pub fn authorize(&self, caller: &Caller, context: &RequestContext) -> Result<Permit, Refusal> {
        let environment = &caller.environment;
        let upstream = environment.upstreams.get(&context.upstream);
        let upstream = upstream.ok_or_else(|| {
            Refusal::new(
                RefusalCode::UnknownUpstream,
                "the context names no upstream",
            )
        })?;
        let grants = &caller.live.grants;
        postern_policy::authorize(&environment.rails, grants, context, &upstream.rules)
            .map_err(|denial| Refusal::new(RefusalCode::Denied, denial.cause()))
    }

    /// Whether the token may use a model at all: the filter of model lists.
    #[must_use]
    pub fn may_use_model(&self, caller: &Caller, context: &RequestContext, model: &str) -> bool {
        postern_policy::may_use_model(
            &caller.environment.rails,
            &caller.live.grants,
            context,
            model,
        )
    }

    /// *limit*: takes the request from every limit of the token, and holds its place.
    ///
    /// # Errors
    /// `rate_limited` or `too_many_concurrent`.
    pub fn limit(&mut self, caller: &Caller, _permit: &Permit) -> Result<(), Refusal> {
        let state = self.state();
        let now_us = state.guard.clock.micros();
        let subject = caller.subject();
        let limits = &caller.live.limits;
        state.reservation = Some(limit::reserve(
            &state.guard.counters,
            subject.token,
            limits,
            now_us,
        )?);
        Ok(())
    }

    /// Records the intent; nothing leaves before this returns.
    ///
    /// # Errors
    /// `audit_unavailable`; `revoked` when the token ended meanwhile; `internal` when no
    /// reservation is held.
    pub async fn clear(
        &mut self,
        caller: &Caller,
        permit: &Permit,
        context: &RequestContext,
    ) -> Result<Clearance, Refusal> {
        let state = self.state();
        let Some(reservation) = &state.reservation else {
            return Err(Refusal::new(
                RefusalCode::Internal,
                "cleared without a reservation",
            ));
        };
        let notice = reservation.notice();
        let record = AuditRecord::Intent(IntentRecord {
            summary: Arc::clone(&state.summary),
            policies: Arc::clone(permit.policies()),
            output_cap: context.ai.as_ref().and_then(|ai| ai.output_cap),
            text_bytes: context.ai.as_ref().map_or(0, |ai| ai.text_bytes),
        });
        let Some(slots) = &mut state.slots else {
            return Err(Refusal::new(
                RefusalCode::Internal,
                "cleared without room for records",
            ));
        };
        // Encoded first: while it waits, the request need not hold the record.
        let entry = entry(&record, state.guard.clock.now());
        drop(record);
        let level = state.guard.durability;
        let intent = state.guard.open_intents.sets_out();
        // Kept at once: who gives up waiting has an intent in the log all the same.
        state.intent = Some(intent);
        let position = state.guard.append_entry(slots, entry, level).await?;
        state.intent = Some(state.guard.open_intents.arrived(intent, position.seq));
        if let Some(how) = caller.ended() {
            let cause = format!("the token ended ({}) before forwarding", how.as_str());
            return Err(Refusal::new(RefusalCode::Revoked, cause));
        }
        // A body may have come in slowly: the token is asked for its age once more.
        if state.guard.clock.now() >= caller.ends_at() {
            let cause = "the token expired before forwarding";
            return Err(Refusal::new(RefusalCode::Revoked, cause).of_expiry());
        }
        state.forwarded_us = Some(state.guard.clock.micros());
        let model = context.ai.as_ref().and_then(|ai| ai.model.as_deref());
        if let (Some(model), Some(counts)) = (model, &state.counts) {
            let grants = caller.live.grants.grants();
            state.model = Some(counts.model(model, &context.upstream, grants));
        }
        let subject = caller.subject();
        state
            .guard
            .last_used
            .touch(subject.token, caller.secret, state.arrived);
        Ok(Clearance { notice })
    }

    /// The upstream's head came.
    pub fn answered(&mut self, upstream_status: u16) {
        let state = self.state();
        state.first_byte_us = Some(state.guard.clock.micros());
        state.observed.upstream_status = Some(upstream_status);
    }

    /// What the data plane saw, to be updated as it sees more.
    pub fn observed(&mut self) -> &mut Observed {
        &mut self.state().observed
    }

    /// Remembers the refusal that ends, or cuts off, this request.
    pub fn refused(&mut self, refusal: &Refusal) {
        let state = self.state();
        if let Some(notice) = refusal.limit() {
            state.guard.meters.limit_refused(notice.limit);
        }
        state.observed.status.get_or_insert(refusal.code().status());
        state.refusal = Some((refusal.code(), cut(refusal.cause(), RECORD_PATH_MAX)));
    }

    /// The end of one request: gives back what was reserved, and records what was done.
    pub fn close(mut self, end: End) {
        if let Some(state) = self.0.take() {
            state.settle(end);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(mut state) = self.0.take() {
            let end = if std::thread::panicking() {
                End::Panic
            } else if state.guard.is_stopping() {
                End::Shutdown
            } else {
                End::ClientGone
            };
            if let Some(place) = state.place.take() {
                place.hand_over(state, end);
            }
        }
    }
}

impl State {
    /// Runs once per flight, in the closer or where the end was seen.
    pub(crate) fn settle(mut self: Box<Self>, end: End) {
        let total_us = self.guard.clock.micros().saturating_sub(self.started_us);
        drop(self.reservation.take());
        self.count(end, total_us);
        let Some(mut slots) = self.slots.take() else {
            // Nobody was authenticated: counted for the record of strangers.
            let code = self
                .refusal
                .as_ref()
                .map_or(RefusalCode::BadRequest, |(code, _)| *code);
            let address = self.summary.source.address;
            let at_ms = self.summary.arrived_ms;
            self.guard
                .strangers
                .refused(address, code, &self.summary.path, at_ms);
            return;
        };
        let since = |at: Option<u64>| at.map(|at| at.saturating_sub(self.started_us));
        let timing = Timing {
            forwarded_us: since(self.forwarded_us),
            first_byte_us: since(self.first_byte_us),
            total_us,
        };
        let (refusal, cause) = self.refusal.unzip();
        self.observed.findings.truncate(RECORD_FINDINGS_MAX);
        let record = AuditRecord::Outcome(OutcomeRecord {
            summary: self.summary,
            end,
            status: self.observed.status,
            refusal,
            cause,
            upstream_status: self.observed.upstream_status,
            request_bytes: self.observed.request_bytes,
            response_bytes: self.observed.response_bytes,
            usage: self.observed.usage,
            response_model: self.observed.response_model,
            timing,
            findings: self.observed.findings,
        });
        let entry = entry(&record, self.guard.clock.now());
        // A failure here has already turned the log to refusing; the intent stands without an
        // outcome and is closed as abandoned at the next start.
        match self.guard.log.append_later(&mut slots, entry) {
            Ok(()) => {
                if let Some(intent) = self.intent {
                    self.guard.open_intents.closed(intent);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the outcome of a request could not be recorded");
            }
        }
    }
}

impl State {
    /// Counts the request for whoever watches.
    fn count(&self, end: End, total_us: u64) {
        let meters = &self.guard.meters;
        let observed = &self.observed;
        let since = |at: u64| at.saturating_sub(self.started_us);
        let settled = Settled {
            end,
            refusal: self.refusal.as_ref().map(|(code, _)| *code),
            upstream_status: observed.upstream_status,
            request_bytes: observed.request_bytes,
            response_bytes: observed.response_bytes,
            total_us,
            forwarded_us: self.forwarded_us.map(since),
        };
        if let Some(counts) = &self.counts {
            counts.settle(&settled);
        } else if let Some(name) = &self.summary.environment
            && let Some(environment) = self.guard.world.load().environments.get(name)
        {
            environment.counts.settle(&settled);
        } else {
            meters.strangers.settle(&settled);
        }
        if let (Some(model), Some(usage)) = (&self.model, &observed.usage) {
            model.add(usage);
        }
        meters.findings.add(&observed.findings);
    }
}

/// The path as it is recorded. SECURITY: a token that somebody put into an address must not stay in
/// the log for good, however it is spelt there.
fn recorded_path(path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    if decoded.contains("pstn_") {
        return "/(a token stood in this path)".to_owned();
    }
    cut(path, RECORD_PATH_MAX)
}

/// A record as the audit log takes it, sealed for its environment.
pub(crate) fn entry(record: &AuditRecord, at: Timestamp) -> Entry {
    let domain = record
        .environment()
        .map_or_else(|| INSTALLATION.into(), EnvName::shared);
    let (header, body) = record.encode(at);
    Entry {
        domain,
        header,
        body,
    }
}
