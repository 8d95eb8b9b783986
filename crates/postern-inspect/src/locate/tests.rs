use postern_types::RefusalCode;

use super::*;
use Dialect::{Anthropic, AzureOpenAi, Gemini, Http, OpenAi};

fn find(
    dialect: Dialect,
    method: &str,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Located, InspectError> {
    let path = CanonicalPath::parse(path).unwrap();
    let query: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    locate(
        dialect,
        &Target {
            method,
            path: &path,
            query: &query,
            content_type: Some("application/json"),
            content_encoding: None,
        },
    )
}

const SERVED: &[(Dialect, &str, &str, Operation)] = &[
    (
        OpenAi,
        "POST",
        "/v1/chat/completions",
        Operation::ChatCompletions,
    ),
    (OpenAi, "POST", "/v1/responses", Operation::Responses),
    (OpenAi, "POST", "/v1/embeddings", Operation::Embeddings),
    (OpenAi, "POST", "/v1/moderations", Operation::Moderations),
    (OpenAi, "GET", "/v1/models", Operation::ListModels),
    (OpenAi, "GET", "/v1/models/gpt-4o", Operation::ShowModel),
    (
        AzureOpenAi,
        "POST",
        "/openai/deployments/d/chat/completions",
        Operation::ChatCompletions,
    ),
    (
        AzureOpenAi,
        "POST",
        "/openai/deployments/d/embeddings",
        Operation::Embeddings,
    ),
    (
        AzureOpenAi,
        "POST",
        "/openai/responses",
        Operation::Responses,
    ),
    (
        AzureOpenAi,
        "POST",
        "/openai/v1/chat/completions",
        Operation::ChatCompletions,
    ),
    (
        AzureOpenAi,
        "POST",
        "/openai/v1/responses",
        Operation::Responses,
    ),
    (
        AzureOpenAi,
        "POST",
        "/openai/v1/embeddings",
        Operation::Embeddings,
    ),
    (Anthropic, "POST", "/v1/messages", Operation::Messages),
    (
        Anthropic,
        "POST",
        "/v1/messages/count_tokens",
        Operation::CountTokens,
    ),
    (
        Gemini,
        "POST",
        "/v1beta/models/m:generateContent",
        Operation::GenerateContent,
    ),
    (
        Gemini,
        "POST",
        "/v1/models/m:streamGenerateContent",
        Operation::StreamGenerateContent,
    ),
    (
        Gemini,
        "POST",
        "/v1beta/models/m:countTokens",
        Operation::CountTokens,
    ),
];

#[test]
fn the_list_of_operations_is_served() {
    for (dialect, method, path, operation) in SERVED {
        let located = find(*dialect, method, path, &[]).unwrap();
        assert_eq!(located.operation(), *operation, "{path}");
        assert_eq!(located.needs_body(), *method == "POST");
    }
}

const UNKNOWN: &[(Dialect, &str, &str)] = &[
    (OpenAi, "GET", "/v1/chat/completions"),
    (OpenAi, "GET", "/v1/chat/completions/chatcmpl-1"),
    (OpenAi, "GET", "/v1/responses/resp_1"),
    (OpenAi, "DELETE", "/v1/responses/resp_1"),
    (OpenAi, "POST", "/v1/responses/resp_1/cancel"),
    (OpenAi, "POST", "/v1/responses/compact"),
    (OpenAi, "POST", "/v1/responses/"),
    (OpenAi, "POST", "/v1/files"),
    (OpenAi, "GET", "/v1/files"),
    (OpenAi, "POST", "/v1/batches"),
    (OpenAi, "POST", "/v1/assistants"),
    (OpenAi, "POST", "/v1/threads"),
    (OpenAi, "POST", "/v1/conversations"),
    (OpenAi, "POST", "/v1/vector_stores"),
    (OpenAi, "POST", "/v1/fine_tuning/jobs"),
    (OpenAi, "POST", "/v1/completions"),
    (OpenAi, "POST", "/v1/images/generations"),
    (OpenAi, "POST", "/v1/audio/speech"),
    (OpenAi, "GET", "/v1/organization/users"),
    (OpenAi, "DELETE", "/v1/models/gpt-4o"),
    (OpenAi, "HEAD", "/v1/models"),
    (OpenAi, "POST", "/v1/models"),
    (OpenAi, "post", "/v1/responses"),
    (OpenAi, "POST", "/V1/responses"),
    (OpenAi, "POST", "/responses"),
    (OpenAi, "POST", "/v1/messages"),
    (OpenAi, "POST", "/"),
    (AzureOpenAi, "POST", "/openai/deployments/d/completions"),
    (AzureOpenAi, "POST", "/openai/deployments/d/responses"),
    (
        AzureOpenAi,
        "POST",
        "/openai/deployments/d/extensions/chat/completions",
    ),
    (AzureOpenAi, "GET", "/openai/deployments"),
    (AzureOpenAi, "GET", "/openai/v1/models"),
    (AzureOpenAi, "POST", "/openai/v1/files"),
    (AzureOpenAi, "POST", "/openai/v1/moderations"),
    (AzureOpenAi, "POST", "/v1/chat/completions"),
    (Anthropic, "GET", "/v1/models"),
    (Anthropic, "POST", "/v1/messages/batches"),
    (Anthropic, "POST", "/v1/complete"),
    (Anthropic, "POST", "/v1/files"),
    (Anthropic, "GET", "/v1/organizations/me"),
    (Gemini, "GET", "/v1beta/models"),
    (Gemini, "GET", "/v1beta/models/m"),
    (Gemini, "POST", "/v1beta/models/m:embedContent"),
    (Gemini, "POST", "/v1beta/models/m:batchEmbedContents"),
    (Gemini, "POST", "/v1beta/models/m:predict"),
    (Gemini, "POST", "/v1beta/models/m"),
    (Gemini, "POST", "/v1beta/models/m:x:generateContent"),
    (Gemini, "POST", "/v1beta/tunedModels/m:generateContent"),
    (Gemini, "POST", "/v1beta/cachedContents"),
    (Gemini, "POST", "/v1beta/files"),
    (Gemini, "POST", "/v1alpha/models/m:generateContent"),
    (Gemini, "GET", "/v1beta/models/m:generateContent"),
    (Http, "POST", "/v1/chat/completions"),
];

#[test]
fn everything_else_is_unknown() {
    // Goal: the list is closed. Method: the neighbours of every operation, odd methods and odd
    // spellings of paths.

    for (dialect, method, path) in UNKNOWN {
        let error = find(*dialect, method, path, &[]).unwrap_err();
        assert_eq!(
            error.refusal_code(),
            RefusalCode::UnknownOperation,
            "{method} {path}"
        );
    }
}

const STREAM: &str = "/v1beta/models/m:streamGenerateContent";
const DEPLOYMENT: &str = "/openai/deployments/d/embeddings";

/// Query parameters and the code with which they are refused, if they are.
type QueryRow = (
    Dialect,
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<RefusalCode>,
);

const QUERIES: &[QueryRow] = &[
    (Gemini, STREAM, &[("alt", "sse")], None),
    (Gemini, STREAM, &[("$alt", "json;enum-encoding=int")], None),
    (
        AzureOpenAi,
        DEPLOYMENT,
        &[("api-version", "2024-12-01-preview")],
        None,
    ),
    (Anthropic, "/v1/messages", &[("beta", "true")], None),
    (
        Gemini,
        STREAM,
        &[("key", "AIza")],
        Some(RefusalCode::BadRequest),
    ),
    (
        Gemini,
        STREAM,
        &[("alt", "sse"), ("alt", "json")],
        Some(RefusalCode::BadRequest),
    ),
    (
        Gemini,
        STREAM,
        &[("alt", "sse"), ("$alt", "sse")],
        Some(RefusalCode::BadRequest),
    ),
    (
        Gemini,
        STREAM,
        &[("alt", "media")],
        Some(RefusalCode::Unsupported),
    ),
    (
        Gemini,
        STREAM,
        &[("fields", "candidates")],
        Some(RefusalCode::Unsupported),
    ),
    (
        Gemini,
        STREAM,
        &[("access_token", "x")],
        Some(RefusalCode::Unsupported),
    ),
    (
        AzureOpenAi,
        DEPLOYMENT,
        &[("api-version", "a&b")],
        Some(RefusalCode::Unsupported),
    ),
    (
        AzureOpenAi,
        DEPLOYMENT,
        &[("model", "x")],
        Some(RefusalCode::Unsupported),
    ),
    (
        OpenAi,
        "/v1/responses",
        &[("key", "x")],
        Some(RefusalCode::BadRequest),
    ),
];

#[test]
fn query_parameters_are_a_closed_list_too() {
    for (dialect, path, query, code) in QUERIES {
        let found = find(*dialect, "POST", path, query);
        assert_eq!(
            found.err().map(|error| error.refusal_code()),
            *code,
            "{query:?}"
        );
    }
}

#[test]
fn bodies_are_plain_json() {
    let path = CanonicalPath::parse("/v1/responses").unwrap();
    let with = |content_type, content_encoding| {
        let target = Target {
            method: "POST",
            path: &path,
            query: &[],
            content_type,
            content_encoding,
        };
        locate(Dialect::OpenAi, &target).map_err(|error| error.refusal_code())
    };
    for fine in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\";",
    ] {
        assert!(with(Some(fine), None).is_ok() && with(Some(fine), Some("identity")).is_ok());
    }
    for odd in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset=utf-7; charset=utf-8"),
        Some("application/json, text/plain"),
        Some("application/jsonp"),
    ] {
        assert_eq!(with(odd, None), Err(RefusalCode::BadRequest), "{odd:?}");
    }
    for encoding in ["gzip", "br", "identity, gzip", "GZIP"] {
        let refused = with(Some("application/json"), Some(encoding));
        assert_eq!(refused, Err(RefusalCode::Unsupported), "{encoding}");
    }
}

#[test]
fn operations_without_a_body_take_none() {
    let list = || find(Dialect::OpenAi, "GET", "/v1/models", &[]).unwrap();
    let facts = list().read(b"").unwrap();
    assert_eq!(
        (facts.ai.model, facts.ai.stream, facts.keeps_answer),
        (None, false, false)
    );
    assert!(list().read(b"{}").is_err());
    let show = find(Dialect::OpenAi, "GET", "/v1/models/gpt-4o", &[]).unwrap();
    assert_eq!(show.read(b"").unwrap().ai.model.as_deref(), Some("gpt-4o"));
    let odd = find(Dialect::OpenAi, "GET", "/v1/models/a%20b", &[]).unwrap_err();
    assert_eq!(odd.refusal_code(), RefusalCode::BadRequest);
}
