//! Malformed and ambiguous requests, each with the outcome that is ours.
//!
//! The corpus `malformed_requests` has what popular proxies let through, repair or pass on. Here
//! every row has its outcome written down: refuse whatever two servers could read differently.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use postern_testkit::backend::BackendRequest;
use postern_testkit::{Answer, ReplayUpstream, SeenRequest, corpora, raw};
use serde::Deserialize;
use serde_json::json;

use crate::gateway::{Gateway, Token};
use crate::smuggling::backends;

const QUIET: Duration = Duration::from_millis(400);
/// How long a server may take to tell a request that it has answered.
const TELL_MAX: Duration = Duration::from_secs(5);

/// Fields of one hop, and one that a row nominates as such.
const HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
    "proxy-authorization",
    "x-secret",
];

#[derive(Deserialize)]
struct Row {
    name: String,
    request_latin1: String,
}

impl Row {
    /// What is sent, with this token in its place.
    fn bytes(&self, token: &Token) -> Vec<u8> {
        let text = self.request_latin1.replace("{TOKEN}", &token.secret);
        let byte = |c| u8::try_from(c).expect("Latin-1");
        text.chars().map(byte).collect()
    }
}

/// What becomes of a row: the statuses of the answers, and how many requests reach the upstream.
struct Outcome {
    row: &'static str,
    statuses: &'static [u16],
    forwarded: usize,
}

const fn refused(row: &'static str) -> Outcome {
    Outcome {
        row,
        statuses: &[400],
        forwarded: 0,
    }
}

const fn answered(row: &'static str, statuses: &'static [u16], forwarded: usize) -> Outcome {
    Outcome {
        row,
        statuses,
        forwarded,
    }
}

/// Every row of the corpus, by name.
const OUTCOMES: [Outcome; 37] = [
    // Framing that two servers could read differently.
    refused("CL+TE"),
    refused("TE then CL"),
    refused("two different CL"),
    refused("two same CL"),
    refused("CL: 2, 2"),
    refused("CL: +2"),
    refused("CL: 0x2"),
    refused("TE xchunked"),
    refused("TE chunked, identity"),
    refused("TE gzip, chunked"),
    refused("TE chunked twice"),
    refused("TE[sp]: chunked"),
    refused("TE[VT]chunked"),
    refused("HTTP/1.0 TE"),
    refused("obs-fold"),
    refused("bare LF lines"),
    refused("chunk size 0x2"),
    refused("chunk ext with LF"),
    refused("chunk bare LF"),
    refused("Connection: content-length"),
    refused("Connection: authorization"),
    // A body without a length, kept alive: HTTP/1.0 has no way to say where it ends.
    refused("HTTP/1.0 no CL + bytes"),
    // The bytes after the first request are a second one, which has no token.
    answered("pipelined 2nd no auth", &[200, 401], 1),
    // What is for one hop stays on that hop.
    answered("hop headers", &[200], 1),
    // Upgrades and tunnels are not served, and nothing after them is read.
    answered("Upgrade foo + smuggle", &[501], 0),
    answered("Upgrade ws + smuggle", &[501], 0),
    answered("CONNECT", &[501], 0),
    // Who is asked for, and by whom, must be said once and plainly.
    refused("absolute uri other host"),
    refused("no Host"),
    refused("two Hosts"),
    refused("two Authorization"),
    // Bytes that do not belong there.
    refused("NUL in value"),
    refused("bare CR in value"),
    refused("space in uri"),
    refused("path traversal raw"),
    refused("100k header"),
    // A GET has no body by the grant.
    refused("GET + CL body"),
];

