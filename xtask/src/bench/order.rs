//! `cargo xtask bench --order`: the functions that a request runs through, for the linker.
//!
//! A request runs once through a quarter of a megabyte of code, so what it costs is mostly fetching
//! code. In a binary of thirty megabytes those functions lie on as many pages as there are
//! functions; next to each other, in the order of their calls, they lie on a few dozen. The release
//! binary runs under callgrind, with load and without a data rule and with one, and the names of
//! what ran go to a file that the build of the binary hands to the linker.
//!
//! Names hold a hash that changes with the compiler and with what a function is made from. One that
//! is gone costs its function the place and nothing else, so the file may lag behind.

use super::gateway::{self, RULED, UNRULED};
use super::load::{self, Shape};
use super::upstream::Upstream;
use crate::run;
use crate::tools::apt_install;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the linker finds the list.
const LIST: &str = "crates/postern/link-order.txt";

const HEAD: &str = "\
# The functions that a request runs through, in the order of their calls; written by
# `cargo xtask bench --order`. The linker puts them next to each other.
";

/// A function belongs to the list if it runs for one request in so many.
const SELDOM: u64 = 5;

/// Profiles the gateway and writes the list.
pub(super) fn write(root: &Path, folder: &Path, upstream: &Upstream, binary: &Path) -> Result<()> {
    if run::find_program("valgrind").is_none() {
        apt_install(&["valgrind"]).context("valgrind counts the calls")?;
    }
    let mut list: Vec<String> = Vec::new();
    for name in [UNRULED, RULED] {
        let (profile, requests) = profile(folder, upstream, binary, name)?;
        let program = binary.display().to_string();
        let calls = Calls::parse(&profile, &program, requests / SELDOM);
        let known: HashSet<&str> = list.iter().map(String::as_str).collect();
        let new = calls.in_order();
        let new: Vec<String> = new.into_iter().filter(|n| !known.contains(&**n)).collect();
        println!("{name}: {requests} requests, {} functions more", new.len());
        list.extend(new);
    }
    if list.is_empty() {
        bail!("the profile names no function of {}", binary.display());
    }
    std::fs::write(root.join(LIST), format!("{HEAD}{}\n", list.join("\n")))?;
    println!("written: {LIST}");
    Ok(())
}

/// Runs a gateway under callgrind and load; what it wrote, and how many requests that was.
fn profile(folder: &Path, upstream: &Upstream, binary: &Path, name: &str) -> Result<(String, u64)> {
    let out = folder.join("callgrind.out");
    let dump = PathBuf::from(format!("{}.1", out.display()));
    if dump.exists() {
        std::fs::remove_file(&dump)?;
    }
    let file = format!("--callgrind-out-file={}", out.display());
    let valgrind = [
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        &file,
        "--dump-instr=yes",
        "--demangle=no",
        "--compress-strings=no",
        "--compress-pos=no",
        "--instr-atstart=no",
    ];
    let setup = gateway::SETUPS.into_iter().find(|s| s.name == name);
    let setup = setup.context("no such gateway")?;
    let leg = gateway::start_under(&valgrind, binary, folder, upstream, setup)?;
    let process = leg.process.as_ref().context("it is a process")?;
    let control = |what: &[&str]| {
        let mut control = Command::new("callgrind_control");
        let outcome = run::quietly(control.args(what).arg(process.pid().to_string()))?;
        match outcome.success {
            true => Ok(()),
            false => bail!("callgrind_control: {}", outcome.output.trim()),
        }
    };
    let shape = |seconds| Shape {
        concurrency: 4,
        seconds,
    };
    // Connections are opened, caches filled, patterns compiled before it counts.
    load::run(&leg, upstream, folder, shape(4))?;
    control(&["-i", "on"])?;
    let sample = load::run(&leg, upstream, folder, shape(12))?;
    control(&["-d"])?;
    let profile = std::fs::read_to_string(&dump).context("callgrind wrote no profile")?;
    Ok((profile, sample.requests))
}

