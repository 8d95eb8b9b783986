//! Bodies of every form: what is found goes, what is not stays to the byte, and what cannot be read
//! in one way is refused.

mod mixed;
mod tables;

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use postern_types::{
    ClassSelector, DataAction, DataClass, DataRule, DataRuleSpec, Direction, FieldRule, RuleName,
};

use super::*;
use crate::clean::{MaskKeys, RuleSet};

fn spec(action: DataAction) -> DataRuleSpec {
    DataRuleSpec {
        upstream: None,
        directions: vec![Direction::Request, Direction::Response],
        classes: vec![ClassSelector::parse("card").unwrap()],
        action,
        dry_run: false,
        confidence_min: 50,
        custom: Vec::new(),
        fields: Vec::new(),
        headers: Vec::new(),
        query: Vec::new(),
        opaque: OpaqueAction::Refuse,
        thinking: postern_types::ThinkingAction::Drop,
        tell_client: false,
    }
}

fn cleaner(spec: DataRuleSpec) -> Cleaner {
    let name = RuleName::parse("cards").unwrap();
    let rules = RuleSet::compile(&[DataRule { name, spec }]).unwrap();
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    Cleaner::new(Arc::new(rules), Direction::Request, &[], keys)
}

fn clean_with(
    spec: DataRuleSpec,
    kind: &BodyKind<'_>,
    body: &[u8],
    cut: usize,
) -> Result<Vec<u8>, InspectError> {
    let mut cleaner = BodyCleaner::new(kind, cleaner(spec));
    let mut out = Vec::new();
    for piece in body.chunks(cut) {
        cleaner.push(Bytes::copy_from_slice(piece), &mut out)?;
    }
    cleaner.finish(&mut out)?;
    Ok(out.concat())
}

fn typed(content_type: &str) -> BodyKind<'_> {
    BodyKind {
        content_type: Some(content_type),
        content_encoding: None,
    }
}

/// Masks card numbers, whatever the cut.
fn masked(content_type: &str, body: &str) -> Result<String, InspectError> {
    let whole = clean_with(
        spec(DataAction::Mask),
        &typed(content_type),
        body.as_bytes(),
        usize::MAX,
    );
    for cut in [1, 2, 7] {
        let cut_up = clean_with(
            spec(DataAction::Mask),
            &typed(content_type),
            body.as_bytes(),
            cut,
        );
        assert_eq!(cut_up, whole, "{content_type} cut at {cut}: {body}");
    }
    whole.map(|clean| String::from_utf8(clean).unwrap())
}

const PARTS: &str = "multipart/form-data; boundary=XyZ";

/// A multipart body of these parts, head and content each.
fn parts(parts: &[(&str, &str)]) -> String {
    let part = |(head, content): &(&str, &str)| format!("--XyZ\r\n{head}\r\n\r\n{content}\r\n");
    parts.iter().map(part).collect::<String>() + "--XyZ--\r\n"
}

/// A body of each form, with the value in each place that has text.
fn forms() -> Vec<(&'static str, String)> {
    let disposition = "Content-Disposition: form-data; name=";
    vec![
        (
            "application/json",
            r#"{ "a": ["4539578763621486", 1.50], "b":"x" }"#.to_owned(),
        ),
        (
            "application/vnd.api+json",
            r#""4539578763621486""#.to_owned(),
        ),
        (
            "application/x-ndjson",
            "{\"a\":\"4539578763621486\"}\r\n\n{\"b\":1e3}\n".to_owned(),
        ),
        (
            "application/json-seq",
            "\u{1e}{\"a\":\"4539578763621486\"}\n".to_owned(),
        ),
        ("text/plain", "Dear 4539578763621486, hello\nyou".to_owned()),
        (
            "text/csv; charset=utf-8",
            "name,mail\nMona,4539578763621486\n".to_owned(),
        ),
        (
            "application/xml",
            "<a b=\"4539578763621486\">4539578763621486</a>".to_owned(),
        ),
        (
            "text/html",
            "<p>to 4539578763621486&nbsp;&amp; you</p>".replace("&nbsp;", "&#160;"),
        ),
        (
            PARTS,
            parts(&[(&format!("{disposition}\"m\""), "4539578763621486")]),
        ),
        (
            PARTS,
            parts(&[
                (
                    &format!("{disposition}\"f\"; filename=\"4539578763621486\""),
                    "x",
                ),
                (
                    &format!("{disposition}\"j\"\r\nContent-Type: application/json"),
                    r#"{"a":"4539578763621486"}"#,
                ),
            ]),
        ),
        (
            "text/event-stream",
            "id: 7\ndata: {\"a\":\"4539578763621486\"}\n\n".to_owned(),
        ),
        (
            "text/event-stream",
            ": hi\n\ndata: to 4539578763621486\n\n".to_owned(),
        ),
        (
            "application/javascript",
            "let a = '4539578763621486';".to_owned(),
        ),
    ]
}

