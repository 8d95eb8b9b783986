//! What an answer looks like that nothing, something or too much was found in.

use super::*;

#[test]
fn every_spelling_of_events_is_cleaned() {
    let event = format!("{{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{MAIL} \"}}}}]}}");
    for stream in [
        format!("data: {event}\n\n"),
        format!("data:{event}\r\n\r\n"),
        format!("data: {event}\r\r"),
        format!("\u{feff}data: {event}\n\n"),
        format!(": {MAIL}\nid: 1\nretry: 5\ndata: {event}\n\n: {MAIL}\n\n"),
        format!("data: {}\ndata: {}\n\n", &event[..12], &event[12..]),
        format!("data: {event}"),
        format!("data: {event}\n"),
        format!("event: {MAIL}\ndata: {event}\n\n"),
        format!("data: \"{MAIL}\"\n\n"),
        format!("data: [\"{MAIL}\",{{\"{MAIL}\":1}}]\n\n"),
        event.clone(),
        format!("<html>{MAIL}</html>"),
        format!("oops {MAIL}\n"),
    ] {
        let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
        assert!(!out.contains(MAIL), "{stream:?}: {out:?}");
        assert!(out.contains("[EMAIL]"), "{stream:?}: {out:?}");
    }
    for odd in [
        "data: {\"a\":\n\n",
        "data: jane\n\n",
        "data: {\"a\":1,\"a\":2}\n\n",
        "{\"a\"",
        "[1",
    ] {
        let given = options(Dialect::OpenAi, Operation::ChatCompletions);
        let refused = carried(&given, odd, 3, |_| {});
        assert!(
            matches!(refused, Err(InspectError::CannotInspect(_))),
            "{odd}"
        );
    }
    let coded = ResponseOptions {
        content_encoding: Some("br"),
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    };
    assert!(carried(&coded, "data: {}\n\n", 3, |_| {}).is_err());
}

#[test]
fn events_without_text_pass_as_they_came() {
    let stream = concat!(
        ": keep-alive\n\n",
        "data: { \"choices\" : [] , \"usage\":{\"prompt_tokens\":1.0} }\r\n\r\n",
        "event: x\ndata:\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\r\r",
        "data: [DONE]\n\n",
    );
    assert_eq!(
        cleaned(Dialect::OpenAi, Operation::ChatCompletions, stream),
        stream
    );
}

#[test]
fn a_blocked_value_ends_the_answer() {
    let stream = chunk(0, &json!({"content":"fine "}), None)
        + &chunk(0, &json!({ "content": MAIL }), None)
        + &chunk(0, &json!({ "content": " more" }), None);
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    let block = cleaner(Direction::Response, |spec| spec.action = DataAction::Block);
    let mut reader = ResponseReader::new(&given, Some(block));
    let mut out = Vec::new();
    let pushed = reader.push(Bytes::from(stream), &mut out);
    assert!(matches!(pushed, Err(InspectError::DataBlocked(_))));
    let given = String::from_utf8(out.concat()).unwrap();
    assert!(given.contains("fine") && !given.contains("jane"), "{given}");
    assert!(
        reader
            .push(Bytes::from_static(b"data: 1\n\n"), &mut Vec::new())
            .is_err()
    );
    let refusal = RefusalText {
        status: 403,
        code: "data_blocked",
        message: "no",
        request_id: "0",
    };
    assert!(
        reader
            .error_ending(&refusal)
            .unwrap()
            .starts_with(b"data: {\"error\"")
    );
}

#[test]
fn usage_is_taken_out_of_a_cleaned_stream_too() {
    let mut stream = chunk(0, &json!({ "content": MAIL }), None).replacen('}', ",\"x\":1}", 1);
    stream = stream.replace("\"created\":1", "\"created\":1,\"usage\":null");
    stream += "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\ndata: [DONE]\n\n";
    let given = ResponseOptions {
        strip_usage: true,
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    };
    let out = carried(&given, &stream, 9, |_| {}).unwrap();
    assert!(
        !out.contains("usage") && out.contains("[EMAIL]") && !out.contains(MAIL),
        "{out}"
    );
}

#[test]
fn a_dry_run_changes_nothing_and_reports() {
    // Goal: under dry runs alone every answer passes byte for byte, readable or not, and what would
    // be done is reported.
    let watch = |spec: &mut DataRuleSpec| spec.dry_run = true;
    let answers = [
        (
            Dialect::OpenAi,
            Operation::ChatCompletions,
            chunk(0, &json!({"content":MAIL}), Some("stop")),
        ),
        (Dialect::OpenAi, Operation::Responses, response_stream(MAIL)),
        (Dialect::Anthropic, Operation::Messages, message_stream()),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            format!("[{}]", candidate(Some(MAIL), false, Some("STOP"))),
        ),
    ];
    for (dialect, operation, answer) in &answers {
        let given = options(*dialect, *operation);
        for cut in [1, 7, 4096] {
            assert_eq!(carried(&given, answer, cut, watch).as_ref(), Ok(answer));
        }
        let mut reader = ResponseReader::new(&given, Some(cleaner(Direction::Response, watch)));
        reader
            .push(Bytes::from(answer.clone()), &mut Vec::new())
            .unwrap();
        reader.finish(&mut Vec::new()).unwrap();
        let findings = reader.findings();
        assert!(!findings.is_empty() && findings.iter().all(|finding| finding.dry_run));
    }
    for odd in [
        "data: {\"a\"",
        "data: {\"a\":1,\"a\":2}\n\n",
        "{\"a\"",
        "[1",
    ] {
        let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
        assert_eq!(carried(&given, odd, 2, watch).as_deref(), Ok(odd));
    }
}

