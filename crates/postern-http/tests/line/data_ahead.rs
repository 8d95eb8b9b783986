//! Answers under data rules before their heads go out: what is wrong with a beginning is a refusal.

use std::time::{Duration, Instant};

use postern_testkit::{Answer, Cut, Ending, Framing, Gzip};
use postern_types::{End, RefusalCode};
use serde_json::json;

use crate::data::{CARD, refused, rule};
use crate::data_ai::{ai_requests, ai_streams};
use crate::fixture::{Line, read_until};

#[test]
fn what_cannot_be_inspected_from_its_beginning_is_refused_aloud() {
    // Goal: no client gets an empty reply or half of an answer where not a byte of it could go on.
    // Method: bodies of each kind that streams, wrong before their first word has ended, in every
    // framing that tells no small length, however they are cut and coded.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let token = line.master();
    let types = [
        "text/plain",
        "text/csv",
        "application/xml",
        "application/x-ndjson",
        "text/event-stream",
        "text/html",
    ];
    let mut sent = 0;
    for content_type in types {
        let body = [b"Bl\xe5b".as_slice(), &b"\xe6rgr\xf8d ".repeat(3_000)].concat();
        for (framing, cut, gzip) in [
            (Framing::Chunked, Cut::Every(1_000), Gzip::Never),
            (Framing::Chunked, Cut::At(vec![2, 5]), Gzip::Never),
            (Framing::Length, Cut::Every(5_000), Gzip::Never),
            (Framing::UntilClose, Cut::Whole, Gzip::Never),
            (Framing::Chunked, Cut::Every(10), Gzip::Always),
        ] {
            let shown = format!("{content_type}, {framing:?}, {cut:?}, {gzip:?}");
            let answer = Answer::new(200, content_type, body.clone());
            line.upstream
                .queue(answer.framed(framing).cut(cut).gzip(gzip));
            let got = line.request(&token, "GET", "/notes/a", &[], b"");
            assert_eq!(got.status, 422, "{shown}: {}", got.text());
            assert_eq!(refused(&got), Some("cannot_inspect"), "{shown}");
            assert!(got.complete && got.text().contains("answer"), "{shown}");
            sent += 1;
        }
    }
    let outcomes = line.outcomes(sent);
    for outcome in outcomes {
        assert_eq!(outcome.end, End::Refused);
        assert_eq!(outcome.refusal, Some(RefusalCode::CannotInspect));
    }
}

#[test]
fn what_is_blocked_before_anything_went_on_is_refused_aloud() {
    let line = Line::new();
    line.rule("cards", rule(&["response"], "block"));
    let token = line.master();
    let body = format!("{CARD} is my card. {}", "So it goes. ".repeat(2_000));
    let answer = Answer::new(200, "text/plain", body.clone()).framed(Framing::Chunked);
    line.upstream.queue(answer.cut(Cut::Every(7)));
    let got = line.request(&token, "GET", "/notes/a", &[], b"");
    assert_eq!(refused(&got), Some("data_blocked"), "{}", got.text());
    // What is found later can only break off.
    let answer = Answer::new(200, "text/plain", format!("well, {body}"));
    line.upstream
        .queue(answer.framed(Framing::Chunked).cut(Cut::Every(7)));
    let got = line.request(&token, "GET", "/notes/a", &[], b"");
    assert_eq!((got.status, got.complete), (200, false));
    assert!("well, ".starts_with(&got.text()), "{}", got.text());
    let outcomes = line.outcomes(2);
    assert!(outcomes.iter().all(|it| it.findings.len() == 1));
}

