//! Bodies that are read whole: a bound in all, a share for each token, and no byte kept for good.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use postern_guard::GuardBounds;
use postern_store::Issued;
use postern_testkit::{Answer, Reading, ReplayUpstream};
use postern_types::{End, RefusalCode};
use serde_json::json;

use crate::analyzer::echo;
use crate::data::{CARD, refused, rule, with};
use crate::fixture::{Line, POLL, read_until};

/// Room for all bodies in these tests.
const ROOM: u64 = 1 << 20;
const CHAT: &str = "/openai/v1/chat/completions";
const SMALL: &str = r#"{"model":"gpt-4o-mini","messages":[]}"#;
const GRANT: [&str; 1] = ["openai:invoke:gpt-4o-mini"];

fn narrow() -> Line {
    let bounds = GuardBounds {
        body_bytes_max: ROOM,
        ..GuardBounds::default()
    };
    Line::with(ReplayUpstream::own().unwrap(), bounds)
}

/// A chat request of about so many bytes.
fn large(bytes: usize) -> String {
    let text = "x".repeat(bytes);
    format!(r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"{text}"}}]}}"#)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(POLL);
    }
}

fn until_empty(line: &Line) {
    until("the requests did not end", || {
        line.guard.status().in_progress == 0
    });
    until("the room did not come back", || {
        line.guard.status().body_bytes == 0
    });
}

/// Whether an answer has come. Nothing is taken off the connection.
fn is_answered(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let answered = matches!(client.peek(&mut [0]), Ok(count) if count > 0);
    client.set_nonblocking(false).unwrap();
    answered
}

#[test]
fn answers_that_are_held_to_their_end_take_room_too() {
    // Goal: what is held of answers under rules is bounded with the bodies of requests, and comes
    // back. Method: answers below and above a token's share, read under a rule of their own and for
    // placeholders alone, where they are held twice; and JSON that calls itself something else.
    let (json, html) = ("application/json", "text/html");
    let rows = [
        (json, "response", 400_000, 200),
        (json, "response", 600_000, 503),
        (html, "response", 400_000, 200),
        (html, "response", 600_000, 503),
        (json, "request", 200_000, 200),
        (json, "request", 400_000, 503),
    ];
    let headers = [("content-type", "application/json")];
    let request = format!("{{\"a\":\"{CARD}\"}}");
    for (kind, direction, bytes, status) in rows {
        let line = narrow();
        line.rule("cards", rule(&[direction], "pseudonym"));
        let text = "x".repeat(bytes);
        let text = json!({ "a": text }).to_string();
        line.upstream.queue(Answer::new(200, kind, text));
        let token = line.master();
        let answer = line.request(&token, "POST", "/notes/a", &headers, request.as_bytes());
        assert_eq!(answer.status, status, "{kind} {direction} {bytes}");
        let refusal = (status == 503).then_some("overloaded");
        assert_eq!(refused(&answer), refusal, "{kind} {direction} {bytes}");
        until_empty(&line);
    }
}

#[test]
fn half_sent_bodies_of_one_token_leave_room_for_others() {
    // Goal: a token that hoards is refused, and another one is served all the while. Method: many
    // bodies that are sent by half, until the gateway turns one away.
    let line = narrow();
    let (hoarder, other) = (line.token(&GRANT, &[]), line.token(&GRANT, &[]));
    let body = large(200_000);
    let mut clients: Vec<TcpStream> = Vec::new();
    until("the hoarder was never refused", || {
        if clients.len() < 20 {
            clients.push(line.begin(&hoarder, CHAT, body.len(), &body.as_bytes()[..100_000]));
        }
        clients.iter().any(is_answered)
    });
    assert!(line.guard.status().body_bytes <= ROOM / 2 + 100_000);
    let turned_away = clients.iter().position(is_answered).unwrap();
    let answer = read_until(&mut clients.swap_remove(turned_away), "\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("postern-refusal: too_many_concurrent"));
    assert!(answer.contains("retry-after: 1"), "{answer}");
    let mut own: Vec<Issued> = vec![other];
    own.extend((0..3).map(|_| line.token(&GRANT, &[])));
    for token in &own {
        assert_eq!(line.chat(token, SMALL).status, 200);
    }
    drop(clients);
    until_empty(&line);
    assert_eq!(line.chat(&hoarder, &large(200_000)).status, 200);
    until_empty(&line);
}

#[test]
fn a_body_for_which_there_is_no_room_is_told_so() {
    let line = narrow();
    let token = line.token(&GRANT, &[]);
    let refused = line.chat(&token, &large(600_000));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("postern-refusal"), Some("overloaded"));
    assert!(refused.header("retry-after").is_some());
    let outcomes = line.outcomes(1);
    assert_eq!(outcomes[0].refusal, Some(RefusalCode::Overloaded));
    assert_eq!(line.upstream.requests().len(), 0);
    until_empty(&line);
    // Who only announces much holds nothing.
    let announced = line.begin(&token, CHAT, 30_000_000, b"{");
    until("the first byte came", || line.guard.status().body_bytes > 0);
    assert_eq!(line.guard.status().body_bytes, 1);
    drop(announced);
    until_empty(&line);
}

