//! The promise of data controls on bodies that are one document: recorded requests and answers,
//! with values planted into them; and bytes made to hurt.

use bytes::Bytes;
use postern_inspect::{Dialect, InspectError, RequestFacts, Target, locate};
use postern_types::{CanonicalPath, Direction, Operation};
use serde_json::Value;

use crate::cleaning::{Choice, VALUES, carried, cleaner, no_part_of};
use crate::corpus;

/// The request as it was read; `None` where it is not served.
fn read(request: &corpus::Request, body: &str) -> Option<RequestFacts> {
    let path = CanonicalPath::parse(&request.path).unwrap();
    let target = Target {
        method: &request.method,
        path: &path,
        query: &request.query,
        content_type: Some("application/json"),
        content_encoding: None,
    };
    let located = locate(request.dialect, &target).ok()?;
    located.read(body.as_bytes()).ok()
}

/// What goes upstream of a request.
fn sent(facts: &RequestFacts, body: &str, splice: bool) -> Result<(String, bool), InspectError> {
    let mut cleaner = cleaner(Direction::Request);
    let out = facts.clean_outbound(Bytes::from(body.to_owned()), splice, &mut cleaner)?;
    let bytes = out.pieces.concat();
    assert_eq!(out.len, bytes.len() as u64);
    let found = !cleaner.findings().is_empty();
    Ok((String::from_utf8(bytes).unwrap(), found))
}

/// The places of the strings in a value that hold more than one word.
fn texts(value: &Value, place: &str, all: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains(' ') => all.push(place.to_owned()),
        Value::Array(list) => {
            for (at, one) in list.iter().enumerate() {
                texts(one, &format!("{place}/{at}"), all);
            }
        }
        Value::Object(members) => {
            // Signed thinking passes as it is under this rule.
            let signed = |key: &str, one: &Value| key == "thinking" && one.is_string();
            for (key, one) in members.iter().filter(|(key, one)| !signed(key, one)) {
                let key = key.replace('~', "~0").replace('/', "~1");
                texts(one, &format!("{place}/{key}"), all);
            }
        }
        _ => {}
    }
}

/// A document with a value in a text of choice, and the same with what stands for it.
fn planted(body: &Value, value: (&str, &str), choice: &mut Choice) -> Option<[Value; 2]> {
    let mut places = Vec::new();
    texts(body, "", &mut places);
    let place = places.get(choice.below(places.len()))?;
    let text = body.pointer(place)?.as_str()?;
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let at = spaces.get(choice.below(spaces.len()))?;
    let with = |value: &str| {
        let mut body = body.clone();
        let text = format!("{}; {value};{}", &text[..*at], &text[*at..]);
        *body.pointer_mut(place).unwrap() = text.into();
        body
    };
    Some([with(value.0), with(value.1)])
}

#[test]
fn requests_pass_unless_something_is_found_and_then_without_it() {
    // Goal: a request in which nothing is found goes on as it came, with the wish for usage where
    // it is spliced; a planted value never does, and all else stays. Method: every recorded
    // request, a value planted into texts of choice.
    let Some(requests) = corpus::requests() else {
        return;
    };
    let (mut same, mut cleaned) = (0, 0);
    for (number, request) in requests.iter().enumerate() {
        let Some(facts) = read(request, &request.body) else {
            continue;
        };
        let (out, found) = sent(&facts, &request.body, false).unwrap();
        if found {
            continue;
        }
        assert_eq!(out, request.body, "{}", request.id);
        same += 1;
        let body: Value = serde_json::from_str(&request.body).unwrap();
        for (seed, value) in VALUES.iter().enumerate() {
            let mut choice = Choice((number * 10 + seed) as u64);
            let Some([with, without]) = planted(&body, *value, &mut choice) else {
                continue;
            };
            let with = with.to_string();
            let facts = read(request, &with).unwrap();
            let (out, _) = sent(&facts, &with, false).unwrap();
            let given: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(given, without, "{}", request.id);
            no_part_of(value.0, &out, &request.body);
            // With the splice, what goes on is the cleaned body with the one key more.
            let (spliced, _) = sent(&facts, &with, true).unwrap();
            let clear = read(request, &without.to_string()).unwrap();
            let (expected, _) = sent(&clear, &without.to_string(), true).unwrap();
            let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(parsed(&spliced), parsed(&expected), "{}", request.id);
            cleaned += 1;
        }
    }
    assert!(
        same >= 90 && cleaned >= 300,
        "{same} same, {cleaned} cleaned"
    );
}

