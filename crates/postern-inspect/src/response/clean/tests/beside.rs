//! Texts of chats where no table knows of one, and calls and contents in odd forms.

use super::*;

fn chat(stream: &str) -> Result<String, InspectError> {
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    let whole = carried(&given, stream, usize::MAX, |_| {});
    for cut in [1, 7] {
        assert_eq!(carried(&given, stream, cut, |_| {}), whole);
    }
    whole
}

/// What stands beside the texts of an event.
fn beside(dialect: Dialect, name: &str, said: &Value) -> String {
    let mut event = if dialect == Dialect::Gemini {
        json!({"candidates":[{"content":{"role":"model","parts":[{"text":"a "}]},"index":0}]})
    } else {
        json!({"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a "}}]})
    };
    event[name] = said.clone();
    format!("data: {event}\n\n")
}

/// Goal: a new member of a provider's events does not carry a value out in pieces, and one that
/// says the same in each event, or more, goes on. Method: letters of a value, in a string, a list
/// and an object; names, lists that grow, and figures; by either rule.
#[test]
fn no_text_goes_on_in_pieces_beside_the_texts() {
    for (dialect, operation) in [
        (Dialect::OpenAi, Operation::ChatCompletions),
        (Dialect::AzureOpenAi, Operation::ChatCompletions),
        (Dialect::Gemini, Operation::StreamGenerateContent),
    ] {
        let given = options(dialect, operation);
        let stream = |said: &[Value]| -> String {
            said.iter().map(|it| beside(dialect, "novel", it)).collect()
        };
        let letters: Vec<String> = MAIL.chars().map(String::from).collect();
        if dialect == Dialect::Gemini {
            let inside = |letter| {
                let answer = json!({"index":0,"novel":letter,"content":{"parts":[{"text":"a "}]}});
                format!("data: {}\n\n", json!({ "candidates": [answer] }))
            };
            let stream: String = letters.iter().map(inside).collect();
            let out = carried(&given, &stream, 7, |_| {});
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{out:?}"
            );
        }
        let forms: [fn(&String) -> Value; 3] = [
            |letter| json!(letter),
            |letter| json!([letter]),
            |letter| json!({"at":1,"more":{"text":letter}}),
        ];
        for form in forms {
            let said: Vec<Value> = letters.iter().map(form).collect();
            let out = carried(&given, &stream(&said), 7, |_| {});
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{dialect:?}: {out:?}"
            );
            let open = |spec: &mut DataRuleSpec| spec.opaque = OpaqueAction::Allow;
            assert!(carried(&given, &stream(&said), 7, open).is_ok());
            let dry = |spec: &mut DataRuleSpec| spec.dry_run = true;
            assert_eq!(
                carried(&given, &stream(&said), 7, dry).unwrap(),
                stream(&said)
            );
        }
        for steady in [
            [json!("Amazon Bedrock"), json!("Amazon Bedrock")],
            [json!(""), json!("Meta")],
            [json!(null), json!("Meta")],
            [json!(["a", "b"]), json!(["a", "b", "c"])],
            [json!({"n":1,"s":"up"}), json!({"n":2,"s":"up"})],
            [json!(1), json!(2)],
        ] {
            assert!(carried(&given, &stream(&steady), 7, |_| {}).is_ok());
        }
        let whole = stream(&[json!({"mail":MAIL}), json!({"mail":MAIL})]);
        let out = carried(&given, &whole, 7, |_| {}).unwrap();
        assert_eq!(out.matches("[EMAIL]").count(), 2, "{out}");
    }
}

