//! The recordings, and what is expected of them.

use std::path::PathBuf;

use postern_inspect::Dialect;
use postern_types::{Operation, Usage};
use serde_json::Value;

/// A recorded answer.
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    pub(crate) streaming: bool,
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) answer: Vec<u8>,
    /// Whether the framing is recorded too; otherwise it was put around recorded events.
    pub(crate) recorded: bool,
}

/// A recorded request.
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) dialect: Dialect,
    pub(crate) api: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The rows of a corpus file; `None`, with a word, where there is no corpus.
fn rows(file: &str) -> Option<Vec<Value>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let dir = std::env::var_os("POSTERN_CORPORA").map_or(beside, PathBuf::from);
    match std::fs::read_to_string(dir.join(file)) {
        Ok(text) => Some(
            text.lines()
                .map(|row| serde_json::from_str(row).unwrap())
                .collect(),
        ),
        Err(error) => {
            let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!strict, "corpora not found: {error}");
            eprintln!("SKIPPED: corpora not found");
            None
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every answer of a served dialect in the corpus.
pub(crate) fn exchanges() -> Option<Vec<Exchange>> {
    let mut all = Vec::new();
    for row in rows("llm/exchanges.jsonl")? {
        let Some((dialect, operation)) = served(&row) else {
            continue;
        };
        let Some(body) = row["response"]["body"].as_str() else {
            continue;
        };
        all.push(Exchange {
            id: text(&row["id"]),
            dialect,
            operation,
            streaming: row["streaming"] == true || operation == Operation::StreamGenerateContent,
            status: u16::try_from(row["status"].as_u64().unwrap()).unwrap(),
            content_type: text(&row["response"]["headers"]["content-type"]),
            answer: body.as_bytes().to_vec(),
            recorded: true,
        });
    }
    for row in rows("llm/provider_events.jsonl")? {
        let Some((dialect, operation)) = served_events(&row) else {
            continue;
        };
        let streaming = row["streaming"] == true;
        let answer = if streaming {
            framed(dialect, operation, &row)
        } else {
            text(&row["body"])
        };
        all.push(Exchange {
            id: text(&row["name"]),
            dialect,
            operation,
            streaming,
            status: 200,
            content_type: String::new(),
            answer: answer.into_bytes(),
            recorded: false,
        });
    }
    for row in rows("llm/gemini_bodies.jsonl")? {
        let streaming = row["streaming"] == true;
        all.push(Exchange {
            id: text(&row["name"]),
            dialect: Dialect::Gemini,
            operation: if streaming {
                Operation::StreamGenerateContent
            } else {
                Operation::GenerateContent
            },
            streaming,
            status: 200,
            content_type: String::new(),
            answer: text(&row["body"]).into_bytes(),
            recorded: false,
        });
    }
    Some(all)
}

/// Texts of the JSON suite: name, what is expected of a reader, bytes.
pub(crate) fn json_suite() -> Option<Vec<(String, String, Vec<u8>)>> {
    let decode = |row: &Value| {
        let bytes = decode_base64(row["bytes_base64"].as_str().unwrap());
        (text(&row["name"]), text(&row["expected"]), bytes)
    };
    Some(
        rows("conformance/json_parsing.jsonl")?
            .iter()
            .map(decode)
            .collect(),
    )
}

/// Texts that programs stumble over.
pub(crate) fn naughty_strings() -> Option<Vec<String>> {
    Some(
        rows("conformance/naughty_strings.jsonl")?
            .iter()
            .map(|row| text(&row["text"]))
            .collect(),
    )
}

/// Texts that attack what reads them.
pub(crate) fn abuse() -> Option<Vec<String>> {
    Some(
        rows("abuse/payloads.jsonl")?
            .iter()
            .map(|row| text(&row["text"]))
            .collect(),
    )
}

fn decode_base64(encoded: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap()
}

fn served(row: &Value) -> Option<(Dialect, Operation)> {
    let provider = row["provider"].as_str()?;
    let openai = if provider == "azure-openai" {
        Dialect::AzureOpenAi
    } else {
        Dialect::OpenAi
    };
    Some(match (provider, row["api"].as_str()?) {
        ("vertex", "streamRawPredict") => (Dialect::Anthropic, Operation::Messages),
        (_, "messages") => (Dialect::Anthropic, Operation::Messages),
        ("anthropic", "count_tokens") => (Dialect::Anthropic, Operation::CountTokens),
        (_, "generateContent") => (Dialect::Gemini, Operation::GenerateContent),
        (_, "streamGenerateContent") => (Dialect::Gemini, Operation::StreamGenerateContent),
        (_, "chat.completions") => (openai, Operation::ChatCompletions),
        (_, "responses") => (openai, Operation::Responses),
        ("openai" | "azure-openai", "embeddings") => (openai, Operation::Embeddings),
        ("openai", "moderations") if row["request"]["method"] == "POST" => {
            (openai, Operation::Moderations)
        }
        _ => return None,
    })
}

fn served_events(row: &Value) -> Option<(Dialect, Operation)> {
    if row["name"].as_str()?.contains("transcription") {
        return None;
    }
    Some(match (row["provider"].as_str()?, row["api"].as_str()) {
        ("openai" | "open-responses" | "xai", Some("responses")) | ("azure", None) => {
            (Dialect::OpenAi, Operation::Responses)
        }
        (_, Some("chat"))
        | ("groq" | "xai" | "alibaba" | "moonshotai" | "mistral" | "perplexity", None) => {
            (Dialect::OpenAi, Operation::ChatCompletions)
        }
        ("anthropic", None) => (Dialect::Anthropic, Operation::Messages),
        ("google", None) if row["streaming"] == true => {
            (Dialect::Gemini, Operation::StreamGenerateContent)
        }
        ("google", None) => (Dialect::Gemini, Operation::GenerateContent),
        _ => return None,
    })
}

/// Recorded events in the framing of their API.
fn framed(dialect: Dialect, operation: Operation, row: &Value) -> String {
    let mut out = String::new();
    for event in row["events"].as_array().unwrap() {
        let event = event.as_str().unwrap();
        let kind = serde_json::from_str::<Value>(event).map(|event| text(&event["type"]));
        match (dialect, operation) {
            (Dialect::Gemini, _) => out += &format!("data: {event}\r\n\r\n"),
            (_, Operation::ChatCompletions) => out += &format!("data: {event}\n\n"),
            _ => out += &format!("event: {}\ndata: {event}\n\n", kind.unwrap_or_default()),
        }
    }
    if operation == Operation::ChatCompletions {
        out += "data: [DONE]\n\n";
    }
    out
}

/// Every recorded request to one of the four providers.
pub(crate) fn requests() -> Option<Vec<Request>> {
    let mut all = Vec::new();
    for row in rows("llm/exchanges.jsonl")? {
        let dialect = match row["provider"].as_str().unwrap() {
            "openai" => Dialect::OpenAi,
            "azure-openai" => Dialect::AzureOpenAi,
            "anthropic" => Dialect::Anthropic,
            "gemini" => Dialect::Gemini,
            _ => continue,
        };
        let request = &row["request"];
        let url = request["url"].as_str().unwrap();
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let path = &address[address.find("://").unwrap() + 3..];
        let decode = |text: &str| {
            text.replace("%24", "$")
                .replace("%3B", ";")
                .replace("%3D", "=")
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        all.push(Request {
            id: text(&row["id"]),
            dialect,
            api: text(&row["api"]),
            method: text(&request["method"]),
            path: path[path.find('/').unwrap()..].to_owned(),
            query: query
                .split('&')
                .filter(|part| !part.is_empty())
                .map(pair)
                .collect(),
            body: text(&request["body"]),
        });
    }
    Some(all)
}

/// The JSON documents of an answer: its one, its array's, or its events'.
pub(crate) fn documents(answer: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(answer);
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(all)) => return all,
        Ok(one) => return vec![one],
        Err(_) => {}
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let data = |event: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    text.split("\n\n")
        .filter_map(|event| serde_json::from_str(&data(event)).ok())
        .collect()
}

/// The figures of a usage record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Figures {
    fresh: u64,
    cache: [u64; 3],
    other_input: [u64; 2],
    output: [u64; 4],
    searches: u64,
}

