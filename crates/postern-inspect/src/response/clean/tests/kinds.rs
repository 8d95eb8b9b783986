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

/// Goal: a text that is spread over events of a kind that nobody knows does not get through, and
/// what tells only that something goes on does. Method: such events with pieces of a value, by
/// either rule and in a dry run; and events without text, errors, and kinds that say what they are.
#[test]
fn an_event_of_an_unknown_kind_ends_the_stream() {
    let rows = [
        (
            Dialect::OpenAi,
            Operation::Responses,
            "response.new_text.chunk",
        ),
        (Dialect::Anthropic, Operation::Messages, "new_block_piece"),
    ];
    for (dialect, operation, kind) in rows {
        let given = options(dialect, operation);
        let event = |event: Value| format!("data: {event}\n\n");
        let piece = |letter| event(json!({"type":kind,"item_id":"i","piece":letter}));
        let stream: String = MAIL.chars().map(piece).collect();
        for text in [stream.clone(), event(json!({"piece":"a"}))] {
            let out = carried(&given, &text, 7, |_| {});
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{kind}: {out:?}"
            );
        }
        let dry = carried(&given, &stream, 7, |spec| spec.dry_run = true);
        assert_eq!(dry.unwrap(), stream);
        let whole = event(json!({"type":kind,"text":MAIL}));
        let out = carried(&given, &whole, 7, |spec| spec.opaque = OpaqueAction::Allow);
        assert!(out.unwrap().contains("[EMAIL]"));
        let known = event(json!({"type":kind,"item_id":"i","output_index":0,"percent":5}))
            + &event(json!({"error":{"message":"no"}}))
            + &event(json!({"type":"error","error":{"message":"no"}}));
        assert_eq!(carried(&given, &known, 7, |_| {}).unwrap(), known);
    }
    let given = options(Dialect::OpenAi, Operation::Responses);
    let piece = |letter| {
        let event = json!({"type":"response.new_text.delta","output_index":0,"delta":letter});
        format!("data: {event}\n\n")
    };
    let stream: String = MAIL.chars().map(piece).collect();
    let out = carried(&given, &stream, 7, |_| {}).unwrap();
    let all: String = events(&out)
        .iter()
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(all, "[EMAIL]");
}
