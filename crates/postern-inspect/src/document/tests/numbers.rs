//! Numbers where strings are expected, and the name of the model.

use postern_types::Operation;

use super::*;
use crate::Dialect;

/// The pointers to every scalar of a value.
fn scalars(value: &Value, at: &str, all: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            for (key, one) in members {
                scalars(one, &format!("{at}/{}", escaped(key)), all);
            }
        }
        Value::Array(elements) => {
            for (index, one) in elements.iter().enumerate() {
                scalars(one, &format!("{at}/{index}"), all);
            }
        }
        _ => all.push(at.to_owned()),
    }
}

/// Goal: a number that is a value does not pass because a word, data or a seal was expected in its
/// place. Method: in a request of every family, and in answers, each scalar in turn becomes one.
#[test]
fn a_number_that_is_a_value_is_found_in_every_place() {
    let mut bodies: Vec<_> = requests()
        .into_iter()
        .map(|(family, body)| (text::request(family), body))
        .collect();
    let sealed = json!({"id":"m","type":"message","content":[
        {"type":"redacted_thinking","data":"x"},{"type":"text","text":"x","signature":"x"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"x"}}],
        "usage":{"input_tokens":"x"}});
    let spoken = json!({"id":"c","choices":[{"finish_reason":"x","logprobs":"x",
        "message":{"role":"x","audio":{"id":"x","data":"x"}}}]});
    bodies.push((
        text::answer(Dialect::Anthropic, Operation::Messages),
        sealed,
    ));
    bodies.push((
        text::answer(Dialect::OpenAi, Operation::ChatCompletions),
        spoken,
    ));
    let card: u64 = CARD.parse().unwrap();
    for (places, body) in bodies {
        let mut all = Vec::new();
        scalars(&body, "", &mut all);
        for place in all {
            let mut body = body.clone();
            *body.pointer_mut(&place).unwrap() = card.into();
            if let Ok(new) = cleaned(&body.to_string(), places) {
                assert!(new.is_some_and(|new| !new.contains(CARD)), "{place}");
            }
        }
    }
}

/// Goal: numbers of the format stay. Method: vectors, counts and small numbers in such places.
#[test]
fn numbers_of_the_format_stay() {
    let vectors = r#"{"object":"list","data":[{"embedding":[0.4539578763621486,-1.5e-7,127]}]}"#;
    let places = text::answer(Dialect::OpenAi, Operation::Embeddings);
    assert_eq!(cleaned(vectors, places), Ok(None));
    let counts = r#"{"type":"message","content":[],"usage":{"input_tokens":12345678}}"#;
    let places = text::answer(Dialect::Anthropic, Operation::Messages);
    assert_eq!(cleaned(counts, places), Ok(None));
}

/// Goal: the name of a model is never altered, and no value goes on in it. Method: a name with one,
/// under rules that change it, only tell of it, or are dry runs; and names as they are.
#[test]
fn no_value_goes_on_in_the_name_of_a_model() {
    let body = json!({"model":MAIL,"messages":[]}).to_string();
    let places = text::request(Family::Chat);
    assert_eq!(
        cleaned(&body, places),
        Err(CleanError::CannotInspect(
            "a value stands in the name of the model"
        )),
    );
    let mut telling = cleaner(Direction::Request, |spec| spec.action = DataAction::Flag);
    assert_eq!(clean_json(body.as_bytes(), places, &mut telling), Ok(None));
    assert_eq!(telling.findings().len(), 1);
    let mut watching = cleaner(Direction::Request, |spec| spec.dry_run = true);
    clean_json(body.as_bytes(), places, &mut watching).unwrap();
    assert!(!watching.findings().is_empty());
    for model in [
        "gpt-4o-mini-2024-07-18",
        "ft:gpt-4o:acme::A1b2C3d4",
        "meta-llama/Llama-3.1-8B",
    ] {
        let body = json!({"model":model}).to_string();
        assert_eq!(cleaned(&body, places), Ok(None), "{model}");
    }
}
