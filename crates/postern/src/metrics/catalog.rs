//! The list of all metrics: their names, what they count, and by what.
//!
//! The page and the reference are both made from it, so that neither can say what the other does
//! not. Names follow Prometheus: base units, and `_total` after each counter, which the encoder
//! adds.

use std::fmt::Write as _;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows, until the gateway is started anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Durations by their length.
    Histogram,
}

/// One metric.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [&'static str],
    /// One sentence.
    pub(crate) help: &'static str,
}

/// Where a request went: an administrator's words, empty where it reached none.
const WHERE: &[&str] = &["environment", "upstream"];

macro_rules! metrics {
    ($($name:ident: $kind:ident $text:literal $labels:expr, $help:literal;)*) => {
        $(pub(crate) static $name: Metric = Metric {
            name: $text,
            kind: Kind::$kind,
            labels: $labels,
            help: $help,
        };)*

        /// Every metric, in the order of the page.
        pub(crate) static ALL: &[&Metric] = &[$(&$name,)*];
    };
}

metrics! {
    BUILD: Gauge "postern_build_info" &["version"],
        "Always 1; the label says which release runs";
    REQUESTS: Counter "postern_requests" &["environment", "upstream", "end"],
        "Requests that ended, by how";
    REFUSALS: Counter "postern_refusals" &["environment", "upstream", "code"],
        "Requests that the gateway refused or broke off, by refusal code";
    ANSWERS: Counter "postern_upstream_answers" &["environment", "upstream", "status"],
        "Answers of upstreams, by class of status";
    TOOK: Histogram "postern_request_duration_seconds" WHERE,
        "Time from the head of a request to the last byte of its answer";
    BEFORE_FORWARD: Histogram "postern_before_forward_seconds" WHERE,
        "Time from the head of a request until it was forwarded";
    REQUEST_BYTES: Counter "postern_request_body_bytes" WHERE,
        "Bytes of request bodies that went upstream";
    RESPONSE_BYTES: Counter "postern_response_body_bytes" WHERE,
        "Bytes of response bodies that went downstream";
    INPUT_TOKENS: Counter "postern_input_tokens" &["environment", "upstream", "model"],
        "Input tokens of models, as providers reported them";
    OUTPUT_TOKENS: Counter "postern_output_tokens" &["environment", "upstream", "model"],
        "Output tokens of models, as providers reported them";
    FINDINGS: Counter "postern_findings" &["class", "action", "direction", "place", "dry_run"],
        "What data rules found, by what was done about it";
    LIMITED: Counter "postern_limited" &["limit"],
        "Requests that a limit of their token refused, by the sort of limit";
    IN_PROGRESS: Gauge "postern_requests_in_progress" &[],
        "Requests in progress";
    UNDER_WAY: Gauge "postern_answers_under_way" &[],
        "Answers on their way from an upstream to a client, streams among them";
    BODY_BYTES: Gauge "postern_held_body_bytes" &[],
        "Bytes of request bodies held in memory";
    CONNECTIONS: Gauge "postern_connections_open" &[],
        "Connections of clients that are open";
    DROPPED: Counter "postern_connections_dropped" &[],
        "Connections dropped as they came, because too many were open";
    TOKENS: Gauge "postern_tokens_in_memory" &[],
        "Tokens in memory";
    ADMIN_ACTS: Counter "postern_admin_acts" &["action", "outcome"],
        "Acts of administrators, by action";
    ANALYZER_TOOK: Histogram "postern_analyzer_duration_seconds" &[],
        "Time of each question to the analyzer of names";
    ANALYZER_FAILURES: Counter "postern_analyzer_failures" &[],
        "Questions to the analyzer that were not answered in time, or not readably";
    AUDIT_HEALTHY: Gauge "postern_audit_healthy" &[],
        "1 while the audit log takes records; at 0 every request is refused";
    AUDIT_ENTRIES: Counter "postern_audit_entries" &[],
        "Entries of the audit log on stable storage, since it was begun";
    AUDIT_SIGNED: Gauge "postern_audit_signed_entries" &[],
        "Entries of the audit log that the newest signed checkpoint covers";
    AUDIT_SYNC: Histogram "postern_audit_sync_duration_seconds" &[],
        "Time of each sync of the audit log";
    CPU: Counter "process_cpu_seconds" &[],
        "Processor time of the process, in user and in system mode";
    MEMORY: Gauge "process_resident_memory_bytes" &[],
        "Memory of the process that is in use";
    FILES: Gauge "process_open_fds" &[],
        "File descriptors that the process has open";
    STARTED: Gauge "process_start_time_seconds" &[],
        "When the gateway started, in seconds since 1970";
}

