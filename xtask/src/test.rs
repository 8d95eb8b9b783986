//! `cargo xtask test`: everything that must hold before a change lands, in one command.
//!
//! Steps run in the order in which they fail fastest. A failed step does not hide the ones after
//! it. The closing table says what ran, how long it took, and what was skipped and why; under
//! `CI=true` a skip is a failure, except for the few things no build machine can have
//! ([`NOT_HERE`]).

mod report;
mod steps;

use crate::tools::Toolbox;
use anyhow::Result;
use report::{Report, Verdict};
use std::path::Path;
use std::process::ExitCode;

/// Steps that may be skipped even under `CI=true`, and why.
const NOT_HERE: &[(&str, &str)] = &[(
    "advisories",
    "the advisory database is a download, and build machines may be offline",
)];

/// Runs all steps, or with `fast` the inner loop: formatting, tidy, unit and property tests.
pub(crate) fn run(root: &Path, fast: bool) -> Result<ExitCode> {
    let mut report = Report::new(std::env::var("CI").is_ok_and(|value| value == "true"));
    report.step("fmt", || steps::fmt(root));
    report.step("tidy", || steps::tidy(root));
    if fast {
        report.step("unit tests", || steps::unit_tests(root));
        return Ok(report.close());
    }
    let mut toolbox = Toolbox::default();
    report.step("tools", || {
        toolbox = Toolbox::install(root)?;
        Ok(Verdict::Passed)
    });
    for missing in &toolbox.missing {
        report.skip(missing.tool, &missing.why);
    }
    report.step("clippy", || steps::clippy(root));
    report.step("build", || steps::build(root));
    report.step("generated docs", || steps::generated(root));
    report.step("tests", || steps::tests(root, &toolbox));
    report.step("doctests", || steps::doctests(root, &toolbox));
    report.step("fuzz targets", || steps::fuzz_targets(root));
    report.step("deny", || steps::deny(root, &toolbox));
    report.step("advisories", || steps::advisories(root, &toolbox));
    Ok(report.close())
}
