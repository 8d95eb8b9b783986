use std::path::Path;
use std::sync::Arc;

use postern_audit::{
    DomainKey, Durability, Entry, KeyError, Log, LogOptions, SealingKeys, SigningKey, SlotPool,
};

use super::*;

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

fn entry(env: &str, record: serde_json::Value) -> ReadEntry {
    let record: AuditRecord = serde_json::from_value(record).unwrap();
    let (header, body) = record.encode(now());
    ReadEntry {
        seq: 7,
        leaf_hash: [0; 32],
        note: None,
        domain: env.to_owned(),
        header,
        body: Ok(body),
    }
}

fn outcome() -> ReadEntry {
    let summary = serde_json::json!({
        "request": "0198c5a0-0000-7000-8000-000000000001",
        "arrived_ms": 1,
        "environment": "dev",
        "token": "0123456789abcdef",
        "principal": "service:web",
        "source": { "address": "127.0.0.1", "via": "socket" },
        "method": "POST",
        "path": "/openai/v1/chat/completions",
        "query_names": [],
        "upstream": "openai",
        "upstream_kind": "openai",
        "operation": "chat_completions",
        "model": "gpt-4o",
        "stream": true,
        "user_agent": null,
    });
    entry(
        "dev",
        serde_json::json!({
            "kind": "outcome", "summary": summary, "end": "refused", "status": 403,
            "refusal": "denied", "cause": null, "upstream_status": null, "request_bytes": 0,
            "response_bytes": 0, "usage": null, "response_model": null,
            "timing": { "forwarded_us": null, "first_byte_us": null, "total_us": 5 },
            "findings": [{ "class": "card", "direction": "request", "action": "block",
                "rule": "cards", "dry_run": false, "place": "messages.content", "count": 1 }],
        }),
    )
}

fn fits(query: serde_json::Value) -> bool {
    let query: AuditQuery = serde_json::from_value(query).unwrap();
    Question::parse(&query, None, now())
        .unwrap()
        .judge(&outcome())
        .is_some()
}

