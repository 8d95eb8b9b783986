//! The guard: everything the stages share, and what the control plane tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use postern_audit::{Durability, Log, ReserveError, SlotPool, Slots};
use postern_store::{KeyRing, KeyRingError, Made, Store, StoreError};
use postern_types::{
    AuditRecord, End, EnvName, OwnedId, PrincipalId, Refusal, RefusalCode, SystemRecord, TokenId,
    UpstreamName,
};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::authenticate::Caller;
use crate::bounds::GuardBounds;
use crate::clock::Clock;
use crate::closer::Closer;
use crate::flight::{Flight, Opening};
use crate::limit::Counters;
use crate::meters::{self, Counted, Meters};
use crate::owned::Owned;
use crate::random::Random;
use crate::recover::{LeftOpen, OpenIntents};
use crate::strangers::Strangers;
use crate::tokens::{LastUsed, Rehashes, Tokens};
use crate::world::{Upstream, World};

/// What a guard is made of.
pub struct GuardParts {
    /// The store.
    pub store: Store,
    /// The keys: peppers, credentials, audit sealing.
    pub keys: Arc<KeyRing>,
    /// The audit log, open.
    pub log: Arc<Log>,
    /// The clock.
    pub clock: Clock,
    /// What an intent waits for before its request is forwarded.
    pub durability: Durability,
    /// Caps and periods.
    pub bounds: GuardBounds,
    /// What an earlier process may have left open; `None` for a log that was just begun.
    pub left_open: Option<LeftOpen>,
}

/// Why a guard could not be opened, or an environment not be loaded.
#[derive(Debug, Error)]
pub enum OpenGuardError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys of an environment cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// The guard-rails of an environment do not compile.
    #[error("the policies of environment {0} do not compile: {1}")]
    Policies(EnvName, String),
    /// The settings of an upstream are not valid.
    #[error("the settings of upstream {1} in environment {0} are not valid: {2}")]
    Settings(EnvName, UpstreamName, String),
    /// The audit log does not take records.
    #[error("the audit log does not take records: {0}")]
    Audit(String),
    /// The closer could not be started.
    #[error("the closer thread could not be started")]
    Closer(#[source] std::io::Error),
}

/// What happened to a token in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenChange {
    /// Rotated, or its limits or texts were edited: the next request sees it.
    Edited,
    /// Revoked: the next request is refused, and running streams end.
    Revoked,
}

/// How the guard is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether the audit log takes records.
    pub audit_healthy: bool,
    /// Whether the guard takes no more requests.
    pub stopping: bool,
    /// Requests in progress.
    pub in_progress: usize,
    /// Bytes of request bodies in memory.
    pub body_bytes: u64,
    /// Tokens in memory.
    pub tokens_cached: usize,
    /// Environments served.
    pub environments: usize,
}

/// The protocol-neutral stages, shared by all data planes of a node.
pub struct Guard {
    pub(crate) store: Store,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) log: Arc<Log>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) bounds: GuardBounds,
    pub(crate) durability: Durability,
    pub(crate) world: ArcSwap<World>,
    /// One reload at a time, so that an older picture never replaces a newer one.
    reloading: tokio::sync::Mutex<()>,
    pub(crate) tokens: Tokens,
    pub(crate) counters: Counters,
    pub(crate) strangers: Strangers,
    pub(crate) last_used: LastUsed,
    writing_uses: tokio::sync::Mutex<()>,
    pub(crate) rehashes: Rehashes,
    owned: Owned,
    newly_owned: Mutex<Option<mpsc::Receiver<Made>>>,
    pub(crate) closer: Closer,
    pub(crate) open_intents: OpenIntents,
    pub(crate) meters: Meters,
    purged_us: AtomicU64,
    stopping: AtomicBool,
}

/// How often what is too old is purged from the store (ids of provider objects, placeholders), in
/// microseconds.
const PURGE_PERIOD_US: u64 = 3_600_000_000;

impl Guard {
    /// Loads the environments and starts the closer. Nothing is served yet: a data plane does that.
    ///
    /// # Errors
    /// When the store, the keys, a policy or the audit log is not usable; nothing is skipped.
    pub async fn open(parts: GuardParts) -> Result<Arc<Self>, OpenGuardError> {
        let GuardParts {
            store,
            keys,
            log,
            clock,
            durability,
            bounds,
            left_open,
        } = parts;
        let world = World::load(&store, &keys).await?;
        let (owned, newly_owned) = Owned::new(bounds.owned_ids_cached_max);
        let guard = Self {
            closer: Closer::start(bounds.flights_max).map_err(OpenGuardError::Closer)?,
            tokens: Tokens::new(&bounds),
            strangers: Strangers::new(&bounds),
            world: ArcSwap::from_pointee(world),
            reloading: tokio::sync::Mutex::new(()),
            counters: Counters::default(),
            last_used: LastUsed::default(),
            writing_uses: tokio::sync::Mutex::new(()),
            rehashes: Rehashes::default(),
            newly_owned: Mutex::new(Some(newly_owned)),
            open_intents: OpenIntents::default(),
            meters: Meters::default(),
            purged_us: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            random: Random::default(),
            store,
            keys,
            log,
            clock,
            durability,
            bounds,
            owned,
        };
        if let Some(left) = left_open {
            guard.recover_rates(&left)?;
            let count = guard.close_abandoned(&left).await?;
            if count > 0 {
                let detail = format!("{count} requests had an intent and no outcome");
                let recorded = guard.record_system("abandoned", detail).await;
                recorded.map_err(|error| OpenGuardError::Audit(error.to_string()))?;
            }
        }
        Ok(Arc::new(guard))
    }

