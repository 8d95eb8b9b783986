//! No path of somebody's machine in the tree: they say nothing to others and tell too much.

use super::Finding;
use crate::tree::Tree;

/// Beginnings of absolute paths, split so that this file does not find itself.
const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path != "Cargo.lock") {
        for (number, line) in file.lines() {
            for start in MACHINE.iter().filter(|start| begins_path(line, start)) {
                let message = format!("`{start}` is a path of one machine: make it relative");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    findings
}

/// Whether the path begins here, rather than in the middle of a longer one.
fn begins_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_-.}*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_path_is_found() {
        let text = format!("cd {}me\nlater: x{}y\n", MACHINE[2], MACHINE[0]);
        let found = check(&Tree::sample(&[("docs/a.md", &text)]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [1]
        );
    }
}
