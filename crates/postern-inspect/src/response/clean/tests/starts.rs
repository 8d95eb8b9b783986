//! Texts that begin in one kind of event and are carried on in another.

use super::anthropic as event;
use super::*;

/// A text that is cut in the middle of a value.
const HALVES: (&str, &str) = ("card 4539578", "763621486 ok");

/// What begins a text with so much of it, and what carries it on.
type Begins = fn(&str) -> String;

fn item(item: &Value) -> String {
    let said = json!({"output_index":1,"item":item});
    event("response.output_item.added", &said)
}

fn part(kind: &str, place: &str, part: &str, text: &str) -> String {
    let mut said = json!({"output_index":1,"item_id":"i","part":{"type":part,"text":text}});
    said[place] = json!(0);
    event(&format!("response.{kind}.added"), &said)
}

fn created(kind: &str, text: &str) -> String {
    let content = json!([{"type":"output_text","text":text,"annotations":[]}]);
    let message = json!({"id":"i","type":"message","role":"assistant","content":content});
    let first = json!({"id":"h","type":"reasoning","summary":[]});
    event(
        kind,
        &json!({"response":{"id":"r","output":[first, message]}}),
    )
}

/// The next piece of a text in an item of a response, or in a part of it.
fn delta(kind: &str, place: &str) -> String {
    let mut said = json!({"output_index":1,"item_id":"i","delta":HALVES.1});
    if !place.is_empty() {
        said[place] = json!(0);
    }
    event(&format!("response.{kind}.delta"), &said)
}

/// Each way in which an item of a response begins a text, and the next piece of it.
fn items() -> Vec<(Begins, String)> {
    vec![
        (
            |text| {
                let content = json!([{"type":"output_text","text":text,"annotations":[]}]);
                item(&json!({"id":"i","type":"message","role":"assistant","content":content}))
            },
            delta("output_text", "content_index"),
        ),
        (
            |text| item(&json!({"id":"i","type":"message","role":"assistant","content":text})),
            delta("output_text", "content_index"),
        ),
        (
            |text| item(&json!({"id":"i","type":"function_call","name":"f","arguments":text})),
            delta("function_call_arguments", ""),
        ),
        (
            |text| item(&json!({"id":"i","type":"custom_tool_call","name":"f","input":text})),
            delta("custom_tool_call_input", ""),
        ),
        (
            |text| item(&json!({"id":"i","type":"code_interpreter_call","code":text})),
            delta("code_interpreter_call_code", ""),
        ),
        (
            |text| {
                let summary = json!([{"type":"summary_text","text":text}]);
                item(&json!({"id":"i","type":"reasoning","summary":summary}))
            },
            delta("reasoning_summary_text", "summary_index"),
        ),
    ]
}

/// The same of the other events of a response.
fn parts() -> Vec<(Begins, String)> {
    vec![
        (
            |text| part("content_part", "content_index", "output_text", text),
            delta("output_text", "content_index"),
        ),
        (
            |text| {
                part(
                    "reasoning_summary_part",
                    "summary_index",
                    "summary_text",
                    text,
                )
            },
            delta("reasoning_summary_text", "summary_index"),
        ),
        (
            |text| part("reasoning_part", "content_index", "reasoning_text", text),
            delta("reasoning_text", "content_index"),
        ),
        (
            |text| created("response.created", text),
            delta("output_text", "content_index"),
        ),
        (
            |text| created("response.in_progress", text),
            delta("output_text", "content_index"),
        ),
        (
            |text| {
                let said = json!({"output_index":1,"command_index":0,"command":text});
                event("response.shell_call_command.added", &said)
            },
            delta("shell_call_command", "command_index"),
        ),
    ]
}

