//! Taking out again what asking for usage put into a stream of chat completions: the one frame
//! without choices that carries the figures, and the null `usage` of every other frame.
//!
//! An event is held until it is complete, then goes on whole, shortened or not at all; with a
//! cleaner behind it, it goes on cleaned. Events in, events out, nothing taken back.

use super::clean::AnswerCleaner;
use super::observe::EventView;
use crate::bounds::{EVENT_CLEANED_BYTES_MAX, EVENT_HELD_BYTES_MAX, EVENT_KEPT_BYTES};
use crate::clean::CleanError;

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Drop,
    /// Goes on without these bytes.
    Cut(usize, usize),
}

/// Holds the event that is being read.
#[derive(Debug, Clone)]
pub(super) struct EventEditor {
    /// Whether usage is taken out.
    strips: bool,
    pub(super) cleaner: Option<Box<AnswerCleaner>>,
    held: Vec<u8>,
    /// The event was too large to hold: its bytes went on as they came.
    released: bool,
    /// Whether the last event was dropped, and with it the LF that may still follow its CR.
    dropped: bool,
}

impl EventEditor {
    pub(super) fn new(strips: bool, cleaner: Option<AnswerCleaner>) -> Self {
        Self {
            strips,
            cleaner: cleaner.map(Box::new),
            held: Vec::new(),
            released: false,
            dropped: false,
        }
    }

    /// Bytes of the current event.
    pub(super) fn hold(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.released {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        if self
            .cleaner
            .as_ref()
            .is_some_and(|c| c.queues() || !c.watches())
        {
            if self.held.len() > EVENT_CLEANED_BYTES_MAX {
                return Err(CleanError::CannotInspect("an event is too long to hold"));
            }
        } else if self.held.len() > EVENT_HELD_BYTES_MAX {
            out.append(&mut self.held);
            self.released = true;
        }
        Ok(())
    }

    /// The current event is complete. `view` is what was read of it; `None` when it could not be
    /// read as one line of JSON.
    pub(super) fn end_event(
        &mut self,
        view: Option<EventView>,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        let verdict = match view {
            Some(view) if self.strips && !self.released => verdict(view, &self.held),
            _ => Verdict::Keep,
        };
        let before = out.len();
        match verdict {
            Verdict::Keep => {}
            Verdict::Drop => self.held.clear(),
            Verdict::Cut(start, end) => {
                self.held.drain(start..end);
            }
        }
        match &mut self.cleaner {
            Some(cleaner) if cleaner.queues() || !self.held.is_empty() && !self.released => {
                cleaner.event(&self.held, false, out)?;
            }
            _ => out.extend_from_slice(&self.held),
        }
        self.dropped = !self.released && out.len() == before;
        self.held.clear();
        // A stream may go on for long after its one large event.
        self.held.shrink_to(EVENT_KEPT_BYTES);
        self.released = false;
        Ok(())
    }

    /// The LF of the line end whose CR completed the last event.
    pub(super) fn stray_line_feed(&mut self, out: &mut Vec<u8>) {
        if let Some(cleaner) = self.cleaner.as_mut().filter(|cleaner| cleaner.queues()) {
            cleaner.queue_line_feed();
        } else if self.cleaner.as_mut().is_some_and(|it| it.takes_line_feed()) {
            // It goes on with the event that waits.
        } else if !self.dropped {
            out.push(b'\n');
        }
    }

    /// Bytes of an answer that is not made of events.
    pub(super) fn document(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CleanError> {
        if let Some(cleaner) = &mut self.cleaner {
            return cleaner.document(bytes, out);
        }
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// All that what comes next can depend on.
    pub(super) fn state(&self) -> impl std::fmt::Debug + '_ {
        let cleaner = self.cleaner.as_ref().map(|cleaner| cleaner.state());
        ((&self.held, self.released, self.dropped), cleaner)
    }

    /// Whether no byte of an unfinished event went on.
    pub(super) fn is_clean(&self) -> bool {
        !self.released
    }

    /// The answer has ended: gives what is held, complete or not.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        let held = std::mem::take(&mut self.held);
        let Some(cleaner) = &mut self.cleaner else {
            out.extend_from_slice(&held);
            return Ok(());
        };
        if !held.is_empty() {
            cleaner.event(&held, true, out)?;
        }
        cleaner.finish(out)
    }

    /// Cleans what waits for an analyzer's answers.
    pub(super) fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        match &mut self.cleaner {
            Some(cleaner) => cleaner.go_on(out),
            None => Ok(()),
        }
    }
}

fn verdict(view: EventView, held: &[u8]) -> Verdict {
    if view.no_choices && view.figures {
        return Verdict::Drop;
    }
    let Some(place) = view.null_usage else {
        return Verdict::Keep;
    };
    let (start, end) = match place.comma {
        Some(comma) => (comma, place.end),
        // The first member goes with the comma after it, if there is one.
        None => {
            let space = |from: usize| {
                let rest = held.get(from..).unwrap_or_default();
                from + rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_whitespace())
                    .count()
            };
            let after = space(place.end);
            let comma = held.get(after) == Some(&b',');
            (place.key, if comma { space(after + 1) } else { place.end })
        }
    };
    if start <= end && end <= held.len() {
        Verdict::Cut(start, end)
    } else {
        Verdict::Keep
    }
}
