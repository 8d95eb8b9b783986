//! The table against collections of texts that other scanners are tested with.
//!
//! The collections say for each text whether something must be found in it. Where they disagree
//! with each other (whether a placeholder is a secret) no table can be right about all of them, so
//! that the floors below stand a little under what was reached when they were written.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use regex_automata::meta::Regex;
use serde_json::Value;

use super::{Left, compiled, matches, segments};
use crate::detect::secret::{DETECTORS, Detector, Needs};

/// The rows that are reported by default, compiled.
struct Table(Vec<(&'static Detector, Regex, Option<Left>)>);

impl Table {
    fn new() -> Self {
        let rows = DETECTORS.iter().filter(|row| row.confidence.0 >= 50);
        let compile = |row: &'static Detector| (row, compiled(row.pattern), Left::of(row));
        Self(rows.map(compile).collect())
    }

    /// What is found: ids and places.
    fn scan(&self, text: &str) -> Vec<(&'static str, usize, usize)> {
        let mut all = Vec::new();
        for (from, to) in segments(text) {
            let segment = &text[from..to];
            for (row, regex, left) in &self.0 {
                if needed(row.needs, segment) {
                    let found = matches(row, regex, left.as_ref(), &text[..to], from);
                    all.extend(found.into_iter().map(|(start, end)| (row.id, start, end)));
                }
            }
        }
        all
    }
}

fn needed(needs: Needs, segment: &str) -> bool {
    match needs {
        Needs::Literal(texts) => texts.iter().any(|text| segment.contains(text)),
        Needs::AnyCase(texts) => {
            let lower = segment.to_ascii_lowercase();
            texts.iter().any(|text| lower.contains(text))
        }
        Needs::Digits(least) => segment.bytes().filter(u8::is_ascii_digit).count() >= least,
        Needs::Byte(byte) => segment.as_bytes().contains(&byte),
        Needs::Run(least) => segment.len() >= least,
    }
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
    let table = Table::new();
    let mut tally = Tally::default();
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(file)? {
        let (name, text) = (row[rule].as_str().unwrap(), row["text"].as_str().unwrap());
        if out_of_scope.contains(&name) {
            continue;
        }
        let found = table.scan(text);
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
        assert!(tally.recall() >= 80 && tally.precision() >= 80);
    }
}

#[test]
fn cases_of_plugins_are_told_apart() {
    if let Some(tally) = judge("plugin_cases.jsonl.gz", "plugin", &["ip_public"]) {
        assert!(tally.recall() >= 45 && tally.precision() >= 80);
    }
}

#[test]
fn snapshots_of_linters_are_told_apart() {
    if let Some(tally) = judge("lint_snapshots.jsonl.gz", "rule", &[]) {
        assert!(tally.recall() >= 60 && tally.precision() >= 80);
    }
}
