//! The official Node clients and the Backend-as-a-Service, from a lock file with hashes.

use super::is_fresh;
use crate::run;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs exactly what the lock file says and answers the folder `node_modules`.
///
/// Scripts of packages are not run: nothing that the tests use needs one.
pub(super) fn install(root: &Path, folder: &Path) -> Result<PathBuf> {
    let lists = root.join("xtask/tools");
    let recipe =
        std::fs::read_to_string(lists.join("package-lock.json")).context("no package-lock.json")?;
    let home = folder.join("node");
    let modules = home.join("node_modules");
    let stamp = home.join("recipe");
    if is_fresh(&stamp, &recipe) && modules.is_dir() {
        return Ok(modules);
    }
    println!("tools: the Node clients, into {}", home.display());
    std::fs::create_dir_all(&home)?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(lists.join(name), home.join(name))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&home);
    let outcome = run::quietly(&mut npm)?;
    if !outcome.success {
        bail!("npm ci: {}", outcome.output.trim());
    }
    std::fs::write(&stamp, recipe).context("cannot write the stamp")?;
    Ok(modules)
}
