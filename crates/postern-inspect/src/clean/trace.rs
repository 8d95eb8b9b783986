//! What would change in a text, and where: for tools that show it and for measurements.

use std::ops::Range;

use super::channel::Sink;
use super::flow::Flow;
use super::{CleanError, Cleaner};

/// A part of a text that does not go on as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What goes on instead.
    pub with: String,
}

/// Follows the text and remembers what is replaced.
#[derive(Default)]
struct Trace {
    at: usize,
    changes: Vec<Change>,
}

impl Sink for Trace {
    fn keep(&mut self, text: &str) {
        self.at += text.len();
    }

    fn replace(&mut self, text: &str, with: &str) {
        let end = self.at + text.len();
        self.changes.push(Change {
            range: self.at..end,
            with: with.to_owned(),
        });
        self.at = end;
    }

    fn skip(&mut self, text: &str) {
        self.at += text.len();
        if let Some(last) = self.changes.last_mut() {
            last.range.end = self.at;
        }
    }
}

impl Cleaner {
    /// What would change in a plain text, in order.
    ///
    /// # Errors
    /// When a rule blocks what is in it, or it cannot be inspected.
    pub fn trace(&mut self, place: &str, text: &str) -> Result<Vec<Change>, CleanError> {
        let mut trace = Trace::default();
        let mut flow = Flow::new("");
        flow.push(text, self, place, &mut trace)?;
        flow.finish(self, place, &mut trace)?;
        Ok(trace.changes)
    }
}