#[test]
fn a_value_is_found_in_every_form_and_every_other_byte_stays() {
    // Goal: each form is read as its readers read it. Method: a row a form with the value in each
    // place that has text, its expected result, and the same row without the value, which must
    // pass to the byte.
    for (content_type, body) in forms() {
        let clean = masked(content_type, &body).unwrap();
        assert_eq!(
            clean,
            body.replace("4539578763621486", "[CARD]"),
            "{content_type}"
        );
        let innocent = body.replace("4539578763621486", "nobody");
        assert_eq!(
            masked(content_type, &innocent).unwrap(),
            innocent,
            "{content_type}"
        );
    }
}

#[test]
fn encodings_inside_a_form_hide_nothing() {
    let rows = [
        (
            "application/json",
            r#"{"a":"\u0034539578763621486"}"#,
            r#"{"a":"[CARD]"}"#,
        ),
        (
            "application/json",
            r#"{"a":4539578763621486}"#,
            r#"{"a":"[CARD]"}"#,
        ),
        (
            "application/x-www-form-urlencoded",
            "a=45%3395787636%3214%386&b=x+y%20z&%34539578763621486=&c",
            "a=%5BCARD%5D&b=x+y%20z&%5BCARD%5D=&c",
        ),
        (
            "text/html",
            "<p>4539&#53;7876&#x33;6214&#56;6</p>",
            "<p>[CARD]</p>",
        ),
        (
            "text/event-stream",
            "data: {\"a\":\ndata: \"4539578763621486\"}\n\n",
            "data: {\"a\":\ndata: \"[CARD]\"}\n\n",
        ),
        (
            "text/event-stream",
            "data: to 4539578763621486\r\rdata: b\r\n\r\n",
            "data: to [CARD]\n\ndata: b\r\n\r\n",
        ),
        (
            "text/event-stream",
            "data: {\"a\":\"\\u0034539578763621486\",}\n\n",
            "data: {\"a\":\"[CARD]\",}\n\n",
        ),
        (
            "text/event-stream",
            "data: done {\"a\":1}\ndata: C:\\new 4539578763621486\n\n",
            "data: done {\"a\":1}\ndata: C:\\new [CARD]\n\n",
        ),
    ];
    for (content_type, body, expected) in rows {
        assert_eq!(
            masked(content_type, body).as_deref(),
            Ok(expected),
            "{body}"
        );
    }
    let named = |name: &str| {
        let head = format!("Content-Disposition: form-data; name=\"f\"; {name}");
        parts(&[(head.as_str(), "x")])
    };
    let coded = named("filename*=UTF-8''45%3395787636%3214%386");
    let clean = named("filename*=UTF-8''%5BCARD%5D");
    assert_eq!(masked(PARTS, &coded), Ok(clean));
    for hidden in [
        "filename=\"4539\\578763621486\"",
        "filename=\"4539\\578763621486\"; filename*=UTF-8''4539578763621486",
    ] {
        assert!(matches!(
            masked(PARTS, &named(hidden)),
            Err(InspectError::CannotInspect(_))
        ));
    }
}

