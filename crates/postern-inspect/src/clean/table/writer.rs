//! Writing rows: fields that stay as they were written, others with what stands in place of their
//! values, and between them the separators and line ends of the original.

use std::ops::Range;

use super::grammar::{BYTE_ORDER_MARK, Grammar, Mark, Place};
use crate::body::PLACE as BODY;
use crate::clean::channel::Sink;
use crate::clean::spelling::inner;

/// Findings of one table whose row is told; of those behind them the column alone, so that a long
/// table takes no more room than others.
const ROWS_TOLD_MAX: u32 = 16;

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
    /// Where in it stands what was put in place of values.
    put: Vec<Range<usize>>,
    /// Whether quotes stand around it.
    quoted: bool,
    changed: bool,
    /// A field of its record stands before it.
    follows: bool,
    /// Records that have ended, and fields of the one at hand.
    ended: (u64, usize),
    /// Findings whose row was told.
    told: u32,
    /// What stands in place of the value of which the next bytes are part.
    instead: Option<String>,
}

/// Where settled text of a table goes.
pub(super) struct Rows<'a> {
    pub(super) writer: &'a mut Writer,
    /// What each column is called, where it may be told.
    pub(super) names: &'a [Option<String>],
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

    /// Column and row, as a program that shows tables numbers them.
    fn place(&mut self, of: &str) -> Option<String> {
        let (rows, column) = self.writer.ended;
        let name = self.names.get(column).and_then(Option::as_deref);
        let column = name.map_or_else(|| (column + 1).to_string(), str::to_owned);
        let part = if self.writer.told < ROWS_TOLD_MAX {
            self.writer.told += 1;
            format!("csv:row {}, column {column}", rows + 1)
        } else {
            format!("csv:column {column}")
        };
        Some(if of == BODY {
            part
        } else {
            format!("{of}, {part}")
        })
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
                    self.counts(mark);
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

    /// Counts fields and records; a line without a byte is none.
    fn counts(&mut self, mark: Mark) {
        let (records, fields) = &mut self.ended;
        if mark == Mark::Separator {
            *fields += 1;
        } else if *fields > 0 || !self.raw.is_empty() {
            *records += 1;
            *fields = 0;
        }
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
            let start = self.value.len();
            self.value.push_str(&with);
            self.put.push(start..self.value.len());
            self.changed = true;
        }
    }

    /// In a field of JSON, what was turned back stands as JSON writes it.
    fn fit(&mut self) {
        let is_plain = |range: &Range<usize>| {
            let put = &self.value[range.clone()];
            inner(put) == put
        };
        if self.put.iter().all(is_plain) || !self.is_json() {
            return;
        }
        for range in std::mem::take(&mut self.put).into_iter().rev() {
            let fitting = inner(&self.value[range.clone()]);
            self.value.replace_range(range, &fitting);
        }
    }

    /// Whether the field was JSON as it was written.
    fn is_json(&self) -> bool {
        let bare = self
            .raw
            .strip_prefix('"')
            .and_then(|raw| raw.strip_suffix('"'));
        let text = match bare.filter(|_| self.quoted) {
            Some(bare) => bare.replace("\"\"", QUOTE),
            None => self.raw.clone(),
        };
        serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
    }

    fn end_field(&mut self, out: &mut String, ends_record: bool) {
        self.fit();
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
        self.put.clear();
        (self.quoted, self.changed) = (false, false);
    }
}