impl From<&Usage> for Figures {
    fn from(usage: &Usage) -> Self {
        Self {
            fresh: usage.input_uncached,
            cache: [usage.cache_read, usage.cache_write_5m, usage.cache_write_1h],
            other_input: [usage.input_audio, usage.input_image],
            output: [
                usage.output_text,
                usage.output_reasoning,
                usage.output_audio,
                usage.output_image,
            ],
            searches: usage.tool_calls_billed,
        }
    }
}

/// What the whole answer says that was consumed.
pub(crate) fn expected_usage(dialect: Dialect, documents: &[Value]) -> Option<Figures> {
    match dialect {
        Dialect::OpenAi | Dialect::AzureOpenAi | Dialect::Http => {
            let of = |doc: &Value| {
                let inner = &doc["response"]["usage"];
                let usage = if inner.is_object() {
                    inner
                } else {
                    &doc["usage"]
                };
                usage.is_object().then(|| usage.clone())
            };
            documents
                .iter()
                .filter_map(of)
                .next_back()
                .map(|usage| openai(&usage))
        }
        Dialect::Anthropic => anthropic(documents),
        Dialect::Gemini => {
            let mut usage = documents.iter().map(|doc| &doc["usageMetadata"]);
            usage.rfind(|usage| usage.is_object()).map(gemini)
        }
    }
}

