//! promtool, which checks metrics: taken out of Debian's package of Prometheus.
//!
//! The package is not installed: that would start a server which listens to the network, and one
//! program of it is all that the tests need.

use crate::run;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Downloads the package and unpacks it beside the other tools, unless promtool is there already.
pub(super) fn install(folder: &Path) -> Result<PathBuf> {
    if let Some(program) = run::find_program("promtool") {
        return Ok(program);
    }
    let home = folder.join("promtool");
    let program = home.join("unpacked/usr/bin/promtool");
    if program.exists() {
        return Ok(program);
    }
    if run::find_program("apt-get").is_none() {
        bail!("this machine has no apt-get: install promtool by hand");
    }
    println!(
        "tools: promtool, from the package prometheus, into {}",
        home.display()
    );
    std::fs::create_dir_all(&home)?;
    if let Err(error) = fetch(&home) {
        // The lists of packages may be old, or not there at all.
        let updated = must(Command::new("apt-get").args(["-q", "update"]));
        updated.map_err(|_| error)?;
        fetch(&home)?;
    }
    let packages = home
        .read_dir()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut packages = packages.filter(|path| path.extension().is_some_and(|it| it == "deb"));
    let Some(package) = packages.next() else {
        bail!("apt-get download prometheus left no package");
    };
    let mut unpack = Command::new("dpkg-deb");
    must(unpack.arg("-x").arg(&package).arg(home.join("unpacked")))?;
    std::fs::remove_file(&package)?;
    if !program.exists() {
        bail!("the package prometheus has no promtool");
    }
    // The server and its pages are a hundred megabytes that nobody asks for.
    let _ = std::fs::remove_file(home.join("unpacked/usr/bin/prometheus"));
    Ok(program)
}

fn fetch(home: &Path) -> Result<()> {
    let mut fetch = Command::new("apt-get");
    must(
        fetch
            .current_dir(home)
            .args(["-q", "download", "prometheus"]),
    )
}

fn must(command: &mut Command) -> Result<()> {
    let outcome = run::quietly(command)?;
    if !outcome.success {
        bail!("{}", outcome.output.trim());
    }
    Ok(())
}
