//! Promises over generated texts.

use proptest::prelude::*;

use super::*;

const VALUES: [&str; 7] = [
    "4111 1111 1111 1111",
    "4111111111111111",
    "GB29 NWBK 6016 1331 9268 19",
    "jane.doe+tag@mail.example.com",
    "sk-abcdefghijklmnopqrst0123456789",
    "+45 12 34 56 78",
    "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEAtest0123456789abcdef\nab=\n-----END PRIVATE KEY-----",
];

/// Parts of values that must not be left of them.
const PARTS: [&str; 7] = ["1111", "1111", "6016", "doe", "qrst", "56 78", "MIIE"];

fn noise() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "the",
        "Quick",
        "fox,",
        "in",
        "March",
        "12",
        "1980.",
        "I",
        "AB",
        "C3",
        "(see",
        "x=1;",
        "né",
        "日本語",
        "😀",
        "...",
        "-",
        "--",
        "-----BEGIN",
        "PRIVATE",
        "KEY-----",
        "@",
        "a@",
        "user_name",
        "http://x.org/a?b=c",
        "“quoted”",
        "don't",
        "v1.2.3",
        "3.14,",
        "-2.5",
        "[EMAIL]",
        "****",
        "\\",
        "\"",
        "{",
        "}",
        "[1,",
        ":",
        "\u{200b}",
        "\u{a0}",
        "password:",
        "EMAIL_abcdefghij",
        "%",
        "%2",
        "a%20b",
        "%34",
        "q=%25",
        "%E5%BC%A0",
        "%5BEMAIL%5D",
    ]);
    let space = prop::sample::select(vec![" ", " ", " ", "", "\n", "\t", "  ", "\u{a0}", "、"]);
    prop::collection::vec((word, space), 0..12).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, space)| [word, space])
            .collect()
    })
}

/// Noise with planted values, apart by white space.
fn texts() -> impl Strategy<Value = (String, Vec<usize>)> {
    let run = prop_oneof![
        6 => Just(String::new()),
        1 => (1_usize..9000, prop::sample::select(vec!["x", "7", "ab1", "é", "1 ", "sk-", "%41", "x%"]))
            .prop_map(|(count, of)| of.repeat(count / of.len())),
    ];
    prop::collection::vec((noise(), run, 0..VALUES.len()), 1..4).prop_map(|parts| {
        let mut text = String::new();
        let mut planted = Vec::new();
        for (noise, run, value) in parts {
            text.push_str(&noise);
            text.push_str(&run);
            // Words before the value keep it apart from what was generated.
            text.push_str("\nphone is ");
            text.push_str(VALUES[value]);
            text.push_str(" ok\n");
            planted.push(value);
        }
        (text, planted)
    })
}

fn cut(kind: TextKind, rules: &[DataRule], text: &str, cuts: &[usize]) -> (String, Vec<Finding>) {
    let mut cleaner = cleaner(rules);
    let mut channel = Channel::new(kind, "p", "");
    let mut out = String::new();
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|at| crate::detect::context::floor(text, at % (text.len() + 1)))
        .collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        channel
            .push(&text[pair[0]..pair[1]], &mut cleaner, &mut out)
            .unwrap();
    }
    channel.finish(&mut cleaner, &mut out).unwrap();
    assert!(!channel.holds());
    (out, cleaner.findings())
}

fn rules() -> impl Strategy<Value = Vec<DataRule>> {
    let action = prop::sample::select(vec!["mask", "hash", "keep-last-2", "pseudonym:token"]);
    let own = any::<bool>();
    (action, own).prop_map(|(action, own)| {
        let mut rules = vec![rule("all", &["all"], action)];
        if own {
            let mut rule = rule("own", &[], "mask");
            rule.spec.custom = vec![postern_types::CustomDetector {
                class: DataClass::parse("custom:own").unwrap(),
                pattern: Some(r"[Ff]ox,\s{0,3}in|the [a-z]{1,30} ".to_owned()),
                words: vec!["Quick fox".to_owned(), "March 12".to_owned()],
            }];
            rules.push(rule);
        }
        rules
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Goal: the promises of a channel. Method: a text with planted values, whole and cut at random
    /// places: the same output and findings, nothing of a value left, and cleaning it again
    /// changes nothing.
    #[test]
    fn cutting_changes_nothing_and_leaves_nothing(
        (text, planted) in texts(),
        rules in rules(),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        let whole = cut(TextKind::Plain, &rules, &text, &[]);
        prop_assert_eq!(&cut(TextKind::Plain, &rules, &text, &cuts), &whole);
        let ends: Vec<usize> = (0..text.len().min(200)).collect();
        prop_assert_eq!(&cut(TextKind::Plain, &rules, &text, &ends), &whole);
        if rules[0].spec.action == DataAction::Mask {
            for value in planted {
                prop_assert!(!whole.0.contains(PARTS[value]), "{} in {}", PARTS[value], whole.0);
            }
        }
        let again = cut(TextKind::Plain, &rules, &whole.0, &[]);
        prop_assert!(leaves_no_more(&again.0, &whole.0), "{} then {}", whole.0, again.0);
    }

    /// Goal: JSON text is cleaned like the strings in it. Method: the strings of a document,
    /// cleaned on their own and inside it.
    #[test]
    fn json_text_is_cleaned_like_its_strings(
        (text, _) in texts(),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        prop_assume!(!text.trim_start().starts_with(['{', '[', '"']));
        let rules = [rule("all", &["all"], "mask")];
        let json = serde_json::json!({ "k": [text] }).to_string();
        let (out, _) = cut(TextKind::Json, &rules, &json, &cuts);
        let read: serde_json::Value = serde_json::from_str(&out).unwrap();
        let mut cleaner = cleaner(&rules);
        let alone = cleaner.clean_value("p", "k: ", &text).unwrap().unwrap_or(text);
        prop_assert_eq!(read["k"][0].as_str(), Some(alone.as_str()));
    }

    /// Goal: text that is no JSON, or half of it, is cleaned wherever it is cut.
    #[test]
    fn broken_json_text_is_cleaned_wherever_it_is_cut(
        (text, planted) in texts(),
        opening in prop::sample::select(vec!["", "[", "{\"a\":", "{\"a\":\"", "[1, ", "\"x\": "]),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        let rules = [rule("all", &["all"], "mask")];
        let text = format!("{opening}{text}");
        let whole = cut(TextKind::Json, &rules, &text, &[]);
        prop_assert_eq!(&cut(TextKind::Json, &rules, &text, &cuts), &whole);
        for value in planted {
            prop_assert!(!whole.0.contains(PARTS[value]), "{} in {}", PARTS[value], whole.0);
        }
    }
}