fn openai(usage: &Value) -> Figures {
    let top = |a: &str, b: &str| usage[a].as_u64().or(usage[b].as_u64()).unwrap_or(0);
    let detail = |side: [&str; 2], name: &str| {
        side.iter()
            .find_map(|side| usage[side][name].as_u64())
            .unwrap_or(0)
    };
    let input = ["prompt_tokens_details", "input_tokens_details"];
    let output = ["completion_tokens_details", "output_tokens_details"];
    let cached = match detail(input, "cached_tokens") {
        0 => top("cached_tokens", "prompt_cache_hit_tokens"),
        cached => cached,
    };
    let written = detail(input, "cache_write_tokens");
    let (sound, pictures) = (detail(input, "audio_tokens"), detail(input, "image_tokens"));
    let all_in = top("prompt_tokens", "input_tokens");
    // One compatible server reports more cached input than input.
    let cached = cached.min(all_in);
    let reasoning = detail(output, "reasoning_tokens");
    let mut all_out = top("completion_tokens", "output_tokens");
    if usage["total_tokens"].as_u64() == Some(all_in + all_out + reasoning) {
        all_out += reasoning;
    }
    let (spoken, drawn) = (
        detail(output, "audio_tokens"),
        detail(output, "image_tokens"),
    );
    Figures {
        fresh: all_in - cached - written - sound - pictures,
        cache: [cached, written, 0],
        other_input: [sound, pictures],
        output: [
            all_out - reasoning - spoken - drawn,
            reasoning,
            spoken,
            drawn,
        ],
        searches: 0,
    }
}

fn anthropic(documents: &[Value]) -> Option<Figures> {
    let mut last = serde_json::Map::new();
    for doc in documents {
        for usage in [&doc["message"]["usage"], &doc["usage"]] {
            for (name, value) in usage.as_object().into_iter().flatten() {
                last.insert(name.clone(), value.clone());
            }
        }
    }
    if last.is_empty() {
        return None;
    }
    let last = Value::Object(last);
    let of = |value: &Value| value.as_u64().unwrap_or(0);
    let hour = of(&last["cache_creation"]["ephemeral_1h_input_tokens"]);
    let thought = of(&last["output_tokens_details"]["thinking_tokens"]);
    Some(Figures {
        fresh: of(&last["input_tokens"]),
        cache: [
            of(&last["cache_read_input_tokens"]),
            of(&last["cache_creation_input_tokens"]) - hour,
            hour,
        ],
        other_input: [0, 0],
        output: [of(&last["output_tokens"]) - thought, thought, 0, 0],
        searches: of(&last["server_tool_use"]["web_search_requests"]),
    })
}