/// Goal: what is said is one text, whichever form its pieces have. Method: the letters of a value
/// as strings and as parts in turns, and the end of a thought before a string.
#[test]
fn content_in_strings_and_parts_in_turns_is_one_text() {
    let text = format!("it is {MAIL} ok");
    let mut stream = String::new();
    for (at, letter) in text.chars().enumerate() {
        let content = match at % 3 {
            0 => json!(letter),
            1 => json!([{"type":"text","text":letter}]),
            _ => json!([{"type":"text","text":letter,"index":0}]),
        };
        stream += &chunk(0, &json!({ "content": content }), None);
    }
    stream += &chunk(0, &json!({}), Some("stop"));
    let out = chat(&(stream + "data: [DONE]\n\n")).unwrap();
    let said: String = events(&out)
        .iter()
        .filter_map(|event| {
            let content = event.pointer("/choices/0/delta/content")?;
            let part = content.pointer("/0/text").unwrap_or(content);
            part.as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(said, "it is [EMAIL] ok", "{out}");
    let thought = json!([{"type":"thinking","thinking":[{"type":"text","text":"well, 45"}]}]);
    let stream = chunk(0, &json!({ "content": thought }), None)
        + &chunk(0, &json!({"content":"39 it is."}), None)
        + "data: [DONE]\n\n";
    let out = chat(&stream).unwrap();
    assert_eq!(chat_text(&out, 0, "/delta/content"), "39 it is.");
    assert_eq!(
        chat_text(&out, 0, "/delta/content/0/thinking/0/text"),
        "well, 45"
    );
}

/// Goal: what a model was asked for in JSON is read as JSON, and stays it. Method: values in
/// escapes and behind them, whole and in pieces of each length, in what is said and in a thought.
#[test]
fn what_is_said_in_json_is_read_as_json() {
    let rows = [
        ("{\"a\":\"x\\n4539578763621486\"}", "{\"a\":\"x\\n[CARD]\"}"),
        (
            " \n[\"jane.doe\\u0040example.com\", \"x\\njane.doe@example.com\"]",
            " \n[\"[EMAIL]\", \"x\\n[EMAIL]\"]",
        ),
        (
            "[note] to jane.doe@example.com, ok",
            "[note] to [EMAIL], ok",
        ),
        (
            "\"well\", jane.doe@example.com said",
            "\"well\", [EMAIL] said",
        ),
    ];
    for (text, expected) in rows {
        for cut in 1..4 {
            let letters: Vec<char> = text.chars().collect();
            for place in ["content", "reasoning_content"] {
                let pieces = letters.chunks(cut).map(|it| it.iter().collect::<String>());
                let stream: String = pieces
                    .map(|it| chunk(0, &json!({ place: it }), None))
                    .collect();
                let out = chat(&(stream + "data: [DONE]\n\n")).unwrap();
                assert_eq!(
                    chat_text(&out, 0, &format!("/delta/{place}")),
                    expected,
                    "{out}"
                );
            }
        }
        let given = ResponseOptions {
            stream_asked: false,
            ..options(Dialect::OpenAi, Operation::ChatCompletions)
        };
        let answer = json!({"choices":[{"message":{"role":"assistant","content":text}}]});
        let out = carried(&given, &answer.to_string(), 7, |_| {}).unwrap();
        let out: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(out["choices"][0]["message"]["content"], expected);
    }
}

/// Goal: arguments are one text also where they come as lists of pieces. Method: the letters of
/// arguments, two in a list.
#[test]
fn arguments_in_lists_of_pieces_are_one_text() {
    let text = format!("{{\"to\":\"{MAIL}\"}}");
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let mut stream = String::new();
    for pair in letters.chunks(2) {
        let call = json!({"index":0,"function":{"arguments":pair}});
        stream += &chunk(0, &json!({ "tool_calls": [call] }), None);
    }
    let out = chat(&(stream + "data: [DONE]\n\n")).unwrap();
    let mut all = String::new();
    for event in events(&out) {
        let at = "/choices/0/delta/tool_calls/0/function/arguments";
        let pieces = event.pointer(at).unwrap().as_array().unwrap().clone();
        pieces.iter().for_each(|it| all += it.as_str().unwrap());
    }
    assert_eq!(all, "{\"to\":\"[EMAIL]\"}", "{out}");
    let whole = json!({"index":0,"function":{"arguments":{"n":[MAIL],"to":MAIL}}});
    let out = chat(&chunk(0, &json!({ "tool_calls": [whole] }), None)).unwrap();
    assert!(
        out.contains("{\"n\":[\"[EMAIL]\"],\"to\":\"[EMAIL]\"}"),
        "{out}"
    );
}

/// Goal: calls do not mix, however they are told apart. Method: two calls a letter at a time, in
/// turns, by index, by id, by both, by the id of the first piece alone; and one after the other by
/// the id of its first piece.
#[test]
fn calls_are_told_apart_by_index_or_id() {
    let texts = [
        format!("{{\"to\":\"{MAIL}\"}}"),
        format!("{{\"n\":{CARD}}}"),
    ];
    let cleaned_texts = ["{\"to\":\"[EMAIL]\"}", "{\"n\":\"[CARD]\"}"];
    let letters = |at: usize| texts[at].chars().collect::<Vec<char>>();
    let named = |call: usize, first: bool, form: &str| {
        let mut piece = json!({});
        let id = ["call_a", "call_b"][call];
        match form {
            "index" => piece["index"] = json!(call),
            "id" => piece["id"] = json!(id),
            "null" => {
                piece["index"] = json!(null);
                piece["id"] = json!(id);
            }
            "both" => {
                piece["index"] = json!(call);
                piece["id"] = json!(if first { id } else { "" });
            }
            "index first" if first => {
                piece["index"] = json!(call);
                piece["id"] = json!(id);
            }
            "index first" => piece["id"] = json!(id),
            "id first" if first => piece["id"] = json!(id),
            _ => {}
        }
        piece
    };
    for form in ["index", "id", "null", "both", "index first", "id first"] {
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (call, text) in texts.iter().enumerate() {
            order.extend((0..text.len()).map(|at| (at, call)));
        }
        if form != "id first" {
            order.sort_unstable();
        }
        let mut stream = String::new();
        let mut owners = Vec::new();
        for (at, call) in order {
            let mut piece = named(call, at == 0, form);
            piece["function"] = json!({"arguments":letters(call)[at]});
            if at == 0 {
                piece["function"]["name"] = "send".into();
            }
            owners.push((piece.clone(), call));
            stream += &chunk(0, &json!({ "tool_calls": [piece] }), None);
        }
        let out = chat(&(stream + "data: [DONE]\n\n")).unwrap();
        assert!(!out.contains(MAIL) && !out.contains(CARD), "{form}");
        let mut all = [String::new(), String::new()];
        let mut last = 0;
        for event in events(&out) {
            let Some(call) = event.pointer("/choices/0/delta/tool_calls/0") else {
                continue;
            };
            let by_id = match call["id"].as_str() {
                Some("call_a") => Some(0),
                Some("call_b") => Some(1),
                _ => None,
            };
            let by_index = call["index"]
                .as_u64()
                .map(|at| usize::try_from(at).unwrap());
            last = by_index.or(by_id).unwrap_or(last);
            all[last] += call["function"]["arguments"].as_str().unwrap();
        }
        assert_eq!(all, cleaned_texts, "{form}: {out}");
    }
}

/// Goal: a reason to stop with each chunk lets no part of a value go, and one that is true has the
/// last word in it. Method: letters of a value with a reason each, one and two answers; a true one
/// before the usage, and before what filters say.
#[test]
fn a_reason_to_stop_is_believed_when_nothing_follows() {
    let done = "data: [DONE]\n\n";
    let each = |index: u64| -> String {
        let letters = format!("{MAIL} ok");
        let letters = letters.chars();
        letters
            .map(|letter| chunk(index, &json!({ "content": letter }), Some("stop")))
            .collect()
    };
    let out = chat(&(each(0) + done)).unwrap();
    assert_eq!(chat_text(&out, 0, "/delta/content"), "[EMAIL] ok");
    assert!(!out.contains("\"j\""), "{out}");
    let out = chat(&(each(0) + &each(1) + done)).unwrap();
    assert_eq!(chat_text(&out, 1, "/delta/content"), "[EMAIL] ok");
    // Events in which nothing is said tell nothing of it.
    let nothing = [
        chunk(0, &json!({"content":""}), None),
        chunk(0, &json!({"role":"assistant"}), Some("stop")),
        chunk(1, &json!({}), None),
        "data: {\"choices\":[],\"x_groq\":{\"id\":\"a\"}}\n\n".to_owned(),
    ];
    for nothing in &nothing {
        for more in ["", ": wait\n\n"] {
            let between = format!("{nothing}{more}{nothing}");
            let pieces = each(0);
            let pieces = pieces.split_inclusive("\n\n").collect::<Vec<_>>();
            let out = chat(&(pieces.join(&between) + done)).unwrap();
            assert_eq!(chat_text(&out, 0, "/delta/content"), "[EMAIL] ok", "{out}");
            let waits = |stream: &str| stream.matches(": wait").count();
            assert_eq!(waits(&out), waits(&pieces.join(&between)));
        }
    }
    let last = chunk(0, &json!({"content":"last"}), Some("stop"));
    let usage = "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n";
    let filters = "data: {\"choices\":[{\"index\":0,\"finish_reason\":null,\
                   \"content_filter_offsets\":{\"check_offset\":1}}]}\n\n";
    let both = format!("{filters}{usage}");
    for behind in ["", usage, filters, &both, &nothing[1]] {
        let stream = chunk(0, &json!({"content":"the "}), None) + &last + behind + done;
        let out = chat(&stream).unwrap();
        assert_eq!(events(&out).len(), events(&stream).len(), "{out}");
        let end = out.lines().find(|line| line.contains("\"stop\"")).unwrap();
        assert!(end.contains("last\"") && out.ends_with(&format!("{behind}{done}")));
    }
}

/// Goal: an end behind each piece lets no value go on in pieces. Method: pieces of a text that has
/// ended for good, and of one that was begun anew.
#[test]
fn a_text_that_has_ended_does_not_go_on() {
    let piece = |text: &str| {
        let delta = json!({"index":0,"delta":{"type":"text_delta","text":text}});
        anthropic("content_block_delta", &delta)
    };
    let stop = anthropic("content_block_stop", &json!({"index":0}));
    let start = anthropic(
        "content_block_start",
        &json!({"index":0,"content_block":{"type":"text","text":""}}),
    );
    let given = options(Dialect::Anthropic, Operation::Messages);
    let stream = piece("a") + &stop + &piece("b");
    let out = carried(&given, &stream, 7, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
    let stream = piece("a") + &stop + &start + &piece("b") + &stop;
    assert!(
        carried(&given, &stream, 7, |_| {})
            .unwrap()
            .contains("\"b\"")
    );
    let said = |kind: &str, rest: &Value| {
        let mut event = json!({"type":kind,"output_index":0,"content_index":0,"item_id":"i"});
        for (name, value) in rest.as_object().unwrap() {
            event[name] = value.clone();
        }
        format!("data: {event}\n\n")
    };
    let given = options(Dialect::OpenAi, Operation::Responses);
    let delta = |text: &str| said("response.output_text.delta", &json!({"delta":text}));
    let done = said("response.output_text.done", &json!({"text":"a"}));
    let stream = delta("a") + &done + &delta("b");
    let out = carried(&given, &stream, 7, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
    let added = said(
        "response.content_part.added",
        &json!({"part":{"type":"output_text"}}),
    );
    let stream = delta("a") + &done + &added + &delta("b");
    assert!(carried(&given, &stream, 7, |_| {}).is_ok());
}

/// Goal: a text that ended is never forgotten, so that it could go on piece by piece. Method: as
/// many texts as are remembered pass, and with one more the answer ends.
#[test]
fn an_answer_has_no_more_texts_than_are_remembered() {
    let given = options(Dialect::Anthropic, Operation::Messages);
    let text = |index: usize| {
        let delta = json!({"index":index,"delta":{"type":"text_delta","text":"a"}});
        anthropic("content_block_delta", &delta)
            + &anthropic("content_block_stop", &json!({"index":index}))
    };
    let texts = |count: usize| (0..count).map(text).collect::<String>();
    let most = crate::bounds::CHANNELS_MAX;
    assert!(carried(&given, &texts(most), usize::MAX, |_| {}).is_ok());
    let out = carried(&given, &texts(most + 1), usize::MAX, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
}

/// Goal: the same of Anthropic's events, and of what an answer in sound may say of itself. Method:
/// letters of a value in a member that no table names.
#[test]
fn no_text_goes_on_in_pieces_beside_blocks_and_sound() {
    let piece = |letter: char| {
        let delta = json!({"type":"text_delta","text":"a "});
        let event = json!({"index":0,"delta":delta,"novel":letter});
        anthropic("content_block_delta", &event)
    };
    let given = options(Dialect::Anthropic, Operation::Messages);
    let out = carried(
        &given,
        &MAIL.chars().map(piece).collect::<String>(),
        7,
        |_| {},
    );
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
    let same: String = (0..5).map(|_| piece('n')).collect();
    assert!(carried(&given, &same, 7, |_| {}).is_ok());
    let letters = format!("{MAIL} ok");
    let pieces = letters
        .chars()
        .map(|letter| chunk(0, &json!({"audio":{"novel":letter}}), None));
    let out = chat(&pieces.collect::<String>()).unwrap();
    assert_eq!(chat_text(&out, 0, "/delta/audio/novel"), "[EMAIL] ok");
}

/// Goal: arguments of a response are one text also in lists of pieces. Method: a value in pieces.
#[test]
fn arguments_of_a_response_in_lists_are_one_text() {
    let event = |piece: &str| {
        let kind = "response.function_call_arguments.delta";
        let event = json!({"type":kind,"item_id":"f","output_index":0,"delta":[piece]});
        format!("data: {event}\n\n")
    };
    let arguments = format!("{{\"to\":\"{MAIL}\"}}");
    let stream: String = arguments
        .split_inclusive(['j', 'd', '@', '.'])
        .map(event)
        .collect();
    let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
    let said = |event: &Value| event["delta"][0].as_str().map(str::to_owned);
    let said: String = events(&out).iter().filter_map(said).collect();
    assert_eq!(said, "{\"to\":\"[EMAIL]\"}", "{out}");
}
