//! Names in sentences that are too long to be shown to an analyzer at once.

use proptest::prelude::*;

use super::*;
use crate::AnalyzedSpan;
use crate::bounds::{ANALYZED_OVERLAP_BYTES, ANALYZED_PIECE_BYTES_MAX};

/// What tells the names in a piece.
type Analyzer<'a> = &'a dyn Fn(&str) -> Vec<AnalyzedSpan>;

/// A span of a piece in bytes, as an analyzer tells it.
fn span(piece: &str, at: std::ops::Range<usize>, class: BuiltinClass) -> AnalyzedSpan {
    let start = piece[..at.start].chars().count();
    AnalyzedSpan {
        class,
        start,
        end: start + piece[at].chars().count(),
        confidence: 85,
    }
}

fn person(piece: &str, at: std::ops::Range<usize>) -> AnalyzedSpan {
    span(piece, at, BuiltinClass::Person)
}

/// An analyzer that knows one name, and only whole.
fn knows(name: &str) -> impl Fn(&str) -> Vec<AnalyzedSpan> {
    move |piece| {
        let found = piece.match_indices(name);
        found
            .map(|(at, name)| person(piece, at..at + name.len()))
            .collect()
    }
}

/// Cleans one text in pieces of so many characters, asking `analyzer`.
fn asking(
    rules: &[DataRule],
    text: &str,
    chars: usize,
    analyzer: Analyzer<'_>,
) -> Result<String, CleanError> {
    let mut cleaner = cleaner(rules);
    loop {
        let done = cleaner
            .attempt(|cleaner| pieces_of(TextKind::Plain, cleaner, text, chars).map(Some))
            .or_else(|error| match error {
                CleanError::NeedsAnalysis => Ok(None),
                error => Err(error),
            })?;
        if let Some(out) = done {
            return Ok(out);
        }
        for piece in cleaner.wanted() {
            assert!(piece.len() <= ANALYZED_PIECE_BYTES_MAX, "{}", piece.len());
            let spans = analyzer(&piece);
            cleaner.answer(piece, &spans).unwrap();
        }
    }
}

fn people() -> [DataRule; 1] {
    [rule("names", &["person", "email"], "mask")]
}

/// Text of about so many bytes without the end of a sentence.
fn fillers(bytes: usize) -> [String; 4] {
    let long = |of: &str| of.repeat(bytes / of.len());
    [
        long("ab "),
        long("é"),
        long("someone went to "),
        long("a@b.com wrote, "),
    ]
}

