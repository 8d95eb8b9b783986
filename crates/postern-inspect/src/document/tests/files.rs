//! Files that are text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use postern_types::{Direction, OpaqueAction};
use serde_json::{Value, json};

use super::{MAIL, clean_json};
use crate::clean::CleanError;
use crate::request::Family;
use crate::testing::cleaner;
use crate::text;

fn cleaned(family: Family, body: &Value, opaque: OpaqueAction) -> Result<Value, CleanError> {
    let mut cleaner = cleaner(Direction::Request, |spec| spec.opaque = opaque);
    let body = body.to_string();
    let new = clean_json(body.as_bytes(), text::request(family), &mut cleaner)?;
    Ok(serde_json::from_slice(new.as_deref().unwrap_or(body.as_bytes())).unwrap())
}

/// The data of a file in each dialect, and where it stands.
fn bodies(media: &str, data: &str) -> [(Family, Value, &'static str); 4] {
    let address = format!("data:{media};base64,{data}");
    [
        (
            Family::Chat,
            json!({"messages":[{"content":[{"type":"file","file":{"file_data":address}}]}]}),
            "/messages/0/content/0/file/file_data",
        ),
        (
            Family::Responses,
            json!({"input":[{"content":[{"type":"input_file","file_data":address}]}]}),
            "/input/0/content/0/file_data",
        ),
        (
            Family::Messages,
            json!({"messages":[{"content":[{"type":"document","source":
                {"type":"base64","media_type":media,"data":data}}]}]}),
            "/messages/0/content/0/source/data",
        ),
        (
            Family::Generate,
            json!({"contents":[{"parts":[{"inlineData":{"mimeType":media,"data":data}}]}]}),
            "/contents/0/parts/0/inlineData/data",
        ),
    ]
}

#[test]
fn a_file_that_is_text_is_inspected_like_one() {
    // Goal: text that is sent along as a file is cleaned, and goes on as such a file, whatever the
    // rule says of pictures. Method: plain text, markup with a reference, JSON, and lines of it
    // with an escape, both alphabets, with padding and without, in every dialect.
    let plain = format!("write to {MAIL}???");
    let json = json!({ "mail": MAIL, "n": "???" }).to_string();
    let lines = json.clone() + "\n" + &json.replace('@', "\\u0040");
    let read = format!("<p class='a'>{MAIL}</p> &lt; {MAIL}???");
    let html = read.replacen('@', "&#64;", 1);
    let clean = |text: &str| text.replace(MAIL, "[EMAIL]");
    let texts = [
        ("text/plain", &plain, clean(&plain)),
        ("application/json", &json, clean(&json)),
        ("text/plain", &lines, clean(&format!("{json}\n{json}"))),
        (
            "application/x-ndjson",
            &lines,
            clean(&format!("{json}\n{json}")),
        ),
        ("text/html; charset=utf-8", &html, clean(&read)),
        ("application/xhtml+xml", &html, clean(&read)),
    ];
    for opaque in [OpaqueAction::Refuse, OpaqueAction::Allow] {
        for (media, text, expected) in &texts {
            for engine in [STANDARD, URL_SAFE_NO_PAD] {
                let data = engine.encode(text);
                for (family, body, place) in bodies(media, &data) {
                    let new = cleaned(family, &body, opaque).unwrap();
                    let at = |body: &Value| {
                        let told = body.pointer(place).unwrap().as_str().unwrap();
                        let bare = told.rsplit_once(',').map_or(told, |(_, bare)| bare);
                        let head = &told[..told.len() - bare.len()];
                        (head.to_owned(), bare.to_owned())
                    };
                    let ((head, bare), (head_sent, data_sent)) = (at(&new), at(&body));
                    assert_eq!((&head, &data_sent), (&head_sent, &data), "{family:?}");
                    let read = String::from_utf8(engine.decode(&bare).unwrap()).unwrap();
                    assert_eq!(&read, expected, "{family:?}");
                }
            }
        }
        let fine = STANDARD.encode("nothing in it");
        for (family, body, _) in bodies("text/csv", &fine) {
            assert_eq!(cleaned(family, &body, opaque), Ok(body), "{family:?}");
        }
    }
}

#[test]
fn what_may_be_no_text_is_data() {
    for (media, bytes) in [
        ("application/pdf", &b"text"[..]),
        ("text/plain", b"%PDF-1.7 text"),
        ("text/plain", b"a\xff"),
        ("text/plain", b"a\0b"),
        ("text/plain; charset=utf-16", b"a"),
        ("image/svg+xml", b"<svg/>"),
        ("text/html", b"<!-- %PDF-1.7 -->"),
        ("text/plain", b"<html>"),
        (
            "text/plain",
            "\u{feff}<html>jane&#64;example.com".as_bytes(),
        ),
        (
            "application/json",
            "\u{feff}{\"a\":\"4539578\\u003763621486\"}".as_bytes(),
        ),
        ("text/plain", b"x\n%PDF-1.4 text"),
    ] {
        for (family, body, _) in bodies(media, &STANDARD.encode(bytes)) {
            let refused = cleaned(family, &body, OpaqueAction::Refuse);
            assert!(
                matches!(refused, Err(CleanError::CannotInspect(_))),
                "{media} {family:?}"
            );
            assert_eq!(cleaned(family, &body, OpaqueAction::Allow), Ok(body));
        }
    }
}
