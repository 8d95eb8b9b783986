//! What kind of backend an upstream is.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The kind of an upstream: it decides the wire dialect, where the credential goes, and which
/// operations exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamKind {
    /// OpenAI and servers that speak its API.
    #[serde(rename = "openai")]
    OpenAi,
    /// Azure OpenAI: the model is the deployment in the path.
    #[serde(rename = "azure-openai")]
    AzureOpenAi,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini (Google AI).
    Gemini,
    /// Any HTTP or Backend-as-a-Service API.
    Http,
}

/// The text names no kind that this release serves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "upstream kind {0:?} is not served: use openai, azure-openai, anthropic, gemini or http{1}"
)]
pub struct ParseUpstreamKindError(String, &'static str);

impl UpstreamKind {
    /// Every kind this release serves.
    pub const ALL: [Self; 5] = [
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::Anthropic,
        Self::Gemini,
        Self::Http,
    ];

    /// The word used in commands and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure-openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Http => "http",
        }
    }

    /// Parses a kind.
    ///
    /// # Errors
    /// When the kind is unknown, or planned but not built.
    pub fn parse(text: &str) -> Result<Self, ParseUpstreamKindError> {
        let planned = ["bedrock", "mcp", "postgres", "docker", "kubernetes"];
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let hint = if planned.contains(&text) {
                    " (planned, not built yet)"
                } else {
                    ""
                };
                ParseUpstreamKindError(text.chars().take(80).collect(), hint)
            })
    }

    /// Whether the upstream is an AI provider, whose operations are a closed list.
    #[must_use]
    pub fn is_ai(self) -> bool {
        self != Self::Http
    }
}

impl fmt::Display for UpstreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for UpstreamKind {
    type Err = ParseUpstreamKindError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