/// Which functions ran often enough, and whom they called, at which of their addresses.
#[derive(Default)]
struct Calls<'a> {
    /// How often the busiest instruction of a function ran.
    runs: HashMap<&'a str, u64>,
    /// Callees by the address of the call.
    callees: HashMap<&'a str, BTreeMap<u64, &'a str>>,
}

impl<'a> Calls<'a> {
    /// Reads the format of callgrind, names and positions in full.
    ///
    /// A function is begun by `ob=` and `fn=`. Lines of `address line count` belong to it, but for
    /// the one behind `calls=count …`, which has the address of a call of `cfn=`.
    fn parse(profile: &'a str, program: &str, often: u64) -> Self {
        let mut calls = Self::default();
        let (mut object, mut function, mut callee) = ("", "", "");
        let mut count_of_call = None;
        for line in profile.lines() {
            if let Some(name) = line.strip_prefix("ob=") {
                object = name;
            } else if let Some(name) = line.strip_prefix("fn=") {
                function = name_of(name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                callee = name_of(name);
            } else if let Some(call) = line.strip_prefix("calls=") {
                count_of_call = call.split(' ').next().and_then(|n| n.parse::<u64>().ok());
            } else if line.starts_with("0x") && object == program {
                let mut fields = line.split(' ');
                let address = fields.next().and_then(|hex| hex.strip_prefix("0x"));
                let address = address.and_then(|hex| u64::from_str_radix(hex, 16).ok());
                let (Some(address), count) = (address, fields.nth(1)) else {
                    continue;
                };
                match count_of_call.take() {
                    Some(count) if count >= often => {
                        let of_function = calls.callees.entry(function).or_default();
                        of_function.insert(address, callee);
                    }
                    Some(_) => {}
                    None => {
                        let runs = calls.runs.entry(function).or_default();
                        *runs = (*runs).max(count.and_then(|n| n.parse().ok()).unwrap_or(0));
                    }
                }
            } else {
                count_of_call = None;
            }
        }
        calls.runs.retain(|_, runs| *runs >= often);
        calls
    }

    /// The functions, each followed by those that it calls, in the order of the calls.
    fn in_order(&self) -> Vec<String> {
        let called: HashSet<&str> = self
            .callees
            .values()
            .flat_map(|of_function| of_function.values().copied())
            .collect();
        let mut names: Vec<&str> = self.runs.keys().copied().collect();
        // Those that nothing calls come first: what they lead to is then placed behind them.
        names.sort_unstable_by_key(|name| (called.contains(name), *name));
        let (mut order, mut placed) = (Vec::new(), BTreeSet::new());
        for root in names {
            let mut ahead = vec![root];
            while let Some(name) = ahead.pop() {
                if !self.runs.contains_key(name) || !placed.insert(name) {
                    continue;
                }
                order.push(name.to_owned());
                let callees = self.callees.get(name);
                ahead.extend(callees.into_iter().flat_map(|c| c.values().rev().copied()));
            }
        }
        order
    }
}

/// The name without the mark that callgrind gives to calls of a function by itself.
fn name_of(name: &str) -> &str {
    name.rsplit_once('\'').map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: functions follow those that call them, in the order of the calls; what seldom runs,
    /// and what is not ours, is left out. Method: a profile as callgrind writes it, in small.
    #[test]
    fn functions_are_ordered_as_they_call() {
        let profile = "\
events: Ir

ob=/lib/libc.so.6
fn=memcpy
0x10 0 900

ob=/bin/postern
fn=poll
0x400 0 100
cob=/bin/postern
cfn=zeta
calls=100 0x900 0
0x410 0 5000
cfn=alpha
calls=60 0x800 0
0x405 0 700
cob=/lib/libc.so.6
cfn=memcpy
calls=100 0x10 0
0x402 0 900
cob=/bin/postern
cfn=seldom
calls=1 0x700 0
0x401 0 9

fn=alpha
0x800 0 60

fn=zeta
0x900 0 100
cfn=zeta'2
calls=40 0x900 0
0x901 0 50

fn=zeta'2
0x900 0 40

fn=seldom
0x700 0 1
";
        let calls = Calls::parse(profile, "/bin/postern", 20);
        assert_eq!(calls.in_order(), ["poll", "alpha", "zeta"]);
    }
}