#[test]
fn each_field_finds_its_record_and_no_other() {
    // Goal: every way to ask finds the record, and the nearest miss of it does not. Method: a pair
    // of values a field.
    for (field, right, wrong) in [
        ("token", "0123456789abcdef", "1123456789abcdef"),
        ("principal", "service:web", "service:we"),
        ("environment", "dev", "prod"),
        ("status", "403", "404"),
        ("status", "4xx", "2xx"),
        ("refusal", "denied", "revoked"),
        ("path", "/openai/", "/anthropic/"),
        ("model", "gpt-4o", "gpt-4"),
        ("model", "gpt-*", "claude-*"),
        ("upstream", "openai", "notes"),
        ("kind", "outcome", "intent"),
        (
            "request",
            "0198c5a0-0000-7000-8000-000000000001",
            "0198c5a0-0000-7000-8000-000000000002",
        ),
        ("finding", "card", "email"),
        ("finding", "payment", "secret"),
        ("finding", "all", "custom:badge"),
        ("text", "service:WEB chat", "service:web embeddings"),
        ("since", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
        ("until", "2026-01-03T00:00:00Z", "1h"),
    ] {
        assert!(
            fits(serde_json::json!({ field: right })),
            "{field} = {right}"
        );
        assert!(
            !fits(serde_json::json!({ field: wrong })),
            "{field} = {wrong}"
        );
    }
    assert!(!fits(serde_json::json!({ "action": "token." })));
}

#[test]
fn a_scoped_caller_sees_nothing_of_other_domains() {
    let scope = |name| Some(EnvName::parse(name).unwrap());
    let query = AuditQuery::default();
    let ask = |name| Question::parse(&query, scope(name).as_ref(), now()).unwrap();
    assert!(ask("dev").judge(&outcome()).is_some());
    assert!(ask("prod").judge(&outcome()).is_none());
}

#[test]
fn what_cannot_be_asked_is_said() {
    for query in [
        serde_json::json!({ "status": "9xx" }),
        serde_json::json!({ "status": "ok" }),
        serde_json::json!({ "refusal": "no" }),
        serde_json::json!({ "since": "yesterday" }),
        serde_json::json!({ "limit": 0 }),
        serde_json::json!({ "kind": "event" }),
        serde_json::json!({ "finding": "emial" }),
    ] {
        let query: AuditQuery = serde_json::from_value(query).unwrap();
        assert!(Question::parse(&query, None, now()).is_err(), "{query:?}");
    }
}

/// The same key for everything.
struct OneKey;

impl SealingKeys for OneKey {
    fn current(&self, domain: &str) -> Result<DomainKey, KeyError> {
        self.by_version(domain, 1)
    }

    fn by_version(&self, _domain: &str, version: u32) -> Result<DomainKey, KeyError> {
        let key = [7; 32].into();
        Ok(DomainKey { version, key })
    }
}

/// A log of `count` acts in small segments; every third one is of prod, every fifth was refused.
fn log(dir: &Path, count: u32) -> Reader {
    let acts = (0..count).map(|number| {
        let env = if number % 3 == 0 { "prod" } else { "dev" };
        let record = serde_json::json!({
            "kind": "admin", "request": "0198c5a0-0000-7000-8000-000000000000",
            "actor": { "owner": 0 }, "address": null, "action": "token.create",
            "object": format!("number {number} {}", "x".repeat(300)), "environment": env,
            "status": if number % 5 == 0 { 403 } else { 200 }, "detail": "",
        });
        (env, record, now())
    });
    log_of(dir, acts)
}

/// A log of these records, each sealed for an environment at a time, in small segments.
fn log_of(
    dir: &Path,
    records: impl Iterator<Item = (&'static str, serde_json::Value, Timestamp)>,
) -> Reader {
    let options = LogOptions {
        create: true,
        segment_bytes: 64 * 1024,
        ..LogOptions::default()
    };
    let signing = SigningKey::from_seed("test.example/audit", &[42; 32]).unwrap();
    let (log, _) = Log::open(dir, Arc::new(OneKey), signing, options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        for (env, record, at) in records {
            let record: AuditRecord = serde_json::from_value(record).unwrap();
            let (header, body) = record.encode(at);
            let domain = env.into();
            let entry = Entry {
                domain,
                header,
                body,
            };
            let mut slots = log.reserve(SlotPool::Authenticated, 1).unwrap();
            let appended = log.append(&mut slots, entry, Durability::Buffered);
            appended.await.unwrap();
        }
        log.close().await.unwrap();
    });
    Reader::open(dir, Some(Arc::new(OneKey))).unwrap()
}

/// The numbers of what is found, the first window having this size.
fn found(reader: &Reader, question: &Question, window: u64) -> Result<Vec<u64>, ReadError> {
    let (mut found, mut done) = (Vec::new(), false);
    scan_windows(reader, question, window, &mut |line| {
        match line {
            SearchLine::Entry(entry) => found.push(entry.seq),
            SearchLine::Done(progress) => done = progress.read == progress.of,
            SearchLine::Progress(_) | SearchLine::Failed(_) => {}
        }
        true
    })?;
    assert!(done);
    Ok(found)
}

#[test]
fn windows_from_the_end_find_what_one_pass_finds() {
    // Goal: reading backwards in pieces changes no answer. Method: a log of some segments, windows
    // and limits of every sort, beside one pass over all entries.
    let dir = tempfile::tempdir().unwrap();
    let reader = log(dir.path(), 300);
    for query in [
        serde_json::json!({}),
        serde_json::json!({ "status": "4xx" }),
        serde_json::json!({ "environment": "prod" }),
        serde_json::json!({ "text": "number 7" }),
        serde_json::json!({ "status": "404" }),
        serde_json::json!({ "from": 100 }),
        serde_json::json!({ "from": 100_000 }),
    ] {
        for limit in [1, 3, 50, 1000] {
            let mut query: AuditQuery = serde_json::from_value(query.clone()).unwrap();
            query.limit = Some(limit);
            let question = Question::parse(&query, None, now()).unwrap();
            let entries = reader.entries_from(question.from).unwrap();
            let all = entries.filter_map(|entry| question.judge(&entry.unwrap()));
            let mut expected: Vec<u64> = all.map(|entry| entry.seq).collect();
            expected.drain(..expected.len().saturating_sub(limit));
            for window in [1, 2, 7, 64, 4096] {
                let found = found(&reader, &question, window).unwrap();
                assert_eq!(found, expected, "{query:?}, windows from {window}");
            }
        }
    }
}

#[test]
fn the_end_of_a_log_is_shown_without_its_beginning() {
    // Goal: a tail costs the same however long the log is. Method: a beginning that cannot be read
    // stops whoever needs it, and nobody else.
    let dir = tempfile::tempdir().unwrap();
    let reader = log(dir.path(), 300);
    let first = dir.path().join("segments/0000000000.seg");
    let mut bytes = std::fs::read(&first).unwrap();
    let middle = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    let question = |limit| {
        let query = serde_json::json!({ "limit": limit });
        let query: AuditQuery = serde_json::from_value(query).unwrap();
        Question::parse(&query, None, now()).unwrap()
    };
    assert_eq!(found(&reader, &question(5), 8).unwrap().len(), 5);
    let all = found(&reader, &question(1000), 8);
    assert!(matches!(all, Err(ReadError::Damaged { .. })), "{all:?}");
}

/// The id of a request that arrived then, in seconds after a day's beginning.
fn request_at(second: i64, number: u8) -> RequestId {
    let ms = now().as_millisecond() + second * 1000;
    RequestId::new(u64::try_from(ms).unwrap(), &[number; 10])
}

/// A record of a request: the intent, or the outcome.
fn of_request(request: RequestId, intent: bool, forwarded: bool) -> serde_json::Value {
    let AuditRecord::Outcome(mut like) = AuditRecord::decode(&outcome().body.unwrap()).unwrap()
    else {
        panic!("it is an outcome");
    };
    Arc::make_mut(&mut like.summary).request = request;
    like.timing.forwarded_us = forwarded.then_some(3);
    if !intent {
        return serde_json::to_value(AuditRecord::Outcome(like)).unwrap();
    }
    let summary = serde_json::to_value(&*like.summary).unwrap();
    serde_json::json!({
        "kind": "intent", "summary": summary, "policies": [], "output_cap": null, "text_bytes": 0,
    })
}

fn told_about(reader: &Reader, request: RequestId) -> Vec<u64> {
    let found = about(reader, &request.to_string(), None, now()).unwrap();
    found.iter().map(|entry| entry.seq).collect()
}

#[test]
fn a_request_is_found_by_its_time_as_by_reading_everything() {
    // Goal: halving misses nothing. Method: requests whose outcomes come late, refused ones, one
    // that is still running, clocks that jump forth and back by hours; each beside one pass over
    // all entries.
    for jump in [0, 30, 7_200, -30, -7_200] {
        let dir = tempfile::tempdir().unwrap();
        let mut records = Vec::new();
        let mut ids = Vec::new();
        for number in 0..200_u8 {
            let jumped = if number < 100 { 0 } else { jump };
            let second = i64::from(number) * 20 + jumped;
            let at = |second: i64| {
                Timestamp::from_millisecond(now().as_millisecond() + second * 1000).unwrap()
            };
            let id = request_at(second, number);
            ids.push(id);
            let refused = number % 4 == 1;
            if !refused {
                records.push((second, number, of_request(id, true, true), at(second)));
            }
            // Number 50 never ends; of others the outcome comes at once, or many requests later.
            let later = if number % 7 == 0 { 900 } else { 0 };
            if number != 50 {
                let record = of_request(id, false, !refused);
                let seen = second + later;
                records.push((seen, number, record, at(seen)));
            }
        }
        // In the order in which they happen, whatever the clock says.
        records.sort_by_key(|(second, number, ..)| second - if *number < 100 { 0 } else { jump });
        let records = records
            .into_iter()
            .map(|(_, _, record, at)| ("dev", record, at));
        let reader = log_of(dir.path(), records);
        for id in ids {
            let entries = reader.entries_from(0).unwrap().map(Result::unwrap);
            let of_it = entries.filter(|entry| {
                let header = RecordHeader::decode(&entry.header).ok();
                header.is_some_and(|header| header.request == Some(id))
            });
            let expected: Vec<u64> = of_it.map(|entry| entry.seq).collect();
            assert!(!expected.is_empty());
            assert_eq!(told_about(&reader, id), expected, "{id}, jump {jump}");
        }
        assert!(told_about(&reader, request_at(5, 255)).is_empty());
    }
}

#[test]
fn a_request_is_found_without_the_rest_of_the_log() {
    // Goal: it does not matter how long the log is. Method: a beginning that cannot be read stops
    // who looks for what is in there, and nobody else.
    let dir = tempfile::tempdir().unwrap();
    let records = (0..200_u8).flat_map(|number| {
        let second = i64::from(number) * 20;
        let id = request_at(second, number);
        let at = Timestamp::from_millisecond(now().as_millisecond() + second * 1000).unwrap();
        [true, false].map(|intent| ("dev", of_request(id, intent, true), at))
    });
    let reader = log_of(dir.path(), records);
    let first = dir.path().join("segments/0000000000.seg");
    let mut bytes = std::fs::read(&first).unwrap();
    let begin = bytes.len() / 64;
    bytes[begin] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    let found = about(&reader, &request_at(190 * 20, 190).to_string(), None, now());
    assert_eq!(found.unwrap().len(), 2);
    let early = about(&reader, &request_at(0, 0).to_string(), None, now());
    assert!(matches!(early, Err(AboutError::Log(_))), "{early:?}");
}
