use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;
use crate::raw::{self, End};
use crate::{Ending, Framing, Gzip, exchange};

const QUIET: Duration = Duration::from_millis(200);

fn get(upstream: &ReplayUpstream, headers: &[(&str, &str)]) -> raw::RawAnswer {
    raw::request(upstream.addr(), "GET", "/x", headers, b"")
}

fn fixed(answer: Answer) -> ReplayUpstream {
    ReplayUpstream::start(move |_: &SeenRequest| answer.clone()).unwrap()
}

// Goal: each committed exchange is found by its own request and sent to the byte, however it is
// cut. Method: send each request of the set, with four ways of cutting.
#[test]
fn each_committed_exchange_answers_its_own_request() {
    let upstream = ReplayUpstream::own().unwrap();
    for cut in [Cut::Whole, Cut::AtEvents, Cut::Every(1), Cut::Every(7)] {
        upstream.set_cut(cut.clone());
        for exchange in exchange::own()
            .iter()
            .filter(|e| e.first.is_none() && e.delay.is_zero())
        {
            let answer = raw::request(
                upstream.addr(),
                &exchange.request.method,
                exchange.target(),
                &[],
                &exchange.request.body,
            );
            assert_eq!(answer.status, exchange.response.status, "{}", exchange.id);
            assert!(answer.complete, "{}", exchange.id);
            assert_eq!(
                answer.body, exchange.response.body,
                "{} cut {cut:?}",
                exchange.id
            );
        }
    }
    assert!(upstream.malformed().is_empty());
}

#[test]
fn an_unknown_question_is_a_404_and_not_some_other_answer() {
    let upstream = ReplayUpstream::own().unwrap();
    let body = br#"{"model":"nobody","messages":[]}"#;
    let answer = raw::request(upstream.addr(), "POST", "/v1/chat/completions", &[], body);
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("no exchange for"));
}

// Goal: usage frames come exactly when asked for. Method: a stream with and without the option.
#[test]
fn include_usage_is_honoured() {
    let upstream = ReplayUpstream::own().unwrap();
    let exchange = exchange::named("openai-chat-stream");
    let plain = std::str::from_utf8(&exchange.request.body).unwrap();
    let option = r#","stream_options":{"include_usage":true}}"#;
    let asking = format!("{}{option}", plain.strip_suffix('}').unwrap());
    let send = |body: &str| {
        raw::request(
            upstream.addr(),
            "POST",
            exchange.target(),
            &[],
            body.as_bytes(),
        )
        .text()
    };
    let (without, with) = (send(plain), send(&asking));
    assert!(!without.contains("\"usage\""));
    assert_eq!(
        with.matches("\"usage\":null").count(),
        without.matches("\"delta\"").count()
    );
    let last: Vec<&str> = with
        .lines()
        .filter(|line| !line.is_empty())
        .rev()
        .take(2)
        .collect();
    assert_eq!(last[0], "data: [DONE]");
    assert!(last[1].contains("\"choices\":[]") && last[1].contains("\"total_tokens\":52"));
    assert_eq!(
        with.replace(",\"usage\":null", "")
            .replace(&format!("{}\n\n", last[1]), ""),
        without
    );
}

