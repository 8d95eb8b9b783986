//! Data rules on the line: what is found does not pass, in neither direction, and what cannot be
//! inspected is refused.

use std::io::Write as _;

use postern_testkit::raw::RawAnswer;
use postern_testkit::{Answer, Cut, Framing, Gzip, ReplayUpstream, SeenRequest};
use postern_types::{End, Finding, OutcomeRecord, RefusalCode};
use serde_json::{Value, json};

use crate::fixture::{Line, read_until};

/// A card number: its check digit holds.
pub(crate) const CARD: &str = "4539578763621486";

pub(crate) fn rule(directions: &[&str], action: &str) -> Value {
    json!({"directions": directions, "classes": ["card"], "action": action})
}

pub(crate) fn with(mut rule: Value, name: &str, value: Value) -> Value {
    rule[name] = value;
    rule
}

/// A gateway with one rule, in front of an upstream that gives back what it was sent.
pub(crate) fn echoing(spec: Value) -> Line {
    let echo = |request: &SeenRequest| {
        let content_type = request.header("content-type").unwrap_or("text/plain");
        Answer::new(200, content_type, request.body.clone())
    };
    let line = Line::before(ReplayUpstream::start(echo).unwrap());
    line.rule("cards", spec);
    line
}

pub(crate) fn post(line: &Line, content_type: &str, body: &[u8]) -> RawAnswer {
    let headers = [("content-type", content_type)];
    line.request(&line.master(), "POST", "/notes/a", &headers, body)
}

fn get(line: &Line, answer: Answer) -> RawAnswer {
    line.upstream.queue(answer);
    line.request(&line.master(), "GET", "/notes/a", &[], b"")
}

pub(crate) fn refused(answer: &RawAnswer) -> Option<&str> {
    answer.header("postern-refusal")
}

fn only_outcome(line: &Line) -> OutcomeRecord {
    line.outcomes(1).remove(0)
}

#[test]
fn a_value_in_a_request_does_not_leave() {
    // Goal: no form of plain body, no named header and no named parameter carries the value out.
    // Method: a row a form, against an upstream that keeps what it saw.
    let disposition = "Content-Disposition: form-data; name=\"a\"";
    let forms = [
        ("text/plain", format!("my card is {CARD} ok")),
        ("application/json", format!("{{\"a\":[\"{CARD}\"]}}")),
        (
            "application/x-ndjson",
            format!("{{\"a\":1}}\n{{\"b\":\"{CARD}\"}}\n"),
        ),
        ("application/x-www-form-urlencoded", format!("a=b&c={CARD}")),
        ("text/csv", format!("a,b\n1,{CARD}\n")),
        ("application/xml", format!("<a><b>{CARD}</b></a>")),
        (
            "multipart/form-data; boundary=b",
            format!("--b\r\n{disposition}\r\n\r\n{CARD}\r\n--b--\r\n"),
        ),
    ];
    let line = Line::new();
    line.rule(
        "cards",
        with(
            with(
                rule(&["request"], "mask"),
                "headers",
                json!(["accept-language"]),
            ),
            "query",
            json!(["where"]),
        ),
    );
    let token = line.master();
    for (content_type, body) in forms {
        line.upstream.queue(Answer::new(204, "text/plain", ""));
        let headers = [("content-type", content_type), ("accept-language", CARD)];
        let target = format!("/notes/a?where={CARD}&limit=2");
        let answer = line.request(&token, "POST", &target, &headers, body.as_bytes());
        assert_eq!(answer.status, 204, "{content_type}: {}", answer.text());
        let seen = line.upstream.take_requests().remove(0);
        let sent = String::from_utf8(seen.body.clone()).unwrap();
        let expected = match content_type.contains("urlencoded") {
            true => body.replace(CARD, "%5BCARD%5D"),
            false => body.replace(CARD, "[CARD]"),
        };
        assert_eq!(sent, expected, "{content_type}");
        assert_eq!(seen.header("accept-language"), Some("[CARD]"));
        assert_eq!(seen.target, "/a?where=%5BCARD%5D&limit=2");
        let length = seen.header("content-length").unwrap();
        assert_eq!(length, sent.len().to_string(), "{content_type}");
    }
    // JSON in either is read as JSON: its escapes hide nothing.
    line.upstream.queue(Answer::new(204, "text/plain", ""));
    let hidden = format!("{{\"eq\":\"\\u003{CARD}\"}}");
    let coded = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let headers = [("accept-language", hidden.as_str())];
    let target = format!("/notes/a?where={}", coded(&hidden));
    let answer = line.request(&token, "GET", &target, &headers, b"");
    assert_eq!(answer.status, 204, "{}", answer.text());
    let seen = line.upstream.take_requests().remove(0);
    let clean = "{\"eq\":\"[CARD]\"}";
    assert_eq!(seen.header("accept-language"), Some(clean));
    assert_eq!(seen.target, format!("/a?where={}", coded(clean)));
}

