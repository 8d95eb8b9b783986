//! The requests of one upstream: how they ended, how long they took, what they carried.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use postern_types::{End, Grant, ModelPattern, RefusalCode, Rights, UpstreamName, Usage};

use super::histogram::{Histogram, HistogramReading};
use crate::bounds::{BEFORE_FORWARD_BOUNDS_US, COUNT_LANES, MODELS_COUNTED_MAX, REQUEST_BOUNDS_US};

/// Classes of an upstream's status: 1xx to 5xx.
const STATUS_CLASSES: usize = 5;

/// Under which name models are counted that no grant spells out.
const REST: &str = "other";

/// The requests of one upstream, or those of an environment that reached none.
///
/// Threads count in lanes of their own, so that cores do not wait for each other's cache lines.
#[derive(Debug)]
pub struct RequestCounts {
    lanes: Box<[Lane]>,
    models: Models,
}

/// The counts of some of the threads, apart from those of the others.
#[derive(Debug)]
#[repr(align(128))]
struct Lane {
    ends: [AtomicU64; End::ALL.len()],
    refusals: [AtomicU64; RefusalCode::ALL.len()],
    answers: [AtomicU64; STATUS_CLASSES],
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    took: Histogram,
    before_forward: Histogram,
}

/// What is known of a request when it is settled.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) end: End,
    pub(crate) refusal: Option<RefusalCode>,
    pub(crate) upstream_status: Option<u16>,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) total_us: u64,
    pub(crate) forwarded_us: Option<u64>,
}

/// What one model consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUse {
    /// The model as grants spell it out; `other` for all that none does.
    pub model: String,
    /// Input tokens, as the provider reported them.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
}

impl Default for RequestCounts {
    fn default() -> Self {
        Self {
            lanes: (0..COUNT_LANES).map(|_| Lane::default()).collect(),
            models: Models::default(),
        }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            ends: std::array::from_fn(|_| AtomicU64::new(0)),
            refusals: std::array::from_fn(|_| AtomicU64::new(0)),
            answers: std::array::from_fn(|_| AtomicU64::new(0)),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            took: Histogram::new(REQUEST_BOUNDS_US),
            before_forward: Histogram::new(BEFORE_FORWARD_BOUNDS_US),
        }
    }
}

impl RequestCounts {
    /// Requests that ended, by how.
    pub fn ends(&self) -> impl Iterator<Item = (End, u64)> {
        let count = |end: End| self.sum(|lane| &lane.ends[end as usize]);
        End::ALL.iter().map(move |end| (*end, count(*end)))
    }

    /// Refusals by their code, those that ended an answer half-way among them.
    pub fn refusals(&self) -> impl Iterator<Item = (RefusalCode, u64)> {
        let count = |code: RefusalCode| self.sum(|lane| &lane.refusals[code as usize]);
        RefusalCode::ALL
            .iter()
            .map(move |code| (*code, count(*code)))
    }

    /// Answers of the upstream by the first digit of their status.
    pub fn answers(&self) -> impl Iterator<Item = (usize, u64)> {
        (0..STATUS_CLASSES).map(|class| (class + 1, self.sum(|lane| &lane.answers[class])))
    }

    /// Bytes of request bodies that went upstream.
    #[must_use]
    pub fn request_bytes(&self) -> u64 {
        self.sum(|lane| &lane.request_bytes)
    }

    /// Bytes of response bodies that went downstream.
    #[must_use]
    pub fn response_bytes(&self) -> u64 {
        self.sum(|lane| &lane.response_bytes)
    }

    /// How long requests took, from their head to the last byte of their answer.
    #[must_use]
    pub fn took(&self) -> HistogramReading {
        self.merged(|lane| &lane.took)
    }

    /// How long it was until a request was forwarded, its body's arrival included where it is read
    /// first.
    #[must_use]
    pub fn before_forward(&self) -> HistogramReading {
        self.merged(|lane| &lane.before_forward)
    }

    /// What models consumed.
    #[must_use]
    pub fn models(&self) -> Vec<ModelUse> {
        self.models.read()
    }

    pub(crate) fn settle(&self, settled: &Settled) {
        let add = |count: &AtomicU64, by: u64| {
            if by > 0 {
                count.fetch_add(by, Ordering::Relaxed);
            }
        };
        let lane = self.lane();
        add(&lane.ends[settled.end as usize], 1);
        if let Some(code) = settled.refusal {
            add(&lane.refusals[code as usize], 1);
        }
        let class = settled
            .upstream_status
            .map(|status| usize::from(status / 100));
        if let Some(count) = class.and_then(|class| lane.answers.get(class.wrapping_sub(1))) {
            add(count, 1);
        }
        add(&lane.request_bytes, settled.request_bytes);
        add(&lane.response_bytes, settled.response_bytes);
        lane.took.add_us(settled.total_us);
        if let Some(micros) = settled.forwarded_us {
            lane.before_forward.add_us(micros);
        }
    }

