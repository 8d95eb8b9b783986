//! Every row of a table against its own examples, by the row alone and without the engine.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::{Detector, Edges, TABLES};

/// What a row needs of confidence where a rule says nothing.
const LIKELY: u8 = 50;

/// A compiled row.
struct Row {
    row: &'static Detector,
    pattern: Regex,
    left: Option<Regex>,
}

fn compile(pattern: &str) -> Regex {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false))
        .build(pattern)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

impl Row {
    fn new(row: &'static Detector) -> Self {
        let left = (!row.left.is_empty()).then(|| compile(&format!("(?i:{})$", row.left)));
        Self {
            row,
            pattern: compile(row.pattern),
            left,
        }
    }

    /// What is found, as places in the text.
    fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let (mut found, mut from) = (Vec::new(), 0);
        while from <= text.len() {
            let mut groups = self.pattern.create_captures();
            let input = regex_automata::Input::new(text).range(from..);
            self.pattern.search_captures(&input, &mut groups);
            let Some(whole) = groups.get_match() else {
                break;
            };
            let span = groups.get_group(1).unwrap_or_else(|| whole.span());
            if self.holds(text, span.start, span.end) {
                found.push((span.start, span.end));
                from = span.end.max(from + 1);
            } else {
                from = whole.start() + 1;
            }
        }
        found
    }

    fn holds(&self, text: &str, start: usize, end: usize) -> bool {
        let Some(value) = text.get(start..end) else {
            return false;
        };
        let (before, after) = (&text[..start], &text[end..]);
        assert!(
            value.len() <= self.row.bytes_max,
            "{}: {value}",
            self.row.id
        );
        edges(self.row.edges, before, after)
            && self.row.check.is_none_or(|check| check(value))
            && self.left.as_ref().is_none_or(|left| left.is_match(before))
            && self.confidence(before) >= LIKELY
    }

    fn confidence(&self, before: &str) -> u8 {
        let before = before.to_lowercase();
        let whole = |word: &&str| {
            before.match_indices(word).any(|(at, _)| {
                !before[..at].ends_with(char::is_alphanumeric)
                    && !before[at + word.len()..].starts_with(char::is_alphanumeric)
            })
        };
        let (without, with) = self.row.confidence;
        if self.row.words.iter().any(|word| whole(&word)) {
            with
        } else {
            without
        }
    }
}

fn edges(edges: Edges, before: &str, after: &str) -> bool {
    let word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let key = |sign: char| word(sign) || "-+/=".contains(sign);
    let apart = |sign: char| "./-".contains(sign) || edges == Edges::Groups && sign.is_whitespace();
    let clear = |test: &dyn Fn(char) -> bool| !before.ends_with(test) && !after.starts_with(test);
    let joint = |mut signs: Box<dyn Iterator<Item = char> + '_>| {
        signs.next().is_some_and(apart) && signs.next().is_some_and(|sign| sign.is_ascii_digit())
    };
    match edges {
        Edges::Any => true,
        Edges::Word => clear(&word),
        Edges::Key => clear(&key),
        Edges::Number | Edges::Groups => {
            clear(&word)
                && !joint(Box::new(before.chars().rev()))
                && !joint(Box::new(after.chars()))
        }
    }
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
        let compiled = Row::new(row);
        if row.found.len() < 2 || row.clear.is_empty() {
            wrong.push(format!("{}: too few examples", row.id));
        }
        for example in row.found {
            let (text, places) = unmarked(example);
            let found = compiled.find(&text);
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
            let found = compiled.find(text);
            if !found.is_empty() {
                wrong.push(format!("{}: {text:?}: {found:?}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
