//! What comes whole, in one event: were it to come in pieces, a client could put them together.

use super::*;

fn part_event(part: &Value) -> String {
    let content = json!({"role":"model","parts":[part]});
    let answer = json!({"content":content,"index":0});
    format!("data: {}\n\n", json!({ "candidates": [answer] }))
}

fn gemini(stream: &str) -> Result<String, InspectError> {
    let given = options(Dialect::Gemini, Operation::StreamGenerateContent);
    carried(&given, stream, 7, |_| {})
}

/// Goal: code, what it gave, calls and what they gave do not carry a value out in pieces, and such
/// parts go on as the provider sends them. Method: a value in halves, in two parts of a kind behind
/// each other, in two events or one, by either name; and parts that are two.
#[test]
fn what_comes_whole_does_not_come_in_pieces() {
    let halves = ["to jane.doe@", "example.com"];
    let parts = |kind: &str, member: &str, ids: [Value; 2]| {
        halves.map(|half| {
            let mut inner = json!({ member: half });
            if !ids[0].is_null() {
                inner["id"] = ids[usize::from(half == halves[1])].clone();
            }
            json!({ kind: inner })
        })
    };
    let none = [Value::Null, Value::Null];
    let same = [json!("a"), json!("a")];
    let two = [json!("a"), json!("b")];
    let pieces = [
        parts("executableCode", "code", none.clone()),
        parts("executable_code", "code", same.clone()),
        parts("codeExecutionResult", "output", none.clone()),
        parts("code_execution_result", "output", [json!("a"), Value::Null]),
        parts("functionCall", "args", same.clone()),
        parts("toolCall", "args", same.clone()),
        parts("tool_response", "response", same.clone()),
        parts("functionResponse", "response", same),
    ];
    for [one, other] in &pieces {
        let content = json!({"role":"model","parts":[one, other]});
        let both = format!("data: {}\n\n", json!({"candidates":[{"content":content}]}));
        let seal = json!({"thoughtSignature":"QUJD".repeat(20)});
        let between = part_event(one) + &part_event(&seal) + &part_event(other);
        for stream in [part_event(one) + &part_event(other), both, between] {
            let out = gemini(&stream);
            assert!(
                matches!(out, Err(InspectError::CannotInspect(_))),
                "{stream} became {out:?}"
            );
        }
        let text = part_event(&json!({"text":"and then. "}));
        let stream = part_event(one) + &text + &part_event(other);
        assert!(gemini(&stream).is_ok(), "{stream}");
    }
    let code = parts("executableCode", "code", none.clone());
    let gave = parts("codeExecutionResult", "output", none.clone());
    let [first, second] = parts("executableCode", "code", two.clone());
    let calls = parts("functionCall", "args", none);
    let others = parts("toolCall", "args", two);
    for parts in [
        vec![&code[0], &gave[0], &code[1], &gave[1]],
        vec![&first, &second],
        vec![&calls[0], &calls[1]],
        vec![&others[0], &others[1]],
    ] {
        let stream: String = parts.into_iter().map(part_event).collect();
        assert_eq!(gemini(&stream).as_ref(), Ok(&stream));
    }
}

/// Goal: what comes whole is not hidden from the look for pieces by another kind beside it. Method:
/// a value in halves, in parts that are of two kinds, the first of them empty or not.
#[test]
fn a_part_of_two_kinds_does_not_pass() {
    for code in ["", "x = 1"] {
        let parts = ["to jane.doe@", "example.com"].map(|half| {
            let gave = json!({ "output": half });
            json!({"executableCode":{"code":code},"codeExecutionResult":gave})
        });
        let out = gemini(&(part_event(&parts[0]) + &part_event(&parts[1])));
        assert!(
            matches!(out, Err(InspectError::CannotInspect(_))),
            "{code:?} became {out:?}"
        );
    }
}

/// Goal: what a client of chats puts together by a number does not carry a value out in pieces, and
/// annotations go on as providers send them. Method: letters of a title under one number; ones that
/// come whole, again, and without a number.
#[test]
fn annotations_do_not_come_in_pieces() {
    let cited = |index: Value, title: &str| {
        let cited = json!({"title":title,"url":"https://example.org/a"});
        let one = json!({"index":index,"type":"url_citation","url_citation":cited});
        chunk(0, &json!({ "annotations": [one] }), None)
    };
    let given = options(Dialect::OpenAi, Operation::ChatCompletions);
    let letters = MAIL.chars().map(String::from);
    for index in [json!(0), json!(3), json!("a")] {
        let pieces: String = letters
            .clone()
            .map(|it| cited(index.clone(), &it))
            .collect();
        let out = carried(&given, &pieces, 7, |_| {});
        assert!(
            matches!(out, Err(InspectError::CannotInspect(_))),
            "{out:?}"
        );
    }
    let many = cited(json!(0), "One") + &cited(json!(1), "Two") + &cited(json!(0), "One");
    let bare = cited(Value::Null, "One") + &cited(Value::Null, "Two");
    for stream in [many, bare] {
        assert_eq!(carried(&given, &stream, 7, |_| {}).as_ref(), Ok(&stream));
    }
    let whole = cited(json!(0), MAIL) + &cited(Value::Null, MAIL);
    let out = carried(&given, &whole, 7, |_| {}).unwrap();
    assert_eq!(out.matches("[EMAIL]").count(), 2, "{out}");
}
