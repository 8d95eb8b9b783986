//! What an answer says was used, read by other means than the gateway's: whole, as JSON.

use serde_json::Value;

/// Input and output, all kinds of each together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

/// What a provider's answer reports; `None` when it reports nothing.
pub(crate) fn reported(provider: &str, body: &[u8]) -> Option<Used> {
    let documents = documents(body);
    match provider {
        "anthropic" => anthropic(&documents),
        "gemini" => last(&documents, &["/usageMetadata"]).map(|usage| Used {
            input: sum(usage, &["promptTokenCount", "toolUsePromptTokenCount"]),
            output: sum(usage, &["candidatesTokenCount", "thoughtsTokenCount"]),
        }),
        _ => last(&documents, &["/usage", "/response/usage"]).map(|usage| Used {
            input: sum(usage, &["prompt_tokens", "input_tokens"]),
            output: sum(usage, &["completion_tokens", "output_tokens"]),
        }),
    }
}

/// What an outcome of the audit log has, if the provider reported it.
pub(crate) fn recorded(outcome: &Value) -> Option<Used> {
    let usage = outcome
        .pointer("/record/usage")
        .filter(|usage| usage["source"] == "provider")?;
    let input = [
        "input_uncached",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
    ];
    let media = ["input_audio", "input_image"];
    let output = [
        "output_text",
        "output_reasoning",
        "output_audio",
        "output_image",
    ];
    Some(Used {
        input: sum(usage, &input) + sum(usage, &media),
        output: sum(usage, &output),
    })
}

/// The JSON documents of an answer: one, the elements of an array, or the data of events.
fn documents(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(elements)) => elements,
        Ok(document) => vec![document],
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            data.filter_map(|data| serde_json::from_str(data.trim()).ok())
                .collect()
        }
    }
}

/// The last object at one of these places.
fn last<'a>(documents: &'a [Value], places: &[&str]) -> Option<&'a Value> {
    let at = |document: &'a Value| places.iter().find_map(|place| document.pointer(place));
    documents
        .iter()
        .rev()
        .filter_map(at)
        .find(|usage| usage.is_object())
}

/// The input is told at the start and the output at the end; each figure stands until it is told
/// again.
fn anthropic(documents: &[Value]) -> Option<Used> {
    let input = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    ];
    let mut told: Option<serde_json::Map<String, Value>> = None;
    for document in documents {
        let usage = document
            .pointer("/message/usage")
            .or_else(|| document.get("usage"));
        if let Some(Value::Object(usage)) = usage {
            told.get_or_insert_default().extend(usage.clone());
        }
    }
    let told = Value::Object(told?);
    Some(Used {
        input: sum(&told, &input),
        output: sum(&told, &["output_tokens"]),
    })
}

fn sum(usage: &Value, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| usage[name].as_u64()).sum()
}
