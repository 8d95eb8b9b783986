//! The workshop: everything a developer or a build machine runs, in one place.
//!
//! `cargo xtask test` is the whole check and `cargo xtask test --fast` its inner loop. The parts
//! can be run alone: `tidy` (the house style as a test), `tools` (installs the real clients and
//! servers that tests use), `gen` (writes the generated reference), `bench` (measures the gateway
//! beside nginx).

#![expect(clippy::print_stdout, reason = "the workshop speaks to the terminal")]

mod bench;
mod generate;
mod run;
mod test;
mod tidy;
mod tools;
mod tree;

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test [--fast]      all checks; --fast: formatting, tidy, unit and property tests
  tidy               the house style, as a test
  tools              installs what the tests need; prints where it is, for your shell
  gen [--check]      writes docs/reference/ from the binary; --check: only compares
  bench [OPTIONS]    measures the gateway beside nginx; --markdown for docs/performance.md
";

fn main() -> ExitCode {
    match dispatch(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let root = workspace_root()?;
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(&root, false),
        ["test", "--fast"] => test::run(&root, true),
        ["tidy"] => tidy::run(&root),
        ["tools"] => tools::run(&root),
        ["bench", options @ ..] => bench::run(&root, options),
        ["bench-upstream"] => bench::serve_upstream(),
        ["gen"] => generate::run(&root, false),
        ["gen", "--check"] => generate::run(&root, true),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("unknown command `{}`\n\n{HELP}", other.join(" ")),
    }
}

/// The folder of the workspace manifest: the nearest one above the current folder.
fn workspace_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot read the current folder")?;
    here.ancestors()
        .find(|folder| {
            std::fs::read_to_string(folder.join("Cargo.toml"))
                .is_ok_and(|manifest| manifest.contains("[workspace]"))
        })
        .map(PathBuf::from)
        .context("run this inside the workspace: no Cargo.toml with [workspace] above here")
}
