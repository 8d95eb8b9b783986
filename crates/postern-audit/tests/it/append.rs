//! Appending: what is acknowledged is there, in order, once; the queue is bounded; closing is
//! final.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postern_audit::{
    AppendError, Durability, Entry, LogNote, LogOptions, OnSync, OpenLogError, ReserveError,
    SlotPool, bounds,
};

use crate::support::{
    append, append_many, check, closed_log, entry, open, open_with, options, read_all,
    segment_files, temp_dir, wait,
};

#[test]
fn what_is_acknowledged_is_there_in_order() {
    // Goal: every entry is read back at its position, over several segments. Method: append a few
    // hundred at both levels and in two domains, close, read all.
    let dir = temp_dir();
    let (log, report) = open(dir.path());
    assert!(report.created && report.size == 0);
    let mut seqs = Vec::new();
    for i in 0..600 {
        let level = if i % 50 == 0 {
            Durability::Durable
        } else {
            Durability::Buffered
        };
        seqs.push(
            append(
                &log,
                entry(if i % 3 == 0 { "prod" } else { "dev" }, i),
                level,
            )
            .seq,
        );
    }
    let checkpoint = wait(log.close()).expect("closes");
    let entries = read_all(dir.path());
    assert_eq!(checkpoint.size(), entries.len() as u64);
    assert!(segment_files(dir.path()).len() > 2, "it rotated");
    for (i, seq) in (0..).zip(seqs) {
        let read = &entries[usize::try_from(seq).expect("small")];
        let expected = entry(if i % 3 == 0 { "prod" } else { "dev" }, i);
        assert_eq!((read.seq, &read.header), (seq, &expected.header));
        assert_eq!(read.body.as_ref(), Ok(&expected.body));
        assert_eq!(
            (read.domain.as_str(), &read.note),
            (expected.domain.as_ref(), &None)
        );
    }
    assert!(matches!(entries[0].note, Some(LogNote::Opened { .. })));
    assert_eq!(
        entries.last().map(|e| e.note.clone()),
        Some(Some(LogNote::Closed))
    );
}

