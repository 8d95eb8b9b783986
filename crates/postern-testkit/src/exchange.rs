//! Exchanges: one request and the answer it got.
//!
//! Two sources give the same type: the committed set under `exchanges/`, in our own words and in
//! the wire shapes of each dialect, and recordings of real providers ([`crate::corpora`]). The
//! bodies of the committed set go out exactly as they are written in the files.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{Answer, Cut, Framing};

/// Headers of a recording that describe its transfer and not its content.
const TRANSFER_HEADERS: [&str; 6] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "trailer",
    "transfer-encoding",
];

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Unique in its source.
    pub id: String,
    /// `openai`, `azure-openai`, `anthropic`, `gemini`, `http`, or another provider's name.
    pub provider: String,
    /// The operation, as `chat.completions` or `messages`.
    pub api: String,
    /// Whether the answer is a stream.
    pub streaming: bool,
    /// What is special about it: `tools`, `usage`, …
    pub features: Vec<String>,
    /// The request.
    pub request: ExchangeRequest,
    /// The answer.
    pub response: ExchangeResponse,
    /// The figures of the extra frame that `stream_options.include_usage` asks for, where the
    /// recorded stream has none.
    pub stream_usage: Option<Value>,
    /// What comes before the answer, and how often.
    pub first: Option<First>,
    /// Time before the answer.
    pub delay: Duration,
}

/// The request of an [`Exchange`].
#[derive(Clone, Debug)]
pub struct ExchangeRequest {
    /// The method.
    pub method: String,
    /// The whole URL of a recording, or the target.
    pub url: String,
    /// The headers that were kept.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The answer of an [`Exchange`].
#[derive(Clone, Debug)]
pub struct ExchangeResponse {
    /// The status.
    pub status: u16,
    /// The headers, without those of the transfer.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
}

/// An answer that is given some times before the real one, then again after it.
#[derive(Clone, Debug)]
pub struct First {
    /// How often.
    pub times: usize,
    /// The answer.
    pub response: ExchangeResponse,
}

impl Exchange {
    /// The request target: path and query, without scheme and host.
    #[must_use]
    pub fn target(&self) -> &str {
        match self.request.url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.request.url,
        }
    }

    /// The answer as the upstream sends it when nothing special is asked.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let mut answer = self.response.answer(self.streaming);
        answer.delay = self.delay;
        answer
    }

    /// The text of the answer, if it is text.
    #[must_use]
    pub fn response_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.response.body).ok()
    }
}

impl ExchangeResponse {
    /// The answer, chunked and cut at events when it is a stream.
    #[must_use]
    pub fn answer(&self, streaming: bool) -> Answer {
        let mut answer = Answer::new(self.status, "", self.body.clone());
        answer.headers.clone_from(&self.headers);
        if streaming {
            answer.framing = Framing::Chunked;
            answer.cut = Some(Cut::AtEvents);
        }
        answer
    }
}

/// The committed exchanges, all dialects.
#[must_use]
pub fn own() -> Vec<Exchange> {
    let files = [
        include_str!("../exchanges/openai_chat.json"),
        include_str!("../exchanges/openai_responses.json"),
        include_str!("../exchanges/openai_other.json"),
        include_str!("../exchanges/azure_openai.json"),
        include_str!("../exchanges/anthropic.json"),
        include_str!("../exchanges/gemini.json"),
        include_str!("../exchanges/http.json"),
    ];
    let parse = |text| serde_json::from_str::<Vec<Written>>(text).expect("the file is committed");
    files
        .into_iter()
        .flat_map(parse)
        .map(Written::exchange)
        .collect()
}

/// The committed exchange of this id.
///
/// # Panics
///
/// When there is none: the test names what does not exist.
#[must_use]
pub fn named(id: &str) -> Exchange {
    own()
        .into_iter()
        .find(|exchange| exchange.id == id)
        .expect("the id is of the committed set")
}

/// Without the headers of the transfer.
pub(crate) fn content_headers(headers: BTreeMap<String, String>) -> Vec<(String, String)> {
    let kept = |name: &String| !TRANSFER_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    headers.into_iter().filter(|(name, _)| kept(name)).collect()
}

