//! The threat model names the test that proves each control. A name that no test has is a promise
//! that nobody keeps, so each is looked up.
//!
//! In `docs/threat-model.md`, tables whose last heading is `Proven by` are read: every name in
//! backquotes in that column is the name of a test function, or a step of `cargo xtask test`
//! written as `xtask: step`.

use super::Finding;
use crate::tree::Tree;
use std::collections::HashSet;

const PAGE: &str = "docs/threat-model.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.file(PAGE) else {
        return Vec::new();
    };
    let tests = test_names(tree);
    let mut findings = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines() {
        let Some(cell) = last_cell(line) else {
            inside = false;
            continue;
        };
        if cell == "Proven by" {
            inside = true;
            continue;
        }
        if !inside || cell.chars().all(|letter| "-: ".contains(letter)) {
            continue;
        }
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !cell.contains("KNOWN GAP") {
            let message = "name the test that proves this control, or say KNOWN GAP and why";
            findings.push(Finding::new(PAGE, number, message));
        }
        for name in names.iter().filter(|name| !name.starts_with("xtask: ")) {
            if !tests.contains(*name) {
                let message = format!("no test is called `{name}`");
                findings.push(Finding::new(PAGE, number, message));
            }
        }
    }
    findings
}

/// The last cell of a table row, `None` outside tables.
fn last_cell(line: &str) -> Option<&str> {
    let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    row.rsplit('|').next().map(str::trim)
}

/// Names of all functions in test code that carry a test attribute, macros such as `proptest!`
/// included.
fn test_names(tree: &Tree) -> HashSet<String> {
    let mut names = HashSet::new();
    for (_, rust) in tree.rust() {
        let mut marked = false;
        for (index, token) in rust.tokens.iter().enumerate() {
            let text = token.text.as_str();
            let closes_attribute = rust
                .tokens
                .get(index + 1)
                .is_some_and(|next| next.text == "]" || next.text == "(");
            if text == "test" && closes_attribute {
                marked = true;
            } else if text == "fn" && marked {
                names.extend(rust.tokens.get(index + 1).map(|name| name.text.clone()));
                marked = false;
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_test_is_found() {
        let page = "| Threat | Control | Proven by |\n|---|---|---|\n\
                    | a | b | `is_there`, `in_macro`, `xtask: deny` |\n\
                    | a | b | `is_not_there` |\n| a | b | trust us |\n\
                    | a | b | KNOWN GAP: the crate is not written |\n";
        let code = "#[tokio::test]\nasync fn is_there() {}\n\
                    proptest! {\n#[test]\nfn in_macro(x in 0..1u8) {}\n}\nfn is_not_there() {}\n";
        let found = check(&Tree::sample(&[(PAGE, page), ("crates/x/src/a.rs", code)]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [4, 5]
        );
    }
}
