//! A small HTTP backend: a list of notes, behind a key of its own.

use http::{Method, StatusCode, header};
use serde_json::json;

use super::server::{Answer, Backend, Call, json, text};

/// Notes of one environment.
pub(super) struct Notes {
    /// The key that the backend asks for.
    pub(super) key: String,
    /// The notes.
    pub(super) notes: &'static [&'static str],
}

impl Backend for Notes {
    fn answer(&self, call: &Call) -> Answer {
        let given = call
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if given != Some(&format!("Bearer {}", self.key)) {
            return text(StatusCode::UNAUTHORIZED, "the backend's own key is needed");
        }
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/notes") => json(StatusCode::OK, &json!({ "notes": self.notes })),
            (&Method::DELETE, path) if path.starts_with("/notes/") => {
                json(StatusCode::OK, &json!({ "deleted": true }))
            }
            _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}