/// An exchange as it is written in the committed files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    provider: String,
    api: String,
    #[serde(default)]
    streaming: bool,
    #[serde(default)]
    features: Vec<String>,
    request: WrittenRequest,
    response: WrittenResponse,
    stream_usage: Option<Value>,
    first: Option<WrittenFirst>,
    #[serde(default)]
    delay_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    method: String,
    target: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResponse {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// JSON, sent as written.
    body: Option<Box<RawValue>>,
    /// Text that is not JSON.
    text: Option<String>,
    /// Server-sent events.
    events: Option<Vec<WrittenEvent>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEvent {
    event: Option<String>,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFirst {
    times: usize,
    response: WrittenResponse,
}

impl Written {
    fn exchange(self) -> Exchange {
        let body = self
            .request
            .body
            .map(|body| body.get().to_owned())
            .unwrap_or_default();
        Exchange {
            id: self.id,
            provider: self.provider,
            api: self.api,
            streaming: self.streaming,
            features: self.features,
            request: ExchangeRequest {
                method: self.request.method,
                url: self.request.target,
                headers: content_headers(self.request.headers),
                body: body.into(),
            },
            response: self.response.response(),
            stream_usage: self.stream_usage,
            first: self.first.map(|first| First {
                times: first.times,
                response: first.response.response(),
            }),
            delay: Duration::from_millis(self.delay_ms),
        }
    }
}

impl WrittenResponse {
    fn response(self) -> ExchangeResponse {
        let kind = if self.events.is_some() {
            "text/event-stream"
        } else {
            "application/json"
        };
        let mut headers = content_headers(self.headers);
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        let events = self
            .events
            .map(|events| events.iter().map(WrittenEvent::wire).collect());
        let json = self.body.map(|body| body.get().to_owned());
        let body: String = events.or(json).or(self.text).unwrap_or_default();
        ExchangeResponse {
            status: self.status,
            headers,
            body: body.into(),
        }
    }
}

impl WrittenEvent {
    fn wire(&self) -> String {
        let name = self
            .event
            .as_ref()
            .map(|name| format!("event: {name}\n"))
            .unwrap_or_default();
        // A string stands for data that is not JSON, as OpenAI's last frame.
        let text = serde_json::from_str::<String>(self.data.get());
        let data = text.unwrap_or_else(|_| self.data.get().to_owned());
        format!("{name}data: {data}\n\n")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    // Goal: the committed set covers each dialect. Method: its ids and operations.
    #[test]
    fn the_committed_set_covers_every_operation_of_every_dialect() {
        let own = own();
        let ids: BTreeSet<&str> = own.iter().map(|exchange| exchange.id.as_str()).collect();
        assert_eq!(ids.len(), own.len(), "two exchanges share an id");
        for (provider, api, streaming) in [
            ("openai", "chat.completions", false),
            ("openai", "chat.completions", true),
            ("openai", "responses", false),
            ("openai", "responses", true),
            ("openai", "embeddings", false),
            ("openai", "models", false),
            ("openai", "moderations", false),
            ("azure-openai", "chat.completions", false),
            ("azure-openai", "chat.completions", true),
            ("anthropic", "messages", false),
            ("anthropic", "messages", true),
            ("anthropic", "count_tokens", false),
            ("gemini", "generateContent", false),
            ("gemini", "streamGenerateContent", true),
            ("gemini", "countTokens", false),
            ("http", "http", false),
        ] {
            let is = |e: &&Exchange| e.provider == provider && e.api == api;
            assert!(
                own.iter().filter(is).any(|e| e.streaming == streaming),
                "{provider} {api} streaming={streaming} is missing"
            );
        }
    }

    #[test]
    fn every_frame_of_an_event_stream_is_one_line_of_data() {
        for exchange in own().iter().filter(|exchange| exchange.streaming) {
            let text = exchange.response_text().unwrap();
            if !text.starts_with('[') {
                let lines = text.lines().filter(|line| !line.is_empty());
                let known = |line: &&str| line.starts_with("data: ") || line.starts_with("event: ");
                assert_eq!(
                    lines.clone().count(),
                    lines.filter(known).count(),
                    "{}",
                    exchange.id
                );
            }
        }
    }

    #[test]
    fn a_recorded_url_gives_its_target() {
        let mut exchange = named("openai-chat-plain");
        exchange.request.url = "https://host.example/v1/x?alt=sse".to_owned();
        assert_eq!(exchange.target(), "/v1/x?alt=sse");
    }
}
