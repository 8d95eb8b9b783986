//! Reading answers while they pass.

use bytes::Bytes;
use postern_types::{Operation, OwnedId, Usage};

use crate::{Dialect, InspectError};

/// The content encodings that are read, as a value for `Accept-Encoding`. Ask an upstream for no
/// other: an answer in another encoding passes, but its usage stays unknown.
pub const READABLE_ENCODINGS: &str = "gzip, deflate";

/// What is known of an answer before its body.
#[derive(Debug, Clone, Copy)]
pub struct ResponseOptions<'a> {
    /// The operation that was asked for.
    pub operation: Operation,
    /// The dialect.
    pub dialect: Dialect,
    /// Whether a stream was asked for.
    pub stream_asked: bool,
    /// Whether usage was asked for on the client's behalf and has to be taken out again
    /// (`Outgoing::strip_usage`).
    pub strip_usage: bool,
    /// Whether the provider keeps the answer (`RequestFacts::keeps_answer`).
    pub keeps_answer: bool,
    /// The `Content-Type` header; empty if there is none.
    pub content_type: &'a str,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<&'a str>,
    /// The status.
    pub status: u16,
}

/// What an answer said so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseReport {
    /// What the provider says was consumed; marked as interrupted while the answer has not ended.
    pub usage: Option<Usage>,
    /// The model that answered; may be a dated name of the one asked for.
    pub response_model: Option<String>,
    /// What the provider now keeps under its shared credential.
    pub created: Vec<OwnedId>,
    /// Whether the provider said that the answer is complete.
    pub ended: bool,
    /// Whether the provider reported an error inside the answer.
    pub failed: bool,
}

/// Reads an answer while it passes. Without `strip_usage` the bytes out are the bytes in, at once.
#[derive(Debug)]
pub struct ResponseReader {
    report: ResponseReport,
}

impl ResponseReader {
    /// A reader for an answer whose head has arrived.
    #[must_use]
    pub fn new(options: &ResponseOptions<'_>) -> Self {
        let _ = options;
        Self {
            report: ResponseReport::default(),
        }
    }

    /// Takes the next bytes and gives those that may go on. Ids in them are in
    /// [`ResponseReader::newly_created`] before the last byte of the id is in `out`.
    ///
    /// # Errors
    /// When the answer has to be decoded and cannot be. What was given before stays given.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        out.push(chunk);
        Ok(())
    }

    /// The upstream's answer has ended: gives what was held.
    ///
    /// # Errors
    /// As [`ResponseReader::push`].
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        let _ = out;
        Ok(())
    }

    /// Ids that were seen since the last call.
    pub fn newly_created(&mut self) -> &[OwnedId] {
        &[]
    }

    /// What the answer said so far.
    #[must_use]
    pub fn report(&self) -> ResponseReport {
        self.report.clone()
    }

    /// Whether the bytes given out are decoded: then `Content-Encoding` and `Content-Length` of
    /// the answer no longer hold.
    #[must_use]
    pub fn decodes_downstream(&self) -> bool {
        false
    }

    /// Whether `Content-Length` of the answer may no longer hold.
    #[must_use]
    pub fn changes_length(&self) -> bool {
        false
    }

    /// The bytes that end this answer with an error that the official clients raise. `None` where
    /// the framing leaves no place for one (in the middle of a JSON document): then the connection
    /// has to be broken off.
    #[must_use]
    pub fn error_ending(&self, refusal: &crate::RefusalText<'_>) -> Option<Vec<u8>> {
        let _ = refusal;
        None
    }
}

#[cfg(test)]
pub(crate) fn each_table(_told: &mut dyn FnMut(usize)) {}
