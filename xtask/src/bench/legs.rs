//! A leg: one way from the load generator to the upstream.

use super::processes::Process;
use super::upstream::Upstream;
use std::net::SocketAddr;

/// What is measured.
pub(super) struct Leg {
    /// As it stands in the table.
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    /// Path of the chat completions operation on this leg.
    pub(super) path: String,
    /// Sent in turn, one a request.
    pub(super) tokens: Vec<String>,
    /// The proxy; `None` when there is none in between.
    pub(super) process: Option<Process>,
}

impl Leg {
    /// No proxy: what load generator and upstream reach without one.
    pub(super) fn direct(upstream: &Upstream) -> Self {
        Self {
            name: "no proxy",
            address: upstream.address,
            path: "/v1/chat/completions".to_owned(),
            tokens: vec!["sk-bench".to_owned()],
            process: None,
        }
    }

    /// CPU time that the proxy has used so far, in microseconds; 0 without one.
    pub(super) fn cpu_us(&self) -> u64 {
        self.process.as_ref().map_or(0, Process::cpu_us)
    }

    /// Memory that the proxy holds now, in bytes; 0 without one.
    pub(super) fn resident_bytes(&self) -> u64 {
        self.process.as_ref().map_or(0, Process::resident_bytes)
    }
}

/// The `user` for whom the upstream stamps its events.
pub(super) const STAMPED: &str = "stamped";

/// A stream that is asked for: how many events, and how far apart.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) events: u32,
    pub(super) pause_ms: u32,
    /// Whether events say when they were sent, and hold values; see [`super::delays`].
    pub(super) stamped: bool,
}

/// A request for a stream, as bytes on a connection of its own.
pub(super) fn stream_request(leg: &Leg, index: u32, pace: Pace) -> String {
    let body = request_body(Some(pace));
    let token = &leg.tokens[index as usize % leg.tokens.len()];
    format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        leg.path,
        leg.address,
        body.len()
    )
}

/// The request body, about 1 KB, as an official client would send it.
pub(super) fn request_body(stream: Option<Pace>) -> String {
    let text = "Please read the following paragraph and answer with one sentence that says what \
                it is about, in plain words and without any introduction. "
        .repeat(6);
    let mut body = serde_json::json!({
        "model": "gpt-4o-mini",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": text },
        ],
        "temperature": 0.2,
    });
    if let Some(pace) = stream {
        body["stream"] = true.into();
        body["max_tokens"] = pace.events.into();
        body["seed"] = pace.pause_ms.into();
        if pace.stamped {
            body["user"] = STAMPED.into();
        }
    }
    body.to_string()
}