#[test]
fn a_busy_answer_comes_as_often_as_written_and_then_the_real_one() {
    let upstream = ReplayUpstream::own().unwrap();
    let exchange = exchange::named("openai-chat-busy-once");
    let body = &exchange.request.body;
    let ask = || raw::request(upstream.addr(), "POST", exchange.target(), &[], body);
    let (first, second, third) = (ask(), ask(), ask());
    assert_eq!(
        (first.status, first.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!((second.status, third.status), (200, 429));
}

// Goal: what the upstream saw is what was sent, to the byte and in order. Method: a chunked request
// with trailers, odd spellings and a second, pipelined request.
#[test]
fn requests_are_kept_as_they_came() {
    let upstream = fixed(Answer::new(200, "text/plain", "ok"));
    let sent = concat!(
        "POST /a?b=%2F HTTP/1.1\r\nHost: h\r\nX-Odd:  one \r\nx-odd: two\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-End: yes\r\n\r\n",
        "GET /second HTTP/1.1\r\nHost: h\r\n\r\n",
    );
    let conversation = raw::talk(upstream.addr(), sent.as_bytes(), QUIET).unwrap();
    assert_eq!(conversation.statuses(), [200, 200]);
    let seen = upstream.requests();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].target.as_str(), &seen[0].body[..]),
        ("/a?b=%2F", &b"abcde"[..])
    );
    assert_eq!(
        seen[0].headers_named("X-ODD").collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(seen[0].trailers, [("X-End".to_owned(), "yes".to_owned())]);
    assert!(
        seen.iter()
            .all(|request| request.complete && request.connection == 0)
    );
}

#[test]
fn an_ambiguous_request_is_refused_and_told() {
    let upstream = fixed(Answer::new(200, "text/plain", "ok"));
    let sent =
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let conversation = raw::talk(upstream.addr(), sent, QUIET).unwrap();
    assert_eq!(
        (conversation.statuses(), conversation.end),
        (vec![400], End::Closed)
    );
    assert_eq!(upstream.malformed().len(), 1);
}

