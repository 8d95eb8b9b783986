//! Reading answers while they pass.
//!
//! Bytes go in, the same bytes come out at once, and on the way they are followed through their
//! encoding and framing to the few places that say what was consumed, which model answered and
//! what the provider now keeps. Nothing is collected: memory is bounded by the constants of
//! `bounds.rs`, whatever the length of an answer, an event or a value. What cannot be followed
//! passes all the same; then its usage is unknown, which is for the caller to judge.
//!
//! With `strip_usage` an editor stands in the way and gives the bytes that the provider would have
//! sent, had usage not been asked for; with a [`Cleaner`] what goes on is cleaned. Only then is an
//! answer held (event by event, or whole where it is one document) or decoded.

mod clean;
mod decode;
mod editor;
mod ending;
mod fork;
mod observe;
mod shape;
mod sse;
mod track;
mod usage;

use std::io;

use bytes::Bytes;
use postern_types::{Finding, Operation, OwnedId, SmolStr, Usage};

use crate::clean::{AnalyzedSpan, CleanError, Cleaner};
use crate::{Dialect, InspectError};
use clean::AnswerCleaner;
pub(crate) use decode::{Decoder, Encoding};
use editor::EventEditor;
pub use ending::ErrorEnding;
use observe::Observer;
use track::{Framing, Track};

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
    /// How many answers were asked for (`RequestFacts::choices`); `None` where that is not known.
    pub choices: Option<u64>,
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
    pub response_model: Option<SmolStr>,
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
    dialect: Dialect,
    operation: Operation,
    stream_asked: bool,
    success: bool,
    track: Track,
    editor: Option<EventEditor>,
    /// Cleaning has failed: nothing goes on any more.
    broken: Option<CleanError>,
    /// What is to be told of an answer that nobody here can read.
    unread: Box<[Finding]>,
    encoding: Encoding,
    /// `None` when there is nothing to decode, or decoding was given up.
    decoder: Option<Box<Decoder>>,
}

impl ResponseReader {
    /// A reader for an answer whose head has arrived. `cleaner` is that of the answer, where a data
    /// rule applies to it.
    #[must_use]
    pub fn new(options: &ResponseOptions<'_>, cleaner: Option<Cleaner>) -> Self {
        let encoding = Encoding::parse(options.content_encoding);
        let framing = Framing::declared(options.content_type);
        let table = shape::table(options.dialect, options.operation);
        let observer = Observer::new(options.dialect, options.keeps_answer);
        let strips = options.strip_usage
            && options.operation == Operation::ChatCompletions
            && framing != Framing::Document
            && encoding != Encoding::Other;
        let cleaner = cleaner.filter(|cleaner| !cleaner.idle());
        let broken = cleaner
            .as_ref()
            .filter(|cleaner| encoding == Encoding::Other && !cleaner.only_watches())
            .map(|_| CleanError::CannotInspect("the answer has an encoding that is not read"));
        // A broken answer is refused; any other of that encoding passes under a dry run.
        let unread = cleaner.as_ref().filter(|_| encoding == Encoding::Other);
        let unread = unread.cloned().map(|mut cleaner| {
            cleaner.unread("answer");
            cleaner.findings()
        });
        let cleaner = cleaner
            .filter(|_| encoding != Encoding::Other)
            .map(|cleaner| AnswerCleaner::new(options, cleaner));
        let edits = strips || cleaner.is_some();
        Self {
            dialect: options.dialect,
            operation: options.operation,
            stream_asked: options.stream_asked,
            success: (200..300).contains(&options.status),
            track: Track::new(framing, table, observer),
            editor: edits.then(|| EventEditor::new(strips, cleaner)),
            broken,
            unread: unread.unwrap_or_default().into_boxed_slice(),
            encoding,
            decoder: Decoder::new(encoding).map(Box::new),
        }
    }