fn gemini(usage: &Value) -> Figures {
    let of = |name: &str| usage[name].as_u64().unwrap_or(0);
    let modal = |list: &str, names: [Value; 2]| {
        let entries = usage[list].as_array().into_iter().flatten();
        let of_kind = entries.filter(|entry| names.contains(&entry["modality"]));
        of_kind
            .map(|entry| entry["tokenCount"].as_u64().unwrap_or(0))
            .sum::<u64>()
    };
    let audio = || [Value::from("AUDIO"), Value::from(4)];
    let image = || [Value::from("IMAGE"), Value::from(2)];
    let heard = modal("promptTokensDetails", audio()) - modal("cacheTokensDetails", audio());
    let seen = modal("promptTokensDetails", image()) - modal("cacheTokensDetails", image());
    let cached = of("cachedContentTokenCount");
    let (spoken, drawn) = (
        modal("candidatesTokensDetails", audio()),
        modal("candidatesTokensDetails", image()),
    );
    Figures {
        fresh: of("promptTokenCount") - cached - heard - seen + of("toolUsePromptTokenCount"),
        cache: [cached, 0, 0],
        other_input: [heard, seen],
        output: [
            of("candidatesTokenCount") - spoken - drawn,
            of("thoughtsTokenCount"),
            spoken,
            drawn,
        ],
        searches: 0,
    }
}

/// The last model that the answer names.
pub(crate) fn expected_model(dialect: Dialect, documents: &[Value]) -> Option<String> {
    let of = |doc: &Value| {
        let places = match dialect {
            Dialect::Gemini => [&doc["modelVersion"], &Value::Null],
            Dialect::Anthropic => [&doc["message"]["model"], &doc["model"]],
            _ => [&doc["response"]["model"], &doc["model"]],
        };
        let named = places.into_iter().find_map(Value::as_str);
        named.filter(|name| !name.is_empty()).map(str::to_owned)
    };
    documents.iter().filter_map(of).next_back()
}

/// A stream recorded without the option, as it would have been with it, in three spellings.
pub(crate) fn with_usage(stream: &str) -> [String; 3] {
    let frame = |line: &str, how: usize| {
        let end = line.rfind('}').unwrap();
        let place = match how {
            0 => line.rfind(",\"obfuscation\":").unwrap_or(end),
            _ => end,
        };
        match how {
            2 => line.replacen('{', "{\"usage\": null, ", 1),
            _ => format!("{},\"usage\":null{}", &line[..place], &line[place..]),
        }
    };
    let extra = "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n";
    [0, 1, 2].map(|how| {
        let lines = stream
            .split_inclusive('\n')
            .map(|line| match line.trim_end() {
                "data: [DONE]" => format!("{extra}{line}"),
                data if data.starts_with("data: {") => frame(line, how),
                _ => line.to_owned(),
            });
        lines.collect()
    })
}

/// A stream recorded with the option, as it would have been without it.
pub(crate) fn without_usage(stream: &str) -> String {
    let is_extra = |event: &str| {
        event.contains("\"choices\":[],\"usage\":{")
            || event.contains("\"choices\": [], \"usage\": {")
            || event.contains("\"choices\":[]") && event.contains(",\"usage\":{")
    };
    let kept = stream
        .split_inclusive("\n\n")
        .filter(|event| !is_extra(event));
    kept.map(|event| event.replace(",\"usage\":null", ""))
        .collect()
}
