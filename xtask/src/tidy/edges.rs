//! The architecture test. The allowed edges between our crates, and the libraries that only one
//! crate may see, stand here; whatever `cargo metadata` shows beyond them is a finding.

use super::Finding;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// `(crate, what of ours it may use)`. Edges point down; there are none within a rank.
const ALLOWED: &[(&str, &[&str])] = &[
    ("postern-types", &[]),
    ("postern-audit", &[]),
    ("postern-policy", &["postern-types"]),
    ("postern-inspect", &["postern-types"]),
    ("postern-store", &["postern-types"]),
    (
        "postern-guard",
        &[
            "postern-types",
            "postern-policy",
            "postern-store",
            "postern-audit",
        ],
    ),
    (
        "postern-http",
        &["postern-guard", "postern-inspect", "postern-types"],
    ),
    (
        "postern",
        &[
            "postern-types",
            "postern-audit",
            "postern-policy",
            "postern-inspect",
            "postern-store",
            "postern-guard",
            "postern-http",
        ],
    ),
    // For tests: it builds a whole gateway, so it may see what a gateway is made of.
    (
        "postern-testkit",
        &[
            "postern-types",
            "postern-audit",
            "postern-policy",
            "postern-inspect",
            "postern-store",
            "postern-guard",
            "postern-http",
        ],
    ),
    ("xtask", &[]),
];

/// `(library, the crates that may see it)`: the walls inside the house.
const WALLS: &[(&str, &[&str])] = &[
    ("cedar-policy", &["postern-policy"]),
    ("sqlx", &["postern-store"]),
    ("axum", &["postern"]),
    ("utoipa", &["postern"]),
    ("clap", &["postern"]),
    ("anyhow", &["postern", "postern-testkit", "xtask"]),
    (
        "hyper",
        &["postern-http", "postern", "postern-testkit", "xtask"],
    ),
];

/// Crates that stay free of input and output: they may not see a runtime.
const PURE: &[&str] = &["postern-types", "postern-policy", "postern-inspect"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for ordinary dependencies, else `dev` or `build`.
    kind: Option<String>,
}

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    Ok(judge(&metadata))
}

fn judge(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let manifest = if package.name == "xtask" {
            "xtask/Cargo.toml".to_owned()
        } else {
            format!("crates/{}/Cargo.toml", package.name)
        };
        let mut say = |message: String| findings.push(Finding::new(&manifest, 1, message));
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            say("a new crate needs a page in docs/decisions/ and a row in edges.rs".to_owned());
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let for_tests = dependency.kind.as_deref() == Some("dev");
            let ours = ALLOWED.iter().any(|(known, _)| *known == name);
            let tests_may = for_tests && (name == "postern-testkit" || reaches(allowed, name));
            if ours && !allowed.contains(&name) && !tests_may {
                say(format!(
                    "`{}` may not use `{name}`: edges point down",
                    package.name
                ));
            }
            let wall = WALLS.iter().find(|(library, _)| *library == name);
            if let Some((_, seers)) = wall
                && !seers.contains(&package.name.as_str())
                && !for_tests
            {
                say(format!("only {} may use `{name}`", seers.join(", ")));
            }
            if PURE.contains(&package.name.as_str()) && name == "tokio" && !for_tests {
                say(format!("`{}` does no I/O and is never async", package.name));
            }
        }
    }
    findings
}

/// Whether `name` is below: tests may set up what their crate only sees through others.
fn reaches(allowed: &[&str], name: &str) -> bool {
    allowed.iter().any(|below| {
        let further = ALLOWED.iter().find(|(known, _)| known == below);
        *below == name || further.is_some_and(|(_, edges)| reaches(edges, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).to_owned(),
                kind: kind.map(str::to_owned),
            })
            .collect();
        Package {
            name: name.to_owned(),
            dependencies,
        }
    }

    /// Goal: an edge up, an edge within a rank, a hole in a wall and an unknown crate are found;
    /// the allowed ones and test-only ones are not.
    #[test]
    fn forbidden_edges_are_found() {
        let metadata = Metadata {
            packages: vec![
                package("postern-types", &[("postern-guard", None), ("tokio", None)]),
                package("postern-store", &[("postern-policy", None), ("sqlx", None)]),
                package(
                    "postern-http",
                    &[("cedar-policy", None), ("postern-guard", None)],
                ),
                package("postern-guard", &[("postern-testkit", Some("dev"))]),
                package("postern-http", &[("postern-store", Some("dev"))]),
                package("postern-guard", &[("postern-http", Some("dev"))]),
                package("postern-misfit", &[]),
            ],
        };
        let found: Vec<String> = judge(&metadata)
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert_eq!(found.len(), 6, "{found:#?}");
        assert!(found[0].contains("postern-guard"));
        assert!(found[1].contains("never async"));
        assert!(found[2].contains("postern-policy"));
        assert!(found[3].contains("cedar-policy"));
        assert!(found[4].contains("`postern-guard` may not use `postern-http`"));
        assert!(found[5].contains("docs/decisions"));
    }
}
