//! Texts and blocks whose place is doubtful.

use super::*;

/// Goal: nothing but thinking passes as thinking. Method: a signature on a text block, a text in a
/// block of thinking, a text that takes its place, thinking pieces without a start, and too many.
#[test]
fn only_what_began_as_thinking_passes_as_it() {
    let given = options(Dialect::Anthropic, Operation::Messages);
    let start = |index: u64, kind: &str| {
        let block = json!({"index":index,"content_block":{"type":kind,"text":"","thinking":""}});
        anthropic("content_block_start", &block)
    };
    let piece = |index: u64, kind: &str, name: &str, text: &str| {
        let delta = json!({"index":index,"delta":{"type":kind, name: text}});
        anthropic("content_block_delta", &delta)
    };
    let said = format!("{MAIL} ");
    let text = |index| piece(index, "text_delta", "text", &said);
    let thought = |index| piece(index, "thinking_delta", "thinking", &said);
    let signature = |index| piece(index, "signature_delta", "signature", "AAAA");
    let end = anthropic("message_stop", &json!({}));
    let texts = [
        start(0, "text") + &signature(0) + &text(0) + &end,
        start(0, "thinking") + &signature(0) + &text(0) + &end,
        thought(0) + &text(0) + &end,
        start(0, "text") + &thought(0) + &end,
    ];
    for action in [ThinkingAction::Pass, ThinkingAction::Drop] {
        for stream in &texts {
            let out = carried(&given, stream, 7, |spec| spec.thinking = action).unwrap();
            assert!(!out.contains(MAIL), "{action:?}: {stream} became {out}");
        }
    }
    let many: String = (0..1025).map(|index| start(index, "thinking")).collect();
    let odd = [
        start(0, "thinking") + &start(0, "text") + &text(0),
        start(3, "thinking") + &start(1, "thinking"),
        many,
    ];
    for stream in odd {
        let out = carried(&given, &stream, 999, |spec| {
            spec.thinking = ThinkingAction::Pass;
        });
        assert!(matches!(out, Err(InspectError::CannotInspect(_))));
    }
}

/// Goal: what tells texts apart does not depend on how it is left out. Method: a choice without an
/// index beside one that says 0, and two unknown members in turns.
#[test]
fn texts_that_may_be_one_are_kept_apart_or_put_together_alike() {
    let bare = |text: &str| {
        let chunk = json!({"choices":[{"delta":{"content":text},"finish_reason":null}]});
        format!("data: {chunk}\n\n")
    };
    let said = |text: &str| chunk(0, &json!({ "content": text }), None);
    let stream = bare("jane.doe") + &said("@example") + &bare(".com ok") + "data: [DONE]\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    let all: String = events(&out)
        .iter()
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(all, "[EMAIL] ok");
    let mut stream = String::new();
    for letter in format!("{MAIL} ").chars() {
        stream += &chunk(0, &json!({"x-1": letter, "x-2": letter}), None);
    }
    stream += "data: [DONE]\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    for place in ["/delta/x-1", "/delta/x-2"] {
        assert_eq!(chat_text(&out, 0, place), "[EMAIL] ", "{place}");
    }
}
