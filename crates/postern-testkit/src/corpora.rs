//! Public corpora that tests read and that are never part of the repository.
//!
//! They lie in `$POSTERN_CORPORA`, else in `../shared/corpora` beside the workspace. A test that
//! needs them asks [`dir`] (or a loader); where there are none it says `SKIPPED` and returns,
//! except under `CI=true`, where a skipped test is a failed one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exchange::{Exchange, ExchangeRequest, ExchangeResponse, content_headers};
use crate::tools::missing;

/// The folder of the corpora, if it is there.
///
/// # Panics
///
/// Under `CI=true`, when it is not.
#[must_use]
pub fn dir() -> Option<PathBuf> {
    let beside = || workspace_root().join("../shared/corpora");
    let dir = std::env::var_os("POSTERN_CORPORA").map_or_else(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    missing("corpora not found")
}

/// The root of the workspace that this crate was built in.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of a JSONL file, by its path inside the corpora.
///
/// # Panics
///
/// When the file is there and is not what its README says, or under `CI=true` is not there.
#[must_use]
pub fn rows<T: DeserializeOwned>(path: &str) -> Option<Vec<T>> {
    let path = dir()?.join(path);
    let Ok(text) = fs::read_to_string(&path) else {
        return missing(&format!("corpora have no {}", path.display()));
    };
    let parse = |line| serde_json::from_str(line).expect("each line is one row");
    Some(
        text.lines()
            .filter(|line| !line.is_empty())
            .map(parse)
            .collect(),
    )
}

/// The recorded exchanges with model providers.
#[must_use]
pub fn exchanges() -> Option<Vec<Exchange>> {
    let rows: Vec<Recorded> = rows("llm/exchanges.jsonl")?;
    Some(rows.into_iter().map(Recorded::exchange).collect())
}

/// Bytes that a corpus holds in Base64.
///
/// # Panics
///
/// When they are not.
#[must_use]
pub fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("the corpus holds base64")
}

#[derive(Deserialize)]
struct Recorded {
    id: String,
    provider: String,
    api: String,
    streaming: bool,
    features: Vec<String>,
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Deserialize)]
struct RecordedRequest {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct RecordedResponse {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_b64: Option<String>,
}

impl Recorded {
    fn exchange(self) -> Exchange {
        let body = match &self.response.body_b64 {
            Some(coded) => base64(coded),
            None => self.response.body.unwrap_or_default().into_bytes(),
        };
        Exchange {
            id: self.id,
            provider: self.provider,
            api: self.api,
            streaming: self.streaming,
            features: self.features,
            request: ExchangeRequest {
                method: self.request.method,
                url: self.request.url,
                headers: content_headers(self.request.headers),
                body: self.request.body.into(),
            },
            response: ExchangeResponse {
                status: self.response.status,
                headers: content_headers(self.response.headers),
                body: body.into(),
            },
            stream_usage: None,
            first: None,
            delay: std::time::Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: the loader loses nothing. Method: the figures that the corpus's README gives.
    #[test]
    fn recorded_exchanges_are_loaded_whole() {
        let Some(exchanges) = exchanges() else { return };
        assert_eq!(exchanges.len(), 235);
        let answered = |e: &&Exchange| !e.response.body.is_empty();
        assert!(exchanges.iter().filter(answered).count() > 230);
        let coded = exchanges.iter().flat_map(|e| &e.response.headers);
        assert!(
            !coded
                .into_iter()
                .any(|(name, _)| name == "content-encoding")
        );
    }
}
