//! The official SDKs read masked answers, whole and streamed, as they read any other.

use serde_json::{Value, json};

use crate::clients::{Language, Seen};
use crate::door::Door;

/// Words of the replayed answers, some of which stand in several deltas of a stream.
const SIGHTS: &str = "custom:sight=green lamps|grey seal|boats|skerries";

/// A gateway in front of the replaying upstream, with a rule for everything that ships and for
/// those words.
fn door() -> Door {
    let door = Door::open();
    door.gateway.json(&[
        "data-rule",
        "create",
        "sights",
        "--env",
        "dev",
        "--class",
        "all",
        "--pattern",
        SIGHTS,
        "--action",
        "mask",
        "--opaque",
        "allow",
    ]);
    door
}

fn drive(language: Language, script: &str, upstream: &str) -> Option<Seen> {
    let door = door();
    let token = door.token(upstream);
    door.drive(language, script, upstream, &token, &[])
}

fn without_sights(text: &str) -> Value {
    let masked = ["green lamps", "grey seal", "boats", "skerries"]
        .into_iter()
        .fold(text.to_owned(), |text, sight| {
            text.replace(sight, "[CUSTOM_SIGHT]")
        });
    assert_ne!(masked, text);
    json!(masked)
}

fn check_openai(seen: &Seen) {
    let text = "Rain on the glass, two green lamps at sea – and one fox 🦊 on the stairs.";
    let text = without_sights(text);
    assert_eq!(seen.returned("plain")["text"], text);
    let stream = seen.returned("stream");
    assert_eq!(
        (&stream["text"], &stream["finish"]),
        (&text, &json!("stop"))
    );
    assert_eq!(seen.returned("stream_with_usage")["usage"], 52);
    let call = json!({"name": "light_range", "arguments": "{\"tower\":\"north\"}"});
    assert_eq!(seen.returned("tool"), &call);
    let tool = seen.returned("tool_stream");
    assert_eq!(tool["tool"], "light_range{\"tower\":\"north\"}");
    assert_eq!(tool["finish"], "tool_calls");
    let home = without_sights("Three boats came home before the fog.");
    assert_eq!(seen.returned("responses")["text"], home);
    assert_eq!(seen.returned("responses_stream")["text"], home);
    assert_eq!(seen.returned("embeddings")["size"], 8);
    seen.raised("fail_400", "BadRequestError", Some(400));
}

#[test]
fn openai_python_reads_masked_answers() {
    let seen = drive(Language::Python, "openai_sdk.py", "openai");
    let Some(seen) = seen else { return };
    check_openai(&seen);
}

#[test]
fn openai_node_reads_masked_answers() {
    let seen = drive(Language::Node, "openai_sdk.mjs", "openai");
    let Some(seen) = seen else { return };
    check_openai(&seen);
}

fn check_anthropic(seen: &Seen) {
    let text = without_sights("A grey seal, and the ferry’s lights. 🚢");
    for scenario in ["plain", "stream"] {
        let returned = seen.returned(scenario);
        assert_eq!(returned["text"], text, "{scenario}");
        assert_eq!(returned["stop"], "end_turn", "{scenario}");
    }
    let call = json!({"stop": "tool_use", "input": {"tower": "north"}});
    assert_eq!(seen.returned("tool"), &call);
    assert_eq!(seen.returned("tool_stream"), &call);
    seen.raised("fail_400", "BadRequestError", Some(400));
}

#[test]
fn anthropic_python_reads_masked_answers() {
    let seen = drive(Language::Python, "anthropic_sdk.py", "anthropic");
    let Some(seen) = seen else { return };
    check_anthropic(&seen);
}

#[test]
fn anthropic_node_reads_masked_answers() {
    let seen = drive(Language::Node, "anthropic_sdk.mjs", "anthropic");
    let Some(seen) = seen else { return };
    check_anthropic(&seen);
}

#[test]
fn google_python_reads_masked_answers() {
    let seen = drive(Language::Python, "google_sdk.py", "gemini");
    let Some(seen) = seen else { return };
    let text = without_sights("Moon over the skerries, and no wind – 🌙.");
    for scenario in ["plain", "stream"] {
        let returned = seen.returned(scenario);
        assert_eq!(
            (&returned["text"], &returned["usage"]),
            (&text, &json!(23)),
            "{scenario}"
        );
    }
    let call = json!({"name": "light_range", "arguments": {"tower": "north"}});
    assert_eq!(seen.returned("tool"), &call);
    assert_eq!(seen.returned("tool_stream"), &call);
    seen.raised("fail_400", "ClientError", Some(400));
}
