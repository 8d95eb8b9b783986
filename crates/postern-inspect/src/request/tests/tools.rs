//! Tools that a request brings.

use super::*;

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
