mod tools;
mod usage;

use bytes::Bytes;
use postern_types::{CanonicalPath, OwnedKind, RefusalCode};

use crate::{Dialect, InspectError, RequestFacts, Target, locate};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const GEMINI: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
const AZURE: &str = "/openai/deployments/mini/chat/completions";

fn read(dialect: Dialect, path: &str, body: &str) -> Result<RequestFacts, InspectError> {
    let path = CanonicalPath::parse(path).unwrap();
    let target = Target {
        method: "POST",
        path: &path,
        query: &[],
        content_type: Some("application/json; charset=utf-8"),
        content_encoding: None,
    };
    locate(dialect, &target)?.read(body.as_bytes())
}

fn code(dialect: Dialect, path: &str, body: &str) -> RefusalCode {
    match read(dialect, path, body) {
        Ok(facts) => panic!("{body} was read: {facts:?}"),
        Err(error) => error.refusal_code(),
    }
}

#[test]
fn chat_completions_are_read() {
    let body = r#"{"model":"gpt-4o-mini","n":2,"max_tokens":5,"max_completion_tokens":7,
        "stream":true,"messages":[
        {"role":"user","content":"four"},
        {"role":"user","content":[{"type":"text","text":"five5"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
            {"type":"file","file":{"file_id":"file-1"}}]},
        {"role":"assistant","content":null,"audio":{"id":"audio_1"},"tool_calls":[
            {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}]}"#;
    let facts = read(Dialect::OpenAi, CHAT, body).unwrap();
    assert_eq!(facts.ai.model.as_deref(), Some("gpt-4o-mini"));
    assert!(facts.ai.stream && facts.keeps_answer);
    assert_eq!(facts.ai.output_cap, Some(14));
    assert_eq!(facts.ai.text_bytes, 4 + 5 + 1 + 7);
    let kinds: Vec<_> = facts
        .references
        .iter()
        .map(|r| (r.kind, r.id.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [(OwnedKind::File, "file-1"), (OwnedKind::Item, "audio_1")]
    );
}

#[test]
fn the_number_of_answers_is_read() {
    let rows = [("", 1), ("\"n\":null,", 1), ("\"n\":3,", 3)];
    for (said, choices) in rows {
        let body = format!("{{{said}\"model\":\"m\",\"messages\":[]}}");
        let facts = read(Dialect::OpenAi, "/v1/chat/completions", &body).unwrap();
        assert_eq!(facts.choices, choices, "{body}");
    }
}

#[test]
fn every_reference_of_a_response_is_reported() {
    let body = r#"{"model":"gpt-5","store":false,"previous_response_id":"resp_1",
        "conversation":{"id":"conv_1"},"prompt":{"id":"pmpt_1","variables":{
            "a":"text","Text":"b","f":{"type":"input_file","file_id":"file-v"}}},
        "max_output_tokens":100,"instructions":"hello",
        "input":[{"type":"item_reference","id":"msg_1"},{"id":"msg_2"},
            {"role":"user","content":[{"type":"input_file","file_id":"file-1"},
                {"type":"input_image","file_id":"file-2"},{"type":"input_text","text":"abc"}]},
            {"type":"message","role":"assistant","id":"msg_own","content":[]},
            {"type":"reasoning","id":"rs_1","summary":[]},
            {"type":"reasoning","id":"rs_own","summary":[],"encrypted_content":"AAAA"},
            {"type":"function_call","id":"fc_own","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","id":"o","call_id":"c","output":"done"},
            {"type":"image_generation_call","id":"ig_1"},
            {"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot",
                "file_id":"file-3"}},
            {"type":"mcp_approval_response","approval_request_id":"mcpr_1","approve":true}],
        "tools":[{"type":"file_search","vector_store_ids":["vs_1"]},
            {"type":"code_interpreter","container":"cntr_1"},
            {"type":"code_interpreter","container":{"type":"auto","file_ids":["file-4"]}}]}"#;
    let facts = read(Dialect::OpenAi, RESPONSES, body).unwrap();
    let ids: Vec<&str> = facts.references.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "resp_1", "conv_1", "pmpt_1", "file-v", "msg_1", "msg_2", "file-1", "file-2", "rs_1",
            "ig_1", "file-3", "mcpr_1", "vs_1", "cntr_1", "file-4",
        ]
    );
    assert!(!facts.keeps_answer);
    let text = r#"{"model":"m","conversation":"conv_2","input":"hi"}"#;
    let facts = read(Dialect::OpenAi, RESPONSES, text).unwrap();
    assert_eq!(facts.references[0].kind, OwnedKind::Conversation);
    assert!(facts.keeps_answer, "answers are kept unless told otherwise");
    assert_eq!(facts.ai.text_bytes, 2);
}