#[test]
fn a_value_in_an_answer_does_not_arrive() {
    // Goal: as above for answers, however they are cut and framed, errors and headers included.
    let line = Line::new();
    line.rule(
        "cards",
        with(rule(&["response"], "mask"), "headers", json!(["x-note"])),
    );
    let rows = [
        ("text/plain", format!("my card is {CARD} ok")),
        ("application/json", format!("{{\"a\":[\"{CARD}\"]}}")),
        (
            "application/x-ndjson",
            format!("{{\"a\":1}}\n{{\"b\":\"{CARD}\"}}\n"),
        ),
        ("text/html", format!("<p>{CARD}</p>")),
        (
            "text/event-stream",
            format!("data: {{\"a\":\"{CARD}\"}}\n\ndata: [DONE]\n\n"),
        ),
    ];
    for (content_type, body) in rows {
        for (status, cut) in [(200, 1), (200, 7), (500, 4096)] {
            for framing in [Framing::Length, Framing::Chunked] {
                let answer = Answer::new(status, content_type, body.clone())
                    .header("x-note", CARD)
                    .header("etag", "\"1\"")
                    .header("content-digest", "sha-256=:AA==:")
                    .header("accept-ranges", "bytes")
                    .framed(framing)
                    .cut(Cut::Every(cut))
                    .trailer("x-sum", CARD);
                let answer = get(&line, answer);
                assert_eq!(answer.status, status);
                assert_eq!(
                    answer.text(),
                    body.replace(CARD, "[CARD]"),
                    "{content_type}"
                );
                assert_eq!(answer.header("x-note"), Some("[CARD]"));
                for gone in ["etag", "content-digest", "accept-ranges", "x-sum"] {
                    assert_eq!(answer.header(gone), None, "{content_type}: {gone}");
                }
            }
        }
    }
    assert!(line.upstream.malformed().is_empty());
}

#[test]
fn compressed_bodies_are_inspected_both_ways() {
    let line = echoing(rule(&["request", "response"], "mask"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("my card is {CARD} ok").as_bytes())
        .unwrap();
    let headers = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    let body = gzip.finish().unwrap();
    let answer = line.request(&line.master(), "POST", "/notes/a", &headers, &body);
    assert_eq!(answer.text(), "my card is [CARD] ok");
    let seen = line.upstream.take_requests().remove(0);
    assert_eq!(seen.body, b"my card is [CARD] ok");
    assert_eq!(seen.header("content-encoding"), None);
    let coded = Answer::new(200, "text/plain", format!("it is {CARD}.")).gzip(Gzip::Always);
    let answer = get(&line, coded);
    assert_eq!(answer.text(), "it is [CARD].");
    assert_eq!(answer.header("content-encoding"), None);
}

#[test]
fn what_cannot_be_inspected_is_refused_and_not_sent() {
    let line = Line::new();
    line.rule("cards", rule(&["request"], "mask"));
    let token = line.master();
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b' '; 8 << 20]).unwrap();
        gzip.finish().unwrap()
    };
    let rows: [(&str, &str, &[u8]); 8] = [
        ("application/json", "", b"{\"a\":\"\xff\"}"),
        ("application/json", "", b"{\"a\":1"),
        ("text/plain; charset=utf-16", "", b"a"),
        ("text/plain", "compress", b"a"),
        ("text/plain", "gzip", b"not gzip"),
        ("text/plain", "gzip", &bomb),
        ("image/png", "", b"\x89PNG"),
        ("", "", b"a"),
    ];
    for (content_type, encoding, body) in rows {
        let mut headers = vec![
            ("content-type", content_type),
            ("content-encoding", encoding),
        ];
        headers.retain(|(_, value)| !value.is_empty());
        let answer = line.request(&token, "POST", "/notes/a", &headers, body);
        assert_eq!(
            refused(&answer),
            Some("cannot_inspect"),
            "{content_type} {encoding}"
        );
    }
    assert!(line.upstream.requests().is_empty());
    assert!(line.outcomes(8).iter().all(|it| it.end == End::Refused));
}