#[test]
fn the_room_comes_back_whatever_ends_a_body() {
    // Goal: no ending keeps a byte. Method: one body for each way to end, and a look at the room
    // while it is taken and after.
    let line = narrow();
    let body = large(200_000);
    let half = &body.as_bytes()[..100_000];
    let taken = || {
        until("the body came", || {
            line.guard.status().body_bytes >= 100_000
        });
    };

    let token = line.token(&GRANT, &[]);
    assert_eq!(line.chat(&token, &body).status, 200, "done");
    until_empty(&line);

    let denied = line.token(&["openai:invoke:gpt-4o"], &[]);
    assert_eq!(line.chat(&denied, &body).status, 403, "refused");
    until_empty(&line);

    let gone = line.begin(&token, CHAT, body.len(), half);
    taken();
    drop(gone);
    until_empty(&line);

    let mut cut = line.begin(&token, CHAT, body.len(), half);
    taken();
    line.revoke(token.row.id);
    let answer = read_until(&mut cut, "postern-refusal: revoked");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    until_empty(&line);
    assert_eq!(line.outcomes(4).len(), 4);
}

#[test]
fn a_body_holds_its_room_until_the_upstream_took_it() {
    // Goal: what was forwarded and not yet taken is still counted. Method: an upstream that reads
    // heads only, and a body larger than all buffers on the way.
    let line = Line::new();
    line.upstream.set_reading(Reading::HeadOnly);
    let token = line.token(&GRANT, &[]);
    let body = large(24_000_000);
    let mut waiting = line.begin(&token, CHAT, body.len(), body.as_bytes());
    until("the upstream was not asked", || {
        line.upstream.open_connections() == 1
    });
    let held = line.guard.status().body_bytes;
    assert!(held >= 24_000_000, "{held}");
    line.revoke(token.row.id);
    let answer = read_until(&mut waiting, "postern-refusal: revoked");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    until_empty(&line);
    assert_eq!(line.outcomes(1)[0].end, End::Revoked);
}

#[test]
fn a_dry_run_refuses_nothing_for_want_of_room() {
    // Goal: a body that a dry run cannot hold passes as it does without the rule; under a rule that
    // acts it is refused. Method: a body of twice the room.
    let text = [("content-type", "text/plain")];
    let body = "as it came ".repeat(200_000);
    for (dry, status) in [(true, 200), (false, 503)] {
        let bounds = GuardBounds {
            body_bytes_max: ROOM,
            ..GuardBounds::default()
        };
        let line = Line::with(echo(), bounds);
        let spec = with(rule(&["request"], "mask"), "dry_run", json!(dry));
        line.rule("cards", spec);
        let token = line.master();
        let got = line.request(&token, "POST", "/notes/a", &text, body.as_bytes());
        assert_eq!(got.status, status, "{}", got.text());
        if dry {
            assert!(got.body == body.as_bytes());
            assert!(line.upstream.take_requests()[0].body == body.as_bytes());
        }
        drop(got);
        until_empty(&line);
    }
}

#[test]
fn a_dry_run_refuses_no_list_of_models() {
    // Goal: a list that cannot be inspected passes under a rule that only reports. Method: a number
    // that is too long to be read in one way.
    let list = format!(
        r#"{{"object":"list","data":[{{"id":"gpt-4o-mini","object":"model","created":{}}}]}}"#,
        "1".repeat(200)
    );
    for (dry, status) in [(true, 200), (false, 422)] {
        let line = Line::before(echo());
        let spec = with(rule(&["response"], "mask"), "dry_run", json!(dry));
        line.rule("cards", spec);
        line.upstream
            .queue(Answer::new(200, "application/json", list.clone()));
        let got = line.request(&line.master(), "GET", "/openai/v1/models", &[], b"");
        assert_eq!(got.status, status, "{}", got.text());
        if !dry {
            assert_eq!(refused(&got), Some("cannot_inspect"));
        }
    }
}
