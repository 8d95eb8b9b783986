//! Parts of unknown kinds in streams.

use super::*;

/// A stream of each dialect with a part of this kind, and its text.
fn streams(kind: &str) -> Vec<(Dialect, Operation, String)> {
    let part = json!({"type":kind,"text":format!("{MAIL} ")});
    let events = |events: &[Value]| {
        let event = |event: &Value| format!("data: {event}\n\n");
        events.iter().map(event).collect::<String>()
    };
    let item = json!({"type":"response.output_item.done","output_index":0,
        "item":{"type":"message","id":"i","content":[part]}});
    let added = json!({"type":"response.content_part.done","output_index":0,"content_index":0,
        "item_id":"i","part":part});
    let last = json!({"type":"response.completed","response":{"id":"r","output":[part]}});
    let block = json!({"index":0,"content_block":part});
    let delta = json!({"index":0,"delta":part});
    let end = anthropic("message_stop", &json!({}));
    let done = "data: [DONE]\n\n";
    vec![
        (
            Dialect::AzureOpenAi,
            Operation::ChatCompletions,
            chunk(0, &json!({"content":[part]}), None) + done,
        ),
        (Dialect::OpenAi, Operation::Responses, events(&[item])),
        (Dialect::OpenAi, Operation::Responses, events(&[added])),
        (Dialect::OpenAi, Operation::Responses, events(&[last])),
        (
            Dialect::Anthropic,
            Operation::Messages,
            anthropic("content_block_start", &block) + &end,
        ),
        (
            Dialect::Anthropic,
            Operation::Messages,
            anthropic("content_block_delta", &delta) + &end,
        ),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            events(&[json!({"candidates":[{"content":{"role":"model",
                "parts":[{kind:format!("{MAIL} ")}]},"index":0}]})]),
        ),
    ]
}

/// Goal: what may be no text ends the stream, unless the rule lets such content pass, and is then
/// read as text. Method: a made-up kind in each place of a stream where a part stands, and the kind
/// of text, which passes under either rule.
#[test]
fn a_part_of_an_unknown_kind_ends_the_stream() {
    for (dialect, operation, stream) in streams("hologram") {
        let given = options(dialect, operation);
        for cut in [1, usize::MAX] {
            let out = carried(&given, &stream, cut, |_| {});
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{dialect:?}: {out:?}"
            );
        }
        let out = carried(&given, &stream, 7, |spec| spec.opaque = OpaqueAction::Allow);
        let out = out.unwrap();
        assert!(out.contains("[EMAIL]") && !out.contains(MAIL), "{out}");
    }
    for (dialect, operation, stream) in streams("text") {
        if stream.contains("content_block_delta") {
            // There a text is of another kind.
            continue;
        }
        let out = carried(&options(dialect, operation), &stream, 7, |_| {}).unwrap();
        assert!(out.contains("[EMAIL]") && !out.contains(MAIL), "{out}");
    }
}
