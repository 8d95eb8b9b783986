//! Values that are found beside the text as it stands: in fields of a table, each a text of its
//! own.

use super::{CleanError, Cleaner, Flow};
use crate::clean::channel::Sink;
use crate::detect::fold::folded;
use crate::detect::span::{Span, What};

/// What was found in a part of a text that is a text of its own.
#[derive(Debug)]
pub(in crate::clean) struct Told<'a> {
    /// Where the part begins in the piece, in bytes.
    pub(in crate::clean) at: usize,
    /// The part as it is written.
    pub(in crate::clean) raw: &'a str,
    /// Whether two quotes in it are one of its text.
    pub(in crate::clean) doubled: bool,
    /// What was found, by its place in the part as it is read.
    pub(in crate::clean) found: Vec<Span>,
}

impl Flow {
    /// What is found in a text of its own, under a name if it has one; the places are in the text
    /// as it is read.
    pub(in crate::clean) fn found_in(
        name: &str,
        text: &str,
        cleaner: &Cleaner,
    ) -> Result<Vec<Span>, CleanError> {
        let left = if name.is_empty() {
            String::new()
        } else {
            format!("{name}: ")
        };
        Self::new(&left).all_in(text, cleaner)
    }

    /// What is found in a text that is all there is of it; the places are in the text as it is
    /// read.
    pub(super) fn all_in(mut self, text: &str, cleaner: &Cleaner) -> Result<Vec<Span>, CleanError> {
        let from = self.from;
        self.take(text)?;
        self.advance(cleaner, true);
        self.walk(cleaner, true);
        let mut found = self.spans;
        for span in &mut found {
            span.start -= from;
            span.end -= from;
            span.matched = span.matched.saturating_sub(from);
        }
        Ok(found)
    }

    /// Whether a text is itself a value that a detector knows.
    pub(in crate::clean) fn is_value(text: &str, cleaner: &Cleaner) -> Result<bool, CleanError> {
        let mut flow = Self::new("");
        flow.take(text)?;
        flow.advance(cleaner, true);
        let mut found = flow.spans.iter();
        Ok(found.any(|span| matches!(span.what, What::Found { .. })))
    }

    /// As [`Flow::push`], for a piece that ends where no value is cut by what was found in its
    /// parts; these are in order.
    pub(in crate::clean) fn push_told(
        &mut self,
        piece: &str,
        parts: Vec<Told<'_>>,
        (cleaner, place): (&mut Cleaner, &str),
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if parts.is_empty() {
            return self.push(piece, cleaner, place, out);
        }
        let (mut read, mut at) = (self.text.len(), 0);
        self.read(piece, cleaner)?;
        self.told = true;
        for part in parts {
            read += folded(&piece[at..part.at]).len();
            at = part.at;
            let quotes = if part.doubled {
                quotes(part.raw)
            } else {
                Vec::new()
            };
            let written = |at: usize| read + at + quotes.partition_point(|quote| *quote < at);
            self.spans.extend(part.found.into_iter().map(|span| Span {
                start: written(span.start),
                end: written(span.end),
                matched: written(span.matched),
                what: span.what,
            }));
        }
        self.give_on(cleaner, place, false, out)
    }
}

/// Where the quotes that are written twice stand in the text as it is read.
fn quotes(raw: &str) -> Vec<usize> {
    let mut read = 0;
    let mut quotes = Vec::new();
    let mut pieces = raw.split("\"\"").peekable();
    while let Some(piece) = pieces.next() {
        read += folded(piece).len();
        if pieces.peek().is_some() {
            quotes.push(read);
            read += 1;
        }
    }
    quotes
}
