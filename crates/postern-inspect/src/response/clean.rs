//! Cleaning an answer while it passes: event by event, element by element, or as one document.
//!
//! Every event goes on as soon as it is complete, in its place, with what its texts release. What a
//! text still holds back when it ends stands in the event that ends it, or in one more event before
//! it, made after the last one of that text. Events without text pass as they came.

mod answers;
mod beside;
mod calls;
mod channels;
mod elements;
mod ends;
mod items;
mod lines;
mod names;
mod queue;
mod starts;
mod state;
mod tail;
mod thinking;
mod waiting;
mod wholes;

use postern_types::{Finding, Operation};

use crate::bounds::DOCUMENT_HELD_BYTES_MAX;
use crate::clean::{CleanError, Cleaner};
use crate::document::{self, New, Walk};
use crate::json::Tree;
use crate::text::{self, TextShape};
use crate::{Dialect, ResponseOptions};
use channels::Channels;
use elements::{Elements, Part};
use ends::End;
use lines::Lines;
use queue::Item;
use starts::Starts;
use tail::Tail;
use thinking::{Thinking, Verdict};
use waiting::Waiting;
use wholes::Wholes;

/// The bytes of an answer that is not made of events, on their way.
#[derive(Debug, Clone)]
enum Form {
    /// Nothing of it has come.
    Unknown,
    /// One document, held until it is whole.
    Whole(Vec<u8>),
    /// A growing array.
    Elements(Elements),
}

/// Cleans one answer.
#[derive(Debug, Clone)]
pub(super) struct AnswerCleaner {
    dialect: Dialect,
    operation: Operation,
    cleaner: Cleaner,
    event: &'static TextShape,
    channels: Channels,
    thinking: Thinking,
    wholes: Wholes,
    starts: Starts,
    form: Form,
    /// Whether the rules are dry runs: then everything passes as it came.
    watches: bool,
    /// What came and waits to be cleaned, where an analyzer is asked.
    queue: Vec<Item>,
    /// Whether the last event that was queued was left out.
    dropped: bool,
    waiting: Waiting,
    /// The last name of an event that passed.
    passed: String,
}

/// What became of the data of one event.
struct Cleaned {
    /// The data of events that go before it, with the name of each.
    tails: Vec<Tail>,
    outcome: Outcome,
}

enum Outcome {
    /// It passes as it came.
    Same,
    /// It passes as this.
    New(Vec<u8>),
    /// It is left out.
    Nothing,
}