#[test]
fn an_end_that_was_none_is_not_believed_again() {
    // Goal: where a server says with every chunk that it is the last, a value over later chunks is
    // still found.
    let mut stream = chunk(0, &json!({"content":"Dear "}), Some("stop"));
    for piece in ["jane", ".doe@exam", "ple.com", " bye"] {
        stream += &chunk(0, &json!({ "content": piece }), Some("stop"));
    }
    stream += "data: [DONE]\n\n";
    let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
    assert_eq!(chat_text(&out, 0, "/delta/content"), "Dear [EMAIL] bye");
}

#[test]
fn the_end_of_an_answer_without_an_index_is_that_of_the_first() {
    // Goal: JSON of protobuf leaves the index of the first answer out; what ends its text must not
    // release what another answer holds. Method: a call of the first one amid a value of the
    // second.
    let second = |text: &str| {
        let part = json!({ "content": { "parts": [{ "text": text }] }, "index": 1 });
        format!("data: {}\n\n", json!({ "candidates": [part] }))
    };
    let call = json!({ "functionCall": { "name": "f", "args": {} } });
    let call = json!({ "candidates": [{ "content": { "parts": [call] } }] });
    let body = [
        second("to jane.doe@exam"),
        format!("data: {call}\n\n"),
        second("ple.com now"),
    ];
    let operation = Operation::StreamGenerateContent;
    let out = cleaned(Dialect::Gemini, operation, &body.concat());
    assert!(
        out.contains("[EMAIL]") && !out.contains("jane") && !out.contains("ple.com"),
        "{out}"
    );
}

/// Goal: the numbers of tokens, from which the text can be had again, do not pass beside it.
/// Method: each place in which servers say them, in an answer and in an event.
#[test]
fn numbers_of_tokens_are_put_out() {
    let ids = json!([15339, 1917, 54321]);
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    let whole = ResponseOptions {
        stream_asked: false,
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    };
    for name in ["token_ids", "prompt_token_ids", "prompt_logprobs"] {
        let event = json!({"id":"c","choices":[{"index":0,"delta":{"content":"a "},name:ids}]});
        let out = carried(&given, &format!("data: {event}\n\n"), 9, |_| {}).unwrap();
        assert!(!out.contains("54321"), "{name}: {out}");
        let answer = json!({"id":"c","choices":[{"index":0,"message":{"content":"a"},name:ids}]});
        let out = carried(&whole, &answer.to_string(), 9, |_| {}).unwrap();
        assert!(!out.contains("54321"), "{name}: {out}");
    }
    for name in ["prompt_token_ids", "prompt_logprobs"] {
        let event = json!({"id":"c",name:ids,"choices":[{"index":0,"delta":{"content":"a "}}]});
        let out = carried(&given, &format!("data: {event}\n\n"), 9, |_| {}).unwrap();
        assert!(!out.contains("54321"), "{name}: {out}");
        let answer = json!({"id":"c",name:ids,"choices":[{"message":{"content":"a"}}]});
        let out = carried(&whole, &answer.to_string(), 9, |_| {}).unwrap();
        assert!(!out.contains("54321"), "{name}: {out}");
    }
    let event = json!({"choices":[{"index":0,"delta":{"content":"a ","token_id":54321}}]});
    let out = carried(&given, &format!("data: {event}\n\n"), 9, |_| {}).unwrap();
    assert!(!out.contains("54321"), "{out}");
}

/// Goal: log probabilities, which repeat the text, go where text may change, and only there.
/// Method: rules of each action over an answer in which nothing is found.
#[test]
fn probabilities_stay_where_rules_only_tell() {
    let event = json!({"id":"c","choices":[{"index":0,"delta":{"content":"a "},
        "logprobs":{"content":[{"token":"a ","logprob":-0.5}]}}]});
    let stream = format!("data: {event}\n\n");
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    for action in [
        "allow",
        "flag",
        "mask",
        "keep-last-4",
        "hash",
        "pseudonym",
        "block",
    ] {
        let action: DataAction = action.parse().unwrap();
        for dry_run in [false, true] {
            let change = |spec: &mut DataRuleSpec| (spec.action, spec.dry_run) = (action, dry_run);
            let out = carried(&given, &stream, 9, change).unwrap();
            let stays = dry_run || action.passes();
            assert_eq!(out.contains("-0.5"), stays, "{action:?}: {out}");
        }
    }
}
