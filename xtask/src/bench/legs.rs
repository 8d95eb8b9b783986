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

/// The request body, about 1 KB, as an official client would send it.
pub(super) fn request_body(stream: Option<(u32, u32)>) -> String {
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
    if let Some((events, pause_ms)) = stream {
        body["stream"] = true.into();
        body["max_tokens"] = events.into();
        body["seed"] = pause_ms.into();
    }
    body.to_string()
}
