//! Recorded, whatever happens: the process is killed at random moments under load, and everything
//! that was answered is in the log.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use postern_audit::Reader;
use postern_guard::RingKeys;
use postern_store::KeyRing;
use postern_testkit::{Answer, ReplayUpstream, raw};
use postern_types::{AuditRecord, End};
use serde_json::json;

use crate::gateway::{Gateway, Token};

/// How often the process is killed.
const KILLS: u64 = 200;
/// Clients that ask without a pause.
const CLIENTS: usize = 3;
/// The server lives under load for at most so long before it is killed.
const LIFE_MAX_US: u64 = 40_000;

/// Asks until the server is gone; notes the id of every request whose answer came whole.
fn ask_until_gone(address: SocketAddr, token: &Token, answered: &Mutex<HashSet<String>>) {
    let body = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"still there?"}]}"#;
    let request = format!(
        "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        token.bearer(),
        body.len(),
    );
    let Ok(mut stream) = TcpStream::connect(address) else {
        return;
    };
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while stream.write_all(request.as_bytes()).is_ok() {
        seen.clear();
        loop {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => seen.extend_from_slice(&buffer[..count]),
            }
            let text = String::from_utf8_lossy(&seen);
            if text.ends_with("\"whole\"}") {
                assert!(text.starts_with("HTTP/1.1 200"), "{text}");
                let (_, rest) = text
                    .split_once("postern-request-id: ")
                    .expect("every answer has it");
                let id = rest.split("\r\n").next().unwrap_or_default().to_owned();
                answered
                    .lock()
                    .expect("no client panics with it")
                    .insert(id);
                break;
            }
        }
    }
}

/// A small generator, so that a failure can be repeated.
fn moments(mut seed: u64) -> impl Iterator<Item = Duration> {
    std::iter::repeat_with(move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Duration::from_micros((seed >> 33) % LIFE_MAX_US)
    })
}

#[test]
fn whatever_was_answered_is_recorded_after_kill_9_at_any_moment() {
    // Goal: every answered request has an intent and an outcome, and every intent has one outcome,
    // if only `abandoned`. Method: clients under load, SIGKILL at 200 random moments, each time a
    // new process on the same files; then the log is read and compared with what clients saw.
    let upstream = ReplayUpstream::start(|_: &_| Answer::json(200, &json!({"answer": "whole"})))
        .expect("loopback");
    upstream.keep_nothing();
    let mut gateway = Gateway::start_with("[audit]\nsegment_size = \"1 MiB\"\n");
    gateway.upstream("openai", "openai", &upstream.url(), "provider-secret");
    let token = gateway.token(&["openai:invoke:gpt-4o-mini"]);
    let answered = Arc::new(Mutex::new(HashSet::new()));
    for life in moments(7).take(usize::try_from(KILLS).expect("a small number")) {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (address, token) = (gateway.addr(), token.clone());
                let answered = Arc::clone(&answered);
                std::thread::spawn(move || ask_until_gone(address, &token, &answered))
            })
            .collect();
        std::thread::sleep(life);
        gateway.kill_and_start_again();
        for client in clients {
            client.join().expect("a client does not panic");
        }
    }
    let answered = answered.lock().expect("all clients are done").clone();
    // A busy machine answers little in a life of milliseconds, but more than once in each.
    assert!(
        answered.len() as u64 > KILLS,
        "only {} answers: there was no load",
        answered.len()
    );
    check_log(&gateway, &answered);
    let verified = gateway.json(&["audit", "verify"]);
    assert_eq!(verified["sound"], json!(true), "{verified}");
}

fn check_log(gateway: &Gateway, answered: &HashSet<String>) {
    let (data, keys) = (gateway.dir().join("data"), gateway.dir().join("keys"));
    let keys = Arc::new(KeyRing::open(&keys, &data).expect("the keys open"));
    let keys = Arc::new(RingKeys::new(keys));
    let reader = Reader::open(&data.join("audit"), Some(keys)).expect("the log opens");
    let (mut intents, mut outcomes) = (HashSet::new(), HashMap::new());
    for entry in reader.entries_from(0).expect("the log reads") {
        let body = entry
            .expect("each entry reads")
            .body
            .expect("the keys open it");
        match AuditRecord::decode(&body) {
            Ok(AuditRecord::Intent(intent)) => {
                assert!(intents.insert(intent.summary.request.to_string()));
            }
            Ok(AuditRecord::Outcome(outcome)) => {
                let request = outcome.summary.request.to_string();
                assert!(
                    outcomes.insert(request, outcome.end).is_none(),
                    "one outcome each"
                );
            }
            _ => {}
        }
    }
    let without: Vec<_> = intents
        .iter()
        .filter(|id| !outcomes.contains_key(*id))
        .collect();
    assert!(
        without.is_empty(),
        "{} intents have no outcome",
        without.len()
    );
    for id in answered {
        assert!(intents.contains(id), "{id} was answered and has no intent");
        let end = outcomes.get(id).copied();
        assert!(
            matches!(end, Some(End::Done | End::Abandoned)),
            "{id}: {end:?}"
        );
    }
    let abandoned = outcomes
        .values()
        .filter(|end| **end == End::Abandoned)
        .count();
    assert!(abandoned > 0, "no kill met a request under way");
}

#[test]
fn a_kill_in_the_middle_of_a_window_gives_no_rate_back() {
    // Goal: a rate holds across crashes of the process. Method: most of a minute's count, SIGKILL,
    // and requests to the next process until it refuses; both have to fit into one minute.
    let upstream = ReplayUpstream::start(|_: &_| Answer::json(200, &json!({"answer": "whole"})))
        .expect("loopback");
    let mut gateway = Gateway::start();
    gateway.upstream("openai", "openai", &upstream.url(), "provider-secret");
    let limits = ["--limit", "requests=5/minute"];
    let token = gateway.token_in("dev", &["openai:invoke:gpt-4o-mini"], &limits);
    let begun = Instant::now();
    let passed = |gateway: &Gateway, tries: usize| {
        let statuses = (0..tries).map(|_| ask_once(gateway, &token));
        statuses.filter(|status| *status == 200).count()
    };
    assert_eq!(passed(&gateway, 3), 3);
    gateway.kill_and_start_again();
    let after = passed(&gateway, 6);
    if begun.elapsed() < Duration::from_secs(60) {
        assert_eq!(after, 2, "three of five were used before");
    } else {
        assert!(after <= 5, "a machine as slow as this began another window");
    }
}

fn ask_once(gateway: &Gateway, token: &Token) -> u16 {
    let body = r#"{"model":"gpt-4o-mini","messages":[]}"#;
    let bearer = token.bearer();
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = "/openai/v1/chat/completions";
    raw::request(gateway.addr(), "POST", path, &headers, body.as_bytes()).status
}