/// Each way in which a message of Anthropic's begins a text, and the next piece of it.
fn messages() -> Vec<(Begins, String)> {
    fn start(block: &Value) -> String {
        event(
            "content_block_start",
            &json!({"index":0,"content_block":block}),
        )
    }
    fn message(content: &Value) -> String {
        let message = json!({"id":"m","type":"message","role":"assistant","content":content});
        event("message_start", &json!({ "message": message }))
    }
    let delta = |kind: &str, name: &str| {
        let delta = json!({"type":kind, name: HALVES.1});
        event("content_block_delta", &json!({"index":0,"delta":delta}))
    };
    let (text, input) = ("text_delta", "input_json_delta");
    vec![
        (
            |text| message(&json!([{"type":"text","text":text}])),
            delta(text, "text"),
        ),
        (|text| message(&json!(text)), delta(text, "text")),
        (
            |text| start(&json!({"type":"tool_use","id":"t","name":"f","input":text})),
            delta(input, "partial_json"),
        ),
        (
            |text| start(&json!({"type":"mcp_tool_use","id":"t","name":"f","input":{"a":text}})),
            delta(input, "partial_json"),
        ),
        (
            |text| start(&json!({"type":"compaction","content":text})),
            delta("compaction_delta", "content"),
        ),
        (|text| start(&json!({ "text": text })), delta(text, "text")),
    ]
}

fn streams() -> Vec<(ResponseOptions<'static>, Begins, String)> {
    let of =
        |dialect, operation| move |(begins, delta)| (options(dialect, operation), begins, delta);
    let own = items().into_iter().chain(parts());
    let own = own.map(of(Dialect::OpenAi, Operation::Responses));
    let others = messages()
        .into_iter()
        .map(of(Dialect::Anthropic, Operation::Messages));
    own.chain(others).collect()
}

/// Goal: no value goes through in halves, of which one stands in the event that begins a text and
/// the other in a piece of it; and what begins with nothing, or comes whole, passes. Method: each
/// way of beginning a text, in either way, with every cut.
#[test]
fn a_text_that_began_in_another_event_does_not_go_on() {
    for (given, begins, delta) in streams() {
        for cut in [1, usize::MAX] {
            let stream = begins(HALVES.0) + &delta;
            let out = carried(&given, &stream, cut, |_| {});
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{stream}: {out:?}"
            );
            let out = carried(&given, &(begins("") + &delta), cut, |_| {}).unwrap();
            assert!(out.contains("763621486"), "{stream}: {out}");
            let whole = begins("card 4539578763621486");
            let out = carried(&given, &whole, cut, |_| {}).unwrap();
            assert!(out.contains("card [CARD]"), "{stream}: {out}");
        }
    }
}

/// Goal: the text of a block of Anthropic's is one text. Method: the halves in its start and in a
/// piece.
#[test]
fn the_text_of_a_block_goes_on_from_its_start() {
    let begun = json!({"type":"text","text":HALVES.0});
    let start = event(
        "content_block_start",
        &json!({"index":0,"content_block":begun}),
    );
    let delta = json!({"type":"text_delta","text":HALVES.1});
    let piece = event("content_block_delta", &json!({"index":0,"delta":delta}));
    let stream = start + &piece + &event("message_stop", &json!({}));
    let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
    assert_eq!(block(&events(&out), 0), "card [CARD] ok", "{out}");
}

/// Goal: an item is told by its place or by its id. Method: a piece that says one of them, or
/// neither, and one of another item or part.
#[test]
fn a_piece_goes_on_with_what_it_may_be_of() {
    let given = options(Dialect::OpenAi, Operation::Responses);
    let part = json!({"type":"output_text","text":HALVES.0});
    let said = json!({"output_index":1,"item_id":"i","content_index":1,"part":part});
    let begun = event("response.content_part.added", &said);
    let ends = |place: &Value| {
        let mut said = json!({ "delta": HALVES.1 });
        for (name, value) in place.as_object().unwrap() {
            said[name] = value.clone();
        }
        let stream = begun.clone() + &event("response.output_text.delta", &said);
        carried(&given, &stream, 7, |_| {}).is_err()
    };
    for own in [
        json!({"item_id":"i","content_index":1}),
        json!({"output_index":1,"content_index":1}),
        json!({"output_index":1}),
        json!({"output_index":1.0,"item_id":"j","content_index":1}),
        json!({"output_index":2,"item_id":"i","content_index":1}),
        json!({"item_id":"j"}),
        json!({}),
    ] {
        assert!(ends(&own), "{own}");
    }
    for other in [
        json!({"output_index":2,"item_id":"j","content_index":1}),
        json!({"output_index":1,"item_id":"i","content_index":2}),
        json!({"output_index":0,"item_id":"h","content_index":0}),
    ] {
        assert!(!ends(&other), "{other}");
    }
}

