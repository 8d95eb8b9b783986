mod beside;
mod ends;
mod kinds;
mod made;
mod outcomes;
mod places;
mod starts;
mod told;
mod wholes;

use bytes::Bytes;
use postern_types::{DataAction, DataRuleSpec, Direction, OpaqueAction, Operation, ThinkingAction};
use serde_json::{Value, json};

use crate::testing::cleaner;
use crate::{Dialect, InspectError, RefusalText, ResponseOptions, ResponseReader};

const CARD: &str = "4539578763621486";
const MAIL: &str = "jane.doe@example.com";

fn options(dialect: Dialect, operation: Operation) -> ResponseOptions<'static> {
    ResponseOptions {
        operation,
        dialect,
        stream_asked: true,
        strip_usage: false,
        keeps_answer: true,
        choices: None,
        content_type: "",
        content_encoding: None,
        status: 200,
    }
}

/// What goes on of an answer that comes in pieces of a size.
fn carried(
    options: &ResponseOptions<'_>,
    body: &str,
    cut: usize,
    change: impl FnOnce(&mut DataRuleSpec),
) -> Result<String, InspectError> {
    let cleaner = cleaner(Direction::Response, change);
    let mut reader = ResponseReader::new(options, Some(cleaner));
    let mut out = Vec::new();
    for piece in body.as_bytes().chunks(cut) {
        reader.push(Bytes::copy_from_slice(piece), &mut out)?;
    }
    reader.finish(&mut out)?;
    Ok(String::from_utf8(out.concat()).unwrap())
}

/// As [`carried`], with every cut.
fn cleaned(dialect: Dialect, operation: Operation, body: &str) -> String {
    let options = options(dialect, operation);
    let allow = |spec: &mut DataRuleSpec| spec.opaque = OpaqueAction::Allow;
    let whole = carried(&options, body, usize::MAX, allow).unwrap();
    for cut in [1, 2, 3, 7, 64] {
        assert_eq!(
            carried(&options, body, cut, allow).unwrap(),
            whole,
            "cut at {cut}"
        );
    }
    whole
}

fn events(stream: &str) -> Vec<Value> {
    let data = |line: &str| {
        line.strip_prefix("data: ")
            .map(|d| serde_json::from_str(d).ok())
    };
    stream.lines().filter_map(data).flatten().collect()
}

fn chunk(index: u64, delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({"id":"c","object":"chat.completion.chunk","created":1,"model":"m",
        "choices":[{"index":index,"delta":delta,"finish_reason":finish}],"obfuscation":"abc"});
    format!("data: {chunk}\n\n")
}

