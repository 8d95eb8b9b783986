//! Tests that cannot fail are worse than none: no ignored tests, no `assert!(true)`.

use super::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for line in rust.occurrences("#[ignore") {
            let message = "an ignored test proves nothing: mend it, delete it, or make it a bench";
            findings.push(Finding::new(&file.path, line, message));
        }
        for line in rust.occurrences("assert!(true") {
            let message = "this cannot fail: assert what the test is about";
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_promise_is_found() {
        let text = "#[test]\n#[ignore = \"later\"]\nfn a() {\n    assert!(true);\n}\n";
        let found = check(&Tree::sample(&[("crates/x/src/a.rs", text)]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [2, 4]
        );
    }
}
