//! Every direct dependency stands once, in the root manifest, with the reason it is there. Crates
//! only name it.

use super::Finding;
use crate::tree::Tree;

/// About 45 is the aim; past this the list is not a choice any more.
const DEPENDENCIES_MAX: usize = 70;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(root) = tree.file("Cargo.toml") {
        let mut section = "";
        let mut count = 0;
        for (number, line) in root.lines() {
            if line.starts_with('[') {
                section = line.trim();
            } else if section == "[workspace.dependencies]" && line.contains(" = ") {
                if line.contains("path = ") {
                    continue;
                }
                count += 1;
                let reason = line
                    .rsplit_once("# ")
                    .map_or("", |(_, reason)| reason.trim());
                if reason.len() < 10 {
                    let message = "say in a comment on this line why the dependency is here";
                    findings.push(Finding::new(&root.path, number, message));
                }
            }
        }
        if count > DEPENDENCIES_MAX {
            let message = format!("{count} dependencies, at most {DEPENDENCIES_MAX}");
            findings.push(Finding::new(&root.path, 1, message));
        }
    }
    for file in tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.starts_with("fuzz/"))
    {
        let mut section = "";
        for (number, line) in file.lines() {
            if line.starts_with('[') {
                section = line.trim();
            } else if section.ends_with("dependencies]")
                && line.contains('=')
                && !line.contains("workspace = true")
            {
                let message = "name the version in the root manifest, and say `workspace = true`";
                findings.push(Finding::new(&file.path, number, message));
            }
        }
        if !file.text.contains("[lints]\nworkspace = true") {
            let message = "add `[lints] workspace = true`: lints hold everywhere";
            findings.push(Finding::new(&file.path, 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_reason_is_found() {
        let root = "[workspace.dependencies]\nhttp = \"1\" # the header types of the plane\n\
                    left-pad = \"1\"\nours = { path = \"crates/ours\" }\n";
        let member = "[lints]\nworkspace = true\n[dependencies]\nhttp = \"1\"\n";
        let found = check(&Tree::sample(&[
            ("Cargo.toml", root),
            ("crates/x/Cargo.toml", member),
            ("crates/y/Cargo.toml", "[dependencies]\n"),
        ]));
        let places: Vec<(&str, usize)> = found
            .iter()
            .map(|finding| (finding.path.as_str(), finding.line))
            .collect();
        assert_eq!(
            places,
            [
                ("Cargo.toml", 3),
                ("crates/x/Cargo.toml", 4),
                ("crates/y/Cargo.toml", 1)
            ]
        );
    }
}
