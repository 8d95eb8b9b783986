//! What was found of the held-out set, as tables.

use super::{Group, Text};
use crate::bench::detect::score::{heading, percent};
use crate::bench::detect::{Answers, Found};
use crate::bench::table::layout;
use std::collections::BTreeMap;

/// What one program found of some values.
#[derive(Default, Clone, Copy)]
struct Tally {
    values: usize,
    hit: usize,
    /// Values over which something of any class was found.
    covered: usize,
}

impl Tally {
    fn count(&mut self, text: &Text, found: &[Found]) {
        let mut over = found.iter().filter(|f| over(f, text)).peekable();
        self.values += 1;
        self.covered += usize::from(over.peek().is_some());
        self.hit += usize::from(over.any(|f| Some(&f.class) == text.class.as_ref()));
    }

    fn add(&mut self, other: Self) {
        self.values += other.values;
        self.hit += other.hit;
        self.covered += other.covered;
    }

    fn recall(self) -> String {
        percent(self.hit, self.values)
    }

    fn cover(self) -> String {
        percent(self.covered, self.values)
    }
}

/// What one program found as one class.
#[derive(Default, Clone, Copy)]
struct Class {
    named: Tally,
    unnamed: Tally,
    /// Findings of the class over a value of it, and others.
    right: usize,
    wrong: usize,
}

impl Class {
    fn precision(self) -> String {
        percent(self.right, self.right + self.wrong)
    }

    fn add(&mut self, other: Self) {
        self.named.add(other.named);
        self.unnamed.add(other.unnamed);
        self.right += other.right;
        self.wrong += other.wrong;
    }
}

fn over(found: &Found, text: &Text) -> bool {
    found.start < text.end && found.end > text.start
}

/// Class by class, frame by frame, near misses, keys by frame; beside the others.
pub(in crate::bench::detect) fn tables(
    texts: &[Text],
    all: &[Answers; 3],
    markdown: bool,
) -> String {
    [
        layout(&classes(texts, all), markdown),
        layout(&frames(texts, all), markdown),
        layout(&near(texts, all), markdown),
        layout(&keys(texts, all), markdown),
    ]
    .join("\n")
}

/// The texts of a group, each with what the program with this number found in it.
fn of<'a>(
    texts: &'a [Text],
    answers: &'a Answers,
    group: Group,
) -> impl Iterator<Item = (&'a Text, &'a Vec<Found>)> {
    let both = texts.iter().zip(&answers.found);
    both.filter(move |(text, _)| text.group == group)
}

fn classes(texts: &[Text], all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut classes: BTreeMap<&str, [Class; 2]> = BTreeMap::new();
    let known = texts.iter().filter(|text| text.group == Group::Value);
    for class in known.filter_map(|text| text.class.as_deref()) {
        classes.entry(class).or_default();
    }
    for (program, answers) in all.iter().take(2).enumerate() {
        for (text, found) in of(texts, answers, Group::Value) {
            let class = text.class.as_deref().unwrap_or_default();
            let of_class = &mut classes.entry(class).or_default()[program];
            match text.named() {
                true => of_class.named.count(text, found),
                false => of_class.unnamed.count(text, found),
            }
        }
        let near = of(texts, answers, Group::Near);
        for (text, found) in of(texts, answers, Group::Value).chain(near) {
            for f in found {
                if let Some(of_class) = classes.get_mut(f.class.as_str()) {
                    let right = Some(&f.class) == text.class.as_ref() && over(f, text);
                    of_class[program].right += usize::from(right);
                    of_class[program].wrong += usize::from(!right);
                }
            }
        }
    }
    let mut rows = vec![heading(&[
        "class",
        "named",
        "recall",
        "covered",
        "unnamed",
        "recall",
        "precision",
        "Presidio: named",
        "covered",
        "unnamed",
        "precision",
    ])];
    let mut sums = [Class::default(); 2];
    for (class, pair) in &classes {
        rows.push(class_row(class, *pair));
        for (sum, one) in sums.iter_mut().zip(pair) {
            sum.add(*one);
        }
    }
    rows.push(class_row("all", sums));
    rows
}

fn class_row(class: &str, [ours, theirs]: [Class; 2]) -> Vec<String> {
    vec![
        class.to_owned(),
        ours.named.values.to_string(),
        ours.named.recall(),
        ours.named.cover(),
        ours.unnamed.values.to_string(),
        ours.unnamed.recall(),
        ours.precision(),
        theirs.named.recall(),
        theirs.named.cover(),
        theirs.unnamed.recall(),
        theirs.precision(),
    ]
}

fn frames(texts: &[Text], all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut frames: BTreeMap<&str, [Tally; 2]> = BTreeMap::new();
    for (program, answers) in all.iter().take(2).enumerate() {
        for (text, found) in of(texts, answers, Group::Value) {
            let frame = frames.entry(&text.frame).or_default();
            frame[program].count(text, found);
        }
    }
    let mut rows = vec![heading(&[
        "where it stands",
        "values",
        "recall",
        "covered",
        "Presidio: recall",
        "covered",
    ])];
    for (frame, [ours, theirs]) in frames {
        rows.push(vec![
            frame.to_owned(),
            ours.values.to_string(),
            ours.recall(),
            ours.cover(),
            theirs.recall(),
            theirs.cover(),
        ]);
    }
    rows
}

/// Texts in which anything personal was found although nothing personal stands in them.
fn near(texts: &[Text], all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut kinds: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (program, answers) in all.iter().take(2).enumerate() {
        for (text, found) in of(texts, answers, Group::Near) {
            let kind = kinds.entry(&text.frame).or_default();
            kind[0] += usize::from(program == 0);
            kind[program + 1] += usize::from(found.iter().any(|f| f.class != "secret"));
        }
    }
    let mut rows = vec![heading(&[
        "what it is",
        "texts",
        "found all the same",
        "Presidio",
    ])];
    for (kind, [count, ours, theirs]) in kinds {
        let cells = [percent(ours, count), percent(theirs, count)];
        let [ours, theirs] = cells;
        rows.push(vec![kind.to_owned(), count.to_string(), ours, theirs]);
    }
    rows
}

/// Keys by what stands around them, and texts without one: how many a secret was found in.
fn keys(texts: &[Text], all: &[Answers; 3]) -> Vec<Vec<String>> {
    let mut frames: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (at, answers) in [(1, &all[0]), (2, &all[2])] {
        let without = of(texts, answers, Group::None);
        for (text, found) in of(texts, answers, Group::Key).chain(without) {
            let frame = frames.entry(&text.frame).or_default();
            frame[0] += usize::from(at == 1);
            frame[at] += usize::from(found.iter().any(|f| f.class == "secret"));
        }
    }
    let mut rows = vec![heading(&[
        "where a key stands",
        "texts",
        "found",
        "detect-secrets",
    ])];
    for (frame, [count, ours, theirs]) in frames {
        let cells = [percent(ours, count), percent(theirs, count)];
        let [ours, theirs] = cells;
        rows.push(vec![frame.to_owned(), count.to_string(), ours, theirs]);
    }
    rows
}
