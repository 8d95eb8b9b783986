//! The wire dialects, and which one a stranger speaks.

use postern_types::UpstreamKind;

/// How requests and answers of an upstream are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI and servers that speak its API.
    OpenAi,
    /// Azure OpenAI: OpenAI's bodies behind deployments.
    AzureOpenAi,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini.
    Gemini,
    /// Anything else; the body is not read.
    Http,
}

impl From<UpstreamKind> for Dialect {
    fn from(kind: UpstreamKind) -> Self {
        match kind {
            UpstreamKind::OpenAi => Self::OpenAi,
            UpstreamKind::AzureOpenAi => Self::AzureOpenAi,
            UpstreamKind::Anthropic => Self::Anthropic,
            UpstreamKind::Gemini => Self::Gemini,
            UpstreamKind::Http => Self::Http,
        }
    }
}

/// The dialect in which to refuse a request whose token is not known yet: from the raw path and
/// the names of the headers alone, so that the answer says nothing about what is configured.
#[must_use]
pub fn guess_dialect(path: &str, has_header: &dyn Fn(&str) -> bool) -> Dialect {
    let ends = |tails: &[&str]| tails.iter().any(|tail| path.ends_with(tail));
    let gemini_action = || {
        path.contains("/models/")
            && ends(&[":generateContent", ":streamGenerateContent", ":countTokens"])
    };
    if has_header("anthropic-version") || ends(&["/v1/messages", "/v1/messages/count_tokens"]) {
        return Dialect::Anthropic;
    }
    if has_header("x-goog-api-key") || gemini_action() {
        return Dialect::Gemini;
    }
    if has_header("api-key") || path.contains("/openai/deployments/") {
        return Dialect::AzureOpenAi;
    }
    let openai = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/embeddings",
        "/v1/moderations",
        "/v1/models",
    ];
    if ends(&openai) || path.contains("/v1/models/") {
        return Dialect::OpenAi;
    }
    if has_header("x-api-key") {
        return Dialect::Anthropic;
    }
    Dialect::Http
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_answered_in_the_dialect_of_their_request() {
        // Goal: header and path decide alone. Method: what each official client sends, and a
        // plain client.
        let rows: [(&str, &[&str], Dialect); 10] = [
            (
                "/c/v1/messages",
                &["x-api-key", "anthropic-version"],
                Dialect::Anthropic,
            ),
            ("/c/v1/messages", &["authorization"], Dialect::Anthropic),
            ("/c/v1/anything", &["x-api-key"], Dialect::Anthropic),
            (
                "/g/v1beta/models/m:generateContent",
                &["x-goog-api-key"],
                Dialect::Gemini,
            ),
            (
                "/g/v1beta/models/m:streamGenerateContent",
                &[],
                Dialect::Gemini,
            ),
            (
                "/a/openai/deployments/d/embeddings",
                &["authorization"],
                Dialect::AzureOpenAi,
            ),
            ("/a/openai/v1/responses", &["api-key"], Dialect::AzureOpenAi),
            (
                "/o/v1/chat/completions",
                &["authorization"],
                Dialect::OpenAi,
            ),
            ("/o/v1/models/gpt", &["authorization"], Dialect::OpenAi),
            ("/notes/classes/Note", &["authorization"], Dialect::Http),
        ];
        for (path, headers, expected) in rows {
            assert_eq!(
                guess_dialect(path, &|name| headers.contains(&name)),
                expected,
                "{path}"
            );
        }
    }
}
