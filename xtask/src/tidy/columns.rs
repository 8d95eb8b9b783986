//! Lines of Rust end at column 100. The formatter keeps code there; this keeps strings and
//! comments there too.

use super::Finding;
use crate::tree::Tree;

const COLUMNS_MAX: usize = 100;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        for (number, line) in file.lines() {
            let columns = line.chars().count();
            // A URL cannot be broken.
            if columns > COLUMNS_MAX && !line.contains("://") {
                let message = format!("{columns} columns, at most {COLUMNS_MAX}: break the line");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_comment_is_found() {
        let text = format!("// short\n// {}\n", "é".repeat(COLUMNS_MAX));
        let found = check(&Tree::sample(&[("crates/x/src/a.rs", &text)]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [2]
        );
    }
}
