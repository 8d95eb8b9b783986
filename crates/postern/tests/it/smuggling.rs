//! What the gateway reads as one request, the backend reads as that one request, or nothing at all.
//!
//! The heads and requests are other people's attacks (the corpora `request_smuggling_heads` and
//! `http1_parsing`); the backends are two servers with parsers of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use postern_testkit::backend::{Nginx, NodeBackend, Witness};
use postern_testkit::raw::{self, RawAnswer};
use postern_testkit::{Answer, ReplayUpstream, SeenRequest, corpora};
use serde::Deserialize;
use serde_json::json;

use crate::gateway::Gateway;
use crate::wire::{Case, Outcome, mark, send_all};

/// Silence after which an answer is over.
const QUIET: Duration = Duration::from_millis(300);

/// Where the cases go in.
struct Front {
    addr: SocketAddr,
    /// The path of the upstream, without a slash at the end.
    prefix: String,
    /// The header line that authenticates, with its line end; empty where there is none.
    authorization: String,
}

#[derive(Deserialize)]
struct Head {
    list: String,
    name: String,
    head_base64: String,
}

/// A body that a reader of `Content-Length` and one of `Transfer-Encoding` end at other places,
/// with a request hidden in the difference.
enum Trap {
    /// The whole body counts for the length; the chunked coding ends before the hidden request.
    AfterChunks,
    /// The chunked coding takes it all; the length ends before the hidden request.
    AfterLength,
}

impl Trap {
    /// The body, and the `Content-Length` that goes with it.
    fn body(&self, hidden: &str) -> (String, usize) {
        match self {
            Self::AfterChunks => {
                let body = format!("0\r\n\r\n{hidden}");
                let length = body.len();
                (body, length)
            }
            Self::AfterLength => {
                let size = format!("{:x}\r\n", hidden.len());
                (format!("{size}{hidden}\r\n0\r\n\r\n"), size.len())
            }
        }
    }
}

fn smuggling_cases(front: &Front, heads: &[Head]) -> Vec<Case> {
    let mut cases = Vec::with_capacity(heads.len() * 2);
    for head in heads {
        let traps = [
            ("after the chunks", Trap::AfterChunks),
            ("after the length", Trap::AfterLength),
        ];
        for (place, trap) in traps {
            let mark = mark(cases.len());
            let hidden = format!(
                "GET /smuggled-{mark} HTTP/1.1\r\nHost: {}\r\n\r\n",
                front.addr
            );
            let (body, length) = trap.body(&hidden);
            let template = corpora::base64(&head.head_base64);
            let mut bytes = fill(&template, "__METHOD__", "POST");
            bytes = fill(&bytes, "__ENDPOINT__", &format!("{}/{mark}", front.prefix));
            bytes = fill(&bytes, "__HOST__", &front.addr.to_string());
            bytes = fill(&bytes, "__RANDOM__", "1");
            bytes = fill(&bytes, "__REPLACE_CL__", &length.to_string());
            bytes.extend_from_slice(front.authorization.as_bytes());
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(body.as_bytes());
            let name = format!("{} {}, hidden {place}", head.list, head.name);
            cases.push(Case { name, mark, bytes });
        }
    }
    cases
}

