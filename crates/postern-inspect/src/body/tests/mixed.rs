//! Rules side by side, and what clients name themselves.

use std::sync::Arc;

use bytes::Bytes;
use postern_types::{
    ClassSelector, DataAction, DataClass, DataRule, DataRuleSpec, Direction, FieldRule, RuleName,
};
use serde_json::{Value, json};

use super::super::{BodyCleaner, BodyKind};
use super::{PARTS, clean_with, masked, spec, typed};
use crate::InspectError;
use crate::clean::{Cleaner, MaskKeys, RuleSet};
use crate::request::Family;

/// What stands before a secret; apart from it, so that this text holds none.
const NAME: &str = "password";

fn rules(specs: &[Value]) -> Arc<RuleSet> {
    let named = specs.iter().enumerate().map(|(at, spec)| DataRule {
        name: RuleName::parse(&format!("rule{at}")).unwrap(),
        spec: serde_json::from_value(spec.clone()).unwrap(),
    });
    Arc::new(RuleSet::compile(&named.collect::<Vec<_>>()).unwrap())
}

fn cleaned(specs: &[Value], body: &str) -> Result<(String, Cleaner), InspectError> {
    let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
    let cleaner = Cleaner::new(rules(specs), Direction::Request, &[], keys);
    let kind = BodyKind {
        content_type: Some("application/json"),
        content_encoding: None,
    };
    let mut body_cleaner = BodyCleaner::new(&kind, cleaner);
    let mut out = Vec::new();
    body_cleaner.push(Bytes::copy_from_slice(body.as_bytes()), &mut out)?;
    body_cleaner.finish(&mut out)?;
    let text = String::from_utf8(out.concat()).unwrap();
    Ok((text, body_cleaner.into_cleaner()))
}

