//! What each program found in each text, a JSON object a line: to see which values are missed.

use super::corpora::{Material, Purpose, Row};
use super::score::PROGRAMS;
use super::{Answers, Found};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::Path;

/// Writes the file. Texts and values of the corpora stand in it as they are.
pub(super) fn write(path: &Path, material: &Material, all: &[Answers; 3]) -> Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let file = std::fs::File::create(path).with_context(writing)?;
    let mut out = std::io::BufWriter::new(file);
    for (number, row) in material.rows.iter().enumerate() {
        let found: Map<String, Value> = PROGRAMS
            .iter()
            .zip(all)
            .map(|(name, answers)| {
                let found = answers.found[number].iter().map(found_as_json);
                ((*name).to_owned(), found.collect())
            })
            .collect();
        let line = json!({
            "source": row.source,
            "text": row.text,
            "expected": expected(row),
            "found": found,
        });
        writeln!(out, "{line}").with_context(writing)?;
    }
    out.flush().with_context(writing)
}

fn found_as_json(found: &Found) -> Value {
    json!([found.class, found.start, found.end])
}

fn expected(row: &Row) -> Value {
    match &row.purpose {
        Purpose::Labelled {
            spans,
            count,
            scope,
        } => json!({ "spans": spans, "count": count, "scope": scope }),
        Purpose::Secret { expected } => json!({ "secret": expected }),
        Purpose::Clean { except } => json!({ "except": except }),
    }
}