#[test]
fn a_stream_that_is_wrong_from_its_first_event_is_refused_with_a_status() {
    // Goal: an official client raises its own type for it, instead of an error amid a stream.
    // Method: in each dialect a first event in which a key stands twice.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let token = line.master();
    for ((upstream, target, request), stream) in
        ai_requests(true).into_iter().zip(ai_streams(&["well"]))
    {
        let odd = stream.replacen("data: {", "data: {\"x\":1,\"x\":2,", 1);
        line.upstream.queue(Answer::events(odd));
        let headers = [("content-type", "application/json")];
        let target = format!("/{upstream}{target}");
        let body = request.to_string();
        let got = line.request(&token, "POST", &target, &headers, body.as_bytes());
        assert_eq!(refused(&got), Some("cannot_inspect"), "{target}");
        assert_eq!(got.status, 422, "{target}");
        assert_eq!(got.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_growing_array_that_is_wrong_from_its_first_element_is_refused_with_a_status() {
    // Goal: the bracket of Gemini's array does not take the head out before an element is judged.
    // Method: a card that blocks, in the first element, however it is cut.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "block"));
    let token = line.master();
    let target = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    let body = json!({"contents": [{"parts": [{"text": "well?"}]}]}).to_string();
    let headers = [("content-type", "application/json")];
    let element = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]});
    let bad = json!([element(&format!("{CARD} is it. ")), element("So it goes.")]).to_string();
    for cut in [Cut::Whole, Cut::Every(1), Cut::Every(40)] {
        let answer = Answer::new(200, "application/json", bad.clone());
        let answer = answer.framed(Framing::Chunked).cut(cut.clone());
        line.upstream.queue(answer);
        let got = line.request(&token, "POST", target, &headers, body.as_bytes());
        assert_eq!(got.status, 403, "{cut:?}: {}", got.text());
        assert_eq!(refused(&got), Some("data_blocked"), "{cut:?}");
    }
}

#[test]
fn the_head_leaves_with_the_first_event_and_waits_for_none_for_long() {
    // Goal: nobody waits for more than there is: the first event goes at once, and the head alone
    // where no event comes. Method: a stream that falls silent after an event, and one that never
    // says anything.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let token = line.master();
    let request = ai_requests(true)[0].2.to_string();
    let event = json!({"object": "chat.completion.chunk", "choices": [{"index": 0,
        "delta": {"content": "well, what "}}]});
    for (first, seen) in [
        (format!("data: {event}\n\n"), "well,"),
        (String::new(), "\r\n\r\n"),
    ] {
        let silence = Duration::from_secs(60);
        line.upstream.queue(Answer::endless(first, "", silence));
        let target = "/openai/v1/chat/completions";
        let mut client = line.begin(&token, target, request.len(), request.as_bytes());
        let got = read_until(&mut client, seen);
        assert!(got.starts_with("HTTP/1.1 200"), "{got}");
        assert!(got.contains(seen), "{got}");
    }
}

/// Asks, revokes the token when it is time, and gives whether that came before the answer.
fn revoked_amid(line: &Line, answer: Answer, is_time: impl Fn(&Line) -> bool) -> bool {
    let token = line.master();
    line.upstream.queue(answer);
    let got = std::thread::scope(|scope| {
        let asked = scope.spawn(|| line.request(&token, "GET", "/notes/a", &[], b""));
        assert!(line.upstream.wait_until(|_| is_time(line)));
        line.revoke(token.row.id);
        asked.join().unwrap()
    });
    let revoked = refused(&got) == Some("revoked");
    assert_eq!(got.text().contains("[CARD]"), !revoked);
    revoked
}

#[test]
fn what_was_found_in_an_answer_that_is_never_sent_is_recorded() {
    // Goal: the record says what a text held although its token ended before it could go out.
    // Method: most of a small text, which is held to its end, and then next to nothing.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let mut answer = Answer::new(200, "text/plain", format!("my card is {CARD}, and so "));
    answer.framing = Framing::Claimed(16_000);
    answer.ending = Ending::Repeat {
        piece: "on ".into(),
        every: Duration::from_millis(2),
    };
    assert!(revoked_amid(&line, answer, |line| line.upstream.repeats() > 100));
    let outcome = line.outcomes(1).remove(0);
    assert_eq!(outcome.end, End::Revoked);
    assert_eq!(outcome.findings.len(), 1, "{outcome:?}");
}

#[test]
fn what_a_reader_finds_after_its_token_ended_is_recorded() {
    // Goal: who revokes a token does not wait for a large document that is at work, and what is
    // found in it counts. Method: a document that takes some time, and revokes a little later each
    // time; one of them must come while it is at work.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let words = "so it goes on ".repeat(500_000);
    let document = json!({"a": CARD, "b": words}).to_string();
    let caught = (1..60).any(|round: usize| {
        let answer = Answer::new(200, "application/json", document.clone());
        let begun = Instant::now();
        let wait = Duration::from_millis(2 * round as u64);
        let asked = |line: &Line| line.upstream.requests().len() == round;
        let revoked = revoked_amid(&line, answer, |line| asked(line) && begun.elapsed() > wait);
        let outcome = line.outcomes(round).remove(round - 1);
        assert_eq!(outcome.end == End::Revoked, revoked);
        revoked && outcome.findings.len() == 1
    });
    assert!(caught, "no revoke came while the document was at work");
}
