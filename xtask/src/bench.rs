//! `cargo xtask bench`: what the gateway costs, beside nginx, on this machine, in the same run.
//!
//! One replaying upstream, and in front of it in turn: nothing, nginx (`proxy_pass`, access log
//! on), and the gateway with everything on, at both durability levels of the audit log and under a
//! data rule that masks every class. Rounds are interleaved, because the machine's mood changes
//! more than the programs do, and ratios are taken inside a round. Load generator, upstream and
//! proxy share the cores, so requests per second say what the three reach together; the figure to
//! compare is the CPU of the proxy's own processes.

mod building;
mod delays;
mod detect;
mod gateway;
mod legs;
mod load;
mod nginx;
mod order;
mod paced;
mod processes;
mod stages;
mod statistics;
mod streams;
mod table;
mod upstream;

use crate::run;
use crate::tools::apt_install;
use anyhow::{Context, Result, bail};
use legs::Leg;
use statistics::Results;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Connections at once.
const CONCURRENCY: &[u32] = &[1, 16, 64];

/// What to measure, and how long.
#[derive(Clone, Debug)]
struct Options {
    rounds: u32,
    seconds: u32,
    /// Streams open at once.
    streams: u32,
    /// Cargo profile of the gateway: `release`, or `quick` while developing.
    profile: String,
    /// A gateway that is built already, instead of building one.
    binary: Option<PathBuf>,
    markdown: bool,
    /// Instead of comparing, sample the gateway and say where its time goes.
    stages: bool,
    /// Instead of comparing, write the list of functions that the linker puts together.
    order: bool,
    /// Instead of comparing, build from nothing and say how long that takes.
    build: bool,
    /// Leave the gateway out: to look at the harness itself.
    without_gateway: bool,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            rounds: 5,
            seconds: 4,
            streams: 1000,
            profile: "release".to_owned(),
            binary: None,
            markdown: false,
            stages: false,
            order: false,
            build: false,
            without_gateway: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match *word {
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--streams" => options.streams = value()?.parse()?,
                "--profile" => options.profile = (*value()?).to_owned(),
                "--binary" => options.binary = Some(PathBuf::from(value()?)),
                "--markdown" => options.markdown = true,
                "--build" => options.build = true,
                "--stages" => options.stages = true,
                "--order" => options.order = true,
                "--without-gateway" => options.without_gateway = true,
                other => bail!(
                    "unknown option `{other}`: --rounds N, --seconds N, --streams N, \
                     --profile NAME, --binary PATH, --markdown, --stages, \
                     --order, --build, --without-gateway"
                ),
            }
        }
        if options.rounds == 0 || options.seconds == 0 {
            bail!("at least one round of one second");
        }
        Ok(options)
    }
}

/// Runs the benchmark, in an optimised build of this workshop.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    if let ["detect", rest @ ..] = arguments {
        return detect::run(root, rest);
    }
    let options = Options::parse(arguments)?;
    if options.build {
        println!("{}", building::report(root, &options.profile)?);
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(debug_assertions) {
        return in_optimised_build(root, arguments);
    }
    if run::find_program("wrk").is_none() {
        apt_install(&["wrk"]).context("wrk makes the load")?;
    }
    let folder = target(root).join("bench");
    std::fs::create_dir_all(&folder)?;
    let upstream = upstream::Upstream::start()?;
    if options.stages {
        return where_time_goes(root, &folder, &upstream, &options);
    }
    let binary = |profile| match &options.binary {
        Some(binary) => Ok(binary.clone()),
        None => gateway::build(root, profile),
    };
    if options.order {
        order::write(root, &folder, &upstream, &binary(&options.profile)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut legs = vec![Leg::direct(&upstream), nginx::start(&folder, &upstream)?];
    if !options.without_gateway {
        let binary = binary(&options.profile)?;
        for setup in gateway::SETUPS {
            legs.push(gateway::start(&binary, &folder, &upstream, setup)?);
        }
    }
    let results = measure(&options, &folder, &upstream, &legs)?;
    let json = folder.join("results.json");
    std::fs::write(&json, serde_json::to_string_pretty(&results)?)?;
    println!("{}", table::render(&results, options.markdown));
    println!("written: {}", json.display());
    Ok(ExitCode::SUCCESS)
}

/// Samples one gateway and prints what each stage of a request costs.
fn where_time_goes(
    root: &Path,
    folder: &Path,
    upstream: &upstream::Upstream,
    options: &Options,
) -> Result<ExitCode> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => gateway::build(root, "quick")?,
    };
    for setup in gateway::SETUPS {
        let leg = gateway::start(&binary, folder, upstream, setup)?;
        load::run(
            &leg,
            upstream,
            folder,
            load::Shape {
                concurrency: 16,
                seconds: 1,
            },
        )?;
        let shares = stages::run(&leg, upstream, folder)?;
        println!(
            "{}",
            table::render_stages(leg.name, &shares, options.markdown)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The hidden command that the benchmark starts as a process of its own, so that its CPU is its
/// own.
pub(crate) fn serve_upstream() -> Result<ExitCode> {
    upstream::serve()?;
    Ok(ExitCode::SUCCESS)
}

fn measure(
    options: &Options,
    folder: &Path,
    upstream: &upstream::Upstream,
    legs: &[Leg],
) -> Result<Results> {
    let mut results = Results::new(statistics::Machine::describe(), options.rounds);
    results.idle_bytes = legs.iter().map(Leg::resident_bytes).collect();
    for leg in legs {
        // Connections, caches and the allocator settle before anything counts.
        load::run(
            leg,
            upstream,
            folder,
            load::Shape {
                concurrency: 16,
                seconds: 1,
            },
        )?;
    }
    let settled: Vec<u64> = legs.iter().map(Leg::resident_bytes).collect();
    for round in 0..options.rounds {
        for (leg, settled) in legs.iter().zip(&settled) {
            let sample = streams::run(leg, options.streams, *settled)?;
            println!("round {round}: {}", sample.line());
            results.streams.push(streams::Sample { round, ..sample });
        }
        for leg in legs {
            let sample = paced::run(leg)?;
            println!("round {round}: {}", sample.line());
            results.paced.push(paced::Sample { round, ..sample });
        }
        for leg in legs {
            let sample = delays::run(leg)?;
            println!("round {round}: {}", sample.line());
            results.delays.push(delays::Sample { round, ..sample });
        }
        for &concurrency in CONCURRENCY {
            for leg in legs {
                let shape = load::Shape {
                    concurrency,
                    seconds: options.seconds,
                };
                let sample = load::run(leg, upstream, folder, shape)?;
                println!("round {round}: {}", sample.line());
                results.requests.push(load::Sample { round, ..sample });
            }
        }
    }
    Ok(results)
}

/// Load generator and upstream must not be the slow part, so they are built like a product.
fn in_optimised_build(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let mut build = run::cargo(root);
    build.args([
        "build",
        "--quiet",
        "--profile",
        "quick",
        "--package",
        "xtask",
    ]);
    if !run::visibly(&mut build)?.success {
        bail!("the workshop does not build in profile `quick`");
    }
    let status = Command::new(target(root).join("quick/xtask"))
        .arg("bench")
        .args(arguments)
        .current_dir(root)
        .status()
        .context("cannot start the optimised build")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}
