mod files;
mod kinds;
mod numbers;
mod words;

use postern_types::{DataAction, Direction, OpaqueAction, ThinkingAction};
use serde_json::{Value, json};

use super::*;
use crate::request::Family;
use crate::testing::cleaner;
use crate::text;

const CARD: &str = "4539578763621486";
const MAIL: &str = "jane.doe@example.com";

fn cleaned(body: &str, places: &'static TextShape) -> Result<Option<String>, CleanError> {
    let mut cleaner = cleaner(Direction::Request, |spec| spec.opaque = OpaqueAction::Allow);
    let new = clean_json(body.as_bytes(), places, &mut cleaner)?;
    Ok(new.map(|new| String::from_utf8(new).unwrap()))
}

#[test]
fn only_what_changes_is_written_anew() {
    let body = format!("{{ \"a\" : [\"x\\u0041\", \"call {MAIL}\\n!\" ],\"n\":1e0 , \"b\":\"\"}}");
    let new = cleaned(&body, &ALL_TEXT).unwrap().unwrap();
    assert_eq!(new, body.replace(MAIL, "[EMAIL]"));
    assert_eq!(cleaned(r#"{"a":["b",1,null,{}]}"#, &ALL_TEXT), Ok(None));
}

#[test]
fn numbers_and_keys_are_text_where_names_are_free() {
    let body = format!("{{\"card\":{CARD},\"{MAIL}\":1,\"x\":{{\"{MAIL}\":2}}}}");
    let new = cleaned(&body, &ALL_TEXT).unwrap().unwrap();
    let value: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(value["card"], "[CARD]");
    assert!(!new.contains(MAIL), "{new}");
    for written in [
        "4.539578763621486e15",
        "4539578763621486E0",
        "45395787636214860e-1",
        "4539578763621486.0e0",
        "0.4539578763621486e+16",
        "0.004539578763621486E018",
    ] {
        let new = cleaned(&format!("{{\"n\":{written}}}"), &ALL_TEXT).unwrap();
        assert_eq!(new.as_deref(), Some("{\"n\":\"[CARD]\"}"), "{written}");
    }
    // Two keys of one object stay two keys.
    let body = format!("{{\"{MAIL}\":1,\"a {MAIL}\":2,\"b\":3,\"{MAIL} \":4}}");
    let new = cleaned(&body, &ALL_TEXT).unwrap().unwrap();
    assert!(Tree::read(new.as_bytes()).is_ok(), "{new}");
}

#[test]
fn what_cannot_be_read_in_one_way_is_refused() {
    for body in ["{\"a\":1,\"a\":2}", "{", "[\"\\ud800\"]", "nul", ""] {
        assert!(
            matches!(cleaned(body, &ALL_TEXT), Err(CleanError::CannotInspect(_))),
            "{body}"
        );
    }
}

#[test]
fn thinking_is_left_out_with_its_commas() {
    // Goal: whichever blocks of an array are thinking, what stays is JSON with the others in order.
    // Method: every pattern of four blocks.
    for pattern in 0..16_u8 {
        let block = |at: u8| {
            if pattern & (1 << at) == 0 {
                format!("{{\"type\":\"text\",\"text\":\"{at}\"}}")
            } else {
                format!("{{\"type\":\"thinking\",\"thinking\":\"{MAIL}\",\"signature\":\"x\"}}")
            }
        };
        let blocks: Vec<String> = (0..4).map(block).collect();
        let body = format!("{{\"content\":[ {} ]}}", blocks.join(" , "));
        let places = text::answer(
            crate::Dialect::Anthropic,
            postern_types::Operation::Messages,
        );
        let new = cleaned(&body, places).unwrap();
        let value: Value = serde_json::from_str(new.as_deref().unwrap_or(&body)).unwrap();
        let kept: Vec<&str> = value["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["text"].as_str().unwrap())
            .collect();
        let expected: Vec<String> = (0..4)
            .filter(|at| pattern & (1 << at) == 0)
            .map(|at| at.to_string())
            .collect();
        assert_eq!(kept, expected);
        let mut passing = cleaner(Direction::Response, |spec| {
            spec.thinking = ThinkingAction::Pass;
        });
        assert_eq!(clean_json(body.as_bytes(), places, &mut passing), Ok(None));
    }
}

fn schema() -> Value {
    json!({"type":"object","properties":{"◆":{"description":"◆","enum":["◆"]}}})
}

fn chat() -> Value {
    let schema = schema();
    json!({
        "model":"m","user":"◆","metadata":{"k":"◆"},"stop":["◆"],"unknown":{"deep":["◆"]},
        "prediction":{"type":"content","content":"◆"},
        "response_format":{"type":"json_schema","json_schema":{"name":"n","description":"◆","schema":schema}},
        "tools":[{"type":"function","function":{"name":"f","description":"◆","parameters":schema}}],
        "messages":[
            {"role":"system","content":"◆","name":"◆"},
            {"role":"user","content":[{"type":"text","text":"◆"},{"type":"new","words":"◆"},
                {"type":"file","file":{"file_data":"data:text/plain,◆","filename":"◆"}}]},
            {"role":"assistant","content":null,"refusal":"◆","reasoning_content":"◆",
             "function_call":{"name":"f","arguments":"J"},
             "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"J"}},
                {"id":"d","type":"custom","custom":{"name":"f","input":"◆"}}]},
            {"role":"tool","tool_call_id":"c","content":"J"},
            {"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"J"}]},
        ],
    })
}

fn responses() -> Value {
    let schema = schema();
    json!({
        "model":"m","instructions":"◆","user":"◆","metadata":{"k":"◆"},
        "prompt":{"id":"p","variables":{"name":"◆","part":{"type":"input_text","text":"◆"}}},
        "text":{"format":{"type":"json_schema","name":"n","schema":schema}},
        "tools":[{"type":"function","name":"f","description":"◆","parameters":schema},
            {"type":"mcp","server_label":"◆","server_url":"◆","headers":{"X":"◆"}}],
        "input":[
            {"role":"user","content":"◆"},
            {"role":"user","content":[{"type":"input_text","text":"◆"}]},
            {"type":"message","role":"assistant","content":[
                {"type":"output_text","text":"◆","annotations":[{"type":"url_citation","title":"◆","url":"◆"}]},
                {"type":"refusal","refusal":"◆"}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"J"},
            {"type":"function_call_output","call_id":"c","output":"J"},
            {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"◆"}]},
            {"type":"custom_tool_call","call_id":"c","name":"f","input":"◆"},
            {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"◆"}],
             "content":[{"type":"reasoning_text","text":"◆"}]},
            {"type":"local_shell_call","action":{"command":["◆"],"env":{"A":"◆"}}},
            {"type":"shell_call_output","output":[{"stdout":"◆","stderr":"◆"}]},
            {"type":"file_search_call","queries":["◆"],"results":[{"text":"◆","filename":"◆"}]},
            {"type":"code_interpreter_call","code":"◆","outputs":[{"type":"logs","logs":"◆"}]},
            {"type":"mcp_call","arguments":"J","output":"J","error":"◆"},
        ],
    })
}

