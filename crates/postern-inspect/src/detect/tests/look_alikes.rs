//! Values in other digits, dashes and spaces than those of ASCII, cut anywhere.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use postern_types::{DataRule, Direction, RuleName};
use proptest::prelude::*;

use crate::{BodyCleaner, BodyKind, Cleaner, MaskKeys, RuleSet};

/// What stands before a value, the value, and what stands for it.
const VALUES: [(&str, &str, &str); 7] = [
    ("my card is ", "4539 5787 6362 1486", "[CARD]"),
    ("my card is ", "5425-2334-3010-9903", "[CARD]"),
    ("pay to ", "GB89 WEST 1234 5624 0177 85", "[IBAN]"),
    ("please call ", "+45 12 34 56 78", "[PHONE]"),
    ("write to ", "anna.berg@mail.example.org", "[EMAIL]"),
    ("CPR: ", "120275-2976", "[DK_CPR]"),
    ("SSN ", "552-60-1815", "[US_SSN]"),
];

/// The zeros of some rows of digits; three and four bytes long too.
const ZEROS: [char; 5] = ['٠', '۰', '०', '０', '𝟎'];
const DASHES: [char; 7] = ['‐', '‑', '–', '—', '―', '−', '－'];
const SPACES: [char; 4] = ['\u{a0}', '\u{2007}', '\u{202f}', '\u{3000}'];
const HIDDEN: [char; 10] = [
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{2060}',
    '\u{feff}',
    '\u{ad}',
    '\u{202a}',
    '\u{3164}',
    '\u{e0061}',
    '\u{e0100}',
];

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let spec = r#"{"directions":["request"],"classes":["all"],"action":"mask"}"#;
    let spec = serde_json::from_str(spec).unwrap();
    let name = RuleName::parse("all").unwrap();
    Arc::new(RuleSet::compile(&[DataRule { name, spec }]).unwrap())
});

/// The value in other characters, as the numbers say; the first in its place stays visible.
fn spelled(value: &str, draws: &[u8]) -> String {
    let mut draws = draws.iter().map(|draw| usize::from(*draw)).cycle();
    let mut draw = |below: usize| draws.next().unwrap_or(0) % below;
    let mut spelled = String::new();
    for (at, c) in value.chars().enumerate() {
        if at > 0 && draw(3) == 0 {
            spelled.push(HIDDEN[draw(HIDDEN.len())]);
        }
        let other = match c {
            '0'..='9' => ZEROS[draw(ZEROS.len())] as u32 + (c as u32 - u32::from('0')),
            '-' => DASHES[draw(DASHES.len())] as u32,
            ' ' => SPACES[draw(SPACES.len())] as u32,
            '!'..='~' => c as u32 + 0xfee0,
            other => other as u32,
        };
        let look_alike = char::from_u32(other).unwrap();
        spelled.push(if draw(2) == 0 { c } else { look_alike });
    }
    spelled
}

/// As [`spelled`], or with wider white space in one gap that is not the first.
fn writings() -> impl Strategy<Value = (String, String)> {
    let draws = prop::collection::vec(any::<u8>(), 8..64);
    let gap = prop::sample::select(vec!["  ", "\n", "\r\n", " \n", "\n "]);
    (0..VALUES.len(), draws, prop::option::of(gap)).prop_map(|(value, draws, gap)| {
        let (before, value, label) = VALUES[value];
        let written = match gap {
            Some(gap) if value.matches(' ').count() > 1 => {
                let gaps: Vec<usize> = value.match_indices(' ').map(|(at, _)| at).collect();
                let at = gaps[1 + usize::from(draws[0]) % (gaps.len() - 1)];
                let (left, right) = (spelled(&value[..at], &draws), &value[at + 1..]);
                format!("{left}{gap}{}", spelled(right, &draws))
            }
            _ => spelled(value, &draws),
        };
        let text = format!("né {before}{written}, — it is\u{a0}so.");
        (text, format!("né {before}{label}, — it is\u{a0}so."))
    })
}

