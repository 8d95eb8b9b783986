//! cargo-deny: licences, bans and sources of everything we depend on.

use crate::run;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Built from source at this version.
const VERSION: &str = "0.20.2";

/// Installs it, without optimisation: it runs for seconds, and builds three times as fast.
pub(super) fn install(root: &Path, folder: &Path) -> Result<PathBuf> {
    let home = folder.join("cargo-deny");
    let program = home.join("bin/cargo-deny");
    let stamp = home.join("recipe");
    if super::is_fresh(&stamp, VERSION) && program.exists() {
        return Ok(program);
    }
    println!("tools: cargo-deny {VERSION}, built from source (about a minute)");
    let build = folder.join("build");
    let mut cargo = run::cargo(root);
    cargo.args([
        "install",
        "--locked",
        "--debug",
        "--no-default-features",
        "--root",
    ]);
    cargo.arg(&home).arg("--target-dir").arg(&build);
    cargo.arg(format!("cargo-deny@{VERSION}"));
    let outcome = run::quietly(&mut cargo)?;
    if !outcome.success {
        bail!("cargo install: {}", outcome.output.trim());
    }
    std::fs::remove_dir_all(&build)?;
    std::fs::write(&stamp, VERSION)?;
    Ok(program)
}
