//! Nothing half-done stays behind: an open matter is an issue, a known gap is a `KNOWN GAP:` line
//! in the module's documentation and in the threat model.

use super::Finding;
use crate::tree::Tree;

const MACROS: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// Split so that this file does not find itself.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        if let Some(rust) = &file.rust {
            for pattern in MACROS {
                for line in rust.occurrences(pattern) {
                    let message =
                        format!("`{pattern}`: finish it, or return an error that says so");
                    findings.push(Finding::new(&file.path, line, message));
                }
            }
        }
        // Recorded answers of others may say anything.
        if !matches!(
            extension(&file.path),
            "rs" | "toml" | "md" | "sql" | "sh" | "py" | "mjs"
        ) {
            continue;
        }
        for (number, line) in file.lines() {
            let words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            for mark in words.filter(|word| MARKS.contains(word)) {
                let message = format!("`{mark}`: do it now, or open an issue and delete this");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    findings
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found() {
        let text = format!("// {} later\nfn a() {{ {}() }}\n", MARKS[0], MACROS[0]);
        let found = check(&Tree::sample(&[("crates/x/src/a.rs", &text)]));
        let mut lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [1, 2]);
    }
}
