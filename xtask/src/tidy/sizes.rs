//! How long a file may grow: 500 lines, 800 for a file of tests. Files that one can read in one
//! sitting stay files that one does read.

use super::Finding;
use crate::tree::Tree;

const SOURCE_LINES_MAX: usize = 500;
const TEST_LINES_MAX: usize = 800;

/// Source files that may go to 800 lines, and why.
const LONGER: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let excused = LONGER.iter().any(|(path, _)| *path == file.path);
        let max = if file.is_test() || excused {
            TEST_LINES_MAX
        } else {
            SOURCE_LINES_MAX
        };
        let lines = file.text.lines().count();
        if lines > max {
            let message = format!(
                "{lines} lines, at most {max}: split it along its ideas; \
                 big test modules move to a sibling `tests.rs`"
            );
            findings.push(Finding::new(&file.path, max + 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let long = "// line\n".repeat(SOURCE_LINES_MAX + 1);
        let tree = Tree::sample(&[
            ("crates/x/src/a.rs", &long),
            ("crates/x/src/a/tests.rs", &long),
            ("crates/x/src/b.rs", "fn b() {}\n"),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/x/src/a.rs");
    }
}
