//! The steps themselves. Each is one command, or one function of this workshop.

use super::report::Verdict;
use crate::run::{self, Outcome};
use crate::tools::Toolbox;
use crate::{generate, tidy};
use anyhow::Result;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// The advisory database is small; a fetch that takes longer than this will not come.
const ADVISORIES_LIMIT: Duration = Duration::from_secs(120);

pub(super) fn fmt(root: &Path) -> Result<Verdict> {
    cargo(root, &["fmt", "--all", "--check"], &[])
}

pub(super) fn tidy(root: &Path) -> Result<Verdict> {
    Ok(if tidy::run(root)? == ExitCode::SUCCESS {
        Verdict::Passed
    } else {
        Verdict::Failed("see the findings above".to_owned())
    })
}

pub(super) fn clippy(root: &Path) -> Result<Verdict> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    cargo(root, &arguments, &[])
}

/// Builds what the tests run, the binary included, in the one profile that all steps share.
pub(super) fn build(root: &Path) -> Result<Verdict> {
    cargo(
        root,
        &[
            "test",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-run",
        ],
        &[],
    )
}

/// The fuzz targets stand outside the workspace: what they call may go away without a word, and
/// their lock file may fall behind.
pub(super) fn fuzz_targets(root: &Path) -> Result<Verdict> {
    let arguments = [
        "check",
        "--locked",
        "--no-default-features",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        "target/fuzz",
    ];
    cargo(root, &arguments, &[])
}

pub(super) fn generated(root: &Path) -> Result<Verdict> {
    Ok(match generate::stale(root)?.as_slice() {
        [] => Verdict::Passed,
        stale => Verdict::Failed(format!("run `cargo xtask gen`: {}", stale.join(", "))),
    })
}

pub(super) fn tests(root: &Path, toolbox: &Toolbox) -> Result<Verdict> {
    run_tests(root, &["--workspace", "--locked"], toolbox)
}

pub(super) fn unit_tests(root: &Path) -> Result<Verdict> {
    run_tests(
        root,
        &["--workspace", "--lib", "--bins", "--locked"],
        &Toolbox::default(),
    )
}

pub(super) fn doctests(root: &Path, toolbox: &Toolbox) -> Result<Verdict> {
    cargo(
        root,
        &["test", "--workspace", "--doc", "--locked"],
        &toolbox.exports,
    )
}

pub(super) fn deny(root: &Path, toolbox: &Toolbox) -> Result<Verdict> {
    let Some(program) = &toolbox.cargo_deny else {
        return Ok(Verdict::Skipped(
            "cargo-deny could not be installed".to_owned(),
        ));
    };
    let mut command = Command::new(program);
    command
        .current_dir(root)
        .args(["--locked", "check", "bans", "licenses", "sources"]);
    Ok(judge(&run::visibly(&mut command)?))
}

pub(super) fn advisories(root: &Path, toolbox: &Toolbox) -> Result<Verdict> {
    let Some(program) = &toolbox.cargo_deny else {
        return Ok(Verdict::Skipped(
            "cargo-deny could not be installed".to_owned(),
        ));
    };
    let mut command = Command::new(program);
    command
        .current_dir(root)
        .args(["--locked", "check", "advisories"]);
    let outcome = run::quietly_within(&mut command, ADVISORIES_LIMIT)?;
    if !outcome.success && !outcome.output.contains("advisories FAILED") {
        return Ok(Verdict::Skipped(
            "the advisory database cannot be fetched here".to_owned(),
        ));
    }
    println!("{}", outcome.output.trim_end());
    Ok(judge(&outcome))
}

/// Tests by nextest where it is installed, else by cargo's own runner.
fn run_tests(root: &Path, what: &[&str], toolbox: &Toolbox) -> Result<Verdict> {
    let nextest = run::find_program("cargo-nextest").is_some();
    let runner: &[&str] = if nextest {
        &["nextest", "run"]
    } else {
        &["test", "--no-fail-fast"]
    };
    let mut command = run::cargo(root);
    command
        .args(runner)
        .args(what)
        .envs(toolbox.exports.iter().cloned());
    let outcome = run::visibly(&mut command)?;
    if !outcome.success {
        let summary = summary(&outcome.output);
        return Ok(Verdict::Failed(
            summary.lines().next().unwrap_or("no summary").to_owned(),
        ));
    }
    Ok(Verdict::Counted(summary(&outcome.output)))
}

/// The closing lines of the runner: nextest's one, or the totals of cargo's many.
fn summary(output: &str) -> String {
    if let Some(line) = output
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary"))
    {
        return line.to_owned();
    }
    let (mut passed, mut failed) = (0, 0);
    for line in output
        .lines()
        .filter(|line| line.starts_with("test result:"))
    {
        for part in line.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let count: u32 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => passed += count,
                Some("failed") => failed += count,
                _ => {}
            }
        }
    }
    format!("tests: {passed} passed, {failed} failed")
}

fn cargo(root: &Path, arguments: &[&str], exports: &[(&'static str, String)]) -> Result<Verdict> {
    let mut command = run::cargo(root);
    command.args(arguments).envs(exports.iter().cloned());
    Ok(judge(&run::visibly(&mut command)?))
}

fn judge(outcome: &Outcome) -> Verdict {
    if outcome.success {
        Verdict::Passed
    } else {
        Verdict::Failed("see its output above".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_summed_up() {
        let nextest = "PASS x\n     Summary [   1.2s] 3 tests run: 3 passed, 0 skipped\n";
        assert_eq!(
            summary(nextest).trim(),
            "Summary [   1.2s] 3 tests run: 3 passed, 0 skipped"
        );
        let cargo = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n\
                     test result: FAILED. 4 passed; 2 failed; 0 ignored\n";
        assert_eq!(summary(cargo), "tests: 7 passed, 2 failed");
    }
}
