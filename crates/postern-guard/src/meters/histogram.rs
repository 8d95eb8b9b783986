//! A histogram of durations: how many were at most so long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds of a histogram at most. The counts lie in the histogram itself, so that they share no
/// cache line with those of another.
const BOUNDS_MAX: usize = 19;

/// Durations, counted by fixed bounds. Adding takes no lock and no memory.
#[derive(Debug)]
pub struct Histogram {
    /// Microseconds, ascending.
    bounds_us: &'static [u64],
    /// One for each bound, and one for what is longer.
    counts: [AtomicU64; BOUNDS_MAX + 1],
    sum_us: AtomicU64,
}

/// A histogram as it was at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramReading {
    /// Each bound in microseconds, with how many were above the one before it and not above it;
    /// `None` for those above every bound.
    pub buckets: Vec<(Option<u64>, u64)>,
    /// All durations together, in microseconds.
    pub sum_us: u64,
}

impl Histogram {
    /// An empty histogram. The bounds are microseconds and ascend; there are 19 at most.
    ///
    /// # Panics
    /// With more of them.
    #[must_use]
    pub fn new(bounds_us: &'static [u64]) -> Self {
        assert!(bounds_us.len() <= BOUNDS_MAX, "the code has fewer bounds");
        Self {
            bounds_us,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_us: AtomicU64::new(0),
        }
    }

    /// Adds a duration.
    pub fn add(&self, duration: Duration) {
        self.add_us(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds a duration in microseconds.
    pub fn add_us(&self, micros: u64) {
        let place = self.bounds_us.partition_point(|bound| *bound < micros);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was added so far.
    #[must_use]
    pub fn read(&self) -> HistogramReading {
        let bounds = self.bounds_us.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|it| it.load(Ordering::Relaxed));
        HistogramReading {
            buckets: bounds.zip(counts).collect(),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

impl HistogramReading {
    /// How many durations were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// This and another one with the same bounds.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            mine.1 += theirs.1;
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_under_the_first_bound_that_holds_it() {
        let histogram = Histogram::new(&[10, 100]);
        for micros in [0, 10, 11, 100, 101] {
            histogram.add_us(micros);
        }
        histogram.add(Duration::from_micros(7));
        let read = histogram.read();
        assert_eq!(read.buckets, [(Some(10), 3), (Some(100), 2), (None, 1)]);
        assert_eq!((read.sum_us, read.count()), (229, 6));
    }
}
