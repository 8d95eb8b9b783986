//! The one place of the data plane that reads a clock. Everything else takes the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

/// How far back from its beginning a clock's monotonic time can tell: what was used of a window
/// before a restart lies before the clock was made. Two of the longest windows, in microseconds.
const HEAD_START_US: u64 = 2 * 60 * 1_000_000;

/// Wall time for records and expiry, monotonic time for durations and limits.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clocks.
    System(SystemClock),
    /// A clock that a test moves.
    Manual(ManualClock),
}

/// The machine's clocks.
#[derive(Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct ManualClock {
    unix_us: Arc<AtomicU64>,
    start_us: u64,
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::System(SystemClock {
            started: Instant::now(),
        })
    }

    /// Wall time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the named place")]
            Self::System(_) => Timestamp::now(),
            Self::Manual(clock) => {
                let us = i64::try_from(clock.unix_us.load(Ordering::SeqCst)).unwrap_or(i64::MAX);
                Timestamp::from_microsecond(us).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Monotonic time in microseconds: it was two minutes when the clock was made, and never goes
    /// back.
    #[must_use]
    pub fn micros(&self) -> u64 {
        match self {
            Self::System(clock) => {
                let elapsed = u64::try_from(clock.started.elapsed().as_micros());
                HEAD_START_US.saturating_add(elapsed.unwrap_or(u64::MAX))
            }
            Self::Manual(clock) => {
                HEAD_START_US + clock.unix_us.load(Ordering::SeqCst) - clock.start_us
            }
        }
    }
}

impl ManualClock {
    /// A clock that stands at a time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        let start_us = u64::try_from(time.as_microsecond()).unwrap_or(0);
        Self {
            unix_us: Arc::new(AtomicU64::new(start_us)),
            start_us,
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: std::time::Duration) {
        let us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.unix_us.fetch_add(us, Ordering::SeqCst);
    }
}
