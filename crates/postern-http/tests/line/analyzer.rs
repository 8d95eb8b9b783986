//! Names that an analyzer tells, over real sockets: what it sees, and what happens without it.

use std::sync::Arc;
use std::time::Duration;

use postern_guard::GuardBounds;
use postern_http::{AnalyzerCounts, AnalyzerSettings, Endpoint, Reach};
use postern_testkit::{Answer, ReplayUpstream, SeenRequest, analyzer};
use postern_types::{End, RefusalCode};
use serde_json::{Value, json};

use crate::data::{CARD, refused, with};
use crate::fixture::Line;

pub(crate) const NAMES: [(&str, &str); 4] = [
    ("Jane Doe", "PERSON"),
    ("Zoë", "PERSON"),
    ("Århus", "LOCATION"),
    ("Acme", "ORGANIZATION"),
];

/// A gateway with an analyzer and one rule.
struct Asked {
    line: Line,
    analyzer: ReplayUpstream,
    counts: Arc<AnalyzerCounts>,
}

pub(crate) fn names(directions: &[&str], action: &str) -> Value {
    json!({"directions": directions, "classes": ["analyzed", "card"], "action": action})
}

fn asked(upstream: ReplayUpstream, spec: Value) -> Asked {
    asked_within(upstream, spec, Duration::from_secs(20))
}

pub(crate) fn settings(url: &str, timeout: Duration) -> AnalyzerSettings {
    AnalyzerSettings {
        endpoint: Endpoint::parse(url, None, Reach::Anywhere).unwrap(),
        timeout,
        language: "en".to_owned(),
        score_min: 35,
        counts: Arc::default(),
    }
}

fn asked_within(upstream: ReplayUpstream, spec: Value, timeout: Duration) -> Asked {
    let analyzer = analyzer::start(&NAMES).unwrap();
    let settings = settings(&analyzer.url(), timeout);
    let counts = Arc::clone(&settings.counts);
    let line = Line::asking(upstream, GuardBounds::default(), Some(settings));
    line.rule("names", spec);
    Asked {
        line,
        analyzer,
        counts,
    }
}

pub(crate) fn echo() -> ReplayUpstream {
    let echo = |request: &SeenRequest| {
        let content_type = request.header("content-type").unwrap_or("text/plain");
        Answer::new(200, content_type, request.body.clone())
    };
    ReplayUpstream::start(echo).unwrap()
}

fn chat(text: &str) -> String {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
}

#[test]
fn names_in_a_request_do_not_leave() {
    let spec = with(names(&["request"], "mask"), "headers", json!(["x-who"]));
    let asked = asked(echo(), with(spec, "query", json!(["where"])));
    let (line, token) = (&asked.line, asked.line.master());
    let said = format!("Zoë of Acme wrote. Jane Doe, {CARD}, lives in Århus!");
    let headers = [("content-type", "application/json"), ("x-who", "Jane Doe")];
    let target = "/openai/v1/chat/completions";
    line.request(&token, "POST", target, &headers, chat(&said).as_bytes());
    let seen = line.upstream.take_requests().remove(0);
    let clean = "[PERSON] of [ORGANIZATION] wrote. [PERSON], [CARD], lives in [PLACE]!";
    assert_eq!(String::from_utf8(seen.body.to_vec()).unwrap(), chat(clean));
    let target = "/notes/a?where=Jane%20Doe";
    let headers = [("content-type", "text/plain"), ("x-who", "Jane Doe")];
    let got = line.request(&token, "POST", target, &headers, said.as_bytes());
    assert_eq!(got.text(), clean);
    let seen = line.upstream.take_requests().remove(0);
    assert!(!seen.target.contains("Jane"), "{}", seen.target);
    let questions = asked.analyzer.take_requests();
    let asked_about = |text: &str| {
        let about = |seen: &SeenRequest| {
            let question: Value = serde_json::from_slice(&seen.body).unwrap();
            assert_eq!(seen.target, "/analyze");
            assert_eq!(question["language"], "en");
            assert_eq!(question["score_threshold"], 0.35);
            question["text"] == text
        };
        questions.iter().filter(|seen| about(seen)).count()
    };
    assert_eq!(asked_about("Zoë of Acme wrote. "), 2, "once a request");
    assert_eq!(asked_about("Jane Doe, [CARD], lives in Århus!"), 2);
    assert_eq!(asked.counts.calls(), questions.len() as u64);
    assert_eq!(asked.counts.failures(), 0);
    assert!(asked.counts.micros() > 0);
    let outcomes = line.outcomes(2);
    assert!(
        outcomes.iter().all(|it| it.findings.len() >= 4),
        "{outcomes:?}"
    );
}

/// A stream of chat completions that says a text three letters at a time.
fn chat_stream(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let said = letters.chunks(3).map(|run| {
        let delta = json!({"object": "chat.completion.chunk", "choices": [{"index": 0,
            "delta": {"content": run.iter().collect::<String>()}, "finish_reason": null}]});
        format!("data: {delta}\n\n")
    });
    let end = json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {},
        "finish_reason": "stop"}]});
    format!(
        "{}data: {end}\n\ndata: [DONE]\n\n",
        said.collect::<String>()
    )
}