/// `template` with every `placeholder` replaced.
fn fill(template: &[u8], placeholder: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(template.len() + value.len());
    let mut rest = template;
    while let Some(at) = rest
        .windows(placeholder.len())
        .position(|w| w == placeholder.as_bytes())
    {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(value.as_bytes());
        rest = &rest[at + placeholder.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// What each whole request was to a backend, by its mark: method, target and body.
type Readings = BTreeMap<String, Vec<(String, String, String)>>;

/// Asserts that the backends before this one read the same requests as this one: each to the byte
/// of its body, with a parser of its own.
fn agree(before: &mut Option<Readings>, backend: &str, outcomes: &[Outcome<'_>]) {
    let read = |outcome: &Outcome<'_>| {
        let whole = outcome.seen.iter().filter(|request| request.complete);
        whole
            .map(|r| (r.method.clone(), r.target.clone(), r.body.clone()))
            .collect()
    };
    let readings: Readings = outcomes
        .iter()
        .map(|outcome| (outcome.case.mark.clone(), read(outcome)))
        .collect();
    if let Some(before) = before {
        for (mark, reading) in &readings {
            assert_eq!(before.get(mark), Some(reading), "{backend} reads another");
        }
    }
    *before = Some(readings);
}

/// Asserts that nothing hidden arrived, and that the backend saw each answered request once and as
/// it was sent. Gives how many cases were served.
fn judge(backend: &str, outcomes: &[Outcome<'_>]) -> usize {
    let mut served = 0;
    for outcome in outcomes {
        let whole = outcome.describe();
        assert!(
            !outcome
                .seen
                .iter()
                .any(|request| request.target.contains("smuggled")),
            "{backend} saw a hidden request: {whole}"
        );
        let successes = outcome.successes();
        // A request that never became whole may have been begun; it is not taken for whole.
        let complete = outcome
            .seen
            .iter()
            .filter(|request| request.complete)
            .count();
        assert_eq!(complete, successes, "{backend} saw other requests: {whole}");
        served += usize::from(successes > 0);
    }
    served
}

#[derive(Deserialize)]
struct Parsing {
    kind: String,
    title: String,
    bytes_base64: String,
}

/// The requests of the parsing corpus, each twice: as it is, and as a client of the gateway would
/// have sent it, with a target of ours, a host and a credential.
fn parsing_cases(front: &Front, rows: &[Parsing]) -> Vec<Case> {
    let mut cases = Vec::new();
    for row in rows.iter().filter(|row| row.kind.starts_with("request")) {
        let bytes = corpora::base64(&row.bytes_base64);
        let own = mark(cases.len());
        cases.push(Case {
            name: format!("{} as it is", row.title),
            mark: own,
            bytes,
        });
        let mark = mark(cases.len());
        let bytes = corpora::base64(&row.bytes_base64);
        if let Some(bytes) = adapted(front, &bytes, &mark) {
            cases.push(Case {
                name: format!("{} adapted", row.title),
                mark,
                bytes,
            });
        }
    }
    cases
}

/// The request with another target, and with `Host` and credential where it has none.
fn adapted(front: &Front, bytes: &[u8], mark: &str) -> Option<Vec<u8>> {
    let line_end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..line_end]).ok()?;
    let (method, rest) = line.split_once(' ')?;
    let (target, version) = rest.trim_end_matches('\r').rsplit_once(' ')?;
    let query = target
        .split_once('?')
        .map(|(_, query)| format!("?{query}"))
        .unwrap_or_default();
    let line_end_text = if line.ends_with('\r') { "\r\n" } else { "\n" };
    let rest = &bytes[line_end + 1..];
    let lower = rest.to_ascii_lowercase();
    let has_host = lower.starts_with(b"host:") || lower.windows(6).any(|w| w == b"\nhost:");
    let mut out = format!(
        "{method} {}/{mark}{query} {version}{line_end_text}",
        front.prefix
    );
    if !has_host {
        out.push_str(&format!("Host: {}{line_end_text}", front.addr));
    }
    out.push_str(&front.authorization.replace("\r\n", line_end_text));
    Some([out.as_bytes(), rest].concat())
}

/// A gateway in front of a backend, with a token for any path of it.
fn gateway_before(backend: &dyn Witness) -> (Gateway, Front) {
    let gateway = Gateway::start();
    gateway.upstream(
        "back",
        "http",
        &format!("http://{}", backend.addr()),
        "no-matter",
    );
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let query = json!({"cb": "any", "q": "any", "foo": "any", "a": "any", "x": "any"});
    let rules = json!([{"methods": methods, "path": "/{path...}", "query": query, "body": "any"}]);
    let grant = json!({"upstream": "back", "actions": {"call": {"rules": rules}}});
    let token = gateway.token(&[&grant.to_string()]);
    let front = Front {
        addr: gateway.addr(),
        prefix: "/back".to_owned(),
        authorization: format!("Authorization: {}\r\n", token.bearer()),
    };
    (gateway, front)
}

/// Both backends that are installed.
pub(crate) fn backends() -> Vec<Box<dyn Witness>> {
    let node = NodeBackend::witness().expect("node starts");
    let nginx = Nginx::witness().expect("nginx starts");
    let node = node.map(|node| Box::new(node) as Box<dyn Witness>);
    let nginx = nginx.map(|nginx| Box::new(nginx) as Box<dyn Witness>);
    node.into_iter().chain(nginx).collect()
}

// Goal: the harness is not blind. Method: nginx in the gateway's place, without authentication: it
// takes some hidden requests for requests, and the harness must see them at the backend.
#[test]
fn the_harness_sees_hidden_requests() {
    let Some(heads) = corpora::rows::<Head>("conformance/request_smuggling_heads.jsonl") else {
        return;
    };
    let Some(node) = NodeBackend::witness().expect("node starts") else {
        return;
    };
    let Some(nginx) = Nginx::in_front_of(node.addr()).expect("nginx starts") else {
        return;
    };
    let front = Front {
        addr: nginx.addr(),
        prefix: String::new(),
        authorization: String::new(),
    };
    let cases = smuggling_cases(&front, &heads[..65]);
    let (outcomes, unmarked) = send_all(front.addr, &node, &cases);
    let seen = outcomes.iter().flat_map(|outcome| &outcome.seen);
    assert!(
        seen.into_iter()
            .any(|request| request.target.contains("smuggled"))
    );
    assert_eq!(unmarked, []);
}

// Goal: no head of the corpus gets a hidden request through. Method: each of 852 heads with two
// traps, before two backends; what the backend parsed must be what was answered.
#[test]
fn smuggling_heads_hide_nothing_from_the_gateway() {
    let Some(heads) = corpora::rows::<Head>("conformance/request_smuggling_heads.jsonl") else {
        return;
    };
    assert_eq!(heads.len(), 852);
    for backend in backends() {
        let (_gateway, front) = gateway_before(&*backend);
        let cases = smuggling_cases(&front, &heads);
        let (outcomes, unmarked) = send_all(front.addr, &*backend, &cases);
        let served = judge(backend.name(), &outcomes);
        assert_eq!(unmarked, [], "{} saw what nobody asked for", backend.name());
        // Refused for what it is, not because the gateway was busy with the others.
        let first = |outcome: &Outcome<'_>| outcome.conversation.statuses().first().copied();
        let odd = outcomes
            .iter()
            .find(|o| !matches!(first(o), Some(200 | 400)));
        assert!(
            odd.is_none(),
            "{}",
            odd.map(Outcome::describe).unwrap_or_default()
        );
        // Whatever is served is read by its length alone, to the byte.
        for outcome in outcomes.iter().filter(|outcome| outcome.successes() > 0) {
            let whole = outcome.describe();
            let head_end = find(&outcome.case.bytes, b"\r\n\r\n").expect("the head ends") + 4;
            let body = &outcome.case.bytes[head_end..];
            let seen = &outcome.seen[0];
            assert_eq!(
                (seen.method.as_str(), outcome.successes()),
                ("POST", 1),
                "{whole}"
            );
            assert!(body.starts_with(seen.body.as_bytes()), "{whole}");
        }
        // A gateway that refuses everything hides nothing either. Few of these heads are honest.
        assert!(served > 0, "{}: none were served", backend.name());
        eprintln!(
            "{}: {served} of {} cases were served",
            backend.name(),
            outcomes.len()
        );
    }
}

// Goal: the gateway and the backend read the same. Method: each request of the parsing corpus, as
// it is and adapted, before two backends.
#[test]
fn parsing_cases_are_read_alike_or_refused() {
    let Some(rows) = corpora::rows::<Parsing>("conformance/http1_parsing.jsonl") else {
        return;
    };
    assert_eq!(rows.len(), 125);
    let mut readings = None;
    for backend in backends() {
        let (_gateway, front) = gateway_before(&*backend);
        let cases = parsing_cases(&front, &rows);
        let (outcomes, unmarked) = send_all(front.addr, &*backend, &cases);
        let served = judge(backend.name(), &outcomes);
        agree(&mut readings, backend.name(), &outcomes);
        assert_eq!(
            unmarked,
            [],
            "{} saw what carries no credential",
            backend.name()
        );
        for outcome in outcomes.iter().filter(|outcome| outcome.successes() > 0) {
            let line = outcome.case.bytes.split(|byte| *byte == b'\r').next();
            let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
            let seen = &outcome.seen[0];
            // The gateway sends the query in its one spelling.
            let target = seen.target.replace("%3F", "?");
            let told = format!("{} {}{target} HTTP/1.", seen.method, front.prefix);
            assert!(line.starts_with(&told), "{}", outcome.describe());
        }
        assert!(served > 15, "{}: only {served} were served", backend.name());
        eprintln!(
            "{}: {served} of {} cases were served",
            backend.name(),
            outcomes.len()
        );
    }
}

/// An answer that an upstream gives in bytes of its own.
fn is_answer(row: &&Parsing) -> bool {
    row.kind.starts_with("response")
}

// Goal: a hostile or broken answer cannot become the answer to somebody else's request. Method:
// each response of the parsing corpus, then an honest one, asked for on one client connection; the
// second answer must be the honest one.
#[test]
fn broken_answers_do_not_shift_the_answers_after_them() {
    let Some(rows) = corpora::rows::<Parsing>("conformance/http1_parsing.jsonl") else {
        return;
    };
    let honest = |_: &SeenRequest| Answer::new(200, "text/plain", "the honest answer");
    let upstream = ReplayUpstream::start(honest).expect("the upstream starts");
    let gateway = Gateway::start();
    gateway.upstream("back", "http", &upstream.url(), "no-matter");
    let token = gateway.token(&["back:call:GET /{path...}"]);
    let request = |path: &str| {
        let bearer = token.bearer();
        format!(
            "GET /back/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Authorization: {bearer}\r\n\r\n",
            gateway.addr()
        )
    };
    let answers: Vec<&Parsing> = rows.iter().filter(is_answer).collect();
    assert_eq!(answers.len(), 48);
    for row in answers {
        upstream.queue(Answer::raw(corpora::base64(&row.bytes_base64)));
        let first =
            raw::talk(gateway.addr(), request("first").as_bytes(), QUIET).expect("it listens");
        let second =
            raw::talk(gateway.addr(), request("second").as_bytes(), QUIET).expect("it listens");
        let told: Vec<String> = second.answers.iter().map(RawAnswer::text).collect();
        assert_eq!(
            told,
            ["the honest answer"],
            "after {}: {:?}",
            row.title,
            first.answers
        );
        let finals = first
            .answers
            .iter()
            .filter(|answer| answer.status >= 200)
            .count();
        assert!(finals <= 1, "{}: one request, {finals} answers", row.title);
        let text = String::from_utf8_lossy(&first.bytes).into_owned();
        assert!(!text.contains('\0'), "{}: {text:?}", row.title);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
