//! Metrics: what the gateway counts, for Prometheus.
//!
//! The counts are kept where they arise, as plain numbers; this reads them when it is asked. So
//! nothing on the way of a request knows of names, labels or formats.

pub(crate) mod catalog;
mod page;
mod process;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use postern_guard::{Counted, Guard, Histogram};
use postern_http::{AnalyzerCounts, Connections};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;

use page::Page;
use process::Process;

/// The type of the page.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Bounds of the histogram of syncs of the audit log, in microseconds.
const SYNC_BOUNDS_US: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
];

/// An empty histogram of syncs of the audit log.
pub(crate) fn sync_histogram() -> Histogram {
    Histogram::new(SYNC_BOUNDS_US)
}

/// Where counts are kept.
#[derive(Clone)]
pub struct Sources {
    /// The stages, and the audit log with them.
    pub guard: Arc<Guard>,
    /// Connections of the data plane.
    pub connections: Connections,
    /// The analyzer, if there is one.
    pub analyzer: Option<Arc<AnalyzerCounts>>,
    /// How long syncs of the audit log took.
    pub audit_syncs: Arc<Histogram>,
    /// When the gateway started.
    pub started_at: Timestamp,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Sources {
    /// The page as it is now.
    ///
    /// # Errors
    /// Never: it is written into memory.
    pub(crate) fn page(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut page = String::new();
        prometheus_text::encode(&mut page, &registry)?;
        Ok(page)
    }

    fn audit(&self, page: &mut Page<'_>) -> fmt::Result {
        let log = self.guard.log();
        page.one(&catalog::AUDIT_HEALTHY, u64::from(log.healthy()))?;
        page.one(&catalog::AUDIT_ENTRIES, log.durable_size())?;
        page.one(&catalog::AUDIT_SIGNED, log.checkpoint().size())?;
        let syncs = [(Vec::new(), self.audit_syncs.read())];
        page.histograms(&catalog::AUDIT_SYNC, syncs)
    }

    fn now(&self, page: &mut Page<'_>) -> fmt::Result {
        let status = self.guard.status();
        page.one(&catalog::IN_PROGRESS, status.in_progress as u64)?;
        let under_way = self.guard.meters().answers_under_way();
        page.one(&catalog::UNDER_WAY, under_way)?;
        page.one(&catalog::BODY_BYTES, status.body_bytes)?;
        page.one(&catalog::CONNECTIONS, self.connections.open() as u64)?;
        page.one(&catalog::DROPPED, self.connections.dropped())?;
        page.one(&catalog::TOKENS, status.tokens_cached as u64)
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let process = Process::look();
        if let Some(seconds) = process.cpu_seconds {
            page.fraction(&catalog::CPU, seconds)?;
        }
        if let Some(bytes) = process.memory_bytes {
            page.one(&catalog::MEMORY, bytes)?;
        }
        if let Some(files) = process.open_files {
            page.one(&catalog::FILES, files)?;
        }
        let started = self.started_at.as_second();
        page.one(&catalog::STARTED, u64::try_from(started).unwrap_or(0))
    }
}

impl Collector for Sources {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        page.each(&catalog::BUILD, [(vec![version], 1)])?;
        requests(&mut page, &self.guard.counted())?;
        rules_limits_and_acts(&mut page, &self.guard)?;
        self.now(&mut page)?;
        if let Some(analyzer) = &self.analyzer {
            let took = [(Vec::new(), analyzer.took())];
            page.histograms(&catalog::ANALYZER_TOOK, took)?;
            page.one(&catalog::ANALYZER_FAILURES, analyzer.failures())?;
        }
        self.audit(&mut page)?;
        self.process(&mut page)
    }
}

/// What is counted for each upstream.
fn requests(page: &mut Page<'_>, counted: &[Counted]) -> fmt::Result {
    // Each list stands beside where its requests went.
    let by = |read: &dyn Fn(&Counted) -> Vec<(String, u64)>| -> Vec<(Vec<String>, u64)> {
        let series = |it: &Counted| {
            let place = place(it);
            let labelled = move |(label, count): (String, u64)| {
                (place.iter().cloned().chain([label]).collect(), count)
            };
            read(it).into_iter().map(labelled).collect::<Vec<_>>()
        };
        counted.iter().flat_map(series).collect()
    };
    let ends = by(&|it| {
        let ends = it.requests.ends();
        ends.map(|(end, count)| (end.as_str().to_owned(), count))
            .collect()
    });
    page.each(&catalog::REQUESTS, ends)?;
    let refusals = by(&|it| {
        let refusals = it.requests.refusals();
        refusals
            .map(|(code, count)| (code.to_string(), count))
            .collect()
    });
    page.each(&catalog::REFUSALS, refusals)?;
    let answers = by(&|it| {
        let answers = it.requests.answers();
        answers
            .map(|(class, count)| (format!("{class}xx"), count))
            .collect()
    });
    page.each(&catalog::ANSWERS, answers)?;
    let took = counted.iter().map(|it| (place(it), it.requests.took()));
    page.histograms(&catalog::TOOK, took)?;
    let before = counted
        .iter()
        .map(|it| (place(it), it.requests.before_forward()));
    page.histograms(&catalog::BEFORE_FORWARD, before)?;
    let bytes = counted
        .iter()
        .map(|it| (place(it), it.requests.request_bytes()));
    page.each(&catalog::REQUEST_BYTES, bytes)?;
    let bytes = counted
        .iter()
        .map(|it| (place(it), it.requests.response_bytes()));
    page.each(&catalog::RESPONSE_BYTES, bytes)?;
    let models = |tokens: fn(&postern_guard::ModelUse) -> u64| {
        by(&|it| {
            // Models are an upstream's.
            let upstream = it.upstream.as_ref();
            let models = upstream.map(|_| it.requests.models()).into_iter().flatten();
            models
                .map(|used| (used.model.clone(), tokens(&used)))
                .collect()
        })
    };
    page.each(&catalog::INPUT_TOKENS, models(|used| used.input_tokens))?;
    page.each(&catalog::OUTPUT_TOKENS, models(|used| used.output_tokens))
}

/// Where requests went, as labels.
fn place(counted: &Counted) -> Vec<String> {
    let environment = counted.environment.as_ref().map(ToString::to_string);
    let upstream = counted.upstream.as_ref().map(ToString::to_string);
    vec![
        environment.unwrap_or_default(),
        upstream.unwrap_or_default(),
    ]
}

fn rules_limits_and_acts(page: &mut Page<'_>, guard: &Guard) -> fmt::Result {
    let meters = guard.meters();
    let findings = meters.findings().into_iter().map(|(key, count)| {
        let place = key.place.as_str();
        let words = [key.action, key.direction, place].map(str::to_owned);
        let labels = [key.class].into_iter().chain(words);
        (labels.chain([key.dry_run.to_string()]).collect(), count)
    });
    page.each(&catalog::FINDINGS, findings)?;
    let limited = meters.limited();
    let limited = limited.map(|(limit, count)| (vec![limit.to_owned()], count));
    page.each(&catalog::LIMITED, limited)?;
    let acts = meters.acts().into_iter().map(|(action, done, count)| {
        let outcome = if done { "done" } else { "refused" };
        (vec![action.to_owned(), outcome.to_owned()], count)
    });
    page.each(&catalog::ADMIN_ACTS, acts)
}
