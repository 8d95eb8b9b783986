//! The first event of streams that begin one after the other: what the gateway adds to it, where no
//! storm of connections stands before it.

use super::legs::{self, Leg, Pace};
use super::statistics::{median, percentile};
use super::streams::{drain, first_event, source};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const STREAMS: u32 = 500;

/// Between the starts of two streams: long enough that the one before has its first event.
const APART: Duration = Duration::from_millis(4);

/// How often all of it is measured in one round; see [`super::delays`].
const TAKES: u32 = 3;

const PACE: Pace = Pace {
    events: 3,
    pause_ms: 5,
    stamped: false,
};

/// One measurement of one leg, the median of its takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) leg: String,
    pub(super) round: u32,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// That of each take.
    pub(super) p99s_us: Vec<f64>,
}

impl Sample {
    pub(super) fn line(&self) -> String {
        format!(
            "{:<18} {STREAMS} streams one by one: first event p50 {:.0} p99 {:.0} us \
             (takes {:.0?})",
            self.leg, self.p50_us, self.p99_us, self.p99s_us
        )
    }
}

/// Opens streams one by one, each on a connection of its own, and reads them to their end.
pub(super) fn run(leg: &Leg) -> Result<Sample> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut p50s, mut p99s) = (Vec::new(), Vec::new());
    for _ in 0..TAKES {
        let latencies = runtime.block_on(measure(leg))?;
        p50s.push(percentile(&latencies, 50.0));
        p99s.push(percentile(&latencies, 99.0));
    }
    Ok(Sample {
        leg: leg.name.to_owned(),
        round: 0,
        p50_us: median(p50s),
        p99_us: median(p99s.iter().copied()),
        p99s_us: p99s,
    })
}

/// The times to the first event in microseconds, the shortest first.
async fn measure(leg: &Leg) -> Result<Vec<f64>> {
    let mut tasks = Vec::new();
    let mut turn = tokio::time::interval(APART);
    for index in 0..STREAMS {
        turn.tick().await;
        let request = legs::stream_request(leg, index, PACE);
        let (address, source) = (leg.address, source(index));
        tasks.push(tokio::spawn(async move {
            let (latency, mut socket, seen) = first_event(address, source, &request).await?;
            drain(&mut socket, seen).await?;
            anyhow::Ok(latency)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        let latency = task.await?.context("a stream did not end well")?;
        latencies.push(latency.as_secs_f64() * 1e6);
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}
