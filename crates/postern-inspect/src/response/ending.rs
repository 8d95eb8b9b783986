//! How an answer is ended with an error, wherever it stands.

use postern_types::Operation;

use super::ResponseReader;
use super::editor::EventEditor;
use super::track::Framing;
use crate::Dialect;
use crate::refusal::{self, RefusalText, StreamFraming};

/// The way to end an answer with an error that the official clients raise, from where it stands.
#[derive(Debug, Clone)]
pub struct ErrorEnding {
    dialect: Dialect,
    operation: Operation,
    framing: StreamFraming,
    /// The number of the next event, where events are numbered.
    sequence: u64,
    /// What has to stand between what went on so far and the error.
    before: &'static [u8],
}

impl ErrorEnding {
    /// The bytes that end the answer.
    #[must_use]
    pub fn write(&self, refusal: &RefusalText<'_>) -> Vec<u8> {
        let (framing, sequence) = (self.framing, self.sequence);
        let ending = refusal::ending(self.dialect, self.operation, framing, refusal, sequence);
        [self.before, ending.as_slice()].concat()
    }
}

impl ResponseReader {
    /// How this answer can be ended with an error, wherever it stands. `None` where the framing
    /// leaves no place for one (in the middle of a JSON document, under a content encoding): then
    /// the connection has to be broken off.
    ///
    /// KNOWN GAP: when the upstream broke off inside an event of OpenAI or Gemini, and nothing
    /// edits the answer, the cut event has to be ended first, and their clients stumble over its
    /// half JSON before they reach the error. Only holding every event until it is complete would
    /// avoid that.
    #[must_use]
    pub fn ending(&self) -> Option<ErrorEnding> {
        if self.is_coded() || !self.success || !self.stream_asked {
            return None;
        }
        let sequence = self.track.observer.sequence;
        let framing = match self.track.framing() {
            Framing::Document => StreamFraming::Array,
            Framing::Unknown if self.dialect == Dialect::Gemini => return None,
            Framing::Events | Framing::Unknown => StreamFraming::Sse,
        };
        let before: &[u8] = match framing {
            StreamFraming::Sse if self.at_boundary() => b"",
            // The cut event ends here. A last `event` field makes it a ping, which the official
            // clients pass over unread.
            StreamFraming::Sse if self.dialect == Dialect::Anthropic => b"\nevent: ping\n\n",
            StreamFraming::Sse => b"\n\n",
            StreamFraming::Array => {
                let cleaner = self.editor.as_ref().and_then(|e| e.cleaner.as_ref());
                match cleaner {
                    Some(cleaner) => cleaner.before_next()?,
                    None => match self.track.between_elements()? {
                        (true, false) => b",\n",
                        _ => b"",
                    },
                }
            }
        };
        Some(ErrorEnding {
            dialect: self.dialect,
            operation: self.operation,
            framing,
            sequence: sequence.map_or(0, |last| last.saturating_add(1)),
            before,
        })
    }

    /// The bytes that end this answer with an error, where it can be ended with one.
    #[must_use]
    pub fn error_ending(&self, refusal: &RefusalText<'_>) -> Option<Vec<u8>> {
        self.ending().map(|ending| ending.write(refusal))
    }

    /// Whether what goes on is in a content encoding.
    fn is_coded(&self) -> bool {
        self.encoding != super::Encoding::Identity && !self.decodes_downstream()
    }

    /// Whether what went on so far ends with a whole event.
    fn at_boundary(&self) -> bool {
        let held = self.editor.as_ref().is_some_and(EventEditor::is_clean);
        held || self.track.at_event_boundary()
    }
}