impl AnswerCleaner {
    pub(super) fn new(options: &ResponseOptions<'_>, cleaner: Cleaner) -> Self {
        let (dialect, operation) = (options.dialect, options.operation);
        let choices = options.choices;
        let asked = choices.filter(|_| operation == Operation::ChatCompletions);
        Self {
            dialect,
            operation,
            thinking: Thinking::new(dialect, cleaner.rules().thinking(cleaner.direction())),
            watches: cleaner.only_watches(),
            cleaner,
            event: text::event(dialect, operation),
            channels: Channels::new(asked),
            wholes: Wholes::default(),
            starts: Starts::default(),
            form: Form::Unknown,
            queue: Vec::new(),
            dropped: false,
            waiting: Waiting::default(),
            passed: String::new(),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.cleaner.findings()
    }

    /// Whether everything passes as it came, and is only looked at.
    pub(super) fn watches(&self) -> bool {
        self.watches
    }

    /// Cleans a whole event of server-sent events. `last` says that the stream ends with it.
    pub(super) fn event(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        if self.cleaner.analyzes() {
            self.queue.push(Item::Event(raw.to_vec(), last));
            return Ok(());
        }
        self.event_now(raw, last, out)
    }

    fn event_now(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.watches {
            // What a dry run cannot read passes, like everything else.
            let done = self.clean_event(raw, last, &mut Vec::new());
            self.watched(&done);
            out.extend_from_slice(raw);
            return Ok(());
        }
        self.clean_event(raw, last, out)
    }

    fn clean_one(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), CleanError> {
        let lines = Lines::split(raw);
        let data = lines.data(raw);
        let trimmed = data.trim_ascii();
        let cleaned = if trimmed.is_empty() || trimmed == b"[DONE]" {
            let ends = !trimmed.is_empty() || last;
            let tails = if ends { self.end_all()? } else { Vec::new() };
            Cleaned {
                tails,
                outcome: Outcome::Same,
            }
        } else {
            let name = lines.name(raw, &self.cleaner, &mut self.passed);
            self.channels.begin(name);
            self.data(&data, last)?
        };
        for tail in cleaned.tails {
            tail.write_event(out);
        }
        let rest = lines.clean_others(raw, &mut self.cleaner, &self.passed)?;
        match cleaned.outcome {
            Outcome::Nothing => {}
            Outcome::Same if rest.is_none() => out.extend_from_slice(raw),
            Outcome::Same => lines.write(rest.as_deref().unwrap_or(raw), &data, out),
            Outcome::New(data) => lines.write(rest.as_deref().unwrap_or(raw), &data, out),
        }
        Ok(())
    }

    /// Takes the next bytes of an answer that is not made of events.
    pub(super) fn document(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CleanError> {
        let grows = self.operation == Operation::StreamGenerateContent;
        if self.cleaner.analyzes() && grows {
            self.queue.push(Item::Document(bytes.to_vec()));
            return Ok(());
        }
        self.document_now(bytes, out)
    }

    fn document_now(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.watches {
            let done = self.clean_document(bytes, &mut Vec::new());
            self.watched(&done);
            out.extend_from_slice(bytes);
            return Ok(());
        }
        self.clean_document(bytes, out)
    }

    fn clean_document(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CleanError> {
        if matches!(self.form, Form::Unknown) {
            let grows = self.operation == Operation::StreamGenerateContent;
            self.form = if grows {
                Form::Elements(Elements::default())
            } else {
                Form::Whole(Vec::new())
            };
        }
        let mut rest = bytes;
        loop {
            let part = match &mut self.form {
                Form::Whole(held) => {
                    if held.len() + rest.len() > DOCUMENT_HELD_BYTES_MAX {
                        return Err(CleanError::CannotInspect("the answer is too long to hold"));
                    }
                    held.extend_from_slice(rest);
                    return Ok(());
                }
                Form::Elements(elements) => {
                    let waits = self.waiting.holds();
                    let to = if waits {
                        self.waiting.behind()?
                    } else {
                        &mut *out
                    };
                    elements.push(&mut rest, to, waits)?
                }
                Form::Unknown => return Ok(()),
            };
            match part {
                Part::Nothing => return Ok(()),
                Part::Element(element, alone) => {
                    if !alone && self.waits(&element) {
                        self.waiting.hold(element);
                        continue;
                    }
                    self.element_goes_on(&element, alone, out)?;
                }
                Part::Behind(ends) => self.release_element(ends, out)?,
                Part::End => {
                    self.begin_elements(out);
                    let tails = self.end_all()?;
                    self.write_elements(&tails, out);
                    out.push(b']');
                }
            }
        }
    }

    /// The answer has ended.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.cleaner.analyzes() {
            self.queue.push(Item::End);
            return Ok(());
        }
        self.finish_now(out)
    }

    fn finish_now(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        if self.watches {
            let done = self.clean_end(&mut Vec::new());
            self.watched(&done);
            return Ok(());
        }
        self.clean_end(out)
    }

    fn clean_end(&mut self, out: &mut Vec<u8>) -> Result<(), CleanError> {
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Whole(held) if !held.trim_ascii().is_empty() => {
                let places = text::answer(self.dialect, self.operation);
                let new = document::clean_json(&held, places, &mut self.cleaner)?;
                out.extend_from_slice(new.as_deref().unwrap_or(&held));
            }
            // What is missing of an array cannot be made up for.
            Form::Elements(elements) => {
                self.form = Form::Elements(elements);
                self.release_element(true, out)?;
                self.begin_elements(out);
            }
            Form::Whole(_) => {}
            Form::Unknown => {
                self.release_event(out)?;
                for tail in self.end_all()? {
                    tail.write_event(out);
                }
            }
        }
        Ok(())
    }

    /// What stands before the first element of a growing array goes on.
    fn begin_elements(&mut self, out: &mut Vec<u8>) {
        if let Form::Elements(elements) = &mut self.form {
            elements.begin(out);
        }
    }

