//! Published corpora of odd requests, against a reader that knows only the standard.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_testkit::corpora;
use serde_json::Value;

use super::*;

/// Fills in what the smuggling heads leave open: a request whose hidden half is a second one.
fn smuggling_request(head: &str) -> String {
    let body = "3\r\nabc\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    head.replace("__METHOD__", "POST")
        .replace("__ENDPOINT__", "/visible")
        .replace("__HOST__", "x")
        .replace("__RANDOM__", "1")
        .replace("__REPLACE_CL__", &body.len().to_string())
        + "Connection: close\r\n\r\n"
        + body
}

fn decoded(row: &Value, field: &str) -> Vec<u8> {
    STANDARD.decode(row[field].as_str().unwrap()).unwrap()
}

#[test]
fn no_smuggling_head_hides_a_request() {
    // Goal: a head of the smuggling corpus is refused, or is one request whose body is exactly what
    // its Content-Length says; the request hidden in the body is never seen. Method: each head with
    // a body that is chunked to one reader and counted to another.
    let Some(rows) = corpora::rows::<Value>("conformance/request_smuggling_heads.jsonl") else {
        return;
    };
    let server = Server::start(Bounds::default());
    let mut passed = 0;
    for row in &rows {
        let head: String = decoded(row, "head_base64")
            .iter()
            .map(|b| char::from(*b))
            .collect();
        let request: Vec<u8> = smuggling_request(&head)
            .chars()
            .map(|char| u8::try_from(char).unwrap())
            .collect();
        let conversation = talk(server.address, &request, Duration::from_secs(1)).unwrap();
        let name = &row["name"];
        for answer in &conversation.answers {
            assert!(
                !answer.text().contains("/hidden"),
                "{name}: {}",
                answer.text()
            );
        }
        if conversation.statuses() == [200] {
            passed += 1;
            assert!(answer_counts(&conversation, &request), "{name}");
        } else {
            assert_eq!(outcomes(&conversation), ["bad_request"], "{name}");
        }
    }
    assert!(
        passed * 4 < rows.len(),
        "most heads are refused: {passed} of {} passed",
        rows.len()
    );
}

/// Whether the body that was seen has the length of everything behind the head.
fn answer_counts(conversation: &Conversation, request: &[u8]) -> bool {
    let head = request
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    let length = (request.len() - head).to_string();
    conversation.answers[0]
        .text()
        .ends_with(&format!(" {length}"))
}

#[test]
fn what_a_strict_parser_refuses_is_refused() {
    // Goal: nothing passes that llhttp, the parser of Node, calls an error in its strict mode.
    // Method: each strict request of its suite, with the Host added that its tests leave out.
    let Some(rows) = corpora::rows::<Value>("conformance/http1_parsing.jsonl") else {
        return;
    };
    let server = Server::start(Bounds::default());
    let mut errors = 0;
    for row in rows
        .iter()
        .filter(|row| row["kind"] == "request" && row["expected"] == "error")
    {
        errors += 1;
        let request = decoded(row, "bytes_base64");
        let with_host = [
            b"GET /before HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(),
            &request,
        ]
        .concat();
        for bytes in [request, with_host] {
            let conversation = talk(server.address, &bytes, Duration::from_millis(150)).unwrap();
            let last = conversation.answers.last().map(|answer| answer.text());
            let odd = outcomes(&conversation)
                .last()
                .is_none_or(|outcome| outcome != "200")
                || last.is_some_and(|text| text.starts_with("GET /before"));
            assert!(
                odd,
                "{} passed: {:?}",
                row["title"],
                outcomes(&conversation)
            );
        }
    }
    assert!(errors > 20, "the corpus has errors: {errors}");
}
