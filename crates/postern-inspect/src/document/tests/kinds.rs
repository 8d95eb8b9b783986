//! Parts of kinds that no table names.

use postern_types::Operation;

use super::*;
use crate::Dialect;

/// A body of each dialect and direction with this part, and one beside it that is known.
fn bodies(part: &Value) -> Vec<(&'static TextShape, Value)> {
    let chat = json!({"messages":[{"role":"user","content":[{"type":"text","text":"x"}, part]}]});
    let tool = json!({"messages":[{"role":"tool","tool_call_id":"c","content":[part]}]});
    let said = json!({"choices":[{"message":{"role":"assistant","content":[part]}}]});
    let input = json!({"input":[part]});
    let inner = json!({"input":[{"type":"message","role":"user","content":[part]}]});
    let told = json!({"input":[{"type":"function_call_output","call_id":"c","output":[part]}]});
    let output = json!({"output":[{"type":"message","content":[part]}]});
    let blocks = json!({"system":[part],"messages":[]});
    let block = json!({"messages":[{"role":"user","content":[part]}]});
    let result = json!({"type":"tool_result","tool_use_id":"t","content":[part]});
    let result = json!({"messages":[{"role":"user","content":[result]}]});
    let answered = json!({"type":"message","content":[{"type":"text","text":"x"}, part]});
    let moderated = json!({"input":[part]});
    let chat_answer = text::answer(Dialect::AzureOpenAi, Operation::ChatCompletions);
    let response = text::answer(Dialect::OpenAi, Operation::Responses);
    let message = text::answer(Dialect::Anthropic, Operation::Messages);
    vec![
        (text::request(Family::Chat), chat),
        (text::request(Family::Chat), tool),
        (chat_answer, said),
        (text::request(Family::Responses), input),
        (text::request(Family::Responses), inner),
        (text::request(Family::Responses), told),
        (response, output),
        (text::request(Family::Messages), blocks),
        (text::request(Family::Messages), block),
        (text::request(Family::Messages), result),
        (message, answered),
        (text::request(Family::Moderations), moderated),
    ]
}

/// A part of Gemini, in a request, in what a function gave, and in an answer.
fn gemini_bodies(part: &Value) -> Vec<(&'static TextShape, Value)> {
    let parts = json!([{"text":"x"}, part]);
    let given = json!([{"functionResponse":{"name":"f","response":{},"parts":parts}}]);
    let answer = text::answer(Dialect::Gemini, Operation::GenerateContent);
    let content = |parts: &Value| json!({"role":"user","parts":parts});
    vec![
        (
            text::request(Family::Generate),
            json!({"contents":[content(&parts)]}),
        ),
        (
            text::request(Family::Generate),
            json!({"system_instruction":content(&parts)}),
        ),
        (
            text::request(Family::Generate),
            json!({"contents":[content(&given)]}),
        ),
        (answer, json!({"candidates":[{"content":content(&parts)}]})),
    ]
}

/// Goal: nobody reads as text what may be something else. Method: a part of an unknown kind, of a
/// known one in capitals and of a kind that is no text, in each dialect and direction; a rule that
/// lets such parts pass still reads their text; and a part without a kind is text.
#[test]
fn parts_of_unknown_kinds_are_refused() {
    let mut refused = Vec::new();
    let mut fine = Vec::new();
    for kind in [json!("hologram"), json!("TEXT"), json!(""), json!(7)] {
        refused.extend(bodies(&json!({"type":kind,"text":MAIL})));
    }
    refused.extend(gemini_bodies(&json!({"hologram":MAIL})));
    refused.extend(gemini_bodies(&json!({"text":"x","Text":MAIL})));
    for kind in [json!("text"), Value::Null] {
        fine.extend(bodies(&json!({"type":kind,"text":MAIL})));
    }
    fine.extend(bodies(&json!({"text":MAIL})));
    let about = json!({"fps":1,"startPage":2,"speaker":MAIL});
    for name in [
        "video_metadata",
        "documentMetadata",
        "spreadsheet_metadata",
        "speechMetadata",
    ] {
        fine.extend(gemini_bodies(&json!({"text":MAIL, name:about})));
    }
    for (shape, body) in &refused {
        let mut strict = cleaner(Direction::Request, |_| {});
        let body = body.to_string();
        let clean = clean_json(body.as_bytes(), shape, &mut strict);
        assert!(matches!(clean, Err(CleanError::CannotInspect(_))), "{body}");
        let mut watching = cleaner(Direction::Request, |spec| spec.dry_run = true);
        assert_eq!(clean_json(body.as_bytes(), shape, &mut watching), Ok(None));
        assert!(!watching.findings().is_empty(), "{body}");
        fine.push((*shape, serde_json::from_str(&body).unwrap()));
    }
    let strict = fine.len() - refused.len();
    for (at, (shape, body)) in fine.iter().enumerate() {
        let body = body.to_string();
        let mut cleaner = cleaner(Direction::Request, |spec| {
            if at >= strict {
                spec.opaque = OpaqueAction::Allow;
            }
        });
        let clean = clean_json(body.as_bytes(), shape, &mut cleaner)
            .unwrap()
            .unwrap();
        let clean = String::from_utf8(clean).unwrap();
        assert_eq!(clean, body.replace(MAIL, "[EMAIL]"));
    }
}
