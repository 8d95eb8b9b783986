//! Every row of a table against its own examples, by the engine, in texts as one segment.

use postern_types::DataClass;

use super::TABLES;
use super::engine::{Engine, Weight};
use super::prefilter::Bits;

/// What a row needs of confidence where a rule says nothing.
const LIKELY: u8 = 50;

/// What the engine of one row finds, as places in the text.
fn find(engine: &Engine, text: &str) -> Vec<(usize, usize)> {
    let judge = |_: &DataClass, sure: u8| {
        if sure < LIKELY {
            Weight::None
        } else {
            Weight::Acts
        }
    };
    let mut wanted = Bits::NONE;
    wanted.set(0);
    let spans = engine.find(text, 0..text.len(), &wanted, &judge);
    spans.iter().map(|span| (span.start, span.end)).collect()
}

/// The text without its marks, and the places between them.
fn unmarked(example: &str) -> (String, Vec<(usize, usize)>) {
    let (mut text, mut places, mut open) = (String::new(), Vec::new(), 0);
    for sign in example.chars() {
        match sign {
            '⟦' => open = text.len(),
            '⟧' => places.push((open, text.len())),
            sign => text.push(sign),
        }
    }
    (text, places)
}

// Goal: a row does what its examples say. Method: run it over each of them, and name all that
// differ at once, since one run of the compiler costs more than a hundred rows.
#[test]
fn every_row_keeps_its_examples() {
    let mut wrong = Vec::new();
    for row in TABLES[1..].iter().copied().flatten() {
        let engine = Engine::new(std::iter::once(row));
        if row.found.is_empty() || row.clear.is_empty() {
            wrong.push(format!("{}: no examples", row.id));
        }
        for example in row.found {
            let (text, places) = unmarked(example);
            let found = find(&engine, &text);
            let longest = places.iter().map(|(start, end)| end - start).max();
            if longest > Some(row.bytes_max) {
                wrong.push(format!(
                    "{}: {example:?} is longer than its row says",
                    row.id
                ));
            }
            if found != places {
                wrong.push(format!("{}: {example:?}: {found:?}", row.id));
            }
        }
        for text in row.clear {
            let found = find(&engine, text);
            if !found.is_empty() {
                wrong.push(format!("{}: {text:?}: {found:?}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
