//! The official OpenAI SDKs work unchanged: only the base URL and the key differ.

use postern_testkit::{Cut, Gzip};
use serde_json::json;

use crate::clients::{Language, Seen};
use crate::door::Door;

const TEXT: &str = "Rain on the glass, two green lamps at sea – and one fox 🦊 on the stairs.";

fn check_chat(seen: &Seen) {
    assert_eq!(seen.returned("plain")["text"], TEXT);
    assert_eq!(seen.returned("plain")["usage"], 52);

    let stream = seen.returned("stream");
    assert_eq!(
        (&stream["text"], &stream["finish"]),
        (&json!(TEXT), &json!("stop"))
    );
    // Nobody asked for usage: no field and no frame of it may be left.
    assert_eq!(
        (&stream["usage_fields"], &stream["usage"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        (&stream["chunks"], &stream["chunks_without_choices"]),
        (&json!(21), &json!(0))
    );

    let asked = seen.returned("stream_with_usage");
    assert_eq!(
        (&asked["text"], &asked["usage"]),
        (&json!(TEXT), &json!(52))
    );
    assert_eq!(
        (&asked["chunks"], &asked["chunks_without_choices"]),
        (&json!(22), &json!(1))
    );

    let call = json!({"name": "light_range", "arguments": "{\"tower\":\"north\"}"});
    assert_eq!(seen.returned("tool"), &call);
    assert_eq!(
        seen.returned("tool_stream")["tool"],
        "light_range{\"tower\":\"north\"}"
    );
    assert_eq!(seen.returned("tool_stream")["finish"], "tool_calls");
    assert_eq!(
        seen.returned("stream_left_early"),
        "chatcmpl-Lh7tKeeper0002"
    );
}

fn check_errors(seen: &Seen) {
    for (scenario, kind, status) in [
        ("fail_400", "BadRequestError", 400),
        ("fail_401", "AuthenticationError", 401),
        ("fail_403", "PermissionDeniedError", 403),
        ("fail_404", "NotFoundError", 404),
        ("fail_429", "RateLimitError", 429),
        ("fail_500", "InternalServerError", 500),
    ] {
        seen.raised(scenario, kind, Some(status));
    }
    let message = seen.raised("fail_400", "BadRequestError", Some(400))["message"].as_str();
    assert!(
        message
            .expect("exceptions have words")
            .contains("the list must not be empty")
    );
    seen.retried_after_one_second("retry");
}

fn check_the_rest(seen: &Seen) {
    let home = "Three boats came home before the fog.";
    assert_eq!(seen.returned("responses")["text"], home);
    assert_eq!(seen.returned("responses")["usage"], 26);
    let stream = seen.returned("responses_stream");
    assert_eq!(
        (&stream["text"], &stream["usage"]),
        (&json!(home), &json!(26))
    );
    let kinds = stream["kinds"].as_array().expect("a list of event types");
    assert_eq!((&kinds[0], kinds.len()), (&json!("response.created"), 16));
    assert_eq!(kinds[15], "response.completed");
    assert_eq!(seen.returned("embeddings")["size"], 8);
    assert_eq!(seen.returned("moderations")["flagged"], false);
}

// Goal: the Python SDK notices nothing. Method: every scenario, answers cut into single bytes.
#[test]
fn openai_python_works_unchanged() {
    let door = Door::open();
    door.upstream.set_cut(Cut::Every(1));
    let seen = door.drive_invisibly(Language::Python, "openai_sdk.py", "openai");
    let Some(seen) = seen else { return };
    check_chat(&seen);
    check_errors(&seen);
    check_the_rest(&seen);
    seen.gave_up("timeout", "APITimeoutError");
    assert_eq!(seen.returned("stream_two_choices")["chunks"], 8);
    assert_eq!(seen.returned("responses_tool")["name"], "light_range");
    assert_eq!(
        seen.returned("responses_tool_stream")["arguments"],
        "{\"tower\":\"north\"}"
    );
    assert_eq!(
        seen.returned("embeddings_as_floats"),
        &json!({"count": 2, "size": 8})
    );
    assert_eq!(seen.returned("models").as_array().map(Vec::len), Some(5));
}

#[test]
fn openai_node_works_unchanged() {
    let door = Door::open();
    let seen = door.drive_invisibly(Language::Node, "openai_sdk.mjs", "openai");
    let Some(seen) = seen else { return };
    check_chat(&seen);
    check_errors(&seen);
    check_the_rest(&seen);
    seen.gave_up("timeout", "APIConnectionTimeoutError");
}

/// An upstream that compresses in this manner, and the OpenAI SDKs, which offer gzip.
fn check_compressed(gzip: Gzip) {
    for (language, script) in [
        (Language::Python, "openai_sdk.py"),
        (Language::Node, "openai_sdk.mjs"),
    ] {
        check_compressed_for(gzip, language, script);
    }
}

fn check_compressed_for(gzip: Gzip, language: Language, script: &str) {
    let door = Door::open();
    door.upstream.set_gzip(gzip);
    let only = [
        "plain",
        "stream",
        "responses_stream",
        "embeddings",
        "fail_400",
    ];
    let token = door.token("openai");
    let seen = door.drive(language, script, "openai", &token, &only);
    let Some(seen) = seen else { return };
    assert_eq!(seen.returned("plain")["text"], TEXT);
    let stream = seen.returned("stream");
    assert_eq!(
        (&stream["text"], &stream["usage_fields"]),
        (&json!(TEXT), &json!(false))
    );
    assert_eq!(seen.returned("responses_stream")["usage"], 26);
    assert_eq!(seen.returned("embeddings")["size"], 8);
    seen.raised("fail_400", "BadRequestError", Some(400));
}

// Goal: an SDK that offers gzip reads the answer, whatever the upstream makes of the offer.
// Method: an upstream that compresses when it may; the other tests have one that never does.
#[test]
fn openai_reads_answers_of_an_upstream_that_compresses_when_asked() {
    check_compressed(Gzip::WhenAccepted);
}

// Goal: an upstream that compresses although it was asked not to is still read. Method: it does.
#[test]
fn openai_reads_answers_that_are_compressed_unasked() {
    check_compressed(Gzip::Always);
}

#[test]
fn azure_python_works_unchanged() {
    let door = Door::open();
    let seen = door.drive_invisibly(Language::Python, "azure_sdk.py", "azure");
    let Some(seen) = seen else { return };
    assert_eq!(
        seen.returned("plain"),
        &json!({"text": "Fog, and the bell buoy.", "usage": 39})
    );
    let stream = seen.returned("stream");
    assert_eq!(stream["text"], "Fog, and the bell buoy.");
    // Azure's first frame has no choices of its own accord: it is not a usage frame.
    assert_eq!(
        (&stream["usage_fields"], &stream["chunks_without_choices"]),
        (&json!(false), &json!(1))
    );
    let asked = seen.returned("stream_with_usage");
    assert_eq!(
        (&asked["usage"], &asked["chunks_without_choices"]),
        (&json!(39), &json!(2))
    );
    seen.raised("fail_401", "AuthenticationError", Some(401));
    seen.raised("fail_404", "NotFoundError", Some(404));
    assert_eq!(seen.returned("embeddings")["size"], 8);
}
