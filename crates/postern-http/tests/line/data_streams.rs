//! Streams under data rules over time: what is held while nothing comes, and what is large.

use std::time::Duration;

use postern_testkit::{Answer, Cut, Gzip};
use postern_types::{End, RefusalCode};

use crate::data::{CARD, rule};
use crate::data_ai::{ai_requests, ai_streams, delta_text};
use crate::fixture::{Line, read_until};

/// What a request that begins now gets.
fn now_answered(line: &Line) -> String {
    let said = serde_json::json!({"object": "chat.completion", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": CARD}}]});
    line.upstream.queue(Answer::json(200, &said));
    let request = ai_requests(false)[0].2.to_string();
    line.chat(&line.master(), &request).text()
}

#[test]
fn a_stream_keeps_the_rules_that_it_began_with() {
    // Goal: a rule that goes or comes while a stream runs changes nothing in it, and holds from the
    // next request on. Method: an endless stream that says a value with each event, under a rule
    // that is deleted, and then under none while one is made.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let event = |text: &str| {
        let stream = &ai_streams(&[text])[0];
        stream.split_inclusive("\n\n").next().unwrap().to_owned()
    };
    let begin = || {
        let pace = Duration::from_millis(2);
        let said = event(&format!("{CARD} "));
        line.upstream
            .queue(Answer::endless(event("well "), said, pace));
        let token = line.master();
        let (_, target, request) = ai_requests(true).into_iter().next().unwrap();
        let body = request.to_string();
        line.begin(
            &token,
            &format!("/openai{target}"),
            body.len(),
            body.as_bytes(),
        )
    };
    let mut client = begin();
    read_until(&mut client, "[CARD]");
    line.no_rule("cards");
    assert!(now_answered(&line).contains(CARD));
    for _ in 0..20 {
        let seen = read_until(&mut client, "[CARD]");
        assert!(seen.contains("[CARD]") && !seen.contains(CARD), "{seen}");
    }
    drop(client);
    let mut client = begin();
    read_until(&mut client, CARD);
    line.rule("cards", rule(&["response"], "mask"));
    assert!(!now_answered(&line).contains(CARD));
    for _ in 0..20 {
        let seen = read_until(&mut client, CARD);
        assert!(seen.contains(CARD) && !seen.contains("[CARD]"), "{seen}");
    }
}

/// An event that carries nothing.
const PING: &str = ": ping\n\n";

#[test]
fn silence_alone_releases_nothing() {
    // Goal: what could still become a value stays held however long nothing of its text comes,
    // also when the stream is ended from outside; events without text go on past it meanwhile.
    // Method: in each dialect a stream whose last text is most of a number, and then pings for as
    // long as anybody likes; after many of them its token is revoked.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let (begun, _) = CARD.split_at(12);
    let streams = ai_streams(&["it is ", begun]);
    for ((upstream, target, request), stream) in ai_requests(true).into_iter().zip(streams) {
        let deltas: String = stream.split_inclusive("\n\n").take(2).collect();
        assert!(deltas.contains(begun));
        let pace = Duration::from_millis(2);
        line.upstream.queue(Answer::endless(deltas, PING, pace));
        let token = line.master();
        let body = request.to_string();
        let target = format!("/{upstream}{target}");
        let mut client = line.begin(&token, &target, body.len(), body.as_bytes());
        let mut seen = String::new();
        for _ in 0..50 {
            seen += &read_until(&mut client, PING.trim_end());
        }
        assert!(seen.contains("it is"), "{target}: {seen}");
        line.revoke(token.row.id);
        seen += &read_until(&mut client, "\r\n0\r\n\r\n");
        assert!(seen.contains("error"), "{target}: {seen}");
        assert!(!seen.contains(&begun[..6]), "{target}: {seen}");
    }
}

#[test]
fn large_events_are_cleaned_like_small_ones() {
    // Goal: an event that is cleaned on another thread, because it is large, goes on in its place
    // with all of its findings recorded. Method: in each dialect a small event, a large one with a
    // value in the middle and half of one at its end, and the other half in a small one.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let token = line.master();
    let words = "so it goes on ".repeat(15_000);
    let (begun, rest) = CARD.split_at(7);
    let large = format!("{words}{CARD} {words}{begun}");
    let pieces = ["well, ", &large, rest, ", as I said."];
    let expected = format!("well, {words}[CARD] {words}[CARD], as I said.");
    let streams = ai_streams(&pieces);
    let mut sent = 0;
    for ((upstream, target, request), stream) in ai_requests(true).into_iter().zip(streams) {
        for gzip in [Gzip::Never, Gzip::Always] {
            let answer = Answer::events(stream.clone()).cut(Cut::Every(30_000));
            line.upstream.queue(answer.gzip(gzip));
            let headers = [("content-type", "application/json")];
            let target = format!("/{upstream}{target}");
            let body = request.to_string();
            let got = line.request(&token, "POST", &target, &headers, body.as_bytes());
            let text = got.text();
            assert!(delta_text(&text) == expected, "{target}");
            assert!(!text.contains(CARD), "{target}");
            sent += 1;
        }
    }
    let outcomes = line.outcomes(sent);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.findings.iter().map(|it| it.count).sum::<u32>() >= 2)
    );
}

#[test]
fn a_stream_ends_with_the_providers_error_while_its_reader_is_away() {
    // Goal: who ends a stream does not wait for a worker that has its reader; the client has the
    // provider's error at once, and what was found before is recorded. Method: no worker is ever
    // free; in each dialect a value that goes on masked, then an event that is large, and then
    // pings, none of which can pass it.
    let line = Line::without_workers();
    line.rule("cards", rule(&["response"], "mask"));
    let large = "so it goes on ".repeat(15_000);
    let value = format!("my card is {CARD} and ");
    let streams = ai_streams(&[&value, "then ", &large]);
    for (at, ((upstream, target, request), stream)) in
        ai_requests(true).into_iter().zip(streams).enumerate()
    {
        let deltas: String = stream.split_inclusive("\n\n").take(3).collect();
        assert!(deltas.contains(&large));
        let before = line.upstream.repeats();
        line.upstream
            .queue(Answer::endless(deltas, PING, Duration::from_millis(1)));
        let token = line.master();
        let body = request.to_string();
        let target = format!("/{upstream}{target}");
        let mut client = line.begin(&token, &target, body.len(), body.as_bytes());
        let mut seen = read_until(&mut client, "[CARD]");
        assert!(
            line.upstream.wait_until(|it| it.repeats() > before + 20),
            "{target}"
        );
        line.revoke(token.row.id);
        seen += &read_until(&mut client, "\r\n0\r\n\r\n");
        assert!(seen.contains("error"), "{target}: {seen}");
        assert!(seen.ends_with("\r\n0\r\n\r\n"), "{target}: {seen}");
        assert!(!seen.contains(": ping") && !seen.contains("so it goes"));
        let outcome = line.outcomes(at + 1).remove(at);
        assert_eq!(outcome.end, End::Revoked, "{target}");
        assert_eq!(outcome.refusal, Some(RefusalCode::Revoked), "{target}");
        assert_eq!(outcome.findings.len(), 1, "{target}");
    }
}
