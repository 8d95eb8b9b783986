//! Every row of every table is held to what it says.

mod look_alikes;
mod wherever;

use std::collections::HashSet;

use super::engine::{ENGINE, Engine, Row};
use super::facts::{self, ByteSet, Facts};
use super::prefilter::SPECIAL;
use super::scan::{Detected, detect, scan};
use super::{Detector, Needs, TABLES};

/// The confidence that a rule asks for where it does not say.
const USUAL: u8 = 50;

/// The longest match of a row whose pattern crosses a space, in bytes.
const ACROSS_BYTES_MAX: usize = 96;

/// The longest match of any row, in bytes: half of a window.
const BYTES_MAX: usize = 2048;

fn rows() -> impl Iterator<Item = &'static Detector> {
    TABLES.into_iter().flatten()
}

/// An example without its marks, and the ranges between them.
fn marked(example: &str) -> (String, Vec<std::ops::Range<usize>>) {
    let (mut text, mut ranges, mut start) = (String::new(), Vec::new(), 0);
    for c in example.chars() {
        match c {
            '⟦' => start = text.len(),
            '⟧' => ranges.push(start..text.len()),
            c => text.push(c),
        }
    }
    (text, ranges)
}

/// Goal: no row can break a promise of the engine. Method: what can be known of its patterns.
#[test]
fn rows_are_within_bounds() {
    let mut ids = HashSet::new();
    let mut wrong = Vec::new();
    for row in rows() {
        let id = row.id;
        let mut say = |what: String| wrong.push(format!("{id}: {what}"));
        if !ids.insert(id) {
            say("the id is there twice".to_owned());
        }
        for pattern in [row.pattern, row.left] {
            if let Err(error) = Facts::read(pattern) {
                say(error);
            }
        }
        let Ok(facts) = Facts::read(row.pattern) else {
            continue;
        };
        Row::compiles(row);
        if facts.bytes_min == 0 {
            say("it matches the empty text".to_owned());
        }
        // Blanks between quotes do not cut a run.
        let quoted = row.pattern.starts_with('"');
        let across = !quoted && (facts.bytes.has(b' ') || facts.bytes.has(b'\t'));
        let most = if across { ACROSS_BYTES_MAX } else { BYTES_MAX };
        if row.open_ended {
            continue;
        }
        if row.bytes_max > most {
            say(format!(
                "matches of {} bytes, {most} are held",
                row.bytes_max
            ));
        }
        match facts.bytes_max {
            Some(max) if max <= row.bytes_max => {}
            Some(max) => say(format!("it matches {max} bytes and says {}", row.bytes_max)),
            None => say("its matches have no bound; bound them or make it open-ended".to_owned()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Goal: every row finds its examples exactly, with all detectors at work, and nothing in texts
/// that only look like one. Method: the examples of the rows.
#[test]
fn rows_find_their_examples_and_nothing_else() {
    let mut wrong = Vec::new();
    for row in rows() {
        // A row that is never sure enough alone is not reported by default; then it is tried alone.
        let surest = row.confidence.0.max(row.confidence.1);
        let alone = || {
            let engine: &'static Engine = Box::leak(Box::new(Engine::new([row].into_iter())));
            move |text: &str| scan(engine, text, surest.min(USUAL))
        };
        for example in row.found {
            let (text, ranges) = marked(example);
            let found: Vec<Detected> = if surest < USUAL {
                alone()(&text)
            } else {
                detect(&text, USUAL)
            };
            let same = |range| {
                found
                    .iter()
                    .any(|d| d.range == range && d.class == row.class.into())
            };
            let only = found.iter().filter(|d| d.class == row.class.into()).count();
            if ranges.is_empty() || only != ranges.len() || !ranges.into_iter().all(same) {
                let told = found.iter().map(|d| (&text[d.range.clone()], d.detector));
                let told: Vec<_> = told.collect();
                wrong.push(format!("{}: {example}\n    found {told:?}", row.id));
            }
        }
        for text in row.clear {
            let found = detect(text, USUAL);
            if let Some(hit) = found.iter().find(|d| d.detector == row.id) {
                wrong.push(format!(
                    "{}: {text}\n    not clear: {:?}",
                    row.id,
                    &text[hit.range.clone()]
                ));
            }
        }
        if row.found.is_empty() {
            wrong.push(format!("{}: it has no example", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Goal: no value is missed because too little of it are digits. Method: no row asks for more of
/// them than its pattern does at least.
#[test]
fn rows_need_no_more_digits_than_they_have() {
    // Their checks ask for as many; of secrets, a digit is a part of what they look like.
    const CHECKED: [&str; 5] = [
        "phone_trunk_groups",
        "phone_area_groups",
        "de_driving_licence",
        "us_driving_licence",
        "identity_card_in_context",
    ];
    let digits = ByteSet::of(|byte| byte.is_ascii_digit());
    let asks = |row: &&Detector| match row.needs {
        Needs::Digits(count) => count > facts::least(row.pattern, &digits).max(1),
        _ => false,
    };
    let tables = TABLES[1..].iter().copied().flatten();
    let asking: Vec<&str> = tables.filter(asks).map(|row| row.id).collect();
    let asking: Vec<_> = asking.iter().filter(|id| !CHECKED.contains(id)).collect();
    assert!(asking.is_empty(), "{asking:?}");
}

/// Goal: words of prose pass without a search. Method: what the tables ask of a plain word.
#[test]
fn prose_is_plain_to_the_prefilter() {
    let plain = &ENGINE.prefilter.plain;
    assert!(
        plain.bytes_min >= 12,
        "a row takes plain words of {} letters",
        plain.bytes_min
    );
    for mark in b".,;-'" {
        assert!(
            plain.kinds[usize::from(*mark)] & SPECIAL == 0,
            "a row asks for {:?}",
            char::from(*mark)
        );
    }
    assert!(
        !plain.gate.has(b'e'),
        "a row takes any word as text to the left"
    );
}
