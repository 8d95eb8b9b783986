//! Upstreams that break off, lie or fall silent: the client learns it, and nobody else notices.

use std::time::Duration;

use postern_testkit::raw::{self, Conversation};
use postern_testkit::{Answer, Ending, Framing, Gzip, ReplayUpstream, SeenRequest, exchange};

use crate::gateway::{Gateway, Token};

const QUIET: Duration = Duration::from_millis(1500);

struct Scene {
    upstream: ReplayUpstream,
    gateway: Gateway,
    token: Token,
}

impl Scene {
    fn new() -> Self {
        let honest = |_: &SeenRequest| Answer::new(200, "text/plain", "honest");
        let upstream = ReplayUpstream::start(honest).expect("the upstream starts");
        let gateway =
            Gateway::start_with("[limits]\nupstream_first_byte = \"1s\"\nupstream_idle = \"1s\"\n");
        gateway.upstream("openai", "openai", &upstream.url(), crate::door::CREDENTIAL);
        gateway.upstream("back", "http", &upstream.url(), crate::door::CREDENTIAL);
        let token = gateway.token(&[
            "openai:invoke:*",
            "back:call:GET|HEAD|POST /{path...} body=any",
        ]);
        Self {
            upstream,
            gateway,
            token,
        }
    }

    fn head(&self, method: &str, target: &str, more: &str) -> String {
        let bearer = self.token.bearer();
        let addr = self.gateway.addr();
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\
             Authorization: {bearer}\r\n{more}\r\n"
        )
    }

    /// Asks for something that the upstream answers like this.
    fn get(&self, answer: Answer) -> Conversation {
        self.upstream.queue(answer);
        let head = self.head("GET", "/back/thing", "");
        raw::talk(self.gateway.addr(), head.as_bytes(), QUIET).expect("it listens")
    }

    /// Asks for a chat stream that the upstream answers like this.
    fn chat(&self, answer: Answer) -> Conversation {
        self.upstream.queue(answer);
        let body = exchange::named("openai-chat-stream").request.body;
        let more = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let head = self.head("POST", "/openai/v1/chat/completions", &more);
        let bytes = [head.as_bytes(), &body].concat();
        raw::talk(self.gateway.addr(), &bytes, QUIET).expect("it listens")
    }

    /// The gateway is as good as before.
    fn assert_well(&self) {
        let head = self.head("GET", "/back/thing", "");
        let after = raw::talk(self.gateway.addr(), head.as_bytes(), QUIET).expect("it listens");
        assert_eq!(after.answers[0].text(), "honest");
        assert_eq!(self.upstream.malformed(), Vec::<String>::new());
    }
}

fn refusal(conversation: &Conversation) -> (u16, &str) {
    let answer = conversation.answers.first().expect("the client is told");
    (
        answer.status,
        answer.header("postern-refusal").unwrap_or_default(),
    )
}

// Goal: what breaks before the answer has begun is a refusal that names the upstream's fault.
// Method: each way of not answering.
#[test]
fn an_upstream_that_does_not_answer_is_a_refusal() {
    let scene = Scene::new();
    let silent = scene.get(Answer::silent());
    assert_eq!(refusal(&silent), (504, "upstream_timeout"));
    for broken in [
        Answer::raw(""),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-"),
        Answer::raw("220 smtp.example ESMTP\r\n\r\n"),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\n\r\n",
            "a".repeat(1 << 20)
        )),
        Answer::raw(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ),
    ] {
        let sent = String::from_utf8_lossy(&broken.body[..broken.body.len().min(60)]).into_owned();
        let got = scene.get(broken);
        assert_eq!(refusal(&got), (502, "upstream_protocol"), "{sent:?}");
    }
    scene.assert_well();
}

#[test]
fn an_upstream_that_is_not_there_is_a_refusal() {
    let scene = Scene::new();
    let port = postern_testkit::process::free_port().expect("a port");
    scene
        .gateway
        .upstream("gone", "http", &format!("http://127.0.0.1:{port}"), "x");
    let token = scene.gateway.token(&["gone:call:GET /{path...}"]);
    let bearer = token.bearer();
    let headers = [("authorization", bearer.as_str())];
    let answer = raw::request(scene.gateway.addr(), "GET", "/gone/x", &headers, b"");
    let code = answer.header("postern-refusal");
    assert_eq!(
        (answer.status, code),
        (502, Some("upstream_unreachable")),
        "{}",
        answer.text()
    );
}

