//! The table against collections of texts that other scanners are tested with.
//!
//! The collections say for each text whether something must be found in it. Where they disagree
//! with each other (whether a placeholder is a secret) no table can be right about all of them, so
//! that the floors below stand a little under what was reached when they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;

use postern_types::{ClassGroup, DataClass};
use serde_json::Value;

use crate::detect::scan::{Detected, detect};

/// What is found by default: detectors and places, secrets only.
fn secrets(text: &str) -> Vec<(&'static str, Range<usize>)> {
    let of_group = |found: &Detected| match found.class {
        DataClass::Builtin(class) => class.group() == ClassGroup::Secret,
        _ => false,
    };
    let found = detect(text, 50).into_iter().filter(of_group);
    found.map(|found| (found.detector, found.range)).collect()
}

fn corpora() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let dir = std::env::var_os("POSTERN_CORPORA").map_or(beside, PathBuf::from);
    if dir.join("secrets").is_dir() {
        return Some(dir);
    }
    let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!strict, "corpora not found");
    eprintln!("SKIPPED: corpora not found");
    None
}

fn rows(file: &str) -> Option<Vec<Value>> {
    let packed = std::fs::read(corpora()?.join("secrets").join(file)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    Some(
        text.lines()
            .map(|row| serde_json::from_str(row).unwrap())
            .collect(),
    )
}

/// How a collection was judged.
#[derive(Default)]
struct Tally {
    found: usize,
    missed: usize,
    false_alarms: usize,
    quiet: usize,
}

impl Tally {
    fn recall(&self) -> usize {
        self.found * 100 / (self.found + self.missed).max(1)
    }

    fn precision(&self) -> usize {
        self.found * 100 / (self.found + self.false_alarms).max(1)
    }
}

/// Judges a collection; rows of the named rules are left out, because they are not about secrets.
fn judge(file: &str, rule: &str, out_of_scope: &[&str]) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(file)? {
        let (name, text) = (row[rule].as_str().unwrap(), row["text"].as_str().unwrap());
        if out_of_scope.contains(&name) {
            continue;
        }
        let found = secrets(text);
        let shown = || {
            format!(
                "{:?} {:?}",
                text.chars().take(150).collect::<String>(),
                found
            )
        };
        match (row["expected"] == true, found.is_empty()) {
            (true, false) => tally.found += 1,
            (false, true) => tally.quiet += 1,
            (true, true) => {
                tally.missed += 1;
                by_rule
                    .entry(format!("missed {name}"))
                    .or_default()
                    .push(shown());
            }
            (false, false) => {
                tally.false_alarms += 1;
                by_rule
                    .entry(format!("alarm {name}"))
                    .or_default()
                    .push(shown());
            }
        }
    }
    for (rule, texts) in by_rule {
        for text in texts {
            println!("{rule}: {text}");
        }
    }
    println!(
        "{file}: recall {}%, precision {}% ({} found, {} missed, {} false, {} quiet)",
        tally.recall(),
        tally.precision(),
        tally.found,
        tally.missed,
        tally.false_alarms,
        tally.quiet
    );
    Some(tally)
}

#[test]
fn samples_of_rules_are_told_apart() {
    if let Some(tally) = judge("rule_samples.jsonl.gz", "rule", &[]) {
        assert!(tally.recall() >= 94 && tally.precision() >= 90);
    }
}

#[test]
fn cases_of_plugins_are_told_apart() {
    if let Some(tally) = judge("plugin_cases.jsonl.gz", "plugin", &["ip_public"]) {
        assert!(tally.recall() >= 75 && tally.precision() >= 88);
    }
}

#[test]
fn snapshots_of_linters_are_told_apart() {
    if let Some(tally) = judge("lint_snapshots.jsonl.gz", "rule", &[]) {
        assert!(tally.recall() >= 60 && tally.precision() >= 80);
    }
}

/// The strings of a document with the names that they stand behind, as they are inspected.
fn strings(value: &Value, name: &str, all: &mut BTreeSet<(String, String)>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_object() || inner.is_array() => strings(&inner, name, all),
            _ => {
                all.insert((format!("{name}: "), text.clone()));
            }
        },
        Value::Array(items) => items.iter().for_each(|item| strings(item, name, all)),
        Value::Object(members) => members.iter().for_each(|(name, v)| strings(v, name, all)),
        _ => {}
    }
}

/// Findings in clean texts, and the texts' length in bytes.
fn alarms(texts: &BTreeSet<(String, String)>) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for (name, text) in texts {
        bytes += text.len();
        let whole = format!("{name}{text}");
        for (id, found) in secrets(&whole) {
            if found.start >= name.len() {
                count += 1;
                let before: String = whole[..found.start].chars().rev().take(40).collect();
                let before: String = before.chars().rev().collect();
                println!("alarm {id}: {before:?} {:?}", &whole[found.clone()]);
            }
        }
    }
    (count, bytes)
}

#[test]
fn recorded_conversations_hold_few_secrets() {
    let Some(dir) = corpora() else { return };
    let mut texts = BTreeSet::new();
    for file in ["exchanges.jsonl", "gemini_bodies.jsonl"] {
        for row in std::fs::read_to_string(dir.join("llm").join(file))
            .unwrap()
            .lines()
        {
            strings(&serde_json::from_str(row).unwrap(), "", &mut texts);
        }
    }
    let (count, bytes) = alarms(&texts);
    println!("conversations: {count} findings in {bytes} bytes");
    assert!(bytes > 500_000 && count < 10, "{count} in {bytes}");
}

#[test]
fn documents_hold_no_secrets() {
    let Some(dir) = corpora() else { return };
    let mut texts = BTreeSet::new();
    for file in ["danish_documents.jsonl", "synthetic_sentences.jsonl"] {
        for row in std::fs::read_to_string(dir.join("pii").join(file))
            .unwrap()
            .lines()
        {
            let row: Value = serde_json::from_str(row).unwrap();
            strings(&row["text"], "text", &mut texts);
        }
    }
    let (count, bytes) = alarms(&texts);
    println!("documents: {count} findings in {bytes} bytes");
    assert!(bytes > 50_000 && count < 4, "{count} in {bytes}");
}

/// Goal: few alarms in program text. Method: this repository, without what is about secrets.
#[test]
fn source_code_holds_few_secrets() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = BTreeSet::new();
    let mut folders = vec![root.join("crates"), root.join("docs"), root.join("xtask")];
    // The detectors hold examples, and the list of them their patterns.
    let skipped = ["detect", "target", "data-classes.md"];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if skipped.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if [".rs", ".md", ".toml"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                texts.insert((String::new(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let (count, bytes) = alarms(&texts);
    println!("source: {count} findings in {bytes} bytes");
    assert!(bytes > 1_000_000 && count < 20, "{count} in {bytes}");
}