#[test]
fn anthropic_messages_are_read() {
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":64,"system":[{"type":"text","text":"ab"}],
        "container":{"id":"container_1","skills":[{"type":"anthropic","skill_id":"xlsx"},
            {"type":"custom","skill_id":"skill_1"}]},
        "messages":[{"role":"user","content":[
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"abc"}},
            {"type":"document","source":{"type":"base64","data":"AAAAAAAA"}},
            {"type":"document","source":{"type":"file","file_id":"file_1"}},
            {"type":"tool_result","content":[{"type":"text","text":"abcd"}]},
            {"type":"tool_use","input":{"q":"abcde"}}]}]}"#;
    let facts = read(Dialect::Anthropic, "/v1/messages", body).unwrap();
    assert_eq!(facts.ai.output_cap, Some(64));
    assert_eq!(facts.ai.text_bytes, 2 + 3 + 4 + 5);
    let ids: Vec<&str> = facts.references.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["container_1", "skill_1", "file_1"]);
    let count = read(
        Dialect::Anthropic,
        "/v1/messages/count_tokens",
        r#"{"model":"claude"}"#,
    );
    assert!(!count.unwrap().ai.stream);
}

#[test]
fn gemini_is_read_in_both_spellings() {
    for (config, cap, count, cached, data, uri) in [
        (
            "generationConfig",
            "maxOutputTokens",
            "candidateCount",
            "cachedContent",
            "fileData",
            "fileUri",
        ),
        (
            "generation_config",
            "max_output_tokens",
            "candidate_count",
            "cached_content",
            "file_data",
            "file_uri",
        ),
    ] {
        let body = format!(
            r#"{{"{config}":{{"{cap}":10,"{count}":3}},"{cached}":"cachedContents/1",
            "model":"models/gemini-2.5-flash","contents":[{{"parts":[{{"text":"abc"}},
            {{"{data}":{{"{uri}":"https://generativelanguage.googleapis.com/v1beta/files/x"}}}},
            {{"{data}":{{"{uri}":"https://www.youtube.com/watch?v=1"}}}}]}}]}}"#
        );
        let facts = read(Dialect::Gemini, GEMINI, &body).unwrap();
        assert_eq!(facts.ai.model.as_deref(), Some("gemini-2.5-flash"));
        assert_eq!((facts.ai.output_cap, facts.ai.text_bytes), (Some(30), 3));
        let kinds: Vec<_> = facts.references.iter().map(|r| r.kind).collect();
        assert_eq!(kinds, [OwnedKind::CachedContent, OwnedKind::File]);
    }
    let stream = "/v1/models/m:streamGenerateContent";
    assert!(read(Dialect::Gemini, stream, "{}").unwrap().ai.stream);
}

