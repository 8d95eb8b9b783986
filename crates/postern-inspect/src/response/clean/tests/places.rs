//! Texts and blocks whose place is doubtful.

use postern_types::ClassSelector;

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

/// Goal: what a client puts together from pieces of a name or an id is no way past the rules, and
/// tools may be called all the same. Method: values in halves; names that come whole, in honest
/// pieces, or again with each event; and words that would stand in an event made for a held tail.
#[test]
fn a_value_in_pieces_of_a_name_ends_the_answer() {
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    let call = |part: Value| chunk(0, &json!({ "tool_calls": [part] }), None);
    let function = |name: &str| call(json!({"index":0,"function":{"name":name}}));
    let custom = |name: &str| call(json!({"index":0,"custom":{"name":name}}));
    let id = |id: &str| call(json!({"index":0,"id":id}));
    let old = |name: &str| chunk(0, &json!({"function_call":{"name":name}}), None);
    let role = |role: &str| chunk(0, &json!({"role":role}), None);
    let forms: [&dyn Fn(&str) -> String; 5] = [&function, &custom, &id, &old, &role];
    for form in forms {
        let stream = form("jane.doe@") + &form("") + &form("example.com");
        let ended = carried(&given, &stream, 7, |_| {});
        assert!(
            matches!(ended, Err(InspectError::CannotInspect(_))),
            "{stream}"
        );
        let pieces = form("get_") + &form("weather");
        let again = form("get_weather").repeat(200);
        for stream in [pieces, again] {
            assert_eq!(carried(&given, &stream, 7, |_| {}), Ok(stream));
        }
    }
    let npi = ClassSelector::parse("us_npi").unwrap();
    for pieces in [["com", "@x.", "com"], ["20000", "168", "91"]] {
        let stream: String = pieces.iter().map(|piece| function(piece)).collect();
        let ended = carried(&given, &stream, 7, |spec| spec.classes.push(npi.clone()));
        assert!(
            matches!(ended, Err(InspectError::CannotInspect(_))),
            "{stream}"
        );
    }
    let other = call(json!({"index":1,"function":{"name":"example.com"}}));
    let stream = function("jane.doe@") + &other;
    assert_eq!(carried(&given, &stream, 7, |_| {}), Ok(stream));
}

/// Goal: an event that is made for a held tail tells nothing that was taken out of the event it is
/// made after. Method: a value in every word and number beside a text that is held.
#[test]
fn events_made_for_a_tail_carry_no_value() {
    let chat = |content: &str| {
        let choice = json!({"index":0,"delta":{"content":content}});
        let words = json!({"id":format!("x-{CARD}"),"system_fingerprint":format!("y-{CARD}"),
            "account":CARD.parse::<u64>().unwrap(),"created":1_700_000_000,"choices":[choice]});
        format!("event: z-{CARD}\nid: z-{CARD}\ndata: {words}\n\n")
    };
    let stream = chat("to jane.doe") + "data: [DONE]\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert!(!out.contains(CARD) && out.contains("jane.doe"), "{out}");
    assert_eq!(out.matches("\"created\":1700000000").count(), 2, "{out}");
    let number = CARD.parse::<u64>().unwrap();
    let words = json!({"created":number,"choices":[{"index":0,"delta":{"content":"to jane.doe"}}]});
    let stream = format!("data: {words}\n\ndata: [DONE]\n\n");
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert!(!out.contains(CARD) && out.contains("jane.doe"), "{out}");
    let block = json!({"index":CARD,"content_block":{"type":"text","text":"to jane.doe"}});
    let stream = anthropic("content_block_start", &block) + &anthropic("message_stop", &json!({}));
    let out = cleaned(Dialect::Anthropic, Operation::Messages, &stream);
    assert!(!out.contains(CARD) && out.contains("jane.doe"), "{out}");
}

