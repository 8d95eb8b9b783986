//! What each token has used, in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use foldhash::HashMap;
use parking_lot::Mutex;
use postern_types::{Limit, RateNotice, TokenId};

use super::window::Window;

/// Microseconds of a second.
const SECOND_US: u64 = 1_000_000;

/// One rate limit of one token.
struct Rate {
    limit: Limit,
    window: Window,
}

/// What one token has used.
pub(crate) struct TokenCounters {
    limits: Vec<Limit>,
    rates: Mutex<Vec<Rate>>,
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
        let rates = limits.iter().filter_map(|limit| Rate::new(*limit));
        Self {
            limits: limits.to_vec(),
            rates: Mutex::new(rates.collect()),
            in_progress,
            last_used_us: AtomicU64::new(0),
        }
    }

    /// The counters of a token that was used before a restart.
    fn recovered(limits: &[Limit], earlier: &Window) -> Self {
        let new = Self::new(limits, Arc::default());
        for rate in new.rates.lock().iter_mut() {
            rate.window.recover(earlier);
        }
        new
    }

    /// The counters of the same token whose limits were edited.
    fn edited(&self, limits: &[Limit]) -> Self {
        let new = Self::new(limits, Arc::clone(&self.in_progress));
        let earlier = self.rates.lock();
        for rate in new.rates.lock().iter_mut() {
            for old in earlier.iter() {
                rate.window.follow(&old.window);
            }
        }
        let last_used_us = self.last_used_us.load(Ordering::Relaxed);
        new.last_used_us.store(last_used_us, Ordering::Relaxed);
        new
    }

    pub(super) fn enter(&self, max: u32) -> Option<InProgress> {
        self.in_progress
            .try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                (held < max).then_some(held + 1)
            })
            .ok()
            .map(|_| InProgress(Arc::clone(&self.in_progress)))
    }

    /// Takes one request from every rate, or from none: who waits as long as the slowest of them
    /// asks is let through by all.
    pub(super) fn take(&self, now_us: u64) -> RateVerdict {
        self.last_used_us.fetch_max(now_us, Ordering::Relaxed);
        let mut rates = self.rates.lock();
        let mut longest: Option<(u64, RateNotice)> = None;
        for rate in rates.iter_mut() {
            if let Some(wait_us) = rate.window.wait_us(now_us)
                && longest.is_none_or(|(known_us, _)| wait_us > known_us)
            {
                longest = Some((wait_us, rate.notice(now_us)));
            }
        }
        if let Some((wait_us, notice)) = longest {
            let wait = Duration::from_micros(wait_us);
            return RateVerdict::Refused { notice, wait };
        }
        let mut nearest: Option<RateNotice> = None;
        for rate in rates.iter_mut() {
            rate.window.take(now_us);
            let notice = rate.notice(now_us);
            if nearest.is_none_or(|best| notice.remaining < best.remaining) {
                nearest = Some(notice);
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
    /// `None` for limits that are no rates.
    fn new(limit: Limit) -> Option<Self> {
        let Limit::Requests { count, window } = limit else {
            return None;
        };
        let length_us = u64::from(window.seconds()) * SECOND_US;
        let window = Window::new(count.get(), length_us);
        Some(Self { limit, window })
    }

    fn notice(&self, now_us: u64) -> RateNotice {
        let reset = self.window.full_in_us(now_us).div_ceil(SECOND_US);
        RateNotice {
            limit: self.limit,
            remaining: self.window.remaining(),
            reset_seconds: u32::try_from(reset).unwrap_or(u32::MAX),
        }
    }
}

/// The counters of all tokens in use.
#[derive(Default)]
pub(crate) struct Counters {
    by_token: Mutex<HashMap<TokenId, Arc<TokenCounters>>>,
    earlier: Mutex<Earlier>,
}

/// What tokens used in the last minute before a restart, until they are used again.
#[derive(Default)]
pub(crate) struct Earlier {
    by_token: HashMap<TokenId, Window>,
    newest_us: u64,
}

/// The longest window, in microseconds.
const LONGEST_US: u64 = 60 * SECOND_US;

impl Earlier {
    /// A request passed its limits then. To be called in the order of time.
    pub(crate) fn add(&mut self, token: TokenId, at_us: u64) {
        let all = || Window::new(u32::MAX, LONGEST_US);
        self.by_token.entry(token).or_insert_with(all).take(at_us);
        self.newest_us = self.newest_us.max(at_us);
    }
}

impl Counters {
    /// The counters of a token. When its limits were edited, what was used of a window and the
    /// requests in progress are carried over.
    pub(super) fn of(&self, token: TokenId, limits: &[Limit]) -> Arc<TokenCounters> {
        let mut by_token = self.by_token.lock();
        let known = by_token.get(&token);
        if let Some(counters) = known.filter(|counters| counters.limits == limits) {
            return Arc::clone(counters);
        }
        let counters = Arc::new(match known {
            Some(earlier) => earlier.edited(limits),
            None => match self.earlier.lock().by_token.remove(&token) {
                Some(earlier) => TokenCounters::recovered(limits, &earlier),
                None => TokenCounters::new(limits, Arc::default()),
            },
        });
        by_token.insert(token, Arc::clone(&counters));
        counters
    }

    /// Takes over what was used before a restart.
    pub(crate) fn recover(&self, earlier: Earlier) {
        *self.earlier.lock() = earlier;
    }

    /// Forgets counters that are full again: unused for longer than the longest window.
    pub(crate) fn purge(&self, now_us: u64) {
        let before_us = now_us.saturating_sub(2 * 60 * SECOND_US);
        let mut earlier = self.earlier.lock();
        if !earlier.by_token.is_empty() && earlier.newest_us + LONGEST_US <= now_us {
            *earlier = Earlier::default();
        }
        drop(earlier);
        self.by_token.lock().retain(|_, counters| {
            Arc::strong_count(counters) > 1 || !counters.idle_since(before_us)
        });
    }
}
