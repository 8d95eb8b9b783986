//! Refusals in the shape of each provider, so that its official clients raise the error that they
//! have for the status.
//!
//! The code's word stands where the provider has a place for one: `error.code` for OpenAI and
//! Anthropic, `ErrorInfo.reason` for Gemini, `code` in problem details (RFC 9457).

use postern_types::Operation;
use serde::Serialize;

use crate::Dialect;

/// What a refusal says.
#[derive(Debug, Clone, Copy)]
pub struct RefusalText<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The refusal code's word.
    pub code: &'a str,
    /// The public text.
    pub message: &'a str,
    /// The request id.
    pub request_id: &'a str,
}

/// How a stream is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFraming {
    /// Server-sent events.
    Sse,
    /// One growing JSON array (Gemini without `alt=sse`), with at least one element so far and no
    /// comma after the last.
    Array,
}

/// The content type and body of a refusal in a dialect.
#[must_use]
pub fn error_body(dialect: Dialect, refusal: &RefusalText<'_>) -> (&'static str, Vec<u8>) {
    let content_type = match dialect {
        Dialect::Http => "application/problem+json",
        _ => "application/json",
    };
    (content_type, error_text(dialect, refusal).into_bytes())
}

/// The bytes that end a stream in which the last event is complete.
/// [`crate::ResponseReader::error_ending`] knows where the stream stands and is the better choice.
#[must_use]
pub fn error_event(
    dialect: Dialect,
    operation: Operation,
    framing: StreamFraming,
    refusal: &RefusalText<'_>,
) -> Vec<u8> {
    let ending = ending(dialect, operation, framing, refusal, 0);
    match framing {
        StreamFraming::Sse => ending,
        StreamFraming::Array => [b",\n", ending.as_slice()].concat(),
    }
}

/// The error as an event, or as the last element of an array with its end. `sequence` is the
/// number of the event, where events are numbered.
pub(crate) fn ending(
    dialect: Dialect,
    operation: Operation,
    framing: StreamFraming,
    refusal: &RefusalText<'_>,
    sequence: u64,
) -> Vec<u8> {
    let error = error_text(dialect, refusal);
    if framing == StreamFraming::Array {
        return format!("{error}]").into_bytes();
    }
    let text = match (dialect, operation) {
        (Dialect::OpenAi | Dialect::AzureOpenAi, Operation::Responses) => {
            let event = text_of(&ResponsesEvent {
                kind: "error",
                error: OpenAiError::new(refusal),
                code: refusal.code,
                message: refusal.message,
                param: None,
                sequence_number: sequence,
                request_id: refusal.request_id,
            });
            format!("event: error\ndata: {event}\n\n")
        }
        (Dialect::Anthropic, _) => format!("event: error\ndata: {error}\n\n"),
        _ => format!("data: {error}\n\n"),
    };
    text.into_bytes()
}

fn error_text(dialect: Dialect, refusal: &RefusalText<'_>) -> String {
    let RefusalText {
        status,
        code,
        message,
        request_id,
    } = *refusal;
    match dialect {
        Dialect::OpenAi | Dialect::AzureOpenAi => text_of(&OpenAiBody {
            error: OpenAiError::new(refusal),
            request_id,
        }),
        Dialect::Anthropic => text_of(&AnthropicBody {
            kind: "error",
            error: AnthropicError {
                kind: anthropic_type(status),
                message,
                code,
            },
            request_id,
        }),
        Dialect::Gemini => text_of(&GoogleBody {
            error: GoogleError {
                code: status,
                message,
                status: google_status(status),
                details: (
                    ErrorInfo {
                        kind: "type.googleapis.com/google.rpc.ErrorInfo",
                        reason: code.to_ascii_uppercase(),
                        domain: "postern",
                    },
                    RequestInfo {
                        kind: "type.googleapis.com/google.rpc.RequestInfo",
                        request_id,
                    },
                ),
            },
        }),
        Dialect::Http => text_of(&Problem {
            kind: format!("urn:postern:refusal:{code}"),
            title: message,
            status,
            code,
            request_id,
        }),
    }
}

fn text_of(body: &impl Serialize) -> String {
    // Only maps with odd keys and failing writers make this fail; there are neither.
    serde_json::to_string(body).unwrap_or_default()
}

#[derive(Serialize)]
struct OpenAiBody<'a> {
    error: OpenAiError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: &'a str,
}

impl<'a> OpenAiError<'a> {
    fn new(refusal: &RefusalText<'a>) -> Self {
        Self {
            message: refusal.message,
            kind: openai_type(refusal.status),
            param: None,
            code: refusal.code,
        }
    }
}

/// The reference has the fields beside `type`; the service and the clients have them in `error`.
#[derive(Serialize)]
struct ResponsesEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: OpenAiError<'a>,
    code: &'a str,
    message: &'a str,
    param: Option<&'static str>,
    sequence_number: u64,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: AnthropicError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct GoogleBody<'a> {
    error: GoogleError<'a>,
}

#[derive(Serialize)]
struct GoogleError<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
    details: (ErrorInfo, RequestInfo<'a>),
}

#[derive(Serialize)]
struct ErrorInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    reason: String,
    domain: &'static str,
}

#[derive(Serialize)]
struct RequestInfo<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    request_id: &'a str,
}

fn openai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The canonical code of google.rpc for an HTTP status.
fn google_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

#[cfg(test)]
mod tests {
    use postern_types::RefusalCode;

    use super::*;

    /// Every code in one dialect, as a body and as the end of its streams.
    fn page(dialect: Dialect, streams: &[(Operation, StreamFraming)]) -> String {
        let mut page = String::new();
        for code in RefusalCode::ALL {
            let refusal = RefusalText {
                status: code.status(),
                code: code.as_str(),
                message: code.public(),
                request_id: "01890a5d-ac96-774b-bcce-b302099a8057",
            };
            let (content_type, body) = error_body(dialect, &refusal);
            let body = String::from_utf8(body).unwrap();
            page += &format!("== {} {code}\n{content_type}\n{body}\n", code.status());
            for (operation, framing) in streams {
                let event = error_event(dialect, *operation, *framing, &refusal);
                let event = String::from_utf8(event).unwrap();
                page += &format!("-- {operation}\n{}\n\n", event.trim_end());
            }
        }
        page
    }

    #[test]
    fn refusals_look_like_the_provider_of_the_dialect() {
        // Goal: what clients parse changes only on purpose. Method: a golden file a dialect.
        let sse = StreamFraming::Sse;
        let openai = [
            (Operation::ChatCompletions, sse),
            (Operation::Responses, sse),
        ];
        insta::assert_snapshot!("openai", page(Dialect::OpenAi, &openai));
        assert_eq!(
            page(Dialect::OpenAi, &openai),
            page(Dialect::AzureOpenAi, &openai)
        );
        insta::assert_snapshot!(
            "anthropic",
            page(Dialect::Anthropic, &[(Operation::Messages, sse)])
        );
        let stream = Operation::StreamGenerateContent;
        let gemini = [(stream, sse), (stream, StreamFraming::Array)];
        insta::assert_snapshot!("gemini", page(Dialect::Gemini, &gemini));
        insta::assert_snapshot!("http", page(Dialect::Http, &[]));
    }
}