    /// In a growing array, what has to stand before another element.
    pub(super) fn before_next(&self) -> Option<&'static [u8]> {
        match &self.form {
            Form::Elements(elements) => elements.before_next(self.watches),
            Form::Unknown | Form::Whole(_) => None,
        }
    }

    /// An element goes on in its place.
    fn element_goes_on(
        &mut self,
        element: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        let done = self.element(element, last, out);
        if self.watches {
            self.watched(&done);
        } else {
            done?;
        }
        if let Form::Elements(elements) = &mut self.form {
            elements.went_on();
        }
        Ok(())
    }

    fn element(
        &mut self,
        element: &[u8],
        alone: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        self.channels.begin("");
        let cleaned = self.data(element, alone)?;
        self.begin_elements(out);
        // A comma stands before the element, if any; so one goes behind each that is put in.
        for tail in &cleaned.tails {
            tail.write_data(out);
            out.extend_from_slice(b",\n");
        }
        match cleaned.outcome {
            Outcome::Same => out.extend_from_slice(element),
            Outcome::New(data) => out.extend_from_slice(&data),
            Outcome::Nothing => out.extend_from_slice(b"{}"),
        }
        Ok(())
    }

    /// Puts elements behind the last one of an array.
    fn write_elements(&self, tails: &[Tail], out: &mut Vec<u8>) {
        for tail in tails {
            out.extend_from_slice(b",\n");
            tail.write_data(out);
        }
    }

    /// Tells what a dry run could not read.
    fn watched(&mut self, done: &Result<(), CleanError>) {
        if let Err(CleanError::CannotInspect(_)) = done {
            self.unread();
        }
    }

    /// Tells that something of the answer could not be read.
    pub(super) fn unread(&mut self) {
        self.cleaner.unread("answer");
    }

    fn end_all(&mut self) -> Result<Vec<Tail>, CleanError> {
        self.channels.begin("");
        self.channels.end(&[End::all()], &mut self.cleaner)
    }

    /// Cleans the data of an event, or an element.
    fn data(&mut self, data: &[u8], last: bool) -> Result<Cleaned, CleanError> {
        let tree = Tree::read(data).map_err(CleanError::CannotInspect)?;
        self.channels.number(&tree);
        let verdict = self.thinking.judge(&tree)?;
        if self.dialect == Dialect::Gemini {
            self.wholes.check(&tree, &mut self.cleaner)?;
        }
        let goes_on = self.starts.go_on(self.dialect, self.operation, &tree)?;
        self.channels.go_on(goes_on);
        ends::items_begin(self.operation, &tree, self.channels.items())?;
        let items = self.channels.items();
        let mut ends = ends::of(self.dialect, self.operation, &tree, items);
        if self.waiting.never {
            ends.retain(|end| !end.doubtful);
        }
        let begun = ends::begun(self.dialect, self.operation, &tree, items);
        self.channels.reopen(&begun);
        if last {
            ends.push(End::all());
        }
        match verdict {
            Verdict::Drop | Verdict::Pass => {
                let tails = self.channels.end(&ends, &mut self.cleaner)?;
                let outcome = if verdict == Verdict::Drop {
                    Outcome::Nothing
                } else {
                    Outcome::Same
                };
                return Ok(Cleaned { tails, outcome });
            }
            Verdict::Clean(_) => {}
        }
        let moved = match verdict {
            Verdict::Clean(moved) => moved,
            Verdict::Drop | Verdict::Pass => None,
        };
        self.channels.move_index(moved);
        let mut walk = Walk::new(&tree, &mut self.cleaner, Some(&mut self.channels));
        walk.value(Tree::ROOT, self.event, "")?;
        let (mut edits, padding) = (walk.edits, walk.padding);
        let tails = self.channels.end(&ends, &mut self.cleaner)?;
        if self.channels.settle(&mut edits) {
            for id in padding {
                edits.put(tree.node(id).span, New::Text(String::new()));
            }
        }
        if let Some((id, index)) = moved {
            let index = index.to_string().into_bytes();
            edits.put(tree.node(id).span, New::Bytes(index));
        }
        let outcome = match edits.apply(data) {
            Some(new) => Outcome::New(new),
            None => Outcome::Same,
        };
        Ok(Cleaned { tails, outcome })
    }
}

#[cfg(test)]
mod tests;
