use super::*;

async fn ask(path: &str, body: Value) -> (StatusCode, String) {
    let sandbox = Sandbox::new("key".to_owned());
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer key"));
    let call = Call {
        method: Method::POST,
        path: path.to_owned(),
        headers,
        body,
    };
    let answer = sandbox.answer(&call);
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The texts at a JSON pointer of every event, joined.
fn joined(stream: &str, pointer: &str) -> String {
    let events = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let values = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    values
        .filter_map(|value| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .collect()
}

#[tokio::test]
async fn every_dialect_says_the_same_sentence_streamed_and_whole() {
    // Goal: what the tour shows is what each provider would send. Method: ask each dialect both
    // ways and put its own text fields together.
    for (path, body, stream_at, whole_at) in [
        (
            "/v1/chat/completions",
            json!({ "model": "m" }),
            "/choices/0/delta/content",
            "/choices/0/message/content",
        ),
        (
            "/v1/responses",
            json!({ "model": "m" }),
            "/delta",
            "/output/0/content/0/text",
        ),
        (
            "/v1/messages",
            json!({ "model": "m" }),
            "/delta/text",
            "/content/0/text",
        ),
    ] {
        let (status, whole) = ask(path, body.clone()).await;
        let whole: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(
            (status, whole.pointer(whole_at).unwrap()),
            (StatusCode::OK, &json!(sentence()))
        );
        let mut streamed = body;
        streamed["stream"] = json!(true);
        assert_eq!(
            joined(&ask(path, streamed).await.1, stream_at),
            sentence(),
            "{path}"
        );
    }
    let gemini = |action: &str| format!("/v1beta/models/g:{action}");
    let at = "/candidates/0/content/parts/0/text";
    let (_, whole) = ask(&gemini("generateContent"), json!({})).await;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole.pointer(at).unwrap(), &json!(sentence()));
    let (_, stream) = ask(&gemini("streamGenerateContent"), json!({})).await;
    assert_eq!(joined(&stream, at), sentence());
}

#[tokio::test]
async fn usage_comes_in_streams_only_for_those_who_ask() {
    let body = json!({ "model": "m", "stream": true });
    let (_, without) = ask("/v1/chat/completions", body.clone()).await;
    assert!(!without.contains("usage"));
    let mut asking = body;
    asking["stream_options"] = json!({ "include_usage": true });
    let (_, with) = ask("/v1/chat/completions", asking).await;
    assert!(with.contains("\"completion_tokens\":9") && with.contains("\"usage\":null"));
}

#[tokio::test]
async fn another_key_is_refused() {
    let sandbox = Sandbox::new("another".to_owned());
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_static("key"));
    let call = Call {
        method: Method::POST,
        path: "/v1/messages".to_owned(),
        headers,
        body: Value::Null,
    };
    assert_eq!(sandbox.answer(&call).status(), StatusCode::UNAUTHORIZED);
}
