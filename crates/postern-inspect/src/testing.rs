//! Cleaners for the tests of this crate.

use std::sync::Arc;

use postern_types::{
    ClassSelector, DataAction, DataRule, DataRuleSpec, Direction, OpaqueAction, RuleName,
    ThinkingAction,
};

use crate::clean::{Cleaner, MaskKeys, RuleSet};

/// A rule for cards and e-mail addresses.
pub(crate) fn rule(action: DataAction) -> DataRule {
    DataRule {
        name: RuleName::parse("test").unwrap(),
        spec: DataRuleSpec {
            upstream: None,
            directions: vec![Direction::Request, Direction::Response],
            classes: ["card", "email"]
                .map(|class| ClassSelector::parse(class).unwrap())
                .to_vec(),
            action,
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
    }
}

/// A cleaner of one rule, as the change makes it.
pub(crate) fn cleaner(direction: Direction, change: impl FnOnce(&mut DataRuleSpec)) -> Cleaner {
    let mut rule = rule(DataAction::Mask);
    change(&mut rule.spec);
    let rules = Arc::new(RuleSet::compile(&[rule]).unwrap());
    let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
    Cleaner::new(rules, direction, &[], keys)
}
