//! Following an answer through its framing: events, one document, or a growing array.

use super::editor::EventEditor;
use super::observe::{EventView, Observer};
use super::shape::Slot;
use super::sse::{EventData, Sse};
use crate::bounds::EVENT_HELD_BYTES_MAX;
use crate::clean::CleanError;
use crate::json::{Scanner, Shape};

/// How an answer is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events.
    Events,
    /// One JSON document; a stream of Gemini without events is one array.
    Document,
    /// The head does not say; the first byte will.
    Unknown,
}

impl Framing {
    /// What the `Content-Type` header says.
    pub(super) fn declared(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let ends = |tail: &str| {
            let start = kind.len().checked_sub(tail.len());
            let end = start.and_then(|start| kind.get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(tail))
        };
        if kind.eq_ignore_ascii_case("text/event-stream") {
            Self::Events
        } else if kind.eq_ignore_ascii_case("application/json") || ends("+json") {
            Self::Document
        } else {
            Self::Unknown
        }
    }
}

/// Reads the decoded bytes of an answer.
#[derive(Debug, Clone)]
pub(super) struct Track {
    framing: Framing,
    sse: Sse,
    scanner: Scanner<Slot>,
    /// The document or the data of the current event is not JSON, or not readable.
    lost: bool,
    done: DoneMark,
    /// White space that came before the framing was known.
    lead: Vec<u8>,
    pub(super) observer: Observer,
}

/// Recognises `[DONE]`, the end of a stream of chat completions.
#[derive(Debug, Clone, Default)]
struct DoneMark {
    seen: [u8; DONE.len()],
    len: usize,
}

const DONE: &[u8] = b"[DONE]";

impl DoneMark {
    fn push(&mut self, run: &[u8]) {
        for byte in run.iter().take(DONE.len() + 1) {
            if let Some(place) = self.seen.get_mut(self.len) {
                *place = *byte;
            }
            self.len = self.len.saturating_add(1);
        }
    }

    /// What can still become the mark; how long data is that cannot, depends on its cuts.
    fn state(&self) -> Option<&[u8]> {
        self.seen.get(..self.len)
    }

    fn take(&mut self) -> bool {
        let len = std::mem::take(&mut self.len);
        len == DONE.len() && self.seen == DONE
    }
}

/// The data of one event on its way to the scanner.
struct Feed<'a> {
    scanner: &'a mut Scanner<Slot>,
    observer: &'a mut Observer,
    lost: &'a mut bool,
    done: &'a mut DoneMark,
}

impl EventData for Feed<'_> {
    fn another_line(&mut self) {
        self.done.push(b"\n");
        self.scan(b"\n");
    }

    fn data(&mut self, run: &[u8], at: usize) {
        self.done.push(run);
        self.scanner.seek(at);
        self.scan(run);
    }
}

impl Feed<'_> {
    fn scan(&mut self, run: &[u8]) {
        if !*self.lost {
            *self.lost = self.scanner.push(run, self.observer).is_err();
        }
    }
}

impl Track {
    pub(super) fn new(framing: Framing, table: &'static Shape<Slot>, observer: Observer) -> Self {
        Self {
            framing,
            sse: Sse::default(),
            scanner: Scanner::new(table, false),
            lost: false,
            done: DoneMark::default(),
            lead: Vec::new(),
            observer,
        }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Reads the next bytes. With an editor, what may go on is put into `out`.
    ///
    /// # Errors
    /// When the editor holds a value back that is blocked, or cannot inspect what comes.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        editor: Option<(&mut EventEditor, &mut Vec<u8>)>,
    ) -> Result<(), CleanError> {
        let joined;
        let mut bytes = bytes;
        if self.framing == Framing::Unknown {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            self.framing = match first {
                None if self.lead.len() + bytes.len() <= EVENT_HELD_BYTES_MAX => {
                    self.lead.extend_from_slice(bytes);
                    return Ok(());
                }
                None | Some(b'{' | b'[') => Framing::Document,
                Some(_) => Framing::Events,
            };
            if !self.lead.is_empty() {
                joined = [self.lead.as_slice(), bytes].concat();
                self.lead.clear();
                bytes = &joined;
            }
        }
        match self.framing {
            Framing::Events => self.push_events(bytes, editor)?,
            Framing::Document | Framing::Unknown => {
                if !self.lost {
                    self.lost = self.scanner.push(bytes, &mut self.observer).is_err();
                }
                if let Some((editor, out)) = editor {
                    editor.document(bytes, out)?;
                }
            }
        }
        if self.framing == Framing::Document {
            // What comes after a whole document takes its end back, so that it does not matter
            // where the bytes were cut.
            self.observer.ended = !self.lost && self.scanner.is_done();
        }
        Ok(())
    }

