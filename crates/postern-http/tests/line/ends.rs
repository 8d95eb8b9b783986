//! Instant: what a revoke ends, within 100 ms, and how the client learns of it.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use postern_testkit::{Answer, Cut, Framing, Reading, ReplayUpstream};
use postern_types::{End, RefusalCode};

use crate::fixture::{Line, POLL, read_until};

const STREAM: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#;
const EVENT: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"on and on \"}}]}\n\n";
/// What is promised between a revoke and the end of what runs.
const PROMPTLY: Duration = Duration::from_millis(100);

fn chat() -> &'static str {
    "/openai/v1/chat/completions"
}

/// Runs a scenario that measures the time from a revoke to the end. Other programs may hold the
/// machine for a moment: one round of five must be prompt, and every round must end as it says.
fn promptly(scenario: impl Fn() -> Duration) {
    let mut rounds = (0..5).map(|_| scenario());
    assert!(
        rounds.any(|waited| waited < PROMPTLY),
        "no round was prompt"
    );
}

/// Revokes and gives the time until the gateway recorded the end.
fn revoke_and_wait(line: &Line, id: postern_types::TokenId) -> Duration {
    let start = Instant::now();
    line.revoke(id);
    let mut waited = start.elapsed();
    while line.guard.status().in_progress > 0 {
        assert!(waited < Duration::from_secs(10), "a flight did not end");
        std::thread::sleep(POLL);
        waited = start.elapsed();
    }
    waited
}

/// Waits until every buffer between the upstream and a client that reads nothing is full.
fn until_nothing_moves(client: &TcpStream) {
    let mut buffer = vec![0; 16 << 20];
    let (mut waiting, mut unchanged) = (0, 0);
    while unchanged < 50 {
        let now = client.peek(&mut buffer).unwrap();
        unchanged = if now == waiting { unchanged + 1 } else { 0 };
        waiting = now;
        std::thread::sleep(POLL);
    }
}

#[test]
fn an_endless_stream_ends_with_the_providers_error() {
    promptly(|| {
        let line = Line::new();
        line.upstream
            .queue(Answer::endless("", EVENT, Duration::from_millis(2)));
        let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
        let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
        read_until(&mut client, "on and on");
        let waited = revoke_and_wait(&line, token.row.id);
        let rest = read_until(&mut client, "\r\n0\r\n\r\n");
        assert!(
            rest.contains(r#"data: {"error":"#) && rest.contains("revoked"),
            "{rest}"
        );
        assert!(
            line.upstream.wait_until(|upstream| upstream.hangups() == 1),
            "upstream is let go"
        );
        let outcomes = line.outcomes(1);
        assert_eq!(outcomes[0].end, End::Revoked);
        assert_eq!(outcomes[0].refusal, Some(RefusalCode::Revoked));
        // And the next request is refused.
        assert_eq!(line.chat(&token, STREAM).status, 401);
        waited
    });
}

#[test]
fn a_silent_upstream_does_not_delay_the_end() {
    promptly(|| {
        // Goal: no byte comes from the upstream and the request still ends. Method: an upstream
        // that never answers; the revoke itself must wake the exchange.
        let line = Line::new();
        line.upstream.queue(Answer::silent());
        let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
        let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
        assert!(
            line.upstream
                .wait_until(|upstream| upstream.requests().len() == 1)
        );
        let waited = revoke_and_wait(&line, token.row.id);
        let answer = read_until(&mut client, "revoked\"");
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("postern-refusal: revoked"));
        assert_eq!(line.outcomes(1)[0].end, End::Revoked);
        waited
    });
}

#[test]
fn a_list_of_models_ends_with_its_token() {
    promptly(|| {
        // Goal: an answer of which nothing went out yet ends as well. Method: a list of models,
        // which is read whole before it is given on, that never comes to its end.
        let line = Line::new();
        let piece = Duration::from_millis(2);
        line.upstream
            .queue(Answer::endless("{\"data\":[", " ", piece));
        let token = line.token(&["openai:invoke:*"], &[]);
        let (answer, waited) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| line.request(&token, "GET", "/openai/v1/models", &[], b""));
            assert!(line.upstream.wait_until(|upstream| upstream.repeats() > 20));
            let waited = revoke_and_wait(&line, token.row.id);
            (asked.join().unwrap(), waited)
        });
        assert_eq!(
            (answer.status, answer.header("postern-refusal")),
            (401, Some("revoked"))
        );
        assert!(line.upstream.wait_until(|upstream| upstream.hangups() == 1));
        assert_eq!(line.outcomes(1)[0].end, End::Revoked);
        waited
    });
}

