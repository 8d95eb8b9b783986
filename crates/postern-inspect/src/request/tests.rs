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
fn tools_of_gemini_are_a_closed_list() {
    // Goal: a tool that nobody judged does not pass. Method: the ones that are known, in both
    // spellings; then others, alone, beside a known one, and in the request that is only counted.
    let count = "/v1beta/models/gemini-2.5-flash:countTokens";
    let ask = |path, body: &str| read(Dialect::Gemini, path, body);
    for tool in [
        r#"{"functionDeclarations":[{"name":"a","parameters":{"retrieval":{}}}]}"#,
        r#"{"function_declarations":[]}"#,
        r#"{"googleSearch":{}}"#,
        r#"{"google_search":{"timeRangeFilter":{}}}"#,
        r#"{"googleSearchRetrieval":{}}"#,
        r#"{"googleMaps":{}}"#,
        r#"{"urlContext":{},"codeExecution":{}}"#,
        r#"{"computer_use":{"environment":"a"}}"#,
        r#"{"mcpServers":[]}"#,
        r#"{"retrieval":null}"#,
        "{}",
    ] {
        let body = format!(r#"{{"contents":[],"tools":[{tool}]}}"#);
        assert!(ask(GEMINI, &body).is_ok(), "{tool}");
    }
    for tool in [
        r#"{"brandNewTool":{}}"#,
        r#"{"retrieval":{"vertexRagStore":{"ragCorpora":["a"]}}}"#,
        r#"{"retriever":{"corpus":"a"}}"#,
        r#"{"googleSearch":{},"brandNewTool":[1]}"#,
        r#"{"enterpriseWebSearch":"a"}"#,
    ] {
        let plain = format!(r#"{{"contents":[],"tools":[{tool}]}}"#);
        let nested = format!(r#"{{"generateContentRequest":{plain}}}"#);
        for (path, body) in [(GEMINI, &plain), (count, &nested)] {
            let found = ask(path, body);
            assert!(
                matches!(found, Err(InspectError::Unsupported(_))),
                "{tool}: {found:?}"
            );
        }
    }
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

#[test]
fn usage_is_asked_for_by_one_change() {
    // Goal: exactly one key is added (or one value replaced), every other byte kept. Method: rows
    // of body and outcome; `None` where the body must go on as it is.
    let rows = [
        (
            r#" {"model":"a","stream":true} "#,
            Some(r#" {"model":"a","stream":true,"stream_options":{"include_usage":true}} "#),
        ),
        (
            r#"{"stream_options":{},"model":"a","stream":true}"#,
            Some(r#"{"stream_options":{"include_usage":true},"model":"a","stream":true}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options": { "include_obfuscation" : false } }"#,
            Some(
                r#"{"model":"a","stream":true,"stream_options": { "include_obfuscation" : false ,"include_usage":true} }"#,
            ),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options": null}"#,
            Some(r#"{"model":"a","stream":true,"stream_options": {"include_usage":true}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage": false}}"#,
            Some(r#"{"model":"a","stream":true,"stream_options":{"include_usage": true}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":null,"x":1}}"#,
            Some(r#"{"model":"a","stream":true,"stream_options":{"include_usage":true,"x":1}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":true}}"#,
            None,
        ),
        (r#"{"model":"a","stream":false}"#, None),
        (r#"{"model":"a","stream":null}"#, None),
        (r#"{"model":"a"}"#, None),
    ];
    for (body, expected) in rows {
        let facts = read(Dialect::OpenAi, CHAT, body).unwrap();
        let out = facts.outbound(Bytes::from_static(body.as_bytes()), true);
        assert_eq!(out.strip_usage, expected.is_some(), "{body}");
        let joined = out.pieces.concat();
        assert_eq!(out.len, joined.len() as u64);
        assert_eq!(String::from_utf8(joined).unwrap(), expected.unwrap_or(body));
        let kept = facts.outbound(Bytes::from_static(body.as_bytes()), false);
        assert_eq!(
            (kept.pieces.concat(), kept.strip_usage),
            (body.as_bytes().to_vec(), false)
        );
    }
    let body = r#"{"model":"a","stream":true}"#;
    let facts = read(Dialect::OpenAi, RESPONSES, body).unwrap();
    assert!(
        !facts
            .outbound(Bytes::from_static(body.as_bytes()), true)
            .strip_usage
    );
}

/// Where tools stand: the API and the path of each.
const TOOL_APIS: [(Dialect, &str); 3] = [
    (Dialect::OpenAi, RESPONSES),
    (Dialect::AzureOpenAi, "/openai/v1/responses"),
    (Dialect::Anthropic, "/v1/messages"),
];

fn with_tools(tools: &str) -> String {
    format!(r#"{{"model":"a","max_tokens":1,"tools":[{tools}]}}"#)
}

#[test]
fn models_of_tools_are_told_and_never_guessed() {
    // Goal: no tool uses a model that policy was not asked about. Method: tools that name a model,
    // leave it to the provider, or are of a type that nobody knows, in each API that has them.
    for (dialect, path) in TOOL_APIS {
        let own = if dialect == Dialect::Anthropic {
            "advisor_20260301"
        } else {
            "image_generation"
        };
        let named = |model: &str| format!(r#"{{"type":"{own}","model":"{model}"}}"#);
        let unnamed = with_tools(&format!(r#"{{"type":"{own}"}}"#));
        assert_eq!(code(dialect, path, &unnamed), RefusalCode::UnknownModel);
        let null = with_tools(&format!(r#"{{"model":null,"type":"{own}"}}"#));
        assert_eq!(code(dialect, path, &null), RefusalCode::UnknownModel);
        let two = with_tools(&[named("b"), named("c"), named("b")].join(","));
        let facts = read(dialect, path, &two).unwrap();
        assert_eq!(facts.tool_models, ["b", "c"]);
        assert_eq!(facts.ai.model.as_deref(), Some("a"));
        let many: Vec<String> = (0..9).map(|number| named(&format!("m{number}"))).collect();
        let many = with_tools(&many.join(","));
        assert_eq!(code(dialect, path, &many), RefusalCode::BadRequest);
        let strange = with_tools(r#"{"type":"searching_by_itself"}"#);
        assert_eq!(code(dialect, path, &strange), RefusalCode::Unsupported);
        for odd in [
            r#"{"type":"\u0069mage_generation","model":"b"}"#,
            r#"{"type":7}"#,
            r#"{"type":["web_search"]}"#,
            r#"{"type":"web_search","Type":"advisor"}"#,
            r#"{"type":"web_search","model":7}"#,
            r#"{"type":"web_search","model":"b","model":"c"}"#,
        ] {
            let body = with_tools(odd);
            assert_eq!(code(dialect, path, &body), RefusalCode::BadRequest, "{odd}");
        }
    }
    // A tool that holds tools is judged with them.
    let nested = r#"{"type":"namespace","name":"n","tools":[{"type":"image_generation"}]}"#;
    let nested = code(Dialect::OpenAi, RESPONSES, &with_tools(nested));
    assert_eq!(nested, RefusalCode::UnknownModel);
}

#[test]
fn chat_completions_take_tools_of_the_client_alone() {
    // Goal: a compatible server that runs tools of its own in chat completions is not asked to.
    // Method: the types that OpenAI has there, those it has elsewhere, and spellings.
    let functions = [
        r#"{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}"#,
        r#"{"type":"custom","custom":{"name":"c","format":{"type":"grammar"}}}"#,
        r#"{"function":{"name":"f"}}"#,
    ];
    for (dialect, path) in [
        (Dialect::OpenAi, CHAT),
        (Dialect::AzureOpenAi, "/openai/v1/chat/completions"),
    ] {
        let facts = read(dialect, path, &with_tools(&functions.join(","))).unwrap();
        assert!(facts.tool_models.is_empty());
        for kind in [
            "web_search",
            "mcp",
            "image_generation",
            "code_interpreter",
            "Function",
            "",
        ] {
            let body = with_tools(&format!(r#"{},{{"type":"{kind}"}}"#, functions[0]));
            assert_eq!(
                code(dialect, path, &body),
                RefusalCode::Unsupported,
                "{kind}"
            );
        }
        for odd in [
            r#"{"type":7}"#,
            r#"{"type":"function","type":"mcp"}"#,
            r#"{"Type":"mcp"}"#,
        ] {
            let body = with_tools(odd);
            assert_eq!(code(dialect, path, &body), RefusalCode::BadRequest, "{odd}");
        }
    }
}

#[test]
fn tools_without_a_model_of_their_own_pass() {
    let plain = [
        (Dialect::OpenAi, RESPONSES, "web_search_preview_2025_03_11"),
        (Dialect::OpenAi, RESPONSES, "computer_use_preview"),
        (Dialect::OpenAi, RESPONSES, "function"),
        (Dialect::OpenAi, RESPONSES, "mcp"),
        (Dialect::Anthropic, "/v1/messages", "web_search_20250305"),
        (Dialect::Anthropic, "/v1/messages", "text_editor_20250728"),
        (Dialect::Anthropic, "/v1/messages", "custom"),
    ];
    for (dialect, path, kind) in plain {
        let body = with_tools(&format!(r#"{{"type":"{kind}","name":"x"}}"#));
        let facts = read(dialect, path, &body).unwrap();
        assert!(facts.tool_models.is_empty(), "{kind}");
        assert_eq!(facts.ai.text_bytes, kind.len() as u64 + 1, "{kind}");
    }
    let untyped = with_tools(r#"{"name":"x","input_schema":{"type":"object"}}"#);
    assert!(read(Dialect::Anthropic, "/v1/messages", &untyped).is_ok());
}