    fn push_events(
        &mut self,
        mut bytes: &[u8],
        mut editor: Option<(&mut EventEditor, &mut Vec<u8>)>,
    ) -> Result<(), CleanError> {
        while let Some(first) = bytes.first() {
            if self.sse.swallows(*first) {
                bytes = &bytes[1..];
                if let Some((editor, out)) = &mut editor {
                    editor.stray_line_feed(out);
                }
                continue;
            }
            let mut feed = Feed {
                scanner: &mut self.scanner,
                observer: &mut self.observer,
                lost: &mut self.lost,
                done: &mut self.done,
            };
            let (taken, ended) = self.sse.step(bytes, &mut feed);
            if let Some((editor, out)) = &mut editor {
                editor.hold(&bytes[..taken], out)?;
            }
            bytes = &bytes[taken..];
            if let Some(data_lines) = ended {
                let view = self.end_event(data_lines);
                if let Some((editor, out)) = &mut editor {
                    editor.end_event(view, out)?;
                }
            }
        }
        Ok(())
    }

    /// An event is complete. Gives what was read of it, if it was one line of JSON.
    fn end_event(&mut self, data_lines: usize) -> Option<EventView> {
        let view = std::mem::take(&mut self.observer.event);
        let whole = !self.lost && self.scanner.is_done();
        let read = data_lines == 1 && whole;
        self.observer.ended |= self.done.take() || (whole && view.terminal);
        if data_lines > 0 {
            self.scanner.restart();
        }
        self.lost = false;
        read.then_some(view)
    }

    /// The answer has ended.
    pub(super) fn finish(&mut self) {
        match self.framing {
            // The last event counts even if its blank line is missing.
            Framing::Events if !self.sse.at_boundary() => {
                self.end_event(1);
            }
            Framing::Document if !self.lost => {
                self.observer.ended |= self.scanner.finish(&mut self.observer).is_ok();
            }
            _ => {}
        }
    }

    /// Gives up: nothing was seen of this answer.
    pub(super) fn forget(&mut self) {
        self.sse = Sse::default();
        self.lost = true;
        self.done = DoneMark::default();
        self.lead.clear();
        self.observer.forget();
    }

    /// What came and had no framing.
    pub(super) fn take_lead(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lead)
    }

    /// All that what comes next can depend on. Strings and numbers of the scanner are left out:
    /// they begin anew, and what they kept of the last one depends on where it was cut.
    pub(super) fn state(&self) -> impl std::fmt::Debug + '_ {
        (
            (
                self.framing,
                &self.sse,
                self.lost,
                self.done.state(),
                &self.lead,
            ),
            (self.scanner.is_done(), self.scanner.between_elements()),
            &self.observer,
        )
    }

    /// Whether a new event may begin here.
    pub(super) fn at_event_boundary(&self) -> bool {
        self.sse.at_boundary()
    }

    /// Where a growing array stands, if the answer is one and stands between elements.
    pub(super) fn between_elements(&self) -> Option<(bool, bool)> {
        self.scanner.between_elements().filter(|_| !self.lost)
    }
}
