//! The front of the house: the pages a newcomer opens first are there, and the commands that the
//! README promises are the ones that the build machine runs.

use super::Finding;
use crate::tree::Tree;

const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "LICENSE",
    "deny.toml",
    "docs/request-life.md",
    "docs/threat-model.md",
];

/// `(file, text that it must hold, why)`.
const PROMISES: &[(&str, &str, &str)] = &[
    (
        ".ci/run",
        "cargo xtask test",
        "the build machine runs the README's test command",
    ),
    (
        "README.md",
        "cargo xtask test",
        "the README names the test command",
    ),
    (
        "README.md",
        "cargo run --release -- demo",
        "the README's first command is the demo",
    ),
];

/// The stages of the line, in order; every page that tells of them uses these words.
const LINE: &str = "listener → authenticate → context → authorize → limit → inspect request → \
                    forward → inspect response";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in PAGES.iter().filter(|page| tree.file(page).is_none()) {
        findings.push(Finding::new(page, 1, "this page is missing"));
    }
    for (path, text, why) in PROMISES {
        if !tree.file(path).is_some_and(|file| file.text.contains(text)) {
            findings.push(Finding::new(path, 1, format!("`{text}` is missing: {why}")));
        }
    }
    for path in ["ARCHITECTURE.md", "docs/request-life.md"] {
        let Some(page) = tree.file(path) else {
            continue;
        };
        let flowing = page.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !flowing.contains(LINE) {
            let message = format!("the line is written out as: {LINE}");
            findings.push(Finding::new(path, 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_pages_and_broken_promises_are_found() {
        let found = check(&Tree::sample(&[
            ("README.md", "cargo xtask test"),
            ("ARCHITECTURE.md", "listener → limit"),
        ]));
        let said = |path: &str, part: &str| {
            found
                .iter()
                .any(|finding| finding.path == path && finding.message.contains(part))
        };
        assert!(said("SECURITY.md", "missing"));
        assert!(said("README.md", "demo"));
        assert!(said("ARCHITECTURE.md", "written out"));
        assert!(!said("README.md", "xtask"));
    }
}
