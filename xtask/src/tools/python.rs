//! The official Python clients, in a virtual environment of their own.

use super::is_fresh;
use crate::run;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs a pinned list into an environment of its own in `folder` and answers the interpreter
/// that sees it.
pub(super) fn install(list: &Path, folder: &Path, name: &str) -> Result<PathBuf> {
    let wanted =
        std::fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let version = run::quietly(Command::new("python3").arg("--version"))?.output;
    let recipe = format!("{version}{wanted}");
    let home = folder.join(name);
    let python = home.join("bin/python");
    let stamp = home.join("recipe");
    if is_fresh(&stamp, &recipe) && python.exists() {
        return Ok(python);
    }
    println!("tools: {}, into {}", list.display(), home.display());
    if home.exists() {
        std::fs::remove_dir_all(&home).context("cannot remove the old environment")?;
    }
    must(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-r",
    ]);
    must(pip.arg(list))?;
    std::fs::write(&stamp, recipe).context("cannot write the stamp")?;
    Ok(python)
}

fn must(command: &mut Command) -> Result<()> {
    let outcome = run::quietly(command)?;
    if !outcome.success {
        bail!("{}", outcome.output.trim());
    }
    Ok(())
}
