//! The OpenAI formats: chat completions, responses, embeddings, models.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    OUTPUT_UNITS, Plan, Sandbox, data, is_endless, model_of, named, sentence, units, wants_stream,
};
use crate::demo::server::{self, Answer};

const CREATED: u64 = 1_767_225_600;
const MODELS: [&str; 4] = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "o4-mini"];

pub(super) fn chat(sandbox: &Sandbox, body: &Value) -> Answer {
    let model = model_of(body);
    let usage = json!({
        "prompt_tokens": units(body), "completion_tokens": OUTPUT_UNITS,
        "total_tokens": units(body) + OUTPUT_UNITS,
    });
    if !wants_stream(body) {
        let message = json!({ "role": "assistant", "content": sentence(), "refusal": null });
        let choice =
            json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" });
        return server::json(
            StatusCode::OK,
            &json!({
                "id": "chatcmpl-sandbox", "object": "chat.completion", "created": CREATED,
                "model": model, "choices": [choice], "usage": usage,
            }),
        );
    }
    let with_usage = body["stream_options"]["include_usage"] == true;
    let frame = move |choices: Value, usage: Value| {
        let mut frame = json!({
            "id": "chatcmpl-sandbox", "object": "chat.completion.chunk", "created": CREATED,
            "model": model, "choices": choices,
        });
        // As the provider does: the key is there only for those who asked, null but in the last.
        if with_usage {
            frame["usage"] = usage;
        }
        data(&frame)
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null });
        json!([with(choice, "finish_reason", finish)])
    };
    let role = json!({ "role": "assistant", "content": "" });
    let mut after = vec![frame(delta(json!({}), json!("stop")), Value::Null)];
    if with_usage {
        after.push(frame(json!([]), usage));
    }
    after.push("data: [DONE]\n\n".to_owned());
    sandbox.stream(Plan {
        before: vec![frame(delta(role, Value::Null), Value::Null)],
        word: Box::new(move |word| {
            frame(delta(json!({ "content": word }), Value::Null), Value::Null)
        }),
        endless: is_endless(body),
        after,
    })
}

/// The object with one more field.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

pub(super) fn responses(sandbox: &Sandbox, body: &Value) -> Answer {
    let item = |text: &str, status: &str| {
        let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
        json!({
            "id": "msg_sandbox", "type": "message", "role": "assistant", "status": status,
            "content": content,
        })
    };
    let model = model_of(body);
    let response = move |status: &str, output: Value, usage: Value| {
        json!({
            "id": "resp_sandbox", "object": "response", "created_at": CREATED, "status": status,
            "model": model, "output": output, "usage": usage, "error": null,
        })
    };
    let usage = json!({
        "input_tokens": units(body), "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": OUTPUT_UNITS, "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": units(body) + OUTPUT_UNITS,
    });
    let whole = item(&sentence(), "completed");
    let completed = response("completed", json!([whole]), usage);
    if !wants_stream(body) {
        return server::json(StatusCode::OK, &completed);
    }
    let event = |number: u64, kind: &str, mut value: Value| {
        value["type"] = json!(kind);
        value["sequence_number"] = json!(number);
        named(kind, &value)
    };
    let place = json!({ "item_id": "msg_sandbox", "output_index": 0, "content_index": 0 });
    let created = response("in_progress", json!([]), Value::Null);
    let added = json!({ "output_index": 0, "item": item("", "in_progress") });
    let last = 2 + OUTPUT_UNITS;
    let mut text_done = place.clone();
    text_done["text"] = json!(sentence());
    let number = std::sync::atomic::AtomicU64::new(2);
    sandbox.stream(Plan {
        before: vec![
            event(0, "response.created", json!({ "response": created })),
            event(1, "response.output_item.added", added),
        ],
        word: Box::new(move |word| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut delta = place.clone();
            delta["delta"] = json!(word);
            event(number, "response.output_text.delta", delta)
        }),
        endless: is_endless(body),
        after: vec![
            event(last, "response.output_text.done", text_done),
            event(
                last + 1,
                "response.output_item.done",
                json!({ "output_index": 0, "item": whole }),
            ),
            event(
                last + 2,
                "response.completed",
                json!({ "response": completed }),
            ),
        ],
    })
}

pub(super) fn embeddings(body: &Value) -> Answer {
    let count = body["input"].as_array().map_or(1, Vec::len);
    let vector = json!([0.25, -0.5, 0.125, 0.0]);
    let one = |index| json!({ "object": "embedding", "index": index, "embedding": vector });
    let list: Vec<Value> = (0..count).map(one).collect();
    server::json(
        StatusCode::OK,
        &json!({
            "object": "list", "data": list, "model": model_of(body),
            "usage": { "prompt_tokens": units(body), "total_tokens": units(body) },
        }),
    )
}

pub(super) fn models() -> Answer {
    let model = json!({ "object": "model", "created": CREATED, "owned_by": "sandbox" });
    let list: Vec<Value> = MODELS
        .iter()
        .map(|id| with(model.clone(), "id", json!(id)))
        .collect();
    server::json(StatusCode::OK, &json!({ "object": "list", "data": list }))
}
