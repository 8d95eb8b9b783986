//! Lines of Rust end at column 100. The formatter keeps code there; this keeps strings and
//! comments there too. Samples in tests are free: a wire format is read best as it was sent.

use super::Finding;
use crate::tree::Tree;

const COLUMNS_MAX: usize = 100;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        for (number, line) in file.lines() {
            let columns = line.chars().count();
            // A URL cannot be broken.
            let free = line.contains("://") || line.contains('"') && file.is_test_line(number);
            if columns > COLUMNS_MAX && !free {
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
        let sample = format!("const SENT: &str = \"{}\";\n", "x".repeat(COLUMNS_MAX));
        let found = check(&Tree::sample(&[
            ("crates/x/src/a.rs", &text),
            ("crates/x/src/a/tests.rs", &sample),
        ]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [2]
        );
    }
}
