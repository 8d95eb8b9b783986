//! What the gateway refuses, the official SDKs understand: their own typed exceptions, their own
//! retries, and a request id to ask about.

use std::time::Duration;

use postern_testkit::{Answer, exchange};

use crate::clients::{Language, Seen};
use crate::door::Door;
use crate::gateway::Token;

/// The drivers of the two SDK families, and where they go.
const DRIVERS: [(Language, &str, &str, &str); 4] = [
    (Language::Python, "openai_sdk.py", "openai", "gpt-4o-mini"),
    (Language::Node, "openai_sdk.mjs", "openai", "gpt-4o-mini"),
    (
        Language::Python,
        "anthropic_sdk.py",
        "anthropic",
        "claude-sonnet-4-5",
    ),
    (
        Language::Node,
        "anthropic_sdk.mjs",
        "anthropic",
        "claude-sonnet-4-5",
    ),
];

/// Asserts that `scenario` raised this exception because of this refusal.
fn refused(seen: &Seen, scenario: &str, kind: &str, status: u16, code: &str) {
    let raised = seen.raised(scenario, kind, Some(status));
    assert_eq!(raised["refusal"], code, "{raised:#}");
    let id = raised["request_id"].as_str().unwrap_or_default();
    assert!(!id.is_empty(), "no request id: {raised:#}");
    // Where an application reads it, without knowing of the gateway.
    assert_eq!(raised["own_request_id"], id, "{raised:#}");
}

#[test]
fn a_token_that_opens_nothing_is_an_authentication_error() {
    let door = Door::open();
    let live = door.token("openai");
    let forged = {
        let mut secret = live.secret.clone();
        let last = if secret.pop() == Some('0') { '1' } else { '0' };
        secret.push(last);
        secret
    };
    let only = ["plain", "tool_stream"];
    let token = |secret: &str| Token {
        id: String::new(),
        secret: secret.to_owned(),
    };
    for (language, script, upstream, _) in DRIVERS {
        let seen = door.drive(language, script, upstream, &token(&forged), &only);
        let Some(seen) = seen else { return };
        refused(
            &seen,
            "plain",
            "AuthenticationError",
            401,
            "unauthenticated",
        );
        refused(
            &seen,
            "tool_stream",
            "AuthenticationError",
            401,
            "unauthenticated",
        );
    }
    let foreign = token("sk-not-ours-at-all");
    let seen = door.drive(Language::Node, "openai_sdk.mjs", "openai", &foreign, &only);
    let Some(seen) = seen else { return };
    refused(
        &seen,
        "plain",
        "AuthenticationError",
        401,
        "unauthenticated",
    );
    let seen = door.drive(
        Language::Python,
        "google_sdk.py",
        "gemini",
        &foreign,
        &["plain"],
    );
    let Some(seen) = seen else { return };
    seen.raised("plain", "ClientError", Some(401));
    assert!(
        door.upstream.requests().is_empty(),
        "a refused request reached the upstream"
    );
}

#[test]
fn a_model_outside_the_grant_is_a_permission_error() {
    let door = Door::open();
    for (language, script, upstream, _) in DRIVERS {
        let token = door
            .gateway
            .token(&[&format!("{upstream}:invoke:another-model")]);
        let seen = door.drive(
            language,
            script,
            upstream,
            &token,
            &["plain", "tool_stream"],
        );
        let Some(seen) = seen else { return };
        refused(&seen, "plain", "PermissionDeniedError", 403, "denied");
        refused(&seen, "tool_stream", "PermissionDeniedError", 403, "denied");
    }
    let token = door.gateway.token(&["gemini:invoke:another-model"]);
    let seen = door.drive(
        Language::Python,
        "google_sdk.py",
        "gemini",
        &token,
        &["plain"],
    );
    let Some(seen) = seen else { return };
    seen.raised("plain", "ClientError", Some(403));
    assert!(
        door.upstream.requests().is_empty(),
        "a refused request reached the upstream"
    );
}

// Goal: the SDKs wait as long as our Retry-After says and then get through, by themselves.
// Method: one request a second allowed, three made in a row; the clock and the upstream's count.
#[test]
fn the_sdks_honour_our_retry_after() {
    let door = Door::open();
    for (language, script, upstream, model) in DRIVERS {
        let grant = format!("{upstream}:invoke:{model}");
        let limited = ["--limit", "requests=1/second"];
        let token = door.gateway.token_in("dev", &[&grant], &limited);
        door.upstream.take_requests();
        let seen = door.drive(language, script, upstream, &token, &["three_in_a_row"]);
        let Some(seen) = seen else { return };
        let ends = seen.returned("three_in_a_row").as_array().map(Vec::len);
        assert_eq!(ends, Some(3), "{script}");
        let seconds = seen.seconds("three_in_a_row");
        assert!((1.9..8.0).contains(&seconds), "{script}: {seconds} s");
        assert_eq!(
            door.upstream.requests().len(),
            3,
            "{script}: refused requests went on"
        );
    }
}