#[test]
fn what_has_no_one_reading_is_refused() {
    let disposition = "Content-Disposition: form-data; name=\"a\"";
    let part = |head: &str| parts(&[(head, "x")]);
    let encoded = format!("{disposition}\r\nContent-Transfer-Encoding: base64");
    let nested = format!("{disposition}\r\nContent-Type: multipart/form-data; boundary=b");
    let image = format!("{disposition}\r\nContent-Type: image/png");
    let rows = [
        ("application/json", "{\"a\":1".to_owned()),
        ("application/json", "a=b".to_owned()),
        ("application/x-ndjson", "{\"a\":1}\nnothing\n".to_owned()),
        ("application/x-www-form-urlencoded", "a=%4".to_owned()),
        ("application/x-www-form-urlencoded", "a=%ff".to_owned()),
        (
            "application/x-www-form-urlencoded",
            "_charset_=utf-7&a=b".to_owned(),
        ),
        ("text/html", format!("&#{}64;", "0".repeat(30))),
        ("image/png", "x".to_owned()),
        ("multipart/mixed; boundary=a", "--a--".to_owned()),
        (PARTS, part("X-Other: y")),
        (PARTS, part(&format!("{disposition}\r\n{disposition}"))),
        (PARTS, part(&encoded)),
        (PARTS, part(&nested)),
        (PARTS, part(&image)),
        (PARTS, format!("preamble\r\n{}", part(disposition))),
        (PARTS, format!("{}epilogue", part(disposition))),
        (PARTS, part(disposition).replace("\r\n", "\n")),
        (PARTS, part(disposition).replace("--XyZ--", "--XyZmore")),
        (PARTS, part("Content-Disposition: attachment; name=\"a\"")),
    ];
    for (content_type, body) in rows {
        let refused = masked(content_type, &body);
        assert!(
            matches!(refused, Err(InspectError::CannotInspect(_))),
            "{content_type}: {body}"
        );
    }
    for body in [&b"a\xff"[..], b"a\xc3", b"\xfe\xffa"] {
        for content_type in [
            "text/plain",
            "application/json",
            "text/event-stream",
            "text/xml",
        ] {
            let refused = clean_with(spec(DataAction::Mask), &typed(content_type), body, 1);
            assert!(
                matches!(refused, Err(InspectError::CannotInspect(_))),
                "{content_type}"
            );
        }
    }
}

#[test]
fn what_is_no_text_passes_only_if_the_rule_lets_it() {
    let image = [0x89, b'P', 0xff, 0];
    let open = || DataRuleSpec {
        opaque: OpaqueAction::Allow,
        ..spec(DataAction::Mask)
    };
    for kind in [typed("image/png"), BodyKind::default()] {
        assert!(clean_with(spec(DataAction::Mask), &kind, &image, 1).is_err());
        assert_eq!(
            clean_with(spec(DataAction::Mask), &kind, b"", 1),
            Ok(Vec::new())
        );
        assert_eq!(clean_with(open(), &kind, &image, 1), Ok(image.to_vec()));
    }
    let body = parts(&[(
        "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: image/png",
        "x",
    )]);
    assert!(clean_with(open(), &typed(PARTS), body.as_bytes(), 9).is_ok());
}

#[test]
fn a_blocked_value_ends_the_body() {
    let rows = [
        ("text/plain", "to 4539578763621486 now"),
        ("application/json", "{\"a\":\"4539578763621486\"}"),
        (
            "application/x-www-form-urlencoded",
            "a=45%3395787636%3214%386",
        ),
    ];
    for (content_type, body) in rows {
        let kind = typed(content_type);
        let refused = clean_with(spec(DataAction::Block), &kind, body.as_bytes(), 3);
        let Err(InspectError::DataBlocked(cause)) = refused else {
            panic!("{content_type}: {refused:?}");
        };
        assert!(!cause.contains("4539"), "{cause}");
    }
}

