//! Malformed and ambiguous requests, each with what comes of it here. The rows of the corpus
//! `malformed_requests` by name, and rows of our own in between.

use std::collections::BTreeMap;

use postern_testkit::corpora;
use postern_testkit::raw::End;
use serde_json::Value;

use super::*;

/// What comes of each row of the corpus. `200` means that exactly one request was seen.
const EXPECTED: &[(&str, &[&str])] = &[
    ("CL+TE", &["bad_request"]),
    ("TE then CL", &["bad_request"]),
    ("two different CL", &["bad_request"]),
    ("two same CL", &["bad_request"]),
    ("CL: 2, 2", &["bad_request"]),
    ("CL: +2", &["bad_request"]),
    ("CL: 0x2", &["bad_request"]),
    ("TE xchunked", &["bad_request"]),
    ("TE chunked, identity", &["bad_request"]),
    ("TE gzip, chunked", &["bad_request"]),
    ("TE chunked twice", &["bad_request"]),
    ("TE[sp]: chunked", &["bad_request"]),
    ("TE[VT]chunked", &["bad_request"]),
    ("HTTP/1.0 TE", &["bad_request"]),
    ("HTTP/1.0 no CL + bytes", &["bad_request"]),
    ("obs-fold", &["bad_request"]),
    ("bare LF lines", &["bad_request"]),
    ("chunk size 0x2", &["bad_request"]),
    ("chunk ext with LF", &["bad_request"]),
    ("chunk bare LF", &["bad_request"]),
    ("Connection: authorization", &["bad_request"]),
    ("Connection: content-length", &["bad_request"]),
    // Fields of the hop are lawful; they do not pass (see `headers`).
    ("hop headers", &["200"]),
    ("Upgrade foo + smuggle", &["unsupported"]),
    ("Upgrade ws + smuggle", &["unsupported"]),
    ("absolute uri other host", &["bad_request"]),
    ("no Host", &["bad_request"]),
    ("two Hosts", &["bad_request"]),
    ("NUL in value", &["bad_request"]),
    ("bare CR in value", &["bad_request"]),
    ("path traversal raw", &["bad_request"]),
    ("space in uri", &["bad_request"]),
    ("two Authorization", &["bad_request"]),
    // Two requests, each with its own credential or none: the second is a stranger's.
    ("pipelined 2nd no auth", &["200", "200"]),
    ("100k header", &["bad_request"]),
    ("GET + CL body", &["bad_request"]),
    ("CONNECT", &["unsupported"]),
];

#[test]
fn each_row_of_the_corpus_has_its_written_outcome() {
    // Goal: what the common proxies repair or let through is refused, in our own words, and the
    // connection is closed after it. Method: each row raw over a socket, against the table above.
    let Some(rows) = corpora::rows::<Value>("conformance/malformed_requests.jsonl") else {
        return;
    };
    let expected: BTreeMap<_, _> = EXPECTED.iter().copied().collect();
    assert_eq!(rows.len(), expected.len(), "every row has its outcome");
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let text = row["request_latin1"]
            .as_str()
            .unwrap()
            .replace("{TOKEN}", "t0ken");
        let bytes: Vec<u8> = text
            .chars()
            .map(|char| u8::try_from(char).unwrap())
            .collect();
        let server = Server::start(Bounds::default());
        let conversation = server.talk(&bytes);
        assert_eq!(outcomes(&conversation), expected[name], "{name}");
        let passed = expected[name]
            .iter()
            .filter(|outcome| **outcome == "200")
            .count();
        let in_body = name.starts_with("chunk ");
        assert_eq!(
            server.seen.requests(),
            passed + usize::from(in_body),
            "{name}"
        );
        // A request whose end is certain may be followed by another.
        let whole = ["path traversal raw", "GET + CL body"].contains(&name);
        if passed == 0 && !whole {
            assert_ne!(
                conversation.end,
                End::Quiet,
                "{name}: the connection is closed"
            );
        }
        server.stop();
    }
}

