//! How long a release build takes from nothing, and which crates take it: `cargo build --timings`,
//! read back from the page that it writes.

use crate::run;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Crates that are listed by name.
const SLOWEST: usize = 12;

/// One compilation, as the page of timings has it.
#[derive(Debug, Deserialize)]
struct Unit {
    name: String,
    version: String,
    /// What is built: empty for a library, ` (bin)` or a build script else.
    target: String,
    /// Seconds.
    duration: f64,
}

/// Builds from nothing in a folder of its own and says how long it took.
pub(super) fn report(root: &Path, profile: &str) -> Result<String> {
    let target = super::target(root).join("bench/from-nothing");
    if target.exists() {
        std::fs::remove_dir_all(&target).context("cannot remove the last build")?;
    }
    let mut cargo = run::cargo(root);
    cargo.args([
        "build",
        "--package",
        "postern",
        "--locked",
        "--timings",
        "--profile",
        profile,
    ]);
    cargo.arg("--target-dir").arg(&target);
    let started = Instant::now();
    if !run::visibly(&mut cargo)?.success {
        bail!("the gateway does not build");
    }
    let seconds = started.elapsed().as_secs_f64();
    let binary = target.join(profile).join("postern").metadata()?.len() as f64 / 1e6;
    let page = std::fs::read_to_string(newest_page(&target.join("cargo-timings"))?)?;
    let mut units = units(&page)?;
    units.sort_by(|a, b| b.duration.total_cmp(&a.duration));
    let mut text = format!(
        "profile `{profile}` from nothing: {seconds:.0} s, {} compilations, \
         binary {binary:.1} MB\n\n\
         | slowest | seconds |\n|---|--:|\n",
        units.len()
    );
    for unit in units.iter().take(SLOWEST) {
        text.push_str(&format!(
            "| {} {}{} | {:.1} |\n",
            unit.name, unit.version, unit.target, unit.duration
        ));
    }
    Ok(text)
}

/// The page is named by the time of the build, beside a copy under a fixed name.
fn newest_page(folder: &Path) -> Result<PathBuf> {
    let pages = folder.read_dir().context("cargo wrote no timings")?;
    pages
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "html")
        })
        .max()
        .context("cargo wrote no page of timings")
}

/// The page holds its data as one JSON array in a script.
fn units(page: &str) -> Result<Vec<Unit>> {
    let (_, data) = page
        .split_once("UNIT_DATA = ")
        .context("the page holds no unit data")?;
    let mut values = serde_json::Deserializer::from_str(data).into_iter::<Vec<Unit>>();
    values
        .next()
        .context("the unit data is empty")?
        .context("cannot read the unit data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_from_the_page() {
        let page = "<script>\nconst UNIT_DATA = [\n {\"i\": 0, \"name\": \"syn\", \"version\": \
                    \"2.0.1\", \"mode\": \"todo\", \"target\": \"\", \"start\": 0.1, \
                    \"duration\": 2.5, \"sections\": []}\n];\nconst OTHER = 1;\n</script>";
        let units = units(page).expect("the sample has the form of the page");
        assert_eq!(units.len(), 1);
        assert_eq!((units[0].name.as_str(), units[0].duration), ("syn", 2.5));
    }
}