#[test]
fn a_coded_body_goes_on_plain() {
    let body = br#"{"a":"4539578763621486","b":"x"}"#;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body).unwrap();
    let coded = gzip.finish().unwrap();
    let kind = BodyKind {
        content_type: Some("application/json"),
        content_encoding: Some("gzip"),
    };
    let clean = clean_with(spec(DataAction::Mask), &kind, &coded, 5);
    assert_eq!(clean.as_deref(), Ok(&br#"{"a":"[CARD]","b":"x"}"#[..]));
    let short = clean_with(spec(DataAction::Mask), &kind, &coded[..coded.len() - 3], 5);
    assert!(
        matches!(short, Err(InspectError::CannotInspect(_))),
        "{short:?}"
    );
}

#[test]
fn fields_are_found_by_their_place() {
    let mut spec = spec(DataAction::Mask);
    for path in ["$.user.name", "$..pins"] {
        spec.fields.push(FieldRule {
            path: path.to_owned(),
            class: DataClass::parse("card").unwrap(),
        });
    }
    let body = r#"{"name":"A","user":{"na\u006de":"Bo"},"x":[{"pins":[12, null,"3"]}]}"#;
    let clean = clean_with(spec, &typed("application/json"), body.as_bytes(), 4).unwrap();
    let expected =
        r#"{"name":"A","user":{"na\u006de":"[CARD]"},"x":[{"pins":["[CARD]", null,"[CARD]"]}]}"#;
    assert_eq!(String::from_utf8(clean).unwrap(), expected);
}

proptest::proptest! {
    #[test]
    fn cuts_never_change_what_comes_out(
        pieces in proptest::collection::vec(
            "4539578763621486|[a-z ]{1,6}|\\PC{0,3}|\n|\r\n|data: |\"|\\{|\\}|:|,|&|=|%34|&#52;", 0..24
        ),
        which in 0usize..8,
        cut in 1usize..9,
    ) {
        // Goal: where the transport cut a body is nobody's business. Method: pieces of every form,
        // read as each form, whole and cut.
        let types = [
            "text/plain", "application/json", "application/x-ndjson", "text/html",
            "text/event-stream", "application/x-www-form-urlencoded", PARTS, "text/csv",
        ];
        let (body, kind) = (pieces.concat(), typed(types[which]));
        let whole = clean_with(spec(DataAction::Mask), &kind, body.as_bytes(), usize::MAX);
        let cut_up = clean_with(spec(DataAction::Mask), &kind, body.as_bytes(), cut);
        proptest::prop_assert_eq!(&whole, &cut_up);
        if let Ok(whole) = whole {
            let shown = String::from_utf8_lossy(&whole).into_owned();
            proptest::prop_assert!(!shown.contains(" 4539578763621486 "), "{}", shown);
        }
    }
}

/// Goal: JSON in a string of JSON, in the value of a form or in a text is read as JSON: its escapes
/// hide nothing, and what it says otherwise stays as it is. Method: a value in escapes, texts that
/// only begin like JSON, and one in a string in a string.
#[test]
fn json_in_a_string_is_read_as_json() {
    let hidden = r#"{"pay":"4539578\u003763621486","n":1.50}"#;
    let deep = serde_json::json!({ "in": hidden }).to_string();
    let texts = [
        (hidden.to_owned(), r#"{"pay":"[CARD]","n":1.50}"#.to_owned()),
        (
            format!(" [{hidden}]"),
            r#" [{"pay":"[CARD]","n":1.50}]"#.to_owned(),
        ),
        (
            deep,
            serde_json::json!({"in": r#"{"pay":"[CARD]","n":1.50}"#}).to_string(),
        ),
        (
            format!("{hidden}\n{hidden}"),
            "{\"pay\":\"[CARD]\",\"n\":1.50}\n{\"pay\":\"[CARD]\",\"n\":1.50}".to_owned(),
        ),
        (
            hidden[..hidden.len() - 11].to_owned(),
            "{\"pay\":\"[CARD]".to_owned(),
        ),
        (
            " \"4539578\\u003763621486\"".to_owned(),
            " \"[CARD]\"".to_owned(),
        ),
        (
            "[note] 4539578763621486".to_owned(),
            "[note] [CARD]".to_owned(),
        ),
        (
            "\"Jane\" <4539578763621486>".to_owned(),
            "\"Jane\" <[CARD]>".to_owned(),
        ),
        (
            "{{card}} 4539578763621486".to_owned(),
            "{{card}} [CARD]".to_owned(),
        ),
        (
            "{a\\u0041} C:\\new".to_owned(),
            "{a\\u0041} C:\\new".to_owned(),
        ),
    ];
    for (text, expected) in texts {
        let json = serde_json::json!({"where": text, "list": [text]}).to_string();
        let out = masked("application/json", &json).unwrap();
        let out: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            out,
            serde_json::json!({"where": expected, "list": [expected]})
        );
        let all = percent_encoding::NON_ALPHANUMERIC;
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, all).to_string();
        let form = "application/x-www-form-urlencoded";
        let out = masked(form, &format!("a=1&where={}", encode(&text))).unwrap();
        assert_eq!(out, format!("a=1&where={}", encode(&expected)));
        let part = |text: &str| parts(&[("Content-Disposition: form-data; name=\"x\"", text)]);
        assert_eq!(masked(PARTS, &part(&text)), Ok(part(&expected)));
        for media in ["text/plain; charset=utf-8", "text/javascript"] {
            let (text, expected) = (format!("\r\n{text}"), format!("\r\n{expected}"));
            assert_eq!(masked(media, &text), Ok(expected.clone()), "{media}");
            let head = format!("Content-Disposition: form-data; name=x\r\nContent-Type: {media}");
            let part = |text: &str| parts(&[(&head, text)]);
            assert_eq!(masked(PARTS, &part(&text)), Ok(part(&expected)));
        }
    }
}