    /// The store, for the control plane.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys, for the control plane.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The system's randomness.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.random
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Opens the flight of a request that arrived.
    ///
    /// # Errors
    /// `shutting_down`, `audit_unavailable` or `overloaded`: nothing is decided without room to
    /// record the decision.
    pub fn arrive(self: &Arc<Self>, opening: &Opening<'_>) -> Result<Flight, Refusal> {
        Flight::open(self, opening).inspect_err(|it| self.meters.turned_away(it.code()))
    }

    /// What is counted while requests are served.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The requests of each upstream and environment there is now, in the order of their names:
    /// first those whose token was not known, which belong to none.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        meters::counted(&self.meters, &self.world.load())
    }

    pub(crate) fn accepts(&self) -> Result<(), Refusal> {
        if self.is_stopping() {
            return Err(Refusal::new(
                RefusalCode::ShuttingDown,
                "the gateway is shutting down",
            ));
        }
        if !self.log.healthy() {
            return Err(Refusal::new(
                RefusalCode::AuditUnavailable,
                "the audit log is not healthy",
            ));
        }
        Ok(())
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn slots(&self, pool: SlotPool, entries: u32) -> Result<Slots, Refusal> {
        self.log
            .reserve(pool, entries)
            .map_err(|error| match error {
                ReserveError::Full(_) => Refusal::new(RefusalCode::Overloaded, error.to_string())
                    .retry_after(Duration::from_secs(1)),
                _ => Refusal::new(RefusalCode::AuditUnavailable, error.to_string()),
            })
    }

    /// Remembers that a principal made something at an upstream, before the client learns its id;
    /// for an answer also the conversation, where data rules ask for it.
    pub fn remember(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        owned: OwnedId,
        conversation: Option<&Arc<str>>,
    ) {
        if let Some(conversation) = conversation {
            self.owned.join(upstream, &owned, conversation);
        }
        self.owned
            .remember(caller, upstream, owned, self.clock.now());
    }

    /// The conversation that an answer which a request refers to belongs to, if it is known.
    #[must_use]
    pub fn conversation(&self, upstream: &Upstream, answer: &OwnedId) -> Option<Arc<str>> {
        self.owned.conversation(upstream, answer)
    }

    /// Lets a request refer to what its principal made, and to nothing else.
    ///
    /// # Errors
    /// `denied`, or `store_unavailable`.
    pub async fn check_references(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        references: &[OwnedId],
    ) -> Result<(), Refusal> {
        self.owned
            .check(&self.store, caller, upstream, references, self.clock.now())
            .await
    }

    /// Takes up a change of one environment's policies, upstreams, data rules or keys, or its end.
    ///
    /// # Errors
    /// When it cannot be loaded; the picture then stays as it was, and the caller must not report
    /// the change as done.
    pub async fn environment_changed(&self, name: &EnvName) -> Result<(), OpenGuardError> {
        let _one_at_a_time = self.reloading.lock().await;
        let world = self
            .world
            .load_full()
            .reload(&self.store, &self.keys, name)
            .await?;
        let gone = !world.environments.contains_key(name);
        self.world.store(Arc::new(world));
        self.tokens.forget_environment(name);
        if gone {
            self.tokens
                .endings
                .end_where(End::Revoked, |env, _| env == name);
        }
        Ok(())
    }

    /// Why requests to an upstream are refused for want of its credential: what was found when the
    /// environment was taken up last, which is what its requests meet. `None` where they have it.
    #[must_use]
    pub fn credential_fault(&self, env: &EnvName, upstream: &UpstreamName) -> Option<String> {
        let world = self.world.load();
        let upstream = world.environments.get(env)?.upstreams.get(upstream)?;
        upstream.credential().err().map(str::to_owned)
    }

    /// Takes up a change of one token, after it is in the store.
    pub fn token_changed(&self, id: TokenId, change: TokenChange) {
        // First out of memory, then the end of what runs: a request that authenticates in between
        // holds the ending that is about to be tripped.
        self.tokens.forget(id);
        if change == TokenChange::Revoked {
            self.tokens.endings.end_token(id, End::Revoked);
        }
    }

    /// Takes up a change of one principal. When it was disabled or deleted, what runs ends.
    pub fn principal_changed(&self, environment: &EnvName, principal: &PrincipalId, ended: bool) {
        self.tokens.forget_environment(environment);
        if ended {
            let same = |env: &EnvName, id: &PrincipalId| env == environment && id == principal;
            self.tokens.endings.end_where(End::Revoked, same);
        }
    }

    /// Stops taking requests, waits for those in progress, and ends what is left at the deadline.
    pub async fn shut_down(&self, patience: Duration) {
        self.stopping.store(true, Ordering::Release);
        let idle = async {
            while self.closer.in_progress() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(patience, idle).await.is_err() {
            self.tokens.endings.end_where(End::Shutdown, |_, _| true);
        }
        self.tidy_up().await;
    }

    /// Waits until every flight is closed, once the data planes are gone: the audit log must not be
    /// closed in good order while an outcome is still on its way. False when one hangs.
    pub async fn all_closed(&self, patience: Duration) -> bool {
        let closed = async {
            while self.closer.in_progress() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(patience, closed).await.is_ok()
    }

    /// How the guard is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            audit_healthy: self.log.healthy(),
            stopping: self.is_stopping(),
            in_progress: self.closer.in_progress(),
            body_bytes: self.tokens.bodies.held(),
            tokens_cached: self.tokens.cached(),
            environments: self.world.load().environments.len(),
        }
    }

    /// Records that the gateway itself started, stopped or found something.
    ///
    /// # Errors
    /// `audit_unavailable`.
    pub async fn record_system(&self, event: &str, detail: String) -> Result<(), Refusal> {
        let mut slots = self.slots(SlotPool::Control, 1)?;
        let record = AuditRecord::System(SystemRecord {
            event: event.to_owned(),
            detail,
        });
        self.append_at(&mut slots, record, Durability::Durable)
            .await
            .map(|_| ())
    }

    /// The guard's background work: run it as one task, until it is cancelled.
    pub async fn housekeeping(&self, stop: CancellationToken) {
        let Some(mut newly_owned) = self.newly_owned.lock().take() else {
            return;
        };
        let mut period = tokio::time::interval(self.bounds.housekeeping_period);
        period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(newly) = newly_owned.recv() => self.persist_owned(newly).await,
                _ = period.tick() => self.tidy_up().await,
            }
        }
        while let Ok(newly) = newly_owned.try_recv() {
            self.persist_owned(newly).await;
        }
        self.tidy_up().await;
    }

    async fn persist_owned(&self, made: Made) {
        if let Err(error) = self.store.owned().record(&made).await {
            tracing::warn!(%error, "an id of a provider object could not be stored");
        }
    }

    /// Writes the last uses that wait to be written. A rotation asks for it first: a secret that
    /// was used a moment ago must not be taken for one that nobody ever received.
    pub async fn write_last_uses(&self) {
        // INVARIANT: who returns from here has waited for all uses that were noted before, those
        // that somebody else is writing among them.
        let _one_at_a_time = self.writing_uses.lock().await;
        let used = self.last_used.take();
        if used.is_empty() {
            return;
        }
        if let Err(error) = self.store.tokens().touch_last_used(&used).await {
            tracing::warn!(%error, "last-used times could not be stored");
        }
    }

    async fn tidy_up(&self) {
        for record in self.strangers.take() {
            let written = match self.slots(SlotPool::Stranger, 1) {
                Ok(mut slots) => {
                    self.append(&mut slots, AuditRecord::Strangers(record.clone()))
                        .await
                }
                Err(refusal) => Err(refusal),
            };
            if written.is_err() {
                self.strangers.put_back(record);
            }
        }
        self.write_last_uses().await;
        for ((token, secret), rehash) in self.rehashes.take() {
            match self.store.tokens().rehash(&token, secret, &rehash).await {
                Ok(_) => self.tokens.forget(token),
                Err(error) => tracing::warn!(%token, %error, "a secret could not be stored anew"),
            }
        }
        let now_us = self.clock.micros();
        if now_us.saturating_sub(self.purged_us.load(Ordering::Relaxed)) > PURGE_PERIOD_US {
            self.purged_us.store(now_us, Ordering::Relaxed);
            if let Err(error) = self.store.owned().purge(self.clock.now()).await {
                tracing::warn!(%error, "forgotten ids could not be purged");
            }
            if let Err(error) = self.store.pseudonyms().purge(self.clock.now()).await {
                tracing::warn!(%error, "old placeholders could not be purged");
            }
        }
        self.log.settle_below(self.open_intents.settled());
        self.tokens.endings.purge();
        self.tokens.bodies.purge();
        self.counters.purge(self.clock.micros());
    }
}
