//! The gateway, set up as an operator would: by its own command line.

use super::legs::Leg;
use super::nginx::free_address;
use super::processes::Process;
use super::upstream::Upstream;
use crate::run;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many tokens share the load.
const TOKENS: usize = 16;

/// How long a gateway may take to listen; under a profiler it takes a while.
const START_MAX: Duration = Duration::from_secs(60);

/// How a gateway is set up.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    /// As it stands in the table.
    pub(super) name: &'static str,
    /// The durability of the audit log, as in `postern.toml`.
    durability: &'static str,
    /// Whether a data rule masks every class, both ways.
    pub(super) rule: bool,
}

/// Both levels of durability, and the first one under a data rule.
pub(super) const SETUPS: [Setup; 3] = [
    Setup {
        name: UNRULED,
        durability: "buffered",
        rule: false,
    },
    Setup {
        name: "postern durable",
        durability: "durable",
        rule: false,
    },
    Setup {
        name: RULED,
        durability: "buffered",
        rule: true,
    },
];

/// The gateway with which the one under a data rule is compared.
pub(super) const UNRULED: &str = "postern buffered";

/// The gateway under a data rule.
pub(super) const RULED: &str = "postern, data rule";

#[derive(Deserialize)]
struct Minted {
    token: String,
}

/// Builds the binary and answers where it is.
pub(super) fn build(root: &Path, profile: &str) -> Result<PathBuf> {
    println!("building postern in profile `{profile}`");
    let mut cargo = run::cargo(root);
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "postern",
        "--profile",
        profile,
    ]);
    if !run::visibly(&mut cargo)?.success {
        bail!("the gateway does not build");
    }
    Ok(super::target(root).join(profile).join("postern"))
}

/// Starts a fresh gateway in front of the upstream, with a token that everything applies to:
/// policy layers, grants, a rate, a concurrency limit, inspection both ways, the audit log.
pub(super) fn start(
    binary: &Path,
    folder: &Path,
    upstream: &Upstream,
    setup: Setup,
) -> Result<Leg> {
    start_under(&[], binary, folder, upstream, setup)
}

/// The same, run by another program that is given the gateway's command line.
pub(super) fn start_under(
    runner: &[&str],
    binary: &Path,
    folder: &Path,
    upstream: &Upstream,
    setup: Setup,
) -> Result<Leg> {
    let home = folder.join(match setup.rule {
        true => "ruled",
        false => setup.durability,
    });
    if home.exists() {
        std::fs::remove_dir_all(&home).context("cannot remove the last run")?;
    }
    std::fs::create_dir_all(&home)?;
    let (data, admin) = (free_address()?, free_address()?);
    let configuration = format!(
        "[listen]\ndata = \"{data}\"\nadmin = \"{admin}\"\n\n\
         [audit]\ndurability = \"{}\"\n",
        setup.durability
    );
    std::fs::write(home.join("postern.toml"), configuration)?;
    let postern = |arguments: &[&str]| command(&[], binary, &home, arguments);
    finish(&mut postern(&["init"]))?;
    let log = std::fs::File::create(home.join("serve.log"))?;
    let mut serve = command(
        runner,
        binary,
        &home,
        &["serve", "--config", "postern.toml"],
    );
    serve.stdout(Stdio::null()).stderr(log);
    let mut process = Process::start(&mut serve)?;
    process
        .wait_until(START_MAX, || TcpStream::connect(data).ok())
        .with_context(|| format!("the gateway does not listen: see {}", home.display()))?;

    finish(&mut postern(&["env", "create", "bench"]))?;
    let url = format!("http://{}", upstream.address);
    let mut create = postern(&["upstream", "create", "openai", "--env", "bench"]);
    create.args([
        "--kind",
        "openai",
        "--url",
        &url,
        "--credential",
        "env:BENCH_CREDENTIAL",
    ]);
    finish(create.env("BENCH_CREDENTIAL", "sk-upstream"))?;
    if setup.rule {
        let mut rule = postern(&["data-rule", "create", "all", "--env", "bench"]);
        rule.args(["--class", "all", "--direction", "both", "--action", "mask"]);
        finish(&mut rule)?;
    }
    finish(&mut postern(&[
        "principal",
        "create",
        "service:bench",
        "--env",
        "bench",
    ]))?;
    Ok(Leg {
        name: setup.name,
        address: data,
        path: "/openai/v1/chat/completions".to_owned(),
        tokens: mint(&postern)?,
        process: Some(process),
    })
}

/// Tokens with a grant, a rate and a concurrency limit.
fn mint(postern: &dyn Fn(&[&str]) -> Command) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    for _ in 0..TOKENS {
        let mut mint = postern(&["token", "create", "--env", "bench", "--json"]);
        mint.args([
            "--principal",
            "service:bench",
            "--grant",
            "openai:invoke:gpt-4o-mini",
        ]);
        mint.args([
            "--ttl",
            "1h",
            "--limit",
            "requests=1000000/second",
            "--limit",
            "concurrency=4096",
        ]);
        let minted: Minted = serde_json::from_str(&finish(&mut mint)?)
            .context("`token create --json` did not print a token")?;
        tokens.push(minted.token);
    }
    Ok(tokens)
}

fn command(runner: &[&str], binary: &Path, home: &Path, arguments: &[&str]) -> Command {
    let mut command = match runner {
        [] => Command::new(binary),
        [program, its @ ..] => {
            let mut command = Command::new(program);
            command.args(its).arg(binary);
            command
        }
    };
    command
        .current_dir(home)
        .args(arguments)
        .env_remove("POSTERN_DATA");
    command
        .env("BENCH_CREDENTIAL", "sk-upstream")
        .arg("--data")
        .arg(home.join("data"));
    command.arg("--keys").arg(home.join("keys"));
    command
}

/// Runs a command to its end and answers what it printed.
fn finish(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start the gateway")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{:?}: {}",
            command.get_args().collect::<Vec<_>>(),
            said.trim()
        );
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}
