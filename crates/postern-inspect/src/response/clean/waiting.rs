//! The last event of a stream of Gemini or of a chat, which waits for what follows.
//!
//! It says why the model stopped, and clients read nothing behind it. What a text still holds back
//! stands in it, then; and since older models of Gemini, and some servers of chats, say with every
//! event that they have stopped, only what follows tells which one is the last: of Gemini nothing,
//! of a chat nothing of the same answer. So such an event waits until something follows, and events
//! of a chat in which nothing is said wait with it. If it was not the last, the model is of that
//! kind: no further event of the stream waits, and no reason to stop that it gives is believed.

use postern_types::Operation;

use crate::Dialect;
use crate::bounds::EVENT_HELD_BYTES_MAX;
use crate::clean::CleanError;
use crate::json::Tree;

use super::{AnswerCleaner, Lines, ends};

/// What waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    /// An event, or an element.
    held: Option<Vec<u8>>,
    /// What came behind it: white space of an array, events without data.
    behind: Vec<u8>,
    /// Events that came behind that, as they came: they say nothing, and so tell nothing.
    silent: Vec<Vec<u8>>,
    /// Bytes that these take, each with its place in the list.
    silent_bytes: usize,
    /// Whether one proved not to be the last.
    pub(super) never: bool,
}

impl Waiting {
    pub(super) fn hold(&mut self, event: Vec<u8>) {
        self.held = Some(event);
    }

    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Where white space behind an element goes.
    pub(super) fn behind(&mut self) -> Result<&mut Vec<u8>, CleanError> {
        if self.behind.len() > EVENT_HELD_BYTES_MAX {
            return Err(CleanError::CannotInspect("an array does not go on"));
        }
        Ok(&mut self.behind)
    }

    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        self.held.take()
    }

    /// Whether this much more may be held behind the event.
    fn has_room(&self, bytes: usize) -> bool {
        self.behind.len() + self.silent_bytes + bytes <= EVENT_HELD_BYTES_MAX
    }

    fn hold_silent(&mut self, raw: &[u8]) {
        self.silent_bytes += size_of::<Vec<u8>>() + raw.len();
        self.silent.push(raw.to_vec());
    }
}

impl AnswerCleaner {
    /// Whether data says that it is the last of its stream, and is to wait.
    pub(super) fn waits(&self, data: &[u8]) -> bool {
        self.may_wait()
            && memchr::memmem::find(data, b"inish").is_some()
            && Tree::read(data).is_ok_and(|tree| ends::says_why(self.dialect, &tree))
    }

    fn may_wait(&self) -> bool {
        let waits = match self.dialect {
            Dialect::Gemini => true,
            Dialect::OpenAi | Dialect::AzureOpenAi => self.operation == Operation::ChatCompletions,
            Dialect::Anthropic | Dialect::Http => false,
        };
        waits && !self.waiting.never
    }

    /// Whether data that follows an event that waited tells that it was not the last.
    fn is_belied(&self, event: &[u8], data: &[u8]) -> bool {
        if self.dialect == Dialect::Gemini {
            return true;
        }
        let said = Lines::split(event).data(event);
        match (Tree::read(&said), Tree::read(data)) {
            (Ok(ended), Ok(next)) => ends::goes_on(&ended, &next),
            _ => false,
        }
    }

    /// Whether data that follows an event that waits tells nothing about it: a chat goes on, and no
    /// answer of it says anything.
    fn is_silent(&self, data: &[u8]) -> bool {
        self.dialect != Dialect::Gemini && Tree::read(data).is_ok_and(|tree| ends::is_silent(&tree))
    }

    pub(super) fn clean_event(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        if !self.may_wait() && !self.waiting.holds() {
            return self.clean_one(raw, last, out);
        }
        let lines = Lines::split(raw);
        let data = lines.data(raw);
        let empty = data.trim_ascii().is_empty();
        if let Some(event) = self.waiting.take() {
            let waits_on = !last && self.waiting.has_room(raw.len());
            let first = self.waiting.silent.is_empty();
            if waits_on && (empty && !first || self.is_silent(&data)) {
                self.waiting.hold(event);
                self.waiting.hold_silent(raw);
                return Ok(());
            }
            if waits_on && empty {
                self.waiting.hold(event);
                let mut behind = std::mem::take(&mut self.waiting.behind);
                let done = self.clean_one(raw, false, &mut behind);
                self.waiting.behind = behind;
                return done;
            }
            self.waiting.never = self.is_belied(&event, &data);
            self.clean_one(&event, false, out)?;
            self.release_behind(out)?;
        }
        if !last && self.waits(&data) {
            self.waiting.hold(raw.to_vec());
            return Ok(());
        }
        self.clean_one(raw, last, out)
    }

    /// The LF of the line end whose CR completed the event that waits, if one does.
    pub(in crate::response) fn takes_line_feed(&mut self) -> bool {
        let Waiting {
            held,
            behind,
            silent,
            ..
        } = &mut self.waiting;
        let Some(event) = held else {
            return false;
        };
        let ended = if behind.is_empty() { event } else { behind };
        silent.last_mut().unwrap_or(ended).push(b'\n');
        true
    }

    /// What came behind the event that waited goes on.
    fn release_behind(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        out.append(&mut self.waiting.behind);
        let silent = std::mem::take(&mut self.waiting.silent);
        self.waiting.silent_bytes = 0;
        silent
            .iter()
            .try_for_each(|raw| self.clean_one(raw, false, out))
    }

    /// Cleans the event that waits as the last one.
    pub(super) fn release_event(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        if let Some(event) = self.waiting.take() {
            self.clean_one(&event, true, out)?;
            self.release_behind(out)?;
        }
        Ok(())
    }

    /// Something follows the element that waits; whether that is the end of the array.
    pub(super) fn release_element(
        &mut self,
        ends: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        let Some(element) = self.waiting.take() else {
            return Ok(());
        };
        self.waiting.never |= !ends;
        self.element_goes_on(&element, ends, out)?;
        out.append(&mut self.waiting.behind);
        Ok(())
    }
}
