//! Events that are made for what a text held back.

use super::*;

/// The answer so far, and the members that a value is put beside or under.
type Row = (Dialect, Operation, Value, &'static str);

/// Events of each dialect with a piece of text whose last word is held.
fn rows() -> Vec<Row> {
    let delta = |delta: Value| json!({"choices":[{"index":0,"delta":delta}]});
    let chat = Operation::ChatCompletions;
    let item = json!({"type":"response.output_text.delta","output_index":0,"delta":"a b"});
    let block = json!({"type":"content_block_delta","index":0,
        "delta":{"type":"text_delta","text":"a b"}});
    let said = json!({"candidates":[{"content":{"parts":[{"text":"a b"}]}}],
        "usageMetadata":{"promptTokenCount":1}});
    let call = json!({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":\"b"}}]});
    vec![
        (Dialect::OpenAi, chat, delta(json!({"content":"a b"})), ""),
        (
            Dialect::OpenAi,
            chat,
            delta(json!({"content":"a b"})),
            "/choices/0",
        ),
        (
            Dialect::OpenAi,
            chat,
            delta(json!({"content":"a b"})),
            "/choices/0/delta",
        ),
        (
            Dialect::OpenAi,
            chat,
            delta(call.clone()),
            "/choices/0/delta/tool_calls/0",
        ),
        (
            Dialect::OpenAi,
            chat,
            delta(call),
            "/choices/0/delta/tool_calls/0/function",
        ),
        (Dialect::OpenAi, Operation::Responses, item, ""),
        (Dialect::Anthropic, Operation::Messages, block.clone(), ""),
        (Dialect::Anthropic, Operation::Messages, block, "/delta"),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            said.clone(),
            "",
        ),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            said.clone(),
            "/usageMetadata",
        ),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            said,
            "/candidates/0/content/parts/0",
        ),
    ]
}

/// Goal: a name that is a value does not come back in an event made for a held tail. Method: an
/// event of each dialect, with such a name at each depth, over a text, a number and nothing.
#[test]
fn a_name_that_is_a_value_is_not_in_an_event_that_is_made() {
    for (dialect, operation, event, place) in rows() {
        for under in [
            json!("c d"),
            json!(5),
            Value::Null,
            json!({"e":"f g"}),
            json!({"e":5}),
        ] {
            let mut event = event.clone();
            event.pointer_mut(place).unwrap()[MAIL] = under.clone();
            let stream = format!("data: {event}\n\n");
            let out = cleaned(dialect, operation, &stream);
            assert!(!out.contains(MAIL), "{dialect:?} {place} {under}: {out}");
            // Whatever it is called, its text goes on.
            assert!(
                out.contains("[EMAIL]"),
                "{dialect:?} {place} {under}: {out}"
            );
        }
    }
}

/// Goal: what stands under a name that was replaced goes on under the same name to its end.
#[test]
fn a_text_goes_on_under_the_name_that_it_began_under() {
    let stream = chunk(0, &json!({ MAIL: "one two" }), None);
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert_eq!(chat_text(&out, 0, "/delta/[EMAIL]"), "one two", "{out}");
    assert_eq!(events(&out).len(), 2);
}

/// Goal: padding is padding. Method: what stands in its place is a value, and prose.
#[test]
fn padding_that_is_none_is_emptied() {
    for padding in [MAIL, CARD, "some words"] {
        let event = json!({"choices":[{"index":0,"delta":{"role":"assistant"}}],
            "obfuscation":padding});
        let stream = format!("data: {event}\n\n");
        let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
        assert_eq!(events(&out)[0]["obfuscation"], "", "{out}");
    }
    let stream = chunk(0, &json!({"role":"assistant"}), None);
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert_eq!(out, stream);
}

/// Goal: an index that may be somebody's number ends the answer, and no thread. Method: one behind
/// a block of thinking, where indices are written anew.
#[test]
fn an_index_that_is_no_place_is_refused() {
    let given = options(Dialect::Anthropic, Operation::Messages);
    let block = json!({"index":0,"content_block":{"type":"thinking","thinking":""}});
    let piece = json!({"index":4_539_578_763_621_486_u64,
        "delta":{"type":"text_delta","text":"a b"}});
    let stream =
        anthropic("content_block_start", &block) + &anthropic("content_block_delta", &piece);
    let out = carried(&given, &stream, 99, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
}

/// Goal: the number of an event is not given to one made before it if it is a value. Method: the
/// event that ends a held text is numbered by one.
#[test]
fn a_number_that_is_a_value_numbers_no_event() {
    let piece = json!({"type":"response.output_text.delta","sequence_number":4,"output_index":0,
        "delta":"a b"});
    let card: u64 = CARD.parse().unwrap();
    let done = json!({"type":"response.output_text.done","sequence_number":card,"output_index":0,
        "text":"a b"});
    let stream = format!("data: {piece}\n\ndata: {done}\n\n");
    let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
    assert!(!out.contains(CARD), "{out}");
    assert_eq!(events(&out)[1]["sequence_number"], 4, "{out}");
}