/// The text that a stream of chat completions says.
fn said(stream: &str) -> String {
    let content = |line: &str| {
        let event: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())
    };
    stream.lines().filter_map(content).collect()
}

fn streamed(asked: &Asked, text: &str) -> String {
    asked.line.upstream.queue(Answer::events(chat_stream(text)));
    let body = json!({"model": "m", "stream": true, "messages": []}).to_string();
    let json = [("content-type", "application/json")];
    let target = "/openai/v1/chat/completions";
    let token = asked.line.master();
    asked
        .line
        .request(&token, "POST", target, &json, body.as_bytes())
        .text()
}

#[test]
fn names_over_the_deltas_of_an_answer_do_not_arrive() {
    let asked = asked(echo(), names(&["response"], "mask"));
    let got = streamed(&asked, "Ask Jane Doe. She is with Acme\nin Århus");
    assert_eq!(
        said(&got),
        "Ask [PERSON]. She is with [ORGANIZATION]\nin [PLACE]"
    );
    assert!(got.ends_with("data: [DONE]\n\n"), "{got}");
    let whole = json!({"object": "chat.completion", "choices": [{"index": 0, "message":
        {"role": "assistant", "content": "I am Zoë"}}]});
    asked.line.upstream.queue(Answer::json(200, &whole));
    let got = asked.line.request(
        &asked.line.master(),
        "POST",
        "/openai/v1/chat/completions",
        &[("content-type", "application/json")],
        chat("Zoë may ask").as_bytes(),
    );
    assert!(got.text().contains("I am [PERSON]"), "{}", got.text());
    assert_eq!(asked.line.outcomes(2)[0].findings.len(), 3);
}

#[test]
fn a_placeholder_for_a_name_is_turned_back() {
    let asked = asked(echo(), names(&["request"], "pseudonym"));
    let (line, token) = (&asked.line, asked.line.master());
    let text = [("content-type", "text/plain")];
    let got = line.request(&token, "POST", "/notes/a", &text, "Zoë is here".as_bytes());
    assert_eq!(got.text(), "Zoë is here");
    let seen = line.upstream.take_requests().remove(0);
    let left = String::from_utf8(seen.body.to_vec()).unwrap();
    assert!(
        left.starts_with("PERSON_") && !left.contains("Zoë"),
        "{left}"
    );
}

#[test]
fn without_an_answer_nothing_passes() {
    // Goal: an analyzer that is wrong, silent or gone refuses requests and ends answers; none of
    // their text passes. Method: each of these, in both directions.
    let odd = [
        Answer::new(200, "application/json", "nonsense"),
        Answer::json(500, &json!({"error": "x"})),
        Answer::json(
            200,
            &json!([{"entity_type": "PERSON", "start": 0, "end": 999, "score": 1}]),
        ),
        Answer::silent(),
    ];
    for (way, odd) in [("request", odd.clone()), ("response", odd)] {
        let mut asked = asked_within(echo(), names(&[way], "mask"), Duration::from_millis(300));
        for answer in odd {
            asked.analyzer.queue(answer.clone());
            // A kept connection is tried first, then another.
            asked.analyzer.queue(answer);
            fails(&asked, way);
            asked = asked_within(echo(), names(&[way], "mask"), Duration::from_millis(300));
        }
        let Asked {
            line,
            analyzer,
            counts,
        } = asked;
        drop(analyzer);
        let gone = Asked {
            line,
            analyzer: analyzer::start(&[]).unwrap(),
            counts,
        };
        fails(&gone, way);
        assert_eq!(gone.counts.failures(), 1);
    }
}

/// One request of which nothing may pass in this direction.
fn fails(asked: &Asked, way: &str) {
    if way == "response" {
        let got = streamed(asked, "Jane Doe is here. And so on");
        assert!(!got.contains("Jane"), "{got}");
        assert!(
            got.contains("cannot_inspect") || got.contains("error"),
            "{got}"
        );
    } else {
        let text = [("content-type", "text/plain")];
        let token = asked.line.master();
        let got = asked
            .line
            .request(&token, "POST", "/notes/a", &text, b"Jane Doe");
        assert_eq!(refused(&got), Some("cannot_inspect"), "{}", got.text());
        assert!(asked.line.upstream.take_requests().is_empty());
    }
    let outcome = asked.line.outcomes(1).remove(0);
    assert_eq!(outcome.refusal, Some(RefusalCode::CannotInspect));
}