/// Goal: a name in a long sentence never passes, in whole or in part, wherever it stands. Method:
/// one name put into each place of long runs of words, of letters and of values, and an analyzer
/// that knows it only where it sees it whole.
#[test]
fn a_name_at_any_place_of_a_long_sentence_is_replaced() {
    let name = "Jane van den Doe-Møller";
    let analyzer = knows(name);
    for filler in fillers(1500) {
        let places = filler.char_indices().map(|(at, _)| at);
        let alone = filler.replace("a@b.com", "[EMAIL]");
        let email = filler.contains('@');
        for at in places.filter(|at| !email || filler[*at..].starts_with("wrote")) {
            let text = format!("{}{name}{}", &filler[..at], &filler[at..]);
            let out = asking(&people(), &text, usize::MAX, &analyzer).unwrap();
            assert_eq!(out.matches("[PERSON]").count(), 1, "at {at}: {out}");
            assert_eq!(out.replace("[PERSON]", ""), alone, "at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: the same for names of any length that a name may have, wherever the text is cut.
    /// Method: generated names and places; the text whole and in pieces.
    #[test]
    fn a_name_of_any_length_is_replaced_wherever_text_is_cut(
        filler in 0..4_usize,
        letters in 1..ANALYZED_OVERLAP_BYTES,
        at in any::<prop::sample::Index>(),
        chars in 1..50_usize,
    ) {
        let filler = &fillers(3000)[filler];
        let places: Vec<usize> = filler.match_indices(['é', ' ']).map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let name: String = "Doe ".chars().cycle().take(letters).collect();
        let name = format!("{}X", name.trim_end());
        let text = format!("{} {name}{}", &filler[..at], &filler[at..]);
        let whole = asking(&people(), &text, usize::MAX, &knows(&name)).unwrap();
        prop_assert!(!whole.contains("Do") && whole.contains("[PERSON]"), "{}", whole);
        prop_assert_eq!(asking(&people(), &text, chars, &knows(&name)).unwrap(), whole);
    }
}

/// Goal: what two pieces tell of one name is one name, so that it has one label. Method: an
/// analyzer that tells each word with a capital, and the words behind it with it, as one name.
#[test]
fn halves_of_a_name_are_one_name() {
    let told = |piece: &str| {
        let (mut spans, mut start, mut end) = (Vec::new(), None, 0);
        for (at, word) in piece
            .split(' ')
            .map(|word| (word.as_ptr() as usize - piece.as_ptr() as usize, word))
        {
            if word.starts_with(char::is_uppercase) {
                start.get_or_insert(at);
                end = at + word.len();
            } else if let Some(start) = start.take() {
                spans.push(person(piece, start..end));
            }
        }
        spans.extend(start.map(|start| person(piece, start..end)));
        spans
    };
    let filler = "ab ".repeat(1000);
    for before in 200..=342 {
        let text = format!("{}Jane Mary Doe {}", &filler[..3 * before], &filler[..900]);
        let hashed = asking(&[rule("r", &["person"], "hash")], &text, 7, &told).unwrap();
        let label = hashed.find("[PERSON:").unwrap();
        assert_eq!(hashed.matches("[PERSON:").count(), 1, "{before}: {hashed}");
        assert!(
            hashed[label..].starts_with("[PERSON:") && hashed[label + 24..].starts_with("] ab")
        );
    }
}

/// Goal: a name that is longer than what two pieces show of it does not pass in part. Method:
/// analyzers that tell a name over the end of a piece, or over the start of the next one.
#[test]
fn a_name_longer_than_the_overlap_is_refused() {
    let text = "ab ".repeat(1000);
    let over_the_end = |piece: &str| {
        let from = piece.len().min(ANALYZED_PIECE_BYTES_MAX / 2);
        vec![person(piece, from..piece.len())]
    };
    let over_the_start = |piece: &str| vec![person(piece, 0..piece.len() * 3 / 4)];
    let analyzers: [Analyzer<'_>; 2] = [&over_the_end, &over_the_start];
    for analyzer in analyzers {
        for chars in [1, 100, usize::MAX] {
            let out = asking(&people(), &text, chars, analyzer);
            assert!(matches!(out, Err(CleanError::CannotInspect(_))), "{out:?}");
        }
        let out = asking(&[rule("r", &["person"], "flag")], &text, 100, analyzer);
        assert_eq!(
            out.unwrap(),
            text,
            "what passes is not refused for its length"
        );
    }
}

/// Goal: a name that may not pass is not lost in a longer one that may. Method: an organisation
/// that is only reported, around a person.
#[test]
fn a_name_that_passes_hides_none_that_may_not() {
    let told = |piece: &str| {
        let find = |name: &str, class| {
            let found = piece.match_indices(name);
            found
                .map(|(at, name)| span(piece, at..at + name.len(), class))
                .collect::<Vec<_>>()
        };
        let mut all = find("Jane Doe Ltd", BuiltinClass::Organization);
        all.extend(find("Jane Doe", BuiltinClass::Person));
        all
    };
    let rules = [
        rule("people", &["person"], "mask"),
        rule("firms", &["organization"], "flag"),
    ];
    let out = asking(&rules, "I asked Jane Doe Ltd today.", 3, &told).unwrap();
    assert_eq!(out, "I asked [PERSON] Ltd today.");
    let blocks = [
        rule("people", &["person"], "block"),
        rule("firms", &["organization"], "mask"),
    ];
    let out = asking(&blocks, "I asked Jane Doe Ltd today.", 3, &told);
    assert!(matches!(out, Err(CleanError::Blocked { .. })), "{out:?}");
}

/// Goal: what stands in place of a value is not taken for a name, nor taken apart by one. Method:
/// an analyzer that tells half of a label, beside a name.
#[test]
fn names_end_beside_what_we_wrote() {
    let told = |piece: &str| {
        let label = piece.find("[EMAIL]").unwrap();
        vec![
            person(piece, 0..label + 3),
            person(piece, label + 4..piece.len()),
        ]
    };
    let out = asking(&people(), "Jane a@b.com Doe", 1, &told).unwrap();
    assert_eq!(out, "[PERSON] [EMAIL] [PERSON]");
}
