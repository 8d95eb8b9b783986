//! What reads an answer while it passes: a dialect, a data rule, or both.

use bytes::Bytes;
use postern_inspect::{BodyCleaner, InspectError, RefusalText, ResponseReader, ResponseReport};
use postern_types::{Finding, OwnedId};

/// Reads an answer, and cleans it where a rule says so.
pub(crate) enum Reader {
    /// The answer of an AI provider to what it was asked for.
    Ai(Box<ResponseReader>),
    /// Such an answer under a data rule.
    Both(Box<ResponseReader>, Box<BodyCleaner>),
    /// Any other, under a data rule.
    Body(Box<BodyCleaner>),
}

impl Reader {
    /// Takes the next bytes and gives those that may go on.
    ///
    /// # Errors
    /// As the readers say. What was given before stays given.
    pub(crate) fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match self {
            Self::Ai(reader) => reader.push(chunk, out),
            Self::Both(reader, cleaner) => {
                let mut read = Vec::new();
                let pushed = reader.push(chunk, &mut read);
                for chunk in read {
                    cleaner.push(chunk, out)?;
                }
                pushed
            }
            Self::Body(cleaner) => cleaner.push(chunk, out),
        }
    }

    /// The answer has ended: gives what was held.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub(crate) fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match self {
            Self::Ai(reader) => reader.finish(out),
            Self::Both(reader, cleaner) => {
                let mut read = Vec::new();
                reader.finish(&mut read)?;
                for chunk in read {
                    cleaner.push(chunk, out)?;
                }
                cleaner.finish(out)
            }
            Self::Body(cleaner) => cleaner.finish(out),
        }
    }

    /// Ids that were seen since the last call.
    pub(crate) fn newly_created(&mut self) -> &[OwnedId] {
        match self {
            Self::Ai(reader) | Self::Both(reader, _) => reader.newly_created(),
            Self::Body(_) => &[],
        }
    }

    /// What the provider said so far; nothing where nobody listens.
    pub(crate) fn report(&self) -> ResponseReport {
        match self {
            Self::Ai(reader) | Self::Both(reader, _) => reader.report(),
            Self::Body(_) => ResponseReport::default(),
        }
    }

    /// What was found in the answer so far.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Ai(_) => Vec::new(),
            Self::Both(_, cleaner) | Self::Body(cleaner) => cleaner.findings(),
        }
    }

    /// Whether the bytes given out are decoded.
    pub(crate) fn decodes(&self) -> bool {
        match self {
            Self::Ai(reader) => reader.decodes_downstream(),
            Self::Both(_, cleaner) | Self::Body(cleaner) => !cleaner.passes(),
        }
    }

    /// Whether the answer's length may no longer hold.
    pub(crate) fn changes_length(&self) -> bool {
        match self {
            Self::Ai(reader) => reader.changes_length(),
            Self::Both(_, cleaner) | Self::Body(cleaner) => !cleaner.passes(),
        }
    }

    /// The bytes that end the answer with an error, where its framing has a place for one.
    pub(crate) fn error_ending(&self, refusal: &RefusalText<'_>) -> Option<Vec<u8>> {
        match self {
            Self::Ai(reader) | Self::Both(reader, _) => reader.error_ending(refusal),
            Self::Body(_) => None,
        }
    }
}
