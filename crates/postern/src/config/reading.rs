//! Reading a configuration file against the tables of its keys.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One key, as the reference prints it.
#[derive(Debug)]
pub struct Key {
    /// Its name in the section.
    pub name: &'static str,
    /// What may be written, in words.
    pub form: &'static str,
    /// What holds when it is left out, as it would be written; `None` if nothing does.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

/// The keys of one section.
#[derive(Debug)]
pub struct SectionKeys {
    /// The section's name, between brackets in the file.
    pub name: &'static str,
    /// What the section is about.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A file being read. Values are taken out; what is left over at the end is unknown.
pub(super) struct Reading<'a> {
    text: &'a str,
    values: BTreeMap<(&'static str, &'static str), Spanned<DeValue<'a>>>,
    problems: Vec<Problem>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(text: &'a str, sections: &[&'static SectionKeys]) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reading = Self {
            text,
            values: BTreeMap::new(),
            problems: Vec::new(),
        };
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            reading.problem(at, error.message().to_owned());
        }
        for (name, value) in table.into_inner() {
            let at = name.span().start;
            let name = name.into_inner();
            let Some(section) = sections.iter().find(|section| section.name == name) else {
                let names: Vec<_> = sections.iter().map(|section| section.name).collect();
                let hint = nearest(&name, &names);
                reading.problem(at, format!("there is no section [{name}]{hint}"));
                continue;
            };
            match value.into_inner() {
                DeValue::Table(table) => reading.section(section, table),
                other => {
                    let kind = other.type_str();
                    reading.problem(
                        at,
                        format!("{name} is a section, not a value of type {kind}"),
                    );
                }
            }
        }
        reading
    }

    fn section(&mut self, section: &'static SectionKeys, table: DeTable<'a>) {
        for (name, value) in table {
            let at = name.span().start;
            match section
                .keys
                .iter()
                .find(|key| key.name == name.get_ref().as_ref())
            {
                Some(key) => {
                    self.values.insert((section.name, key.name), value);
                }
                None => {
                    let names: Vec<_> = section.keys.iter().map(|key| key.name).collect();
                    let hint = nearest(name.get_ref(), &names);
                    let name = name.get_ref();
                    let section = section.name;
                    self.problem(at, format!("[{section}] has no key {name}{hint}"));
                }
            }
        }
    }

    /// Takes a key that has a default. A wrong value is a problem, and the default goes on.
    pub(super) fn take<T>(
        &mut self,
        section: &'static SectionKeys,
        name: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        if let Some(value) = self.maybe(section, name, &parse) {
            return value;
        }
        let default = key(section, name)
            .default
            .expect("a key taken so has a default");
        let value = DeValue::parse(default).expect("defaults are written as TOML");
        parse(value.get_ref()).expect("defaults fit their own parser")
    }

    /// Takes a key that may be left out.
    pub(super) fn maybe<T>(
        &mut self,
        section: &'static SectionKeys,
        name: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.values.remove(&(section.name, name))?;
        match parse(value.get_ref()) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.problem(
                    value.span().start,
                    format!("{}.{name}: {why}", section.name),
                );
                None
            }
        }
    }

    /// Where a key stands in the file, for problems that concern several keys.
    pub(super) fn place(&self, section: &SectionKeys, name: &str) -> Option<Range<usize>> {
        let found = |(s, k): &(&str, &str)| *s == section.name && *k == name;
        self.values
            .iter()
            .find(|(key, _)| found(key))
            .map(|(_, value)| value.span())
    }

    /// Notes a problem at a place in the text.
    pub(super) fn problem(&mut self, at: usize, message: String) {
        let line = 1 + self.text.as_bytes()[..at.min(self.text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        self.problems.push(Problem { line, message });
    }

    /// What was wrong, in the order of the lines.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        debug_assert!(self.values.is_empty(), "every key of the tables is taken");
        self.problems.sort();
        self.problems
    }
}

fn key(section: &'static SectionKeys, name: &str) -> &'static Key {
    section
        .keys
        .iter()
        .find(|key| key.name == name)
        .expect("keys are taken by their table's name")
}

/// `: did you mean …?`, when one of the names is close.
fn nearest(given: &str, names: &[&str]) -> String {
    let close = names.iter().map(|name| (distance(given, name), name)).min();
    match close {
        Some((steps, name)) if steps <= 2.max(name.len() / 3) => {
            format!(": did you mean {name}?")
        }
        _ => format!(": known are {}", names.join(", ")),
    }
}

/// Insertions, deletions and replacements between two short texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
