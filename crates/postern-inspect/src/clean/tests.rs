use std::sync::{Arc, LazyLock};

use postern_types::{
    BuiltinClass, ClassSelector, DataAction, DataClass, DataRule, DataRuleSpec, Direction, RuleName,
};

mod actions;
mod analyzed;
mod broken;
mod coded;
mod escaped;
mod ours;
mod overlap;
mod own;
mod pieces;
mod promises;

use super::*;
use crate::detect::engine::Engine;
use crate::detect::{Detector, Edges, Needs};

fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn panics(text: &str) -> bool {
    assert!(text != "PANIC-1", "a validator that fails");
    true
}

/// Rows enough to try what the engine does; the tables that ship have tests of their own.
static ROWS: &[Detector] = &[
    Detector::new(
        "t_card",
        BuiltinClass::Card,
        Needs::Digits(13),
        r"[0-9]{4}(?:[ -]?[0-9]{4}){3}",
    )
    .edges(Edges::Number)
    .check(luhn)
    .at_most(24),
    Detector::new(
        "t_iban",
        BuiltinClass::Iban,
        Needs::Digits(8),
        r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?",
    )
    .at_most(48),
    Detector::new(
        "t_email",
        BuiltinClass::Email,
        Needs::Byte(b'@'),
        r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,20}",
    )
    .at_most(320),
    Detector::new(
        "t_phone",
        BuiltinClass::Phone,
        Needs::Digits(8),
        r"(?:\+[0-9]{1,3} ?)?[0-9]{2}(?: ?[0-9]{2}){3}",
    )
    .words(&["phone", "tlf."], 40, 80)
    .at_most(24),
    Detector::new(
        "t_key",
        BuiltinClass::ApiKey,
        Needs::Literal(&["sk-"]),
        r"sk-[A-Za-z0-9]{20,}",
    )
    .edges(Edges::Key)
    .at_most(2048)
    .open_ended(),
    Detector::new(
        "t_pem",
        BuiltinClass::PrivateKey,
        Needs::Literal(&["-----BEGIN"]),
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s:,\\-]*",
    )
    .edges(Edges::Any)
    .at_most(2048)
    .open_ended(),
    Detector::new(
        "t_password",
        BuiltinClass::GenericSecret,
        Needs::Run(6),
        r"[!-~]{6,}",
    )
    .edges(Edges::Any)
    .left(r#"(?:password|secret)["']?\s*[:=]\s*"#)
    .open_ended(),
    Detector::new(
        "t_birth",
        BuiltinClass::DateOfBirth,
        Needs::Digits(5),
        r"[0-9]{1,2}\.? (?:de )?[A-Za-z]{3,9} (?:de )?[0-9]{4}|[A-Z][a-z]{2,9} [0-9]{1,2}, [0-9]{4}",
    )
    .at_most(40),
    Detector::new(
        "t_place",
        BuiltinClass::Coordinates,
        Needs::Digits(4),
        r"-?[0-9]{1,2}\.[0-9]{2,8}, ?-?[0-9]{1,3}\.[0-9]{2,8}",
    )
    .at_most(40),
    Detector::new(
        "t_panic",
        BuiltinClass::Passport,
        Needs::AnyCase(&["panic-"]),
        r"PANIC-[0-9]",
    )
    .check(panics),
];

static TABLE: LazyLock<Engine> = LazyLock::new(|| Engine::new(ROWS.iter()));

fn rule(name: &str, classes: &[&str], action: &str) -> DataRule {
    DataRule {
        name: RuleName::parse(name).unwrap(),
        spec: DataRuleSpec {
            upstream: None,
            directions: vec![Direction::Request, Direction::Response],
            classes: classes
                .iter()
                .map(|class| ClassSelector::parse(class).unwrap())
                .collect(),
            action: DataAction::parse(action).unwrap(),
            dry_run: false,
            confidence_min: 50,
            custom: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            opaque: postern_types::OpaqueAction::Refuse,
            thinking: postern_types::ThinkingAction::Drop,
            tell_client: false,
        },
    }
}

fn cleaner(rules: &[DataRule]) -> Cleaner {
    let rules = RuleSet::compile_with(&TABLE, rules).unwrap();
    let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
    Cleaner::new(Arc::new(rules), Direction::Request, &[], keys)
}

fn masking() -> Cleaner {
    cleaner(&[rule("all", &["all"], "mask")])
}

fn clean(cleaner: &mut Cleaner, text: &str) -> Result<String, CleanError> {
    let cleaned = cleaner.clean_value("messages.content", "", text)?;
    Ok(cleaned.unwrap_or_else(|| text.to_owned()))
}