// Goal: every ending is what it says. Method: one answer for each, seen from the wire.
#[test]
fn answers_end_as_they_say() {
    let body = || Answer::new(200, "text/plain", "0123456789");
    let talk = |answer: Answer| {
        let upstream = fixed(answer);
        raw::talk(upstream.addr(), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", QUIET).unwrap()
    };
    let half = talk(body().ending(Ending::CloseAfter(4)));
    assert_eq!((half.end, half.answers[0].complete), (End::Closed, false));
    assert_eq!(half.answers[0].body, b"0123");

    let reset = talk(body().ending(Ending::ResetAfter(4)));
    assert_eq!(
        (reset.end, &reset.answers[0].body[..]),
        (End::Reset, &b"0123"[..])
    );

    let stalled = talk(body().ending(Ending::StallAfter(4)));
    assert_eq!(
        (stalled.end, &stalled.answers[0].body[..]),
        (End::Quiet, &b"0123"[..])
    );

    let silent = talk(Answer::silent());
    assert_eq!((silent.end, silent.bytes.len()), (End::Quiet, 0));

    let claimed = talk(body().framed(Framing::Claimed(12)));
    assert_eq!(
        (claimed.end, claimed.answers[0].complete),
        (End::Closed, false)
    );

    let open = talk(body().framed(Framing::UntilClose));
    assert_eq!(
        (open.end, &open.answers[0].body[..]),
        (End::Closed, &b"0123456789"[..])
    );

    let raw = talk(Answer::raw("HTTP/1.1 200 Odd\r\nA: b\r\n\r\n?"));
    assert_eq!(raw.bytes, b"HTTP/1.1 200 Odd\r\nA: b\r\n\r\n?");
}

#[test]
fn trailers_and_interim_answers_are_sent() {
    let mut answer = Answer::new(200, "text/plain", "abcdef")
        .cut(Cut::Every(4))
        .trailer("x-sum", "6");
    answer.interim = vec![103];
    let upstream = fixed(answer);
    let sent = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let conversation = raw::talk(upstream.addr(), sent, QUIET).unwrap();
    assert_eq!(conversation.statuses(), [103, 200]);
    let last = &conversation.answers[1];
    assert_eq!(
        (&last.chunks[..], last.header("x-sum")),
        (&[4, 2][..], Some("6"))
    );
    assert!(last.complete);
}

#[test]
fn compression_follows_what_was_accepted() {
    let upstream = fixed(Answer::new(200, "text/plain", "abc".repeat(50)).gzip(Gzip::WhenAccepted));
    let plain = get(&upstream, &[("accept-encoding", "identity, gzip;q=0")]);
    assert_eq!(
        (plain.header("content-encoding"), plain.body.len()),
        (None, 150)
    );
    let coded = get(&upstream, &[("Accept-Encoding", "deflate, gzip;q=0.5")]);
    assert_eq!(coded.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&coded.body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "abc".repeat(50));
}

// Goal: delay and pace are kept, and pieces arrive one by one. Method: the clock at each read.
#[test]
fn slow_answers_are_slow() {
    let pace = Duration::from_millis(40);
    let upstream = fixed(Answer::events("data: 1\n\ndata: 2\n\n").slow(pace, pace));
    let mut stream = TcpStream::connect(upstream.addr()).unwrap();
    let start = Instant::now();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    let mut buffer = [0; 4096];
    let mut seen = String::new();
    while !seen.contains("data: 1") {
        let read = stream.read(&mut buffer).unwrap();
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(start.elapsed() >= pace && !seen.contains("data: 2"));
    while !seen.ends_with("0\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(start.elapsed() >= pace * 2);
}

#[test]
fn an_endless_stream_ends_when_the_peer_leaves() {
    let upstream = fixed(Answer::endless(
        "data: 0\n\n",
        "data: 1\n\n",
        Duration::from_millis(1),
    ));
    let mut stream = TcpStream::connect(upstream.addr()).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    let mut taken = vec![0; 600];
    stream.read_exact(&mut taken).unwrap();
    assert!(String::from_utf8_lossy(&taken).matches("data: 1").count() > 10);
    assert_eq!((upstream.hangups(), upstream.open_connections()), (0, 1));
    drop(stream);
    assert!(upstream.wait_until(|upstream| upstream.hangups() == 1));
    assert_eq!(upstream.open_connections(), 0);
}

// Goal: a body that is not read stalls its sender. Method: send more than socket buffers hold.
#[test]
fn a_body_that_is_not_read_stalls_the_sender() {
    let upstream = fixed(Answer::new(200, "text/plain", "ok"));
    upstream.set_reading(Reading::HeadOnly);
    let mut stream = TcpStream::connect(upstream.addr()).unwrap();
    stream.set_write_timeout(Some(QUIET)).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
        .unwrap();
    assert!(stream.write_all(&vec![0; 32 << 20]).is_err());
    let seen = upstream.requests();
    assert_eq!((seen.len(), seen[0].complete), (1, false));
}

#[test]
fn an_early_answer_comes_before_the_body_is_sent() {
    let upstream = fixed(Answer::new(413, "text/plain", "too much"));
    upstream.set_reading(Reading::AnswerFirst);
    let mut stream = TcpStream::connect(upstream.addr()).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        .unwrap();
    assert_eq!(raw::listen(&mut stream, QUIET).statuses(), [413]);
    stream.write_all(b"body").unwrap();
    assert!(upstream.wait_until(|upstream| upstream.requests()[0].complete));
    assert_eq!(upstream.requests()[0].body, b"body");
}

#[test]
fn a_peer_that_leaves_in_the_middle_of_its_body_is_noticed() {
    let upstream = fixed(Answer::new(200, "text/plain", "ok"));
    let mut stream = TcpStream::connect(upstream.addr()).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
        .unwrap();
    drop(stream);
    assert!(upstream.wait_until(|upstream| upstream.hangups() == 1));
    let seen = upstream.requests();
    assert_eq!((&seen[0].body[..], seen[0].complete), (&b"half"[..], false));
}

#[test]
fn queued_answers_go_first() {
    let upstream = ReplayUpstream::own().unwrap();
    upstream.queue(Answer::new(503, "text/plain", "later"));
    assert_eq!(
        raw::request(upstream.addr(), "GET", "/v1/models", &[], b"").status,
        503
    );
    assert_eq!(
        raw::request(upstream.addr(), "GET", "/v1/models", &[], b"").status,
        200
    );
}
