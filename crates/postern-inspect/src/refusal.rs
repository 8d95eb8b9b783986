//! Refusals in the shape of each provider, so that its official clients raise the error that they
//! have for the status.
//!
//! The code's word stands where the provider has a place for one: `error.code` for OpenAI and
//! Anthropic, `ErrorInfo.reason` for Gemini, `code` in problem details (RFC 9457).

use postern_types::Operation;
use serde_json::{Value, json};

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
    let body = error_object(dialect, refusal);
    let content_type = match dialect {
        Dialect::Http => "application/problem+json",
        _ => "application/json",
    };
    (content_type, body.to_string().into_bytes())
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
    let mut error = error_object(dialect, refusal);
    if framing == StreamFraming::Array {
        return format!("{error}]").into_bytes();
    }
    let text = match (dialect, operation) {
        (Dialect::OpenAi | Dialect::AzureOpenAi, Operation::Responses) => {
            // The reference has the fields beside `type`, the service and the clients inside
            // `error`: both are there.
            error["type"] = json!("error");
            error["sequence_number"] = json!(sequence);
            error["code"] = json!(refusal.code);
            error["message"] = json!(refusal.message);
            error["param"] = Value::Null;
            format!("event: error\ndata: {error}\n\n")
        }
        (Dialect::Anthropic, _) => format!("event: error\ndata: {error}\n\n"),
        _ => format!("data: {error}\n\n"),
    };
    text.into_bytes()
}

fn error_object(dialect: Dialect, refusal: &RefusalText<'_>) -> Value {
    let RefusalText {
        status,
        code,
        message,
        request_id,
    } = *refusal;
    match dialect {
        Dialect::OpenAi | Dialect::AzureOpenAi => json!({
            "error": {
                "message": message,
                "type": openai_type(status),
                "param": null,
                "code": code,
            },
            "request_id": request_id,
        }),
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(status), "message": message, "code": code },
            "request_id": request_id,
        }),
        Dialect::Gemini => json!({
            "error": {
                "code": status,
                "message": message,
                "status": google_status(status),
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": code.to_ascii_uppercase(),
                        "domain": "postern",
                    },
                    {
                        "@type": "type.googleapis.com/google.rpc.RequestInfo",
                        "requestId": request_id,
                    },
                ],
            },
        }),
        Dialect::Http => json!({
            "type": format!("urn:postern:refusal:{code}"),
            "title": message,
            "status": status,
            "code": code,
            "request_id": request_id,
        }),
    }
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
                page += &format!("-- {operation}\n{}", String::from_utf8(event).unwrap());
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