#[test]
fn odd_addresses_of_files_are_references() {
    // Goal: an address that might reach a file behind the shared key counts as one.
    for uri in [
        "files/x",
        "gs://bucket/x",
        "HTTPS://generativelanguage.googleapis.com/v1beta/files/x",
        "https://Generativelanguage.Googleapis.com/v1beta/files/x",
        "https://generativelanguage.googleapis.com:443/v1beta/files/x",
        "https://a@generativelanguage.googleapis.com/v1beta/files/x",
        "https://generativelanguage.googleapis.com./v1beta/files/x",
        "https:///v1beta/files/x",
        "http://example.com/x",
    ] {
        let body =
            format!(r#"{{"contents":[{{"parts":[{{"fileData":{{"fileUri":"{uri}"}}}}]}}]}}"#);
        assert_eq!(
            read(Dialect::Gemini, GEMINI, &body)
                .unwrap()
                .references
                .len(),
            1,
            "{uri}"
        );
    }
}

const AMBIGUOUS: &[(Dialect, &str, &str)] = &[
    (Dialect::OpenAi, CHAT, r#"{"model":"a","model":"b"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","mod\u0065l":"b"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","Model":"b"}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","stream":true,"stream":false}"#,
    ),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","\u0073tream":true}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","max_tokens":1,"max_tokens":2}"#,
    ),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","n":1,"n":2}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","messages":[],"messages":[]}"#,
    ),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","messages":[{"content":"","content":""}]}"#,
    ),
    (Dialect::OpenAi, CHAT, r#"{"model":"gpt\u002d4o"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a\ud800"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":["a"]}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":{"id":"a"}}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":1}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":true}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a b"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a\u0000"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a"} {"model":"b"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a"}x"#),
    (Dialect::OpenAi, CHAT, "\u{feff}{\"model\":\"a\"}"),
    (Dialect::OpenAi, CHAT, r#"[{"model":"a"}]"#),
    (Dialect::OpenAi, CHAT, r#""model""#),
    (Dialect::OpenAi, CHAT, ""),
    (Dialect::OpenAi, CHAT, r#"{"model":"a",}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a" /* */}"#),
    (Dialect::OpenAi, CHAT, r#"{'model':'a'}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","stream":"true"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","stream":1}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":"5"}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":1e400}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":1e1}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":1.0}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":-1}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","max_tokens":18446744073709551617}"#,
    ),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","max_tokens":{}}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","messages":{"0":{"content":"x"}}}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","input":{"type":"item_reference","id":"x"}}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","input":[[{"type":"x","id":"y"}]]}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","prompt":[{"id":"p"}]}"#,
    ),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"tools":{"fileSearch":{"fileSearchStoreNames":["a"]}}}"#,
    ),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","n":0}"#),
    (Dialect::OpenAi, CHAT, r#"{"model":"a","n":129}"#),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","stream_options":true}"#,
    ),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","stream_options":{"include_usage":"true"}}"#,
    ),
    (
        Dialect::OpenAi,
        CHAT,
        r#"{"model":"a","stream_options":{},"stream_options":{}}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","previous_response_id":1}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","previous_response_id":"a\u0062"}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","Previous_Response_Id":"b"}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","conversation":["c"]}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","conversation":{"id":"a","id":"b"}}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","input":[{"type":"message","type":"x"}]}"#,
    ),
    (
        Dialect::OpenAi,
        RESPONSES,
        r#"{"model":"a","background":"true"}"#,
    ),
    (
        Dialect::OpenAi,
        "/v1/embeddings",
        r#"{"model":"a","model":"b","input":""}"#,
    ),
    (
        Dialect::OpenAi,
        "/v1/moderations",
        r#"{"model":"a","mode\u006c":"b"}"#,
    ),
    (Dialect::AzureOpenAi, AZURE, r#"{"model":"other"}"#),
    (
        Dialect::AzureOpenAi,
        AZURE,
        r#"{"model":"mini","model":"other"}"#,
    ),
    (
        Dialect::AzureOpenAi,
        "/openai/v1/responses",
        r#"{"model":"a","MODEL":"a"}"#,
    ),
    (
        Dialect::Anthropic,
        "/v1/messages",
        r#"{"model":"a","model":"b","max_tokens":1}"#,
    ),
    (
        Dialect::Anthropic,
        "/v1/messages",
        r#"{"model":"a","max_tokens":1,"max_\u0074okens":2}"#,
    ),
    (
        Dialect::Anthropic,
        "/v1/messages",
        r#"{"model":"a","max_tokens":9e9}"#,
    ),
    (
        Dialect::Anthropic,
        "/v1/messages",
        r#"{"model":"a","stream":null,"stream":true}"#,
    ),
    (Dialect::Gemini, GEMINI, r#"{"model":"models/other"}"#),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"generateContentRequest":{"model":"models/other"}}"#,
    ),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"cachedContent":"a","cached_content":"b"}"#,
    ),
    (Dialect::Gemini, GEMINI, r#"{"cachedcontent":"a"}"#),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"systemInstruction":{},"system_instruction":{}}"#,
    ),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}"#,
    ),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"generationConfig":{"maxOutputTokens":"10"}}"#,
    ),
    (
        Dialect::Gemini,
        GEMINI,
        r#"{"generation_config":{},"generationConfig":{}}"#,
    ),
];

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    // Goal: no request is judged by one reading and answered by another. Method: a row per trick
    // and dialect.
    for (dialect, path, body) in AMBIGUOUS {
        assert_eq!(
            code(*dialect, path, body),
            RefusalCode::BadRequest,
            "{path} {body}"
        );
    }
    let deep = format!(
        r#"{{"model":"a","x":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert_eq!(code(Dialect::OpenAi, CHAT, &deep), RefusalCode::BadRequest);
    let long = format!(r#"{{"model":"{}"}}"#, "a".repeat(129));
    assert_eq!(code(Dialect::OpenAi, CHAT, &long), RefusalCode::BadRequest);
}

#[test]
fn what_cannot_be_told_is_refused() {
    for (dialect, path, body) in [
        (Dialect::OpenAi, CHAT, "{}"),
        (Dialect::OpenAi, CHAT, r#"{"model":null}"#),
        (Dialect::OpenAi, CHAT, r#"{"model":""}"#),
        (Dialect::OpenAi, RESPONSES, r#"{"prompt":{"id":"p"}}"#),
        (Dialect::OpenAi, "/v1/moderations", r#"{"input":"a"}"#),
        (Dialect::Anthropic, "/v1/messages", r#"{"max_tokens":1}"#),
    ] {
        assert_eq!(
            code(dialect, path, body),
            RefusalCode::UnknownModel,
            "{path} {body}"
        );
    }
    for (path, body) in [
        (RESPONSES, r#"{"model":"a","background":true}"#),
        (
            RESPONSES,
            r#"{"model":"a","tools":[{"type":"thinking_of_tomorrow"}]}"#,
        ),
        (CHAT, r#"{"model":"a","models":["b"]}"#),
        (CHAT, r#"{"model":"a","fallbacks":["b"]}"#),
        (CHAT, r#"{"model":"a","data_sources":[{}]}"#),
    ] {
        assert_eq!(
            code(Dialect::OpenAi, path, body),
            RefusalCode::Unsupported,
            "{body}"
        );
    }
}

#[test]
fn names_that_are_not_read_stay_free() {
    // Goal: what is not read to decide is not judged: duplicate and odd keys elsewhere pass.
    let body = r#"{"model":"meta\/llama","user":"a","user":"b","metadata":{"Model":"x","model":"y"},
        "messages":[{"role":"user","role":"user","content":"\ud800 half a pair"}]}"#;
    let facts = read(Dialect::OpenAi, CHAT, body).unwrap();
    assert_eq!(facts.ai.model.as_deref(), Some("meta/llama"));
    assert_eq!(facts.ai.text_bytes, 12);
}

/// Where tools stand: the API and the path of each.
const TOOL_APIS: [(Dialect, &str); 3] = [
    (Dialect::OpenAi, RESPONSES),
    (Dialect::AzureOpenAi, "/openai/v1/responses"),
    (Dialect::Anthropic, "/v1/messages"),
];
