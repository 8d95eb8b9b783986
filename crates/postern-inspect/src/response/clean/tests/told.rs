//! What tells the texts of a stream apart, said in some of its events only or in two ways: pieces
//! of one text are one, or the answer ends.

use super::*;

/// What an event says with a letter.
type Forms<'a> = &'a [&'a dyn Fn(&str) -> Value];

/// A stream whose events take these forms in turns, a letter of the text in each.
fn in_turns(text: &str, forms: Forms<'_>) -> String {
    let letters = text.chars().map(String::from).enumerate();
    letters
        .map(|(at, letter)| format!("data: {}\n\n", forms[at % forms.len()](&letter)))
        .collect()
}

fn text() -> String {
    format!("to {MAIL} ok")
}

fn said(out: &str, place: &str) -> String {
    let said = |event: &Value| event.pointer(place)?.as_str().map(str::to_owned);
    events(out).iter().filter_map(said).collect()
}

fn is_refused(dialect: Dialect, operation: Operation, stream: &str) {
    for cut in [7, usize::MAX] {
        let out = carried(&options(dialect, operation), stream, cut, |_| {});
        assert!(
            matches!(out, Err(InspectError::CannotInspect(_))),
            "{stream} became {out:?}"
        );
    }
}

/// What a delta of a response says beside its text.
fn of(members: Value) -> impl Fn(&str) -> Value {
    move |letter| {
        let mut event = json!({"type":"response.output_text.delta","delta":letter});
        let own = members.as_object().unwrap().clone();
        event.as_object_mut().unwrap().extend(own);
        event
    }
}

fn added(place: Option<u64>, id: &str) -> String {
    let item = json!({"type":"message","id":id,"role":"assistant","content":[]});
    let mut event = json!({"type":"response.output_item.added","item":item});
    if let Some(place) = place {
        event["output_index"] = place.into();
    }
    format!("data: {event}\n\n")
}

/// Goal: an item is one, by whichever of its place and id it is told. Method: letters of a value in
/// deltas that say both, one of them, or another id each time; with and without an event before
/// that tells of the item; its end says the one that the deltas do not.
#[test]
fn an_item_is_one_by_its_place_and_its_id() {
    let place = of(json!({"output_index":1}));
    let first = of(json!({"output_index":0}));
    let id = of(json!({"item_id":"i"}));
    let other = of(json!({"output_index":1,"item_id":"j"}));
    let both = of(json!({"output_index":1,"item_id":"i"}));
    let null = of(json!({"output_index":null,"item_id":"i"}));
    let nothing = of(json!({}));
    let rows: [(Forms<'_>, bool); 8] = [
        (&[&both, &id], false),
        (&[&id, &both, &place], false),
        (&[&both, &place, &null], false),
        (&[&both, &other], false),
        (&[&place, &id], true),
        (&[&id, &place], true),
        (&[&id, &id], true),
        (&[&nothing, &first], false),
    ];
    for (forms, is_announced) in rows {
        let begin = if is_announced {
            added(Some(1), "i")
        } else {
            String::new()
        };
        for end in [json!({"output_index":1}), json!({"item_id":"i"})] {
            let mut done = json!({"type":"response.output_text.done","text":""});
            let own = end.as_object().unwrap().clone();
            done.as_object_mut().unwrap().extend(own);
            let stream = format!("{begin}{}data: {done}\n\n", in_turns(&text(), forms));
            let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
            assert_eq!(said(&out, "/delta"), "to [EMAIL] ok", "{out}");
            let is_of = !stream.contains("\"output_index\":0");
            assert!(!is_of || out.find("\"ok\"") < out.find(".done"), "{out}");
        }
    }
}

/// Goal: two items are two where that is certain. Method: letters of two values in turns, of items
/// with a place each, and of two that events told of and that have an id alone.
#[test]
fn items_that_are_told_apart_for_certain_are_two() {
    let text: String = text().chars().flat_map(|c| [c, c]).collect();
    let places = [
        of(json!({"output_index":0,"item_id":"i"})),
        of(json!({"output_index":1,"item_id":"j"})),
    ];
    let ids = [of(json!({"item_id":"i"})), of(json!({"item_id":"j"}))];
    for ([one, other], begin) in [
        (&places, String::new()),
        (&ids, added(None, "i") + &added(None, "j")),
        (&ids, added(Some(0), "i") + &added(Some(1), "j")),
    ] {
        let stream = begin + &in_turns(&text, &[one, other]);
        let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
        for id in ["i", "j"] {
            let own = events(&out).into_iter().filter(|it| it["item_id"] == id);
            let own: String = own
                .filter_map(|it| Some(it["delta"].as_str()?.to_owned()))
                .collect();
            assert_eq!(own, "to [EMAIL] ok", "{out}");
        }
    }
    // Reasoning and what is said may have one id.
    let thought = |letter: &str| json!({"type":"response.reasoning_text.delta","output_index":0,"item_id":"i","delta":letter});
    let told = of(json!({"output_index":1,"item_id":"i"}));
    let stream = in_turns(&text, &[&thought, &told]);
    let out = cleaned(Dialect::OpenAi, Operation::Responses, &stream);
    assert_eq!(out.matches("[EMAIL]").count(), 2, "{out}");
}

/// Goal: what may be one text of a response to a client is not two here. Method: letters of a value
/// in turns in deltas that say a place, an id, nothing, ids that nobody told of, one id at two
/// places; and parts that say a number and none.
#[test]
fn a_text_of_a_response_is_not_told_in_two_ways() {
    let forms: [[Value; 2]; 10] = [
        [json!({"output_index":0}), json!({"item_id":"i"})],
        [json!({"output_index":1}), json!({"item_id":"i"})],
        [json!({"output_index":1}), json!({})],
        [json!({"item_id":"i"}), json!({})],
        [json!({"item_id":"i"}), json!({"item_id":"j"})],
        [
            json!({"item_id":"i"}),
            json!({"output_index":1,"item_id":"j"}),
        ],
        [
            json!({"output_index":0,"item_id":"i"}),
            json!({"output_index":1,"item_id":"i"}),
        ],
        [json!({"content_index":1}), json!({})],
        [json!({"summary_index":1}), json!({})],
        [
            json!({"output_index":1,"command_index":2}),
            json!({"output_index":1}),
        ],
    ];
    for [one, other] in forms {
        for pair in [[one.clone(), other.clone()], [other, one]] {
            let [one, other] = pair.map(of);
            let stream = in_turns(MAIL, &[&one, &other]);
            is_refused(Dialect::OpenAi, Operation::Responses, &stream);
        }
    }
    let [first, none] = [json!({"content_index":0}), json!({})].map(of);
    let out = cleaned(
        Dialect::OpenAi,
        Operation::Responses,
        &in_turns(&text(), &[&first, &none]),
    );
    assert!(out.contains("[EMAIL]"), "{out}");
}

/// Goal: the same of choices, parts, calls and blocks. Method: letters of a value in turns under a
/// number and none; calls by number, by id, and by ids that are new each time.
#[test]
fn a_text_is_not_told_in_two_ways() {
    let chat = |choice: Value| {
        move |letter: &str| {
            let mut choice = choice.clone();
            choice["delta"] = json!({ "content": letter });
            json!({ "choices": [choice] })
        }
    };
    let call = |call: Value| {
        move |letter: &str| {
            let mut call = call.clone();
            call["function"]["arguments"] = letter.into();
            json!({"choices":[{"index":0,"delta":{"tool_calls":[call]}}]})
        }
    };
    let pair = |one: &dyn Fn(&str) -> Value, other: &dyn Fn(&str) -> Value| {
        [in_turns(MAIL, &[one, other]), in_turns(MAIL, &[other, one])]
    };
    let part = |index: Value| {
        move |letter: &str| {
            let part = json!({"type":"text","text":letter,"index":index});
            json!({"choices":[{"index":0,"delta":{"content":[part]}}]})
        }
    };
    let string = |letter: &str| json!({"choices":[{"index":0,"delta":{"content":letter}}]});
    let mut all = Vec::new();
    all.extend(pair(&chat(json!({"index":1})), &chat(json!({}))));
    all.extend(pair(
        &chat(json!({"index":1})),
        &chat(json!({"index":null})),
    ));
    all.extend(pair(&part(json!(1)), &string));
    all.extend(pair(&part(json!(1)), &part(Value::Null)));
    let by = |one: Value, other: Value| {
        let (one, other) = (call(one), call(other));
        pair(&one, &other)
    };
    all.extend(by(json!({"index":0}), json!({"id":"a"})));
    all.extend(by(json!({"index":0,"id":"a"}), json!({"id":"b"})));
    all.extend(by(json!({"id":"a"}), json!({"id":"b"})));
    all.extend(by(json!({"id":"a"}), json!({"index":0,"id":"b"})));
    for stream in &all {
        is_refused(Dialect::OpenAi, Operation::ChatCompletions, stream);
    }
    let block = |members: Value| {
        move |letter: &str| {
            let delta = json!({"type":"text_delta","text":letter});
            let mut event = json!({"type":"content_block_delta","delta":delta});
            event
                .as_object_mut()
                .unwrap()
                .extend(members.as_object().unwrap().clone());
            event
        }
    };
    for stream in pair(&block(json!({"index":1})), &block(json!({}))) {
        is_refused(Dialect::Anthropic, Operation::Messages, &stream);
    }
    // The number or the id of a call may come with another piece than the first.
    for forms in [
        [json!({"id":"a"}), json!({"index":0,"id":"a"})],
        [json!({"index":1,"id":"a"}), json!({"id":"a"})],
        [json!({"index":1,"id":"a"}), json!({})],
        [json!({}), json!({"index":0})],
    ] {
        let [one, other] = forms.map(call);
        let stream = in_turns(&json!({ "to": MAIL }).to_string(), &[&one, &other]);
        let out = cleaned(Dialect::OpenAi, Operation::ChatCompletions, &stream);
        let place = "/choices/0/delta/tool_calls/0/function/arguments";
        assert_eq!(said(&out, place), "{\"to\":\"[EMAIL]\"}", "{out}");
    }
}

/// Goal: JSON of protobuf leaves out what is zero or false, and that tells texts apart as well.
/// Method: letters of two values in turns, of a candidate without a number and the second, of a
/// thought and of what is none.
#[test]
fn what_protobuf_leaves_out_tells_texts_apart() {
    let text: String = text().chars().flat_map(|c| [c, c]).collect();
    let form = |index: Option<u64>, thought: Option<bool>| {
        move |letter: &str| {
            let mut part = json!({ "text": letter });
            if let Some(thought) = thought {
                part["thought"] = thought.into();
            }
            let mut candidate = json!({"content":{"parts":[part]}});
            if let Some(index) = index {
                candidate["index"] = index.into();
            }
            json!({ "candidates": [candidate] })
        }
    };
    for other in [form(Some(1), None), form(None, Some(true))] {
        let stream = in_turns(&text, &[&form(None, None), &other]);
        let out = cleaned(Dialect::Gemini, Operation::StreamGenerateContent, &stream);
        assert_eq!(out.matches("[EMAIL]").count(), 2, "{out}");
    }
}

/// Goal: a place in arguments is one however it is spelled, and what nobody can read as one place
/// ends the answer. Method: letters of a value in turns under spellings of one place, of two, and
/// beside the other spelling of the member; a tail under quotes says its place.
#[test]
fn a_place_in_arguments_is_one_however_it_is_spelled() {
    let argument = |path: Value| {
        move |letter: &str| {
            let mut argument = json!({"stringValue":letter,"willContinue":true});
            argument
                .as_object_mut()
                .unwrap()
                .extend(path.as_object().unwrap().clone());
            let call = json!({"functionCall":{"willContinue":true,"partialArgs":[argument]}});
            json!({"candidates":[{"content":{"role":"model","parts":[call]}}]})
        }
    };
    let gemini = Operation::StreamGenerateContent;
    let place = "/candidates/0/content/parts/0/functionCall/partialArgs/0";
    let forms = [
        argument(json!({"jsonPath":"$.a.b"})),
        argument(json!({"json_path":"$['a']['b']"})),
        argument(json!({"jsonPath":"$[\"a\"].b"})),
    ];
    let stream = in_turns(&text(), &[&forms[0], &forms[1], &forms[2]]);
    let out = cleaned(Dialect::Gemini, gemini, &stream);
    assert_eq!(
        said(&out, &format!("{place}/stringValue")),
        "to [EMAIL] ok",
        "{out}"
    );
    let stream = in_turns(&text(), &[&forms[2]]);
    let out = cleaned(Dialect::Gemini, gemini, &stream);
    for event in events(&out) {
        assert_eq!(
            event.pointer(place).unwrap()["jsonPath"],
            "$[\"a\"].b",
            "{out}"
        );
    }
    for odd in [
        json!({"jsonPath":"$.a..b"}),
        json!({"jsonPath":"$.a","json_path":"$.a"}),
    ] {
        is_refused(Dialect::Gemini, gemini, &in_turns(MAIL, &[&argument(odd)]));
    }
    let stream = in_turns(MAIL, &[&forms[0], &argument(json!({}))]);
    is_refused(Dialect::Gemini, gemini, &stream);
    let twice = |letter: &str| {
        let call = json!({"partialArgs":[],"partial_args":[{"stringValue":letter}]});
        json!({"candidates":[{"content":{"parts":[{"functionCall":call}]}}]})
    };
    is_refused(Dialect::Gemini, gemini, &in_turns(MAIL, &[&twice]));
}

/// Goal: who asked for one answer gets no value in pieces that are numbered as if each were an
/// answer. Method: the letters of a card so numbered, as TGI has done it; and as many answers as
/// were asked for, whatever their numbers.
#[test]
fn no_more_answers_come_than_were_asked_for() {
    let asked = |choices| ResponseOptions {
        choices,
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    };
    let say = |index: u64, text: &str| {
        let delta = json!({"role":"assistant","content":text});
        chunk(index, &delta, None)
    };
    let letters = format!("{CARD} ");
    let numbered = letters.chars().zip(1..);
    let stream: String = numbered
        .map(|(letter, at)| say(at, &letter.to_string()))
        .collect();
    let out = carried(&asked(Some(1)), &stream, 7, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
    let end = "data: [DONE]\n\n";
    let one = say(3, "card 4539578") + &say(3, "763621486 ok") + end;
    let out = carried(&asked(Some(1)), &one, 7, |_| {}).unwrap();
    assert_eq!(chat_text(&out, 3, "/delta/content"), "card [CARD] ok");
    let two = say(0, "a b") + &say(1, "c d") + &say(0, " e ") + &say(1, " f ") + end;
    for choices in [Some(2), Some(3), None] {
        let out = carried(&asked(choices), &two, 7, |_| {}).unwrap();
        assert_eq!(chat_text(&out, 1, "/delta/content"), "c d f ");
    }
    let out = carried(&asked(Some(1)), &two, 7, |_| {});
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
}