// Goal: an answer that breaks off must not look whole. Method: each way of breaking off after the
// head went out, with each framing; the client's framing must stay incomplete.
#[test]
fn an_answer_that_breaks_off_does_not_look_whole() {
    let scene = Scene::new();
    let body = || Answer::new(200, "text/plain", "0123456789".repeat(100));
    for (what, answer) in [
        ("close", body().ending(Ending::CloseAfter(500))),
        ("reset", body().ending(Ending::ResetAfter(500))),
        ("stall", body().ending(Ending::StallAfter(500))),
        (
            "close",
            body()
                .framed(Framing::Chunked)
                .ending(Ending::CloseAfter(500)),
        ),
        (
            "reset",
            body()
                .framed(Framing::Chunked)
                .ending(Ending::ResetAfter(500)),
        ),
        (
            "stall",
            body()
                .framed(Framing::Chunked)
                .ending(Ending::StallAfter(500)),
        ),
        ("short", body().framed(Framing::Claimed(2000))),
    ] {
        let framing = format!("{what} {:?}", answer.framing);
        let got = scene.get(answer);
        let first = got
            .answers
            .first()
            .unwrap_or_else(|| panic!("{framing}: no answer"));
        if first.status == 200 {
            assert!(!first.complete, "{framing}: half an answer looks whole");
            assert!(first.body.len() <= 1000, "{framing}");
        } else {
            let code = refusal(&got).1;
            assert!(code.starts_with("upstream_"), "{framing}: {code}");
        }
        assert_eq!(got.answers.len(), 1, "{framing}");
    }
    scene.assert_well();
}

// Goal: the client has the status and the request's id of what was broken off right behind its
// head, and can ask about it. Method: many times, since an end that is there at once may come
// before the head is written or after it.
#[test]
fn the_head_of_an_answer_is_not_overtaken_by_its_break() {
    let scene = Scene::new();
    for round in 0..60 {
        let whole = Answer::new(200, "text/plain", "0123456789");
        let got = scene.get(whole.ending(Ending::CloseAfter(0)));
        let first = got.answers.first();
        let first = first.unwrap_or_else(|| panic!("round {round}: no word"));
        assert_eq!((first.status, first.complete), (200, false));
        assert!(first.header("postern-request-id").is_some());
    }
    scene.assert_well();
}

#[test]
fn a_stream_that_breaks_off_tells_the_sdk_so() {
    let scene = Scene::new();
    let stream = exchange::named("openai-chat-stream");
    let half = stream.response.body.len() / 2;
    for ending in [
        Ending::ResetAfter(half),
        Ending::CloseAfter(half),
        Ending::StallAfter(half),
    ] {
        let got = scene.chat(stream.answer().ending(ending.clone()));
        let first = &got.answers[0];
        assert_eq!(first.status, 200);
        let text = first.text();
        assert!(!text.contains("[DONE]"), "{ending:?}: {text}");
        let told = text
            .rfind("data: ")
            .is_some_and(|at| text[at..].contains("\"error\""));
        assert!(
            told || !first.complete,
            "{ending:?}: half a stream looks whole: {text}"
        );
    }
    scene.assert_well();
}

#[test]
fn more_than_was_promised_does_not_reach_the_next_client() {
    let scene = Scene::new();
    let extra = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest\
                 HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    for _ in 0..5 {
        let got = scene.get(Answer::raw(extra));
        assert_eq!(got.answers.len(), 1);
        assert_eq!(got.answers[0].text(), "honest");
        scene.assert_well();
    }
}

#[test]
fn compressed_bodies_and_trailers_pass() {
    let scene = Scene::new();
    let text = "A long watch. ".repeat(100);
    let coded = Answer::new(200, "text/plain", text.clone()).gzip(Gzip::Always);
    scene.upstream.queue(coded);
    let head = scene.head("GET", "/back/thing", "Accept-Encoding: gzip\r\n");
    let got = raw::talk(scene.gateway.addr(), head.as_bytes(), QUIET).expect("it listens");
    let answer = &got.answers[0];
    match answer.header("content-encoding") {
        Some("gzip") => assert!(answer.complete && answer.body.starts_with(&[0x1f, 0x8b])),
        None => assert_eq!(answer.text(), text),
        Some(other) => panic!("{other}"),
    }
    let trailed = Answer::new(200, "text/plain", text.clone()).trailer("x-sum", "1400");
    scene.upstream.queue(trailed);
    let head = scene.head("GET", "/back/thing", "TE: trailers\r\n");
    let got = raw::talk(scene.gateway.addr(), head.as_bytes(), QUIET).expect("it listens");
    assert_eq!(
        (got.answers[0].text(), got.answers[0].complete),
        (text, true)
    );
    assert_eq!(got.answers[0].header("x-sum"), Some("1400"));
}

// Goal: the first event leaves as soon as it came. Method: an upstream that sends one event and
// then pauses for longer than the client waits.
#[test]
fn the_first_event_leaves_at_once() {
    let scene = Scene::new();
    let stream = exchange::named("openai-chat-stream").answer();
    let slow = stream.slow(Duration::ZERO, Duration::from_millis(700));
    scene.upstream.queue(slow);
    let body = exchange::named("openai-chat-stream").request.body;
    let more = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let head = scene.head("POST", "/openai/v1/chat/completions", &more);
    let bytes = [head.as_bytes(), &body].concat();
    let soon = Duration::from_millis(350);
    let got = raw::talk(scene.gateway.addr(), &bytes, soon).expect("it listens");
    let text = got.answers[0].text();
    assert_eq!(text.matches("data: ").count(), 1, "{text}");
}
