//! Refusals in the shape of each provider.

use postern_types::Operation;

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
    /// One growing JSON array (Gemini without `alt=sse`), with at least one element so far.
    Array,
}

/// The content type and body of a refusal in a dialect.
#[must_use]
pub fn error_body(dialect: Dialect, refusal: &RefusalText<'_>) -> (&'static str, Vec<u8>) {
    let _ = (dialect, refusal);
    ("application/json", b"{}".to_vec())
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
    let _ = (dialect, operation, framing, refusal);
    Vec::new()
}
