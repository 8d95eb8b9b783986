//! Every row against its own examples, and promises about the table as a whole.

mod evaluation;

use std::collections::{BTreeSet, HashMap};

use regex_automata::meta::Regex;

use super::*;

/// What a row finds in a text that is one segment, by the rules that the rows are written against.
pub(super) fn matches(
    row: &Detector,
    regex: &Regex,
    left: Option<&Left>,
    text: &str,
    from: usize,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let segment = &text[from..];
    let mut at = 0;
    let mut slots = regex.create_captures();
    while at <= segment.len() {
        let input = regex_automata::Input::new(segment).range(at..);
        regex.search_captures(&input, &mut slots);
        let Some(whole) = slots.get_match() else {
            break;
        };
        at = whole.end().max(at + 1);
        let value = slots.get_group(1).unwrap_or(whole.span());
        if !edges_fit(row.edges, segment.as_bytes(), whole.start(), whole.end()) {
            continue;
        }
        let first = from.saturating_sub(128);
        let before = &text.as_bytes()[first..from + whole.start()];
        if left.is_some_and(|left| !left.stands_before(before)) {
            continue;
        }
        if row.check.is_none_or(|check| check(&segment[value.range()])) {
            found.push((from + value.start, from + value.end));
        }
    }
    found
}

/// What must stand to the left, compiled.
pub(super) struct Left(Regex);

impl Left {
    pub(super) fn of(row: &Detector) -> Option<Self> {
        (!row.left.is_empty()).then(|| Self(compiled(&format!("(?i:{})$", row.left))))
    }

    fn stands_before(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::builder()
        .syntax(
            regex_automata::util::syntax::Config::new()
                .unicode(false)
                .utf8(false),
        )
        .configure(Regex::config().utf8_empty(false))
        .build(pattern)
        .unwrap_or_else(|error| panic!("{pattern}: {error:?}"))
}

fn edges_fit(edges: Edges, text: &[u8], start: usize, end: usize) -> bool {
    let beside = [
        start.checked_sub(1).map(|at| text[at]),
        text.get(end).copied(),
    ];
    beside.into_iter().flatten().all(|byte| match edges {
        Edges::Any => true,
        Edges::Word | Edges::Number => !byte.is_ascii_alphanumeric() && byte != b'_',
        Edges::Key => {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=')
        }
    })
}

/// The starts of the segments of a text: words, and armour kept whole.
pub(super) fn segments(text: &str) -> Vec<(usize, usize)> {
    if text.contains("-----BEGIN") {
        return vec![(0, text.len())];
    }
    let mut all = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices() {
        match (letter.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                all.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    all.extend(start.map(|from| (from, text.len())));
    all
}

fn found_by(row: &Detector, text: &str) -> Vec<String> {
    let (regex, left) = (compiled(row.pattern), Left::of(row));
    let mut all = Vec::new();
    for (from, to) in segments(text) {
        for (start, end) in matches(row, &regex, left.as_ref(), &text[..to], from) {
            all.push(text[start..end].to_owned());
        }
    }
    all
}

/// Goal: a row does what its examples say. Method: each example alone, against that row alone.
#[test]
fn every_row_finds_its_examples_and_nothing_in_the_clear_ones() {
    let mut wrong = Vec::new();
    for row in DETECTORS {
        for example in row.found {
            let marked = example.split(['⟦', '⟧']).skip(1).step_by(2);
            let text = example.replace(['⟦', '⟧'], "");
            let expected: Vec<&str> = marked.collect();
            let found = found_by(row, &text);
            if found != expected {
                wrong.push(format!("{}: in {text:?} found {found:?}", row.id));
            }
        }
        for text in row.clear {
            let found = found_by(row, text);
            if !found.is_empty() {
                wrong.push(format!("{}: in clear {text:?} found {found:?}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_unique_and_every_row_has_examples() {
    let mut rows = HashMap::new();
    for row in DETECTORS {
        assert!(rows.insert(row.id, row).is_none(), "{} twice", row.id);
        assert!(!row.found.is_empty() && !row.clear.is_empty(), "{}", row.id);
        assert!(row.open_ended || row.bytes_max <= 2048, "{}", row.id);
    }
}

/// Goal: the promised breadth. Method: vendors with a row of their own, by the first word
/// of its id.
#[test]
fn at_least_150_vendors_have_a_row_of_their_own() {
    let vendors: BTreeSet<&str> = GROUPS[3..12]
        .iter()
        .flat_map(|group| group.iter())
        .filter_map(|row| row.id.split('_').next())
        .collect();
    assert!(vendors.len() >= 150, "{}", vendors.len());
    assert!(keyed::API_VENDORS.len() + keyed::CLOUD_VENDORS.len() >= 150);
}
