//! A sandbox that speaks the wire formats of the AI providers, with words of its own.
//!
//! It asks for its own key in the place where each provider takes it, so that the tour shows that
//! the gateway puts the provider's credential there and the token never gets so far.

mod anthropic;
mod gemini;
mod openai;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::server::{self, Answer, Backend, Call};
use crate::streaming::{Pieces, Streaming};

/// What the models of the sandbox say.
pub(super) const WORDS: [&str; 9] = [
    "A ", "postern ", "is ", "the ", "small ", "door ", "that ", "is ", "watched.",
];
/// What an endless answer repeats.
const AGAIN: &str = "and on ";
/// A prompt with this in it gets an answer without an end.
pub(super) const ENDLESS: &str = "without an end";
/// Pause between two events of a stream: slow enough to be seen, fast enough not to bore.
const PACE: Duration = Duration::from_millis(40);
/// Pieces of a stream that wait for the reader.
const PIECES_WAITING_MAX: usize = 4;

/// The sandbox.
pub(super) struct Sandbox {
    key: String,
    break_streams: Arc<AtomicBool>,
}

impl Sandbox {
    pub(super) fn new(key: String) -> Self {
        Self {
            key,
            break_streams: Arc::default(),
        }
    }

    /// Breaks every stream off from now on: for the tour that is to go wrong.
    pub(super) fn break_streams(&self) {
        self.break_streams.store(true, Ordering::Relaxed);
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = given("authorization").and_then(|value| value.strip_prefix("Bearer "));
        [
            bearer,
            given("x-api-key"),
            given("x-goog-api-key"),
            given("api-key"),
        ]
        .into_iter()
        .flatten()
        .eq([self.key.as_str()])
    }

    /// Streams events at the sandbox's pace.
    fn stream(&self, plan: Plan) -> Answer {
        let (pieces, body) = Streaming::new(PIECES_WAITING_MAX);
        let breaks = self.break_streams.load(Ordering::Relaxed);
        // Ends by itself: with the plan, or when nobody reads any more.
        tokio::spawn(async move { plan.play(&pieces, breaks).await });
        let mut answer = Response::new(body.boxed());
        let kind = HeaderValue::from_static("text/event-stream");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

impl Backend for Sandbox {
    fn answer(&self, call: &Call) -> Answer {
        if !self.admits(&call.headers) {
            let error = json!({ "error": {
                "message": "This is not the sandbox's key.", "type": "invalid_request_error",
                "param": null, "code": "invalid_api_key",
            }});
            return server::json(StatusCode::UNAUTHORIZED, &error);
        }
        let body = &call.body;
        match (&call.method, call.path.as_str()) {
            (&Method::POST, "/v1/chat/completions") => openai::chat(self, body),
            (&Method::POST, "/v1/responses") => openai::responses(self, body),
            (&Method::POST, "/v1/embeddings") => openai::embeddings(body),
            (&Method::GET, "/v1/models") => openai::models(),
            (&Method::POST, "/v1/messages") => anthropic::messages(self, body),
            (&Method::POST, "/v1/messages/count_tokens") => anthropic::count(body),
            (&Method::POST, path) => gemini::answer(self, path, body),
            _ => server::text(StatusCode::NOT_FOUND, "the sandbox does not know this path"),
        }
    }
}

/// The events of one streamed answer.
struct Plan {
    /// Before the words.
    before: Vec<String>,
    /// One word, as an event.
    word: Box<dyn Fn(&str) -> String + Send>,
    /// Whether the words never end.
    endless: bool,
    /// After the words.
    after: Vec<String>,
}

impl Plan {
    async fn play(self, pieces: &Pieces, breaks: bool) {
        for event in self.before {
            if !send(pieces, event).await {
                return;
            }
        }
        for (place, word) in WORDS.iter().enumerate() {
            if breaks && place == WORDS.len() / 2 {
                let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                let _ = pieces.send(Err(broken)).await;
                return;
            }
            if !send(pieces, (self.word)(word)).await {
                return;
            }
            tokio::time::sleep(PACE).await;
        }
        if self.endless {
            while send(pieces, (self.word)(AGAIN)).await {
                tokio::time::sleep(PACE).await;
            }
            return;
        }
        for event in self.after {
            if !send(pieces, event).await {
                return;
            }
        }
    }
}

async fn send(pieces: &Pieces, event: String) -> bool {
    pieces.send(Ok(Bytes::from(event))).await.is_ok()
}

/// An event without a name.
fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// An event with its name.
fn named(name: &str, value: &Value) -> String {
    format!("event: {name}\ndata: {value}\n\n")
}

fn model_of(body: &Value) -> String {
    body["model"].as_str().unwrap_or("sandbox").to_owned()
}

fn wants_stream(body: &Value) -> bool {
    body["stream"] == true
}

/// Whether the prompt, wherever it stands, asks for an answer without an end.
fn is_endless(body: &Value) -> bool {
    body.to_string().contains(ENDLESS)
}

fn sentence() -> String {
    WORDS.concat()
}

/// A figure that grows with the text, as providers' do.
fn units(body: &Value) -> u64 {
    u64::try_from(body.to_string().len() / 4).unwrap_or(u64::MAX)
}

const OUTPUT_UNITS: u64 = WORDS.len() as u64;

#[cfg(test)]
mod tests;