#[test]
fn a_stream_that_fell_silent_ends_too() {
    promptly(|| {
        let line = Line::new();
        line.upstream
            .queue(Answer::endless(EVENT, "", Duration::from_secs(60)));
        let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
        let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
        read_until(&mut client, "on and on");
        let waited = revoke_and_wait(&line, token.row.id);
        let rest = read_until(&mut client, "\r\n0\r\n\r\n");
        assert!(rest.contains(r#"data: {"error":"#), "{rest}");
        waited
    });
}

#[test]
fn a_client_that_reads_nothing_cannot_keep_the_stream() {
    promptly(|| {
        // Goal: the stream of a stalled client ends although nothing of it is ever polled again.
        // Method: a client that stops reading; the upstream sends until every buffer is full.
        let line = Line::new();
        let piece = EVENT.repeat(2_000);
        line.upstream
            .queue(Answer::endless(EVENT, piece, Duration::ZERO));
        let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
        let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
        read_until(&mut client, "on and on");
        until_nothing_moves(&client);
        let waited = revoke_and_wait(&line, token.row.id);
        assert!(line.upstream.wait_until(|upstream| upstream.hangups() == 1));
        assert_eq!(line.outcomes(1)[0].end, End::Revoked);
        // What is left in the buffers comes, and then the last words or a cut.
        let mut rest = Vec::new();
        drop(client.read_to_end(&mut rest));
        let whole = rest.ends_with(b"\r\n0\r\n\r\n");
        let tail = String::from_utf8_lossy(&rest[rest.len().saturating_sub(400)..]).into_owned();
        assert!(!whole || tail.contains(r#"data: {"error":"#), "{tail}");
        waited
    });
}

#[test]
fn a_body_that_is_still_being_uploaded_goes_no_further() {
    promptly(|| {
        let line = Line::new();
        line.upstream.set_reading(Reading::HeadOnly);
        let token = line.token(&["notes:call:POST /classes/Note body=any"], &[]);
        let mut client = line.begin(
            &token,
            "/notes/classes/Note",
            1_000_000,
            b"{\"text\":\"half",
        );
        assert!(
            line.upstream
                .wait_until(|upstream| upstream.open_connections() == 1)
        );
        let waited = revoke_and_wait(&line, token.row.id);
        let answer = read_until(&mut client, "postern-refusal: revoked");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert_eq!(line.outcomes(1)[0].end, End::Revoked);
        waited
    });
}

#[test]
fn a_client_that_goes_away_is_recorded_and_the_upstream_let_go() {
    // Goal: at every point at which a client can leave there is one outcome. Method: leave while
    // the upstream is silent, and in the middle of a stream.
    let line = Line::new();
    let token = line.token(&["openai:invoke:gpt-4o-mini"], &["concurrency=1"]);
    line.upstream.queue(Answer::silent());
    let client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
    assert!(
        line.upstream
            .wait_until(|upstream| upstream.requests().len() == 1)
    );
    drop(client);
    assert!(line.upstream.wait_until(|upstream| upstream.hangups() == 1));
    assert_eq!(line.outcomes(1)[0].end, End::ClientGone);
    line.upstream
        .queue(Answer::endless("", EVENT, Duration::from_millis(2)));
    let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
    read_until(&mut client, "on and on");
    assert_eq!(line.guard.meters().answers_under_way(), 1);
    drop(client);
    assert!(line.upstream.wait_until(|upstream| upstream.hangups() == 2));
    let outcomes = line.outcomes(2);
    assert_eq!(line.guard.meters().answers_under_way(), 0);
    assert_eq!(outcomes[1].end, End::ClientGone);
    assert_eq!(outcomes[1].status, Some(200));
    assert!(outcomes[1].response_bytes > 0);
}

#[test]
fn a_client_that_goes_away_while_its_body_is_read_was_not_refused() {
    // Goal: whoever reads the log can tell a client that left from one that was refused. Method:
    // cut the connection in the middle of a body that is read before it is judged, of one that
    // streams to its upstream, and of one that a data rule reads; with a close and with a reset.
    let notes = "/notes/classes/Note";
    for reset in [false, true] {
        for (target, streams, ruled) in [
            (chat(), false, false),
            (notes, true, false),
            (notes, false, true),
        ] {
            let line = Line::new();
            line.upstream.set_reading(Reading::HeadOnly);
            if ruled {
                let cards = r#"{"directions":["request"],"classes":["card"],"action":"mask"}"#;
                line.rule("cards", serde_json::from_str(cards).unwrap());
            }
            let half = br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"half"#;
            let client = line.begin(&line.master(), target, 100_000, half);
            if streams {
                let reached = |upstream: &ReplayUpstream| upstream.open_connections() == 1;
                assert!(line.upstream.wait_until(reached));
            }
            if reset {
                // A close that does not linger is a reset.
                let socket = socket2::SockRef::from(&client);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(client);
            let outcome = line.outcomes(1).remove(0);
            let shown = format!("{target}, ruled {ruled}, reset {reset}: {outcome:?}");
            assert_eq!(outcome.end, End::ClientGone, "{shown}");
            assert_eq!((outcome.status, outcome.refusal), (None, None), "{shown}");
        }
    }
}

#[test]
fn shutdown_ends_what_does_not_end_by_itself() {
    let line = Line::new();
    line.upstream
        .queue(Answer::endless("", EVENT, Duration::from_millis(2)));
    let token = line.token(&["openai:invoke:gpt-4o-mini"], &[]);
    let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
    read_until(&mut client, "on and on");
    line.block_on(line.guard.shut_down(Duration::from_millis(50)));
    let rest = read_until(&mut client, "\r\n0\r\n\r\n");
    assert!(rest.contains("shutting_down"), "{rest}");
    assert_eq!(line.outcomes(1)[0].end, End::Shutdown);
}

/// Asks with a token that ends before this answer begins, and expects to be told.
fn is_refused_aloud(late: Answer) {
    let line = Line::new();
    line.upstream.queue(late);
    let token = line.token_for(Duration::from_secs(2), "openai:invoke:gpt-4o-mini");
    let asked = r#"{"model":"gpt-4o-mini","messages":[]}"#;
    let mut client = line.begin(&token, chat(), asked.len(), asked.as_bytes());
    let head = read_until(&mut client, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 401"), "{head:?}");
    assert!(head.contains("postern-refusal: revoked"), "{head}");
    let outcome = line.outcomes(1).remove(0);
    assert_eq!(outcome.end, End::Expired);
    assert!(outcome.cause.unwrap_or_default().contains("expired"));
}

#[test]
fn a_whole_answer_that_outlives_its_token_does_not_arrive() {
    // Goal: a token opens nothing after its time, also where the answer is too small to stream.
    // Method: an answer that comes later than the token's end.
    let answer = Answer::new(200, "application/json", "{\"choices\":[]}");
    is_refused_aloud(answer.slow(Duration::from_millis(2500), Duration::ZERO));
}

#[test]
fn an_answer_in_pieces_that_comes_after_its_tokens_end_is_refused_aloud() {
    // Goal: the client learns why, also where the answer would have streamed: a connection that is
    // closed without a word looks like a fault of the network. Method: an answer later than the
    // token, whose pieces are not there at once.
    let answer = Answer::new(200, "application/json", "{\"choices\":[]}").framed(Framing::Chunked);
    let pieces = answer.cut(Cut::Every(5));
    is_refused_aloud(pieces.slow(Duration::from_millis(2500), Duration::from_millis(200)));
}

#[test]
fn a_stream_that_outlives_its_token_ends_and_the_record_says_expired() {
    let line = Line::new();
    line.upstream
        .queue(Answer::endless("", EVENT, Duration::from_millis(2)));
    let token = line.token_for(Duration::from_secs(2), "openai:invoke:gpt-4o-mini");
    let mut client = line.begin(&token, chat(), STREAM.len(), STREAM.as_bytes());
    let all = read_until(&mut client, "\r\n0\r\n\r\n");
    assert!(all.contains("on and on"), "{all}");
    let outcome = line.outcomes(1).remove(0);
    assert_eq!(outcome.end, End::Expired);
    let cause = outcome.cause.unwrap_or_default();
    assert!(cause.contains("expired"), "{cause}");
}
