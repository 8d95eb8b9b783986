//! What is counted while requests are served, for whoever watches the gateway.
//!
//! Every count is an atomic number that is found without a search: a flight holds the counts of its
//! upstream, which live as long as the upstream does. The names of what is counted are closed
//! lists, or names that an administrator gave. INVARIANT: nothing that a client says becomes one.

mod findings;
mod histogram;
mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use postern_types::{EnvName, Limit, RateWindow, RefusalCode, UpstreamName};

use crate::world::World;

pub(crate) use findings::FindingCounts;
pub use findings::{FindingKey, Place};
pub use histogram::{Histogram, HistogramReading};
pub(crate) use requests::{ModelCounts, Settled};
pub use requests::{ModelUse, RequestCounts};

/// The limits that a request can meet, as they are written.
pub(crate) const LIMITS: [&str; 3] = ["requests/second", "requests/minute", "concurrency"];

/// Requests that are counted together.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Their environment; `None` where the token was not known.
    pub environment: Option<EnvName>,
    /// Their upstream; `None` where they reached none.
    pub upstream: Option<UpstreamName>,
    /// How many there were, of which sort.
    pub requests: Arc<RequestCounts>,
}

/// The requests of each upstream and environment there is now, in the order of their names.
pub(crate) fn counted(meters: &Meters, world: &World) -> Vec<Counted> {
    let strangers = Counted {
        environment: None,
        upstream: None,
        requests: Arc::clone(&meters.strangers),
    };
    let mut counted = vec![strangers];
    for (name, environment) in &world.environments {
        let of = |upstream: Option<&UpstreamName>, requests: &Arc<RequestCounts>| Counted {
            environment: Some(name.clone()),
            upstream: upstream.cloned(),
            requests: Arc::clone(requests),
        };
        counted.push(of(None, &environment.counts));
        let upstreams = environment.upstreams.iter();
        counted.extend(upstreams.map(|(name, upstream)| of(Some(name), &upstream.counts)));
    }
    let key = |it: &Counted| (it.environment.clone(), it.upstream.clone());
    counted.sort_by_key(key);
    counted
}

/// What a guard counts that belongs to no upstream.
#[derive(Debug, Default)]
pub struct Meters {
    /// Requests whose token was not known, or for which there was no room.
    pub(crate) strangers: Arc<RequestCounts>,
    pub(crate) findings: FindingCounts,
    limited: [AtomicU64; LIMITS.len()],
    answers_under_way: AtomicU64,
    acts: Mutex<BTreeMap<(&'static str, bool), u64>>,
}

impl Meters {
    /// An answer began to pass from an upstream to its client.
    pub fn answer_begins(&self) {
        self.answers_under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// It ended, however it did.
    pub fn answer_ends(&self) {
        self.answers_under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// Answers that pass from an upstream to a client now.
    #[must_use]
    pub fn answers_under_way(&self) -> u64 {
        self.answers_under_way.load(Ordering::Relaxed)
    }

    /// How often each limit refused a request, by the way it is written without its number.
    pub fn limited(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.limited.iter().map(|it| it.load(Ordering::Relaxed));
        LIMITS.into_iter().zip(counts)
    }

    /// What data rules found, and how often.
    #[must_use]
    pub fn findings(&self) -> Vec<(FindingKey, u64)> {
        self.findings.read()
    }

    /// Acts of administrators: the action, whether it was done, how often.
    #[must_use]
    pub fn acts(&self) -> Vec<(&'static str, bool, u64)> {
        let acts = self.acts.lock();
        let act = |(&(action, done), &count): (&(&'static str, bool), &u64)| (action, done, count);
        acts.iter().map(act).collect()
    }

    /// A request was refused before there was a flight for it.
    pub(crate) fn turned_away(&self, code: RefusalCode) {
        self.strangers.turned_away(code);
    }

    pub(crate) fn limit_refused(&self, limit: Limit) {
        let place = match limit {
            Limit::Requests { window, .. } => match window {
                RateWindow::Second => 0,
                RateWindow::Minute => 1,
            },
            Limit::Concurrency { .. } => 2,
        };
        self.limited[place].fetch_add(1, Ordering::Relaxed);
    }

    /// The actions are words of the code: there are as many as it has.
    pub(crate) fn acted(&self, action: &'static str, done: bool) {
        *self.acts.lock().entry((action, done)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_place_and_its_word() {
        let meters = Meters::default();
        for (word, text) in
            LIMITS
                .iter()
                .zip(["requests=3/second", "requests=3/minute", "concurrency=3"])
        {
            let limit = Limit::parse(text).unwrap();
            assert_eq!(*word, text.replace("=3", ""));
            meters.limit_refused(limit);
        }
        assert!(meters.limited().all(|(_, count)| count == 1));
    }
}
