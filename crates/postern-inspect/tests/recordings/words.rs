//! Words of the format in real answers: ids, names, states, and the kinds of events.

use std::sync::Arc;

use bytes::Bytes;
use postern_inspect::{Cleaner, InspectError, MaskKeys, ResponseOptions, ResponseReader, RuleSet};
use postern_types::{DataRule, Direction};
use serde_json::json;

use crate::cleaning::streams;
use crate::corpus::{self, Exchange};

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

fn rules(classes: &str, opaque: &str) -> Arc<RuleSet> {
    let spec = json!({"directions": ["response"], "classes": [classes], "action": "mask",
        "opaque": opaque, "thinking": "pass"});
    let rule = DataRule {
        name: "all".parse().unwrap(),
        spec: serde_json::from_value(spec).unwrap(),
    };
    Arc::new(RuleSet::compile(&[rule]).unwrap())
}

fn reader(exchange: &Exchange, rules: &Arc<RuleSet>) -> ResponseReader {
    let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
    let cleaner = Cleaner::new(Arc::clone(rules), Direction::Response, &[], keys);
    let options = ResponseOptions {
        content_type: "",
        status: 200,
        ..crate::options(exchange, false)
    };
    ResponseReader::new(&options, Some(cleaner))
}

#[test]
fn words_of_real_answers_are_left_alone() {
    // Goal: no id, name or state that providers give is taken for a value, or calls would lose
    // their results. Method: every recorded answer under a rule for everything.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let rules = rules("all", "allow");
    let mut read = 0;
    for exchange in exchanges {
        let mut reader = reader(&exchange, &rules);
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

/// Goal: no real stream ends because a kind of event is not known. Method: every recorded event by
/// itself, under a rule that refuses what is no text; other reasons to refuse one are no matter.
#[test]
fn events_of_real_streams_are_of_known_kinds() {
    let Some(streams) = streams() else {
        return;
    };
    let rules = rules("card", "refuse");
    let mut read = 0;
    for (exchange, stream) in streams.iter().filter(|(_, stream)| !stream.array) {
        for event in &stream.events {
            let mut reader = reader(exchange, &rules);
            let raw = Bytes::from(event.closed(false).raw);
            let pushed = reader.push(raw, &mut Vec::new());
            if let Err(InspectError::CannotInspect(cause)) = pushed {
                assert!(
                    !cause.contains("event"),
                    "{}: {cause}: {}",
                    exchange.id,
                    event.raw
                );
            }
            read += 1;
        }
    }
    assert!(read > 5000, "{read} events were read");
}
