//! `postern status`: how the running gateway is doing.

use clap::Args;

use super::Globals;
use super::admin::Admin;
use super::failure::Outcome;
use super::output::Out;
use super::table::{Cell, Sheet, Tone};
use crate::shapes;

/// How the running gateway is doing.
#[derive(Debug, Args)]
pub(super) struct Status {}

impl Status {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        let status: shapes::Status = admin.fetch("/api/v1/status").await?;
        out.answer(&status, |out| out.sheet(&sheet(&status)))?;
        Ok(())
    }
}

fn sheet(status: &shapes::Status) -> Sheet {
    let mut sheet = Sheet::new();
    let state = match (status.audit_healthy, status.stopping) {
        (false, _) => Cell::new(
            "refuses everything: the audit log is not healthy",
            Tone::Bad,
        ),
        (true, true) => Cell::new("stopping", Tone::Warn),
        (true, false) => Cell::new("serving", Tone::Good),
    };
    sheet.line("state", state);
    sheet.line("release", status.version.as_str());
    sheet.line("started", status.started_at.as_str());
    sheet.line("data plane", status.data.as_str());
    sheet.line("admin API", status.admin.as_str());
    sheet.line(
        "requests in progress",
        status.requests_in_progress.to_string(),
    );
    sheet.line(
        "request bodies in memory",
        format!("{} bytes", status.body_bytes),
    );
    sheet.line("tokens in memory", status.tokens_cached.to_string());
    sheet.line("environments", status.environments.to_string());
    let log = format!(
        "{} entries signed, {}",
        status.audit_size, status.audit_durability
    );
    sheet.line("audit log", log);
    if let Some(analyzer) = &status.analyzer {
        let mean_us = analyzer.total_us.checked_div(analyzer.calls).unwrap_or(0);
        let said = format!(
            "{} questions, {} failed, {mean_us} µs each",
            analyzer.calls, analyzer.failures
        );
        sheet.line("analyzer", said);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_what_is_held_and_what_is_wrong() {
        let status = shapes::Status {
            version: "1".to_owned(),
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            data: "127.0.0.1:1".to_owned(),
            admin: "127.0.0.1:2".to_owned(),
            stopping: false,
            audit_healthy: false,
            audit_size: 7,
            audit_durability: "buffered".to_owned(),
            requests_in_progress: 3,
            body_bytes: 4096,
            tokens_cached: 2,
            environments: 1,
            analyzer: Some(shapes::AnalyzerStatus {
                calls: 0,
                failures: 0,
                total_us: 0,
            }),
        };
        let said = sheet(&status).render(None);
        assert!(
            said.contains("4096 bytes") && said.contains("not healthy"),
            "{said}"
        );
        assert!(said.contains("0 questions"), "{said}");
    }
}