    /// Takes the next bytes and gives those that may go on. Ids in them are in
    /// [`ResponseReader::newly_created`] before the last byte of the id is in `out`.
    ///
    /// # Errors
    /// When the answer has to be decoded and cannot be, or when a value that is blocked, or content
    /// that cannot be inspected, comes under a data rule. What was given before stays given.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        let Some(mut editor) = self.editor.take() else {
            self.observe(&chunk);
            out.push(chunk);
            return Ok(());
        };
        let mut edited = Vec::with_capacity(chunk.len());
        let pushed = self
            .edit(&chunk, &mut editor, &mut edited)
            .and_then(|()| Ok(editor.go_on(&mut edited)?));
        self.editor = Some(editor);
        if !edited.is_empty() {
            out.push(Bytes::from(edited));
        }
        pushed.map_err(|error| self.fail(error))
    }

    /// The upstream's answer has ended: gives what was held.
    ///
    /// # Errors
    /// As [`ResponseReader::push`].
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        self.track.finish();
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        if let Some(editor) = &mut self.editor {
            let mut held = self.track.take_lead();
            let finished = editor
                .finish(&mut held)
                .and_then(|()| editor.go_on(&mut held));
            if !held.is_empty() {
                out.push(Bytes::from(held));
            }
            finished.map_err(|error| self.fail(Failure::Clean(error)))?;
        }
        Ok(())
    }

    /// Goes on where an analyzer had to be asked, once its answers were given; after that as
    /// [`ResponseReader::push`] or [`ResponseReader::finish`] would have.
    ///
    /// # Errors
    /// As [`ResponseReader::push`].
    pub fn resume(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        let Some(editor) = &mut self.editor else {
            return Ok(());
        };
        let mut edited = Vec::new();
        let done = editor.go_on(&mut edited);
        if !edited.is_empty() {
            out.push(Bytes::from(edited));
        }
        done.map_err(|error| self.fail(Failure::Clean(error)))
    }

    /// The pieces of text about which an analyzer has to be asked.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        let cleaner = self.editor.as_ref().and_then(|e| e.cleaner.as_ref());
        cleaner.map_or_else(Vec::new, |cleaner| cleaner.wanted())
    }

    /// Takes an analyzer's answer about a piece.
    ///
    /// # Errors
    /// As [`Cleaner::answer`].
    pub fn answer(&mut self, piece: String, spans: &[AnalyzedSpan]) -> Result<(), InspectError> {
        let cleaner = self.editor.as_mut().and_then(|e| e.cleaner.as_mut());
        match cleaner {
            Some(cleaner) => Ok(cleaner.answer(piece, spans)?),
            None => Ok(()),
        }
    }

    /// What data rules found in the answer so far.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let cleaner = self.editor.as_ref().and_then(|e| e.cleaner.as_ref());
        cleaner.map_or_else(|| self.unread.to_vec(), |cleaner| cleaner.findings())
    }

    /// Tells, where rules only report, that the answer could not be inspected.
    pub fn unread(&mut self) {
        let cleaner = self.editor.as_mut().and_then(|e| e.cleaner.as_mut());
        if let Some(cleaner) = cleaner {
            cleaner.unread();
        }
    }

    /// Remembers that nothing goes on any more, where that is so.
    fn fail(&mut self, failure: Failure) -> InspectError {
        match failure {
            Failure::Clean(CleanError::NeedsAnalysis) => InspectError::NeedsAnalysis,
            Failure::Clean(error) => {
                self.broken = Some(error.clone());
                error.into()
            }
            Failure::Decode(error) => {
                InspectError::upstream(format!("it cannot be decoded: {error}"))
            }
        }
    }

    /// Ids that were seen since the last call.
    pub fn newly_created(&mut self) -> &[OwnedId] {
        self.track.observer.newly_created()
    }

    /// What the answer said so far.
    #[must_use]
    pub fn report(&self) -> ResponseReport {
        self.track.observer.report()
    }

    /// Whether the bytes given out are decoded: then `Content-Encoding` and `Content-Length` of
    /// the answer no longer hold.
    #[must_use]
    pub fn decodes_downstream(&self) -> bool {
        self.editor.is_some() && matches!(self.encoding, Encoding::Gzip | Encoding::Deflate)
    }

    /// Whether `Content-Length` of the answer may no longer hold.
    #[must_use]
    pub fn changes_length(&self) -> bool {
        self.editor.is_some()
    }

    /// Follows bytes that pass as they are.
    fn observe(&mut self, chunk: &[u8]) {
        let track = &mut self.track;
        let followed = match (self.encoding, self.decoder.as_mut()) {
            (Encoding::Identity, _) => track.push(chunk, None).map_err(Failure::Clean),
            (_, Some(decoder)) => {
                decoder.push(chunk, &mut |bytes: &[u8]| Ok(track.push(bytes, None)?))
            }
            (_, None) => Ok(()),
        };
        // What cannot be decoded here is the client's to judge; its usage is unknown. How much of
        // it a decoder gave before it saw that depends on where the bytes were cut.
        if followed.is_err() {
            self.decoder = None;
            self.track.forget();
        }
    }

    fn edit(
        &mut self,
        chunk: &[u8],
        editor: &mut EventEditor,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if self.encoding == Encoding::Identity {
            return Ok(self.track.push(chunk, Some((editor, out)))?);
        }
        let decoder = self
            .decoder
            .as_mut()
            .ok_or_else(|| io::Error::other("decoding was given up"))?;
        let track = &mut self.track;
        let decoded = decoder.push(chunk, &mut |bytes: &[u8]| {
            Ok(track.push(bytes, Some((editor, out)))?)
        });
        if decoded.is_err() {
            self.decoder = None;
        }
        decoded
    }
}

/// Why bytes do not go on.
#[derive(Debug)]
enum Failure {
    Clean(CleanError),
    Decode(io::Error),
}

impl From<CleanError> for Failure {
    fn from(error: CleanError) -> Self {
        Self::Clean(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Decode(error)
    }
}

#[cfg(test)]
pub(crate) fn each_table(told: &mut dyn FnMut(usize)) {
    for table in shape::ALL {
        crate::json::each_below(table, told);
    }
}

#[cfg(test)]
mod tests;
