//! The texts and what is to be found in them.

use super::classes;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

/// What a text is there for.
pub(super) enum Purpose {
    /// These values stand in it and no others of the `scope`; `count` where places are not known.
    Labelled {
        spans: Vec<(String, usize, usize)>,
        count: Option<(String, usize)>,
        /// The classes that are judged; empty for all that the labels of the source know.
        scope: Vec<String>,
    },
    /// A secret stands in it, or none that the rule of the row should match.
    Secret { expected: bool },
    /// Nothing should be found, but in these places.
    Clean { except: Vec<(usize, usize)> },
}

/// One text.
pub(super) struct Row {
    pub(super) source: &'static str,
    pub(super) text: String,
    pub(super) purpose: Purpose,
}

/// All texts.
#[derive(Default)]
pub(super) struct Material {
    pub(super) rows: Vec<Row>,
}

impl Material {
    pub(super) fn texts(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.text.clone()).collect()
    }
}

#[derive(Deserialize)]
struct Case {
    text: String,
    entity: Vec<String>,
    expected_count: Option<usize>,
    spans: Option<Vec<Option<(usize, usize)>>>,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    spans: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    entity: String,
    start: usize,
    end: usize,
}

#[derive(Deserialize)]
struct SecretCase {
    text: String,
    expected: bool,
}

/// Reads the corpora, and this repository's own source as text without secrets.
pub(super) fn load(folder: &Path, root: &Path) -> Result<Material> {
    let mut rows = Vec::new();
    for case in lines::<Case>(&folder.join("pii/recognizer_cases.jsonl"))? {
        rows.extend(recognizer_case(case));
    }
    for (file, source) in [
        ("pii/synthetic_sentences.jsonl", "synthetic sentences"),
        ("pii/short_sentences.jsonl", "short sentences"),
    ] {
        for sentence in lines::<Sentence>(&folder.join(file))? {
            rows.push(labelled(source, sentence));
        }
    }
    for (file, source, fillers) in [
        (
            "rule_samples.jsonl.gz",
            "rule samples",
            "rule samples, fillers",
        ),
        (
            "plugin_cases.jsonl.gz",
            "plugin cases",
            "plugin cases, fillers",
        ),
        (
            "lint_snapshots.jsonl.gz",
            "lint snapshots",
            "lint snapshots, fillers",
        ),
    ] {
        for case in lines::<SecretCase>(&folder.join("secrets").join(file))? {
            let filled = case.expected && holds_filler(&case.text);
            rows.push(Row {
                source: if filled { fillers } else { source },
                text: case.text,
                purpose: Purpose::Secret {
                    expected: case.expected,
                },
            });
        }
    }
    for document in lines::<Sentence>(&folder.join("pii/danish_documents.jsonl"))? {
        let except = document.spans.iter().map(|l| (l.start, l.end)).collect();
        rows.push(clean("danish documents", document.text, except));
    }
    for exchange in lines::<Value>(&folder.join("llm/exchanges.jsonl"))? {
        for side in ["request", "response"] {
            let body = exchange[side]["body"].as_str().unwrap_or_default();
            prose(body, &mut rows);
        }
    }
    rows.extend(own_source(root)?);
    Ok(Material { rows })
}

/// Whether something in a text only fills the place of a key: one letter or digit over and over,
/// the alphabet, or the word by which vendors mark the keys of their manuals.
fn holds_filler(text: &str) -> bool {
    /// So long a run is in no key by accident.
    const RUN: usize = 8;
    let bytes = text.as_bytes();
    let all = |is: fn(u8, u8) -> bool| {
        let pairs = |run: &[u8]| run.windows(2).all(|pair| is(pair[0], pair[1]));
        bytes.windows(RUN).any(pairs)
    };
    let repeats = |left: u8, right: u8| left.is_ascii_alphanumeric() && left == right;
    let walks = |left: u8, right: u8| {
        let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
        left.is_ascii_alphabetic() && left + 1 == right
    };
    all(repeats) || all(walks) || text.contains("EXAMPLE")
}

fn recognizer_case(case: Case) -> Option<Row> {
    let scope: Vec<String> = case
        .entity
        .iter()
        .filter_map(|entity| classes::of_entity(entity))
        .map(str::to_owned)
        .collect();
    let [class] = scope.as_slice() else {
        return None;
    };
    let known: Option<Vec<(usize, usize)>> =
        case.spans.and_then(|spans| spans.into_iter().collect());
    let spans: Vec<(String, usize, usize)> = known
        .unwrap_or_default()
        .into_iter()
        .map(|(start, end)| (class.clone(), start, end))
        .collect();
    let count = case
        .expected_count
        .filter(|count| *count > 0 && spans.is_empty())
        .map(|count| (class.clone(), count));
    Some(Row {
        source: "recognizer cases",
        text: case.text,
        purpose: Purpose::Labelled {
            spans,
            count,
            scope,
        },
    })
}

fn labelled(source: &'static str, sentence: Sentence) -> Row {
    let spans = sentence
        .spans
        .iter()
        .filter_map(|label| {
            let class = classes::of_entity(&label.entity)?;
            Some((class.to_owned(), label.start, label.end))
        })
        .collect();
    let purpose = Purpose::Labelled {
        spans,
        count: None,
        scope: Vec::new(),
    };
    Row {
        source,
        text: sentence.text,
        purpose,
    }
}

fn clean(source: &'static str, text: String, except: Vec<(usize, usize)>) -> Row {
    Row {
        source,
        text,
        purpose: Purpose::Clean { except },
    }
}

/// The prose in a recorded body: strings with several words, of the document or of its events.
fn prose(body: &str, rows: &mut Vec<Row>) {
    let documents = body
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .chain(std::iter::once(body));
    for document in documents {
        if let Ok(value) = serde_json::from_str::<Value>(document) {
            strings(&value, rows);
        }
    }
}

fn strings(value: &Value, rows: &mut Vec<Row>) {
    match value {
        Value::String(text) if text.split_whitespace().count() >= 5 => {
            rows.push(clean("model traffic", text.clone(), Vec::new()));
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, rows)),
        Value::Object(members) => members.values().for_each(|item| strings(item, rows)),
        _ => {}
    }
}

/// The tracked source files, without tests and without the detectors, whose examples are values.
fn own_source(root: &Path) -> Result<Vec<Row>> {
    let listed = Command::new("git")
        .args(["ls-files", "--", "*.rs", "*.toml", "*.md"])
        .current_dir(root)
        .output()
        .context("git does not list the files")?;
    let mut rows = Vec::new();
    for name in String::from_utf8(listed.stdout)?.lines() {
        let skipped = ["test", "detect", "exchanges", "fuzz", "data-c"];
        if skipped.iter().any(|part| name.contains(part)) {
            continue;
        }
        let text = std::fs::read_to_string(root.join(name))?;
        // Unit tests stand at the end of a file and hold values on purpose.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        rows.push(clean("source code", code.to_owned(), Vec::new()));
    }
    Ok(rows)
}

/// The rows of a file, plain or compressed.
fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>> {
    let reading = || format!("cannot read {}", path.display());
    let bytes = std::fs::read(path).with_context(reading)?;
    let text = if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .with_context(reading)?;
        text
    } else {
        String::from_utf8(bytes).with_context(reading)?
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(reading))
        .collect()
}
