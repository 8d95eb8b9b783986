//! Pages under `docs/decisions/` are numbered without gaps and have three parts: what the
//! situation was, what was decided, what follows.

use super::Finding;
use crate::tree::Tree;

const FOLDER: &str = "docs/decisions/";
const PARTS: &[&str] = &["## Context", "## Decision", "## Consequence"];
const LINES_MAX: usize = 90;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pages = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER));
    for (index, page) in pages.enumerate() {
        let expected = format!("{:04}-", index + 1);
        if !page.path[FOLDER.len()..].starts_with(&expected) {
            let message = format!("the name starts with {expected}: numbers have no gaps");
            findings.push(Finding::new(&page.path, 1, message));
        }
        for part in PARTS.iter().filter(|part| !page.text.contains(**part)) {
            let message = format!("a decision has the part `{part}`");
            findings.push(Finding::new(&page.path, 1, message));
        }
        if page.text.lines().count() > LINES_MAX {
            findings.push(Finding::new(
                &page.path,
                LINES_MAX + 1,
                "a decision is one page",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_and_a_missing_part_are_found() {
        let good = "# 1\n## Context\n## Decision\n## Consequences\n";
        let found = check(&Tree::sample(&[
            ("docs/decisions/0001-a.md", good),
            ("docs/decisions/0003-b.md", "# 3\n## Context\n## Decision\n"),
        ]));
        assert_eq!(found.len(), 2);
        assert!(
            found
                .iter()
                .all(|finding| finding.path == "docs/decisions/0003-b.md")
        );
    }
}