// Goal: each row has the outcome that is written down, and nothing of it reaches the upstream in
// any other shape. Method: the raw bytes of each row, with a valid token, on their own connection.
#[test]
fn malformed_requests_have_the_outcome_that_is_written_down() {
    let Some(rows) = corpora::rows::<Row>("conformance/malformed_requests.jsonl") else {
        return;
    };
    let upstream = ReplayUpstream::start(|_: &SeenRequest| Answer::json(200, &json!({})));
    let upstream = upstream.expect("the upstream starts");
    let gateway = Gateway::start();
    gateway.upstream("v1", "http", &upstream.url(), "no-matter");
    let token = gateway.token(&["v1:call:GET|POST /{path...} body=any"]);
    let expected: BTreeMap<&str, &Outcome> = OUTCOMES.iter().map(|o| (o.row, o)).collect();
    assert_eq!(
        expected.len(),
        rows.len(),
        "a row without an outcome, or the reverse"
    );
    let mut wrong = Vec::new();
    for row in &rows {
        let outcome = expected
            .get(row.name.as_str())
            .expect("each row has an outcome");
        upstream.take_requests();
        let conversation =
            raw::talk(gateway.addr(), &row.bytes(&token), QUIET).expect("it listens");
        let mut forwarded = upstream.take_requests();
        // A body that breaks off under way arrives broken off: the upstream can tell.
        forwarded.retain(|request| request.complete);
        let statuses = conversation.statuses();
        if statuses != outcome.statuses || forwarded.len() != outcome.forwarded {
            wrong.push(format!(
                "{}: {statuses:?}, {} forwarded",
                row.name,
                forwarded.len()
            ));
        }
        for request in &forwarded {
            // The gateway's own hop may ask for trailers; the client's fields stay behind.
            let own = [("te", "trailers"), ("connection", "te")];
            for (name, value) in &request.headers {
                let hop = HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop));
                let ours = own.contains(&(name.as_str(), value.as_str()));
                assert!(!hop || ours, "{}: {name}: {value}", row.name);
            }
            assert!(
                !request.contains(&token.secret),
                "{}: {request:?}",
                row.name
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(upstream.malformed(), Vec::<String>::new());
}

// Goal: a real server reads as many requests from a row as were written down, and no other. Method:
// each row before two servers with parsers of their own, and an honest request after it: when the
// server tells that one, it has told what the row was to it.
#[test]
fn malformed_requests_are_one_request_to_real_servers_or_none() {
    let Some(rows) = corpora::rows::<Row>("conformance/malformed_requests.jsonl") else {
        return;
    };
    let expected: BTreeMap<&str, &Outcome> = OUTCOMES.iter().map(|o| (o.row, o)).collect();
    for backend in backends() {
        let gateway = Gateway::start();
        let url = format!("http://{}", backend.addr());
        gateway.upstream("v1", "http", &url, "no-matter");
        let token = gateway.token(&["v1:call:GET|POST /{path...} body=any"]);
        let bearer = token.bearer();
        for (number, row) in rows.iter().enumerate() {
            let before = backend.requests().len();
            raw::talk(gateway.addr(), &row.bytes(&token), QUIET).expect("it listens");
            let last = format!("/after-{number}");
            let headers = [("authorization", bearer.as_str())];
            let target = format!("/v1{last}");
            let honest = raw::request(gateway.addr(), "GET", &target, &headers, b"");
            assert_eq!(honest.status, 200, "after {}", row.name);
            let told = |seen: &[BackendRequest]| seen.iter().any(|r| r.target == last);
            let mut seen = Vec::new();
            let deadline = Instant::now() + TELL_MAX;
            while !told(&seen) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
                seen = backend.requests().split_off(before);
            }
            assert!(told(&seen), "{} does not tell {last}", backend.name());
            // What broke off under way is not taken for a request.
            seen.retain(|request| request.complete && request.target != last);
            let served = expected[row.name.as_str()].forwarded;
            let what = format!("{} of {}: {seen:?}", row.name, backend.name());
            assert_eq!(seen.len(), served, "{what}");
            let plain = |r: &BackendRequest| r.target == "/big" && r.body.is_empty();
            assert!(seen.iter().all(plain), "{what}");
        }
    }
}