#[test]
fn what_cannot_be_inspected_does_not_arrive() {
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let part = || Answer::new(206, "text/plain", "a").header("content-range", "bytes 0-0/9");
    let rows = [
        Answer::new(200, "application/json", "{\"a\":1"),
        Answer::new(200, "image/png", "x"),
        Answer::new(200, "text/plain; charset=utf-16", "x"),
        Answer::new(200, "text/plain", "x").header("content-type", "text/html"),
        part(),
    ];
    for answer in rows {
        let shown = format!("{answer:?}");
        assert_eq!(
            refused(&get(&line, answer)),
            Some("cannot_inspect"),
            "{shown}"
        );
    }
    // What cannot even be searched for the upstream's credential is the upstream's own fault.
    let coded = Answer::new(200, "text/plain", "x").header("content-encoding", "compress");
    assert_eq!(refused(&get(&line, coded)), Some("upstream_protocol"));
    // No body, nothing to inspect.
    assert_eq!(get(&line, Answer::new(204, "image/png", "")).status, 204);
    // A part is not even asked for.
    line.upstream.take_requests();
    line.upstream.queue(part());
    let range = [("range", "bytes=0-0"), ("if-range", "\"1\"")];
    let answer = line.request(&line.master(), "GET", "/notes/a", &range, b"");
    assert_eq!(refused(&answer), Some("cannot_inspect"));
    let seen = line.upstream.take_requests().remove(0);
    assert_eq!(
        (seen.header("range"), seen.header("if-range")),
        (None, None)
    );
}

#[test]
fn what_is_no_text_passes_where_the_rule_says_so() {
    let both = rule(&["request", "response"], "mask");
    let line = echoing(with(both, "opaque", json!("allow")));
    let answer = post(&line, "image/png", b"\x89PNG\xff");
    assert_eq!(answer.body, b"\x89PNG\xff");
    assert_eq!(line.upstream.take_requests()[0].body, b"\x89PNG\xff");
}

#[test]
fn a_blocked_request_is_refused_in_its_dialect_and_not_sent() {
    let line = Line::new();
    line.rule("cards", rule(&["request"], "block"));
    let token = line.master();
    let chat = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": CARD}]});
    let answer = line.chat(&token, &chat.to_string());
    assert_eq!(refused(&answer), Some("data_blocked"), "{}", answer.text());
    assert_eq!(answer.json()["error"]["code"], "data_blocked");
    assert!(!answer.text().contains(CARD));
    assert!(line.upstream.requests().is_empty());
    let outcome = only_outcome(&line);
    assert_eq!(outcome.refusal, Some(RefusalCode::DataBlocked));
    assert_eq!(outcome.findings.len(), 1, "{outcome:?}");
    assert_eq!(outcome.findings[0].rule.as_str(), "cards");
}

