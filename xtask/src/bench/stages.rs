//! Where the time of a request goes, by stage of the line.
//!
//! The gateway is sampled by `perf` under load, with its call stacks. Each sample is given to the
//! innermost frame that belongs to a stage, so that memory and system calls count for the stage
//! that asked for them. A stage's share of the samples, times the CPU of a request in the same
//! run, is its cost. Link-time optimisation melts functions into each other, so the build sampled
//! is the one without it: shares, not absolute figures, carry over to the release build.

use super::legs::Leg;
use super::load;
use super::upstream::Upstream;
use crate::run;
use crate::tools::apt_install;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;

/// A stage, and how the symbols begin that belong to it.
const STAGES: &[(&str, &[&str])] = &[
    (
        "listener",
        &[
            "postern_http::listener",
            "postern_http::strict",
            "postern_http::connection",
            "postern_http::source",
            "postern_http::tls",
        ],
    ),
    (
        "authenticate",
        &[
            "postern_guard::authenticate",
            "postern_guard::tokens",
            "postern_types::token",
        ],
    ),
    (
        "context",
        &[
            "postern_http::arrival",
            "postern_http::context",
            "postern_http::directory",
            "postern_inspect::locate",
            "postern_inspect::request",
            "postern_types::path",
        ],
    ),
    ("authorize", &["postern_policy", "cedar_policy"]),
    ("limit", &["postern_guard::limit"]),
    // The JSON scanner is left out: it serves requests and answers, and counts for its caller.
    (
        "inspect",
        &[
            "postern_inspect::response",
            "postern_inspect::models",
            "postern_http::inspect",
            "postern_http::body",
        ],
    ),
    (
        "forward",
        &[
            "postern_http::forward",
            "postern_http::headers",
            "postern_http::pool",
            "postern_http::connect",
        ],
    ),
    (
        "record",
        &[
            "postern_audit",
            "postern_types::record",
            "postern_guard::flight",
            "postern_guard::closer",
        ],
    ),
    (
        "rest of the line",
        &["postern_http", "postern_guard", "postern_types", "postern"],
    ),
    (
        "HTTP (hyper)",
        &["hyper", "hyper_util", "http", "httparse", "h2"],
    ),
];

const SOCKETS: &str = "sockets (kernel)";
const RUNTIME: &str = "runtime and the rest";

/// One row: a stage and its share of all samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Share {
    pub(super) stage: String,
    pub(super) percent: f64,
    pub(super) us_per_request: f64,
}

/// Samples one leg under load.
pub(super) fn run(leg: &Leg, upstream: &Upstream, folder: &Path) -> Result<Vec<Share>> {
    if run::find_program("perf").is_none() {
        apt_install(&["linux-perf"]).context("perf takes the samples")?;
    }
    let process = leg
        .process
        .as_ref()
        .context("only a proxy can be sampled")?;
    let data = folder.join("perf.data");
    let mut recorder = Command::new("perf")
        .args([
            "record",
            "-q",
            "-e",
            "cpu-clock",
            "-F",
            "999",
            "--call-graph",
            "dwarf,16384",
            "-o",
        ])
        .arg(&data)
        .args(["-p", &process.pid().to_string(), "--", "sleep", "6"])
        .spawn()
        .context("cannot start perf")?;
    let shape = load::Shape {
        concurrency: 16,
        seconds: 6,
    };
    let sample = load::run(leg, upstream, folder, shape)?;
    if !recorder.wait()?.success() {
        bail!("perf record failed");
    }
    let mut script = Command::new("perf");
    script
        .args(["script", "--no-inline", "-F", "ip,sym", "-i"])
        .arg(&data);
    let outcome = run::quietly(&mut script)?;
    let shares = attribute(&outcome.output, sample.cpu_us_per_request);
    if shares.is_empty() {
        bail!("perf script shows no samples: {}", outcome.output.trim());
    }
    Ok(shares)
}

/// Counts samples by stage. Samples are blocks of `address symbol` lines, innermost first.
fn attribute(script: &str, us_per_request: f64) -> Vec<Share> {
    let mut counts: Vec<(&str, u32)> = STAGES.iter().map(|(stage, _)| (*stage, 0)).collect();
    counts.extend([(SOCKETS, 0), (RUNTIME, 0)]);
    let mut total = 0_u32;
    for block in script.split("\n\n") {
        let frames: Vec<(&str, &str)> = block
            .lines()
            .filter_map(|line| line.trim().split_once(' '))
            .collect();
        if frames.is_empty() {
            continue;
        }
        total += 1;
        let stage = stage_of(&frames);
        let row = counts.iter_mut().find(|(name, _)| *name == stage);
        row.expect("every stage has a row").1 += 1;
    }
    let share = |(stage, count): (&str, u32)| {
        let part = f64::from(count) / f64::from(total);
        Share {
            stage: stage.to_owned(),
            percent: part * 100.0,
            us_per_request: part * us_per_request,
        }
    };
    if total == 0 {
        Vec::new()
    } else {
        counts.into_iter().map(share).collect()
    }
}

fn stage_of(frames: &[(&str, &str)]) -> &'static str {
    let in_kernel = frames
        .first()
        .is_some_and(|(address, _)| address.starts_with("ffff"));
    let found = frames.iter().find_map(|(_, symbol)| {
        let mut stages = STAGES.iter();
        stages.find(|(_, starts)| starts.iter().any(|start| belongs(symbol, start)))
    });
    match found {
        Some(("HTTP (hyper)", _)) | None if in_kernel => SOCKETS,
        Some((stage, _)) => stage,
        None => RUNTIME,
    }
}

/// `postern_http::pool` covers itself and what is below it, also as the type in
/// `<postern_http::pool::Pool as Trait>::call`.
fn belongs(symbol: &str, start: &str) -> bool {
    let symbol = symbol.trim_start_matches(['<', '&', '_']);
    symbol
        .strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a system call counts for the stage that made it, and only bare ones for the sockets.
    #[test]
    fn samples_go_to_the_innermost_stage() {
        let script = "\
\tffffffff81 vfs_write\n\t5500 write\n\t5501 postern_audit::log::append\n\t5502 \
postern_http::line::carry\n\t5503 hyper::proto::dispatch\n\n\
\tffffffff81 tcp_sendmsg\n\t5500 writev\n\t5503 hyper::proto::dispatch\n\t5502 \
postern_http::listener::serve\n\n\
\t5504 malloc\n\t5505 postern_inspect::json::Scanner::push\n\t5507 \
<postern_inspect::request::Seeker as core::Visit>::visit\n\n\
\t5506 tokio::runtime::park\n\n";
        let shares = attribute(script, 40.0);
        let of = |stage: &str| {
            let row = shares.iter().find(|share| share.stage == stage);
            row.map_or(f64::NAN, |share| share.us_per_request)
        };
        for stage in ["record", SOCKETS, "context", RUNTIME] {
            assert!((of(stage) - 10.0).abs() < 1e-9, "{stage}: {shares:?}");
        }
        assert!(of("forward").abs() < 1e-9);
    }
}
