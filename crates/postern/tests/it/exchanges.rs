//! Recorded traffic of real providers passes unchanged, to the byte, both ways.
//!
//! Each exchange goes through the gateway as it was recorded, behind an upstream that answers as it
//! was recorded, requests and answers cut in four ways. The usage that it reports is in the audit
//! log. What the gateway does not serve, it refuses; which is which is decided here by the
//! operation alone, so that a route that falls out is noticed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use postern_testkit::raw::{self, RawAnswer};
use postern_testkit::{Cut, Exchange, ReplayUpstream, SeenRequest, corpora, exchange, library};

use serde_json::Value;

use crate::door::CREDENTIAL;
use crate::gateway::{Gateway, Token};
use crate::usage::{self, Used};

/// How bodies are cut on their way to the gateway.
const CUTS: [usize; 4] = [1, 7, 64, 4096];

/// A gateway in front of an upstream that answers with whatever exchange is set.
struct Player {
    upstream: ReplayUpstream,
    current: Arc<Mutex<Option<Exchange>>>,
    gateway: Gateway,
    tokens: BTreeMap<&'static str, Token>,
}

/// The upstream's name for a provider, where the gateway serves its dialect.
fn upstream_of(exchange: &Exchange) -> Option<&'static str> {
    match exchange.provider.as_str() {
        "openai" => Some("openai"),
        "azure-openai" => Some("azure"),
        "anthropic" => Some("anthropic"),
        "gemini" => Some("gemini"),
        _ => None,
    }
}

/// Why the gateway refuses an exchange, if it does.
fn refusal_of(exchange: &Exchange) -> &'static str {
    let body: Value = serde_json::from_slice(&exchange.request.body).unwrap_or_default();
    let named = body["model"].as_str();
    let path = exchange.target().strip_prefix("/openai/deployments/");
    let deployment = path.and_then(|path| path.split('/').next());
    if !is_served(exchange) {
        return "unknown_operation";
    }
    match (exchange.api.as_str(), deployment, named) {
        // Azure names the model twice. Where the two differ, it is not for the gateway to guess.
        (_, Some(deployment), Some(named)) if named != deployment => "bad_request",
        // OpenAI would take its default, which is not the gateway's to know.
        ("moderations", None, None) => "unknown_model",
        // It holds ids of files and earlier responses that this principal never made.
        _ => "denied",
    }
}

/// Whether the gateway serves the operation of this exchange.
fn is_served(exchange: &Exchange) -> bool {
    let administration = exchange.target().starts_with("/v1/organization/");
    !administration
        && matches!(
            exchange.api.as_str(),
            "chat.completions"
                | "responses"
                | "embeddings"
                | "models"
                | "moderations"
                | "messages"
                | "count_tokens"
                | "generateContent"
                | "streamGenerateContent"
                | "countTokens"
        )
}

impl Player {
    fn new() -> Self {
        let current: Arc<Mutex<Option<Exchange>>> = Arc::default();
        let set = Arc::clone(&current);
        let upstream = ReplayUpstream::start(move |request: &SeenRequest| {
            let exchange = set.lock().unwrap_or_else(PoisonError::into_inner);
            let exchange = exchange.as_ref().expect("an exchange is set");
            let mut answer = library::replay(exchange, request);
            // The upstream's own cut, which the test sets, also for streams.
            answer.cut = None;
            answer
        });
        let upstream = upstream.expect("the upstream starts");
        let gateway = Gateway::start();
        let mut tokens = BTreeMap::new();
        for (name, kind) in [
            ("openai", "openai"),
            ("azure", "azure-openai"),
            ("anthropic", "anthropic"),
            ("gemini", "gemini"),
        ] {
            gateway.upstream(name, kind, &upstream.url(), CREDENTIAL);
            tokens.insert(name, gateway.token(&[&format!("{name}:invoke:*")]));
        }
        Self {
            upstream,
            current,
            gateway,
            tokens,
        }
    }

    /// Sends the exchange's request through the gateway, both bodies in pieces of `cut` bytes;
    /// gives the answer, and what the upstream saw.
    fn play(
        &self,
        exchange: &Exchange,
        upstream: &str,
        cut: usize,
    ) -> (RawAnswer, Vec<SeenRequest>) {
        self.upstream.set_cut(Cut::Every(cut));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange.clone());
        self.upstream.take_requests();
        let bearer = self.tokens[upstream].bearer();
        let mut headers = vec![("authorization", bearer.as_str())];
        let own = [
            "host",
            "authorization",
            "accept-encoding",
            "expect",
            "cookie",
        ];
        let kept = |name: &&(String, String)| !own.contains(&name.0.to_ascii_lowercase().as_str());
        for (name, value) in exchange.request.headers.iter().filter(kept) {
            // One recording has a second field in the value of its first.
            headers.push((name, value.lines().next().unwrap_or_default()));
        }
        let typed = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !typed && !exchange.request.body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let target = format!("/{upstream}{}", exchange.target());
        let answer = raw::request_in_pieces(
            self.gateway.addr(),
            (&exchange.request.method, &target),
            &headers,
            &exchange.request.body,
            cut,
        );
        (answer, self.upstream.take_requests())
    }
}