#[test]
fn a_blocked_answer_is_refused_whole_or_ends_where_it_is() {
    let line = Line::new();
    line.rule("cards", rule(&["response"], "block"));
    let whole = get(
        &line,
        Answer::new(200, "application/json", format!("\"{CARD}\"")),
    );
    assert_eq!(refused(&whole), Some("data_blocked"));
    let token = line.master();
    let event = |text: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {delta}\n\n")
    };
    let stream = event("so far so good ") + &event(&format!("{CARD} ")) + "data: [DONE]\n\n";
    line.upstream
        .queue(Answer::events(stream).cut(Cut::AtEvents));
    let chat = r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#;
    let answer = line.chat(&token, chat);
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(text.contains("so far so good"), "{text}");
    assert!(
        text.contains("data_blocked") && !text.contains(CARD),
        "{text}"
    );
    let outcomes = line.outcomes(2);
    for outcome in outcomes {
        assert_eq!(outcome.refusal, Some(RefusalCode::DataBlocked));
        assert_eq!(outcome.findings.len(), 1);
    }
}

#[test]
fn text_leaves_as_soon_as_it_may() {
    // Goal: a rule does not turn a stream into a document. Method: an upstream that never ends;
    // what came before the last word is there all the same.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let pace = std::time::Duration::from_millis(2);
    line.upstream.queue(Answer {
        headers: vec![("content-type".into(), "text/plain".into())],
        ..Answer::endless(format!("so {CARD} far "), "and on ", pace)
    });
    let token = line.master();
    let mut client = line.begin(&token, "/notes/a", 2, b"{}");
    let seen = read_until(&mut client, "[CARD] far");
    assert!(seen.contains("so [CARD]"), "{seen}");
}

#[test]
fn a_placeholder_is_turned_back_in_the_answer() {
    // Goal: the upstream never sees the value, its caller gets it back. Method: an upstream that
    // gives back what it was sent, for a document, text and a stream.
    let line = echoing(rule(&["request"], "pseudonym"));
    let rows = [
        ("application/json", format!("{{\"a\":\"to {CARD}.\"}}")),
        ("text/plain", format!("my card is {CARD} ok")),
        (
            "text/event-stream",
            format!("data: {{\"a\":\"{CARD}\"}}\n\n"),
        ),
    ];
    for (content_type, body) in rows {
        let answer = post(&line, content_type, body.as_bytes());
        assert_eq!(answer.text(), body, "{content_type}");
        let seen = line.upstream.take_requests().remove(0);
        let seen = String::from_utf8(seen.body).unwrap();
        assert!(seen.contains("CARD_") && !seen.contains(CARD), "{seen}");
    }
    // Nothing was asked of the answers but that, so they pass whatever they are.
    let answer = get(
        &line,
        Answer::new(200, "image/png", "x").header("etag", "\"1\""),
    );
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"1\"")));
}

#[test]
fn an_answer_that_only_has_placeholders_turned_back_is_held_within_bounds() {
    // Goal: an answer that cannot be read passes as it came, but is never held without an end.
    // Method: documents above what is read, below and above what is held.
    let line = Line::new();
    line.rule("cards", rule(&["request"], "pseudonym"));
    let token = line.master();
    let headers = [("content-type", "application/json")];
    let request = format!("{{\"a\":\"{CARD}\"}}");
    let asks = |mebibytes: usize| {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(mebibytes << 20));
        let answer = Answer::new(200, "application/json", body.clone());
        line.upstream.queue(answer.framed(Framing::Chunked));
        let answer = line.request(&token, "POST", "/notes/a", &headers, request.as_bytes());
        (answer, body)
    };
    let (answer, body) = asks(20);
    assert_eq!(answer.status, 200);
    assert!(answer.body == body.as_bytes(), "it was changed");
    let (answer, _) = asks(33);
    assert_eq!(refused(&answer), Some("cannot_inspect"));
}