    /// A request for which there was no flight: it took no time.
    pub(crate) fn turned_away(&self, code: RefusalCode) {
        let lane = self.lane();
        lane.ends[End::Refused as usize].fetch_add(1, Ordering::Relaxed);
        lane.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts of a model that one of these grants allowed.
    pub(crate) fn model(
        &self,
        model: &str,
        upstream: &UpstreamName,
        grants: &[Grant],
    ) -> Arc<ModelCounts> {
        self.models
            .of(model, || spells_out(grants, upstream, model))
    }

    fn lane(&self) -> &Lane {
        &self.lanes[own_lane() % self.lanes.len()]
    }

    fn sum(&self, count: impl Fn(&Lane) -> &AtomicU64) -> u64 {
        let each = self.lanes.iter();
        each.map(|lane| count(lane).load(Ordering::Relaxed)).sum()
    }

    fn merged(&self, histogram: impl Fn(&Lane) -> &Histogram) -> HistogramReading {
        let mut merged = histogram(&self.lanes[0]).read();
        for lane in &self.lanes[1..] {
            merged.merge(&histogram(lane).read());
        }
        merged
    }
}

/// The number of the lane that this thread counts in. Threads take them in turn, as they come.
fn own_lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let lane = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT_LANES;
            own.set(Some(lane));
            lane
        })
    })
}

/// Whether a grant names the model itself, not by a prefix: then it is an administrator's word.
fn spells_out(grants: &[Grant], upstream: &UpstreamName, model: &str) -> bool {
    grants.iter().any(|grant| {
        let Rights::Invoke(invoke) = &grant.actions else {
            return false;
        };
        let spelt = |named: &ModelPattern| !named.includes_future() && named.as_str() == model;
        grant.upstream == *upstream && invoke.models.iter().any(spelt)
    })
}

/// What one model consumed.
#[derive(Debug)]
pub(crate) struct ModelCounts {
    model: Box<str>,
    input_tokens: AtomicU64,
    output_tokens: AtomicU64,
}

impl ModelCounts {
    fn new(model: &str) -> Arc<Self> {
        Arc::new(Self {
            model: model.into(),
            input_tokens: AtomicU64::new(0),
            output_tokens: AtomicU64::new(0),
        })
    }

    pub(crate) fn add(&self, usage: &Usage) {
        let (input, output) = (usage.input_tokens(), usage.output_tokens());
        self.input_tokens.fetch_add(input, Ordering::Relaxed);
        self.output_tokens.fetch_add(output, Ordering::Relaxed);
    }

    fn read(&self) -> ModelUse {
        ModelUse {
            model: self.model.to_string(),
            input_tokens: self.input_tokens.load(Ordering::Relaxed),
            output_tokens: self.output_tokens.load(Ordering::Relaxed),
        }
    }
}

/// The models of one upstream that are counted apart.
#[derive(Debug)]
struct Models {
    named: ArcSwap<Vec<Arc<ModelCounts>>>,
    rest: Arc<ModelCounts>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            named: ArcSwap::default(),
            rest: ModelCounts::new(REST),
        }
    }
}

impl Models {
    /// The counts of a model: of its own where its name is `known` to an administrator, as long as
    /// there is room.
    fn of(&self, model: &str, known: impl Fn() -> bool) -> Arc<ModelCounts> {
        let find = |named: &[Arc<ModelCounts>]| {
            let found = named.iter().find(|counts| *counts.model == *model);
            found.map(Arc::clone)
        };
        if let Some(counts) = find(&self.named.load()) {
            return counts;
        }
        if !known() {
            return Arc::clone(&self.rest);
        }
        let new = ModelCounts::new(model);
        self.named.rcu(|named| {
            if named.len() >= MODELS_COUNTED_MAX || find(named).is_some() {
                return Arc::clone(named);
            }
            let more = named.iter().cloned().chain([Arc::clone(&new)]);
            Arc::new(more.collect())
        });
        find(&self.named.load()).unwrap_or_else(|| Arc::clone(&self.rest))
    }

    fn read(&self) -> Vec<ModelUse> {
        let named = self.named.load_full();
        let all = named.iter().chain([&self.rest]);
        all.map(|counts| counts.read()).collect()
    }
}

#[cfg(test)]
mod tests;
