//! Names that say nothing: modules called `core` or `util`, functions called `get_x`, and the
//! `mod.rs` that makes every editor tab look the same.

use super::Finding;
use crate::tree::{SourceFile, Tree};
use syn::visit::Visit;

const EMPTY_WORDS: &[&str] = &[
    "core", "common", "util", "utils", "misc", "helper", "helpers", "shared", "stuff",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        if file.path.ends_with("/mod.rs") {
            let message = "move it to a file with the module's name beside the folder";
            findings.push(Finding::new(&file.path, 1, message));
        }
        let parts = file.path.trim_end_matches(".rs").split('/');
        for word in parts.filter(|part| EMPTY_WORDS.contains(part)) {
            let message = format!("`{word}` is not a responsibility: name what it is for");
            findings.push(Finding::new(&file.path, 1, message));
        }
        Names {
            file,
            findings: &mut findings,
        }
        .visit_file(&rust.syntax);
    }
    findings
}

struct Names<'a> {
    file: &'a SourceFile,
    findings: &'a mut Vec<Finding>,
}

impl Names<'_> {
    fn function(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if let Some(rest) = name.strip_prefix("get_") {
            let line = ident.span().start().line;
            let message = format!("`{name}`: call it `{rest}`, or by what it does");
            self.findings
                .push(Finding::new(&self.file.path, line, message));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig.ident);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // The names of a trait's functions are the trait's.
        if item.trait_.is_none() {
            for part in &item.items {
                if let syn::ImplItem::Fn(function) = part {
                    self.function(&function.sig.ident);
                }
            }
        }
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if EMPTY_WORDS.contains(&name.as_str()) {
            let line = item.ident.span().start().line;
            let message = format!("`{name}` is not a responsibility: name what it is for");
            self.findings
                .push(Finding::new(&self.file.path, line, message));
        }
        syn::visit::visit_item_mod(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found() {
        let found = check(&Tree::sample(&[
            ("crates/x/src/util.rs", "fn a() {}\n"),
            ("crates/x/src/a/mod.rs", "fn a() {}\n"),
            (
                "crates/x/src/b.rs",
                "mod misc {}\nimpl A { fn get_name(&self) {} }\n",
            ),
            (
                "crates/x/src/c.rs",
                "impl Foreign for A { fn get_name(&self) {} }\n",
            ),
        ]));
        let places: Vec<(&str, usize)> = found
            .iter()
            .map(|finding| (finding.path.as_str(), finding.line))
            .collect();
        assert_eq!(
            places,
            [
                ("crates/x/src/util.rs", 1),
                ("crates/x/src/a/mod.rs", 1),
                ("crates/x/src/b.rs", 1),
                ("crates/x/src/b.rs", 2),
            ]
        );
    }
}
