//! The closer: closes flights that were dropped.
//!
//! A thread of its own, because the place where a flight is dropped may be inside a destructor, on
//! a runtime that is going away, or in a panic. Each flight holds a place in the queue from its
//! opening on, so handing it over cannot fail and does not wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use postern_types::{End, Refusal, RefusalCode};
use tokio::sync::mpsc;

use crate::flight::State;

/// A flight on its way to being closed.
struct Closing {
    state: Box<State>,
    end: End,
}

/// The door to the closer.
pub(crate) struct Closer {
    queue: mpsc::Sender<Closing>,
    /// Flights that were handed over and are not settled yet: the queue forgets a flight when it is
    /// taken out, before it is settled.
    handed: Arc<AtomicUsize>,
}

/// A reserved place in the queue.
pub(crate) struct Place {
    permit: mpsc::OwnedPermit<Closing>,
    handed: Arc<AtomicUsize>,
}

impl Closer {
    /// Starts the closer with room for so many flights. It ends when the guard and all flights are
    /// gone.
    pub(crate) fn start(flights_max: usize) -> std::io::Result<Self> {
        let (queue, mut dropped) = mpsc::channel::<Closing>(flights_max);
        let handed = Arc::new(AtomicUsize::new(0));
        let settling = Arc::clone(&handed);
        std::thread::Builder::new()
            .name("postern-closer".into())
            .spawn(move || {
                while let Some(Closing { state, end }) = dropped.blocking_recv() {
                    state.settle(end);
                    settling.fetch_sub(1, Ordering::AcqRel);
                }
            })?;
        Ok(Self { queue, handed })
    }

    /// Reserves the place of one flight.
    pub(crate) fn place(&self) -> Result<Place, Refusal> {
        self.queue
            .clone()
            .try_reserve_owned()
            .map(|permit| Place {
                permit,
                handed: Arc::clone(&self.handed),
            })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    Refusal::new(RefusalCode::Overloaded, "too many requests in progress")
                        .retry_after(std::time::Duration::from_secs(1))
                }
                mpsc::error::TrySendError::Closed(_) => {
                    Refusal::new(RefusalCode::Internal, "the closer is gone")
                }
            })
    }

    /// Requests in progress; zero only when every flight is settled.
    pub(crate) fn in_progress(&self) -> usize {
        // In this order: a flight counts as handed over before it leaves the queue.
        let queued = self.queue.max_capacity() - self.queue.capacity();
        queued.max(self.handed.load(Ordering::Acquire))
    }
}

impl Place {
    pub(crate) fn hand_over(self, state: Box<State>, end: End) {
        self.handed.fetch_add(1, Ordering::AcqRel);
        self.permit.send(Closing { state, end });
    }
}