#[test]
fn many_threads_share_the_writer() {
    // Goal: combining loses and doubles nothing. Method: eight threads at both levels, some entries
    // queued for later; every entry is there once, and those of one thread in its order.
    let dir = temp_dir();
    let (log, _) = open_with(
        dir.path(),
        LogOptions {
            segment_bytes: 256 * 1024,
            ..options()
        },
    )
    .expect("opens");
    let log = Arc::new(log);
    let threads = (0..8_u64).map(|thread| {
        let log = Arc::clone(&log);
        std::thread::spawn(move || {
            for i in 0..200 {
                let mut slots = log.reserve(SlotPool::Authenticated, 2).expect("room");
                let level = if thread < 2 {
                    Durability::Durable
                } else {
                    Durability::Buffered
                };
                let intent = entry("dev", thread * 1000 + i);
                wait(log.append(&mut slots, intent, level)).expect("healthy");
                let outcome = entry("prod", 1_000_000 + thread * 1000 + i);
                log.append_later(&mut slots, outcome)
                    .expect("the slot is held");
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("no panic");
    }
    wait(log.close()).expect("closes");
    let entries = read_all(dir.path());
    assert_eq!(entries.len(), 8 * 400 + 2);
    let bodies = entries
        .iter()
        .map(|e| e.body.clone().expect("opens"))
        .collect::<Vec<_>>();
    let mut once = bodies.clone();
    once.sort();
    once.dedup();
    assert_eq!(
        once.len(),
        8 * 400 + 1,
        "each once; the two notes have the same empty body"
    );
    for thread in 0..8_u64 {
        let of_thread = |i: u64| entry("dev", thread * 1000 + i).body;
        let places = (0..200).map(|i| bodies.iter().position(|b| *b == of_thread(i)));
        assert!(places.collect::<Vec<_>>().is_sorted(), "thread {thread}");
    }
    assert!(check(dir.path(), None).is_sound());
}

#[test]
fn entries_for_later_land_by_themselves() {
    // Goal: an outcome lands and is durable without any further append. Method: queue one, watch
    // the reader.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut slots = log.reserve(SlotPool::Authenticated, 1).expect("room");
    log.append_later(&mut slots, entry("dev", 7))
        .expect("a slot is held");
    let deadline = Instant::now() + Duration::from_secs(10);
    while read_all(dir.path()).len() < 2 {
        assert!(Instant::now() < deadline, "it never landed");
        std::thread::yield_now();
    }
}

#[test]
fn pools_are_apart_and_bounded() {
    // Goal: strangers cannot take the room of others. Method: exhaust their pool, use the others.
    let dir = temp_dir();
    let small = LogOptions {
        stranger_entries_max: 2,
        ..options()
    };
    let (log, _) = open_with(dir.path(), small).expect("opens");
    let held = log.reserve(SlotPool::Stranger, 2).expect("room");
    assert!(matches!(
        log.reserve(SlotPool::Stranger, 1),
        Err(ReserveError::Full(SlotPool::Stranger))
    ));
    assert!(log.reserve(SlotPool::Authenticated, 2).is_ok());
    assert!(log.reserve(SlotPool::Control, 1).is_ok());
    drop(held);
    let mut slots = log
        .reserve(SlotPool::Stranger, 1)
        .expect("the slots came back");
    wait(log.append(&mut slots, entry("dev", 1), Durability::Buffered)).expect("healthy");
    let again = wait(log.append(&mut slots, entry("dev", 2), Durability::Buffered));
    assert!(
        matches!(again, Err(AppendError::NoSlot)),
        "the slot is used up"
    );
}

#[test]
fn oversized_and_unsealable_entries_are_refused_alone() {
    // Goal: a bad entry is refused with its reason, and the log goes on.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut slots = log.reserve(SlotPool::Authenticated, 8).expect("room");
    let big = Entry {
        body: vec![0; bounds::BODY_BYTES_MAX + 1],
        ..entry("dev", 1)
    };
    let refused = wait(log.append(&mut slots, big, Durability::Buffered));
    assert!(matches!(
        refused,
        Err(AppendError::TooLarge { part: "body", .. })
    ));
    let long = Entry {
        header: vec![0; bounds::HEADER_BYTES_MAX + 1],
        ..entry("dev", 1)
    };
    assert!(matches!(
        log.append_later(&mut slots, long),
        Err(AppendError::TooLarge { part: "header", .. })
    ));
    for level in [Durability::Buffered, Durability::Durable] {
        let unknown = wait(log.append(&mut slots, entry("nowhere", 1), level));
        assert!(
            matches!(unknown, Err(AppendError::NoKey { .. })),
            "{unknown:?}"
        );
    }
    let most = Entry {
        body: vec![7; bounds::BODY_BYTES_MAX],
        ..entry("dev", 1)
    };
    wait(log.append(&mut slots, most.clone(), Durability::Durable)).expect("is within the cap");
    assert!(log.healthy());
    wait(log.close()).expect("closes");
    let entries = read_all(dir.path());
    assert_eq!(entries.len(), 3, "opened, the large one, closed");
    assert_eq!(entries[1].body, Ok(most.body));
}

#[test]
fn a_lost_entry_ends_the_log() {
    // Goal: an outcome that cannot be recorded is not passed over. Method: queue one that cannot
    // be sealed, with nobody waiting for it.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut slots = log.reserve(SlotPool::Authenticated, 1).expect("room");
    log.append_later(&mut slots, entry("nowhere", 1))
        .expect("is queued");
    let deadline = Instant::now() + Duration::from_secs(10);
    while log.healthy() {
        assert!(
            Instant::now() < deadline,
            "the log went on without the entry"
        );
        std::thread::yield_now();
    }
    assert!(log.reserve(SlotPool::Control, 1).is_err());
}

#[test]
fn a_log_is_opened_once_and_never_by_mistake() {
    // Goal: no second writer, no fresh start by accident, no other key's log.
    let dir = temp_dir();
    let no_create = LogOptions {
        create: false,
        ..options()
    };
    let missing = open_with(dir.path(), no_create.clone());
    assert!(matches!(missing, Err(OpenLogError::Missing(_))));
    let (log, _) = open(dir.path());
    assert!(matches!(
        open_with(dir.path(), options()),
        Err(OpenLogError::Locked(_))
    ));
    wait(log.close()).expect("closes");
    assert!(
        log.reserve(SlotPool::Control, 1).is_err(),
        "closed is closed"
    );
    let (again, report) = open_with(dir.path(), no_create).expect("closing unlocked it");
    assert!(report.clean && !report.created);
    assert_eq!((report.size, report.last_clean_seq), (2, 2));
    drop(again);
    let other = postern_audit::SigningKey::from_seed("other.example", &[1; 32]).expect("named");
    let keys = crate::support::Keys::all().shared();
    let refused = postern_audit::Log::open(dir.path(), keys, other, options());
    assert!(matches!(refused, Err(OpenLogError::OtherLog(_))));
}

#[test]
fn reopening_goes_on_and_tells_how_it_was_left() {
    // Goal: the tree goes on over clean closes and over drops; the settled mark survives.
    let dir = temp_dir();
    closed_log(dir.path(), 300);
    let (log, report) = open(dir.path());
    assert!(report.clean && report.size == 302 && report.last_clean_seq == 302);
    append_many(&log, 10);
    log.settle_below(305);
    append_many(&log, 10);
    drop(log);
    let (log, report) = open(dir.path());
    assert!(!report.clean, "nobody closed it");
    assert_eq!((report.size, report.last_clean_seq), (323, 305));
    assert_eq!(
        (report.tail_cuts, report.damage_accepted),
        (Vec::new(), None)
    );
    wait(log.close()).expect("closes");
    let report = check(dir.path(), None);
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.size, 325);
    for segment in segment_files(dir.path()) {
        let bytes = std::fs::read(&segment).expect("reads");
        assert!(
            !bytes.ends_with(&[0; 32]),
            "{}: prepared space given back",
            segment.display()
        );
    }
}

#[test]
fn checkpoints_follow_by_themselves() {
    // Goal: a grown log signs without being asked, and never for more than is there.
    let dir = temp_dir();
    let often = LogOptions {
        checkpoint_interval: Duration::from_millis(5),
        ..options()
    };
    let (log, _) = open_with(dir.path(), often).expect("opens");
    append_many(&log, 30);
    let deadline = Instant::now() + Duration::from_secs(10);
    while log.checkpoint().size() < 31 {
        assert!(
            Instant::now() < deadline,
            "no checkpoint for the new entries"
        );
        std::thread::yield_now();
    }
    let stored = std::fs::read_to_string(dir.path().join("checkpoint")).expect("is published");
    assert_eq!(stored, log.checkpoint().note());
    assert!(check(dir.path(), Some(&log.checkpoint())).is_sound());
}

#[test]
fn a_file_taken_away_is_noticed() {
    // Goal: writing on into a deleted file is not mistaken for recording. Method: remove the
    // segment under a running log, whose writes all still succeed.
    let dir = temp_dir();
    let often = LogOptions {
        checkpoint_interval: Duration::from_millis(5),
        ..options()
    };
    let (log, _) = open_with(dir.path(), often).expect("opens");
    append_many(&log, 3);
    std::fs::remove_file(&segment_files(dir.path())[0]).expect("removes");
    let deadline = Instant::now() + Duration::from_secs(10);
    while log.healthy() {
        assert!(Instant::now() < deadline, "nobody noticed");
        std::thread::yield_now();
    }
}

#[test]
fn a_checkpoint_between_two_segments_names_the_last_frame() {
    // Goal: a segment that was begun ahead of its first frame makes no signature wrong. Method:
    // fill segments until the next one is begun, wait until all is signed, and look at the
    // directory as a killed process would leave it: it verifies, and a copy of it opens.
    let dir = temp_dir();
    let checkpoint_interval = Duration::from_millis(120);
    let options = LogOptions {
        segment_bytes: 64 * 1024,
        checkpoint_interval,
        ..options()
    };
    let (log, _) = open_with(dir.path(), options.clone()).expect("opens");
    let mut number = 0;
    for _ in 0..3 {
        let segments = segment_files(dir.path()).len();
        let deadline = Instant::now() + Duration::from_secs(20);
        while segment_files(dir.path()).len() == segments {
            let at = append(&log, entry("dev", number), Durability::Buffered).seq;
            number += 1;
            if number % 64 == 0 {
                // Time for the committer to begin the next segment with nothing queued.
                while log.checkpoint().size() <= at {
                    assert!(Instant::now() < deadline, "it is signed in time");
                    std::thread::yield_now();
                }
                let report = check(dir.path(), None);
                assert!(report.is_sound(), "{report}");
            }
        }
        while log.checkpoint().size() < number {
            assert!(Instant::now() < deadline, "it is signed in time");
            std::thread::yield_now();
        }
        let copy = temp_dir();
        crate::support::copy_dir(dir.path(), copy.path());
        let report = check(copy.path(), None);
        assert!(report.is_sound(), "{report}");
        drop(open_with(copy.path(), options.clone()).expect("opens as a crash left it"));
    }
}

#[test]
fn whoever_watches_is_told_of_each_sync() {
    // Goal: the time of syncs can be watched, and so can how far the log is durable. Method: count
    // what is told while entries are appended durably.
    let dir = temp_dir();
    let syncs = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&syncs);
    let on_sync: OnSync = Arc::new(move |_took| {
        told.fetch_add(1, Ordering::SeqCst);
    });
    let (log, _) = open_with(
        dir.path(),
        LogOptions {
            on_sync: Some(on_sync),
            ..options()
        },
    )
    .expect("opens");
    let mut before = syncs.load(Ordering::SeqCst);
    for number in 0..3 {
        let position = append(&log, entry("dev", number), Durability::Durable);
        let after = syncs.load(Ordering::SeqCst);
        assert!(after > before, "{after} syncs after entry {number}");
        assert!(log.durable_size() > position.seq);
        before = after;
    }
}

#[test]
fn a_crowd_that_waits_for_no_sync_causes_few() {
    // Goal: what a writer leaves to the committer is written, and asks for no sync of its own.
    // Method: many threads that append, so that entries are left over all the time; syncs
    // are told and must lie a pause apart.
    const PAUSE_MS: u128 = 40;
    const THREADS: u64 = 32;
    const EACH: u64 = 1500;
    let dir = temp_dir();
    let syncs = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&syncs);
    let on_sync: OnSync = Arc::new(move |_took| {
        told.fetch_add(1, Ordering::SeqCst);
    });
    let options = LogOptions {
        segment_bytes: 64 * 1024 * 1024,
        on_sync: Some(on_sync),
        ..options()
    };
    let (log, _) = open_with(dir.path(), options).expect("opens");
    let started = Instant::now();
    let before = syncs.load(Ordering::SeqCst);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for number in 0..EACH {
                    append(&log, entry("dev", number), Durability::Buffered);
                }
            });
        }
    });
    let caused = u128::from(syncs.load(Ordering::SeqCst) - before);
    let pauses = started.elapsed().as_millis() / PAUSE_MS;
    assert!(caused <= pauses + 1, "{caused} syncs in {pauses} pauses");
    wait(log.close()).expect("closes");
    assert_eq!(check(dir.path(), None).size, THREADS * EACH + 2);
}