/// Goal: a request with more sentences than may be asked about at once is refused, not passed, and
/// the analyzer is spared. Method: as many as may be asked about, and one more.
#[test]
fn more_sentences_than_may_be_asked_about_are_refused() {
    let asked = asked(echo(), names(&["request"], "mask"));
    let text = [("content-type", "text/plain")];
    let sent = |count: usize| {
        let body: String = (0..count).map(|at| format!("Zoë has {at}.\n")).collect();
        let token = asked.line.master();
        asked
            .line
            .request(&token, "POST", "/notes/a", &text, body.as_bytes())
    };
    let got = sent(2049);
    assert_eq!(refused(&got), Some("cannot_inspect"), "{}", got.text());
    assert!(asked.line.upstream.take_requests().is_empty());
    assert!(asked.analyzer.take_requests().is_empty());
    let got = sent(2048);
    assert_eq!(got.text().matches("[PERSON] has").count(), 2048);
    assert!(!got.text().contains("Zoë"));
}

#[test]
fn a_dry_run_asks_and_never_stands_in_the_way() {
    let spec = with(
        names(&["request", "response"], "mask"),
        "dry_run",
        json!(true),
    );
    let asked = asked(echo(), spec);
    let text = "Ask Jane Doe. Zoë knows";
    assert_eq!(said(&streamed(&asked, text)), text);
    let found = &asked.line.outcomes(1)[0].findings;
    assert_eq!(found.iter().map(|it| it.count).sum::<u32>(), 2, "{found:?}");
    asked.analyzer.queue(Answer::json(500, &json!({})));
    asked.analyzer.queue(Answer::json(500, &json!({})));
    assert_eq!(said(&streamed(&asked, "Jane Doe")), "Jane Doe");
}

#[test]
fn a_rule_that_needs_an_analyzer_refuses_where_there_is_none() {
    let line = Line::before(echo());
    line.rule("names", names(&["response"], "mask"));
    let text = [("content-type", "text/plain")];
    let got = line.request(&line.master(), "POST", "/notes/a", &text, b"hello");
    assert_eq!(refused(&got), Some("cannot_inspect"));
}

#[test]
fn an_answer_that_the_analyzer_does_not_read_is_not_asked_for_again() {
    // Goal: no client repeats a request that was carried out and paid for.
    let asked = asked(echo(), names(&["response"], "mask"));
    asked.analyzer.queue(Answer::new(503, "text/plain", ""));
    let token = asked.line.master();
    let text = [("content-type", "application/json")];
    let refusal = asked.line.request(
        &token,
        "POST",
        "/notes/a",
        &text,
        br#"{"a":"Jane Doe was here."}"#,
    );
    assert_eq!(refused(&refusal), Some("cannot_inspect"));
    assert_eq!(refusal.header("retry-after"), None);
    assert_eq!(refusal.header("x-should-retry"), None);
    assert!(refusal.text().contains("(answer: "), "{}", refusal.text());
}

#[test]
fn a_request_that_the_analyzer_does_not_answer_may_be_sent_again() {
    // Goal: official clients try again what a pause of the analyzer refused, and it says so.
    let asked = asked(echo(), names(&["request"], "mask"));
    asked.analyzer.queue(Answer::new(503, "text/plain", ""));
    let token = asked.line.master();
    let refusal = asked.line.chat(&token, &chat("Jane Doe was here."));
    assert_eq!(refused(&refusal), Some("cannot_inspect"));
    assert_eq!(refusal.header("retry-after"), Some("1"));
    assert_eq!(refusal.header("x-should-retry"), Some("true"));
    assert!(refusal.text().contains("analyzer"), "{}", refusal.text());
    let again = asked.line.chat(&token, &chat("Jane Doe was here."));
    assert_eq!(again.status, 200);
}

#[test]
fn no_answer_goes_out_whose_token_ended_while_the_analyzer_was_asked() {
    // Goal: of an answer that is given whole, nothing goes to a token that was revoked. Method: a
    // list of models, and an answer that is no more than its head, each with a name in it; an
    // analyzer that takes its time; and the revocation, as soon as it is asked.
    let models = json!({"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model",
        "owned_by": "Jane Doe"}]});
    let head = Answer::new(200, "text/plain", "").header("x-who", "Jane Doe");
    for (target, answer) in [
        ("/openai/v1/models", Answer::json(200, &models)),
        ("/notes/a", head),
    ] {
        let spec = with(names(&["response"], "mask"), "headers", json!(["x-who"]));
        let asked = asked(echo(), spec);
        let (line, token) = (&asked.line, asked.line.master());
        line.upstream.queue(answer);
        let nobody = Answer::json(200, &json!([]));
        asked
            .analyzer
            .queue(nobody.slow(Duration::from_secs(3), Duration::ZERO));
        let got = std::thread::scope(|scope| {
            let asks = scope.spawn(|| line.request(&token, "GET", target, &[], b""));
            let is_asked = |analyzer: &ReplayUpstream| !analyzer.requests().is_empty();
            assert!(asked.analyzer.wait_until(is_asked), "{target}: never asked");
            line.revoke(token.row.id);
            asks.join().unwrap()
        });
        assert_eq!(refused(&got), Some("revoked"), "{target}: {}", got.text());
        assert!(!got.text().contains("gpt-4o-mini") && got.header("x-who").is_none());
        assert_eq!(line.outcomes(1)[0].end, End::Revoked, "{target}");
    }
}
