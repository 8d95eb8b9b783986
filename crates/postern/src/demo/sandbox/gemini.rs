//! The Gemini formats: the model and what is asked of it are in the path.

use http::StatusCode;
use serde_json::{Value, json};

use super::{OUTPUT_UNITS, Plan, Sandbox, data, is_endless, sentence, units};
use crate::demo::server::{self, Answer};

pub(super) fn answer(sandbox: &Sandbox, path: &str, body: &Value) -> Answer {
    let target = path
        .strip_prefix("/v1beta/models/")
        .and_then(|rest| rest.split_once(':'));
    let Some((model, action)) = target else {
        return server::text(StatusCode::NOT_FOUND, "the sandbox does not know this path");
    };
    let model = model.to_owned();
    let input = units(body);
    let part = move |text: &str, finish: Value| {
        let content = json!({ "role": "model", "parts": [{ "text": text }] });
        json!({
            "candidates": [{ "content": content, "finishReason": finish, "index": 0 }],
            "usageMetadata": {
                "promptTokenCount": input, "candidatesTokenCount": OUTPUT_UNITS,
                "totalTokenCount": input + OUTPUT_UNITS,
            },
            "modelVersion": model,
            "responseId": "sandbox",
        })
    };
    match action {
        "generateContent" => server::json(StatusCode::OK, &part(&sentence(), json!("STOP"))),
        "streamGenerateContent" => {
            let last = data(&part("", json!("STOP")));
            sandbox.stream(Plan {
                before: Vec::new(),
                word: Box::new(move |word| data(&part(word, Value::Null))),
                endless: is_endless(body),
                after: vec![last],
            })
        }
        "countTokens" => server::json(StatusCode::OK, &json!({ "totalTokens": units(body) })),
        _ => server::text(
            StatusCode::NOT_FOUND,
            "the sandbox does not know this action",
        ),
    }
}
