//! Events of an answer that wait for what an analyzer says.
//!
//! What came with one push is cleaned together. Where an answer is missing, the state is put back
//! as it was before, and all of it waits; so a piece of text is never half on its way.

use super::AnswerCleaner;
use crate::bounds::QUEUED_BYTES_MAX;
use crate::clean::{AnalyzedSpan, Attempt, CleanError, Cleaner, attempt};

/// What came.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// An event, and whether the stream ends with it.
    Event(Vec<u8>, bool),
    /// Bytes of a growing array.
    Document(Vec<u8>),
    /// The LF behind a CR that ended an event.
    LineFeed,
    /// The answer has ended.
    End,
}

impl AnswerCleaner {
    /// Whether what comes is queued.
    pub(in crate::response) fn queues(&self) -> bool {
        self.cleaner.analyzes()
    }

    /// The LF of the line end whose CR completed the last event.
    pub(in crate::response) fn queue_line_feed(&mut self) {
        self.queue.push(Item::LineFeed);
    }

    /// The pieces of text about which an analyzer has to be asked.
    pub(in crate::response) fn wanted(&self) -> Vec<String> {
        self.cleaner.wanted()
    }

    /// Takes the answer about a piece.
    pub(in crate::response) fn answer(
        &mut self,
        piece: String,
        spans: &[AnalyzedSpan],
    ) -> Result<(), CleanError> {
        self.cleaner.answer(piece, spans)
    }

    /// Cleans what waits. Where an answer is missing, nothing of it went on.
    pub(in crate::response) fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let queue = std::mem::take(&mut self.queue);
        let start = out.len();
        let worked = attempt(self, |cleaner| {
            queue.iter().try_for_each(|item| cleaner.item(item, out))
        });
        if worked == Err(CleanError::NeedsAnalysis) {
            out.truncate(start);
            if queue.iter().map(Item::bytes).sum::<usize>() > QUEUED_BYTES_MAX {
                return Err(CleanError::CannotInspect("too much of the answer waits"));
            }
            self.queue = queue;
        }
        worked
    }

    fn item(&mut self, item: &Item, out: &mut Vec<u8>) -> Result<(), CleanError> {
        match item {
            Item::Event(raw, last) => {
                let before = out.len();
                self.event_now(raw, *last, out)?;
                self.dropped = out.len() == before;
                Ok(())
            }
            Item::Document(bytes) => self.document_now(bytes, out),
            Item::LineFeed => {
                if !self.takes_line_feed() && !self.dropped {
                    out.push(b'\n');
                }
                Ok(())
            }
            Item::End => self.finish_now(out),
        }
    }
}

impl Attempt for AnswerCleaner {
    fn cleaner(&mut self) -> &mut Cleaner {
        &mut self.cleaner
    }
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(raw, _) | Self::Document(raw) => raw.len(),
            Self::LineFeed => 1,
            Self::End => 0,
        }
    }
}
