//! A function fits a screen: 70 lines of code, and 6 arguments. Blank lines and comment lines are
//! free, so that explaining costs nothing.

use super::Finding;
use crate::tree::{SourceFile, Tree};
use std::collections::HashMap;
use syn::spanned::Spanned;
use syn::visit::Visit;

const LINES_MAX: usize = 70;
const ARGUMENTS_MAX: usize = 6;

/// Functions with more arguments or lines, and why: `(path, function, reason)`.
const EXCUSED: &[(&str, &str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let code: HashMap<usize, &str> = file
            .lines()
            .filter(|(_, line)| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with("//")
            })
            .collect();
        let mut visitor = Functions {
            file,
            code,
            findings: &mut findings,
        };
        visitor.visit_file(&rust.syntax);
    }
    findings
}

struct Functions<'a> {
    file: &'a SourceFile,
    code: HashMap<usize, &'a str>,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let name = signature.ident.to_string();
        if EXCUSED
            .iter()
            .any(|(path, function, _)| *path == self.file.path && *function == name)
        {
            return;
        }
        let first = signature.span().start().line;
        // The braces are not counted.
        let (open, close) = (body.span().start().line, body.span().end().line);
        let lines = (open + 1..close)
            .filter(|line| self.code.contains_key(line))
            .count();
        if lines > LINES_MAX {
            let message = format!(
                "`{name}` has {lines} lines, at most {LINES_MAX}: give its steps names of their own"
            );
            self.findings
                .push(Finding::new(&self.file.path, first, message));
        }
        let arguments = signature.inputs.len();
        if arguments > ARGUMENTS_MAX {
            let message = format!(
                "`{name}` takes {arguments} arguments, at most {ARGUMENTS_MAX}: \
                 those that travel together are a struct"
            );
            self.findings
                .push(Finding::new(&self.file.path, first, message));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: code lines count, comments and blank lines do not.
    #[test]
    fn a_long_function_is_found() {
        let long = format!(
            "fn long() {{\n{}}}\n",
            "    step();\n".repeat(LINES_MAX + 1)
        );
        let commented = format!("fn fine() {{\n{}}}\n", "    // why\n\n".repeat(LINES_MAX));
        let found = check(&Tree::sample(&[("a.rs", &long), ("b.rs", &commented)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("`long` has 71 lines"));
    }

    #[test]
    fn a_wide_signature_is_found() {
        let text = "impl A {\n fn wide(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}\n}\n";
        let found = check(&Tree::sample(&[("a.rs", text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }
}
