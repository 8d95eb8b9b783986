//! Ends that are not those of a text that is open: they release nothing of it.

use super::*;

/// A text that is cut in the middle of a value.
const HALVES: (&str, &str) = ("card 4539578", "763621486 ok");

fn text_piece(index: &Value, text: &str) -> String {
    let mut delta = json!({"delta":{"type":"text_delta","text":text}});
    if !index.is_null() {
        delta["index"] = index.clone();
    }
    anthropic("content_block_delta", &delta)
}

/// Goal: a message that says why it ends, while a block is open, does not end the block; nor does
/// the end of a block that does not say of which. Method: a value in halves around each.
#[test]
fn only_its_own_end_ends_a_block() {
    let stop = anthropic("message_stop", &json!({}));
    let between = [
        anthropic(
            "message_delta",
            &json!({"delta":{"stop_reason":"end_turn"}}),
        ),
        anthropic("content_block_stop", &json!({})),
        anthropic("content_block_stop", &json!({"index":0})),
    ];
    for event in between {
        let index = json!(1);
        let stream = text_piece(&index, HALVES.0) + &event + &text_piece(&index, HALVES.1) + &stop;
        let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
        assert_eq!(block(&events(&out), 1), "card [CARD] ok", "{event}");
        assert!(out.contains(&event), "{out}");
    }
    // An index that is left out is the first one's.
    let first = text_piece(&Value::Null, HALVES.0);
    let stream = first + &anthropic("content_block_stop", &json!({"index":0})) + &stop;
    let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
    let tail = out.find("4539578").unwrap();
    assert!(tail < out.find("content_block_stop").unwrap(), "{out}");
}

/// Goal: the same of an answer's other choices. Method: an end without an index while the second
/// choice is in the middle of a value.
#[test]
fn an_end_without_an_index_ends_the_first_choice_alone() {
    let mut end = chunk(0, &json!({}), Some("stop"));
    end = end.replace("\"index\":0,", "").replace(",\"index\":0", "");
    assert!(!end.contains("index"));
    let say = |text: &str| chunk(1, &json!({"content":text}), None);
    let stream = say(HALVES.0) + &end + &say(HALVES.1) + &chunk(1, &json!({}), Some("stop"));
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert_eq!(chat_text(&out, 1, "/delta/content"), "card [CARD] ok");
}

/// Goal: the same of the parts of a response. Method: ends that leave out the item, the part, or
/// name another one, while a part is in the middle of a value; and those that are of it.
#[test]
fn only_its_own_end_ends_a_part() {
    let event = |kind: &str, rest: &Value| {
        let mut event = json!({"type":kind,"sequence_number":1});
        for (name, value) in rest.as_object().unwrap() {
            event[name] = value.clone();
        }
        format!("event: {kind}\ndata: {event}\n\n")
    };
    let say = |text: &str| {
        let place = json!({"output_index":1,"content_index":1,"item_id":"i","delta":text});
        event("response.output_text.delta", &place)
    };
    let others = [
        event(
            "response.output_text.done",
            &json!({"content_index":1,"text":""}),
        ),
        event(
            "response.output_text.done",
            &json!({"output_index":1,"text":""}),
        ),
        event(
            "response.content_part.done",
            &json!({"output_index":1,"content_index":0}),
        ),
        event("response.content_part.done", &json!({"output_index":1})),
        event("response.output_item.done", &json!({})),
        event(
            "response.refusal.done",
            &json!({"output_index":1,"content_index":1,"refusal":""}),
        ),
    ];
    let completed = event("response.completed", &json!({"response":{}}));
    let said = |out: &str| -> String {
        let text = |event: &Value| event["delta"].as_str().map(str::to_owned);
        events(out).iter().filter_map(text).collect()
    };
    for other in others {
        let stream = say(HALVES.0) + &other + &say(HALVES.1) + &completed;
        let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
        assert_eq!(said(&out), "card [CARD] ok", "{other}");
    }
    for own in [
        event(
            "response.content_part.done",
            &json!({"output_index":1,"content_index":1}),
        ),
        event("response.output_item.done", &json!({"output_index":1})),
    ] {
        let stream = say(HALVES.0) + &own + &completed;
        let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
        let tail = out.find("4539578").unwrap();
        assert!(tail < out.find(&own).unwrap(), "{own}: {out}");
    }
}

/// Goal: a part of Gemini's in which nothing stands but a seal does not end the text before it, and
/// one that is something else does. Method: each between the halves of a value.
#[test]
fn a_part_with_nothing_to_read_ends_no_text() {
    let event = |part: &Value| {
        let content = json!({"role":"model","parts":[part]});
        let answer = json!({"content":content,"index":0});
        format!("data: {}\n\n", json!({ "candidates": [answer] }))
    };
    let say = |text: &str| event(&json!({ "text": text }));
    let said = |between: &Value| -> String {
        let stream = say(HALVES.0) + &event(between) + &say(HALVES.1);
        let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &stream);
        assert!(out.contains(&event(between)), "{out}");
        let place = "/candidates/0/content/parts/0/text";
        let text = |event: &Value| event.pointer(place)?.as_str().map(str::to_owned);
        events(&out).iter().filter_map(text).collect()
    };
    let seal = "QUJD".repeat(20);
    for nothing in [
        json!({}),
        json!({ "thoughtSignature": seal }),
        json!({ "thought_signature": seal, "thought": false }),
    ] {
        assert_eq!(said(&nothing), "card [CARD] ok", "{nothing}");
    }
    let call = json!({"functionCall":{"name":"f","args":{}},"thoughtSignature":seal});
    assert_eq!(said(&call), "card 4539578763621486 ok");
}

/// Goal: no text goes on behind the end of its answer. Method: a value in halves around each event
/// that ends one; and a block that begins anew behind it.
#[test]
fn no_text_goes_on_behind_the_end_of_its_answer() {
    let refused = |dialect, operation, stream: &str| {
        let out = carried(&options(dialect, operation), stream, 7, |_| {});
        assert!(
            matches!(out, Err(InspectError::CannotInspect(_))),
            "{stream}: {out:?}"
        );
    };
    let index = json!(0);
    for end in [
        anthropic("message_stop", &json!({})),
        anthropic(
            "error",
            &json!({"error":{"type":"api_error","message":"no"}}),
        ),
    ] {
        let stream = text_piece(&index, HALVES.0) + &end + &text_piece(&index, HALVES.1);
        refused(Dialect::Anthropic, Operation::Messages, &stream);
        let begun = json!({"index":0,"content_block":{"type":"text","text":""}});
        let start = anthropic("content_block_start", &begun);
        let stream = text_piece(&index, "a b") + &end + &start + &text_piece(&index, "c d") + &end;
        let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
        assert_eq!(block(&events(&out), 0), "a bc d", "{out}");
    }
    let say = |text: &str| {
        let event = json!({"type":"response.output_text.delta","output_index":0,"delta":text});
        format!("data: {event}\n\n")
    };
    for kind in ["completed", "incomplete", "failed"] {
        let end = json!({"type":format!("response.{kind}"),"response":{"id":"r"}});
        let stream = say(HALVES.0) + &format!("data: {end}\n\n") + &say(HALVES.1);
        refused(Dialect::OpenAi, Operation::Responses, &stream);
    }
}
