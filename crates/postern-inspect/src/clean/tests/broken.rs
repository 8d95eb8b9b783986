//! JSON in text that breaks off, or lies deeper than it is read: escapes hide nothing there.

use proptest::prelude::*;

use super::*;

const MAIL: &str = "jane.doe@example.com";

fn cleaned(text: &str, chars: usize) -> Result<String, CleanError> {
    pieces_of(TextKind::Json, &mut masking(), text, chars)
}

/// The text with each letter spelled as an escape, in so many strings.
fn escaped(text: &str, levels: usize) -> String {
    let slashes = "\\".repeat((1 << levels) - 1);
    let unit = |unit: u16| format!("{slashes}u{unit:04x}");
    text.encode_utf16().map(unit).collect()
}

/// A string that stands in so many strings.
fn nested(text: &str, levels: usize) -> String {
    (0..levels).fold(text.to_owned(), |text, _| {
        serde_json::json!({ "in": text }).to_string()
    })
}

/// Goal: a value behind a break is found however its letters are spelled. Method: texts that begin
/// like JSON and are none, each with a value in escapes.
#[test]
fn escapes_behind_a_break_hide_nothing() {
    let cases = [
        (
            r#"{"a":1} then {"to":"a\u0040b.com"}"#,
            r#"{"a":1} then {"to":"[EMAIL]"}"#,
        ),
        (r#"{'to': 'a\u0040b.com'}"#, "{'to': '[EMAIL]'}"),
        (r#"{to: "a\u0040b.com"}"#, r#"{to: "[EMAIL]"}"#),
        (r#"[1,,"a\u0040b.com"]"#, r#"[1,,"[EMAIL]"]"#),
        (
            r#"{"a":"c:\dir a\u0040b.com"}"#,
            r#"{"a":"c:\dir [EMAIL]"}"#,
        ),
        (r#"[INFO] \t4111111111111111"#, r#"[INFO] \t[CARD]"#),
        (
            r#"{x "in":"{\"to\":\"a\\u0040b.com\"}"}"#,
            r#"{x "in":"{\"to\":\"[EMAIL]\"}"}"#,
        ),
        (
            r"[x \q \u00zz \u0041\u0040b.com \",
            r"[x \q \u00zz [EMAIL] \",
        ),
        (r"[x \ud83d\u0020a\u0040b.com", r"[x \ud83d\u0020[EMAIL]"),
        (
            r"[x \ud83d\ude00 \ude00 \ud83d a@b.com",
            r"[x \ud83d\ude00 \ude00 \ud83d [EMAIL]",
        ),
        (
            r"[x \\ud83d\\ude00 a\\\u0040b.com \ud83d",
            r"[x \\ud83d\\ude00 [EMAIL] \ud83d",
        ),
        (r#""a" "b\u0040c.com""#, r#""a" "[EMAIL]""#),
        // What may be an escape may be none, too.
        (r"[x \n@b.com", r"[x \[EMAIL]"),
        (r"[x \nancy@b.com", r"[x \n[EMAIL]"),
        (
            r"[x \\\t@b.com, \u1234@b.com \b",
            r"[x \\\[EMAIL], \[EMAIL] \b",
        ),
        (
            r#"{"a":"c:\dir \rs@b.com","b":"\f@b.com"}"#,
            r#"{"a":"c:\dir \r[EMAIL]","b":"\[EMAIL]"}"#,
        ),
        // What never looked like JSON is read as it stands.
        (r"see C:\new\u0041 a@b.com", r"see C:\new\u0041 [EMAIL]"),
    ];
    for (text, expected) in cases {
        for chars in [1, 2, 3, 1000] {
            assert_eq!(
                cleaned(text, chars).as_deref(),
                Ok(expected),
                "{text} in {chars}"
            );
        }
    }
    let many = format!("[x {}u0040", "\\".repeat(100));
    assert_eq!(cleaned(&many, 1).unwrap(), many);
}

/// Goal: the same where JSON in a string begins with white space or is a string, and deeper than
/// strings are read one in the other.
#[test]
fn json_in_strings_is_read_however_it_begins() {
    for (inner, expected) in [
        (r#"  {"to":"a\u0040b.com"}"#, r#"  {"to":"[EMAIL]"}"#),
        ("\n\t[\"a\\u0040b.com\"]", "\n\t[\"[EMAIL]\"]"),
        (r#""a\u0040b.com""#, r#""[EMAIL]""#),
        ("  plain a@b.com", "  plain [EMAIL]"),
        ("   ", "   "),
    ] {
        for levels in 1..7 {
            let (text, expected) = (nested(inner, levels), nested(expected, levels));
            for chars in [1, 7, 1000] {
                let out = cleaned(&text, chars);
                assert_eq!(out.as_deref(), Ok(&*expected), "{text} in {chars}");
            }
        }
    }
    let white = " ".repeat(2000);
    let text = nested(&format!("{white}{{\"to\":\"a\\u0040b.com\"}}"), 1);
    assert_eq!(
        cleaned(&text, 3).unwrap(),
        nested(&format!("{white}{{\"to\":\"[EMAIL]\"}}"), 1)
    );
}

/// Goal: the name of a field counts up to its end, wherever it is cut. Method: a name that is
/// longer than what is kept of one, with letters of two bytes around the bound.
#[test]
fn a_long_name_of_a_field_is_cut_by_the_text_alone() {
    for before in 100..140 {
        let name = format!(
            "{}{}_password",
            "é".repeat(before / 2),
            "k".repeat(before % 2)
        );
        let text = format!(r#"{{"{name}":"hunter2!x"}}"#);
        let expected = format!(r#"{{"{name}":"[GENERIC_SECRET]"}}"#);
        for chars in [1, 2, 3, 64, 1000] {
            assert_eq!(cleaned(&text, chars).as_deref(), Ok(&*expected), "{chars}");
        }
    }
}

fn junk() -> impl Strategy<Value = String> {
    let item = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\",
        "\\\\",
        "\\\"",
        "\\n",
        "\\u",
        "\\u00",
        "\\ud83d",
        "\\ude00",
        " ",
        "\n",
        "1",
        "-",
        "true",
        "N",
        "x",
        "'",
        "é",
        "\"a\":",
        "{\"b\":\"",
    ]);
    prop::collection::vec(item, 0..12).prop_map(|items| items.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Goal: a value behind a backslash is found in both readings, its first letter an escape or
    /// not, and cuts change nothing. Method: values that begin with each letter of an escape, of
    /// which nothing is left if it is one.
    #[test]
    fn the_letter_of_an_escape_hides_no_value(
        junk in junk(),
        slashes in 1..4_usize,
        letter in prop::sample::select(vec!["b", "f", "n", "r", "t", "u", "u0020"]),
        behind in prop::sample::select(vec!["", " ", "\"", "\\", "\\n", "\\\"", ",", "\n"]),
        chars in 1..9_usize,
    ) {
        let mail = format!("{letter}@example.com");
        let text = format!("[x {junk}{}{mail}{behind} ok", "\\".repeat(slashes));
        let whole = cleaned(&text, usize::MAX);
        prop_assert_eq!(&cleaned(&text, chars), &whole);
        if let Ok(out) = whole {
            prop_assert!(!out.contains(&mail), "{} became {}", text, out);
        }
    }

    /// Goal: whatever stands before, and however deep, a value in escapes does not pass, and cuts
    /// change nothing. Method: junk that looks like JSON before a value of escapes alone.
    #[test]
    fn no_junk_before_a_value_hides_it(
        junk in junk(),
        levels in 1..4_usize,
        chars in 1..9_usize,
    ) {
        let mail = escaped(MAIL, levels);
        let text = format!("[x {junk} {mail} ");
        let whole = cleaned(&text, usize::MAX);
        prop_assert_eq!(&cleaned(&text, chars), &whole);
        if let Ok(out) = whole {
            prop_assert!(!out.contains(&mail) && out.contains("[EMAIL]"), "{}", out);
        }
        let text = format!("{junk}{MAIL}");
        prop_assert_eq!(cleaned(&text, chars), cleaned(&text, usize::MAX));
    }
}
