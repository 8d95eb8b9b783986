//! Text in percent-encoding.

use proptest::prelude::*;

use super::*;

const MAIL: &str = "jane.doe@example.com";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn read(text: &str) -> String {
    let whole = in_pieces(&mut masking(), text, usize::MAX).unwrap();
    for cut in [1, 2, 3, 7] {
        let out = in_pieces(&mut masking(), text, cut).unwrap();
        assert_eq!(out, whole, "{text} cut at {cut}");
    }
    whole
}

/// Goal: what percent-encoding says is read, what stands for a value is encoded as it was, and the
/// text as it stands is read as before. Method: addresses and words with a value in each form, and
/// what only looks encoded.
#[test]
fn encoded_values_are_found_in_any_text() {
    let rows = [
        (
            "see http://x.org/?phone=%2B4512345678&b=1, ok",
            "see http://x.org/?phone=%5BPHONE%5D&b=1, ok",
        ),
        (
            "tel:%2B45%2012%2034%2056%2078 phone",
            "tel:%2B45%2012%2034%2056%2078 phone",
        ),
        ("phone:%2B45%2012%2034%2056%2078.", "phone:%5BPHONE%5D."),
        (
            "a?q=%3Cjane.doe%40example.com%3E&n=2",
            "a?q=%3C%5BEMAIL%5D%3E&n=2",
        ),
        ("n%3D4111111111111111", "n%3D%5BCARD%5D"),
        ("2%204111111111111111!", "2%20%5BCARD%5D!"),
        ("20%4111111111111111 off", "20%[CARD] off"),
        (
            "to [jane.doe@example.com](x?a%20b)",
            "to [[EMAIL]](x?a%20b)",
        ),
        ("a%20b;jane.doe@example.com", "a%20b;[EMAIL]"),
        ("100%25 of 50% %zz %4 %é%2", "100%25 of 50% %zz %4 %é%2"),
        (
            "%E5%BC%A0%ff%E5%BC %C3%A9t%C3%A9",
            "%E5%BC%A0%ff%E5%BC %C3%A9t%C3%A9",
        ),
        ("%EF%BC%94111111111111111", "%5BCARD%5D"),
        ("password%3Dhunter2%21x", "password%3D%5BGENERIC_SECRET%5D"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
    assert_eq!(read(&format!("({})", encoded(MAIL))), "(%5BEMAIL%5D)");
    let twice = encoded(&encoded(MAIL));
    assert_eq!(read(&format!("x?{twice}&y")), "x?%255BEMAIL%255D&y");
    let json = format!("{{\"to\":\"x?a={}\",\"n\":\"50%\"}}", encoded(MAIL));
    let out = pieces_of(TextKind::Json, &mut masking(), &json, 1).unwrap();
    assert_eq!(out, "{\"to\":\"x?a=%5BEMAIL%5D\",\"n\":\"50%\"}");
}

/// Goal: an encoded value has the same placeholder as a plain one, and it is turned back as it was
/// written. Method: both in a request, and each placeholder in either spelling in its answer.
#[test]
fn a_placeholder_is_turned_back_as_it_is_written() {
    let mut request = cleaner(&[rule("r", &["email"], "pseudonym:token")]);
    let coded = "jane.doe%40example.com";
    let sent = clean(&mut request, &format!("{MAIL} x?a%20b={coded}&c")).unwrap();
    let (plain, address) = sent.split_once(' ').unwrap();
    let within = address.strip_prefix("x?a%20b=").unwrap();
    let within = within.strip_suffix("&c").unwrap();
    let decoded = within.replace("%5B", "[").replace("%5D", "]");
    assert_eq!(decoded, plain, "{sent}");
    let mut answer = request.for_response(&[]);
    let out = in_pieces(&mut answer, &format!("{sent} {plain}"), 3).unwrap();
    assert_eq!(out, format!("{MAIL} x?a%20b={coded}&c {MAIL}"));
}

/// Goal: a run without an end is read too, with bounded room. Method: a value at places around the
/// ends of windows, encoded where all is or where nothing else is.
#[test]
fn encoded_values_in_endless_runs_are_found() {
    let value = encoded(MAIL);
    for around in ["x", "%41"] {
        for length in [10, 3900, 4090, 4096, 8100, 8190, 8200, 12_280, 30_000] {
            let run = around.repeat(length / around.len());
            let text = format!("a {run}%20{value}%20{run}");
            let out = in_pieces(&mut masking(), &text, usize::MAX).unwrap();
            assert!(out.contains("%20%5BEMAIL%5D%20"), "{around} {length}");
            for cut in [5, 1000, 4097] {
                let pieces = in_pieces(&mut masking(), &text, cut).unwrap();
                assert!(pieces == out, "{around} {length} cut at {cut}");
            }
        }
    }
}

/// Goal: no more is held of a text with percent signs than of another. Method: prose, letter by
/// letter.
#[test]
fn a_percent_sign_holds_nothing_but_its_word() {
    let out = spoken("it is 50% of what 100%25 of us say, and more ");
    assert!(out.ends_with("and more "), "{out}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: where encoded text is cut changes nothing, and no value is left of it, encoded or not.
    #[test]
    fn encoded_text_is_read_wherever_it_is_cut(
        parts in prop::collection::vec(
            (prop::sample::select(vec![
                "x", "%", "%2", "%20", " ", ",", "&a=", "é", "%C3", "%25", "1", "%31", "[", "%5B", "\n",
            ]), prop_oneof![3 => Just(0_usize), 1 => Just(1), 1 => Just(2)], 1_usize..3),
            1..12,
        ),
        long in prop_oneof![3 => Just(0_usize), 1 => 4000_usize..9000],
        cuts in prop::collection::vec(any::<usize>(), 1..30),
    ) {
        let mut text = "y".repeat(long);
        for (noise, value, count) in parts {
            text.push_str(&noise.repeat(count));
            match value {
                1 => text.push_str(&format!("%20{}%20", encoded(MAIL))),
                2 => text.push_str(&format!(" {MAIL} ")),
                _ => {}
            }
        }
        let whole = in_pieces(&mut masking(), &text, usize::MAX).unwrap();
        prop_assert!(!whole.contains(MAIL) && !whole.contains(&encoded(MAIL)), "{} became {}", text, whole);
        prop_assert_eq!(cut_anywhere(&text, &cuts), whole);
    }
}
