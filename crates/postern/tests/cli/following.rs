//! Who follows the audit log over the network sees it as long as their token holds, and no longer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::house::House;

const PATIENCE: Duration = Duration::from_secs(20);
/// What is promised between the end of a token and the end of what it follows.
const PROMPTLY: Duration = Duration::from_secs(1);
/// The line that says so.
const ENDED: &str = "the administrator's token has ended";

/// A search that follows the log, over a connection of its own.
struct Follower {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Follower {
    fn begin(house: &House, token: &str) -> Self {
        let mut stream = TcpStream::connect(house.admin).expect("the admin API listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time is a time");
        let request = format!(
            "GET /api/v1/audit/entries?follow=true HTTP/1.1\r\nHost: {}\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            house.admin
        );
        stream
            .write_all(request.as_bytes())
            .expect("the request goes out");
        let seen = Vec::new();
        let mut follower = Self { stream, seen };
        follower.read_until("audit.search");
        follower
    }

    /// Reads on until the text has come.
    fn read_until(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.has(text) {
            let count = self.stream.read(&mut buffer).expect("the answer goes on");
            let so_far = String::from_utf8_lossy(&self.seen).into_owned();
            assert!(count > 0, "the answer ended before {text}: {so_far}");
            self.seen.extend_from_slice(&buffer[..count]);
        }
    }

    fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.seen).contains(text)
    }
}

/// How long a follower outlives what ends its token. Other programs may hold the machine for a
/// moment: one round of three must be prompt, and every round must end.
fn ends_promptly(house: &House, what: &str, end: impl Fn(&House, &str)) {
    let mut rounds = (0..3).map(|_| {
        let (id, token) = house.administrator("auditor", None);
        let mut follower = Follower::begin(house, &token);
        end(house, &id);
        let start = Instant::now();
        follower.read_until("\r\n0\r\n\r\n");
        assert!(follower.has(ENDED), "{what}: it says why");
        start.elapsed()
    });
    assert!(rounds.any(|waited| waited < PROMPTLY), "{what}");
}

#[test]
fn following_the_log_ends_with_the_token() {
    // Goal: whatever ends an administrator's token ends what it follows. Method: a follower for
    // each way to end, and a look at the time from the end of the act to the end of the answer.
    let house = House::open();
    ends_promptly(&house, "revoked", |house, id| {
        house.json(&["token", "revoke", id]);
    });
    ends_promptly(&house, "rotated without a grace", |house, id| {
        house.json(&["token", "rotate", id, "--grace", "0s"]);
    });
    // With a grace it goes on that long.
    let (id, token) = house.administrator("auditor", None);
    let mut follower = Follower::begin(&house, &token);
    house.json(&["token", "rotate", &id, "--grace", "4s"]);
    house.json(&["env", "create", "withinthegrace"]);
    follower.read_until("withinthegrace");
    assert!(!follower.has(ENDED));
    follower.read_until("\r\n0\r\n\r\n");
    assert!(follower.has(ENDED));
}

#[test]
fn following_the_log_ends_when_the_token_expires() {
    let house = House::open();
    let body = json!({ "role": "auditor", "ttl": "2s" });
    let made = house.ask("POST", "/api/v1/tokens", &house.owner, &body);
    let mut follower = Follower::begin(&house, made.body["token"].as_str().unwrap());
    follower.read_until("\r\n0\r\n\r\n");
    assert!(follower.has(ENDED));
}

#[test]
fn a_follower_whose_token_holds_goes_on() {
    // Goal: asking again whether a token holds ends nobody by mistake. Method: more than a second
    // of other acts, each of which the follower sees.
    let house = House::open();
    let (_, token) = house.administrator("auditor", None);
    let mut follower = Follower::begin(&house, &token);
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < PROMPTLY + PROMPTLY {
        round += 1;
        let name = format!("round{round}x");
        house.json(&["env", "create", &name]);
        follower.read_until(&name);
    }
    assert!(!follower.has(ENDED));
}
