use super::*;

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

fn entry(env: &str, record: serde_json::Value) -> ReadEntry {
    let record: AuditRecord = serde_json::from_value(record).unwrap();
    let (header, body) = record.encode(now());
    ReadEntry {
        seq: 7,
        leaf_hash: [0; 32],
        note: None,
        domain: env.to_owned(),
        header,
        body: Ok(body),
    }
}

fn outcome() -> ReadEntry {
    let summary = serde_json::json!({
        "request": "0198c5a0-0000-7000-8000-000000000001",
        "arrived_ms": 1,
        "environment": "dev",
        "token": "0123456789abcdef",
        "principal": "service:web",
        "source": { "address": "127.0.0.1", "via": "socket" },
        "method": "POST",
        "path": "/openai/v1/chat/completions",
        "query_names": [],
        "upstream": "openai",
        "upstream_kind": "openai",
        "operation": "chat_completions",
        "model": "gpt-4o",
        "stream": true,
        "user_agent": null,
    });
    entry(
        "dev",
        serde_json::json!({
            "kind": "outcome", "summary": summary, "end": "refused", "status": 403,
            "refusal": "denied", "cause": null, "upstream_status": null, "request_bytes": 0,
            "response_bytes": 0, "usage": null, "response_model": null,
            "timing": { "forwarded_us": null, "first_byte_us": null, "total_us": 5 },
            "findings": [{ "class": "card", "direction": "request", "action": "block",
                "rule": "cards", "dry_run": false, "place": "messages.content", "count": 1 }],
        }),
    )
}

fn fits(query: serde_json::Value) -> bool {
    let query: AuditQuery = serde_json::from_value(query).unwrap();
    Question::parse(&query, None, now())
        .unwrap()
        .judge(&outcome())
        .is_some()
}

#[test]
fn each_field_finds_its_record_and_no_other() {
    // Goal: every way to ask finds the record, and the nearest miss of it does not. Method: a pair
    // of values a field.
    for (field, right, wrong) in [
        ("token", "0123456789abcdef", "1123456789abcdef"),
        ("principal", "service:web", "service:we"),
        ("environment", "dev", "prod"),
        ("status", "403", "404"),
        ("status", "4xx", "2xx"),
        ("refusal", "denied", "revoked"),
        ("path", "/openai/", "/anthropic/"),
        ("model", "gpt-4o", "gpt-4"),
        ("model", "gpt-*", "claude-*"),
        ("upstream", "openai", "notes"),
        ("kind", "outcome", "intent"),
        (
            "request",
            "0198c5a0-0000-7000-8000-000000000001",
            "0198c5a0-0000-7000-8000-000000000002",
        ),
        ("finding", "card", "email"),
        ("finding", "payment", "secret"),
        ("finding", "all", "custom:badge"),
        ("text", "service:WEB chat", "service:web embeddings"),
        ("since", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
        ("until", "2026-01-03T00:00:00Z", "1h"),
    ] {
        assert!(
            fits(serde_json::json!({ field: right })),
            "{field} = {right}"
        );
        assert!(
            !fits(serde_json::json!({ field: wrong })),
            "{field} = {wrong}"
        );
    }
    assert!(!fits(serde_json::json!({ "action": "token." })));
}

#[test]
fn a_scoped_caller_sees_nothing_of_other_domains() {
    let scope = |name| Some(EnvName::parse(name).unwrap());
    let query = AuditQuery::default();
    let ask = |name| Question::parse(&query, scope(name).as_ref(), now()).unwrap();
    assert!(ask("dev").judge(&outcome()).is_some());
    assert!(ask("prod").judge(&outcome()).is_none());
}

#[test]
fn what_cannot_be_asked_is_said() {
    for query in [
        serde_json::json!({ "status": "9xx" }),
        serde_json::json!({ "status": "ok" }),
        serde_json::json!({ "refusal": "no" }),
        serde_json::json!({ "since": "yesterday" }),
        serde_json::json!({ "limit": 0 }),
        serde_json::json!({ "kind": "event" }),
        serde_json::json!({ "finding": "emial" }),
    ] {
        let query: AuditQuery = serde_json::from_value(query).unwrap();
        assert!(Question::parse(&query, None, now()).is_err(), "{query:?}");
    }
}
