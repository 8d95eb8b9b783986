//! What ran, how it went and how long it took.

use super::NOT_HERE;
use anyhow::Result;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a step went.
pub(super) enum Verdict {
    Passed,
    /// Passed, and this line says how much that was.
    Counted(String),
    Failed(String),
    /// What it needs could not be had.
    Skipped(String),
}

struct Row {
    step: String,
    verdict: Verdict,
    took: Duration,
}

/// The rows of the closing table.
pub(super) struct Report {
    rows: Vec<Row>,
    /// Under CI a skip is a failure.
    strict: bool,
}

impl Report {
    pub(super) fn new(strict: bool) -> Self {
        Self {
            rows: Vec::new(),
            strict,
        }
    }

    /// Runs one step; an error of the step itself is a failure of the step.
    pub(super) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Verdict>) {
        println!("\n== {name}");
        let started = Instant::now();
        let verdict = run().unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
        if let Verdict::Failed(why) = &verdict {
            println!("{name} failed: {why}");
        }
        self.rows.push(Row {
            step: name.to_owned(),
            verdict,
            took: started.elapsed(),
        });
    }

    /// Notes something that cannot be had at all.
    pub(super) fn skip(&mut self, name: &str, why: &str) {
        let verdict = Verdict::Skipped(why.to_owned());
        self.rows.push(Row {
            step: name.to_owned(),
            verdict,
            took: Duration::ZERO,
        });
    }

    /// Prints the table, the counts last, and answers whether all is well.
    pub(super) fn close(self) -> ExitCode {
        println!("\n{:<16} {:<8} {:>8}", "step", "result", "seconds");
        for row in &self.rows {
            let (word, detail) = match &row.verdict {
                Verdict::Passed => ("ok", ""),
                Verdict::Counted(_) => ("ok", "counts below"),
                Verdict::Failed(why) => ("FAILED", why.as_str()),
                Verdict::Skipped(why) => ("skipped", why.as_str()),
            };
            let detail = detail.lines().next().unwrap_or_default();
            println!(
                "{:<16} {word:<8} {:>8.1}  {detail}",
                row.step,
                row.took.as_secs_f64()
            );
        }
        let bad = self.rows.iter().filter(|row| self.is_bad(row)).count();
        if bad > 0 {
            let strict = if self.strict {
                " (a skip counts as one: CI=true)"
            } else {
                ""
            };
            println!("\n{bad} of {} steps failed{strict}", self.rows.len());
        } else {
            println!(
                "\nall {} steps passed or were skipped for the reason given",
                self.rows.len()
            );
        }
        // Last, where people and machines look for it.
        for row in &self.rows {
            if let Verdict::Counted(counts) = &row.verdict {
                println!("{counts}");
            }
        }
        if bad > 0 {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn is_bad(&self, row: &Row) -> bool {
        match &row.verdict {
            Verdict::Passed | Verdict::Counted(_) => false,
            Verdict::Failed(_) => true,
            Verdict::Skipped(_) => {
                self.strict && !NOT_HERE.iter().any(|(step, _)| *step == row.step)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(strict: bool, verdict: Verdict, step: &str) -> ExitCode {
        let mut report = Report::new(strict);
        report.step(step, || Ok(verdict));
        report.close()
    }

    /// Goal: a skip fails a build machine and nobody else, except for what no machine can have.
    #[test]
    fn a_skip_is_an_error_only_under_ci() {
        let skipped = || Verdict::Skipped("no such thing".to_owned());
        assert_eq!(report(false, skipped(), "nginx"), ExitCode::SUCCESS);
        assert_eq!(report(true, skipped(), "nginx"), ExitCode::FAILURE);
        assert_eq!(report(true, skipped(), "advisories"), ExitCode::SUCCESS);
    }

    #[test]
    fn a_failed_step_fails_the_run() {
        assert_eq!(
            report(false, Verdict::Failed("no".to_owned()), "tests"),
            ExitCode::FAILURE
        );
        let mut broken = Report::new(false);
        broken.step("tests", || anyhow::bail!("cannot start"));
        assert_eq!(broken.close(), ExitCode::FAILURE);
    }
}
