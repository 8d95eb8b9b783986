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
