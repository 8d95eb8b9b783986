use regex_automata::util::syntax::parse_with;

use super::*;
use crate::detect::engine::ENGINE;
use crate::detect::facts::syntax;
use crate::detect::shapes;

/// More than all states take that the texts of the tests ask for.
const AMPLE_BYTES: usize = 1 << 30;

/// Texts that no two of are alike: signs of which values are made, drawn by a generator of the
/// kind of Lehmer.
fn texts(count: usize) -> Vec<String> {
    const SIGNS: &str = "0123456789012345678901234567890123456789ABCxyz -./:@=_+(é";
    let signs: Vec<char> = SIGNS.chars().collect();
    let mut state = 48_271_u64;
    let mut draw = |below: usize| {
        state = state * 48_271 % 0x7fff_ffff;
        state as usize % below
    };
    let text = |_| {
        (0..8 + draw(56))
            .map(|_| signs[draw(signs.len())])
            .collect()
    };
    (0..count).map(text).collect()
}

/// Goal: where the automaton gives up, it names every row that matches, it says so of all rows,
/// and it tells exactly again later. Method: texts that ask for more states than the smallest
/// cache has room for, beside a cache that has room for all; then one text again and again, until
/// enough is read.
fn gives_up_and_comes_back(patterns: impl Fn() -> Patterns, reverse: bool) {
    let small = Many::new(patterns(), reverse, 0);
    let ample = Many::new(patterns(), reverse, AMPLE_BYTES);
    let read = |many: &Many, text: &str| match reverse {
        true => {
            let mut ending = many.ending();
            ending.read(text);
            ending.rows()
        }
        false => many.matching(text.as_bytes(), shapes::EDGE),
    };
    let (mut gave_up, mut exact) = (0, 0);
    for text in texts(2000) {
        let (told, all) = (read(&small, &text), read(&ample, &text));
        let mut both = told;
        both.join(&all);
        assert!(both == told, "a row is lost in {text:?}");
        gave_up += usize::from(told != all && told == small.covered);
        exact += usize::from(told == all);
        assert!(told == all || told == small.covered);
    }
    assert!(gave_up > 0 && exact > 0, "{gave_up} {exact}");
    let text = "order 12 of 3";
    let again = (0..100_000).any(|_| read(&small, text) == read(&ample, text));
    assert!(again, "it does not come back");
    assert!(read(&ample, text) != ample.covered);
}

#[test]
fn reading_forwards_gives_up_and_comes_back() {
    gives_up_and_comes_back(|| shapes::patterns(&ENGINE.rows), false);
}

#[test]
fn reading_backwards_gives_up_and_comes_back() {
    let lefts = || {
        let mut patterns = Patterns::NONE;
        for (index, row) in ENGINE.rows.iter().enumerate() {
            if !row.detector.left.is_empty() {
                let left = parse_with(&format!("(?i:{})", row.detector.left), &syntax());
                patterns.add(left.unwrap(), index);
            }
        }
        patterns
    };
    gives_up_and_comes_back(lefts, true);
}