/// Whether cleaning again changed nothing, but for more stars behind stars.
fn leaves_no_more(again: &str, once: &str) -> bool {
    let starred = once.contains('*') && again.chars().count() == once.chars().count();
    let mut pairs = again.chars().zip(once.chars());
    again == once || starred && pairs.all(|(new, old)| new == old || new == '*')
}

/// Cleans a text in pieces of so many characters.
fn in_pieces(cleaner: &mut Cleaner, text: &str, chars: usize) -> Result<String, CleanError> {
    pieces_of(TextKind::Plain, cleaner, text, chars)
}

fn pieces_of(
    kind: TextKind,
    cleaner: &mut Cleaner,
    text: &str,
    chars: usize,
) -> Result<String, CleanError> {
    let mut channel = Channel::new(kind, "messages.content", "");
    let mut out = String::new();
    let all: Vec<char> = text.chars().collect();
    for piece in all.chunks(chars) {
        channel.push(&piece.iter().collect::<String>(), cleaner, &mut out)?;
    }
    channel.finish(cleaner, &mut out)?;
    assert!(!channel.holds());
    Ok(out)
}

/// What has gone on of a text that came letter by letter, and is not at its end.
fn spoken(text: &str) -> String {
    let (mut channel, mut cleaner) = (Channel::new(TextKind::Plain, "p", ""), masking());
    let mut out = String::new();
    for letter in text.chars() {
        let said = channel.push(&letter.to_string(), &mut cleaner, &mut out);
        said.expect("no letter is refused");
    }
    out
}

/// What goes on of a text in pieces of any length: `cuts` modulo what is left.
fn cut_anywhere(text: &str, cuts: &[usize]) -> String {
    let (mut cleaner, mut out) = (masking(), String::new());
    let mut channel = Channel::new(TextKind::Plain, "messages.content", "");
    let mut rest = text;
    for cut in cuts {
        let end = crate::detect::context::floor(rest, cut % (rest.len() + 1));
        let (piece, more) = rest.split_at(end);
        let taken = channel.push(piece, &mut cleaner, &mut out);
        taken.expect("no piece is refused");
        rest = more;
    }
    let ended = channel.push(rest, &mut cleaner, &mut out);
    ended
        .and_then(|()| channel.finish(&mut cleaner, &mut out))
        .expect("it is read to its end");
    out
}

/// Goal: each thing that must stay together does, and nothing else changes. Method: texts with what
/// becomes of them, whole and in small pieces.
#[test]
fn values_are_found_wherever_text_is_cut() {
    let key = "k".repeat(50_000);
    let lines = "MIIEpAIBAAKCAQEAtest0123456789abcdefghijklmnop\n".repeat(1000);
    let pem = format!(
        "see -----BEGIN RSA PRIVATE KEY-----\n{lines}abc=\n-----END RSA PRIVATE KEY----- ok"
    );
    let cases: Vec<(String, String)> = [
        ("card 4111 1111 1111 1111.", "card [CARD]."),
        ("card 4111-1111-1111-1111, and", "card [CARD], and"),
        ("not 4111 1111 1111 1112 one", "not 4111 1111 1111 1112 one"),
        ("GB29 NWBK 6016 1331 9268 19 x", "[IBAN] x"),
        ("mail a.b+c@x.example.com!", "mail [EMAIL]!"),
        ("微信a@b.com号", "微信[EMAIL]号"),
        ("phone: +45 12 34 56 78 ok", "phone: [PHONE] ok"),
        ("count 12 34 56 78 ok", "count 12 34 56 78 ok"),
        ("born 12 March 1980 in", "born [DATE_OF_BIRTH] in"),
        ("né 3. marzo 1980", "né [DATE_OF_BIRTH]"),
        ("12 de marzo de 1980", "[DATE_OF_BIRTH]"),
        ("on March 12, 1980 he", "on [DATE_OF_BIRTH] he"),
        ("at 55.6761, -12.5683 now", "at [COORDINATES] now"),
        ("password: hunter2!x ok", "password: [GENERIC_SECRET] ok"),
        ("key sk-abcdefghij0123456789 ok", "key [API_KEY] ok"),
        (
            "I have 12 chairs of 3 kinds in A B.",
            "I have 12 chairs of 3 kinds in A B.",
        ),
    ]
    .into_iter()
    .map(|(text, out)| (text.to_owned(), out.to_owned()))
    .chain([
        (format!("a sk-{key}!b c"), "a [API_KEY]!b c".to_owned()),
        (format!("sk-{key}"), "[API_KEY]".to_owned()),
        (pem, "see [PRIVATE_KEY] ok".to_owned()),
    ])
    .collect();
    for (text, expected) in &cases {
        let shown = &expected[..expected.len().min(60)];
        assert_eq!(&clean(&mut masking(), text).unwrap(), expected, "{shown}");
        // One character a push costs most, so long texts take larger pieces.
        let smallest = if text.len() > 1000 { 61 } else { 1 };
        for chars in [smallest, 2 * smallest + 1, 1000] {
            let out = in_pieces(&mut masking(), text, chars).unwrap();
            assert_eq!(&out, expected, "{shown} in {chars}");
        }
    }
}

