//! The closed list of operations on AI upstreams.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One operation of an AI API. A path that is none of these is refused as `unknown_operation`:
/// an operation whose model, usage or reach the gateway cannot tell does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// OpenAI and Azure: chat completions.
    ChatCompletions,
    /// OpenAI and Azure: responses.
    Responses,
    /// OpenAI and Azure: embeddings.
    Embeddings,
    /// OpenAI: the list of models, filtered to what the token may use.
    ListModels,
    /// OpenAI: one model's description.
    ShowModel,
    /// OpenAI: moderations.
    Moderations,
    /// Anthropic: messages.
    Messages,
    /// Anthropic and Gemini: counting input tokens.
    CountTokens,
    /// Gemini: one answer.
    GenerateContent,
    /// Gemini: a stream of answers, as SSE or as a growing array.
    StreamGenerateContent,
}

impl Operation {
    /// Every operation, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::ChatCompletions,
        Self::Responses,
        Self::Embeddings,
        Self::ListModels,
        Self::ShowModel,
        Self::Moderations,
        Self::Messages,
        Self::CountTokens,
        Self::GenerateContent,
        Self::StreamGenerateContent,
    ];

    /// The word used in grants, policies and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::ListModels => "list_models",
            Self::ShowModel => "show_model",
            Self::Moderations => "moderations",
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
            Self::GenerateContent => "generate_content",
            Self::StreamGenerateContent => "stream_generate_content",
        }
    }

    /// Parses the word used in grants.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }

    /// Whether a request of this operation names a model. Only the list of models does not; there
    /// the answer is filtered instead.
    #[must_use]
    pub fn names_model(self) -> bool {
        self != Self::ListModels
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