/// What each label can say.
const LABELS: &[(&str, &str)] = &[
    (
        "environment",
        "the name of an environment; empty for requests whose token was not known",
    ),
    (
        "upstream",
        "the name of an upstream; empty for requests that reached none",
    ),
    ("end", "how a request ended, as in [records.md](records.md)"),
    ("code", "a refusal code of [refusals.md](refusals.md)"),
    ("status", "`1xx` to `5xx`"),
    (
        "model",
        "a model that a grant of the environment's tokens spells out, at most 64 for each \
         upstream; `other` for every other, those that a prefix such as `gpt-*` grants among them",
    ),
    (
        "class",
        "a data class of [data-classes.md](data-classes.md), or `custom:NAME` of a data rule; \
         `other` beyond 2048 combinations",
    ),
    (
        "action",
        "of findings: `allow`, `flag`, `mask`, `keep-last`, `hash`, `pseudonym`, `block`; of \
         administrators: the action as the audit log names it, `token.create` and `token.revoke` \
         among them",
    ),
    ("direction", "`request` or `response`"),
    ("place", "`body`, `header` or `query`"),
    ("dry_run", "`true` where the rule only reports"),
    (
        "limit",
        "`requests/second`, `requests/minute` or `concurrency`",
    ),
    ("outcome", "`done` or `refused`"),
    ("version", "the release"),
];

impl Metric {
    /// The name as it is queried.
    fn queried(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

/// The reference page.
pub(crate) fn reference() -> String {
    let mut page = String::from(
        "# Metrics\n\nGenerated by `postern reference metrics`. Do not edit.\n\n\
         `GET /metrics` on the admin API, in the text format of Prometheus (version 0.0.4). It \
         asks for an administrator of the whole installation, an `auditor` is enough; the \
         data plane has no such path. How to scrape it is in [operations.md](../operations.md).\n\n\
         No label holds anything that a client says: each is one of a closed list, or a name that \
         an administrator gave. Counts begin at zero with each start, but for the entries of the \
         audit log; those of an upstream go with it.\n\n\
         | metric | type | labels | counts |\n|---|---|---|---|\n",
    );
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|it| format!("`{it}`")).collect();
        // Writing into a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {} | {} |",
            metric.queried(),
            labels.join(", "),
            metric.help
        );
    }
    page.push_str("\n| label | says |\n|---|---|\n");
    for (label, says) in LABELS {
        let _ = writeln!(page, "| `{label}` | {says} |");
    }
    page.push_str(
        "\nThe analyzer's metrics are there only where one is set up. Questions to it are counted \
         by `postern_analyzer_duration_seconds_count`. `postern_before_forward_seconds` holds the \
         arrival of the request's body where it is read before it is judged; a client that sends \
         slowly shows in it.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_label_is_explained() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        let used: BTreeSet<_> = ALL.iter().flat_map(|metric| metric.labels).collect();
        let explained: BTreeSet<_> = LABELS.iter().map(|(label, _)| label).collect();
        assert_eq!(used, explained);
        for metric in ALL {
            assert!(!metric.name.ends_with("_total"), "{}", metric.name);
            assert!(!metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
