//! What rules would do to a body that is there whole: for trying them out, never for traffic.

mod exchange;

use std::sync::Arc;

use bytes::Bytes;
use postern_types::{Direction, Finding};
use serde::de::IgnoredAny;

use crate::{BodyCleaner, BodyKind, Cleaner, InspectError, MaskKeys, RuleSet};

pub use exchange::{Exchange, preview_exchange};

/// What became of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The text that would go on; or why none would: `DataBlocked` or `CannotInspect`, or of a
    /// request to an AI provider why it would be refused under any rule.
    pub text: Result<String, InspectError>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Applies rules to a body as if it went by at a plain HTTP upstream. Where no content type is
/// given, it is told from the body: JSON, lines of JSON, or text.
///
/// Hashes and placeholders are made under a key of nobody's, so that they tell nothing: those of a
/// gateway are others.
#[must_use]
pub fn preview(
    rules: RuleSet,
    direction: Direction,
    content_type: Option<&str>,
    body: &str,
) -> Preview {
    let cleaner = cleaner(rules, direction);
    let watches = cleaner.only_watches();
    let kind = BodyKind {
        content_type: Some(content_type.unwrap_or_else(|| told_from(body))),
        content_encoding: None,
    };
    let mut cleaner = BodyCleaner::new(&kind, cleaner);
    let mut pieces = Vec::new();
    let done = cleaner
        .push(Bytes::copy_from_slice(body.as_bytes()), &mut pieces)
        .and_then(|()| cleaner.finish(&mut pieces));
    let text = match done {
        Ok(()) => Ok(String::from_utf8_lossy(&pieces.concat()).into_owned()),
        // What a dry run cannot read passes, and is told.
        Err(InspectError::CannotInspect(_)) if watches => {
            cleaner.unread();
            Ok(body.to_owned())
        }
        Err(error) => Err(error),
    };
    Preview {
        text,
        findings: cleaner.findings(),
    }
}

/// A cleaner under a key of nobody's.
fn cleaner(rules: RuleSet, direction: Direction) -> Cleaner {
    let keys = MaskKeys::new(&[0; 32], "preview", "preview", "preview");
    Cleaner::new(Arc::new(rules), direction, &[], keys)
}

fn told_from(body: &str) -> &'static str {
    let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !body.trim_start().starts_with(['{', '[']) {
        return "text/plain";
    }
    if is_json(body) {
        return "application/json";
    }
    if body.lines().all(|line| line.is_empty() || is_json(line)) {
        return "application/x-ndjson";
    }
    "text/plain"
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_types::DataRule;

    fn rule(action: &str) -> RuleSet {
        let spec = serde_json::json!({"directions": ["request"], "action": action, "classes": [],
            "custom": [{"class": "custom:badge", "pattern": "B-[0-9]{6}"}],
            "fields": [{"path": "$.note", "class": "custom:note"}]});
        let rule = DataRule {
            name: "badges".parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        RuleSet::compile(&[rule]).unwrap()
    }

    fn masked(body: &str) -> String {
        let tried = preview(rule("mask"), Direction::Request, None, body);
        tried.text.unwrap()
    }

    #[test]
    fn a_body_is_shown_as_it_would_go_on() {
        let text = "his badge B-123456 was lost";
        assert_eq!(masked(text), "his badge [CUSTOM_BADGE] was lost");
        let other_way = preview(rule("mask"), Direction::Response, None, text);
        assert_eq!(other_way.text.unwrap(), text);
        let blocked = preview(rule("block"), Direction::Request, None, text);
        assert!(matches!(blocked.text, Err(InspectError::DataBlocked(_))));
        assert_eq!(blocked.findings.len(), 1);
    }

    #[test]
    fn the_form_of_a_body_is_told_from_it() {
        assert_eq!(
            masked(r#"{"a": "B-1\u00323456", "note": "x"}"#),
            r#"{"a": "[CUSTOM_BADGE]", "note": "[CUSTOM_NOTE]"}"#
        );
        assert_eq!(
            masked("{\"a\": 1}\n{\"note\": \"x\"}\n"),
            "{\"a\": 1}\n{\"note\": \"[CUSTOM_NOTE]\"}\n"
        );
        assert_eq!(masked("[sic] B-123456"), "[sic] [CUSTOM_BADGE]");
        let twice = preview(
            rule("mask"),
            Direction::Request,
            None,
            r#"{"a": 1, "a": 2}"#,
        );
        assert!(matches!(twice.text, Err(InspectError::CannotInspect(_))));
        let typed = preview(rule("mask"), Direction::Request, Some("image/png"), "x");
        assert!(matches!(typed.text, Err(InspectError::CannotInspect(_))));
        let spec = serde_json::json!({"directions": ["request"], "classes": ["card"],
            "action": "mask", "dry_run": true});
        let watching = DataRule {
            name: "watch".parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        let rules = RuleSet::compile(&[watching]).unwrap();
        let passes = preview(rules, Direction::Request, Some("image/png"), "x");
        assert_eq!(
            (passes.text.as_deref(), passes.findings.len()),
            (Ok("x"), 1)
        );
    }
}
