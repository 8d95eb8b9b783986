//! A copy of the data directory tells neither secrets nor what was said.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use postern_testkit::{Answer, ReplayUpstream, SeenRequest, raw};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Token};

const SEALED: &str = "sk-sealed-provider-credential-8c1f0e";
const QUESTION: &str = "Where did the heron of Ystad sleep, asks nils.holg@example.com?";
const ANSWER: &str = "Under the ninth plank of the old pier.";
const OWNER: &str = "Selma of the third floor";
const PURPOSE: &str = "to find the heron";

/// How often `needle` stands in the files below `dir`, as it is or in hexadecimal.
fn occurrences(dir: &Path, needle: &str) -> usize {
    let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = 0;
    for entry in fs::read_dir(dir).expect("the directory is ours").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found += occurrences(&path, needle);
        } else if let Ok(mut bytes) = fs::read(&path) {
            // Segments of the log are made large before they are written to.
            let end = bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1);
            bytes.truncate(end);
            let finds = |text: &str| bytes.windows(text.len()).any(|at| at == text.as_bytes());
            found += usize::from(finds(needle) || finds(&hex));
        }
    }
    found
}

/// An upstream that says the same thing always, whole or in events.
fn talker() -> ReplayUpstream {
    let upstream = ReplayUpstream::start(|request: &SeenRequest| {
        let message = json!({"role": "assistant", "content": ANSWER});
        if request.contains("\"stream\":true") {
            let choices = json!([{"index": 0, "delta": message}]);
            let event = json!({"id": "c1", "model": "gpt-4o-mini", "choices": choices});
            let text = format!("data: {event}\n\ndata: [DONE]\n\n");
            return Answer::new(200, "text/event-stream", text);
        }
        let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
        let body = json!({"id": "c1", "model": "gpt-4o-mini", "choices": choices});
        Answer::json(200, &body)
    });
    upstream.expect("the upstream starts")
}

/// Asks the question, with this token: answered whole, answered in events, and refused.
fn ask(gateway: &Gateway, token: &Token) {
    let bearer = token.bearer();
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    for (model, stream, status) in [
        ("gpt-4o-mini", false, 200),
        ("gpt-4o-mini", true, 200),
        ("gpt-4o", false, 403),
    ] {
        let message = json!([{"role": "user", "content": QUESTION}]);
        let body = json!({"model": model, "stream": stream, "messages": message}).to_string();
        let path = "/openai/v1/chat/completions";
        let answer = raw::request(gateway.addr(), "POST", path, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{}", answer.text());
        let heard = answer.text().contains("Under the ninth");
        assert_eq!(heard, status == 200, "{}", answer.text());
    }
}

// Goal: README's promise for the whole directory of a gateway that was in use, not for one part of
// it. Method: a sealed credential, tokens, and prompts and answers that pass, are streamed, refused
// and kept for the way back; then each of these words in each file, while the gateway runs and
// after it was killed.
#[test]
fn a_copy_of_a_used_data_directory_tells_nothing() {
    let upstream = talker();
    let mut gateway = Gateway::start();
    gateway.upstream("openai", "openai", &upstream.url(), "is replaced");
    let words = |line: &'static str| line.split(' ').collect::<Vec<_>>();
    let change = words("upstream update openai --env dev --credential -");
    gateway.told(&change, SEALED);
    let rule = "data-rule create kept --env dev --class email --action pseudonym:token";
    gateway.json(&words(rule));
    let people = ["--owner", OWNER, "--purpose", PURPOSE];
    let token = gateway.token_in("dev", &["openai:invoke:gpt-4o-mini"], &people);
    let rotated = gateway.json(&["token", "rotate", &token.id, "--grace", "1h"]);
    let admin = gateway.json(&words("token create --role auditor --ttl 1h"));
    ask(&gateway, &token);
    let seen = upstream.requests();
    assert!(seen[0].contains(SEALED), "the credential is in use");
    let sent = seen[0].contains("heron") && !seen[0].contains("nils.holg");
    assert!(sent, "the placeholder is in use");
    let mut secrets = vec![
        SEALED,
        "heron of Ystad",
        "nils.holg",
        ANSWER,
        OWNER,
        PURPOSE,
    ];
    let text = |value: &Value| value["token"].as_str().expect("a text").to_owned();
    let tokens = [token.secret.clone(), text(&rotated), text(&admin)];
    secrets.extend(tokens.iter().filter_map(|token| token.rsplit('_').next()));
    let data = gateway.dir().join("data");
    for life in ["running", "killed"] {
        // What may be read is found, so that what is not found is not there.
        assert!(occurrences(&data, "openai") > 0, "nothing at all is found");
        for secret in &secrets {
            assert_eq!(occurrences(&data, secret), 0, "{secret:?}, {life}");
        }
        if life == "running" {
            gateway.kill_and_start_again();
        }
    }
}

// Goal: whoever looks for tokens that nobody needs can rely on when one was used. Method: a token
// that is refused, which is no use of it, and then let through.
#[test]
fn when_a_token_was_last_used_is_told() {
    let upstream = ReplayUpstream::start(|_: &SeenRequest| Answer::json(200, &json!({})));
    let upstream = upstream.expect("the upstream starts");
    let gateway = Gateway::start();
    gateway.upstream("back", "http", &upstream.url(), "secret");
    let token = gateway.token(&["back:call:GET /open"]);
    let bearer = token.bearer();
    let ask = |path: &str| {
        let headers = [("authorization", bearer.as_str())];
        raw::request(gateway.addr(), "GET", path, &headers, b"").status
    };
    let shown = || gateway.json(&["token", "show", &token.id]);
    assert_eq!(ask("/back/closed"), 403);
    assert!(shown()["last_used_at"].is_null(), "{}", shown());
    assert_eq!(ask("/back/open"), 200);
    // It is written a little later, together with the uses of others.
    let deadline = Instant::now() + Duration::from_secs(30);
    while shown()["last_used_at"].is_null() {
        assert!(Instant::now() < deadline, "its use was forgotten");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = shown();
    let time = |value: &Value| -> jiff::Timestamp {
        let text = value.as_str().expect("a time");
        text.parse().expect("a time")
    };
    let made = time(&told["created_at"]);
    for used in [&told["last_used_at"], &told["secrets"][0]["last_used_at"]] {
        let after = time(used).as_millisecond() - made.as_millisecond();
        assert!(
            (0..30_000).contains(&after),
            "used {after} ms after it was made"
        );
    }
}
