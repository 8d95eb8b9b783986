//! Text with escapes in it, behind other words.

use proptest::prelude::*;

use super::*;

const MAIL: &str = "jane.doe@example.com";
const CARD: &str = "4111111111111111";

/// What goes on of a text, wherever it is cut.
fn read_by(cleaner: impl Fn() -> Cleaner, text: &str) -> String {
    let whole = in_pieces(&mut cleaner(), text, usize::MAX).unwrap();
    for cut in [1, 2, 3, 7, 64] {
        let out = in_pieces(&mut cleaner(), text, cut).unwrap();
        assert_eq!(out, whole, "{text} cut at {cut}");
    }
    whole
}

fn read(text: &str) -> String {
    read_by(masking, text)
}

/// Goal: what escapes say is read in any text, and what stands for a value leaves them whole.
/// Method: JSON and strings of programs behind other words, with escapes before, in and behind a
/// value, or before a word that speaks of one.
#[test]
fn values_among_escapes_are_found_in_any_text() {
    let rows = [
        (
            "Here is the data:\n```json\n{\"a\":\"x\\n4111111111111111\"}\n```",
            "Here is the data:\n```json\n{\"a\":\"x\\n[CARD]\"}\n```",
        ),
        (
            "result = {\"mail\":\"jane.doe\\u0040example.com\"}",
            "result = {\"mail\":\"[EMAIL]\"}",
        ),
        (
            "x = \"a\\njane.doe@example.com\\tb\"",
            "x = \"a\\n[EMAIL]\\tb\"",
        ),
        (
            "print('card:\\t4111 1111 1111 1111\\n')",
            "print('card:\\t[CARD]\\n')",
        ),
        (
            "say \"4111\\u00a01111\\u00a01111\\u00a01111\" twice",
            "say \"[CARD]\" twice",
        ),
        ("v \"\\x34111111111111111\";", "v \"[CARD]\";"),
        ("see \\/4111111111111111\\/ ok", "see \\/[CARD]\\/ ok"),
        (
            "he wrote {\\\"a\\\":\\\"x\\\\n4111111111111111\\\"} to",
            "he wrote {\\\"a\\\":\\\"x\\\\n[CARD]\\\"} to",
        ),
        (
            "= \"a:\\u200b4111\\u200b1111\\u200b11111111\"",
            "= \"a:\\u200b[CARD]\"",
        ),
        (
            "note: \"the\\nphone 12 34 56 78 is\"",
            "note: \"the\\nphone [PHONE] is\"",
        ),
        (
            "it says \"my\\nphone\\tis\\n12 34 56 78\"",
            "it says \"my\\nphone\\tis\\n[PHONE]\"",
        ),
        (
            "a \\u0041nna@example.com and \\ud83d\\ude00jane.doe@example.com",
            "a [EMAIL] and \\ud83d\\ude00[EMAIL]",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
}

/// Goal: what only looks like an escape is no reason to change anything, and what stands there is
/// read as well. Method: names of files, formulas and patterns under all rules that there are, and
/// values behind a backslash.
#[test]
fn what_is_no_escape_stays_as_it_is() {
    let texts = [
        "C:\\new\\table\\users\\bin\\report.txt and \\\\server\\share\\nodes\\x",
        "\\begin{align} \\frac{1}{2}\\nu + \\beta\\times\\rho \\text{for } \\theta_{12} \\\\ \\end",
        "s/^\\s*(\\d{3,4})[\\/-](\\d+)\\b.*\\n$/\\1\\t\\2/ matches \\x41\\u{42}\\uZZZZ \\x4 \\",
        "\\n\\n\\t\\r \\ud83d alone \\u12 \\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\n ok",
        "printf(\"%s\\n\", name); // \\o/ \\_(ツ)_/",
    ];
    for text in texts {
        assert_eq!(read(text), text);
    }
    assert_eq!(read("C:\\jane.doe@example.com x"), "C:\\[EMAIL] x");
    assert_eq!(read("C:\\4111111111111111\\n"), "C:\\[CARD]\\n");
    assert_eq!(
        read(r"\d4111111111111111 \4111111111111111"),
        r"\d4111111111111111 \[CARD]"
    );
}

/// Goal: what a rule stands for is written as the text around it asks for, and has the same
/// placeholder. Method: a value in either spelling, its placeholder in an answer, and a value that
/// has quotes.
#[test]
fn a_placeholder_among_escapes_is_turned_back_as_it_is_written() {
    let mut request = cleaner(&[rule("r", &["email"], "pseudonym:token")]);
    let text = format!("{MAIL} is {{\"a\":\"x\\njane.doe\\u0040example.com\"}}");
    let sent = clean(&mut request, &text).unwrap();
    let (plain, _) = sent.split_once(' ').unwrap();
    assert_eq!(sent, format!("{plain} is {{\"a\":\"x\\n{plain}\"}}"));
    let answer = || request.for_response(&[]);
    let out = read_by(answer, &format!("so {{\"b\":\"y\\n{plain}\"}} and {plain}"));
    assert_eq!(out, format!("so {{\"b\":\"y\\n{MAIL}\"}} and {MAIL}"));
}

/// Goal: classes that rules define are found among escapes too. Method: a word and a pattern behind
/// and over escapes.
#[test]
fn the_classes_of_a_rule_are_found_among_escapes() {
    let own = || {
        let mut own = rule("r", &[], "mask");
        own.spec.custom = serde_json::from_value(serde_json::json!([
            {"class":"custom:own","words":["the end"],"pattern":"[ab]{2,5}-c"},
        ]))
        .unwrap();
        cleaner(&[own])
    };
    let rows = [
        ("so \"x\\nthe end\" is", "so \"x\\n[CUSTOM_OWN]\" is"),
        ("so \"the\\nend\" is", "so \"[CUSTOM_OWN]\" is"),
        ("so \"xx\\u0061b-c\" is", "so \"xx[CUSTOM_OWN]\" is"),
    ];
    for (text, expected) in rows {
        assert_eq!(read_by(own, text), expected, "{text}");
    }
}

/// Goal: text without an end is read too, with bounded room. Method: a value at places around the
/// ends of windows, in runs with and without escapes.
#[test]
fn values_among_escapes_in_endless_runs_are_found() {
    for around in ["x", "\\u0041", "\\nx", "x\\"] {
        for length in [10, 3900, 4096, 8100, 8200, 12_280, 30_000] {
            let run = around.repeat(length / around.len());
            let text = format!("a {run}x\\n{CARD}\\n{run}");
            let out = in_pieces(&mut masking(), &text, usize::MAX).unwrap();
            assert!(out.contains("x\\n[CARD]\\n"), "{around} {length}");
            for cut in [5, 1000, 4097] {
                let pieces = in_pieces(&mut masking(), &text, cut).unwrap();
                assert!(pieces == out, "{around} {length} cut at {cut}");
            }
        }
    }
    let hidden = format!("a 4111{}111111111111", "\\u200b".repeat(4000));
    let refused = in_pieces(&mut masking(), &hidden, 1000);
    assert!(matches!(refused, Err(CleanError::CannotInspect(_))));
}

/// Goal: no more is held of a text with escapes than of another. Method: prose, letter by letter.
#[test]
fn an_escape_holds_nothing_but_its_word() {
    let out = spoken("it is C:\\new of what \\n is\\tsaid, and more ");
    assert!(out.ends_with("and more "), "{out}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: where text with escapes is cut changes nothing, and no value is left of it.
    #[test]
    fn text_with_escapes_is_read_wherever_it_is_cut(
        parts in prop::collection::vec(
            (prop::sample::select(vec![
                "x", "\\", "\\n", "\\\\n", " ", "\"", "\\\"", "{\"a\":\"", "é", "\\u00e9", "\\ud83d",
                "\\ude00", "\\x3", "1", "\\u0031", "[", "phone ", "\n", "%20", "\\u200b", "the end",
                "4111 1111 ",
            ]), 0_usize..6, 1_usize..3),
            1..12,
        ),
        long in prop_oneof![3 => Just(0_usize), 1 => 4000_usize..9000],
        cuts in prop::collection::vec(any::<usize>(), 1..30),
    ) {
        let mut text = "so: ".to_owned() + &"y".repeat(long);
        for (noise, value, count) in parts {
            text.push_str(&noise.repeat(count));
            match value {
                1 => text.push_str(&format!("\"\\n{MAIL}\\n")),
                2 => text.push_str("\"\\tjane.doe\\u0040example.com\\r"),
                3 => text.push_str(&format!(" {CARD} ")),
                4 => text.push_str("\"\\n4111 1111 1111 1111\\n "),
                _ => {}
            }
        }
        let whole = in_pieces(&mut masking(), &text, usize::MAX).unwrap();
        for value in [MAIL, CARD, "jane.doe\\u0040example.com", "\\n4111 1111 1111 1111\\n "] {
            prop_assert!(!whole.contains(value), "{} became {}", text, whole);
        }
        prop_assert_eq!(cut_anywhere(&text, &cuts), whole);
    }
}
