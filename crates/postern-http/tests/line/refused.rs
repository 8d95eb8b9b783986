//! Narrow and apart, over the wire: what is refused, with which code, and what reaches the
//! upstream.

use postern_testkit::raw;
use postern_types::{End, RefusalCode};
use serde_json::json;

use crate::fixture::{Line, SECRET};

const CHAT_PATH: &str = "/openai/v1/chat/completions";
const CHAT: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}"#;

/// Method, target, body, and what each is refused with.
const REFUSED: [(&str, &str, &str, RefusalCode); 14] = [
    ("GET", "/", "", RefusalCode::UnknownUpstream),
    (
        "GET",
        "/nowhere/v1/models",
        "",
        RefusalCode::UnknownUpstream,
    ),
    ("GET", "/openai/v1/files", "", RefusalCode::UnknownOperation),
    (
        "GET",
        "/openai/v1/responses/resp_1",
        "",
        RefusalCode::UnknownOperation,
    ),
    (
        "POST",
        "/openai/v1/batches",
        "{}",
        RefusalCode::UnknownOperation,
    ),
    (
        "POST",
        CHAT_PATH,
        r#"{"messages":[]}"#,
        RefusalCode::UnknownModel,
    ),
    (
        "POST",
        CHAT_PATH,
        r#"{"model":"gpt-4o","messages":[]}"#,
        RefusalCode::Denied,
    ),
    (
        "POST",
        CHAT_PATH,
        r#"{"model":"gpt-4o-mini","model":"x"}"#,
        RefusalCode::BadRequest,
    ),
    (
        "POST",
        CHAT_PATH,
        r#"{"model":"gpt-4o-mini","mod\u0065l":"x"}"#,
        RefusalCode::BadRequest,
    ),
    ("POST", CHAT_PATH, "{", RefusalCode::BadRequest),
    ("GET", "/notes/b", "", RefusalCode::Denied),
    ("DELETE", "/notes/a", "", RefusalCode::Denied),
    ("GET", "/notes/a?where=x", "", RefusalCode::Denied),
    ("GET", "/notes/x/../a", "", RefusalCode::BadRequest),
];

#[test]
fn every_refusal_says_its_code_and_reaches_no_upstream() {
    let line = Line::new();
    let token = line.token(
        &["openai:invoke:gpt-4o-mini", "notes:call:GET /a?limit"],
        &[],
    );
    let json = [("content-type", "application/json")];
    for (method, target, body, code) in REFUSED {
        let answer = line.request(&token, method, target, &json, body.as_bytes());
        let said = answer.header("postern-refusal");
        assert_eq!(said, Some(code.as_str()), "{method} {target} {body}");
        assert_eq!(answer.status, code.status());
        assert!(answer.header("postern-request-id").is_some());
    }
    assert!(
        line.upstream.requests().is_empty(),
        "nothing of it reached the upstream"
    );
}

#[test]
fn a_token_of_another_environment_reaches_its_own_upstream_only() {
    // Goal: the same upstream name in two environments under an allow-all policy. Method: the
    // credential that the upstream sees says whose request it is, whatever the token sends.
    let line = Line::new();
    let dev = line.token_of("dev", "service:web", &["openai:invoke:*"], &[]);
    for headers in [
        vec![],
        vec![("postern-environment", "prod"), ("x-environment", "prod")],
        vec![("x-forwarded-host", "prod"), ("forwarded", "host=prod")],
    ] {
        let headers = [vec![("content-type", "application/json")], headers].concat();
        let target = "/openai/v1/chat/completions";
        let answer = line.request(&dev, "POST", target, &headers, CHAT.as_bytes());
        assert_eq!(answer.status, 200);
    }
    for request in line.upstream.requests() {
        let credential = request.header("authorization");
        assert_eq!(
            credential,
            Some(format!("Bearer {SECRET}-dev-openai").as_str())
        );
        assert!(request.header("x-forwarded-host").is_none());
        assert!(request.header("forwarded").is_none());
    }
    for target in [
        "/prod/openai/v1/models",
        "/prod.openai/v1/models",
        "/openai@prod/v1/models",
    ] {
        let answer = line.request(&dev, "GET", target, &[], b"");
        assert_eq!(
            answer.header("postern-refusal"),
            Some("unknown_upstream"),
            "{target}"
        );
    }
}

