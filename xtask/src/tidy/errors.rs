//! Error types stay small: one per operation family, so that a caller can match it whole. One
//! error that everybody shares ends up knowing everything.

use super::Finding;
use crate::tree::Tree;
use syn::visit::Visit;

const VARIANTS_MAX: usize = 10;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        Errors {
            path: &file.path,
            findings: &mut findings,
        }
        .visit_file(&rust.syntax);
    }
    findings
}

struct Errors<'a> {
    path: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl<'ast> Visit<'ast> for Errors<'_> {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let name = item.ident.to_string();
        let variants = item.variants.len();
        if name.ends_with("Error") && variants > VARIANTS_MAX {
            let line = item.ident.span().start().line;
            let message = format!(
                "`{name}` has {variants} variants, at most {VARIANTS_MAX}: \
                 one error type per operation family"
            );
            self.findings.push(Finding::new(self.path, line, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_knows_everything_is_found() {
        let variants: String = (0..=VARIANTS_MAX)
            .map(|number| format!("V{number}, "))
            .collect();
        let text = format!("enum GatewayError {{ {variants} }}\nenum Code {{ {variants} }}\n");
        let found = check(&Tree::sample(&[("crates/x/src/a.rs", &text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }
}
