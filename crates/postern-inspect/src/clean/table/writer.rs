//! Writing rows: fields that stay as they were written, others with what stands in place of their
//! values, and between them the separators and line ends of the original.

use super::grammar::{BYTE_ORDER_MARK, Grammar, Mark, Place};
use crate::clean::channel::Sink;

/// What is doubled between quotes.
const QUOTE: &str = "\"";

/// The field that is being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    grammar: Grammar,
    place: Place,
    /// Something was written.
    began: bool,
    /// It as it was written.
    raw: String,
    /// Its value as it goes on.
    value: String,
    /// Whether quotes stand around it.
    quoted: bool,
    changed: bool,
    /// A field of its record stands before it.
    follows: bool,
    /// What stands in place of the value of which the next bytes are part.
    instead: Option<String>,
}

/// Where settled text of a table goes.
pub(super) struct Rows<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) out: &'a mut String,
}

impl Sink for Rows<'_> {
    fn keep(&mut self, text: &str) {
        self.writer.write(text, true, self.out);
    }

    fn replace(&mut self, text: &str, with: &str) {
        self.writer.instead = Some(with.to_owned());
        self.writer.write(text, false, self.out);
        self.writer.put_instead();
    }

    fn skip(&mut self, text: &str) {
        self.writer.write(text, false, self.out);
    }
}

impl Writer {
    /// The text is written so from here on.
    pub(super) fn reads(&mut self, grammar: Grammar) {
        self.grammar = grammar;
    }

    pub(super) fn holds(&self) -> bool {
        !self.raw.is_empty() || !self.value.is_empty()
    }

    /// The text has ended.
    pub(super) fn finish(&mut self, out: &mut String) {
        self.end_field(out, true);
    }

    /// Writes on. Of a value that does not stay, what is no part of a field stays all the same.
    fn write(&mut self, text: &str, keep: bool, out: &mut String) {
        let mut text = text;
        if !text.is_empty() && !std::mem::replace(&mut self.began, true) {
            // The mark is no part of a field.
            if let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
                out.push_str(BYTE_ORDER_MARK);
                text = rest;
            }
        }
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            // Quotes were found well-formed before the text came here.
            let mark = self.grammar.step(&mut self.place, byte);
            let mark = mark.unwrap_or(Mark::Content);
            if mark == Mark::Content {
                continue;
            }
            self.content(&text[plain..at], keep);
            plain = at + 1;
            match mark {
                Mark::Separator | Mark::LineEnd => {
                    self.end_field(out, mark == Mark::LineEnd);
                    out.push(char::from(byte));
                    self.follows = mark == Mark::Separator;
                    continue;
                }
                Mark::Doubled => self.value_of(QUOTE, keep),
                Mark::Quote => self.quoted = true,
                Mark::Content => {}
            }
            self.raw.push(char::from(byte));
        }
        self.content(&text[plain..], keep);
    }

    fn content(&mut self, text: &str, keep: bool) {
        if !text.is_empty() {
            self.raw.push_str(text);
            self.value_of(text, keep);
        }
    }

    fn value_of(&mut self, text: &str, keep: bool) {
        if keep {
            self.value.push_str(text);
        } else {
            self.changed = true;
            self.put_instead();
        }
    }

    fn put_instead(&mut self) {
        if let Some(with) = self.instead.take() {
            self.value.push_str(&with);
            self.changed = true;
        }
    }

    fn end_field(&mut self, out: &mut String, ends_record: bool) {
        // A record of one field without a byte in it would be none.
        let vanishes = ends_record && !self.follows && self.value.is_empty();
        if !self.changed {
            out.push_str(&self.raw);
        } else if self.quoted || vanishes || self.grammar.needs_quotes(&self.value) {
            out.push('"');
            out.push_str(&str::replace(&self.value, QUOTE, "\"\""));
            out.push('"');
        } else {
            out.push_str(&self.value);
        }
        self.raw.clear();
        self.value.clear();
        (self.quoted, self.changed) = (false, false);
    }
}
