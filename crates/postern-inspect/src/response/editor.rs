//! Taking out again what asking for usage put into a stream of chat completions: the one frame
//! without choices that carries the figures, and the null `usage` of every other frame.
//!
//! An event is held until it is complete, then goes on whole, shortened or not at all. This is
//! also the shape of an editor for data rules: events in, events out, nothing taken back.

use super::observe::EventView;
use crate::bounds::EVENT_HELD_BYTES_MAX;

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Drop,
    /// Goes on without these bytes.
    Cut(usize, usize),
}

/// Holds the event that is being read.
#[derive(Debug, Default)]
pub(super) struct UsageEditor {
    held: Vec<u8>,
    /// The event was too large to hold: its bytes went on as they came.
    released: bool,
    /// Whether the last event was dropped, and with it the LF that may still follow its CR.
    dropped: bool,
}

impl UsageEditor {
    /// Bytes of the current event.
    pub(super) fn hold(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.released {
            out.extend_from_slice(bytes);
            return;
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > EVENT_HELD_BYTES_MAX {
            self.flush(out);
            self.released = true;
        }
    }

    /// The current event is complete. `view` is what was read of it; `None` when it could not be
    /// read as one line of JSON.
    pub(super) fn end_event(&mut self, view: Option<EventView>, out: &mut Vec<u8>) {
        let verdict = match view {
            Some(view) if !self.released => verdict(view, &self.held),
            _ => Verdict::Keep,
        };
        match verdict {
            Verdict::Keep => out.extend_from_slice(&self.held),
            Verdict::Drop => {}
            Verdict::Cut(start, end) => {
                out.extend_from_slice(&self.held[..start]);
                out.extend_from_slice(&self.held[end..]);
            }
        }
        self.held.clear();
        self.released = false;
        self.dropped = verdict == Verdict::Drop;
    }

    /// The LF of the line end whose CR completed the last event.
    pub(super) fn stray_line_feed(&self, out: &mut Vec<u8>) {
        if !self.dropped {
            out.push(b'\n');
        }
    }

    /// Whether no byte of an unfinished event went on.
    pub(super) fn is_clean(&self) -> bool {
        !self.released
    }

    /// Gives what is held, complete or not.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
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