#[test]
fn a_dry_run_reports_and_changes_nothing() {
    // Goal: what passes without the rule passes with it, also what could not be inspected.
    let both = rule(&["request", "response"], "mask");
    let line = echoing(with(both, "dry_run", json!(true)));
    for (content_type, body) in [
        ("text/plain", format!("my card is {CARD} ok").into_bytes()),
        (
            "application/json",
            format!("{{\"a\":\"{CARD}\"}}").into_bytes(),
        ),
        ("application/json", b"{\"a\":1".to_vec()),
        ("image/png", b"\x89PNG\xff".to_vec()),
    ] {
        let answer = post(&line, content_type, &body);
        assert_eq!(answer.body, body, "{content_type}");
        assert_eq!(
            line.upstream.take_requests()[0].body,
            body,
            "{content_type}"
        );
    }
    let outcomes = line.outcomes(4);
    assert!(outcomes[0].findings.iter().all(|finding| finding.dry_run));
    assert_eq!(outcomes[0].findings.len(), 2, "{:?}", outcomes[0].findings);
    assert_eq!(outcomes[1].findings.len(), 2, "{:?}", outcomes[1].findings);
    for outcome in &outcomes[2..] {
        let told = |it: &Finding| format!("{} {}", it.class, it.direction.as_str());
        let told: Vec<String> = outcome.findings.iter().map(told).collect();
        let both = [
            "custom:cannot_inspect request",
            "custom:cannot_inspect response",
        ];
        assert_eq!(told, both, "{outcome:?}");
    }
}

#[test]
fn rules_are_of_their_environment_and_upstream_and_hold_from_the_next_request() {
    let line = echoing(with(
        rule(&["request"], "mask"),
        "upstream",
        json!("openai"),
    ));
    let elsewhere = post(&line, "text/plain", CARD.as_bytes());
    assert_eq!(elsewhere.text(), CARD);
    line.rule("all", rule(&["request"], "mask"));
    assert_eq!(post(&line, "text/plain", CARD.as_bytes()).text(), "[CARD]");
    let grants = ["notes:call:POST /{path...} body=any"];
    let prod = line.token_of("prod", "service:web", &grants, &[]);
    let headers = [("content-type", "text/plain")];
    let there = line.request(&prod, "POST", "/notes/a", &headers, CARD.as_bytes());
    assert_eq!(there.text(), CARD);
}

#[test]
fn rules_that_do_not_compile_refuse_what_they_are_for() {
    // Goal: a rule set that cannot be acted on never lets anything pass. Method: rules that the
    // admin API would not save, straight into the store.
    let field = json!([{"path": "no path", "class": "card"}]);
    let person = json!({"directions": ["response"], "classes": ["person"], "action": "mask"});
    for spec in [with(rule(&["request"], "mask"), "fields", field), person] {
        let line = Line::new();
        line.rule("broken", spec);
        let answer = post(&line, "text/plain", b"harmless");
        assert_eq!(refused(&answer), Some("cannot_inspect"));
        assert!(line.upstream.requests().is_empty());
    }
}

#[test]
fn a_large_body_is_cleaned_too_while_others_go_on() {
    // Goal: what takes long is done aside, with the same result. Method: a document far above what
    // is cleaned inline, there and back, beside a stream that goes on.
    let line = echoing(rule(&["request", "response"], "mask"));
    let text = format!("and so on and on with {CARD}, and further. ").repeat(20_000);
    let body = json!({"a": text}).to_string();
    let answer = post(&line, "application/json", body.as_bytes());
    assert_eq!(answer.text(), body.replace(CARD, "[CARD]"));
    let seen = line.upstream.take_requests().remove(0);
    assert_eq!(seen.body, answer.body);
    assert_eq!(only_outcome(&line).findings[0].count, 20_000);
}

#[test]
fn a_class_that_the_guard_rails_reveal_passes_and_is_reported() {
    let line = echoing(rule(&["request", "response"], "mask"));
    line.policy(
        "see-cards",
        r#"permit(principal == Postern::Principal::"service:web",
            action == Postern::Action::"reveal_in_request",
            resource == Postern::DataClass::"card");"#,
    );
    let body = format!("my card is {CARD} ok");
    let answer = post(&line, "text/plain", body.as_bytes());
    assert_eq!(answer.text(), "my card is [CARD] ok");
    assert_eq!(line.upstream.take_requests()[0].body, body.as_bytes());
    let actions: Vec<String> = only_outcome(&line)
        .findings
        .iter()
        .map(|finding| finding.action.to_string())
        .collect();
    assert_eq!(actions, ["flag", "mask"]);
}