/// Plays every exchange with every cut; gives how many were served and refused, by operation.
fn play_all(exchanges: &[Exchange]) -> BTreeMap<String, (usize, usize)> {
    let player = Player::new();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut expected_usage = BTreeMap::new();
    for exchange in exchanges {
        let Some(upstream) = upstream_of(exchange) else {
            continue;
        };
        let count = counts
            .entry(format!("{} {}", exchange.provider, exchange.api))
            .or_default();
        for cut in CUTS {
            let (answer, seen) = player.play(exchange, upstream, cut);
            let name = format!(
                "{} {} {}, cut at {cut}",
                exchange.id, exchange.provider, exchange.api
            );
            match answer.header("postern-refusal") {
                Some(code) => {
                    let expected = refusal_of(exchange);
                    assert_eq!(code, expected, "{name}: {}", answer.text());
                    assert!(seen.is_empty(), "{name}: refused and sent on");
                    count.1 += 1;
                }
                None => {
                    assert_same(&name, exchange, &answer, &seen);
                    let id = answer
                        .header("postern-request-id")
                        .expect("each answer has one");
                    let sent = library::replay(exchange, &seen[0]).body;
                    let used = usage::reported(&exchange.provider, &sent);
                    // A stream that breaks off reports what is not the end: it counts as cut short.
                    if !exchange.features.iter().any(|feature| feature == "error") {
                        expected_usage.insert(id.to_owned(), (name, used));
                    }
                    count.0 += 1;
                }
            }
        }
    }
    assert_usage(&player.gateway, &expected_usage);
    counts
}

/// Asserts that the audit log has the usage that each answer reported, by request id.
fn assert_usage(gateway: &Gateway, expected: &BTreeMap<String, (String, Option<Used>)>) {
    let outcomes = gateway.json(&["audit", "search", "--kind", "outcome", "--limit", "5000"]);
    let outcomes = outcomes.as_array().expect("a list");
    let mut found = 0;
    for outcome in outcomes {
        let request = outcome["request"].as_str().unwrap_or_default();
        if let Some((name, used)) = expected.get(request) {
            assert_eq!(usage::recorded(outcome), *used, "{name}: {outcome:#}");
            found += 1;
        }
    }
    assert_eq!(found, expected.len(), "requests without an outcome");
    assert!(expected.values().filter(|(_, used)| used.is_some()).count() > found / 2);
}

fn assert_same(name: &str, exchange: &Exchange, answer: &RawAnswer, seen: &[SeenRequest]) {
    assert_eq!(
        answer.status,
        exchange.response.status,
        "{name}: {}",
        answer.text()
    );
    assert!(answer.complete, "{name}: the answer was cut short");
    let same = answer.body == exchange.response.body;
    assert!(same, "{name}: the answer was changed to {}", answer.text());
    assert_eq!(seen.len(), 1, "{name}");
    let (sent, original) = (&seen[0].body, &exchange.request.body);
    assert!(
        sent == original || is_spliced(original, sent),
        "{name}: the request was changed to {}",
        String::from_utf8_lossy(sent)
    );
}

/// Whether `sent` is `original` with the key that asks for usage put in, and every other byte kept.
fn is_spliced(original: &[u8], sent: &[u8]) -> bool {
    let Some(added) = sent.len().checked_sub(original.len()) else {
        return false;
    };
    let same = original
        .iter()
        .zip(sent)
        .take_while(|(one, other)| one == other)
        .count();
    // What is put in may begin as what follows it does, so the place is one of several.
    (0..=same).rev().any(|at| {
        let inserted = String::from_utf8_lossy(&sent[at..at + added]);
        let inserted = inserted.trim_matches(',');
        let key = inserted == r#""stream_options":{"include_usage":true}"#
            || inserted == r#""include_usage":true"#;
        key && sent[at + added..] == original[at..]
    })
}

// Goal: no byte differs. Method: the committed set of every dialect, each cut in four ways.
#[test]
fn committed_exchanges_pass_unchanged() {
    let exchanges: Vec<Exchange> = exchange::own()
        .into_iter()
        .filter(|e| e.delay.is_zero() && e.api != "models")
        .collect();
    let counts = play_all(&exchanges);
    assert!(
        counts
            .values()
            .all(|(served, refused)| *served > 0 && *refused == 0),
        "{counts:?}"
    );
}

// Goal: no byte differs. Method: every recorded exchange of the dialects that the gateway serves.
#[test]
fn recorded_exchanges_pass_unchanged() {
    let Some(exchanges) = corpora::exchanges() else {
        return;
    };
    let counts = play_all(&exchanges);
    for (operation, served, refused) in [
        ("openai chat.completions", 22, 0),
        ("openai completions", 0, 4),
        ("openai embeddings", 4, 0),
        ("openai moderations", 0, 2),
        ("azure-openai chat.completions", 10, 0),
        ("azure-openai embeddings", 0, 2),
        ("azure-openai responses", 2, 0),
        ("anthropic messages", 20, 0),
        ("anthropic count_tokens", 1, 0),
        ("anthropic batches", 0, 2),
        // One refers to what this principal never made.
        ("openai responses", 41, 1),
        // One refers to a cached prompt that this principal never made.
        ("gemini generateContent", 14, 1),
        ("gemini streamGenerateContent", 23, 0),
        ("gemini embedContent", 0, 4),
    ] {
        let cuts = CUTS.len();
        let expected = Some(&(served * cuts, refused * cuts));
        assert_eq!(counts.get(operation), expected, "{operation}");
    }
}