fn cleaned(pieces: impl Iterator<Item = Vec<u8>>) -> String {
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let cleaner = Cleaner::new(Arc::clone(&RULES), Direction::Request, &[], keys);
    let kind = BodyKind {
        content_type: Some("text/plain"),
        content_encoding: None,
    };
    let mut body = BodyCleaner::new(&kind, cleaner);
    let mut out = Vec::new();
    for piece in pieces {
        body.push(Bytes::from(piece), &mut out).unwrap();
    }
    body.finish(&mut out).unwrap();
    String::from_utf8(out.concat()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Goal: however a value is spelled, all of it is masked and nothing else changes. Method:
    /// values in drawn characters, with characters without width, two spaces or the end of a line
    /// inside; whole, cut in two at every byte, and byte by byte.
    #[test]
    fn values_are_masked_whole_in_any_spelling((text, expected) in writings()) {
        let bytes = text.as_bytes();
        prop_assert_eq!(cleaned(std::iter::once(bytes.to_vec())), expected.clone(), "{:?}", text);
        prop_assert_eq!(cleaned(bytes.iter().map(|byte| vec![*byte])), expected.clone());
        for cut in 1..bytes.len() {
            let halves = [bytes[..cut].to_vec(), bytes[cut..].to_vec()];
            prop_assert_eq!(cleaned(halves.into_iter()), expected.clone(), "cut at {}", cut);
        }
    }
}

/// Goal: text in which nothing is found keeps its spelling, to the last character.
#[test]
fn what_is_not_found_keeps_its_spelling() {
    for text in [
        "１２３ — ４５６\u{200b}",
        "\u{feff}日本語（全角）：１０時",
        "می\u{200c}خواهم ۱۲ سیب",
        "👩\u{200d}👩\u{200d}👧 \u{200d}",
        "\u{200b}",
    ] {
        let bytes = text.as_bytes();
        assert_eq!(cleaned(bytes.iter().map(|byte| vec![*byte])), text);
    }
}

/// Goal: a value cannot be stretched without end. Method: more characters without width inside one
/// than are held.
#[test]
fn too_many_characters_without_width_are_refused() {
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let mut cleaner = Cleaner::new(Arc::clone(&RULES), Direction::Request, &[], keys);
    let text = format!("card 4539{}578763621486", "\u{200b}".repeat(6000));
    assert!(cleaner.clean_value("text", "", &text).is_err());
    let text = format!("card 4539{}578763621486", "\u{200b}".repeat(5000));
    let cleaned = cleaner.clean_value("text", "", &text).unwrap();
    assert_eq!(cleaned.as_deref(), Some("card [CARD]"));
}

/// Goal: what a rule looks for is found however rule and text spell it. Method: a word and a
/// pattern with an en dash, a full-width bracket and a no-break space, in text with and without.
#[test]
fn rules_find_what_they_name_in_any_spelling() {
    let spec = serde_json::json!({
        "directions": ["request"], "classes": [], "action": "mask",
        "custom": [
            { "class": "custom:case", "pattern": "case（[0-9]{3}）" },
            { "class": "custom:line", "words": ["Berlin–Wien\u{a0}Nord"] },
        ],
    });
    let spec = serde_json::from_value(spec).unwrap();
    let name = RuleName::parse("own").unwrap();
    let rules = Arc::new(RuleSet::compile(&[DataRule { name, spec }]).unwrap());
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let mut cleaner = Cleaner::new(rules, Direction::Request, &[], keys);
    for (text, expected) in [
        ("a case（１２３） b", "a [CUSTOM_CASE] b"),
        ("a case(123) b", "a [CUSTOM_CASE] b"),
        ("the Berlin–Wien Nord line", "the [CUSTOM_LINE] line"),
        ("the Berlin-Wien\u{a0}Nord line", "the [CUSTOM_LINE] line"),
    ] {
        let cleaned = cleaner.clean_value("text", "", text).unwrap();
        assert_eq!(cleaned.as_deref(), Some(expected), "{text}");
    }
}
