//! What each token has used, in memory.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use postern_types::{Limit, RateNotice, RateWindow, TokenId};

/// A governor clock that stands where it is told: time comes in as an argument.
#[derive(Debug, Clone, Default)]
struct GivenClock(Arc<AtomicU64>);

impl governor::clock::Clock for GivenClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

type Gcra = RateLimiter<NotKeyed, InMemoryState, GivenClock, StateInformationMiddleware>;

/// One rate limit of one token.
struct Rate {
    limit: Limit,
    window: RateWindow,
    count: NonZeroU32,
    gcra: Gcra,
    clock: GivenClock,
}

/// What one token has used.
pub(crate) struct TokenCounters {
    limits: Vec<Limit>,
    rates: Vec<Rate>,
    in_progress: Arc<AtomicU32>,
    last_used_us: AtomicU64,
}

/// One place among the requests in progress.
pub(crate) struct InProgress(Arc<AtomicU32>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What the rates of a token say to one request.
pub(super) enum RateVerdict {
    Taken(Option<RateNotice>),
    Refused { notice: RateNotice, wait: Duration },
}

impl TokenCounters {
    fn new(limits: &[Limit], in_progress: Arc<AtomicU32>) -> Self {
        let rates = limits
            .iter()
            .filter_map(|limit| match *limit {
                Limit::Requests { count, window } => Some(Rate::new(*limit, count, window)),
                Limit::Concurrency { .. } => None,
            })
            .collect();
        Self {
            limits: limits.to_vec(),
            rates,
            in_progress,
            last_used_us: AtomicU64::new(0),
        }
    }

    pub(super) fn enter(&self, max: u32) -> Option<InProgress> {
        self.in_progress
            .try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                (held < max).then_some(held + 1)
            })
            .ok()
            .map(|_| InProgress(Arc::clone(&self.in_progress)))
    }

    /// Takes one request from every rate, in the order in which they were written. A request that a
    /// later rate refuses has used up one of the earlier: that errs on the side of the cap.
    pub(super) fn take(&self, now_us: u64) -> RateVerdict {
        self.last_used_us.fetch_max(now_us, Ordering::Relaxed);
        let mut nearest: Option<RateNotice> = None;
        for rate in &self.rates {
            match rate.take(now_us) {
                RateVerdict::Taken(Some(notice)) => {
                    if nearest.is_none_or(|best| notice.remaining < best.remaining) {
                        nearest = Some(notice);
                    }
                }
                RateVerdict::Taken(None) => {}
                refused @ RateVerdict::Refused { .. } => return refused,
            }
        }
        RateVerdict::Taken(nearest)
    }

    fn idle_since(&self, before_us: u64) -> bool {
        self.last_used_us.load(Ordering::Relaxed) < before_us
            && self.in_progress.load(Ordering::Acquire) == 0
    }
}

impl Rate {
    fn new(limit: Limit, count: NonZeroU32, window: RateWindow) -> Self {
        let quota = match window {
            RateWindow::Second => Quota::per_second(count),
            RateWindow::Minute => Quota::per_minute(count),
        };
        let clock = GivenClock::default();
        let gcra = RateLimiter::direct_with_clock(quota, clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        Self {
            limit,
            window,
            count,
            gcra,
            clock,
        }
    }

    fn notice(&self, remaining: u32) -> RateNotice {
        // Evenly refilled: what is missing comes back in its share of the window.
        let missing = u64::from(self.count.get() - remaining.min(self.count.get()));
        let reset = missing * u64::from(self.window.seconds());
        let reset = reset.div_ceil(u64::from(self.count.get()));
        let reset_seconds = u32::try_from(reset).unwrap_or(u32::MAX);
        RateNotice {
            limit: self.limit,
            remaining,
            reset_seconds,
        }
    }

    fn set(&self, now_us: u64) {
        // Threads may bring times in any order; the limiter's time never goes back.
        self.clock.0.fetch_max(now_us, Ordering::Relaxed);
    }

    fn take(&self, now_us: u64) -> RateVerdict {
        self.set(now_us);
        match self.gcra.check() {
            Ok(state) => RateVerdict::Taken(Some(self.notice(state.remaining_burst_capacity()))),
            Err(not_until) => RateVerdict::Refused {
                notice: self.notice(0),
                wait: not_until.wait_time_from(self.clock.now()),
            },
        }
    }
}

/// The counters of all tokens in use.
#[derive(Default)]
pub(crate) struct Counters {
    by_token: Mutex<HashMap<TokenId, Arc<TokenCounters>>>,
}

impl Counters {
    /// The counters of a token. When its limits were edited, rates start anew and the requests in
    /// progress are carried over.
    pub(super) fn of(&self, token: TokenId, limits: &[Limit]) -> Arc<TokenCounters> {
        let mut by_token = self.by_token.lock();
        let known = by_token.get(&token);
        if let Some(counters) = known.filter(|counters| counters.limits == limits) {
            return Arc::clone(counters);
        }
        let in_progress =
            known.map_or_else(Arc::default, |counters| Arc::clone(&counters.in_progress));
        let counters = Arc::new(TokenCounters::new(limits, in_progress));
        by_token.insert(token, Arc::clone(&counters));
        counters
    }

    /// Forgets counters that are full again: unused for longer than the longest window.
    pub(crate) fn purge(&self, now_us: u64) {
        let before_us = now_us.saturating_sub(2 * 60 * 1_000_000);
        self.by_token.lock().retain(|_, counters| {
            Arc::strong_count(counters) > 1 || !counters.idle_since(before_us)
        });
    }
}
