use std::sync::LazyLock;

use proptest::prelude::*;
use regex_automata::util::syntax::parse_with;
use regex_syntax::hir::{Hir, HirKind};

use super::{EDGE, beginning, shapes};
use crate::detect::context::edges_hold;
use crate::detect::engine::{ENGINE, Row};
use crate::detect::facts::{class_bytes, syntax};
use crate::detect::many::Many;
use crate::detect::prefilter::Bits;

/// Choices, one after the other, again and again.
struct Choices {
    drawn: Vec<usize>,
    at: usize,
}

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.at += 1;
        self.drawn[self.at % self.drawn.len()].wrapping_add(self.at) % count.max(1)
    }
}

/// Writes a text that the pattern matches.
fn write(pattern: &Hir, choices: &mut Choices, text: &mut Vec<u8>) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend(&literal.0),
        HirKind::Class(class) => {
            let mut bytes = Vec::new();
            class_bytes(class).each(|byte| bytes.push(byte));
            text.push(bytes[choices.below(bytes.len())]);
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min + 3) - repetition.min;
            let more = choices.below(most as usize + 1);
            for _ in 0..repetition.min as usize + more {
                write(&repetition.sub, choices, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, choices, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, choices, text)),
        HirKind::Alternation(parts) => write(&parts[choices.below(parts.len())], choices, text),
    }
}

const BESIDE: [&str; 28] = [
    "x=", "\"=", "é=", "==", "", "", "", " ", "-", ".", "/", "+", "=", ":", "1", "x", "A", "_",
    "1.", "x.", "1-", "x/", "1 ", " 1", ".2", "-y", "é", "号",
];

/// A text around a match of the row, and whether there is one with edges that hold.
fn around(row: &Row, choices: &mut Choices) -> Option<String> {
    let pattern = parse_with(row.detector.pattern, &syntax()).unwrap();
    let mut text = BESIDE[choices.below(BESIDE.len())].as_bytes().to_vec();
    write(&pattern, choices, &mut text);
    text.extend(BESIDE[choices.below(BESIDE.len())].as_bytes());
    String::from_utf8(text).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: a shape never says no where its pattern matches with edges that hold. Method: for each
    /// row, matches drawn from its pattern, beside what may and may not stand there.
    #[test]
    fn a_shape_matches_where_its_pattern_does(
        drawn in proptest::collection::vec(0_usize..100_000, 40..80),
    ) {
        let all = &ENGINE.shapes;
        let mut choices = Choices { drawn, at: 0 };
        for order in all.covered.rows() {
            let row = &ENGINE.rows[order];
            let Some(text) = around(row, &mut choices) else {
                continue;
            };
            if row.matches(&text) {
                let told = all.matching(text.as_bytes(), EDGE);
                prop_assert!(told.has(order), "{}: {text:?}", row.detector.id);
            }
        }
    }
}

/// The rows that ask for text to their left.
fn with_left() -> impl Iterator<Item = (usize, &'static Row)> {
    let rows = ENGINE.rows.iter().enumerate();
    rows.filter(|(_, row)| !row.detector.left.is_empty())
}

/// The shapes of their matches, from where those begin.
static VALUES: LazyLock<(Many, Bits)> = LazyLock::new(|| {
    let (patterns, others) = beginning(with_left());
    (Many::forward(patterns), others)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: a shape that is looked for where a match may begin never says no where one does, with
    /// edges that hold. Method: for each row with text to its left, matches drawn from its pattern,
    /// before what may and may not stand behind them.
    #[test]
    fn a_shape_begins_where_a_match_does(
        drawn in proptest::collection::vec(0_usize..100_000, 40..80),
    ) {
        let (values, others) = &*VALUES;
        let mut choices = Choices { drawn, at: 0 };
        for (order, row) in with_left().filter(|(order, _)| !others.has(*order)) {
            let pattern = parse_with(row.detector.pattern, &syntax()).unwrap();
            let mut text = Vec::new();
            write(&pattern, &mut choices, &mut text);
            let length = text.len();
            text.extend(BESIDE[choices.below(BESIDE.len())].as_bytes());
            let Ok(text) = String::from_utf8(text) else {
                continue;
            };
            let mut own = Bits::NONE;
            own.set(order);
            let holds = text.is_char_boundary(length)
                && edges_hold(row.detector.edges, &text, &(0..length));
            let told = values.beginning().any((text.as_bytes(), EDGE), &own);
            prop_assert!(told || !holds, "{}: {text:?}", row.detector.id);
        }
    }
}

/// Goal: a shape says no where nothing of its kind begins. Method: beginnings of words, of which
/// values with text to their left are not made.
#[test]
fn words_have_no_shape_of_a_value() {
    let (values, others) = &*VALUES;
    let row = with_left().find(|(_, row)| row.detector.id == "us_driving_licence");
    let (order, _) = row.unwrap();
    let mut own = Bits::NONE;
    own.set(order);
    assert!(!others.has(order));
    let begins = |text: &str| values.beginning().any((text.as_bytes(), EDGE), &own);
    assert!(begins("D1234567") && !begins("choices\\\":[1234567") && !begins("licence"));
}

/// Goal: the same for what people wrote. Method: the examples of the rows, each alone.
#[test]
fn a_shape_matches_the_examples_of_its_row() {
    let all = shapes(&ENGINE.rows);
    let mut matched = 0;
    for order in all.covered.rows() {
        let row = &ENGINE.rows[order];
        let texts = row.detector.found.iter().chain(row.detector.clear);
        for text in texts.map(|text| text.replace(['⟦', '⟧'], "")) {
            if row.matches(&text) {
                matched += 1;
                assert!(all.matching(text.as_bytes(), EDGE).has(order), "{text:?}");
            }
        }
    }
    assert!(matched > 200, "{matched} examples");
}
