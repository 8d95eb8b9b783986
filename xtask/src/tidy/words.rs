//! The dictionary of CONTRIBUTING.md, for identifiers: one idea has one word, so that a search
//! finds all of it.

use super::Finding;
use crate::tree::Tree;

/// `(a part of an identifier, what we say)`.
const WORDS: &[(&str, &str)] = &[
    ("frontend", "downstream"),
    ("throttle", "limit"),
    ("throttled", "rate_limited"),
    ("debit", "settle"),
    ("pii", "data class"),
    ("sanitize", "mask"),
    ("sanitise", "mask"),
    ("blacklist", "deny list"),
    ("whitelist", "allow list"),
    ("merkleroot", "root"),
    ("blockchain", "audit log"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for token in &rust.tokens {
            if !token
                .text
                .starts_with(|first: char| first.is_alphabetic() || first == '_')
            {
                continue;
            }
            for part in parts(&token.text) {
                if let Some((_, ours)) = WORDS.iter().find(|(word, _)| *word == part) {
                    let message = format!("`{}`: we say `{ours}`", token.text);
                    findings.push(Finding::new(&file.path, token.line, message));
                }
            }
        }
    }
    findings
}

/// The lower-case words of `snake_case` and `CamelCase`.
fn parts(identifier: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in identifier.chars() {
        if letter == '_' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if letter != '_' {
            let last = parts.last_mut().expect("the list starts with one part");
            last.extend(letter.to_lowercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_word_is_found() {
        let found = check(&Tree::sample(&[(
            "crates/x/src/a.rs",
            "// whitelist in prose\nstruct ThrottleGate;\nfn is_whitelist_entry() {}\n",
        )]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [2, 3]
        );
    }
}
