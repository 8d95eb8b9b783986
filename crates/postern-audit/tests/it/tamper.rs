//! Tampering: whatever is changed in the files of a closed log is found, and named.

use std::path::{Path, PathBuf};

use postern_audit::{
    Checkpoint, Durability, LogNote, LogOptions, OpenLogError, SigningKey, WitnessKind,
    check_openable,
};
use proptest::prelude::*;

use crate::support::{
    append, append_many, check, closed_log, copy_dir, entry, open, open_with, options, read_all,
    segment_files, temp_dir, verifying, wait,
};

fn edit(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("reads");
    edit(&mut bytes);
    std::fs::write(path, bytes).expect("writes");
}

/// The offsets of the frames in a closed segment, and its end.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut at = usize::try_from(u64::from_be_bytes(bytes[8..16].try_into().expect("eight")))
        .expect("small");
    let mut offsets = vec![at];
    while at < bytes.len() {
        at += u32::from_be_bytes(bytes[at + 4..at + 8].try_into().expect("four")) as usize;
        offsets.push(at);
    }
    offsets
}

#[test]
fn every_byte_of_a_small_log_counts() {
    // Goal: no byte of any segment can be changed unseen. Method: flip one bit of each byte of the
    // segments of a closed log, one after the other.
    let dir = temp_dir();
    closed_log(dir.path(), 6);
    closed_log(dir.path(), 2);
    assert!(check(dir.path(), None).is_sound());
    for path in segment_files(dir.path()) {
        let good = std::fs::read(&path).expect("reads");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&path, bad).expect("writes");
            let report = check(dir.path(), None);
            assert!(
                !report.is_sound(),
                "{}, byte {at}: {report}",
                path.display()
            );
        }
        std::fs::write(&path, good).expect("writes");
    }
    for name in ["checkpoint", "signed-size", "log-id"] {
        let path = dir.path().join(name);
        let good = std::fs::read(&path).expect("reads");
        for at in 0..good.len() {
            edit(&path, |bytes| bytes[at] ^= 1);
            assert!(!check(dir.path(), None).is_sound(), "{name}, byte {at}");
            std::fs::write(&path, &good).expect("writes");
        }
    }
    assert!(
        check(dir.path(), None).is_sound(),
        "everything was put back"
    );
}

