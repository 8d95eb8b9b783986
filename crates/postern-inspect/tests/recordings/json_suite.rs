//! The published suite of JSON texts that readers disagree on, as request bodies.

use postern_inspect::{Dialect, InspectError, RequestFacts, Target, locate};
use postern_types::CanonicalPath;

use crate::corpus;

fn read(body: &[u8]) -> Result<RequestFacts, InspectError> {
    let path = CanonicalPath::parse("/v1/chat/completions").unwrap();
    let target = Target::posted(&path);
    locate(Dialect::OpenAi, &target)?.read(body)
}

fn taken(body: &[u8]) -> bool {
    read(body).is_ok()
}

/// Each text as the value of a key that is not read, and as the whole body.
#[test]
fn what_must_be_rejected_is_refused() {
    // Goal: no body that any reader must reject is taken, and valid values pass. Method: every
    // text of the suite, bare and inside a request.
    let Some(texts) = corpus::json_suite() else {
        return;
    };
    let (mut rejected, mut accepted) = (0, 0);
    for (name, expected, bytes) in &texts {
        assert!(!taken(bytes), "{name}: no text of the suite names a model");
        let inside = [b"{\"model\":\"m\",\"x\":", bytes.as_slice(), b"}"].concat();
        // A text may be wrong only because of what stands around it.
        let breaks_out = std::str::from_utf8(bytes)
            .is_ok_and(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_err())
            && serde_json::from_slice::<serde_json::Value>(&inside).is_ok();
        match expected.as_str() {
            "reject" if !breaks_out => {
                assert!(!taken(&inside), "{name} was taken");
                rejected += 1;
            }
            "accept" => {
                assert!(taken(&inside), "{name} was refused");
                accepted += 1;
            }
            _ => {}
        }
        if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() {
            assert!(!taken(&inside), "{name} is not UTF-8");
        }
    }
    assert!(
        rejected >= 85 && accepted >= 40,
        "{rejected} rejected, {accepted} accepted"
    );
}

#[test]
fn strange_texts_are_counted_and_make_no_models() {
    // Goal: any text passes as content, counted as it is, in both ways to write it; as a model's
    // name it is taken only if every character is one that grants know.
    let Some(texts) = corpus::naughty_strings() else {
        return;
    };
    for text in &texts {
        let written = serde_json::to_string(text).unwrap();
        let escaped: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        for content in [written.clone(), format!("\"{escaped}\"")] {
            let body = format!(
                "{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":{content}}}]}}"
            );
            let facts = read(body.as_bytes()).unwrap();
            assert_eq!(facts.ai.text_bytes, text.len() as u64, "{text:?}");
        }
        let named = read(format!("{{\"model\":{written}}}").as_bytes());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c);
        let possible = !text.is_empty() && text.len() <= 128 && text.chars().all(plain);
        assert_eq!(named.is_ok(), possible, "{text:?}");
    }
    assert!(texts.len() > 200);
}
