//! Recall, precision and false alarms, as tables.

use super::corpora::{Material, Purpose, Row};
use super::{Answers, Found, classes};
use crate::bench::table::layout;
use std::collections::BTreeMap;

/// The programs, in the order of the answers.
pub(super) const PROGRAMS: [&str; 3] = ["postern", "presidio", "detect-secrets"];

/// Counts for one class and one program.
#[derive(Default, Clone, Copy)]
struct Tally {
    expected: usize,
    hit: usize,
    /// Expected values over which something of any class was found: what a mask would cover.
    covered: usize,
    false_alarms: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.hit += other.hit;
        self.covered += other.covered;
        self.false_alarms += other.false_alarms;
    }

    fn recall(self) -> String {
        percent(self.hit, self.expected)
    }

    fn cover(self) -> String {
        percent(self.covered, self.expected)
    }

    fn precision(self) -> String {
        percent(self.hit, self.hit + self.false_alarms)
    }
}

pub(super) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{:.0} %", part as f64 * 100.0 / whole as f64)
}

/// All tables.
pub(super) fn tables(material: &Material, all: &[Answers; 3], markdown: bool) -> String {
    [
        layout(&by_class(material, all), markdown),
        layout(&secrets(material, all), markdown),
        layout(&clean(material, all), markdown),
    ]
    .join("\n")
}

pub(super) fn heading(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Labelled rows, class by class: what we find, what we find for rules that name one class alone,
/// and what Presidio finds.
fn by_class(material: &Material, all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut tallies: BTreeMap<String, [Tally; 3]> = BTreeMap::new();
    let [ours, theirs, _] = all;
    for (number, row) in material.rows.iter().enumerate() {
        let found = &ours.found[number];
        let each: Vec<Found> = found.iter().chain(&ours.besides[number]).cloned().collect();
        for (column, found) in [found, &each, &theirs.found[number]].iter().enumerate() {
            for (class, tally) in judge(row, found) {
                let sum = tallies.entry(class).or_default();
                sum[column].add(tally);
            }
        }
    }
    let mut rows = vec![heading(&[
        "class",
        "values",
        "recall",
        "covered",
        "precision",
        "each class: recall",
        "precision",
        "Presidio: recall",
        "covered",
        "precision",
    ])];
    let mut sums = [Tally::default(); 3];
    for (class, columns) in &tallies {
        let [found, _, theirs] = columns;
        if found.expected + found.false_alarms + theirs.false_alarms == 0 {
            continue;
        }
        rows.push(class_row(class, *columns));
        for (sum, tally) in sums.iter_mut().zip(columns) {
            sum.add(*tally);
        }
    }
    rows.push(class_row("all", sums));
    rows
}

fn class_row(class: &str, [ours, each, theirs]: [Tally; 3]) -> Vec<String> {
    vec![
        class.to_owned(),
        ours.expected.to_string(),
        ours.recall(),
        ours.cover(),
        ours.precision(),
        each.recall(),
        each.precision(),
        theirs.recall(),
        theirs.cover(),
        theirs.precision(),
    ]
}

/// Judges what one program found in one labelled row, class by class.
fn judge(row: &Row, found: &[Found]) -> BTreeMap<String, Tally> {
    let mut tallies = BTreeMap::<String, Tally>::new();
    let Purpose::Labelled {
        spans,
        count,
        scope,
    } = &row.purpose
    else {
        return tallies;
    };
    if let Some((class, expected)) = count {
        let same = found.iter().filter(|f| f.class == *class).count();
        let tally = Tally {
            expected: *expected,
            hit: same.min(*expected),
            covered: found.len().min(*expected),
            false_alarms: same.saturating_sub(*expected),
        };
        tallies.insert(class.clone(), tally);
        return tallies;
    }
    let over = |f: &Found, start: usize, end: usize| f.start < end && f.end > start;
    for (class, start, end) in spans {
        let mut hits = found.iter().filter(|f| over(f, *start, *end)).peekable();
        let tally = Tally {
            expected: 1,
            covered: usize::from(hits.peek().is_some()),
            hit: usize::from(hits.any(|f| f.class == *class)),
            false_alarms: 0,
        };
        tallies.entry(class.clone()).or_default().add(tally);
    }
    let judged = |class: &str| {
        let known = scope.is_empty() && classes::is_shared(class);
        class != "secret" && (known || scope.iter().any(|name| name == class))
    };
    for stray in found.iter().filter(|f| judged(&f.class)) {
        let expected = spans
            .iter()
            .any(|(class, start, end)| *class == stray.class && over(stray, *start, *end));
        if !expected {
            tallies.entry(stray.class.clone()).or_default().false_alarms += 1;
        }
    }
    tallies
}

/// Rows with and without a secret, source by source.
fn secrets(material: &Material, all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut sources: BTreeMap<&str, ([usize; 2], [[usize; 2]; 3])> = BTreeMap::new();
    for (number, row) in material.rows.iter().enumerate() {
        let Purpose::Secret { expected } = row.purpose else {
            continue;
        };
        let entry = sources.entry(row.source).or_default();
        let kind = usize::from(!expected);
        entry.0[kind] += 1;
        for (answers, counts) in all.iter().zip(&mut entry.1) {
            let found = answers.found[number].iter().any(|f| f.class == "secret");
            counts[kind] += usize::from(found);
        }
    }
    let mut rows = vec![heading(&[
        "source",
        "with a secret",
        "recall",
        "detect-secrets: recall",
        "look-alikes",
        "found all the same",
        "detect-secrets",
    ])];
    for (source, (totals, counts)) in sources {
        rows.push(vec![
            source.to_owned(),
            totals[0].to_string(),
            percent(counts[0][0], totals[0]),
            percent(counts[2][0], totals[0]),
            totals[1].to_string(),
            percent(counts[0][1], totals[1]),
            percent(counts[2][1], totals[1]),
        ]);
    }
    rows
}

/// Findings in text in which nothing should be found.
fn clean(material: &Material, all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut sources: BTreeMap<&str, (usize, [[usize; 2]; 3])> = BTreeMap::new();
    for (number, row) in material.rows.iter().enumerate() {
        let Purpose::Clean { except } = &row.purpose else {
            continue;
        };
        let entry = sources.entry(row.source).or_default();
        entry.0 += row.text.len();
        for (answers, counts) in all.iter().zip(&mut entry.1) {
            for found in &answers.found[number] {
                let known = except
                    .iter()
                    .any(|(start, end)| found.start < *end && found.end > *start);
                counts[usize::from(found.class == "secret")] += usize::from(!known);
            }
        }
    }
    let mut rows = vec![heading(&[
        "clean text",
        "KB",
        "personal found",
        "Presidio",
        "secrets found",
        "detect-secrets",
    ])];
    for (source, (bytes, counts)) in sources {
        rows.push(vec![
            source.to_owned(),
            (bytes / 1000).to_string(),
            counts[0][0].to_string(),
            counts[1][0].to_string(),
            counts[0][1].to_string(),
            counts[2][1].to_string(),
        ]);
    }
    rows
}

/// How long each program took over so many bytes.
pub(super) fn speed(bytes: usize, all: &[Answers; 3], markdown: bool) -> String {
    let mut rows = vec![heading(&["program", "all texts, CPU s", "MB/s"])];
    for (name, answers) in PROGRAMS.iter().zip(all) {
        let rate = bytes as f64 / 1e6 / answers.seconds.max(1e-9);
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.3}", answers.seconds),
            format!("{rate:.2}"),
        ]);
    }
    layout(&rows, markdown)
}
