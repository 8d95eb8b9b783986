//! Values as users write them, through a cleaner with every class masked, cut anywhere.

use std::sync::{Arc, LazyLock};

use postern_types::{DataRule, Direction, RuleName};

use crate::clean::{Channel, TextKind};
use crate::{Cleaner, MaskKeys, RuleSet};

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let spec = r#"{"directions":["request"],"classes":["all"],"action":"mask"}"#;
    let spec = serde_json::from_str(spec).unwrap();
    let name = RuleName::parse("all").unwrap();
    Arc::new(RuleSet::compile(&[DataRule { name, spec }]).unwrap())
});

fn channel(kind: TextKind, left: &str) -> (Cleaner, Channel) {
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let cleaner = Cleaner::new(Arc::clone(&RULES), Direction::Request, &[], keys);
    (cleaner, Channel::new(kind, "place", left))
}

/// What the text becomes, the same in pieces of any size.
fn cleaned_as(kind: TextKind, left: &str, text: &str) -> String {
    let mut whole = None;
    for size in [usize::MAX, 1, 2, 3, 5, 16] {
        let (mut cleaner, mut channel) = channel(kind, left);
        let mut out = String::new();
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(size) {
            let piece: String = piece.iter().collect();
            channel.push(&piece, &mut cleaner, &mut out).unwrap();
        }
        channel.finish(&mut cleaner, &mut out).unwrap();
        let whole = whole.get_or_insert_with(|| out.clone());
        assert_eq!(&out, whole, "{text:?} in pieces of {size}");
    }
    whole.unwrap_or_default()
}

fn cleaned(text: &str) -> String {
    cleaned_as(TextKind::Plain, "", text)
}

/// Goal: white space around a value that is the whole text says nothing about it, and more than
/// that does. Method: one number with and without it, and beside other text.
#[test]
fn white_space_around_a_value_leaves_it_alone() {
    for around in ["", "\n", "\r\n", " ", " \n\n", "\t", "\u{a0}", "\u{200b}"] {
        let text = format!("9434765919{around}");
        let expected = format!("[UK_NHS]{around}");
        assert_eq!(cleaned(&text), expected, "{text:?}");
        let text = format!("{around}9434765919{around}");
        assert!(cleaned(&text).contains("[UK_NHS]"), "{text:?}");
    }
    let far = format!("9434765919{}", " ".repeat(17));
    let beside = ["9434765919 boxes", "9434765919\n2", "x 9434765919\n", &far];
    for text in beside {
        assert_eq!(cleaned(text), text);
    }
}

/// Goal: a value of JSON that is nothing but a number is as much alone as a text is, unless its
/// key says what it is. Method: keys of both kinds.
#[test]
fn a_key_that_says_nothing_leaves_a_value_alone() {
    for key in ["a", "", "value", "Data", "x", "input"] {
        let text = format!(r#"{{"{key}":"2123456701"}}"#);
        assert_ne!(cleaned_as(TextKind::Json, "", &text), text);
    }
    for key in ["order", "id", "count"] {
        let text = format!(r#"{{"{key}":"2123456701"}}"#);
        assert_eq!(cleaned_as(TextKind::Json, "", &text), text);
    }
    assert_ne!(
        cleaned_as(TextKind::Json, "", r#"["2123456701"]"#),
        r#"["2123456701"]"#
    );
}

/// Goal: to wait for what makes a value alone delays nothing else. Method: what is given on as
/// text comes.
#[test]
fn only_a_first_value_waits_for_what_follows_its_space() {
    let (mut cleaner, mut channel) = channel(TextKind::Plain, "");
    let mut given = |piece: &str| {
        let mut out = String::new();
        channel.push(piece, &mut cleaner, &mut out).unwrap();
        out
    };
    assert_eq!(given("9434765919\n"), "");
    assert_eq!(given("is it "), "9434765919\nis it ");
    assert_eq!(given("A1B2C3D4E5,\n"), "A1B2C3D4E5,\n");
}
