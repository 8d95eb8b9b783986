//! Small requests by wrk: how many, how fast, at what cost.

use super::legs::{self, Leg};
use super::upstream::Upstream;
use crate::run;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// How the load is made.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) concurrency: u32,
    pub(super) seconds: u32,
}

/// One measurement of one leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) leg: String,
    pub(super) round: u32,
    pub(super) concurrency: u32,
    pub(super) requests: u64,
    pub(super) requests_per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p90_us: f64,
    pub(super) p99_us: f64,
    /// CPU of the proxy, 0 without one.
    pub(super) cpu_us_per_request: f64,
    pub(super) upstream_cpu_us_per_request: f64,
    /// Memory of the proxy right after the load.
    pub(super) resident_bytes: u64,
}

impl Sample {
    pub(super) fn line(&self) -> String {
        format!(
            "{:<18} c={:<3} {:>8.0} req/s  p50 {:>6.0} p99 {:>6.0} us  CPU {:>6.1} us/req",
            self.leg,
            self.concurrency,
            self.requests_per_second,
            self.p50_us,
            self.p99_us,
            self.cpu_us_per_request
        )
    }
}

/// What the script prints at its end.
#[derive(Deserialize)]
struct Said {
    requests: u64,
    duration_us: f64,
    errors: u64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
}

/// Loads one leg. An answer other than 2xx is an error: a refused request is cheap and would
/// flatter.
pub(super) fn run(leg: &Leg, upstream: &Upstream, folder: &Path, shape: Shape) -> Result<Sample> {
    let script = folder.join("load.lua");
    std::fs::write(&script, lua(leg))?;
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "--timeout", "10s"])
        .arg(format!("-c{}", shape.concurrency))
        .arg(format!("-d{}s", shape.seconds))
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{}", leg.address));
    let (proxy_before, upstream_before) = (leg.cpu_us(), upstream.cpu_us());
    let outcome = run::quietly(&mut wrk)?;
    let (proxy_us, upstream_us) = (
        leg.cpu_us() - proxy_before,
        upstream.cpu_us() - upstream_before,
    );
    let said = outcome
        .output
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "));
    let said: Said = serde_json::from_str(said.with_context(|| outcome.output.clone())?)?;
    if said.errors > 0 || said.requests == 0 {
        bail!(
            "{}: {} of {} requests failed",
            leg.name,
            said.errors,
            said.requests
        );
    }
    let requests = said.requests as f64;
    Ok(Sample {
        leg: leg.name.to_owned(),
        round: 0,
        concurrency: shape.concurrency,
        requests: said.requests,
        requests_per_second: requests * 1e6 / said.duration_us,
        p50_us: said.p50_us,
        p90_us: said.p90_us,
        p99_us: said.p99_us,
        cpu_us_per_request: proxy_us as f64 / requests,
        upstream_cpu_us_per_request: upstream_us as f64 / requests,
        resident_bytes: leg.resident_bytes(),
    })
}

/// The script: prepared requests, one a token, in turn.
fn lua(leg: &Leg) -> String {
    let mut script = String::from("local prepared = {}\nfunction init()\n");
    let body = legs::request_body(None);
    for (index, token) in leg.tokens.iter().enumerate() {
        // Tokens and the body hold nothing that a long bracket could not.
        let _infallible = writeln!(
            script,
            "  prepared[{}] = wrk.format('POST', '{}', {{ ['Authorization'] = 'Bearer {token}', \
             ['Content-Type'] = 'application/json' }}, [==[{body}]==])",
            index + 1,
            leg.path
        );
    }
    script.push_str(
        "end\nlocal turn = 0\nfunction request()\n  turn = turn + 1\n  \
         return prepared[turn % #prepared + 1]\nend\nfunction done(summary, latency)\n  \
         local e = summary.errors\n  io.write(string.format('RESULT {\"requests\":%d,\
         \"duration_us\":%d,\"errors\":%d,\"p50_us\":%d,\"p90_us\":%d,\"p99_us\":%d}\\n', \
         summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout, \
         latency:percentile(50), latency:percentile(90), latency:percentile(99)))\nend\n",
    );
    script
}
