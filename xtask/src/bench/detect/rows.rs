//! What each program found in each text, a JSON object a line: to see which values are missed.

use super::corpora::{Purpose, Row};
use super::held_out::{Group, Text};
use super::score::PROGRAMS;
use super::{Answers, Found};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::Path;

/// Writes the file: for each text its source, itself and what stands in it, with what was found.
/// Texts and values of the corpora stand in it as they are.
pub(super) fn write(
    path: &Path,
    rows: impl Iterator<Item = Value>,
    all: &[Answers; 3],
) -> Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let file = std::fs::File::create(path).with_context(writing)?;
    let mut out = std::io::BufWriter::new(file);
    for (number, mut row) in rows.enumerate() {
        let found: Map<String, Value> = PROGRAMS
            .iter()
            .zip(all)
            .map(|(name, answers)| {
                let found = answers.found[number].iter().map(found_as_json);
                ((*name).to_owned(), found.collect())
            })
            .collect();
        row["found"] = found.into();
        writeln!(out, "{row}").with_context(writing)?;
    }
    out.flush().with_context(writing)
}

fn found_as_json(found: &Found) -> Value {
    json!([found.class, found.start, found.end])
}

pub(super) fn of_corpus(row: &Row) -> Value {
    let expected = match &row.purpose {
        Purpose::Labelled {
            spans,
            count,
            scope,
        } => json!({ "spans": spans, "count": count, "scope": scope }),
        Purpose::Secret { expected } => json!({ "secret": expected }),
        Purpose::Clean { except } => json!({ "except": except }),
    };
    json!({ "source": row.source, "text": row.text, "expected": expected })
}

pub(super) fn of_held_out(row: &Text) -> Value {
    let expected = match row.group {
        Group::Value => json!({ "spans": [[row.class, row.start, row.end]] }),
        Group::Key => json!({ "secret": true, "provider": row.class }),
        Group::Near | Group::None => json!({ "except": [] }),
    };
    json!({ "source": row.frame, "text": row.text, "expected": expected })
}
