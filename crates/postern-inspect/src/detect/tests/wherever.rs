//! Values as users write them, through a cleaner with every class masked, cut anywhere.

use std::sync::{Arc, LazyLock};

use postern_types::{DataRule, Direction, RuleName};
use proptest::prelude::*;

use crate::clean::{Channel, TextKind};
use crate::detect::context::floor;
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

/// Goal: colours are no postal codes and no plates of cars. Method: those of web pages that would
/// be one without their mark, alone and behind keys that say nothing.
#[test]
fn colours_are_no_values() {
    assert_ne!(cleaned("ff00ff"), "ff00ff");
    for colour in ["#ff00ff", "#ab12cd", "#EE11AA", "#b12cde"] {
        assert_eq!(cleaned(colour), colour);
        let text = format!(r#"{{"c":"{colour}","v":["{colour}"]}}"#);
        assert_eq!(cleaned_as(TextKind::Json, "", &text), text);
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

/// Goal: a number that is alone in a list is as much alone as without the list, and with more
/// beside it it is not. Method: lists of one number, and lists, documents and texts with more.
#[test]
fn a_number_alone_in_a_list_is_alone() {
    for kind in [TextKind::Json, TextKind::Either] {
        let read = |text: &str| cleaned_as(kind, "", text);
        assert_eq!(read("[9434765919]"), "[\"[UK_NHS]\"]");
        assert_eq!(read(" [\n 9434765919 ]\n"), " [\n \"[UK_NHS]\" ]\n");
        for more in [
            "[9434765919,1]",
            "[1,9434765919]",
            "[[9434765919]]",
            "{\"order\":[9434765919]}",
            "[9434765919] boxes",
            "[9434765919] [2]",
            "{\"a\":1} [9434765919]",
            "[true]",
            "[1]: a note",
        ] {
            assert_eq!(read(more), more);
        }
        let named = cleaned_as(kind, "order: ", "[9434765919]");
        assert_eq!(named, "[9434765919]");
    }
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

/// Goal: an address is masked whole, in any script, quoted, and as long as the standards allow.
/// Method: addresses inside text of their script, cut anywhere.
#[test]
fn addresses_are_masked_whole() {
    let labels = "a.mx1.mail.dept.faculty.uni-x.ac.uk";
    let longest = format!("{}@{}example.org", "l".repeat(64), "m2.".repeat(80));
    let cases = [
        (format!("to john@{labels}."), "to [EMAIL].".to_owned()),
        (format!("to {longest}."), "to [EMAIL].".to_owned()),
        (
            "请发给张伟@例子.公司，谢谢".to_owned(),
            "[EMAIL]，谢谢".to_owned(),
        ),
        (
            "邮箱zhang@例子.公司。".to_owned(),
            "邮箱[EMAIL]。".to_owned(),
        ),
        (
            "邮箱zhang@qq.com谢谢".to_owned(),
            "邮箱[EMAIL]谢谢".to_owned(),
        ),
        (
            "宛先は山田@例え.テスト、です".to_owned(),
            "[EMAIL]、です".to_owned(),
        ),
        (
            "메일 홍길동@예시.한국 입니다".to_owned(),
            "메일 [EMAIL] 입니다".to_owned(),
        ),
        (
            "ที่ สมชาย@ตัวอย่าง.ไทย ครับ".to_owned(),
            "ที่ [EMAIL] ครับ".to_owned(),
        ),
        ("अजय@उदाहरण.भारत को".to_owned(), "[EMAIL] को".to_owned()),
        ("mu\u{308}ller@example.de".to_owned(), "[EMAIL]".to_owned()),
        (
            "to \"john doe\"@x.com, ok".to_owned(),
            "to [EMAIL], ok".to_owned(),
        ),
        (
            "<\"j \\\"d\\\" x\"@x.com>".to_owned(),
            "<[EMAIL]>".to_owned(),
        ),
        ("To:\"john doe\"@x.com".to_owned(), "To:[EMAIL]".to_owned()),
        (
            "cc=\"john doe\"@x.com, a=\"b\"c=\"j d\"@x.com".to_owned(),
            "cc=[EMAIL], a=\"b\"c=[EMAIL]".to_owned(),
        ),
        (
            "((\"john doe\"@x.com))".to_owned(),
            "(([EMAIL]))".to_owned(),
        ),
        ("\"j.\\\"d\\\" doe\"@x.com".to_owned(), "[EMAIL]".to_owned()),
    ];
    for (text, expected) in cases {
        assert_eq!(cleaned(&text), expected, "{text}");
    }
    let clear = [
        "谢谢@张三，你好。他说@例子",
        "he said \"hello you there\" @ noon, \"john doe\" and \"so on",
        "a long quotation \"of which nobody could think that it were the name of a mailbox here\"",
    ];
    for text in clear {
        assert_eq!(cleaned(text), text);
    }
    // What is longer than a name is none: only so much of it is held and masked.
    let text = format!("{}@例子.公司", "文".repeat(100));
    assert_eq!(cleaned(&text), format!("{}[EMAIL]", "文".repeat(79)));
}

/// Goal: a value is found behind any white space. Method: marks of white space and of ends of lines
/// between labels and values.
#[test]
fn values_are_found_behind_any_white_space() {
    let blanks = "\t\n\x0b\x0c\r\u{85}\u{a0}\u{2028}\u{2029}\u{3000}";
    for blank in blanks.chars() {
        for (label, value, class) in [
            ("password:", "hunter2", "GENERIC_SECRET"),
            ("DNI:", "12345678Z", "ES_NIF"),
            ("BSN:", "123456782", "NL_BSN"),
            ("Zip:", "94103", "POSTAL_CODE"),
        ] {
            let text = format!("{label}{blank}{value}");
            assert_eq!(
                cleaned(&text),
                format!("{label}{blank}[{class}]"),
                "{text:?}"
            );
        }
    }
}

/// Goal: text in which an address could begin is held no longer than the name of one may be.
/// Method: what is given on, letter by letter.
#[test]
fn names_of_mailboxes_hold_what_the_standard_allows() {
    let held_most = |text: &str| {
        let (mut cleaner, mut channel) = channel(TextKind::Plain, "");
        let (mut out, mut taken, mut most) = (String::new(), 0, 0);
        for c in text.chars() {
            let mut buffer = [0; 4];
            let piece = c.encode_utf8(&mut buffer);
            channel.push(piece, &mut cleaner, &mut out).unwrap();
            taken += piece.len();
            most = most.max(taken - out.len());
        }
        channel.finish(&mut cleaner, &mut out).unwrap();
        assert_eq!(out, text);
        most
    };
    assert!(held_most(&"文".repeat(500)) <= 64);
    assert!(held_most(&"今日は、いい天気ですね。".repeat(9)) <= 24);
    let quoted = format!("said \"{}", "and so it went on ".repeat(20));
    assert!(held_most(&quoted) <= 64);
    assert!(held_most("\"role\": \"user\", \"text\": \"a b\", ") <= 10);
    assert!(held_most(&format!("谢谢@{}", "文".repeat(500))) <= 300);
}

/// Goal: the name of a field names its value however its words are joined. Method: fields of
/// JSON, forms, XML and code, and names that are others.
#[test]
fn names_of_fields_are_read_as_words() {
    let cases = [
        ("socialSecurityNumber", "552601815", "US_SSN"),
        ("social_security_number", "552601815", "US_SSN"),
        ("passportNumber", "X12345678", "PASSPORT"),
        ("medicareNumber", "2123456701", "AU_MEDICARE"),
        ("socialInsuranceNumber", "130692544", "CA_SIN"),
        ("individualTaxpayerId", "912-70-1234", "US_ITIN"),
        ("tax_file_number", "099925488", "AU_TFN"),
        ("tax-file-number", "099925488", "AU_TFN"),
        ("taxFileNumber", "099925488", "AU_TFN"),
        ("zip_code", "94103", "POSTAL_CODE"),
        ("zipCode", "94103", "POSTAL_CODE"),
        ("nhsNumber", "9434765919", "UK_NHS"),
    ];
    for (name, value, class) in cases {
        for (before, after) in [
            (format!("{{\"{name}\":\""), "\"}"),
            (format!("{{\"a\": 1, \"{name}\": \""), "\"}"),
            (format!("<r><{name}>"), "</x></r>"),
            (format!("a=1&{name}="), "&b=2"),
            (format!("user.{name} = \""), "\";"),
        ] {
            let text = format!("{before}{value}{after}");
            let expected = format!("{before}[{class}]{after}");
            assert_eq!(cleaned(&text), expected);
        }
        let text = format!("{{\"{name}\":\"{value}\"}}");
        let expected = format!("{{\"{name}\":\"[{class}]\"}}");
        assert_eq!(cleaned_as(TextKind::Json, "", &text), expected);
        let left = format!("{name}: ");
        assert_eq!(
            cleaned_as(TextKind::Plain, &left, value),
            format!("[{class}]")
        );
    }
    for name in [
        "orderNumber",
        "itemPassportless",
        "medicareless",
        "taxProfile",
    ] {
        let text = format!("{{\"{name}\":\"2123456701\"}}");
        assert_eq!(cleaned(&text), text);
    }
}

/// Goal: a value that is named stays found where a common word stands last. Method: sentences with
/// such words, and those in which the word does number the value.
#[test]
fn common_words_hide_no_named_value() {
    let cases = [
        (
            "My SSN for this order: 552601815",
            "My SSN for this order: [US_SSN]",
        ),
        ("My SSN, see order 552601815", "My SSN, see order [US_SSN]"),
        (
            "passport for the order: X12345678",
            "passport for the order: [PASSPORT]",
        ),
        ("NHS ticket 9434765919", "NHS ticket [UK_NHS]"),
        (
            "I sent it in part: 943 476 5919",
            "I sent it in part: [UK_NHS]",
        ),
        ("our order: 943 476 5919", "our order: 943 476 5919"),
        (
            "NHS, see order no. 9434765919",
            "NHS, see order no. 9434765919",
        ),
        ("SSN, order #552601815", "SSN, order #552601815"),
    ];
    for (text, expected) in cases {
        assert_eq!(cleaned(text), expected);
    }
}

/// Goal: a card's number is found in the places where programs write it. Method: a number of a
/// test card in each, alone and in a sentence.
#[test]
fn cards_are_found_where_programs_write_them() {
    let cases = [
        (
            "%B4111111111111111^DOE/JANE^2712101?",
            "%B[CARD]^DOE/JANE^2712101?",
        ),
        ("4111111111111111.0", "[CARD].0"),
        ("{\"n\": 4111111111111111.0}", "{\"n\": [CARD].0}"),
        ("a;4111111111111111.0;b", "a;[CARD].0;b"),
        ("4111.1111.1111.1111", "[CARD]"),
        ("4111111111111111/12/27", "[CARD]/12/27"),
        ("card_4111111111111111_x", "card_[CARD]_x"),
        ("visa4111111111111111", "visa[CARD]"),
        ("41111111 11111111", "[CARD]"),
    ];
    for (text, expected) in cases {
        assert_eq!(cleaned(text), expected, "{text}");
        if text != "41111111 11111111" {
            let sentence = format!("It says {text} there.");
            assert_eq!(cleaned(&sentence), format!("It says {expected} there."));
        }
    }
    assert_eq!(
        cleaned_as(TextKind::Json, "", "{\"n\": 4111111111111111.0}"),
        "{\"n\": \"[CARD].0\"}"
    );
    assert_eq!(cleaned("my cell is 4155552671"), "my cell is [PHONE]");
}

/// What is masked for text in pieces that end at these offsets.
fn cut_at(text: &str, cuts: &[usize]) -> String {
    let mut ends: Vec<usize> = cuts
        .iter()
        .map(|at| floor(text, at % (text.len() + 1)))
        .collect();
    ends.push(text.len());
    ends.sort_unstable();
    let (mut cleaner, mut channel) = channel(TextKind::Plain, "");
    let (mut out, mut from) = (String::new(), 0);
    for end in ends {
        channel
            .push(&text[from..end], &mut cleaner, &mut out)
            .unwrap();
        from = end;
    }
    channel.finish(&mut cleaner, &mut out).unwrap();
    out
}

proptest! {
    /// Goal: text around addresses, in scripts with and without spaces, is cleaned alike wherever
    /// it is cut. Method: texts of what names of mailboxes are made of.
    #[test]
    fn cuts_change_nothing_around_addresses(
        text in concat!(
            "([a-cA-C1-3]{1,3}|[文字ไท한य]{1,30}|[\"@. \n<>:_-]",
            "|\\\\\"|@[a-c]{2}\\.[a-c]{2}){0,40}"
        ),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        prop_assert_eq!(cut_at(&text, &cuts), cut_at(&text, &[]));
    }

    /// Goal: the same for words far from their value, which are kept from one segment to the next
    /// while text is forgotten. Method: labels in several spellings behind much or little text.
    #[test]
    fn cuts_change_nothing_around_labels(
        pad in prop::collection::vec(0_usize..4, 0..400),
        long in any::<bool>(),
        label in prop::sample::select(vec![
            ("passport no ", "X12345678"),
            ("userTaxId=", "912-70-1234"),
            ("ΑΡΙΘΜΌΣ ΤΑΥΤΌΤΗΤΑΣ ", "ΑΒ123456"),
            ("tax-file_number: ", "099925488"),
        ]),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let mut text: String = pad.iter().map(|nth| ["lorem ", "1 ", "号", "x"][*nth]).collect();
        if long {
            text.push_str(&"x".repeat(9000));
        }
        text.extend([" ", label.0, label.1, " and on"]);
        let whole = cut_at(&text, &[]);
        prop_assert_ne!(&whole, &text);
        prop_assert_eq!(cut_at(&text, &cuts), whole);
    }

    /// Goal: the same for a value that is the whole text, in white space. Method: numbers that are
    /// ids by their check digits, and what may stand around them.
    #[test]
    fn cuts_change_nothing_around_a_value_alone(
        text in concat!(
            "[ \t\r\n]{0,18}(9434765919|2123456701|099925488|hh 01 02 03 d)",
            "[ \t\r\n]{0,18}[a.1]{0,2}"
        ),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        prop_assert_eq!(cut_at(&text, &cuts), cut_at(&text, &[]));
    }
}
