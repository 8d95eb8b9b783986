//! Text in rows and columns: CSV (RFC 4180) and values between tabs.
//!
//! The first row names the columns, as keys name the values of JSON. The text is read twice: as it
//! stands, like any text, so that nothing is lost that goes over the border of a field or that its
//! neighbours make likely; and field by field, decoded, with the name of its column to the left.
//! What both find is one finding, by the same order as elsewhere. Only fields that change are
//! written anew; separators and line ends always stay, so that no row gains or loses a field.

mod escaped;
mod grammar;
mod records;
mod writer;

use super::flow::{Flow, Told};
use super::{CleanError, Cleaner};
use crate::bounds::LEFT_BYTES;
use crate::detect::context::ceiling;
use crate::document::told_name;
use records::Records;
use writer::{Rows, Writer};

/// What the type of such a text says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableKind {
    /// Tabs separate the values, and a quote amid one is only a quote; otherwise the first row
    /// tells what separates them.
    pub(crate) tabs: bool,
    /// Whether the first row may name the columns.
    pub(crate) header: bool,
}

/// The state of one table between pieces.
#[derive(Debug, Clone)]
pub(super) struct Table {
    flow: Flow,
    records: Records,
    writer: Writer,
    /// Whether the columns may still get names.
    unnamed: bool,
    /// The names of the columns, in order.
    names: Vec<String>,
    /// Those of them that may be told.
    told_names: Vec<Option<String>>,
}

impl Table {
    pub(super) fn new(kind: TableKind, left: &str) -> Self {
        Self {
            flow: Flow::new(left),
            records: Records::new(kind),
            writer: Writer::default(),
            unnamed: kind.header,
            names: Vec::new(),
            told_names: Vec::new(),
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.flow.holds() || self.records.holds() || self.writer.holds()
    }

    pub(super) fn push(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut String,
    ) -> Result<(), CleanError> {
        let mut rest = text;
        while let Some(after) = self.records.take(rest)? {
            rest = &rest[after..];
            self.record(cleaner, place, out)?;
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut String,
    ) -> Result<(), CleanError> {
        self.records.end()?;
        self.record(cleaner, place, out)?;
        let mut rows = Rows {
            writer: &mut self.writer,
            names: &self.told_names,
            out,
        };
        self.flow.finish(cleaner, place, &mut rows)?;
        self.writer.finish(out);
        Ok(())
    }

    /// Works on the record that is whole.
    fn record(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut String,
    ) -> Result<(), CleanError> {
        let Some(record) = self.records.read()? else {
            return Ok(());
        };
        self.writer.reads(record.grammar);
        let mut told = Vec::new();
        // A line that is empty, or says what separates the fields, has none.
        if self.unnamed && !record.fields.is_empty() {
            self.unnamed = false;
            self.names = names(&record.fields, cleaner)?;
            // SECURITY: a name may be a value by a rule's own class, and is a number then.
            let told = |name: &String| {
                let tells = told_name(name) == name && cleaner.passes_word(name, true);
                tells.then(|| name.clone())
            };
            self.told_names = self.names.iter().map(told).collect();
        }
        for (at, field) in record.fields.iter().enumerate() {
            if field.raw.is_empty() {
                continue;
            }
            let name = self.names.get(at).map_or("", String::as_str);
            let text = field.text();
            let mut found = Flow::found_in(name, &text, cleaner)?;
            found.extend(escaped::found_in(name, &text, cleaner)?);
            if !found.is_empty() {
                told.push(Told {
                    at: field.at,
                    raw: field.raw,
                    doubled: field.quoted,
                    found,
                });
            }
        }
        let mut rows = Rows {
            writer: &mut self.writer,
            names: &self.told_names,
            out,
        };
        self.flow
            .push_told(record.text, told, (cleaner, place), &mut rows)
    }
}

/// The names in the first row; none, where a field of it is itself a value.
fn names(fields: &[records::Field<'_>], cleaner: &Cleaner) -> Result<Vec<String>, CleanError> {
    let mut names = Vec::with_capacity(fields.len());
    for field in fields {
        let text = field.text();
        if Flow::is_value(&text, cleaner)? {
            return Ok(Vec::new());
        }
        // No detector asks about more; without the bound a long one would be read with each row.
        let name = text.trim();
        let from = ceiling(name, name.len().saturating_sub(LEFT_BYTES));
        names.push(name[from..].to_owned());
    }
    Ok(names)
}
