//! Sealing: what is on disk says nothing, and one domain's key opens only its own bodies.

use std::path::Path;

use postern_audit::{Durability, Reader, SealedReason};

use crate::support::{Keys, append, closed_log, entry, open, read_all, temp_dir, wait};

fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(dir).expect("lists") {
        let path = file.expect("lists").path();
        bytes.extend(if path.is_dir() {
            all_bytes(&path)
        } else {
            std::fs::read(path).expect("reads")
        });
    }
    bytes
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn no_body_and_no_key_is_on_disk() {
    // Goal: the files tell nothing of the bodies. Method: bodies small (one a frame) and large
    // (compressed); search every file for them and for the keys, while open and after closing.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut large = entry("prod", 1);
    large.body = b"SECRET-PROMPT-TEXT ".repeat(300);
    append(&log, large, Durability::Durable);
    let mut small = entry("dev", 1);
    small.body = b"SECRET-PROMPT-TEXT".to_vec();
    append(&log, small, Durability::Durable);
    for moment in ["open", "closed"] {
        let bytes = all_bytes(dir.path());
        assert!(
            holds(&bytes, b"header 1"),
            "headers are clear, or this test sees nothing"
        );
        for secret in [
            &b"SECRET"[..],
            b"PROMPT-TEXT",
            &[1; 32],
            &[2; 32],
            &[42; 32],
        ] {
            assert!(!holds(&bytes, secret), "{moment}: {secret:?}");
        }
        if moment == "open" {
            wait(log.close()).expect("closes");
        }
    }
    let entries = read_all(dir.path());
    assert_eq!(entries[1].body, Ok(b"SECRET-PROMPT-TEXT ".repeat(300)));
}

#[test]
fn one_domains_key_opens_only_its_own_bodies() {
    // Goal: dev's key does not open prod's bodies, even when it is offered as prod's. Method: read
    // with dev's key alone, then with dev's key under both names.
    let dir = temp_dir();
    closed_log(dir.path(), 30);
    let mut only_dev = Keys::all();
    only_dev.0.retain(|(domain, _), _| domain == "dev");
    let mut passed_off = only_dev.clone();
    passed_off
        .0
        .insert(("prod".to_owned(), 1), passed_off.0[&("dev".to_owned(), 1)]);
    for (keys, expected) in [(only_dev, "no key"), (passed_off, "does not open")] {
        let reader = Reader::open(dir.path(), Some(keys.shared())).expect("there is a log");
        let mut closed = 0;
        for read in reader.entries_from(1).expect("begins").take(30) {
            let read = read.expect("reads");
            match (read.domain.as_str(), read.body) {
                ("dev", body) => assert!(body.is_ok()),
                ("prod", Err(SealedReason::NoKey(_))) if expected == "no key" => closed += 1,
                ("prod", Err(SealedReason::DoesNotOpen)) => closed += 1,
                (domain, body) => panic!("{domain}: {body:?}"),
            }
        }
        assert_eq!(closed, 10, "{expected}");
    }
}

#[test]
fn equal_entries_look_different() {
    // Goal: nobody can tell from leaves or blocks that two bodies are the same. Method: the same
    // entry twice; commitments and leaf hashes differ, by their salts.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    append(&log, entry("dev", 1), Durability::Buffered);
    append(&log, entry("dev", 1), Durability::Buffered);
    wait(log.close()).expect("closes");
    let entries = read_all(dir.path());
    assert_eq!(entries[1].body, entries[2].body);
    assert_ne!(entries[1].leaf_hash, entries[2].leaf_hash);
}
