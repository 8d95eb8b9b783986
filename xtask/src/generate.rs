//! `cargo xtask gen`: the generated reference under `docs/reference/`.
//!
//! The binary describes itself: `postern reference NAME` prints one document. So the pages cannot
//! say anything else than the code does, and the check of the build machine is a comparison. One
//! page is about the source itself and made here: the faces of the crates.

mod faces;

use crate::run;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const FOLDER: &str = "docs/reference";

/// The one document that is made from the source.
const FACES: &str = "faces";

/// `(name, file)`; the binary knows all names but [`FACES`].
const DOCUMENTS: &[(&str, &str)] = &[
    ("cli", "cli.md"),
    ("config", "config.md"),
    ("data-classes", "data-classes.md"),
    (FACES, "faces.md"),
    ("metrics", "metrics.md"),
    ("openapi", "openapi.json"),
    ("records", "records.md"),
    ("refusals", "refusals.md"),
    ("schema", "schema.cedarschema"),
];

/// Writes every document, or with `check` only says which are not current.
pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    build(root)?;
    let stale = stale(root)?;
    if check {
        for name in &stale {
            println!("{FOLDER}/{name}: not what the binary says: run `cargo xtask gen`");
        }
        return Ok(if stale.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    for (name, file) in DOCUMENTS {
        let path = root.join(FOLDER).join(file);
        std::fs::create_dir_all(root.join(FOLDER))?;
        std::fs::write(&path, describe(root, name)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let word = if stale.iter().any(|stale| stale == file) {
            "written"
        } else {
            "unchanged"
        };
        println!("{FOLDER}/{file}: {word}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The documents that differ from what the built binary prints, and the files that nobody prints.
pub(crate) fn stale(root: &Path) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for (name, file) in DOCUMENTS {
        let written = std::fs::read(root.join(FOLDER).join(file)).unwrap_or_default();
        if written != describe(root, name)? {
            stale.push((*file).to_owned());
        }
    }
    for entry in root.join(FOLDER).read_dir().into_iter().flatten() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !DOCUMENTS.iter().any(|(_, file)| *file == name) {
            stale.push(format!("{name} (nothing generates it)"));
        }
    }
    Ok(stale)
}

/// One document, as the binary prints it.
fn describe(root: &Path, name: &str) -> Result<Vec<u8>> {
    if name == FACES {
        return faces::page(root);
    }
    let binary = binary(root);
    let output = Command::new(&binary)
        .args(["reference", name])
        // Widths and colours must not depend on the terminal that runs us.
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .with_context(|| format!("cannot start {}: build it first", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`postern reference {name}` failed: {}", said.trim());
    }
    if output.stdout.is_empty() {
        bail!("`postern reference {name}` printed nothing");
    }
    Ok(output.stdout)
}

fn build(root: &Path) -> Result<()> {
    let outcome = run::visibly(run::cargo(root).args(["build", "--package", "postern"]))?;
    if !outcome.success {
        bail!("the binary does not build");
    }
    Ok(())
}

fn binary(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder));
    target.join("debug/postern")
}
