//! The published suite of JSON texts that readers disagree on, as request bodies.

use postern_inspect::{Dialect, Target, locate};
use postern_types::CanonicalPath;

use crate::corpus;

fn taken(body: &[u8]) -> bool {
    let path = CanonicalPath::parse("/v1/chat/completions").unwrap();
    let target = Target {
        method: "POST",
        path: &path,
        query: &[],
        content_type: Some("application/json"),
        content_encoding: None,
    };
    locate(Dialect::OpenAi, &target).unwrap().read(body).is_ok()
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
