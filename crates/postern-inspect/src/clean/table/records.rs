//! Records of a table, put together from pieces and taken apart into fields.

use std::borrow::Cow;

use super::TableKind;
use super::grammar::{BYTE_ORDER_MARK, Grammar, Mark, Place, SEPARATORS, StrayQuote};
use crate::bounds::BODY_HELD_BYTES_MAX;
use crate::clean::CleanError;

/// A field of a record.
#[derive(Debug)]
pub(super) struct Field<'a> {
    /// Where its value begins in the record's text, in bytes.
    pub(super) at: usize,
    /// Its value as it is written, without the quotes around it.
    pub(super) raw: &'a str,
    /// Whether quotes stand around it, so that two of them in it are one.
    pub(super) quoted: bool,
}

impl Field<'_> {
    /// Its value.
    pub(super) fn text(&self) -> Cow<'_, str> {
        if self.quoted && self.raw.contains('"') {
            Cow::Owned(self.raw.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// A whole record.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// All of it, line end included.
    pub(super) text: &'a str,
    /// Its fields; none in a line without a byte, and in one that only says what separates the
    /// values (`sep=;`, as spreadsheets write it).
    pub(super) fields: Vec<Field<'a>>,
    /// How it is written.
    pub(super) grammar: Grammar,
}

/// The record that has begun.
#[derive(Debug, Clone)]
pub(super) struct Records {
    grammar: Grammar,
    held: String,
    place: Place,
    /// The one held was given, and the next begins with the next byte.
    given: bool,
    /// No record was read yet.
    first: bool,
}

const STRAY: CleanError = CleanError::CannotInspect("quotes of a table are not well-formed");

impl From<StrayQuote> for CleanError {
    fn from(_: StrayQuote) -> Self {
        STRAY
    }
}

impl Records {
    pub(super) fn new(kind: TableKind) -> Self {
        Self {
            grammar: Grammar {
                separator: kind.tabs.then_some(b'\t'),
                loose: kind.tabs,
            },
            held: String::new(),
            place: Place::Begin,
            given: false,
            first: true,
        }
    }

    pub(super) fn holds(&self) -> bool {
        !self.given && !self.held.is_empty()
    }

    /// Takes text up to the end of the record that has begun, and says how many bytes that were;
    /// `None` if the record goes on.
    pub(super) fn take(&mut self, text: &str) -> Result<Option<usize>, CleanError> {
        if std::mem::take(&mut self.given) {
            self.held.clear();
        }
        let begins = self.first && self.held.is_empty();
        let mark = if begins { mark_len(text) } else { 0 };
        for (at, byte) in text.bytes().enumerate().skip(mark) {
            if self.grammar.step(&mut self.place, byte)? == Mark::LineEnd {
                self.hold(&text[..=at])?;
                return Ok(Some(at + 1));
            }
        }
        self.hold(text)?;
        Ok(None)
    }

    fn hold(&mut self, text: &str) -> Result<(), CleanError> {
        if self.held.len() + text.len() > BODY_HELD_BYTES_MAX {
            return Err(CleanError::CannotInspect("a row of a table is too long"));
        }
        self.held.push_str(text);
        Ok(())
    }

    /// The text has ended, and the record that has begun with it.
    pub(super) fn end(&mut self) -> Result<(), CleanError> {
        if std::mem::take(&mut self.given) {
            self.held.clear();
        }
        if self.place == Place::Quoted {
            return Err(STRAY);
        }
        Ok(())
    }

    /// The record that is whole; `None` if there is not a byte of it.
    pub(super) fn read(&mut self) -> Result<Option<Record<'_>>, CleanError> {
        if self.given || self.held.is_empty() {
            return Ok(None);
        }
        self.given = true;
        let mark = if self.first { mark_len(&self.held) } else { 0 };
        self.first = false;
        let mut is_hint = false;
        let line = self.held[mark..].trim_end_matches(['\r', '\n']);
        // An empty line tells nothing.
        if self.grammar.separator.is_none() && !line.is_empty() {
            let hint = hinted(line);
            is_hint = hint.is_some();
            self.grammar.separator = hint.or_else(|| Some(likeliest(line)));
        }
        let fields = fields(&self.held, mark, self.grammar)?;
        Ok(Some(Record {
            text: &self.held,
            fields: if is_hint { Vec::new() } else { fields },
            grammar: self.grammar,
        }))
    }
}

/// The bytes of a byte order mark at the beginning, if there is one.
fn mark_len(text: &str) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    }
}

/// What a first line says that only says what separates the values.
fn hinted(line: &str) -> Option<u8> {
    match line.strip_prefix("sep=")?.as_bytes() {
        [separator] if SEPARATORS.contains(separator) => Some(*separator),
        _ => None,
    }
}

/// What separates the values of the first record, most likely.
fn likeliest(text: &str) -> u8 {
    let open = Grammar {
        separator: None,
        loose: false,
    };
    let (mut place, mut counts) = (Place::Begin, [0_usize; SEPARATORS.len()]);
    for byte in text.bytes() {
        if let Ok(Mark::Separator) = open.step(&mut place, byte)
            && let Some(at) = SEPARATORS.iter().position(|known| *known == byte)
        {
            counts[at] += 1;
        }
    }
    let most = (0..counts.len()).rev().max_by_key(|at| counts[*at]);
    SEPARATORS[most.unwrap_or(0)]
}

/// The fields of a record, which begin at an offset.
fn fields(text: &str, from: usize, grammar: Grammar) -> Result<Vec<Field<'_>>, CleanError> {
    let mut fields = Vec::new();
    let (mut place, mut begin) = (Place::Begin, from);
    let field = |range: std::ops::Range<usize>| {
        let raw = &text[range.clone()];
        let inner = raw.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        Field {
            at: range.start + usize::from(inner.is_some()),
            raw: inner.unwrap_or(raw),
            quoted: inner.is_some(),
        }
    };
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match grammar.step(&mut place, byte)? {
            Mark::Separator => fields.push(field(std::mem::replace(&mut begin, at + 1)..at)),
            Mark::LineEnd => {
                if at > begin || !fields.is_empty() {
                    fields.push(field(begin..at));
                }
                return Ok(fields);
            }
            Mark::Content | Mark::Doubled | Mark::Quote => {}
        }
    }
    if place == Place::Quoted {
        return Err(STRAY);
    }
    if text.len() > begin || !fields.is_empty() {
        fields.push(field(begin..text.len()));
    }
    Ok(fields)
}
