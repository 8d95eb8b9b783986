//! The other reading of what may be an escape.
//!
//! Behind a break nobody knows whether `\n` is a line end or a backslash and a letter. Text is read
//! with its escapes first; what goes on after that is looked at once more where a letter stands
//! behind a backslash: the word that begins with the letter, as it is written.

use crate::clean::channel::Sink;
use crate::clean::flow::Flow;
use crate::clean::spelling::inner;
use crate::clean::{CleanError, Cleaner};

/// The letters with which an escape of JSON begins.
const LETTERS: &str = "bfnrtu";

/// What goes on behind a break, between pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt {
    /// Whether the last byte was a backslash.
    slash: bool,
    /// The word that began with the letter of an escape.
    word: Option<Box<Flow>>,
}

/// What one step gave on, in order.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<Step>);

#[derive(Debug)]
enum Step {
    Keep(String),
    Replace(String, String),
    Skip(String),
}

impl Sink for Given {
    fn keep(&mut self, text: &str) {
        self.0.push(Step::Keep(text.to_owned()));
    }

    fn replace(&mut self, text: &str, with: &str) {
        self.0.push(Step::Replace(text.to_owned(), with.to_owned()));
    }

    fn skip(&mut self, text: &str) {
        self.0.push(Step::Skip(text.to_owned()));
    }
}

/// Writes what stands in place of a word so that it may stand in a string.
struct Quoted<'a>(&'a mut dyn Sink);

impl Sink for Quoted<'_> {
    fn keep(&mut self, text: &str) {
        self.0.keep(text);
    }

    fn replace(&mut self, text: &str, with: &str) {
        self.0.replace(text, &inner(with));
    }

    fn skip(&mut self, text: &str) {
        self.0.skip(text);
    }
}

/// Whether a word ends before the character. What a reader takes for an escape is none of a value.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\\')
}

impl Doubt {
    pub(super) fn holds(&self) -> bool {
        self.word.as_ref().is_some_and(|word| word.holds())
    }

    /// Gives on what a step gave.
    pub(super) fn pass(
        &mut self,
        given: Given,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        for step in given.0 {
            match step {
                Step::Keep(text) => self.keep(&text, cleaner, place, out)?,
                Step::Replace(text, with) => {
                    self.finish(cleaner, place, out)?;
                    out.replace(&text, &with);
                }
                Step::Skip(text) => {
                    self.finish(cleaner, place, out)?;
                    out.skip(&text);
                }
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(word) = &mut self.word {
                let (inside, behind) = rest.split_at(rest.find(ends_word).unwrap_or(rest.len()));
                word.push(inside, cleaner, place, &mut Quoted(out))?;
                if !behind.is_empty() {
                    self.finish(cleaner, place, out)?;
                }
                rest = behind;
                continue;
            }
            if std::mem::take(&mut self.slash) && rest.starts_with(|c| LETTERS.contains(c)) {
                // No analyzer is asked: it was shown the word without its letter.
                self.word = Some(Box::new(Flow::new("").bare()));
                continue;
            }
            let end = rest.find('\\').map_or(rest.len(), |at| at + 1);
            self.slash = rest[..end].ends_with('\\');
            out.keep(&rest[..end]);
            rest = &rest[end..];
        }
        Ok(())
    }

    /// What is held goes on: its word has ended.
    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        self.slash = false;
        match self.word.take() {
            Some(mut word) => word.finish(cleaner, place, &mut Quoted(out)),
            None => Ok(()),
        }
    }
}