/// Rows of our own: the rules that the corpus does not touch.
const OWN: &[(&str, &str)] = &[
    ("GET http://x/echo HTTP/1.1\r\nHost: X:80\r\n\r\n", "200"),
    ("\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
    ("GET /echo HTTP/1.0\r\nHost: x\r\n\r\n", "200"),
    (
        "GET /echo?a=b%20c&d HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "200",
    ),
    (
        "\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    ("GET /echo HTTP/1.1\r\nHost: a@x\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/1.1\r\nHost: x, y\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/1.1\r\nHost:\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/1.0\r\n\r\n", "bad_request"),
    ("GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/1.1 \r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/1.2\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /echo HTTP/2.0\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /echo\r\nHost: x\r\n\r\n", "bad_request"),
    ("G{T /echo HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    ("TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", "unsupported"),
    ("PROPFIND /echo HTTP/1.1\r\nHost: x\r\n\r\n", "unsupported"),
    ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET x/echo HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    (
        "GET ftp://x/echo HTTP/1.1\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    ("GET /echo#f HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /e\"cho HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    (
        "GET /%2e%2e/echo HTTP/1.1\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    ("GET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    ("GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    (
        "GET /pstn_sk1_dev_x HTTP/1.1\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    ("GET /echo?key=1 HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    (
        "GET /echo?a=pstn_sk1_x HTTP/1.1\r\nHost: x\r\n\r\n",
        "bad_request",
    ),
    ("GET /echo?a=%ff HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request"),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "bad_request",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n",
        "bad_request",
    ),
    ("GET /echo HTTP/1.1\r\n Host: x\r\n\r\n", "bad_request"),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n",
        "unsupported",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n",
        "bad_request",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n",
        "bad_request",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nx-api-key: a\r\nAuthorization: Bearer b\r\n\r\n",
        "bad_request",
    ),
    (
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "body_too_large",
    ),
    (
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "bad_request",
    ),
    (
        "GET /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bad_request",
    ),
    ("\x16\x03\x01\x02\x00\x01\x00\x01", "bad_request"),
];

#[test]
fn other_faults_are_refused_too() {
    let server = Server::start(Bounds::default());
    let sized = [
        format!(
            "GET /echo HTTP/1.1\r\nhost: x\r\n{}: 1\r\n\r\n",
            "a".repeat(40_000)
        ),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(9_000)),
        format!(
            "GET /echo HTTP/1.1\r\nhost: x\r\n{}\r\n",
            "a: 1\r\n".repeat(100)
        ),
    ];
    let sized = sized
        .iter()
        .map(|request| (request.as_str(), "bad_request"));
    for (request, wanted) in OWN.iter().copied().chain(sized) {
        let conversation = server.talk(request);
        let shown: String = request.chars().take(120).collect();
        assert_eq!(outcomes(&conversation), [wanted], "{shown:?}");
    }
}

#[test]
fn a_type_or_an_encoding_that_is_not_text_is_refused() {
    // Goal: what is read to judge a body is never passed over because it cannot be read. Method:
    // bytes beyond ASCII in the two fields that are read, and in one that is not.
    let server = Server::start(Bounds::default());
    let send = |field: &str| {
        let head = format!("POST /echo HTTP/1.1\r\nHost: x\r\n{field}\r\n");
        outcomes(&server.talk(format!("{head}Content-Length: 2\r\n\r\nab")))
    };
    assert_eq!(send("X-Note: caf\u{e9}"), ["200"]);
    for field in [
        "Content-Encoding: gz\u{ef}p",
        "Content-Encoding: \u{e9}",
        "Content-Type: application/json; charset=\u{e9}",
    ] {
        assert_eq!(send(field), ["bad_request"], "{field}");
    }
}

#[test]
fn a_refusal_says_nothing_of_its_cause_and_closes_in_order() {
    let server = Server::start(Bounds::default());
    let conversation = server.talk("GET / HTTP/1.1\r\nHost: a@b\r\n\r\nGET / HTTP/1.1\r\n");
    let [answer] = &conversation.answers[..] else {
        panic!("one answer: {conversation:?}");
    };
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(answer.header("postern-request-id").is_some());
    assert!(
        !answer.text().contains("port"),
        "the cause stays inside: {}",
        answer.text()
    );
    assert_eq!(
        conversation.end,
        End::Closed,
        "no reset overtakes the answer"
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    // Goal: heads are found behind bodies of every framing, and a fault ends the line in its place.
    // Method: good, chunked, good, faulty, hidden, in one write and byte by byte.
    let requests = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
         POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
         2;e=1\r\nab\r\n3\r\ncde\r\n0\r\nX-T: 1\r\n\r\n\
         GET /c HTTP/1.1\r\nHost: x\r\n\r\n\
         GET /d HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n\
         GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let server = Server::start(Bounds::default());
    let texts = |conversation: &Conversation| {
        let bodies = conversation.answers.iter().map(|answer| answer.text());
        bodies.take(3).collect::<Vec<_>>()
    };
    let conversation = server.talk(requests);
    assert_eq!(
        outcomes(&conversation),
        ["200", "200", "200", "bad_request"],
        "{conversation:?}"
    );
    assert_eq!(
        texts(&conversation),
        ["POST /a  3", "POST /b  5", "GET /c  0"]
    );

    let mut stream = server.connect();
    for byte in requests.as_bytes() {
        // The server may have closed behind the fault already.
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
    let mut answers = Vec::new();
    // A reset after the last answer is as good as a close here.
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8_lossy(&answers);
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400").count(), 1, "{answers}");
    assert_eq!(server.seen.requests(), 6);
}

#[test]
fn expect_is_answered_and_not_passed_on() {
    let server = Server::start(Bounds::default());
    let mut stream = server.connect();
    send(
        &mut stream,
        "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    let mut space = [0; 25];
    stream.read_exact(&mut space).unwrap();
    assert_eq!(&space, b"HTTP/1.1 100 Continue\r\n\r\n");
    send(&mut stream, "ab");
    let mut space = [0; 12];
    stream.read_exact(&mut space).unwrap();
    assert_eq!(&space, b"HTTP/1.1 200");
}
