//! The Anthropic formats: messages and counting.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    OUTPUT_UNITS, Plan, Sandbox, is_endless, model_of, named, sentence, units, wants_stream,
};
use crate::demo::server::{self, Answer};

pub(super) fn messages(sandbox: &Sandbox, body: &Value) -> Answer {
    let message = |content: Value, stop: Value, output: u64| {
        json!({
            "id": "msg_sandbox", "type": "message", "role": "assistant", "model": model_of(body),
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {
                "input_tokens": units(body), "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "output_tokens": output,
            },
        })
    };
    if !wants_stream(body) {
        let content = json!([{ "type": "text", "text": sentence() }]);
        return server::json(
            StatusCode::OK,
            &message(content, json!("end_turn"), OUTPUT_UNITS),
        );
    }
    let event = |kind: &str, mut value: Value| {
        value["type"] = json!(kind);
        named(kind, &value)
    };
    let start = json!({ "message": message(json!([]), Value::Null, 1) });
    let block = json!({ "index": 0, "content_block": { "type": "text", "text": "" } });
    let end = json!({
        "delta": { "stop_reason": "end_turn", "stop_sequence": null },
        "usage": { "output_tokens": OUTPUT_UNITS },
    });
    sandbox.stream(Plan {
        before: vec![
            event("message_start", start),
            event("content_block_start", block),
        ],
        word: Box::new(move |word| {
            let delta = json!({ "type": "text_delta", "text": word });
            event("content_block_delta", json!({ "index": 0, "delta": delta }))
        }),
        endless: is_endless(body),
        after: vec![
            event("content_block_stop", json!({ "index": 0 })),
            event("message_delta", end),
            event("message_stop", json!({})),
        ],
    })
}

pub(super) fn count(body: &Value) -> Answer {
    server::json(StatusCode::OK, &json!({ "input_tokens": units(body) }))
}
