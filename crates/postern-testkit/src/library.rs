//! Answers requests from a set of exchanges.
//!
//! A request is matched by what a provider would look at: method, path, `alt`, model, whether it
//! streams and whether it brings tools. Among several the one with the same body goes first. What
//! matches nothing gets a 404 that says so: a test that asks the wrong thing must not pass.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::Answer;
use crate::exchange::{self, Exchange};
use crate::include_usage;
use crate::upstream::{Responder, SeenRequest};

/// A set of exchanges to answer from.
pub struct Library {
    exchanges: Vec<Entry>,
    asked: Mutex<HashMap<String, usize>>,
}

struct Entry {
    key: Key,
    body: Option<Value>,
    exchange: Exchange,
}

/// What two requests must share to be the same question.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    method: String,
    path: String,
    sse: bool,
    model: Option<String>,
    stream: bool,
    tools: bool,
}

impl Key {
    fn of(method: &str, target: &str, body: Option<&Value>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |name: &str| body.and_then(|body| body.get(name));
        Self {
            method: method.to_owned(),
            path: both_versions(path),
            sse: query.split('&').any(|pair| pair == "alt=sse"),
            model: field("model").and_then(Value::as_str).map(str::to_owned),
            stream: field("stream").and_then(Value::as_bool).unwrap_or(false),
            tools: field("tools").is_some(),
        }
    }
}

impl Library {
    /// A library of these exchanges.
    #[must_use]
    pub fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let entry = |exchange: Exchange| {
            let body = comparable(&exchange.request.body);
            let key = Key::of(&exchange.request.method, exchange.target(), body.as_ref());
            Entry {
                key,
                body,
                exchange,
            }
        };
        let exchanges = exchanges.into_iter().map(entry).collect();
        Self {
            exchanges,
            asked: Mutex::default(),
        }
    }

    /// The committed exchanges of every dialect.
    #[must_use]
    pub fn own() -> Self {
        Self::new(exchange::own())
    }

    /// The exchange that answers this request.
    #[must_use]
    pub fn find(&self, request: &SeenRequest) -> Option<&Exchange> {
        let body = comparable(&request.body);
        let key = Key::of(&request.method, &request.target, body.as_ref());
        let mut same = self
            .exchanges
            .iter()
            .filter(|entry| entry.key == key)
            .peekable();
        let first = *same.peek()?;
        let exact = same.find(|entry| entry.body == body);
        Some(&exact.unwrap_or(first).exchange)
    }

    /// Counts this question; how often it was asked before.
    fn asked_before(&self, id: &str) -> usize {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(id.to_owned()).or_default();
        *times += 1;
        *times - 1
    }
}

impl Responder for Library {
    fn answer(&self, request: &SeenRequest) -> Answer {
        let Some(exchange) = self.find(request) else {
            let asked = format!("no exchange for {} {}", request.method, request.target);
            let body = json!({"error": {"message": asked, "type": "invalid_request_error"}});
            return Answer::json(404, &body);
        };
        if let Some(first) = &exchange.first
            && self.asked_before(&exchange.id) % (first.times + 1) < first.times
        {
            return first.response.answer(false);
        }
        let mut answer = exchange.answer();
        if let Some(usage) = &exchange.stream_usage
            && include_usage::asked(&request.body)
        {
            answer.body = include_usage::with_usage(&answer.body, usage);
        }
        answer
    }
}

/// The answer that the recorded provider would have given to `request`: the recording, with usage
/// frames where `request` asks for them and the recording has none.
#[must_use]
pub fn replay(exchange: &Exchange, request: &SeenRequest) -> Answer {
    let mut answer = exchange.answer();
    let chat = exchange.api == "chat.completions" && exchange.streaming;
    if chat && include_usage::asked(&request.body) {
        let unknown = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
        let usage = exchange.stream_usage.as_ref().unwrap_or(&unknown);
        answer.body = include_usage::with_usage(&answer.body, usage);
    }
    answer
}

/// Gemini serves the same operations under `v1` and `v1beta`, and clients differ in which they use.
fn both_versions(path: &str) -> String {
    match path.strip_prefix("/v1/models/") {
        Some(operation) if operation.contains(':') => format!("/v1beta/models/{operation}"),
        _ => path.to_owned(),
    }
}

/// A request body to compare by: what a gateway may add is left out.
fn comparable(body: &[u8]) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    if let Value::Object(fields) = &mut body {
        fields.remove("stream_options");
    }
    Some(body)
}