/// Goal: a growing array that is ended by a rule is JSON to its end, with the error in it. Method:
/// the first or the second of two elements holds a value, or cannot be read, at every cut.
#[test]
fn an_array_that_a_rule_ends_is_json() {
    let refusal = RefusalText {
        status: 403,
        code: "data_blocked",
        message: "no",
        request_id: "0",
    };
    let fine = candidate(Some("a b "), false, None).to_string();
    let held = candidate(Some(&format!("{MAIL} ")), false, None).to_string();
    let odd = "{\"a\":1,\"a\":2}";
    for bad in [held.as_str(), odd] {
        for body in [
            format!("[{bad},\n{fine}\n]"),
            format!("[{fine}\n,\n{bad}\n]"),
        ] {
            for cut in [1, 7, 1000] {
                let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
                let block = cleaner(Direction::Response, |spec| spec.action = DataAction::Block);
                let mut reader = ResponseReader::new(&given, Some(block));
                let mut out = Vec::new();
                let ended = body
                    .as_bytes()
                    .chunks(cut)
                    .find_map(|piece| reader.push(Bytes::copy_from_slice(piece), &mut out).err());
                assert!(ended.is_some(), "{body}");
                let mut given = out.concat();
                given.extend(reader.error_ending(&refusal).unwrap());
                let all: Vec<Value> = serde_json::from_slice(&given)
                    .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&given)));
                assert!(all.last().unwrap()["error"].is_object(), "{all:?}");
            }
        }
    }
}

/// Goal: nothing of a growing array has gone on while nothing of its first element may, so that
/// what is wrong with that is a refusal with a status; and an error can be said all the same.
/// Method: a first element that is blocked, or that cannot be read, and an array that breaks off,
/// is empty or holds one; at every cut, and in a dry run.
#[test]
fn an_array_begins_with_its_first_element() {
    let refusal = RefusalText {
        status: 403,
        code: "data_blocked",
        message: "no",
        request_id: "0",
    };
    let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
    let block = |spec: &mut DataRuleSpec| spec.action = DataAction::Block;
    let held = candidate(Some(&format!("to {MAIL}, ok ")), false, None).to_string();
    for body in [format!("[\n {held}\n]"), "[{\"a\":1,\"a\":2}]".to_owned()] {
        for cut in [1, 3, 1000] {
            let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, block)));
            let mut out = Vec::new();
            let ended = { body.as_bytes().chunks(cut) }
                .find_map(|piece| reader.push(Bytes::copy_from_slice(piece), &mut out).err());
            assert!(ended.is_some() && out.concat().is_empty(), "{body}");
            let ending = reader.error_ending(&refusal).unwrap();
            let all: Vec<Value> = serde_json::from_slice(&ending).unwrap();
            assert!(all.len() == 1 && all[0]["error"].is_object(), "{all:?}");
            let dry = |spec: &mut DataRuleSpec| spec.dry_run = true;
            let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, dry)));
            let mut out = Vec::new();
            reader.push(Bytes::from_static(b" ["), &mut out).unwrap();
            let all = [out.concat(), reader.error_ending(&refusal).unwrap()].concat();
            assert!(serde_json::from_slice::<Vec<Value>>(&all).is_ok());
        }
    }
    let one = candidate(Some("a b"), false, Some("STOP")).to_string();
    let long = " ".repeat(3000);
    for body in ["[]", " [ ", "[\r\n]\n", &format!("{long}[{one}]"), &one] {
        assert_eq!(cleaned(given.dialect, given.operation, body), body);
    }
}

/// Goal: clients that read nothing behind the reason for the end have the whole text by then, and
/// models that give the reason each time go on at once. Method: the last word in the event with the
/// reason, or before it; as events with each line end and as an array; at every cut.
#[test]
fn the_last_word_stands_before_the_reason_for_the_end() {
    let said = |all: &[Value], until_reason: bool| {
        let stops = |e: &Value| e.pointer("/candidates/0/finishReason").is_some();
        let end = all.iter().position(stops).map_or(all.len(), |at| at + 1);
        let read = if until_reason { &all[..end] } else { all };
        let text = |e: &Value| {
            Some(
                e.pointer("/candidates/0/content/parts/0/text")?
                    .as_str()?
                    .to_owned(),
            )
        };
        read.iter().filter_map(text).collect::<String>()
    };
    for last in [Some(" word"), Some(""), None] {
        let elements = [
            candidate(Some("to jane.doe@exam"), false, None),
            candidate(Some("ple.com, my"), false, None),
            candidate(last, false, Some("STOP")),
        ];
        let expected = format!("to [EMAIL], my{}", last.unwrap_or_default());
        let parts: Vec<String> = elements.iter().map(Value::to_string).collect();
        let operation = Operation::StreamGenerateContent;
        for end in ["\n\n", "\r\n\r\n", "\r\r"] {
            let sse: String = parts
                .iter()
                .map(|part| format!("data: {part}{end}"))
                .collect();
            let out = cleaned(Dialect::Gemini, operation, &sse);
            assert_eq!(
                said(&events(&out.replace('\r', "\n")), true),
                expected,
                "{out:?}"
            );
            assert!(out.ends_with(end), "{out:?}");
        }
        let array = format!("[{}\n]\n", parts.join(",\r\n"));
        let out = cleaned(Dialect::Gemini, operation, &array);
        let all: Vec<Value> = serde_json::from_str(&out).unwrap();
        assert_eq!(said(&all, true), expected, "{out}");
    }
    // Every event says that it is the last: the second lets the first go on, and none waits then.
    let old: String = ["one ", "two ", "three ", "four"]
        .map(|text| format!("data: {}\n\n", candidate(Some(text), false, Some("STOP"))))
        .concat();
    let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &old);
    assert_eq!(said(&events(&out), false), "one two three four");
    let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
    let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, |_| {})));
    let mut counts = Vec::new();
    for event in old.split_inclusive("\n\n") {
        let mut out = Vec::new();
        reader
            .push(Bytes::copy_from_slice(event.as_bytes()), &mut out)
            .unwrap();
        counts.push(
            String::from_utf8(out.concat())
                .unwrap()
                .matches("data:")
                .count(),
        );
    }
    assert_eq!(counts, [0, 2, 1, 1]);
}

