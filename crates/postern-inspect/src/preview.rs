//! What rules would do to a text that is there whole: for trying them out, never for traffic.

use std::sync::Arc;

use postern_types::{Direction, Finding};

use crate::clean::{Channel, TextKind};
use crate::{CleanError, Cleaner, MaskKeys, RuleSet};

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The text that would go on; or why none would.
    pub text: Result<String, CleanError>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Applies rules to a text as if it went by in a direction. What begins as JSON is read as JSON:
/// its strings and names are cleaned decoded, its numbers too.
///
/// Hashes and placeholders are made under a key of nobody's, so that they tell nothing: those of a
/// gateway are others.
#[must_use]
pub fn preview(rules: RuleSet, direction: Direction, text: &str) -> Preview {
    let keys = MaskKeys::new(&[0; 32], "preview", "preview", "preview");
    let mut cleaner = Cleaner::new(Arc::new(rules), direction, &[], keys);
    let kind = match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => TextKind::Json,
        _ => TextKind::Plain,
    };
    let mut out = String::with_capacity(text.len());
    let mut channel = Channel::new(kind, "text", "");
    let done = channel
        .push(text, &mut cleaner, &mut out)
        .and_then(|()| channel.finish(&mut cleaner, &mut out));
    Preview {
        text: done.map(|()| out),
        findings: cleaner.findings(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_types::DataRule;

    fn rule(action: &str) -> RuleSet {
        let spec = serde_json::json!({"directions": ["request"], "action": action,
            "classes": [], "custom": [{"class": "custom:badge", "pattern": "B-[0-9]{6}"}]});
        let rule = DataRule {
            name: "badges".parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        RuleSet::compile(&[rule]).unwrap()
    }

    #[test]
    fn a_text_is_shown_as_it_would_go_on() {
        let text = "his badge B-123456 was lost";
        let masked = preview(rule("mask"), Direction::Request, text);
        assert_eq!(masked.text.unwrap(), "his badge [CUSTOM_BADGE] was lost");
        assert_eq!(masked.findings.len(), 1);
        let other_way = preview(rule("mask"), Direction::Response, text);
        assert_eq!(other_way.text.unwrap(), text);
        let blocked = preview(rule("block"), Direction::Request, text);
        assert!(matches!(blocked.text, Err(CleanError::Blocked { .. })));
    }
}
