//! Values in words of the format.

use postern_types::{
    ClassSelector, CustomDetector, DataAction, DataClass, DataRuleSpec, Direction, OpaqueAction,
    Operation,
};
use serde_json::{Value, json};

use crate::Dialect;
use crate::clean::CleanError;
use crate::document::clean_json;
use crate::request::Family;
use crate::testing::cleaner;
use crate::text::{self, TextShape};

const KEY: &str = "ghp_9aJ2kLm4Np6Qr8St0Uv1Wx3Yz5Ab7C2pXw0q";
const BANK: &str = "DK5000400440116243";

fn all(spec: &mut DataRuleSpec) {
    spec.classes = vec![ClassSelector::parse("all").unwrap()];
    spec.opaque = OpaqueAction::Allow;
}

fn cleaned(
    body: &Value,
    places: &'static TextShape,
    change: impl FnOnce(&mut DataRuleSpec),
) -> Result<String, CleanError> {
    let mut cleaner = cleaner(Direction::Response, change);
    let body = body.to_string();
    let new = clean_json(body.as_bytes(), places, &mut cleaner)?;
    Ok(new.map_or(body, |new| String::from_utf8(new).unwrap()))
}

fn chat(word: &str) -> Value {
    json!({"model":"m","messages":[
        {"role":word,"content":"hi"},
        {"role":"assistant","tool_calls":[
            {"id":word,"type":word,"function":{"name":word,"arguments":"{}"}}]},
        {"role":"tool","tool_call_id":word,"content":"1"}],
        "tools":[{"type":"function","function":{"name":word}}]})
}

fn response(word: &str) -> Value {
    json!({"id":word,"status":word,"previous_response_id":word,"output":[
        {"type":"function_call","call_id":word,"id":word,"name":word,"arguments":"{}"}]})
}

fn message(word: &str) -> Value {
    json!({"id":word,"content":[
        {"type":"tool_use","id":word,"name":word,"input":{}},
        {"type":"tool_result","tool_use_id":word,"content":"x"}]})
}

fn candidate(word: &str) -> Value {
    json!({"responseId":word,"candidates":[{"finishReason":word,"content":{"parts":[
        {"functionCall":{"id":word,"name":word,"args":{}}}]}}]})
}

fn bodies(word: &str) -> [(Value, &'static TextShape); 5] {
    [
        (chat(word), text::request(Family::Chat)),
        (response(word), text::request(Family::Responses)),
        (
            response(word),
            text::answer(Dialect::OpenAi, Operation::Responses),
        ),
        (
            message(word),
            text::answer(Dialect::Anthropic, Operation::Messages),
        ),
        (
            candidate(word),
            text::answer(Dialect::Gemini, Operation::GenerateContent),
        ),
    ]
}

#[test]
fn a_value_in_a_word_of_the_format_is_treated_as_anywhere() {
    // Goal: no place of a word is a way past the rules, and ids that must agree agree afterwards.
    // Method: values with a prefix, a checksum or a shape in every such place of each dialect.
    for (value, label) in [
        (KEY, "[API_KEY]"),
        ("AKIAQ4WXN7KTRB5MZVLJ", "[CLOUD_CREDENTIAL]"),
        (BANK, "[IBAN]"),
        ("AB123456C", "[UK_NINO]"),
    ] {
        for (body, places) in bodies(value) {
            let count = body.to_string().matches(value).count();
            let new = cleaned(&body, places, all).unwrap();
            assert!(!new.contains(value), "{value}: {new}");
            assert_eq!(new.matches(label).count(), count, "{value}: {new}");
        }
        let block = |spec: &mut DataRuleSpec| {
            all(spec);
            spec.action = DataAction::Block;
        };
        for (body, places) in bodies(value) {
            let blocked = cleaned(&body, places, block);
            assert!(
                matches!(blocked, Err(CleanError::Blocked { .. })),
                "{value}"
            );
        }
    }
}

#[test]
fn words_that_are_drawn_at_random_pass() {
    for word in [
        "call_9aJ2kLm4Np6Qr8St0Uv1Wx3Y",
        "chatcmpl-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "toolu_01A09q90qw90lq917835lq9",
        "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "fc_67ccd2bf17f0819081ff3bb2cf6508e60bb6a6b452d3795b",
        "0b8f6c1e-5f0b-4a3e-9d0c-3c2b1a0f9e8d",
        "_oXaZ8jJLcWEvdIPwuWgmAQ",
        "get_weather_v2",
        "2025-09-03T10:15:30.123Z",
    ] {
        for (body, places) in bodies(word) {
            assert_eq!(cleaned(&body, places, all).unwrap(), body.to_string());
        }
    }
}

#[test]
fn a_class_of_a_rule_is_looked_for_in_names_and_ids_alone() {
    let own = |spec: &mut DataRuleSpec| {
        let words = ["falcon", "tool", "assistant", "function"].map(str::to_owned);
        spec.custom = vec![CustomDetector {
            class: DataClass::parse("custom:project").unwrap(),
            pattern: None,
            words: words.to_vec(),
        }];
    };
    let mut body = chat("falcon-lookup");
    body["messages"][0]["role"] = "user".into();
    body["messages"][1]["tool_calls"][0]["type"] = "function".into();
    let new = cleaned(&body, text::request(Family::Chat), own).unwrap();
    assert!(!new.contains("falcon"), "{new}");
    assert!(new.contains("\"role\":\"assistant\"") && new.contains("\"type\":\"function\""));
}
