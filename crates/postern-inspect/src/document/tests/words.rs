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

/// Names of models as providers and servers give them: with dates, versions, digests, accounts.
const MODELS: &[&str] = &[
    "gpt-4o-2024-08-06",
    "gpt-3.5-turbo-instruct:20230824-v2",
    "davinci:2023-07-21-v2",
    "curie:ft-acme-2023-03-01-12-00-00",
    "ft:gpt-3.5-turbo-0613:org::AbC123",
    "ft:gpt-4o-2024-08-06:acme-corp:support-bot:9sTXqzHy",
    "ft:gpt-4o-mini-2024-07-18:acme::BkQ0m3Zd:ckpt-step-180",
    "claude-3-5-sonnet-20240620",
    "claude-3-5-sonnet@20240620",
    "claude-3-5-sonnet-v2@20241022",
    "publishers/anthropic/models/claude-sonnet-4-5@20250929",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-pro-v1:0:300k",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-3-opus-20240229-v1:0",
    "arn:aws:bedrock:eu-central-1:210987654321:provisioned-model/abcd1234efgh",
    "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.titan-text-lite-v1:0:4k/a1b2c3d4e5f6",
    "projects/my-project-123456/locations/us-central1/endpoints/1234567890123456789",
    "projects/123456789012/locations/europe-west4/models/8765432109876543210@2",
    "models/gemini-2.5-flash-preview-09-2025",
    "tunedModels/sentence-translator-u3b7m8k2x9q1",
    "d290f1ee-6c54-4b01-90e6-d701748f0851",
    "accounts/fireworks/models/llama-v3p1-405b-instruct",
    "acme/Meta-Llama-3.1-8B-Instruct-Reference-support-1a2b3c4d",
    "meta/llama-2-70b-chat:02e509c789964a7ea8736978a43525956ef40397be9033abf9fd2badfe68c9e3",
    "sha256:a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
    "@cf/meta/llama-3.1-8b-instruct-fp8-fast",
    "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "ft:open-mistral-7b:daf5e488:20240412:c1bed559",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "moonshotai/kimi-k2.5-0127",
    "text-embedding-ada-002-v2",
    "/opt/ml/model",
];

/// Goal: nobody is refused for the name of a real model. Method: names of every form under a rule
/// for everything, in each place where a request says one, which may also only flag.
#[test]
fn names_of_real_models_are_no_values() {
    let mut refused = Vec::new();
    for name in MODELS {
        for family in [Family::Chat, Family::Responses, Family::Messages] {
            let mut cleaner = cleaner(Direction::Request, all);
            let body = json!({ "model": name }).to_string();
            let done = clean_json(body.as_bytes(), text::request(family), &mut cleaner);
            if done != Ok(None) || !cleaner.findings().is_empty() {
                refused.push((name, done, cleaner.findings()));
            }
        }
    }
    assert_eq!(refused, []);
}