/// Goal: a dry run tells what it would refuse, and goes on looking behind it. Method: answers with
/// content that is no text, that have two readings, or a coding that is not read.
#[test]
fn a_dry_run_tells_what_it_could_not_read() {
    let watch = |spec: &mut DataRuleSpec| spec.dry_run = true;
    let twice = "{\"a\":1,\"a\":2}";
    let call = format!("data: {twice}\n\n");
    let picture = json!({"candidates":[{"content":{"parts":[
        {"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]});
    let mail = candidate(Some(MAIL), false, Some("STOP"));
    let rows = [
        (
            Dialect::OpenAi,
            Operation::ChatCompletions,
            call + &chunk(0, &json!({"content":MAIL}), None),
        ),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            format!("[{twice},{mail}]"),
        ),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            format!("[{picture},{mail}]"),
        ),
        (
            Dialect::Gemini,
            Operation::GenerateContent,
            picture.to_string(),
        ),
    ];
    for (dialect, operation, answer) in rows {
        let given = options(dialect, operation);
        let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, watch)));
        let mut out = Vec::new();
        reader.push(Bytes::from(answer.clone()), &mut out).unwrap();
        reader.finish(&mut out).unwrap();
        assert_eq!(out.concat(), answer.as_bytes());
        let told = |class: &str| {
            let findings = reader.findings();
            findings
                .iter()
                .filter(|f| f.class.to_string() == class && f.dry_run)
                .count()
        };
        assert_eq!(told("custom:cannot_inspect"), 1, "{answer}");
        assert_eq!(
            told("email"),
            usize::from(answer.contains(MAIL)),
            "{answer}"
        );
    }
    let coded = ResponseOptions {
        content_encoding: Some("br"),
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    };
    let reader = ResponseReader::new(&coded, Some(cleaner(Direction::Response, watch)));
    assert_eq!(reader.findings().len(), 1);
}

/// Goal: what commands write is followed over events, each command and each way out by itself.
/// Method: two commands in turns, on both ways out, a value in pieces on each; one ends early.
#[test]
fn what_commands_of_a_shell_write_is_followed_over_events() {
    let event = |kind: &str, command: u64, rest: Value| {
        let mut event = json!({"type":format!("response.{kind}"),"item_id":"s","output_index":0,
            "command_index":command});
        let members = event.as_object_mut().unwrap();
        members.extend(rest.as_object().unwrap().clone());
        format!("event: response.{kind}\ndata: {event}\n\n")
    };
    let mut stream = String::new();
    for letter in format!("to {MAIL} ok").chars() {
        for command in 0..2 {
            let delta = json!({"delta":{"stdout":letter,"stderr":letter}});
            stream += &event("shell_call_output_content.delta", command, delta);
            let delta = json!({ "delta": letter });
            stream += &event("shell_call_command.delta", command, delta);
        }
    }
    let done = json!({"command":format!("to {MAIL} ok")});
    stream += &event("shell_call_command.done", 1, done);
    stream += &event("shell_call_command.delta", 0, json!({"delta":"ay"}));
    stream += "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
    let said = |kind: &str, command: u64, place: &str| -> String {
        let all = events(&out).into_iter().filter(|event| {
            event["type"] == format!("response.{kind}") && event["command_index"] == command
        });
        all.filter_map(|event| event.pointer(place)?.as_str().map(str::to_owned))
            .collect()
    };
    for command in 0..2 {
        for place in ["/delta/stdout", "/delta/stderr"] {
            let said = said("shell_call_output_content.delta", command, place);
            assert_eq!(said, "to [EMAIL] ok", "{command} {place}");
        }
    }
    assert_eq!(
        said("shell_call_command.delta", 0, "/delta"),
        "to [EMAIL] okay"
    );
    assert_eq!(
        said("shell_call_command.delta", 1, "/delta"),
        "to [EMAIL] ok"
    );
    assert_eq!(
        said("shell_call_command.done", 1, "/command"),
        "to [EMAIL] ok"
    );
}

/// Goal: a text is one however its place is left out. Method: a value in pieces, in turns with an
/// index of zero, of null and none; and of parts that are no thoughts, said and not said.
#[test]
fn a_text_is_one_however_its_place_is_left_out() {
    let join = |pieces: &mut dyn Iterator<Item = Value>| -> String {
        pieces.map(|event| format!("data: {event}\n\n")).collect()
    };
    let letters = || format!("{MAIL} ok").chars().enumerate().collect::<Vec<_>>();
    let stream = join(&mut letters().into_iter().map(|(at, letter)| {
        let mut choice = json!({"delta":{"content":letter}});
        if at % 3 > 0 {
            choice["index"] = [json!(0), Value::Null][at % 2].clone();
        }
        json!({"choices":[choice]})
    }));
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    let said = |out: &str, place: &str| -> String {
        let said = |event: &Value| event.pointer(place)?.as_str().map(str::to_owned);
        events(out).iter().filter_map(said).collect()
    };
    assert_eq!(
        said(&out, "/choices/0/delta/content"),
        "[EMAIL] ok",
        "{out}"
    );
    let stream = join(&mut letters().into_iter().map(|(at, letter)| {
        let mut part = json!({ "text": letter });
        if at % 2 == 0 {
            part["thought"] = false.into();
        }
        json!({"candidates":[{"content":{"parts":[part]}}]})
    }));
    let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &stream);
    let place = "/candidates/0/content/parts/0/text";
    assert_eq!(said(&out, place), "[EMAIL] ok", "{out}");
}

/// Goal: an index is one however it is written, and two that differ are two. Method: letters of a
/// value under the spellings of one index in turns; and of two.
#[test]
fn an_index_is_one_however_it_is_written() {
    let stream = |spellings: &[&str]| -> String {
        let letters = format!("{MAIL} ok").chars().collect::<Vec<_>>();
        let event = |(at, letter): (usize, &char)| {
            let index = spellings[at % spellings.len()];
            format!(
                "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{letter}\"}}}}]}}\n\n"
            )
        };
        letters.iter().enumerate().map(event).collect()
    };
    let said = |out: &str| -> String {
        let place = "/choices/0/delta/content";
        let said = |event: &Value| event.pointer(place)?.as_str().map(str::to_owned);
        events(out).iter().filter_map(said).collect()
    };
    let chat = |stream: &str| cleaned(Dialect::OpenAi, Operation::ChatCompletions, stream);
    for one in [
        &["0", "0.0", "-0", "null", "0e0"][..],
        &["1", "1.0", "1e0", "10e-1"],
    ] {
        assert_eq!(said(&chat(&stream(one))), "[EMAIL] ok", "{one:?}");
    }
    for two in [["1", "1.5"], ["1", "2"], ["0", "1.0"]] {
        assert_ne!(said(&chat(&stream(&two))), "[EMAIL] ok", "{two:?}");
    }
}

/// Goal: what is heard is followed over events. Method: a value in pieces of a transcript, beside
/// the sound and a text.
#[test]
fn a_transcript_of_gemini_is_one_text() {
    let event = |letter: char| {
        let heard = json!({"audioTranscription":{"text":letter}});
        let answer = json!({"content":{"role":"model","parts":[heard]},"index":0});
        format!("data: {}\n\n", json!({ "candidates": [answer] }))
    };
    let end = "data: {\"candidates\":[{\"index\":0,\"finishReason\":\"STOP\"}]}\n\n";
    let letters = format!("to {MAIL}");
    let stream = letters.chars().map(event).collect::<String>() + end;
    let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &stream);
    let place = "/candidates/0/content/parts/0/audioTranscription/text";
    let said = |event: &Value| event.pointer(place)?.as_str().map(str::to_owned);
    let said: String = events(&out).iter().filter_map(said).collect();
    assert_eq!(said, "to [EMAIL]", "{out}");
}
