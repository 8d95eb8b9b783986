//! Words of the format in real answers: ids, names, states.

use std::sync::Arc;

use bytes::Bytes;
use postern_inspect::{Cleaner, MaskKeys, ResponseOptions, ResponseReader, RuleSet};
use postern_types::{DataRule, Direction};
use serde_json::json;

use crate::corpus;

/// Where words stand, in all dialects.
const WORDS: &[&str] = &[
    "call_id",
    "created_at",
    "finishReason",
    "finish_reason",
    "id",
    "item_id",
    "model",
    "modelVersion",
    "name",
    "object",
    "responseId",
    "role",
    "status",
    "stop_reason",
    "system_fingerprint",
    "tool_call_id",
    "tool_use_id",
    "type",
];

#[test]
fn words_of_real_answers_are_left_alone() {
    // Goal: no id, name or state that providers give is taken for a value, or calls would lose
    // their results. Method: every recorded answer under a rule for everything.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let spec = json!({"directions": ["response"], "classes": ["all"], "action": "mask",
        "opaque": "allow", "thinking": "pass"});
    let rule = DataRule {
        name: "all".parse().unwrap(),
        spec: serde_json::from_value(spec).unwrap(),
    };
    let rules = Arc::new(RuleSet::compile(&[rule]).unwrap());
    let mut read = 0;
    for exchange in exchanges {
        let options = ResponseOptions {
            operation: exchange.operation,
            dialect: exchange.dialect,
            stream_asked: exchange.streaming,
            strip_usage: false,
            keeps_answer: true,
            content_type: "",
            content_encoding: None,
            status: 200,
        };
        let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
        let cleaner = Cleaner::new(Arc::clone(&rules), Direction::Response, &[], keys);
        let mut reader = ResponseReader::new(&options, Some(cleaner));
        let mut out = Vec::new();
        let pushed = reader.push(Bytes::from(exchange.answer.clone()), &mut out);
        let done = pushed.and_then(|()| reader.finish(&mut out));
        assert_eq!(done, Ok(()), "{}", exchange.id);
        read += 1;
        for finding in reader.findings() {
            let last = finding.place.rsplit('.').next().unwrap_or_default();
            let class = &finding.class;
            assert!(
                !WORDS.contains(&last),
                "{}: {class} at {}",
                exchange.id,
                finding.place
            );
        }
    }
    assert!(read > 350, "{read} answers were read");
}