/// Goal: what is put beside a text begins none. Method: an item of a tool, and a note on a text,
/// before pieces.
#[test]
fn what_stands_beside_a_text_begins_none() {
    let given = options(Dialect::OpenAi, Operation::Responses);
    let place = json!({"type":"create_file","path":"a/b.txt","diff":""});
    let item = json!({"id":"i","type":"apply_patch_call","call_id":"c","operation":place,
        "created_by":{"agent":{"name":"a b","version":"1"}}});
    let added = event(
        "response.output_item.added",
        &json!({"output_index":0,"item":item}),
    );
    let delta = json!({"output_index":0,"item_id":"i","delta":"a b "});
    let patch = event("response.apply_patch_call_operation_diff.delta", &delta);
    let note = json!({"type":"url_citation","url":"https://example.com/","title":"a title"});
    let noted = json!({"output_index":1,"item_id":"j","content_index":0,"annotation_index":0,
        "annotation":note});
    let noted = event("response.output_text.annotation.added", &noted);
    let said = json!({"output_index":1,"item_id":"j","content_index":0,"delta":"c d "});
    let text = event("response.output_text.delta", &said);
    let stream = added + &patch + &text + &noted + &text;
    assert_eq!(carried(&given, &stream, 7, |_| {}), Ok(stream));
}

/// Goal: what is kept is bounded. Method: more parts that begin with a text than a stream may have.
#[test]
fn texts_that_began_are_bounded() {
    let given = options(Dialect::OpenAi, Operation::Responses);
    let part = |at: usize| {
        let part = json!({"type":"output_text","text":"a b"});
        let said = json!({"output_index":0,"item_id":"i","content_index":at,"part":part});
        event("response.content_part.added", &said)
    };
    let all: String = (0..1024).map(part).collect();
    assert_eq!(carried(&given, &all, 9999, |_| {}), Ok(all.clone()));
    let out = carried(&given, &(all + &part(1024)), 9999, |_| {});
    assert!(matches!(out, Err(InspectError::CannotInspect(_))));
}

/// Goal: the streams of vLLM go on, and their reasoning is one text. Method: its events around the
/// halves of a value.
#[test]
fn reasoning_of_vllm_is_followed() {
    let place = json!({"output_index":0,"item_id":"i","content_index":0});
    let of_part = |kind: &str, name: &str, said: Value| {
        let mut rest = place.clone();
        rest[name] = said;
        event(&format!("response.{kind}"), &rest)
    };
    let part = |text: &str| json!({"type":"reasoning_text","text":text});
    let item = json!({"id":"i","type":"reasoning","summary":[],"status":"in_progress"});
    let added = json!({"output_index":0,"item":item});
    let all = HALVES.0.to_owned() + HALVES.1;
    let stream = event("response.output_item.added", &added)
        + &of_part("reasoning_part.added", "part", part(""))
        + &of_part("reasoning_text.delta", "delta", json!(HALVES.0))
        + &of_part("reasoning_text.delta", "delta", json!(HALVES.1))
        + &of_part("reasoning_text.done", "text", json!(all))
        + &of_part("reasoning_part.done", "part", part(&all));
    let given = options(Dialect::OpenAi, Operation::Responses);
    for cut in [1, 64, usize::MAX] {
        let out = carried(&given, &stream, cut, |_| {}).unwrap();
        assert_eq!(out.matches("[CARD]").count(), 3, "{out}");
        let deltas = events(&out).into_iter();
        let deltas = deltas.filter_map(|event| event["delta"].as_str().map(str::to_owned));
        assert_eq!(deltas.collect::<String>(), "card [CARD] ok", "{out}");
    }
}
