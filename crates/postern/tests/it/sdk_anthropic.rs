//! The official Anthropic SDKs work unchanged: only the base URL and the key differ.

use postern_testkit::{Cut, Gzip};
use serde_json::json;

use crate::clients::{Language, Seen};
use crate::door::Door;

fn check(seen: &Seen) {
    let text = "A grey seal, and the ferry’s lights. 🚢";
    let whole = json!({"text": text, "stop": "end_turn", "usage": [13, 16]});
    assert_eq!(seen.returned("plain"), &whole);
    assert_eq!(seen.returned("stream"), &whole);
    let events = seen
        .returned("stream_events")
        .as_array()
        .expect("a list of event types");
    assert_eq!(events.first(), Some(&json!("message_start")));
    assert_eq!(events.last(), Some(&json!("message_stop")));
    assert_eq!(seen.returned("stream_left_early"), "message_start");
    let call = json!({"stop": "tool_use", "input": {"tower": "north"}});
    assert_eq!(seen.returned("tool"), &call);
    assert_eq!(seen.returned("tool_stream"), &call);
    assert_eq!(seen.returned("count_tokens"), 13);
    for (scenario, kind, status) in [
        ("fail_400", "BadRequestError", 400),
        ("fail_401", "AuthenticationError", 401),
        ("fail_403", "PermissionDeniedError", 403),
        ("fail_404", "NotFoundError", 404),
        ("fail_429", "RateLimitError", 429),
        ("fail_529", "InternalServerError", 529),
    ] {
        seen.raised(scenario, kind, Some(status));
    }
    // An error event in the middle of a stream is the SDK's exception too.
    let broken = seen.raised("stream_that_breaks", "APIError", None);
    assert!(
        broken["message"]
            .as_str()
            .is_some_and(|words| words.contains("Overloaded"))
    );
    seen.retried_after_one_second("retry");
}

// Goal: the Python SDK notices nothing. Method: every scenario, answers cut into single bytes.
#[test]
fn anthropic_python_works_unchanged() {
    let door = Door::open();
    door.upstream.set_cut(Cut::Every(1));
    let seen = door.drive_invisibly(Language::Python, "anthropic_sdk.py", "anthropic");
    let Some(seen) = seen else { return };
    check(&seen);
    seen.gave_up("timeout", "APITimeoutError");
    let expected = json!({
        "thinking": "Night, sea, lamp.",
        "signature": "bGlnaHRob3VzZS1zaWduYXR1cmU=",
        "text": "Nothing but fog.",
        "output_tokens": 22,
    });
    assert_eq!(seen.returned("stream_with_thinking"), &expected);
}

#[test]
fn anthropic_node_works_unchanged() {
    let door = Door::open();
    let seen = door.drive_invisibly(Language::Node, "anthropic_sdk.mjs", "anthropic");
    let Some(seen) = seen else { return };
    check(&seen);
    seen.gave_up("timeout", "APIConnectionTimeoutError");
}

// Goal: an SDK that offers gzip reads the answer, whatever the upstream makes of the offer. Method:
// one that compresses when it may and one that always does, for both SDKs.
#[test]
fn anthropic_reads_answers_of_an_upstream_that_compresses() {
    for gzip in [Gzip::WhenAccepted, Gzip::Always] {
        for (language, script) in [
            (Language::Python, "anthropic_sdk.py"),
            (Language::Node, "anthropic_sdk.mjs"),
        ] {
            let door = Door::open();
            door.upstream.set_gzip(gzip);
            let token = door.token("anthropic");
            let only = ["plain", "stream", "tool_stream", "fail_400"];
            let Some(seen) = door.drive(language, script, "anthropic", &token, &only) else {
                return;
            };
            let text = "A grey seal, and the ferry’s lights. 🚢";
            let whole = json!({"text": text, "stop": "end_turn", "usage": [13, 16]});
            assert_eq!(seen.returned("plain"), &whole, "{script}");
            assert_eq!(seen.returned("stream"), &whole, "{script}");
            let call = json!({"stop": "tool_use", "input": {"tower": "north"}});
            assert_eq!(seen.returned("tool_stream"), &call, "{script}");
            seen.raised("fail_400", "BadRequestError", Some(400));
        }
    }
}