#[test]
fn the_first_bad_entry_is_named() {
    // Goal: the report says which entry was changed. Method: change one letter of each header.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    let mut slots = log
        .reserve(postern_audit::SlotPool::Control, 40)
        .expect("room");
    for i in 0..40 {
        // Frames of several entries: all but each fourth wait for the one that comes after them.
        if i % 4 == 3 {
            wait(log.append(&mut slots, entry("dev", 100 + i), Durability::Buffered)).expect("ok");
        } else {
            log.append_later(&mut slots, entry("dev", 100 + i))
                .expect("a slot is held");
        }
    }
    wait(log.close()).expect("closes");
    let path = &segment_files(dir.path())[0];
    let good = std::fs::read(path).expect("reads");
    for i in 0..40_u64 {
        let header = format!("header {}", 100 + i);
        let at = good
            .windows(header.len())
            .position(|w| w == header.as_bytes())
            .expect("clear");
        edit(path, |bytes| bytes[at] ^= 0x20);
        let bad = check(dir.path(), None).bad.expect("it is found");
        assert_eq!((bad.seq, bad.segment), (Some(i + 1), Some(0)), "{bad}");
        std::fs::write(path, &good).expect("writes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn dropped_swapped_doubled_and_added_frames_are_found(
        kind in 0..5, first in any::<prop::sample::Index>(), second in any::<prop::sample::Index>(),
    ) {
        // Goal: the order and number of frames cannot be changed. Method: take a closed segment,
        // and drop, swap, double, append or cut whole frames, whose own hashes stay right.
        let dir = temp_dir();
        let given = closed_log(dir.path(), 20);
        let path = segment_files(dir.path())[0].clone();
        edit(&path, |bytes| {
            let at = frames(bytes);
            let frame = |i: usize| bytes[at[i]..at[i + 1]].to_vec();
            let count = at.len() - 1;
            let (a, b) = (first.index(count), second.index(count));
            let mut order = (0..count).collect::<Vec<_>>();
            match kind {
                0 => { order.remove(a); }
                1 => order.swap(a, if a == b { (b + 1) % count } else { b }),
                2 => order.insert(b, a),
                3 => order.push(a),
                _ => order.truncate(a),
            }
            let mut changed = bytes[..at[0]].to_vec();
            order.iter().for_each(|i| changed.extend(frame(*i)));
            *bytes = changed;
        });
        let report = check(dir.path(), None);
        prop_assert!(!report.is_sound(), "against the stored sizes: {}", report);
        // With the stored checkpoints gone too, the one that was kept elsewhere remains.
        std::fs::remove_file(dir.path().join("checkpoint")).expect("removes");
        std::fs::remove_file(dir.path().join("signed-size")).expect("removes");
        prop_assert!(!check(dir.path(), Some(&given)).is_sound());
    }
}

#[test]
fn what_opening_refuses_is_told_without_opening() {
    // Goal: `check_openable` says what opening would say, and changes nothing. Method: a log that
    // was closed, one that is being written, and what can be taken away from one; each is asked,
    // compared with what it was, and then opened.
    let sound = temp_dir();
    let (log, _) = open(sound.path());
    append_many(&log, 300);
    check_openable(sound.path(), &verifying(), None).expect("a writer does not disturb it");
    wait(log.close()).expect("the log closes");
    check_openable(sound.path(), &verifying(), None).expect("it is sound");
    let remove = |dir: &Path, name: &str| std::fs::remove_file(dir.join(name)).expect("removes");
    let last = |dir: &Path| segment_files(dir).pop().expect("there are segments");
    type Harm<'a> = (&'a str, &'a dyn Fn(&Path));
    let harm: [Harm<'_>; 5] = [
        ("no witness", &|dir| {
            remove(dir, "signed-size");
            remove(dir, "checkpoint");
            std::fs::remove_file(last(dir)).expect("removes");
        }),
        ("no signed size", &|dir| remove(dir, "signed-size")),
        ("fewer entries than signed", &|dir| {
            std::fs::remove_file(last(dir)).expect("removes");
        }),
        ("no entry at all", &|dir| {
            remove(dir, "signed-size");
            for file in segment_files(dir) {
                std::fs::remove_file(file).expect("removes");
            }
        }),
        ("no log id", &|dir| remove(dir, "log-id")),
    ];
    for (what, harm) in harm {
        let dir = temp_dir();
        copy_dir(sound.path(), dir.path());
        harm(dir.path());
        let before = temp_dir();
        copy_dir(dir.path(), before.path());
        let told = check_openable(dir.path(), &verifying(), None);
        let told = told.expect_err(what).to_string();
        assert_eq!(contents(dir.path()), contents(before.path()), "{what}");
        let options = LogOptions {
            create: false,
            ..options()
        };
        let refused = open_with(dir.path(), options).map(drop).expect_err(what);
        let place = |text: &str| text.replace(dir.path().to_str().unwrap_or_default(), "DIR");
        assert_eq!(place(&told), place(&refused.to_string()), "{what}");
    }
}

/// The files below a directory, with their bytes.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(&folder).expect("lists") {
            let path = file.expect("lists").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("it is below").to_owned();
                found.push((name, std::fs::read(&path).expect("reads")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn truncation_is_seen_against_a_checkpoint_only() {
    // Goal: entries cut off cleanly, and older stored checkpoints put back, are found with a given
    // checkpoint; without one the report says that nobody could. Method: put an older copy back.
    let dir = temp_dir();
    let old = temp_dir();
    closed_log(dir.path(), 10);
    copy_dir(dir.path(), old.path());
    let given = closed_log(dir.path(), 10);

    let blind = check(old.path(), None);
    assert!(blind.is_sound());
    assert!(
        blind
            .blind_spots()
            .iter()
            .any(|spot| spot.contains("put back to an older state"))
    );
    let report = check(old.path(), Some(&given));
    let bad = report.bad.expect("12 of 24 entries are gone");
    assert_eq!(bad.seq, Some(12), "{bad}");
    let witness = report
        .witnesses
        .iter()
        .find(|w| w.kind == WitnessKind::Given)
        .expect("given");
    assert_eq!((witness.signed, witness.agrees), (Some(24), false));

    // The signed size alone finds segments that were put back without it.
    std::fs::copy(
        dir.path().join("signed-size"),
        old.path().join("signed-size"),
    )
    .expect("copies");
    assert_eq!(
        check(old.path(), None).bad.and_then(|bad| bad.seq),
        Some(12)
    );
    let opened = open_with(old.path(), options());
    assert!(matches!(
        opened,
        Err(OpenLogError::RolledBack {
            signed: 24,
            found: 12
        })
    ));
}

#[test]
fn a_rewritten_log_disagrees_with_the_checkpoint() {
    // Goal: a log made anew by somebody with all the keys is not the one that was signed. Method:
    // the same number of entries in a second log of the same origin and key.
    let (one, two) = (
        tempfile::tempdir().expect("a"),
        tempfile::tempdir().expect("b"),
    );
    let given = closed_log(one.path(), 10);
    closed_log(two.path(), 10);
    assert!(check(two.path(), None).is_sound());
    let report = check(two.path(), Some(&given));
    assert!(
        report
            .bad
            .expect("found")
            .what
            .contains("are not those of the given checkpoint")
    );
}

#[test]
fn changed_tiles_and_missing_segments_are_found() {
    let dir = temp_dir();
    closed_log(dir.path(), 700);
    let tile = dir.path().join("tile/0/0000000000.tiles");
    let good = std::fs::read(&tile).expect("reads");
    edit(&tile, |bytes| bytes[32 * (256 + 7)] ^= 1);
    assert_eq!(
        check(dir.path(), None).bad.and_then(|bad| bad.seq),
        Some(256 + 7)
    );
    std::fs::remove_file(&tile).expect("removes");
    assert!(
        check(dir.path(), None)
            .bad
            .expect("found")
            .what
            .contains("is missing")
    );
    std::fs::write(&tile, good).expect("writes");
    assert!(check(dir.path(), None).is_sound());

    let middle = segment_files(dir.path())[1].clone();
    let away = dir.path().join("away");
    std::fs::rename(&middle, &away).expect("moves");
    let bad = check(dir.path(), None).bad.expect("found");
    assert_eq!(bad.segment, Some(1), "{bad}");
    std::fs::rename(&away, &middle).expect("moves");
    edit(&middle, |bytes| bytes.extend(b"something"));
    assert!(
        !check(dir.path(), None).is_sound(),
        "bytes after the end of a segment"
    );
}

#[test]
fn keys_of_others_do_not_verify() {
    let dir = temp_dir();
    let given = closed_log(dir.path(), 3);
    let other = SigningKey::from_seed("test.example/audit", &[43; 32]).expect("a good name");
    let other = other.verifying_key();
    assert!(Checkpoint::parse(given.note(), &other).is_err());
    assert!(!postern_audit::verify(dir.path(), &other, None, &mut |_, _| {}).is_sound());
    assert_eq!(Checkpoint::parse(given.note(), &verifying()), Ok(given));
}

#[test]
fn damage_is_refused_until_it_is_accepted_and_recorded() {
    // Goal: damage before good entries keeps the log closed; with the operator's word it opens, the
    // entries before it are kept, the bytes are set aside, and an entry says so. Method: flip a bit
    // in the middle of a log that was not closed.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    append_many(&log, 40);
    drop(log);
    let path = segment_files(dir.path())[0].clone();
    let bytes = std::fs::read(&path).expect("reads");
    let header = b"header 20";
    let at = bytes
        .windows(header.len())
        .position(|w| w == header)
        .expect("is clear");
    edit(&path, |bytes| bytes[at] ^= 1);

    let refused = open_with(dir.path(), options());
    assert!(
        matches!(refused, Err(OpenLogError::Damaged(_))),
        "{refused:?}"
    );
    let accept = LogOptions {
        accept_damage: true,
        ..options()
    };
    let (log, report) = open_with(dir.path(), accept).expect("the operator said so");
    assert!(
        report
            .damage_accepted
            .expect("it was damaged")
            .contains("entry 21")
    );
    assert_eq!(report.size, 21);
    append(&log, entry("dev", 50), Durability::Durable);
    wait(log.close()).expect("closes");
    let entries = read_all(dir.path());
    let said = entries.iter().any(|entry| {
        matches!(&entry.note, Some(LogNote::DamageAccepted { what }) if what.contains("entry 21"))
    });
    assert!(said, "an entry says so");
    assert!(dir.path().join("segments/0000000000.damaged").is_file());
    let (log, _) = open(dir.path());
    wait(log.close()).expect("closes");
    assert!(check(dir.path(), None).is_sound());
}
