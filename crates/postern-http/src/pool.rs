//! Upstream connections that wait to be used again, one pool a core.
//!
//! They are kept apart by environment, upstream and version: a connection that carried one
//! environment's credential is never handed to another, nor one that carried an older credential.
//! Every cap is per key, so that a slow upstream does not take the places of the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use foldhash::HashMap;
use parking_lot::Mutex;
use postern_guard::UpstreamId;
use postern_types::{EnvName, Refusal, RefusalCode, UpstreamName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::bounds::UpstreamBounds;
use crate::connect::Connected;

/// What connections are kept apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    pub(crate) environment: EnvName,
    pub(crate) upstream: UpstreamName,
    /// The incarnation of the upstream: a name may be used again.
    pub(crate) upstream_id: UpstreamId,
    /// The upstream's version: it rises with each change, of the credential and of what may be
    /// reached too.
    pub(crate) version: u64,
}

/// The connections of one core.
#[derive(Debug)]
pub(crate) struct Pool {
    bounds: UpstreamBounds,
    lanes: Mutex<HashMap<PoolKey, Arc<Lane>>>,
    reaping: AtomicBool,
}

/// The connections of one key.
#[derive(Debug)]
pub(crate) struct Lane {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
    idle_max: usize,
}

#[derive(Debug)]
struct Idle {
    connection: Connected,
    since: Instant,
}

/// A place among the connections in use of one key.
#[derive(Debug)]
pub(crate) struct Seat {
    lane: Arc<Lane>,
    // Dropped after the connection was put back, so that whoever waits finds it.
    _place: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(bounds: UpstreamBounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            lanes: Mutex::default(),
            reaping: AtomicBool::new(false),
        })
    }

    /// Takes a place among the connections of a key, waiting for one where all are in use.
    ///
    /// # Errors
    /// `overloaded` when too many wait already, or none comes free in time.
    pub(crate) async fn seat(self: &Arc<Self>, key: &PoolKey) -> Result<Seat, Refusal> {
        let lane = self.lane(key);
        let places = Arc::clone(&lane.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Ok(Seat {
                lane,
                _place: place,
            });
        }
        let overloaded = |cause: &str| Refusal::new(RefusalCode::Overloaded, cause);
        let _waiter = Waiter::join(&lane, self.bounds.waiters_max)
            .ok_or_else(|| overloaded("too many requests wait for an upstream connection"))?;
        match timeout(self.bounds.wait, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(Seat {
                lane: Arc::clone(&lane),
                _place: place,
            }),
            _ => Err(overloaded("no upstream connection came free in time")),
        }
    }

    fn lane(self: &Arc<Self>, key: &PoolKey) -> Arc<Lane> {
        let mut lanes = self.lanes.lock();
        if let Some(lane) = lanes.get(key) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane {
            places: Arc::new(Semaphore::new(self.bounds.connections_max)),
            waiting: AtomicUsize::new(0),
            idle: Mutex::default(),
            idle_max: self.bounds.idle_max,
        });
        lanes.insert(key.clone(), Arc::clone(&lane));
        drop(lanes);
        self.start_reaping();
        lane
    }

    /// Closes what has been idle for too long, and forgets keys without connections.
    fn start_reaping(self: &Arc<Self>) {
        if self.reaping.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::downgrade(self);
        let pause = self.bounds.idle_timeout / 4;
        drop(tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = pool.upgrade() else {
                    return;
                };
                pool.reap();
            }
        }));
    }

    fn reap(&self) {
        let now = Instant::now();
        let allowed = self.bounds.idle_timeout;
        self.lanes.lock().retain(|_, lane| {
            let mut idle = lane.idle.lock();
            idle.retain(|kept| !kept.connection.is_closed() && now - kept.since < allowed);
            !idle.is_empty() || Arc::strong_count(lane) > 1
        });
    }

    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.lanes
            .lock()
            .values()
            .map(|lane| lane.idle.lock().len())
            .sum()
    }

    /// How many idle connections are known to be of use still.
    #[cfg(test)]
    pub(crate) fn alive(&self) -> usize {
        let lanes = self.lanes.lock();
        let alive = |kept: &&Idle| !kept.connection.is_closed();
        lanes
            .values()
            .map(|lane| lane.idle.lock().iter().filter(alive).count())
            .sum()
    }

    /// How many requests wait for a place.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        let lanes = self.lanes.lock();
        let waiting = lanes
            .values()
            .map(|lane| lane.waiting.load(Ordering::Relaxed));
        waiting.sum()
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.lanes.lock().len()
    }
}

impl Seat {
    /// The connection that was used last, if one is idle and alive `now`.
    pub(crate) async fn kept(&self, bounds: &UpstreamBounds, now: Instant) -> Option<Connected> {
        loop {
            let Idle {
                mut connection,
                since,
            } = self.lane.idle.lock().pop()?;
            if connection.is_closed() || now - since >= bounds.idle_timeout {
                continue;
            }
            if connection.sender().is_ready() {
                return Some(connection);
            }
            // The connection's own task may not have seen the end of the last answer yet.
            if let Ok(Ok(())) = timeout(bounds.ready, connection.sender().ready()).await {
                return Some(connection);
            }
        }
    }

    /// Puts a connection back that has carried a whole exchange.
    pub(crate) fn put_back(self, mut connection: Connected) {
        connection.rest();
        if connection.is_closed() {
            return;
        }
        let mut idle = self.lane.idle.lock();
        if idle.len() < self.lane.idle_max {
            idle.push(Idle {
                connection,
                since: Instant::now(),
            });
        }
    }
}

/// A request in the queue of one key.
struct Waiter<'a>(&'a Lane);

impl<'a> Waiter<'a> {
    fn join(lane: &'a Lane, max: usize) -> Option<Self> {
        if lane.waiting.fetch_add(1, Ordering::Relaxed) >= max {
            lane.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(lane))
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
