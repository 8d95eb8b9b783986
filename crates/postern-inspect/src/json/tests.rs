use proptest::prelude::*;

use super::*;
use crate::bounds::DEPTH_MAX;

/// A table over every kind of place.
static ROOT: Shape<&'static str> = Shape {
    mark: Some("root"),
    ..Shape::object(&[
        Member::new("model", &Shape::take("model")),
        Member::both("maxTokens", "max_tokens", &Shape::take("cap")),
        Member::new("list", &Shape::list(&ITEM)),
        Member::new("text", &COUNT),
    ])
};
static ITEM: Shape<&'static str> = Shape {
    mark: Some("item"),
    ..Shape::object(&[
        Member::new("id", &Shape::take("id")),
        Member::new("in", &ITEM),
    ])
};
static COUNT: Shape<&'static str> = Shape {
    leaf: Leaf::Count,
    elements: Some(&COUNT),
    rest: Some(&COUNT),
    ..Shape::new()
};

/// Writes down everything that it is told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Log {
    lines: Vec<String>,
    text: u64,
}

impl Sink<&'static str> for Log {
    fn scalar(&mut self, slot: &'static str, value: Scalar<'_>, at: Place) -> Result<(), Fault> {
        let value = match value {
            Scalar::Text(text) => format!("{:?}", text.as_str()),
            Scalar::Number(text) => String::from_utf8_lossy(text.unwrap_or_default()).into_owned(),
            other => format!("{other:?}"),
        };
        self.lines.push(format!(
            "{slot}={value} at {}..{} {:?}",
            at.start, at.end, at.comma
        ));
        Ok(())
    }

    fn container(&mut self, slot: &'static str, object: bool) -> Result<(), Fault> {
        self.lines.push(format!("{slot} object={object}"));
        Ok(())
    }

    fn opened(&mut self, mark: &'static str, _: bool) -> Result<(), Fault> {
        self.lines.push(format!("open {mark}"));
        Ok(())
    }

    fn closed(&mut self, mark: &'static str, at: Place, filled: bool) -> Result<(), Fault> {
        self.lines
            .push(format!("close {mark} {}..{} {filled}", at.start, at.end));
        Ok(())
    }

    fn text(&mut self, bytes: u64) {
        self.text += bytes;
    }
}

fn scan(bytes: &[u8], cut: usize, strict: bool) -> Result<Log, Fault> {
    let mut scanner = Scanner::new(&ROOT, strict);
    let mut log = Log::default();
    for piece in bytes.chunks(cut.max(1)) {
        scanner.push(piece, &mut log)?;
    }
    scanner.finish(&mut log)?;
    Ok(log)
}

#[test]
fn places_are_told_with_their_spans() {
    let text =
        br#" {"model" : "a\/b","list":[{"id":1,"in":{"id":null}},{}], "max_tokens":-1.5e+3}"#;
    let log = scan(text, usize::MAX, true).unwrap();
    assert_eq!(
        log.lines,
        [
            "open root",
            "model=Some(\"a/b\") at 12..18 None",
            "open item",
            "id=1 at 33..34 None",
            "open item",
            "id=Null at 46..50 None",
            "close item 40..51 true",
            "close item 27..52 true",
            "open item",
            "close item 53..55 false",
            "cap=-1.5e+3 at 71..78 Some(56)",
            "close root 1..79 true",
        ]
    );
}

#[test]
fn text_is_counted_as_the_model_sees_it() {
    // Goal: escapes count as what they stand for, keys do not count.
    let log = scan(
        br#"{"text":{"a":"xy\n","b":["\u00e9\ud83d\ude00",7,true]}}"#,
        3,
        true,
    )
    .unwrap();
    assert_eq!(log.text, 3 + 2 + 4 + 4 + 4);
}

