//! The closer: closes flights that were dropped.
//!
//! A thread of its own, because the place where a flight is dropped may be inside a destructor, on
//! a runtime that is going away, or in a panic. Each flight holds a place in the queue from its
//! opening on, so handing it over cannot fail and does not wait.

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
}

/// A reserved place in the queue.
pub(crate) struct Place(mpsc::OwnedPermit<Closing>);

impl Closer {
    /// Starts the closer with room for so many flights. It ends when the guard and all flights are
    /// gone.
    pub(crate) fn start(flights_max: usize) -> std::io::Result<Self> {
        let (queue, mut dropped) = mpsc::channel::<Closing>(flights_max);
        std::thread::Builder::new()
            .name("postern-closer".into())
            .spawn(move || {
                while let Some(Closing { state, end }) = dropped.blocking_recv() {
                    state.settle(end);
                }
            })?;
        Ok(Self { queue })
    }

    /// Reserves the place of one flight.
    pub(crate) fn place(&self) -> Result<Place, Refusal> {
        self.queue
            .clone()
            .try_reserve_owned()
            .map(Place)
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

    /// Requests in progress.
    pub(crate) fn in_progress(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

impl Place {
    pub(crate) fn hand_over(self, state: Box<State>, end: End) {
        self.0.send(Closing { state, end });
    }
}
