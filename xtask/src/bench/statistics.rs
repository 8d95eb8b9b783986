//! Figures over rounds: medians, and ratios taken inside a round before their median.

use super::{delays, load, paced, streams};
use serde::{Deserialize, Serialize};

/// Everything that was measured, as it is written to `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) machine: Machine,
    pub(super) rounds: u32,
    /// Memory of each leg before any load, in the order of the legs.
    pub(super) idle_bytes: Vec<u64>,
    pub(super) requests: Vec<load::Sample>,
    pub(super) streams: Vec<streams::Sample>,
    pub(super) paced: Vec<paced::Sample>,
    pub(super) delays: Vec<delays::Sample>,
}

impl Results {
    pub(super) fn new(machine: Machine, rounds: u32) -> Self {
        Self {
            machine,
            rounds,
            idle_bytes: Vec::new(),
            requests: Vec::new(),
            streams: Vec::new(),
            paced: Vec::new(),
            delays: Vec::new(),
        }
    }

    /// The legs in the order in which they were measured.
    pub(super) fn legs(&self) -> Vec<String> {
        let mut legs: Vec<String> = Vec::new();
        for sample in &self.requests {
            if !legs.contains(&sample.leg) {
                legs.push(sample.leg.clone());
            }
        }
        legs
    }

    /// The samples of one leg at one concurrency.
    pub(super) fn requests_of(&self, leg: &str, concurrency: u32) -> Vec<&load::Sample> {
        let wanted =
            |sample: &&load::Sample| sample.leg == leg && sample.concurrency == concurrency;
        self.requests.iter().filter(wanted).collect()
    }

    /// The stream samples of one leg.
    pub(super) fn streams_of(&self, leg: &str) -> Vec<&streams::Sample> {
        self.streams
            .iter()
            .filter(|sample| sample.leg == leg)
            .collect()
    }
}

/// The machine of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) memory_gib: u64,
    pub(super) kernel: String,
}

impl Machine {
    pub(super) fn describe() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default();
            line.split_once(':')
                .map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory
            .split_whitespace()
            .next()
            .unwrap_or("0")
            .parse()
            .unwrap_or(0);
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib / (1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The middle of the values; NaN of none, which prints as what it is.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// The smallest value that `percent` of the sorted values do not exceed.
pub(super) fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

/// The median over rounds of `ours / theirs`, so that the mood of a round cancels out.
pub(super) fn median_ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&hundred, 50.0) - 50.0).abs() < 1e-9);
        assert!((percentile(&hundred, 99.0) - 99.0).abs() < 1e-9);
    }

    /// Goal: a slow round moves both and so changes nothing.
    #[test]
    fn ratios_are_taken_inside_a_round() {
        let (ours, theirs) = ([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]);
        assert!((median_ratio(&ours, &theirs) - 2.0).abs() < 1e-9);
    }
}