#[test]
fn answers_pass_unless_something_is_found_and_then_without_it() {
    // Goal: as for requests, for answers that are one document. Method: the same.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let (mut same, mut cleaned) = (0, 0);
    for (number, exchange) in exchanges.iter().enumerate() {
        let Ok(body) = serde_json::from_slice::<Value>(&exchange.answer) else {
            continue;
        };
        if exchange.streaming || !body.is_object() {
            continue;
        }
        let given = (exchange.dialect, exchange.operation, false);
        let (out, found) = carried(given, &exchange.answer, 100).unwrap();
        if found || exchange.answer.windows(9).any(|part| part == b"\"logprobs") {
            continue;
        }
        assert_eq!(out.as_bytes(), exchange.answer, "{}", exchange.id);
        same += 1;
        let value = VALUES[number % VALUES.len()];
        let mut choice = Choice(number as u64);
        let Some([with, without]) = planted(&body, value, &mut choice) else {
            continue;
        };
        let with = with.to_string();
        let (out, _) = carried(given, with.as_bytes(), 7).unwrap();
        let given: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(given, without, "{}", exchange.id);
        let before = String::from_utf8_lossy(&exchange.answer);
        no_part_of(value.0, &out, &before);
        cleaned += 1;
    }
    assert!(
        same >= 100 && cleaned >= 60,
        "{same} same, {cleaned} cleaned"
    );
}

#[test]
fn strange_texts_go_through_everything() {
    // Goal: nothing panics on texts made to hurt, they stay what they are, and a value beside one
    // does not get through. Method: each text, with a value behind it, as a message, as an
    // argument, as a key, as raw bytes of an event and as raw bytes of a body.
    let (Some(abuse), Some(naughty)) = (corpus::abuse(), corpus::naughty_strings()) else {
        return;
    };
    let chat = (Dialect::OpenAi, Operation::ChatCompletions, true);
    let mut read = 0;
    for text in abuse.iter().chain(&naughty) {
        let (value, label) = VALUES[read % VALUES.len()];
        let with = |value: &str| format!("{text}\n; {value}; end");
        let arguments = |text: &str| serde_json::json!({ "a": text }).to_string();
        let event = |text: &str| {
            let call = serde_json::json!({"index":0,"function":{"arguments":arguments(text)}});
            let delta = serde_json::json!({"content":text,"tool_calls":[call]});
            let choice = serde_json::json!({"index":0,"delta":delta,"finish_reason":"stop"});
            serde_json::json!({ "choices": [choice] })
        };
        let body = format!("data: {}\n\n", event(&with(value)));
        let (out, _) = carried(chat, body.as_bytes(), 3).unwrap();
        let (alone, found) =
            carried(chat, format!("data: {}\n\n", event(text)).as_bytes(), 9).unwrap();
        assert!(!out.contains(value), "{text:?}");
        assert_eq!(
            out.matches(label).count() - alone.matches(label).count(),
            2,
            "{text:?}"
        );
        if !found {
            assert_eq!(alone, format!("data: {}\n\n", event(text)), "{text:?}");
        }
        for raw in [
            format!("data: {text} {value}\n\n"),
            format!("{text} {value}"),
            format!("{{\"{text}\": \"{value}\"}}"),
            format!("[{text}, \"{value}\""),
        ] {
            for (dialect, operation) in [
                (Dialect::OpenAi, Operation::ChatCompletions),
                (Dialect::Gemini, Operation::StreamGenerateContent),
                (Dialect::Anthropic, Operation::Messages),
            ] {
                // What cannot be inspected ends the answer; what goes on holds no value.
                if let Ok((out, _)) = carried((dialect, operation, true), raw.as_bytes(), 5) {
                    assert!(!out.contains(value), "{raw:?}");
                }
            }
        }
        read += 1;
    }
    assert!(read > 400, "{read}");
}
