//! Reading: from anywhere, the last few, beside a running writer; and proofs from what is stored.

use std::collections::HashMap;

use postern_audit::tree::{check_consistency, check_inclusion};
use postern_audit::{Durability, Entry, Reader, SealedReason, SlotPool};
use proptest::prelude::*;

use crate::support::{
    Keys, append, append_many, closed_log, entry, open, read_all, temp_dir, verifying, wait,
};

fn reader(dir: &std::path::Path) -> Reader {
    Reader::open(dir, Some(Keys::all().shared())).expect("there is a log")
}

#[test]
fn any_place_can_be_read_from() {
    // Goal: seeking gives the same entries as reading all. Method: every start, over segments that
    // several boots and rotations made; the last few likewise.
    let dir = temp_dir();
    closed_log(dir.path(), 200);
    closed_log(dir.path(), 3);
    closed_log(dir.path(), 150);
    let all = read_all(dir.path());
    let reader = reader(dir.path());
    assert_eq!(reader.size().expect("reads"), all.len() as u64);
    for start in (0..all.len()).step_by(7) {
        let some = reader.entries_from(start as u64).expect("seeks").take(3);
        let some = some.collect::<Result<Vec<_>, _>>().expect("reads");
        assert_eq!(some, all[start..(start + 3).min(all.len())], "from {start}");
    }
    for count in [0, 1, 5, 158, 10_000] {
        let from = all.len().saturating_sub(count);
        assert_eq!(
            reader.last(count as u64).expect("reads"),
            all[from..],
            "last {count}"
        );
    }
    assert_eq!(reader.entries_from(1 << 40).expect("seeks").count(), 0);
}

#[test]
fn a_reader_follows_a_running_writer() {
    // Goal: after the end, new entries follow, over rotations and reopenings too. Method: one
    // iterator, kept while entries are appended and the log is opened again.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut entries = reader(dir.path()).entries_from(0).expect("begins");
    let mut seen = Vec::new();
    for round in 0..40 {
        append_many(&log, 10);
        seen.extend(entries.by_ref().map(|entry| entry.expect("reads").seq));
        assert_eq!(seen.len(), 11 + round * 10, "everything appended so far");
    }
    wait(log.close()).expect("closes");
    let (log, _) = open(dir.path());
    append(&log, entry("dev", 1), Durability::Buffered);
    seen.extend(entries.by_ref().map(|entry| entry.expect("reads").seq));
    assert_eq!(seen, (0..404).collect::<Vec<_>>());
}

#[test]
fn headers_are_read_without_keys() {
    let dir = temp_dir();
    closed_log(dir.path(), 5);
    let reader = Reader::open(dir.path(), None).expect("there is a log");
    for read in reader.entries_from(1).expect("begins").take(5) {
        let read = read.expect("reads");
        assert!(read.header.starts_with(b"header "));
        assert_eq!(read.body, Err(SealedReason::NoKeys));
    }
}

#[test]
fn key_versions_follow_a_rotation() {
    // Goal: what was sealed under the old version opens after the key was rotated.
    let dir = temp_dir();
    closed_log(dir.path(), 10);
    let mut keys = Keys::all();
    keys.0.insert(("dev".to_owned(), 2), [77; 32]);
    let opened = postern_audit::Log::open(
        dir.path(),
        keys.clone().shared(),
        crate::support::signing(),
        crate::support::options(),
    );
    let (log, _) = opened.expect("opens");
    append(&log, entry("dev", 10), Durability::Durable);
    wait(log.close()).expect("closes");
    let both = Reader::open(dir.path(), Some(keys.shared())).expect("there is a log");
    assert!(
        both.entries_from(0)
            .expect("begins")
            .all(|e| e.expect("reads").body.is_ok())
    );
    let old = read_all(dir.path());
    let closed = old
        .iter()
        .filter(|entry| entry.body.is_err())
        .collect::<Vec<_>>();
    assert_eq!(closed.len(), 1);
    assert!(matches!(closed[0].body, Err(SealedReason::NoKey(_))));
}

#[test]
fn stored_logs_prove_themselves() {
    // Goal: proofs made from tiles and entries convince the checker, also where tiles are full on
    // one level and not on the next. Method: 600 entries give two full tiles and a right edge.
    let dir = temp_dir();
    let early = closed_log(dir.path(), 300);
    let late = closed_log(dir.path(), 300);
    let stored = std::fs::read(dir.path().join("tile/0/0000000000.tiles")).expect("is there");
    assert_eq!(stored.len(), 2 * 256 * 32);
    let reader = reader(dir.path());
    assert_eq!(reader.root(late.size()).expect("reads"), *late.root());
    assert_eq!(reader.root(early.size()).expect("reads"), *early.root());
    let leaves = read_all(dir.path())
        .iter()
        .map(|e| (e.seq, e.leaf_hash))
        .collect::<HashMap<_, _>>();
    for seq in [0, 1, 255, 256, 300, 511, 512, 601, late.size() - 1] {
        let proof = reader.prove_inclusion(seq, late.size()).expect("proves");
        check_inclusion(seq, late.size(), &leaves[&seq], &proof, late.root()).expect("convinces");
    }
    let proof = reader
        .prove_consistency(early.size(), late.size())
        .expect("proves");
    check_consistency(early.size(), late.size(), &proof, early.root(), late.root())
        .expect("convinces");
    assert!(reader.prove_inclusion(5, late.size() + 1).is_err());
    assert!(reader.prove_consistency(0, 5).is_err());
    assert_eq!(late.origin(), verifying().name());
}

/// Bytes of any value, fewer than `below`.
fn bytes(below: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..below)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_entries_come_back(
        bodies in proptest::collection::vec((any::<bool>(), bytes(3000)), 1..20),
        headers in proptest::collection::vec(bytes(300), 20),
    ) {
        // Goal: bytes go in and come out, whatever they are: empty, short, long enough to be
        // compressed, in frames of one entry and of many.
        let dir = temp_dir();
        let (log, _) = open(dir.path());
        let mut slots = log.reserve(SlotPool::Control, 20).expect("room");
        for (i, (later, body)) in bodies.iter().enumerate() {
            let domain = if i % 2 == 0 { "dev" } else { "prod" }.into();
            let entry = Entry { domain, header: headers[i].clone(), body: body.clone() };
            if *later {
                log.append_later(&mut slots, entry).expect("a slot is held");
            } else {
                wait(log.append(&mut slots, entry, Durability::Buffered)).expect("healthy");
            }
        }
        wait(log.close()).expect("closes");
        let read = read_all(dir.path());
        prop_assert_eq!(read.len(), bodies.len() + 2);
        for (i, (_, body)) in bodies.iter().enumerate() {
            prop_assert_eq!(&read[i + 1].header, &headers[i]);
            prop_assert_eq!(read[i + 1].body.as_ref(), Ok(body));
        }
    }
}