#[test]
fn a_used_up_limit_is_a_rate_limit_error() {
    let door = Door::open();
    for (language, script, upstream, model) in DRIVERS {
        let grant = format!("{upstream}:invoke:{model}");
        let limited = ["--limit", "requests=1/minute"];
        let token = door.gateway.token_in("dev", &[&grant], &limited);
        // The drivers that do not retry run first; the second request is over the limit.
        let seen = door.drive(language, script, upstream, &token, &["plain", "tool"]);
        let Some(seen) = seen else { return };
        seen.returned("plain");
        refused(&seen, "tool", "RateLimitError", 429, "rate_limited");
    }
}

/// An endless stream of this dialect: the start of a committed one, and one of its deltas again and
/// again.
fn endless(id: &str, delta: &str) -> Answer {
    let stream = exchange::named(id)
        .response_text()
        .expect("streams are text")
        .to_owned();
    let events: Vec<&str> = stream.split_inclusive("\n\n").collect();
    let at = events
        .iter()
        .position(|event| event.contains(delta))
        .expect("it has deltas");
    let first = events[..=at].concat();
    Answer::endless(first, events[at].to_owned(), Duration::from_millis(5))
}

/// A stream to cut: the driver and its scenario, and the exchange and delta to repeat.
struct Running {
    script: &'static str,
    scenario: &'static str,
    upstream: &'static str,
    id: &'static str,
    delta: &'static str,
}

const RUNNING: [Running; 6] = [
    Running {
        script: "openai_sdk.py",
        scenario: "stream_to_the_end",
        upstream: "openai",
        id: "openai-chat-stream",
        delta: "\" on\"",
    },
    Running {
        script: "openai_sdk.py",
        scenario: "responses_stream_to_the_end",
        upstream: "openai",
        id: "openai-responses-stream",
        delta: "output_text.delta",
    },
    Running {
        script: "anthropic_sdk.py",
        scenario: "stream_to_the_end",
        upstream: "anthropic",
        id: "anthropic-messages-stream",
        delta: "text_delta",
    },
    Running {
        script: "google_sdk.py",
        scenario: "stream_to_the_end",
        upstream: "gemini",
        id: "gemini-stream-sse",
        delta: "skerries",
    },
    Running {
        script: "openai_sdk.mjs",
        scenario: "stream_to_the_end",
        upstream: "openai",
        id: "openai-chat-stream",
        delta: "\" on\"",
    },
    Running {
        script: "anthropic_sdk.mjs",
        scenario: "stream_to_the_end",
        upstream: "anthropic",
        id: "anthropic-messages-stream",
        delta: "text_delta",
    },
];

impl Running {
    fn drive(&self, door: &Door, token: &Token, scenario: &str) -> Option<Seen> {
        let node = self.script.ends_with(".mjs");
        let language = if node {
            Language::Node
        } else {
            Language::Python
        };
        door.drive(language, self.script, self.upstream, token, &[scenario])
    }

    /// Starts the stream, revokes the token under way; gives what the SDK saw.
    fn cut(&self, door: &Door, token: &Token) -> Option<Seen> {
        let (hangups, repeats) = (door.upstream.hangups(), door.upstream.repeats());
        door.upstream.queue(endless(self.id, self.delta));
        let seen = std::thread::scope(|scope| {
            let run = scope.spawn(|| self.drive(door, token, self.scenario));
            if door
                .upstream
                .wait_until(|upstream| upstream.repeats() > repeats + 20)
            {
                door.gateway.json(&["token", "revoke", &token.id]);
            }
            run.join().expect("the driver ends")
        });
        let seen = seen?;
        let stopped = door
            .upstream
            .wait_until(|upstream| upstream.hangups() > hangups);
        assert!(stopped, "{}: the upstream still sends", self.script);
        Some(seen)
    }
}

// Goal: revoking ends a running stream with an error that the SDK raises, not with silence or a
// short answer that looks whole. Method: an endless stream of each dialect, revoked under way.
#[test]
fn a_revoked_token_ends_the_running_stream_with_the_sdks_own_error() {
    let door = Door::open();
    for running in RUNNING {
        let token = door.token(running.upstream);
        let Some(seen) = running.cut(&door, &token) else {
            return;
        };
        let raised = seen.failed(running.scenario);
        let words = raised["message"].as_str().unwrap_or_default();
        assert!(
            words.contains("revoked"),
            "{} {}: {raised:#}",
            running.script,
            running.id
        );
        let again = running
            .drive(&door, &token, "plain")
            .expect("it ran before");
        let status = &again.failed("plain")["status"];
        assert_eq!(
            status, 401,
            "{}: a revoked token still opens",
            running.script
        );
    }
}