#[test]
fn the_strongest_of_several_field_rules_holds() {
    // Goal: a rule that only reports, or passes, does not stand before one that blocks. Method:
    // two rules name one place, in both orders.
    let flag = json!({"directions": ["request"], "classes": [], "action": "flag",
        "fields": [{"path": "$.user", "class": "custom:person"}, {"path": "$.user.*",
        "class": "custom:person"}]});
    let block = json!({"directions": ["request"], "classes": [], "action": "block",
        "fields": [{"path": "$.user.ssn", "class": "us_ssn"}]});
    for specs in [[flag.clone(), block.clone()], [block, flag]] {
        let refused = cleaned(&specs, r#"{"user":{"ssn":"anything"}}"#);
        assert!(matches!(refused, Err(InspectError::DataBlocked { .. })));
        let (text, _) = cleaned(&specs, r#"{"user":{"name":"x"}}"#).unwrap();
        assert_eq!(text, r#"{"user":{"name":"x"}}"#);
    }
}

#[test]
fn what_a_dry_run_names_is_not_changed_by_the_rules_beside_it() {
    let dry = json!({"directions": ["request"], "classes": [], "action": "mask", "dry_run": true,
        "fields": [{"path": "$.note", "class": "email"}], "headers": ["x-note"]});
    let firm = json!({"directions": ["request"], "classes": ["email"], "action": "mask"});
    let specs = [dry, firm];
    let (text, _) = cleaned(&specs, r#"{"note":"a note","to":"jane@example.com"}"#).unwrap();
    assert_eq!(text, r#"{"note":"a note","to":"[EMAIL]"}"#);
    assert!(rules(&specs).headers(Direction::Request).is_empty());
}

#[test]
fn found_keys_are_no_place_and_stay_apart() {
    // Goal: no value gets into the record as the name of a place, and no key is made twice.
    let field = json!({"directions": ["request"], "classes": ["email"], "action": "mask",
        "fields": [{"path": "$..password", "class": "generic_secret"}]});
    let body = r#"{"jane@example.com":{"password":"x1"},"[EMAIL]":"joe@example.com"}"#;
    let (text, cleaner) = cleaned(&[field], body).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read.as_object().unwrap().len(), 2, "{text}");
    assert!(!text.contains("example.com"), "{text}");
    let findings = cleaner.findings();
    assert!(findings.len() >= 3);
    assert!(
        findings.iter().all(|finding| !finding.place.contains('@')),
        "{findings:?}"
    );
}

#[test]
fn text_that_only_looks_like_something_else_is_read() {
    // Goal: numbers, seals, data and settings of a dialect hide nothing. Method: a value in each
    // such place of a request that otherwise passes.
    let specs = [
        json!({"directions": ["request"], "classes": ["all"], "action": "mask",
        "opaque": "allow"}),
    ];
    let chat = |more: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.to_string()
    };
    let key = format!("AKIA{}", "IQ5ZTZ7QWRMNB2XK");
    let rows = [
        (
            Family::Chat,
            chat(json!({"customer_card": 5_555_555_555_554_444_u64})),
            "5555",
        ),
        (
            Family::Chat,
            chat(json!({"prompt_cache_options": {"note": key.clone()}})),
            "AKIA",
        ),
        (
            Family::Generate,
            json!({"contents": [{"parts": [{"text": "hi", "thoughtSignature": key}]}]}).to_string(),
            "AKIA",
        ),
    ];
    for (family, body, value) in rows {
        let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
        let mut cleaner = Cleaner::new(rules(&specs), Direction::Request, &[], keys);
        let table = crate::text::request(family);
        let clean = crate::document::clean_json(body.as_bytes(), table, &mut cleaner).unwrap();
        let clean = String::from_utf8(clean.unwrap_or_default()).unwrap();
        assert!(
            !clean.is_empty() && !clean.contains(value),
            "{body} -> {clean}"
        );
    }
}

#[test]
fn a_value_that_blocks_blocks_inside_another() {
    // Goal: a value that blocks is not lost in a longer one that is only replaced. Method: a cloud
    // key inside what is called a password.
    let body = format!(r#"{{"x":"password=my-AKIA{}"}}"#, "IQ5ZTZ7QWRMNB2XK");
    for action in ["mask", "keep-last-4", "hash", "flag"] {
        let specs = [
            json!({"directions": ["request"], "classes": ["cloud_credential"], "action": "block"}),
            json!({"directions": ["request"], "classes": ["generic_secret"], "action": action}),
        ];
        let refused = cleaned(&specs, &body);
        assert!(
            matches!(refused, Err(InspectError::DataBlocked { .. })),
            "{action}"
        );
    }
}

/// Goal: a value that is turned back makes no markup of its own, and keeps the references that it
/// had. Method: a field of JSON whose value holds marks, and an HTML answer that names it.
#[test]
fn what_is_turned_back_is_written_for_markup() {
    let spec = json!({"directions": ["request"], "action": "pseudonym", "classes": [],
        "fields": [{"path": "$.note", "class": "custom:note"}]});
    let value = r#"<b>&Tom's "x" &amp; &#64;</b>"#;
    let body = json!({ "note": value }).to_string();
    let (sent, cleaner) = cleaned(&[spec], &body).unwrap();
    let sent: Value = serde_json::from_str(&sent).unwrap();
    let placeholder = sent["note"].as_str().unwrap();
    let page = format!("<p>{placeholder}</p> & {placeholder}");
    let told = "&lt;b&gt;&amp;Tom&#39;s &quot;x&quot; &amp; &#64;&lt;/b&gt;";
    for cut in [1, 5, 1000] {
        for (kind, told) in [("text/html", told), ("text/plain", value)] {
            let kind = BodyKind {
                content_type: Some(kind),
                content_encoding: None,
            };
            let mut answer = BodyCleaner::new(&kind, cleaner.for_response(&[]));
            let mut out = Vec::new();
            for piece in page.as_bytes().chunks(cut) {
                answer
                    .push(Bytes::copy_from_slice(piece), &mut out)
                    .unwrap();
            }
            answer.finish(&mut out).unwrap();
            let out = String::from_utf8(out.concat()).unwrap();
            assert_eq!(out, format!("<p>{told}</p> & {told}"));
        }
    }
}

/// Goal: a value that is turned back is written as its place asks for, and a name is as it was.
/// Method: a value with quotes and a line end, in names, in text that is JSON, in JSON in a field
/// of a table; and in the head of a part, where it has no place.
#[test]
fn what_is_turned_back_is_written_for_its_place() {
    let spec = json!({"directions": ["request"], "action": "pseudonym", "classes": [],
        "fields": [{"path": "$.note", "class": "custom:note"}]});
    let value = "a\"b\\c\r\nd,e";
    let (sent, cleaner) = cleaned(&[spec], &json!({ "note": value }).to_string()).unwrap();
    let sent: Value = serde_json::from_str(&sent).unwrap();
    let placeholder = sent["note"].as_str().unwrap();
    let answered = |kind: &str, body: &str| -> Result<String, InspectError> {
        let mut answer = BodyCleaner::new(&typed(kind), cleaner.for_response(&[]));
        let mut out = Vec::new();
        answer.push(Bytes::copy_from_slice(body.as_bytes()), &mut out)?;
        answer.finish(&mut out)?;
        Ok(String::from_utf8(out.concat()).unwrap())
    };
    let object = |value: &str| json!({ "count": 2, "say": value, value: 1 }).to_string();
    for kind in ["application/json", "text/plain"] {
        let out = answered(kind, &object(placeholder)).unwrap();
        let out: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(out.to_string(), object(value), "{kind}");
    }
    let table = |value: &str| {
        let fields = [value, &json!({ "say": value }).to_string()];
        let fields = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
        format!("a,b\n{}\n", fields.join(","))
    };
    let out = answered("text/csv", &table(placeholder));
    assert_eq!(out, Ok(table(value)));
    let part =
        format!("--XyZ\r\nContent-Disposition: form-data; name=\"{placeholder}\"\r\n\r\n\r\n");
    let out = answered("multipart/form-data; boundary=XyZ", &(part + "--XyZ--\r\n"));
    assert!(
        matches!(out, Err(InspectError::CannotInspect(_))),
        "{out:?}"
    );
}

/// Goal: of names that become alike each but the first has a number, and no other. Method: values
/// in names, between others, one of which is such a name already.
#[test]
fn names_that_become_alike_are_told_apart() {
    let spec = json!({"directions": ["request"], "action": "mask", "classes": ["email"]});
    let body = r#"{"a":0,"j@example.com":1,"[EMAIL]_2":2,"k@example.com":3,"l@example.com":4}"#;
    let (clean, _) = cleaned(std::slice::from_ref(&spec), body).unwrap();
    let told = r#"{"a":0,"[EMAIL]":1,"[EMAIL]_2":2,"[EMAIL]_3":3,"[EMAIL]_4":4}"#;
    assert_eq!(clean, told);
    let alone = r#"{"a":0,"b":{"c":0,"j@example.com":1},"j@example.com":1}"#;
    let (clean, _) = cleaned(&[spec], alone).unwrap();
    assert_eq!(clean, alone.replace("j@example.com", "[EMAIL]"));
}

/// Goal: nothing of a value goes on beside its mask because it looks like markup. Method: values
/// with whole, cut and torn comments and marks in them, as HTML and as XML, at every cut; a comment
/// with solid text to both sides is refused before it is looked at.
#[test]
fn nothing_of_a_value_is_taken_for_a_mark() {
    let rules = json!({"directions": ["request"], "action": "mask", "classes": ["generic_secret"],
        "custom": [{"class": "custom:own", "pattern": r"key:\S{1,60}"}]});
    let spec: DataRuleSpec = serde_json::from_value(rules).unwrap();
    let given = |rest: &str| format!("{NAME}=\"{rest}");
    for (text, hidden) in [
        (given("Tr0ub4d!<!--Kq7Zp9xV-->"), "Kq7Zp"),
        (given("Tr0ub4d!<!--Kq7Zp9xV--> \""), "Kq7Zp"),
        (given("Tr0ub4dor<![Kq7Zp9x\""), "Kq7Zp"),
        (given("Tr0ub4<![aééé9\""), "aéé"),
        ("key:<!--s3cret--> and more".to_owned(), "s3cret"),
        ("key:abc<!--s3cret".to_owned(), "s3cret"),
        ("key:abc]]]>d<![CDAT@s3cret and more".to_owned(), "s3cret"),
    ] {
        for kind in ["text/html", "text/xml"] {
            for cut in 1..=text.len() {
                let done = clean_with(spec.clone(), &typed(kind), text.as_bytes(), cut);
                let out = String::from_utf8(done.unwrap()).unwrap();
                assert!(out.contains('['), "{text} is found: {out}");
                assert!(!out.contains(hidden), "{text} cut at {cut}: {out}");
            }
        }
    }
    let text = given("Tr0ub4d!<!--Kq7Zp9xV-->\"");
    for cut in 1..=text.len() {
        let refused = clean_with(spec.clone(), &typed("text/html"), text.as_bytes(), cut);
        assert!(matches!(refused, Err(InspectError::CannotInspect(_))));
    }
}

/// Goal: what a reader of XML or HTML puts together is found, its marks stay in pairs, and what is
/// read otherwise there is refused. Method: a value over seams, at every cut.
#[test]
fn a_value_over_the_seams_of_markup_is_found() {
    let rows = [
        (
            "<a>jane.doe@]]><![CDATA[example.com x</a>",
            "<a>[EMAIL]]]><![CDATA[ x</a>",
        ),
        (
            "<a>to <![CDATA[jane.doe@]]>example.com</a>",
            "<a>to [EMAIL]<![CDATA[]]></a>",
        ),
        (
            "<a><![CDATA[jane.doe@example.com]]></a>",
            "<a><![CDATA[[EMAIL]]]></a>",
        ),
        (
            "<p>jane<!-- -->.doe@<!---->example.com!</p>",
            "<p>[EMAIL]<!-- --><!---->!</p>",
        ),
        (
            "<p>jane&#64;<!-- -->example.com</p>",
            "<p>[EMAIL]<!-- --></p>",
        ),
        (
            "<p>4539 5787 <!-- -->6362 1486</p>",
            "<p>[CARD]<!-- --></p>",
        ),
        (
            "<p><!-- write to jane.doe@example.com --></p>",
            "<p><!-- write to [EMAIL] --></p>",
        ),
        (
            "<p>jane.doe@<!-- > -->example.com</p>",
            "<p>[EMAIL]<!-- > --></p>",
        ),
        (
            "<p>Hello, <!-- -->Jane<!-- -->!</p>",
            "<p>Hello, <!-- -->Jane<!-- -->!</p>",
        ),
    ];
    let both = || DataRuleSpec {
        classes: ["card", "email"]
            .map(|class| ClassSelector::parse(class).unwrap())
            .to_vec(),
        ..spec(DataAction::Mask)
    };
    for (text, expected) in rows {
        for cut in 1..=text.len() {
            let clean = clean_with(both(), &typed("text/xml"), text.as_bytes(), cut);

            assert_eq!(
                String::from_utf8(clean.unwrap()).unwrap(),
                expected,
                "{text} cut at {cut}"
            );
        }
    }
    for text in [
        "<?xml version=\"1.0\" encoding=\"utf-7\"?><a>jane.doe+AEA-example.com</a>",
        "<!DOCTYPE a [<!ENTITY q \"jane.doe@\">]><a>&q;example.com</a>",
        "<a>jane.doe@<!-- a word -->example.com</a>",
        "<a>jane.doe@<!--> x -->example.com</a>",
        "<a>jane.doe@<!-- w --!-> -->example.com</a>",
        "<a>4539 5787 <!-- word --> 6362 1486</a>",
    ] {
        let refused = clean_with(both(), &typed("application/xml"), text.as_bytes(), 5);
        assert!(
            matches!(refused, Err(InspectError::CannotInspect(_))),
            "{text}"
        );
    }
}

/// Goal: what begins like JSON and is none loses nothing that is found in it as a text. Method:
/// such texts as a body of their own, and as a string of JSON that is read as what it begins like.
#[test]
fn what_only_begins_like_json_is_read_like_text() {
    let rule = json!({"directions": ["request"], "classes": ["all"], "action": "mask"});
    let all: DataRuleSpec = serde_json::from_value(rule).unwrap();
    let named = format!("\"{NAME}\": \"Tr0ub4dor-Kq7Zp9xV\" and more");
    let braced = format!("{{{NAME}=Tr0ub4dor-Kq7Zp9xV}}");
    for text in [
        "\"Jane Doe\" <jane.doe@example.com>, \"J\" <j@example.com>",
        &named,
        &braced,
        "\"4539 5787 6362 1486",
        "[jane.doe@example.com](mailto:jane.doe@example.com)",
        "[4539 5787 6362 1486]",
        "[ 4539 5787 6362 1486 ] and [1, 2, jane.doe@example.com",
        "{{a}} {\"a\": jane.doe@example.com} {\"b\":",
        "{\"a\": true} 4539578763621486, {\"a\": 4539-5787-6362-1486}",
    ] {
        let plain = clean_with(all.clone(), &typed("text/plain"), text.as_bytes(), 9).unwrap();
        let body = json!([text]).to_string();
        let read = clean_with(all.clone(), &typed("application/json"), body.as_bytes(), 9);
        let read: Value = serde_json::from_slice(&read.unwrap()).unwrap();
        assert!(plain != text.as_bytes(), "{text}");
        assert_eq!(read, json!([String::from_utf8(plain).unwrap()]), "{text}");
    }
}

#[test]
fn text_in_utf_16_does_not_pass_as_utf_8() {
    // Goal: ASCII in UTF-16 is UTF-8 letter by letter, in which no value is found; it does not
    // pass. Method: a card in each kind of text, in both orders of bytes and without a mark of it,
    // whole and cut.
    let part = "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n";
    let kinds = [
        ("text/plain", "", ""),
        ("text/csv", "", ""),
        ("text/html", "", ""),
        ("application/xml", "", ""),
        ("text/event-stream", "data: ", "\n\n"),
        (PARTS, "\r\n", "\r\n--XyZ--\r\n"),
        (PARTS, "Content-Type: text/csv\r\n\r\n", "\r\n--XyZ--\r\n"),
    ];
    for (kind, before, behind) in kinds {
        let before = match kind {
            PARTS => format!("{part}{before}"),
            _ => before.to_owned(),
        };
        for spread in [|c: char| [c, '\0'], |c: char| ['\0', c]] {
            let said: String = "card 4539578763621486".chars().flat_map(spread).collect();
            let refused = masked(kind, &format!("{before}{said}{behind}"));
            let cause = "the text has a zero byte in it".into();
            assert_eq!(refused, Err(InspectError::CannotInspect(cause)), "{kind}");
        }
    }
}

#[test]
fn json_is_read_as_json_whatever_it_calls_itself() {
    // Goal: escapes of JSON hide nothing, and fields are found, also where a server calls it HTML
    // or text or a client calls it a form; what only begins so is what it says. Method: each type,
    // whole and cut.
    let json = r#" {"a": "\u0034539578763621486", "user": {"pin": "so", "x": 1}}"#;
    let clean = r#" {"a": "[CARD]", "user": {"pin": "[CARD]", "x": 1}}"#;
    let mut fields = spec(DataAction::Mask);
    fields.fields = vec![FieldRule {
        path: "$.user.pin".to_owned(),
        class: DataClass::parse("card").unwrap(),
    }];
    let form = "application/x-www-form-urlencoded";
    for kind in ["text/html", "application/xml", "text/plain", form] {
        for cut in [1, 3, usize::MAX] {
            let read = |spec: DataRuleSpec, body: &str| {
                let out = clean_with(spec, &typed(kind), body.as_bytes(), cut).unwrap();
                String::from_utf8(out).unwrap()
            };
            let without = clean.replacen("[CARD]\", \"x", "so\", \"x", 1);
            assert_eq!(read(spec(DataAction::Mask), json), without, "{kind}");
            assert_eq!(read(fields.clone(), json), clean, "{kind}");
            for text in ["[1] it is so", "{{it}} is so", "{\"it\": is so", "[", " "] {
                assert_eq!(read(fields.clone(), text), text, "{kind}");
            }
        }
    }
    // What is too deep to be looked at is refused by any name, as it is by its own.
    let deep = format!("{}1{}", "{\"a\":[".repeat(2000), "]}".repeat(2000));
    for kind in ["application/json", "text/html", "application/xml", form] {
        let refused = masked(kind, &deep);
        assert!(
            matches!(refused, Err(InspectError::CannotInspect(_))),
            "{kind}"
        );
    }
    let html = masked("text/html", "[{\"it\"}] is 4539578763621486&#46;");
    assert_eq!(html, Ok("[{\"it\"}] is [CARD].".to_owned()));
}
