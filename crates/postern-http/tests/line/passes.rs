//! Invisible: what passes is what was sent, both ways, to the byte.

use postern_testkit::{Cut, Exchange, exchange};
use postern_types::{AuditRecord, End, Operation};

use crate::fixture::{Line, SECRET};

fn upstream_of(provider: &str) -> &'static str {
    match provider {
        "openai" => "openai",
        "azure" | "azure_openai" | "azure-openai" => "azure",
        "anthropic" => "anthropic",
        "gemini" | "google" => "gemini",
        _ => "notes",
    }
}

/// The exchanges that answer at once and always the same.
fn steady() -> impl Iterator<Item = Exchange> {
    exchange::own()
        .into_iter()
        .filter(|exchange| exchange.first.is_none() && exchange.delay.is_zero())
}

#[test]
fn every_exchange_passes_to_the_byte_however_it_is_cut() {
    // Goal: with no data rule, request and answer are what they were. Method: every committed
    // exchange, each cut of both bodies; what the upstream saw and what the client got are compared
    // with the recording. The one key that asks for usage is added on purpose, and tested apart.
    let line = Line::new();
    let token = line.master();
    for cut in [1, 7, 64, 4096] {
        line.upstream.set_cut(Cut::Every(cut));
        for exchange in steady() {
            let target = format!("/{}{}", upstream_of(&exchange.provider), exchange.target());
            let mut headers = vec![];
            if !exchange.request.body.is_empty() {
                headers.push(("content-type", "application/json"));
            }
            let before = line.upstream.requests().len();
            let body = exchange.request.body.as_ref();
            let asked = (exchange.request.method.as_str(), target.as_str());
            let answer = line.request_in_pieces(&token, asked, &headers, body, cut);
            let seen = line.upstream.requests();
            assert_eq!(seen.len(), before + 1, "{}: {}", exchange.id, answer.text());
            let seen = &seen[before];
            if !usage_is_asked_for(body) {
                assert_eq!(seen.body, body, "{}", exchange.id);
            }
            assert_eq!(seen.target, exchange.target(), "{}", exchange.id);
            if exchange.target().starts_with("/v1/models") {
                continue;
            }
            assert_eq!(answer.status, exchange.response.status, "{}", exchange.id);
            assert_eq!(answer.body, exchange.response.body, "{}", exchange.id);
        }
    }
    assert!(line.upstream.malformed().is_empty());
}

fn usage_is_asked_for(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    body.contains("\"stream\"") && body.contains("messages") && !body.contains("include_usage")
}

#[test]
fn the_token_stays_and_the_credential_goes() {
    let line = Line::new();
    let token = line.master();
    for exchange in steady() {
        let upstream = upstream_of(&exchange.provider);
        let target = format!("/{upstream}{}", exchange.target());
        let headers = [
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
        ];
        let before = line.upstream.requests().len();
        let body = exchange.request.body.as_ref();
        let answer = line.request(&token, &exchange.request.method, &target, &headers, body);
        let seen = line.upstream.requests().get(before).cloned();
        let seen = seen.unwrap_or_else(|| panic!("{}: {}", exchange.id, answer.text()));
        let secret = format!("{SECRET}-dev-{upstream}");
        let carried = seen
            .headers
            .iter()
            .filter(|(_, value)| value.contains(&secret))
            .count();
        assert_eq!(carried, 1, "{}: the credential once", exchange.id);
        let leaked = seen
            .headers
            .iter()
            .any(|(_, value)| value.contains("pstn_"));
        assert!(!leaked, "{}: the token never leaves", exchange.id);
        assert!(!answer.text().contains(SECRET) && answer.header("postern-request-id").is_some());
    }
}

#[test]
fn usage_is_recorded_as_the_provider_reports_it() {
    let line = Line::new();
    let token = line.token(&["openai:invoke:gpt-4o-mini", "anthropic:invoke:*"], &[]);
    let body =
        r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = line.chat(&token, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        !answer.text().contains("\"usage\""),
        "nobody asked for it: {}",
        answer.text()
    );
    let outcome = line.outcomes(1).remove(0);
    let usage = outcome.usage.expect("the provider was made to report it");
    assert!(
        usage.input_tokens() > 0 && usage.output_tokens() > 0,
        "{usage:?}"
    );
    assert_eq!(outcome.summary.operation, Some(Operation::ChatCompletions));
    assert_eq!(outcome.end, End::Done);
    assert_eq!(outcome.response_bytes, answer.body.len() as u64);
    let intents = line
        .records()
        .iter()
        .filter(|r| matches!(r, AuditRecord::Intent(_)))
        .count();
    assert_eq!(intents, 1);
}

#[test]
fn a_list_of_models_shows_what_the_token_may_use() {
    let line = Line::new();
    let all = line.request(&line.master(), "GET", "/openai/v1/models", &[], b"");
    let listed = all.json()["data"].as_array().unwrap().len();
    assert!(listed > 1);
    let narrow = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
    let some = line.request(&narrow, "GET", "/openai/v1/models", &[], b"");
    let models = some.json()["data"].as_array().unwrap().clone();
    assert_eq!(models.len(), 1, "{}", some.text());
    assert_eq!(models[0]["id"], "gpt-4o-mini");
}
