//! Classes that rules define.

use postern_types::CustomDetector;

use super::*;

fn own(pattern: Option<&str>, words: &[&str]) -> DataRule {
    let mut rule = rule("own", &[], "mask");
    rule.spec.custom = vec![CustomDetector {
        class: DataClass::parse("custom:badge").unwrap(),
        pattern: pattern.map(str::to_owned),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    }];
    rule
}

/// Goal: patterns and words are found across white space, whole words only, the longest first, and
/// together with what ships. Method: texts with what becomes of them, whole and in pieces.
#[test]
fn own_classes_are_found_across_white_space() {
    let words = own(
        None,
        &[
            "Project Blue Falcon",
            "Project Blue",
            "falcon",
            "søværnet",
            "C++xy",
        ],
    );
    let pattern = own(
        Some(r"badge [A-Z]{2}[0-9]{2,6}\b|[0-9]{3}\s{1,3}apples"),
        &[],
    );
    let all = rule("all", &["all"], "mask");
    let rules = [words, pattern, all];
    let cases = [
        ("see project blue falcon now", "see [CUSTOM_BADGE] now"),
        ("see Project Blue Falconry", "see [CUSTOM_BADGE] Falconry"),
        ("see Project Bluefish", "see Project Bluefish"),
        ("the SØVÆRNET.", "the [CUSTOM_BADGE]."),
        (
            "xfalcon falcon_2 falcon-2",
            "xfalcon falcon_2 [CUSTOM_BADGE]-2",
        ),
        (
            "badge AB123 and badge AB1234567",
            "[CUSTOM_BADGE] and badge AB1234567",
        ),
        ("eat 123 \n apples", "eat [CUSTOM_BADGE]"),
        ("falcon@example.com", "[EMAIL]"),
        ("blue.falcon@example.com falcon", "[EMAIL] [CUSTOM_BADGE]"),
        ("project blue", "[CUSTOM_BADGE]"),
    ];
    for (text, expected) in cases {
        for chars in [1, 2, 5, 1000] {
            let out = in_pieces(&mut cleaner(&rules), text, chars).unwrap();
            assert_eq!(out, expected, "{text} in {chars}");
            let again = clean(&mut cleaner(&rules), &out).unwrap();
            assert_eq!(again, out, "cleaning twice");
        }
    }
}

/// Goal: a phrase is found whatever white space stands in it and however its letters are written,
/// within bounds. Method: spellings of two phrases, in pieces.
#[test]
fn phrases_are_found_in_every_spelling() {
    let words = own(
        None,
        &["Blue  Falcon", "Über\u{301}sicht", "U\u{308}berflug Süd"],
    );
    let rules = [words, rule("all", &["all"], "mask")];
    let found = [
        "blue falcon",
        "BLUE  falcon",
        "blue\nfalcon",
        "blue\r\n    falcon",
        "blue\u{a0}falcon",
        "überflug süd",
        "ÜBERFLUG SÜD",
        "U\u{308}berflug su\u{308}d",
        "u\u{308}berflug \n su\u{308}d",
    ];
    for text in found {
        for chars in [1, 2, 5, 1000] {
            let text = format!("see {text}, please");
            let out = in_pieces(&mut cleaner(&rules), &text, chars).unwrap();
            assert_eq!(out, "see [CUSTOM_BADGE], please", "{text:?} in {chars}");
        }
    }
    let far = format!("blue{}falcon", " ".repeat(17));
    for text in ["bluefalcon", "blue-falcon", "blue x falcon", &far] {
        let out = in_pieces(&mut cleaner(&rules), text, 3).unwrap();
        assert_eq!(out, text);
    }
}

/// Goal: what is left of a value of an own class between two others does not depend on which of
/// them was there first. Method: a match that ends in one address and begins in the next.
#[test]
fn own_classes_between_others_are_cut_alike() {
    let rules = [own(Some("[ab]{2,5} c"), &[]), rule("all", &["all"], "mask")];
    let text = "a@b.comaabb ca@b.com and ";
    let whole = clean(&mut cleaner(&rules), text).unwrap();
    assert_eq!(whole, "[EMAIL] [EMAIL] and ");
    for chars in 1..=text.len() {
        let out = in_pieces(&mut cleaner(&rules), text, chars).unwrap();
        assert_eq!(out, whole, "in {chars}");
    }
}

/// Goal: text is held while a match of an own class is alive, and no longer.
#[test]
fn own_classes_hold_what_they_may_need() {
    let mut cleaner = cleaner(&[own(None, &["Project Blue Falcon"])]);
    let mut channel = Channel::new(TextKind::Plain, "", "");
    let mut out = String::new();
    channel
        .push("a project blue ", &mut cleaner, &mut out)
        .unwrap();
    assert_eq!(out, "a ");
    channel.push("g", &mut cleaner, &mut out).unwrap();
    channel.push("oose ", &mut cleaner, &mut out).unwrap();
    assert_eq!(out, "a project blue goose ");
    assert!(!channel.holds());
}

/// Goal: what could not be held or run is refused when the rule is saved, with advice.
#[test]
fn own_classes_are_refused_where_they_cannot_work() {
    let refused = [
        own(None, &[]),
        own(Some("a*"), &[]),
        own(Some("a+"), &[]),
        own(Some("[a-z]{600}"), &[]),
        own(Some("(?:[a-z][0-9]?){1,250}x(?:[a-q]{1,200}y)?"), &[]),
        own(Some("(?u:\\w{1,60} \\w{1,60})"), &[]),
        own(Some("(a"), &[]),
        own(Some("(?=a)b"), &[]),
        own(None, &["ab"]),
        own(None, &[" abc"]),
    ];
    for rule in refused {
        let shown = format!("{:?}", rule.spec.custom[0]);
        let error = RuleSet::compile(&[rule]).expect_err(&shown);
        assert!(
            error
                .to_string()
                .starts_with("the data rule own cannot be used: custom:badge: its")
                || error.to_string().contains("it has"),
            "{error}"
        );
    }
    let mut builtin = own(None, &["abc"]);
    builtin.spec.custom[0].class = DataClass::Builtin(BuiltinClass::Email);
    assert!(RuleSet::compile(&[builtin]).is_err());
}