/// The texts of a stream of chat completions, by choice and place.
fn chat_text(stream: &str, index: u64, place: &str) -> String {
    events(stream)
        .iter()
        .flat_map(|event| event["choices"].as_array().unwrap().clone())
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice.pointer(place)?.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_value_over_many_chunks_is_found_and_the_rest_goes_on_at_once() {
    // Goal: choices and their texts do not mix, every chunk stays in its place, and what is held
    // goes before the chunk that ends its text.
    let mut stream = chunk(0, &json!({"role":"assistant","content":""}), None);
    for letter in format!("mail {MAIL} ok").chars() {
        stream += &chunk(0, &json!({ "content": letter }), None);
        stream += &chunk(1, &json!({ "content": "x " }), None);
        stream += &chunk(
            1,
            &json!({"reasoning_content": letter, "thoughts": letter}),
            None,
        );
    }
    stream += &chunk(0, &json!({}), Some("stop"));
    stream += &chunk(1, &json!({"content":"last"}), Some("stop"));
    stream += "data: [DONE]\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert_eq!(chat_text(&out, 0, "/delta/content"), "mail [EMAIL] ok");
    for place in ["/delta/reasoning_content", "/delta/thoughts"] {
        assert_eq!(chat_text(&out, 1, place), "mail [EMAIL] ok");
    }
    assert!(chat_text(&out, 1, "/delta/content").ends_with("x last"));
    // The tail of choice 0 and the two of choice 1 are events of their own.
    assert_eq!(events(&out).len(), events(&stream).len() + 3, "{out}");
    assert!(out.ends_with("data: [DONE]\n\n"));
    let held = out.find("\"content\":\"ok\"").unwrap();
    assert!(held < out.find("\"stop\"").unwrap());
    let tail = out[held..].lines().next().unwrap();
    assert!(!tail.contains("obfuscation"));
    assert_eq!(out.matches("\"role\":\"assistant\"").count(), 1);
}

#[test]
fn arguments_of_tools_are_cleaned_in_pieces() {
    let call = |index: u64, first: bool, arguments: &str| {
        let mut call = json!({"index":index,"function":{"arguments":arguments}});
        if first {
            call["id"] = "call_1".into();
            call["function"]["name"] = "send".into();
        }
        chunk(0, &json!({ "tool_calls": [call] }), None)
    };
    let text = format!("{{\"to\":\"{MAIL}\",\"n\":[1, 2]}}");
    let mut stream = call(0, true, "") + &call(1, true, &text);
    for letter in text.chars() {
        stream += &call(0, false, &letter.to_string());
    }
    stream += &chunk(0, &json!({}), Some("tool_calls"));
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    let of = |index: u64| {
        events(&out)
            .iter()
            .filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0").cloned())
            .filter(|call| call["index"] == index)
            .filter_map(|call| call["function"]["arguments"].as_str().map(str::to_owned))
            .collect::<String>()
    };
    assert_eq!(of(0), text.replace(MAIL, "[EMAIL]"));
    assert_eq!(of(1), text.replace(MAIL, "[EMAIL]"));
    assert_eq!(out.matches("call_1").count(), 2);
}

#[test]
fn padding_and_probabilities_do_not_tell_what_was_taken_out() {
    let with = json!({"id":"c","choices":[{"index":0,"delta":{"content":"a b"},
        "logprobs":{"content":[{"token":MAIL}]}}],"obfuscation":"abc"});
    let stream = format!("data: {with}\n\n");
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    let first = &events(&out)[0];
    assert_eq!(first["choices"][0]["logprobs"], Value::Null);
    assert_eq!(first["obfuscation"], "");
    assert!(!out.contains(MAIL));
}

fn response_stream(text: &str) -> String {
    let mut sequence = 0;
    let mut all = String::new();
    let mut event = |kind: &str, rest: Value| {
        let mut event = json!({"type":kind,"sequence_number":sequence});
        sequence += 1;
        event
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        all += &format!("event: {kind}\ndata: {event}\n\n");
    };
    let arguments = json!({ "to": text }).to_string();
    let at = json!({"item_id":"i","output_index":0,"content_index":0});
    let of = |more: Value| {
        let mut at = at.clone();
        at.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        at
    };
    let part =
        json!({"type":"output_text","text":text,"annotations":[],"logprobs":[{"token":text}]});
    let item = json!({"type":"message","id":"i","role":"assistant","content":[part]});
    let call =
        json!({"type":"function_call","id":"f","call_id":"c","name":"n","arguments":arguments});
    event(
        "response.created",
        json!({"response":{"id":"r","output":[],"instructions":text}}),
    );
    for letter in text.chars() {
        event(
            "response.output_text.delta",
            of(json!({"delta":letter,"obfuscation":"z","logprobs":[]})),
        );
        event(
            "response.audio_transcript.delta",
            of(json!({ "delta": letter })),
        );
        event("response.novel.delta", of(json!({ "delta": letter })));
    }
    event("response.output_text.done", of(json!({ "text": text })));
    event("response.content_part.done", of(json!({ "part": part })));
    event(
        "response.output_item.done",
        json!({"output_index":0,"item":item}),
    );
    for letter in arguments.chars() {
        let delta = json!({"item_id":"f","output_index":1,"delta":letter});
        event("response.function_call_arguments.delta", delta);
    }
    let done = json!({"item_id":"f","output_index":1,"arguments":arguments});
    event("response.function_call_arguments.done", done);
    event(
        "response.completed",
        json!({"response":{"id":"r","output":[item, call]}}),
    );
    all
}

#[test]
fn all_repetitions_of_a_response_say_the_same() {
    // Goal: deltas joined, done text, part, item and the whole response hold one and the same
    // cleaned text.
    let text = format!("call {MAIL}, card {CARD} end");
    let stream = response_stream(&text);
    let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
    let expected = "call [EMAIL], card [CARD] end";
    assert!(!out.contains(MAIL) && !out.contains(CARD));
    let joined = |kind: &str| {
        let of_kind = |event: &Value| event["type"] == format!("response.{kind}.delta");
        let all = events(&out);
        let deltas = all.iter().filter(|event| of_kind(event));
        deltas
            .map(|event| event["delta"].as_str().unwrap())
            .collect::<String>()
    };
    for kind in ["output_text", "audio_transcript", "novel"] {
        assert_eq!(joined(kind), expected);
    }
    assert_eq!(
        joined("function_call_arguments"),
        json!({"to":expected}).to_string()
    );
    let all = events(&out);
    let one = |kind: &str, place: &str| {
        let event = all
            .iter()
            .find(|e| e["type"] == format!("response.{kind}"))
            .unwrap();
        event.pointer(place).unwrap().clone()
    };
    assert_eq!(one("output_text.done", "/text"), expected);
    assert_eq!(one("content_part.done", "/part/text"), expected);
    assert_eq!(one("output_item.done", "/item/content/0/text"), expected);
    assert_eq!(
        one("completed", "/response/output/0/content/0/text"),
        expected
    );
    assert_eq!(
        one("completed", "/response/output/0/content/0/logprobs"),
        json!([])
    );
    assert_eq!(one("created", "/response/instructions"), expected);
    let sequence: Vec<u64> = all
        .iter()
        .map(|e| e["sequence_number"].as_u64().unwrap())
        .collect();
    assert!(sequence.is_sorted(), "{sequence:?}");
}

fn anthropic(kind: &str, rest: &Value) -> String {
    let mut event = json!({ "type": kind });
    event
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    format!("event: {kind}\ndata: {event}\n\n")
}

fn message_stream() -> String {
    let mut all = anthropic("message_start", &json!({"message":{"id":"m","content":[]}}));
    all += &anthropic(
        "content_block_start",
        &json!({"index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}),
    );
    all += &anthropic(
        "content_block_delta",
        &json!({"index":0,"delta":{"type":"thinking_delta","thinking":MAIL}}),
    );
    all += &anthropic(
        "content_block_delta",
        &json!({"index":0,"delta":{"type":"signature_delta","signature":"AAAA"}}),
    );
    all += &anthropic("content_block_stop", &json!({"index":0}));
    all += &anthropic(
        "content_block_start",
        &json!({"index":1,"content_block":{"type":"text","text":"jane"}}),
    );
    all += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    for piece in [".doe", "@exam", "ple.com, ", CARD] {
        all += &anthropic(
            "content_block_delta",
            &json!({"index":1,"delta":{"type":"text_delta","text":piece}}),
        );
    }
    all += &anthropic("content_block_stop", &json!({"index":1}));
    all += &anthropic(
        "content_block_start",
        &json!({"index":2,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}),
    );
    for piece in ["{\"to\":\"jane", ".doe@example.com\"", "}"] {
        all += &anthropic(
            "content_block_delta",
            &json!({"index":2,"delta":{"type":"input_json_delta","partial_json":piece}}),
        );
    }
    all += &anthropic("content_block_stop", &json!({"index":2}));
    all += &anthropic(
        "message_delta",
        &json!({"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}),
    );
    all + &anthropic("message_stop", &json!({}))
}

fn block(events: &[Value], index: u64) -> String {
    let of = events.iter().filter(|event| event["index"] == index);
    let text = |event: &Value| {
        [
            "/content_block/text",
            "/delta/text",
            "/delta/partial_json",
            "/delta/thinking",
        ]
        .iter()
        .find_map(|place| event.pointer(place)?.as_str().map(str::to_owned))
    };
    of.filter_map(text).collect()
}

#[test]
fn blocks_are_cleaned_and_thinking_is_dropped_without_a_gap() {
    // Goal: text begun in one kind of event and carried on in another is one text; dropped blocks
    // leave no hole in the indices; passed ones stay as they are.
    let stream = message_stream();
    let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
    let all = events(&out);
    assert_eq!(block(&all, 0), "[EMAIL], [CARD]");
    assert_eq!(block(&all, 1), "{\"to\":\"[EMAIL]\"}");
    assert!(!out.contains("thinking") && !out.contains("signature") && !out.contains(MAIL));
    assert!(out.contains("event: ping\ndata: {\"type\": \"ping\"}\n\n"));
    let given = options(Dialect::Anthropic, Operation::Messages);
    let pass = |spec: &mut DataRuleSpec| spec.thinking = ThinkingAction::Pass;
    let out = carried(&given, &stream, 5, pass).unwrap();
    let all = events(&out);
    assert_eq!(block(&all, 0), MAIL);
    assert_eq!(block(&all, 1), "[EMAIL], [CARD]");
    let until = stream.find("content_block_stop").unwrap();
    assert_eq!(out[..until], stream[..until], "thinking passes untouched");
}

fn candidate(text: Option<&str>, thought: bool, finish: Option<&str>) -> Value {
    let mut candidate = json!({ "index": 0 });
    if let Some(text) = text {
        let part = if thought {
            json!({"text":text,"thought":true})
        } else {
            json!({ "text": text })
        };
        candidate["content"] = json!({"role":"model","parts":[part]});
    }
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({"candidates":[candidate],"modelVersion":"g"})
}

#[test]
fn elements_of_a_growing_array_are_cleaned_like_events() {
    // Goal: the array is JSON at its end, its texts are cleaned, a held tail stands inside or in an
    // element of its own, and an error can end it at any element.
    for finish in [Some("STOP"), None] {
        let mut elements = vec![candidate(Some("think jane.doe"), true, None)];
        for piece in ["mail ", "jane.doe@", "example.com"] {
            elements.push(candidate(Some(piece), false, None));
        }
        elements.push(candidate(Some("@example.com"), true, None));
        if finish.is_some() {
            elements.push(candidate(None, false, finish));
        }
        let parts: Vec<String> = elements.iter().map(Value::to_string).collect();
        let body = format!("[{}\n]\n", parts.join(",\n"));
        let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &body);
        let all: Vec<Value> = serde_json::from_str(&out).unwrap();
        let text = |thought: bool| {
            let parts = all
                .iter()
                .filter_map(|e| e.pointer("/candidates/0/content/parts/0"));
            let of = parts.filter(|part| (part["thought"] == true) == thought);
            of.map(|part| part["text"].as_str().unwrap())
                .collect::<String>()
        };
        assert_eq!(
            (text(false), text(true)),
            ("mail [EMAIL]".into(), "think [EMAIL]".into())
        );
        let roles = all
            .iter()
            .filter_map(|e| e.pointer("/candidates/0/content/role"));
        assert!(roles.clone().all(|role| role == "model"));
        let sse: String = parts
            .iter()
            .map(|part| format!("data: {part}\r\n\r\n"))
            .collect();
        let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &sse);
        assert!(
            !out.contains("example.com") && out.matches("[EMAIL]").count() == 2,
            "{out}"
        );
    }
    let refusal = RefusalText {
        status: 401,
        code: "revoked",
        message: "no",
        request_id: "0",
    };
    let body = format!(
        "[{},\n{}\n]",
        candidate(Some("a b"), false, None),
        candidate(Some("c"), false, None)
    );
    for cut in 1..body.len() {
        let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
        let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, |_| {})));
        let mut out = Vec::new();
        reader
            .push(Bytes::copy_from_slice(&body.as_bytes()[..cut]), &mut out)
            .unwrap();
        let mut given = out.concat();
        given.extend(reader.error_ending(&refusal).unwrap());
        assert!(
            serde_json::from_slice::<Vec<Value>>(&given).is_ok(),
            "cut at {cut}"
        );
    }
}
