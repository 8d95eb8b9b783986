//! What was cleaned stays as it is when it is cleaned again, and holds nothing of a secret.

use std::sync::Arc;

use postern_types::{
    ClassSelector, DataAction, DataRule, DataRuleSpec, Direction, OpaqueAction, RuleName,
    ThinkingAction,
};

use crate::clean::{Cleaner, MaskKeys, RuleSet};
use crate::detect::secret::DETECTORS;

fn cleaner(action: &str) -> Cleaner {
    let rule = DataRule {
        name: RuleName::parse("secrets").unwrap(),
        spec: DataRuleSpec {
            upstream: None,
            directions: vec![Direction::Request],
            classes: vec![ClassSelector::parse("all").unwrap()],
            action: DataAction::parse(action).unwrap(),
            dry_run: false,
            confidence_min: 50,
            custom: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            opaque: OpaqueAction::Refuse,
            thinking: ThinkingAction::Drop,
            tell_client: false,
        },
    };
    let rules = Arc::new(RuleSet::compile(&[rule]).unwrap());
    let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
    Cleaner::new(rules, Direction::Request, &[], keys)
}

fn cleaned(cleaner: &mut Cleaner, text: &str) -> String {
    let cleaned = cleaner.clean_value("x", "", text).unwrap();
    cleaned.unwrap_or_else(|| text.to_owned())
}

/// Goal: a conversation that comes back is not masked anew. Method: the examples of every row,
/// cleaned twice by the actions that put labels.
#[test]
fn cleaning_twice_changes_nothing() {
    let mut wrong = Vec::new();
    for action in ["mask", "hash"] {
        let mut cleaner = cleaner(action);
        for example in DETECTORS.iter().flat_map(|row| row.found) {
            let text = example.replace(['⟦', '⟧'], "");
            let once = cleaned(&mut cleaner, &text);
            let twice = cleaned(&mut cleaner, &once);
            if once != twice {
                wrong.push(format!("{action}: {text:?}\n  {once:?}\n  {twice:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Goal: nothing of a secret is left. Method: the examples of every row, masked; eight bytes in a
/// row of what stands between the marks may not be there any more.
#[test]
fn masking_leaves_nothing_of_a_secret() {
    let mut cleaner = cleaner("mask");
    for row in DETECTORS.iter().filter(|row| row.confidence.1 >= 50) {
        for example in row.found {
            let text = example.replace(['⟦', '⟧'], "");
            let masked = cleaned(&mut cleaner, &text);
            for secret in example.split(['⟦', '⟧']).skip(1).step_by(2) {
                let parts = secret.as_bytes().windows(8.min(secret.len()));
                let left = parts
                    .filter_map(|part| std::str::from_utf8(part).ok())
                    .find(|part| masked.contains(part));
                assert_eq!(left, None, "{}: {masked}", row.id);
            }
        }
    }
}