fn embeddings() -> Value {
    json!({"model":"m","input":["◆","◆"],"user":"◆"})
}

fn moderations() -> Value {
    json!({"model":"m","input":[{"type":"text","text":"◆"},"◆"]})
}

fn messages() -> Value {
    let schema = schema();
    json!({
        "model":"m","max_tokens":5,"metadata":{"user_id":"◆"},"stop_sequences":["◆"],
        "system":[{"type":"text","text":"◆"}],
        "tools":[{"name":"f","description":"◆","input_schema":schema}],
        "messages":[
            {"role":"user","content":"◆"},
            {"role":"user","content":[
                {"type":"text","text":"◆","citations":[{"type":"char_location","cited_text":"◆","document_title":"◆"}]},
                {"type":"document","title":"◆","context":"◆","source":{"type":"text","media_type":"text/plain","data":"◆"}},
                {"type":"document","source":{"type":"content","content":[{"type":"text","text":"◆"}]}},
                {"type":"search_result","source":{"type":"text","data":"◆"},"title":"◆","content":[{"type":"text","text":"◆"}]},
                {"type":"tool_result","tool_use_id":"t","content":"J"},
                {"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"J"}]},
                {"type":"new","words":["◆"]}]},
            {"role":"assistant","content":[
                {"type":"tool_use","id":"t","name":"f","input":{"◆":"◆","n":["◆"]}},
                {"type":"bash_code_execution_tool_result","content":{"type":"x","stdout":"◆","stderr":"◆"}}]},
        ],
    })
}

fn generate() -> Value {
    let schema = schema();
    json!({
        "systemInstruction":{"parts":[{"text":"◆"}]},"system_instruction":{"parts":{"text":"◆"}},
        "labels":{"k":"◆"},
        "generationConfig":{"stopSequences":["◆"],"responseSchema":schema},
        "tools":[{"functionDeclarations":[{"name":"f","description":"◆","parameters":schema}]},
            {"function_declarations":[{"name":"f","description":"◆","parameters_json_schema":schema}]}],
        "contents":[{"role":"user","parts":[
            {"text":"◆"},{"functionCall":{"name":"f","args":{"◆":"◆"}}},
            {"function_call":{"name":"f","args":{"a":["◆"]}}},
            {"functionResponse":{"name":"f","response":{"a":"◆"}}},
            {"toolCall":{"toolType":"URL_CONTEXT","args":{"a":"J","b":["◆"]}}},
            {"tool_response":{"tool_type":"URL_CONTEXT","response":{"a":"J"}}},
            {"text":"◆","speechMetadata":{"speaker":"◆"}},
            {"executableCode":{"language":"PYTHON","code":"◆"}},
            {"code_execution_result":{"outcome":"OUTCOME_OK","output":"◆"}}]}],
        "generateContentRequest":{"contents":[{"parts":[{"text":"◆"}]}]},
    })
}

/// A request of each family with text at every kind of place: `◆` is text, `J` text that is JSON.
fn requests() -> Vec<(Family, Value)> {
    vec![
        (Family::Chat, chat()),
        (Family::Responses, responses()),
        (Family::Embeddings, embeddings()),
        (Family::Moderations, moderations()),
        (Family::Messages, messages()),
        (Family::Generate, generate()),
    ]
}

/// Puts a text into every marked place.
fn planted(value: &Value, text: &str, json: &str) -> Value {
    match value {
        Value::String(mark) if mark == "J" => json.into(),
        Value::String(mark) => mark.replace('◆', text).into(),
        Value::Array(all) => all.iter().map(|one| planted(one, text, json)).collect(),
        Value::Object(all) => {
            let pair = |(key, one): (&String, &Value)| {
                let key = if key == "◆" { text } else { key };
                (key.to_owned(), planted(one, text, json))
            };
            all.iter().map(pair).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn no_place_of_a_request_is_missed() {
    // Goal: a value is found wherever a request can carry text, and nothing else is touched.
    // Method: a request of every family with a mark at each place; the marks are replaced by the
    // value before cleaning, and by its label for what is expected.
    for (family, request) in requests() {
        for (value, label) in [(MAIL, "[EMAIL]"), (CARD, "[CARD]")] {
            let with = |text: &str| {
                let inner = format!("{{\"a\":[\"x {text} y\"]}}");
                planted(&request, text, &inner)
            };
            let body = with(value).to_string();
            let new = cleaned(&body, text::request(family)).unwrap().unwrap();
            let new: Value = serde_json::from_str(&new).unwrap();
            assert_eq!(new, with(label), "{family:?}");
        }
    }
}

#[test]
fn data_passes_or_is_refused_and_is_never_text() {
    let rows = [
        (
            Family::Chat,
            r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#,
        ),
        (
            Family::Chat,
            r#"{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}"#,
        ),
        (
            Family::Chat,
            r#"{"messages":[{"content":[{"type":"file","file":{"file_id":"file-1"}}]}]}"#,
        ),
        (
            Family::Responses,
            r#"{"input":[{"type":"reasoning","encrypted_content":"gAAA"}]}"#,
        ),
        (
            Family::Responses,
            r#"{"input":[{"content":[{"type":"input_image","image_url":"https://x/y.png"}]}]}"#,
        ),
        (
            Family::Messages,
            r#"{"messages":[{"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}"#,
        ),
        (
            Family::Messages,
            r#"{"messages":[{"content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}]}]}"#,
        ),
        (
            Family::Messages,
            r#"{"messages":[{"content":[{"type":"redacted_thinking","data":"AAAA"}]}]}"#,
        ),
        (
            Family::Generate,
            r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"AAAA"}}]}]}"#,
        ),
        (
            Family::Generate,
            r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://x/y"}}]}]}"#,
        ),
    ];
    for (family, body) in rows {
        assert_eq!(cleaned(body, text::request(family)), Ok(None), "{body}");
        let mut strict = cleaner(Direction::Request, |_| {});
        assert!(
            clean_json(body.as_bytes(), text::request(family), &mut strict).is_err(),
            "{body}"
        );
    }
    let tokens = r#"{"input":[[1,2,3]]}"#;
    assert!(cleaned(tokens, text::request(Family::Embeddings)).is_err());
}