#[test]
fn a_key_that_is_read_has_one_spelling_and_stands_once() {
    // Goal: every trick that makes two readers see different members is a fault. Method: a row
    // per trick; the lenient scanner takes them all.
    for (text, fault) in [
        (r#"{"model":"a","model":"a"}"#, Fault::Twice("model")),
        (
            r#"{"maxTokens":1,"max_tokens":1}"#,
            Fault::Twice("maxTokens"),
        ),
        (r#"{"list":[{"id":1,"id":1}]}"#, Fault::Twice("id")),
        (r#"{"mod\u0065l":"a"}"#, Fault::Spelling("model")),
        (r#"{"Model":"a"}"#, Fault::Spelling("model")),
        (r#"{"MAX_TOKENS":1}"#, Fault::Spelling("maxTokens")),
        ("{\"li\u{17f}t\":1}", Fault::Spelling("list")),
        ("{\"max_to\u{212a}ens\":1}", Fault::Spelling("maxTokens")),
        (r#"{"model\ud800":1}"#, Fault::Spelling("model")),
        (r#"{"model\u0000x":1}"#, Fault::Spelling("a key")),
        (r#"{"list":[{"in":{"\u0069d":1}}]}"#, Fault::Spelling("id")),
    ] {
        for cut in [1, 3, 1000] {
            assert_eq!(
                scan(text.as_bytes(), cut, true),
                Err(fault.clone()),
                "{text}"
            );
        }
        assert!(scan(text.as_bytes(), 1000, false).is_ok(), "{text}");
    }
    for odd in [r#"{"list":{"id":1}}"#, r#"{"list":[[]]}"#, "[]"] {
        assert_eq!(scan(odd.as_bytes(), 2, true), Err(Fault::Kind), "{odd}");
        assert!(scan(odd.as_bytes(), 2, false).is_ok(), "{odd}");
    }
    for fine in [
        r#"{"x":1,"x":2}"#,
        r#"{"text":{"model":1,"model":2,"Model":3}}"#,
        r#"{"models":1,"mode":2}"#,
    ] {
        assert!(scan(fine.as_bytes(), 1000, true).is_ok(), "{fine}");
    }
}

#[test]
fn depth_is_bounded_and_needs_no_call_stack() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(scan(&nested(DEPTH_MAX), 7, false).is_ok());
    assert_eq!(scan(&nested(DEPTH_MAX + 1), 7, false), Err(Fault::TooDeep));
    assert_eq!(
        scan(&vec![b'['; 1_000_000], 4096, false),
        Err(Fault::TooDeep)
    );
}

#[test]
fn long_values_are_not_kept() {
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(2_000_000));
    for cut in [64, usize::MAX] {
        let log = scan(long.as_bytes(), cut, true).unwrap();
        assert!(log.lines[1].starts_with("model=None"), "{:?}", log.lines);
    }
    let long = format!(r#"{{"max_tokens":{}}}"#, "1".repeat(2_000_000));
    assert!(scan(long.as_bytes(), 64, true).unwrap().lines[1].starts_with("cap= at"));
}

proptest! {
    #[test]
    fn a_quick_look_hides_no_member(key in "[a-zA-ZſK_]{1,10}", upper in any::<u16>()) {
        // Goal: what a thorough look finds, in whatever case, passes the quick one. Method: the
        // keys of a table with their letters in any case, and others.
        for name in ["model", "maxTokens", "max_tokens", "list", "text", key.as_str()] {
            let letters = name.chars().enumerate().map(|(place, letter)| {
                if upper >> (place % 16) & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
            });
            let key: String = letters.collect();
            let bytes = key.as_bytes();
            let found = ROOT.find(bytes).is_some() || ROOT.find_folded(bytes).is_some();
            prop_assert!(ROOT.may_have(bytes) || !found, "{key}");
        }
    }
}

#[test]
fn the_members_of_a_table_fit_its_set() {
    // Goal: the bit set of seen members is wide enough, here as in every table of the crate.
    crate::request::each_table(&mut |members| assert!(members <= 64));
    crate::response::each_table(&mut |members| assert!(members <= 64));
}

/// JSON text with odd spacing, spellings of keys that matter, and all kinds of values.
fn json_text() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("model".to_owned()),
        Just("list".to_owned()),
        Just("id".to_owned()),
        Just("text".to_owned()),
        "[a-zé\"\\\\]{0,6}"
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<f64>().prop_filter_map("JSON has no such", |number| {
            number
                .is_finite()
                .then(|| serde_json::to_string(&number).unwrap())
        }),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let member =
            (key.clone(), inner.clone(), "[ \n\t]{0,2}").prop_map(|(key, value, space)| {
                format!(
                    "{space}{}{space}:{space}{value}",
                    serde_json::to_string(&key).unwrap()
                )
            });
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(" , "))),
            prop::collection::vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    // Goal: what serde_json accepts the scanner accepts, whatever the cut, with the same report.
    #[test]
    fn valid_documents_are_read_alike_at_every_cut(text in json_text(), cut in 1usize..40) {
        let whole = scan(text.as_bytes(), usize::MAX, false);
        prop_assert!(whole.is_ok(), "{:?}", whole);
        prop_assert_eq!(scan(text.as_bytes(), cut, false), whole);
    }

    // Goal: on broken documents the scanner and serde_json agree too, and nothing panics. Method:
    // one byte of a valid document is replaced, removed or doubled.
    #[test]
    fn broken_documents_are_refused_alike(
        text in json_text(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
        how in 0..3, cut in 1usize..9,
    ) {
        let mut bytes = text.into_bytes();
        let at = place.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, byte),
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            // RawValue checks the grammar without interpreting numbers or surrogates.
            let valid = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
            prop_assert_eq!(scan(&bytes, cut, false).is_ok(), valid, "{}", text);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = scan(&bytes, 7, true);
    }
}