#[test]
fn strangers_get_the_shape_of_their_dialect_and_no_hint() {
    let line = Line::new();
    let rows = [
        (
            "/openai/v1/chat/completions",
            "authorization",
            "Bearer sk-wrong",
            "/error/message",
        ),
        (
            "/anthropic/v1/messages",
            "x-api-key",
            "wrong",
            "/error/type",
        ),
        (
            "/gemini/v1beta/models/g:generateContent",
            "x-goog-api-key",
            "wrong",
            "/error/status",
        ),
        ("/notes/a", "authorization", "Bearer wrong", "/title"),
    ];
    for (target, header, value, place) in rows {
        let answer = raw::request(line.address, "POST", target, &[(header, value)], b"{}");
        assert_eq!(answer.status, 401, "{target}");
        assert!(
            answer.json().pointer(place).is_some(),
            "{target}: {}",
            answer.text()
        );
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("invalid_token"), "{challenge}");
        let none = raw::request(line.address, "POST", target, &[], b"{}");
        let challenge = none.header("www-authenticate").unwrap();
        assert!(
            !challenge.contains("error"),
            "no error where no credential came: {challenge}"
        );
    }
}

#[test]
fn limits_refuse_with_figures() {
    let line = Line::new();
    let token = line.token(&["openai:invoke:gpt-4o-mini"], &["requests=2/minute"]);
    let first = line.chat(&token, CHAT);
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit"), Some(r#""requests";r=1;t=60"#));
    assert_eq!(line.chat(&token, CHAT).status, 200);
    let refused = line.chat(&token, CHAT);
    assert_eq!(
        (refused.status, refused.header("postern-refusal")),
        (429, Some("rate_limited"))
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(line.upstream.requests().len(), 2);
    let outcomes = line.outcomes(3);
    assert_eq!(outcomes[2].end, End::Refused);
    assert_eq!(outcomes[2].refusal, Some(RefusalCode::RateLimited));
}

#[test]
fn what_a_stream_makes_belongs_to_its_maker_too() {
    // Goal: the id of a streamed response is known before its client can ask with it. Method: the
    // next request of the same principal and of another, as soon as the stream has ended.
    let line = Line::new();
    line.upstream.set_cut(postern_testkit::Cut::Every(7));
    let exchange = postern_testkit::exchange::named("openai-responses-stream");
    let text = exchange.response_text().unwrap();
    let (_, rest) = text.split_once("\"id\":\"resp_").unwrap();
    let id = format!("resp_{}", rest.split('"').next().unwrap());
    let next = format!(r#"{{"model":"gpt-4o-mini","input":"more","previous_response_id":"{id}"}}"#);
    let json = [("content-type", "application/json")];
    let path = "/openai/v1/responses";
    let mine = line.token_of("dev", "service:web", &["openai:invoke:*"], &[]);
    let theirs = line.token_of("dev", "service:other", &["openai:invoke:*"], &[]);
    let ask = |token, body: &[u8]| line.request(token, "POST", path, &json, body);
    let denied = |token| ask(token, next.as_bytes()).header("postern-refusal") == Some("denied");
    assert!(denied(&mine), "it is not made yet");
    let made = ask(&mine, &exchange.request.body);
    assert!(made.status == 200 && made.complete, "{}", made.text());
    assert!(!denied(&mine) && denied(&theirs));
}

#[test]
fn what_a_provider_keeps_belongs_to_its_maker() {
    let line = Line::new();
    let mine = line.token_of("dev", "service:web", &["openai:invoke:*"], &[]);
    let theirs = line.token_of("dev", "service:other", &["openai:invoke:*"], &[]);
    let json = [("content-type", "application/json")];
    let ask = |token, body: &str| {
        line.request(
            token,
            "POST",
            "/openai/v1/responses",
            &json,
            body.as_bytes(),
        )
    };
    let exchange = postern_testkit::exchange::own()
        .into_iter()
        .find(|exchange| exchange.api == "responses" && !exchange.streaming)
        .unwrap();
    let made = ask(&mine, std::str::from_utf8(&exchange.request.body).unwrap());
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let next = format!(r#"{{"model":"gpt-4o-mini","input":"more","previous_response_id":"{id}"}}"#);
    let before = line.upstream.requests().len();
    for (token, body) in [
        (&theirs, next.as_str()),
        (
            &mine,
            r#"{"model":"gpt-4o-mini","input":"x","previous_response_id":"resp_guessed"}"#,
        ),
        (
            &mine,
            r#"{"model":"gpt-4o-mini","input":"x","conversation":"conv_guessed"}"#,
        ),
    ] {
        let refused = ask(token, body);
        assert_eq!(refused.header("postern-refusal"), Some("denied"), "{body}");
    }
    assert_eq!(line.upstream.requests().len(), before);
    assert_ne!(ask(&mine, &next).header("postern-refusal"), Some("denied"));
    assert_eq!(
        line.upstream.requests().len(),
        before + 1,
        "its maker may go on"
    );
}

#[test]
fn an_answer_before_the_body_was_read_says_that_the_connection_ends() {
    // Goal: a client that keeps connections does not send its next request into a close. Method: a
    // stranger's POST is refused before its body is read; a denied one after.
    let line = Line::new();
    let json = ("content-type", "application/json");
    let wrong = [("authorization", "Bearer pstn_wrong"), json];
    let head = |headers: &[(&str, &str)]| {
        let mut head = format!("POST {CHAT_PATH} HTTP/1.1\r\nhost: {}\r\n", line.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{head}content-length: {}\r\n\r\n{CHAT}", CHAT.len()).into_bytes()
    };
    let quiet = std::time::Duration::from_millis(500);
    let refused = raw::talk(line.address, &head(&wrong), quiet).unwrap();
    assert_eq!(refused.statuses(), [401]);
    assert_eq!(refused.answers[0].header("connection"), Some("close"));
    let token = line.token(&["openai:invoke:gpt-4o"], &[]);
    let bearer = format!("Bearer {}", token.token.expose());
    let denied = raw::talk(
        line.address,
        &head(&[("authorization", &bearer), json]),
        quiet,
    )
    .unwrap();
    assert_eq!(denied.statuses(), [403]);
    assert_eq!(denied.answers[0].header("connection"), None);
}

#[test]
fn a_tools_model_is_judged_as_the_requests_own() {
    // Goal: a tool opens no model that the token may not use, and serves one that it may. Method:
    // one token that has one of two picture models, and each way to name one or none.
    let line = Line::new();
    let token = line.token(&["openai:invoke:gpt-4o-mini,gpt-image-1"], &[]);
    let ask = |tool: &str| {
        let body = format!(r#"{{"model":"gpt-4o-mini","input":"a","tools":[{tool}]}}"#);
        let json = [("content-type", "application/json")];
        let answer = line.request(
            &token,
            "POST",
            "/openai/v1/responses",
            &json,
            body.as_bytes(),
        );
        answer.header("postern-refusal").map(str::to_owned)
    };
    let refused = |tool: &str, code: &str| {
        assert_eq!(ask(tool).as_deref(), Some(code), "{tool}");
        assert_eq!(line.upstream.requests().len(), 0, "{tool}");
    };
    refused(
        r#"{"type":"image_generation","model":"gpt-image-2"}"#,
        "denied",
    );
    refused(r#"{"type":"image_generation"}"#, "unknown_model");
    refused(r#"{"type":"made_up"}"#, "unsupported");
    let named = ask(r#"{"type":"image_generation","model":"gpt-image-1"}"#);
    assert_ne!(named.as_deref(), Some("denied"));
    assert_eq!(line.upstream.requests().len(), 1, "{named:?}");
}

#[test]
fn an_advisors_model_is_judged_too() {
    let line = Line::new();
    let token = line.token(&["anthropic:invoke:claude-haiku-4-5"], &[]);
    let ask = |tool: &str| {
        let body = format!(
            r#"{{"model":"claude-haiku-4-5","max_tokens":9,"messages":[],"tools":[{tool}]}}"#
        );
        let headers = [
            ("content-type", "application/json"),
            ("anthropic-version", "2023-06-01"),
        ];
        let path = "/anthropic/v1/messages";
        let answer = line.request(&token, "POST", path, &headers, body.as_bytes());
        answer.header("postern-refusal").map(str::to_owned)
    };
    let larger = r#"{"type":"advisor_20260301","name":"advisor","model":"claude-opus-4-5"}"#;
    assert_eq!(ask(larger).as_deref(), Some("denied"));
    let unnamed = r#"{"type":"advisor_20260301","name":"advisor"}"#;
    assert_eq!(ask(unnamed).as_deref(), Some("unknown_model"));
    assert_eq!(line.upstream.requests().len(), 0);
}

#[test]
fn what_a_name_means_is_judged_at_each_connection() {
    // Goal: an upstream that may not be on the own machine is not connected to there, however its
    // address is written, also while a connection from before is at rest; and one that may is.
    // Method: a listener on loopback that counts connections, by name and by address.
    let line = Line::new();
    let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
    let port = line.upstream.addr().port();
    let at = |host: &str| format!("http://{host}:{port}");
    line.place(&at("localhost"), json!({}));
    assert_eq!(line.chat(&token, CHAT).status, 200);
    assert_eq!(line.upstream.connections(), 1);
    let mut seen = 1;
    for host in [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
    ] {
        line.place(&at(host), json!({ "own_machine": false }));
        let refused = line.chat(&token, CHAT);
        let code = refused.header("postern-refusal");
        assert_eq!(code, Some("upstream_unreachable"), "{host}");
        assert!(!refused.text().contains("own_machine"), "{host}");
        seen += 1;
        let outcomes = line.outcomes(seen);
        let cause = outcomes[seen - 1].cause.as_deref().unwrap_or_default();
        assert!(cause.contains("own_machine is false"), "{host}: {cause}");
    }
    assert_eq!(line.upstream.connections(), 1);
    assert_eq!(line.upstream.requests().len(), 1);
    line.place(&at("localhost"), json!({ "own_machine": true }));
    assert_eq!(line.chat(&token, CHAT).status, 200);
    assert_eq!(line.upstream.connections(), 2);
}