/// Goal: a stream of prose feels live. Method: one character a push; after white space nothing is
/// held, and what is held never reaches beyond the word being written.
#[test]
fn prose_waits_for_its_word_only() {
    let text =
        "The quick brown fox, born in march, has 12 chairs (well-made). 你好 and naïve café.";
    let mut cleaner = masking();
    let mut channel = Channel::new(TextKind::Plain, "", "");
    let (mut out, mut given) = (String::new(), String::new());
    for c in text.chars() {
        given.push(c);
        channel
            .push(&c.to_string(), &mut cleaner, &mut out)
            .unwrap();
        let held = &given[out.len()..];
        if c.is_whitespace() && !held.starts_with(|c: char| c.is_ascii_digit()) {
            assert!(!channel.holds(), "{held:?}");
        }
        assert!(
            held.trim_start_matches(|c: char| c.is_ascii_digit())
                .trim_start()
                .split(' ')
                .count()
                <= 1
        );
    }
    channel.finish(&mut cleaner, &mut out).unwrap();
    assert_eq!(out, text);
}

/// Goal: JSON text is cleaned as what it says, and keeps its spelling elsewhere; what is no JSON is
/// cleaned as text. Method: texts with what becomes of them, whole and in small pieces.
#[test]
fn json_text_is_cleaned_inside() {
    let cases = [
        (
            r#"{"to": "a\u0040b.com", "n": 4111111111111111 , "k\u0065y":"\ud83d\ude00 \/"}"#,
            r#"{"to": "[EMAIL]", "n": "[CARD]" , "k\u0065y":"\ud83d\ude00 \/"}"#,
        ),
        (
            r#"{"password":"hunter2!","x":[true,null,-1.5e3,{}],"a@b.com":{}}"#,
            r#"{"password":"[GENERIC_SECRET]","x":[true,null,-1.5e3,{}],"[EMAIL]":{}}"#,
        ),
        (
            r#"{"in":"{\"password\": \"hunter2!\"}","s":"\"a@b.com\""}"#,
            r#"{"in":"{\"password\": \"[GENERIC_SECRET]\"}","s":"\"[EMAIL]\""}"#,
        ),
        (
            r#"[NaN, -Infinity, 007, "a\u0040b.com"]"#,
            r#"[NaN, -Infinity, 007, "[EMAIL]"]"#,
        ),
        ("[4111 1111 1111 1111]", "[[CARD]]"),
        ("[INFO] mail a@b.com now", "[INFO] mail [EMAIL] now"),
        ("plain a@b.com", "plain [EMAIL]"),
        (r#"{"a":"x"} then a@b.com"#, r#"{"a":"x"} then [EMAIL]"#),
        (r#"{"a":"c:\dir a@b.com"}"#, r#"{"a":"c:\dir [EMAIL]"}"#),
        (
            r#""password": hunter2!x y"#,
            r#""password": [GENERIC_SECRET] y"#,
        ),
        (r#"{"open":"a@b.com"#, r#"{"open":"[EMAIL]"#),
        (r#"{"open":[4111111111111111"#, r#"{"open":[[CARD]"#),
        (
            "{\"a\":1}\n{\"b\":\"a@b.com\"}",
            "{\"a\":1}\n{\"b\":\"[EMAIL]\"}",
        ),
        ("", ""),
    ];
    for (text, expected) in cases {
        for chars in [1, 2, 3, 1000] {
            let out = pieces_of(TextKind::Json, &mut masking(), text, chars).unwrap();
            assert_eq!(out, expected, "{text} in {chars}");
        }
    }
    for lone in [r#"["\ud83d"]"#, r#"["\ude00x"]"#, r#"["\ud83d"#] {
        let out = pieces_of(TextKind::Json, &mut masking(), lone, 1);
        assert!(matches!(out, Err(CleanError::CannotInspect(_))), "{lone}");
    }
    let deep = "[".repeat(200);
    let out = pieces_of(TextKind::Json, &mut masking(), &deep, 7);
    assert!(matches!(out, Err(CleanError::CannotInspect(_))));
}
