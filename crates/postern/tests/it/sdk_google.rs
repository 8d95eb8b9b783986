//! The official Google SDK works unchanged: only the base URL and the key differ.

use postern_testkit::{Cut, Gzip};
use serde_json::json;

use crate::clients::Language;
use crate::door::Door;

// Goal: the Python SDK notices nothing. Method: every scenario, answers cut into single bytes.
#[test]
fn google_python_works_unchanged() {
    let door = Door::open();
    door.upstream.set_cut(Cut::Every(1));
    let seen = door.drive_invisibly(Language::Python, "google_sdk.py", "gemini");
    let Some(seen) = seen else { return };
    let text = "Moon over the skerries, and no wind – 🌙.";
    assert_eq!(seen.returned("plain"), &json!({"text": text, "usage": 23}));
    assert_eq!(
        seen.returned("stream"),
        &json!({"pieces": 3, "text": text, "usage": 23})
    );
    let call = json!({"name": "light_range", "arguments": {"tower": "north"}});
    assert_eq!(seen.returned("tool"), &call);
    assert_eq!(seen.returned("tool_stream"), &call);
    assert_eq!(seen.returned("count_tokens"), 7);
    for status in [400, 401, 403, 404, 429] {
        seen.raised(&format!("fail_{status}"), "ClientError", Some(status));
    }
    seen.raised("fail_503", "ServerError", Some(503));
    assert_eq!(seen.returned("retry"), "The lamp is lit again.");
    seen.gave_up("timeout", "TimeoutException");
}

// Goal: an SDK that offers gzip reads the answer, whatever the upstream makes of the offer. Method:
// one that compresses when it may and one that always does.
#[test]
fn google_python_reads_answers_of_an_upstream_that_compresses() {
    for gzip in [Gzip::WhenAccepted, Gzip::Always] {
        let door = Door::open();
        door.upstream.set_gzip(gzip);
        let token = door.token("gemini");
        let only = ["plain", "stream", "count_tokens", "fail_400"];
        let seen = door.drive(Language::Python, "google_sdk.py", "gemini", &token, &only);
        let Some(seen) = seen else { return };
        let text = "Moon over the skerries, and no wind – 🌙.";
        assert_eq!(seen.returned("plain"), &json!({"text": text, "usage": 23}));
        let stream = json!({"pieces": 3, "text": text, "usage": 23});
        assert_eq!(seen.returned("stream"), &stream);
        assert_eq!(seen.returned("count_tokens"), 7);
        seen.raised("fail_400", "ClientError", Some(400));
    }
}
