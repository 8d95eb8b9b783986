//! Crashes: a writing process is killed at any moment, and everything that it acknowledged is
//! there.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_audit::{Durability, LogNote, LogOptions, Reader, SlotPool};

use crate::support::{Dice, Keys, check, entry, open_with, options, read_all, temp_dir, wait};

const CHILD_DIR: &str = "POSTERN_AUDIT_CRASH_DIR";
const ROUNDS: u64 = 200;
/// After so many crashes a log is looked at, closed, and a new one begun.
const ROUNDS_PER_LOG: u64 = 10;

/// Not a test by itself: what the killed process does. It appends from three threads, and says what
/// was acknowledged on its standard output.
#[test]
fn child_that_is_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let often = LogOptions {
        checkpoint_interval: Duration::from_millis(3),
        ..options()
    };
    let (log, _) = open_with(Path::new(&dir), often).expect("a crash never keeps a log closed");
    let log = Arc::new(log);
    let said = Arc::new(Mutex::new(std::io::stdout()));
    let threads = (0..3_u64).map(|thread| {
        let (log, said) = (Arc::clone(&log), Arc::clone(&said));
        let level = if thread == 0 {
            Durability::Durable
        } else {
            Durability::Buffered
        };
        std::thread::spawn(move || {
            for i in 0.. {
                let mut slots = log.reserve(SlotPool::Authenticated, 2).expect("room");
                let number = (u64::from(std::process::id()) << 32) + thread * 1_000_000 + i;
                let at =
                    wait(log.append(&mut slots, entry("dev", number), level)).expect("healthy");
                let outcome = entry("prod", number + 500_000);
                log.append_later(&mut slots, outcome)
                    .expect("a slot is held");
                let line = format!("ack {} {number}\n", at.seq);
                said.lock()
                    .expect("no panic")
                    .write_all(line.as_bytes())
                    .expect("is listened to");
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("no panic");
    }
}

fn spawn(dir: &Path) -> Child {
    let program = std::env::current_exe().expect("a test binary has a path");
    Command::new(program)
        .args([
            "--exact",
            "crash::child_that_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test binary runs")
}

/// Lets a child write and kills it; what it acknowledged.
fn killed(dir: &Path, dice: &mut Dice) -> Vec<(u64, u64)> {
    let mut child = spawn(dir);
    let said = BufReader::new(child.stdout.take().expect("is piped"));
    let (first, first_heard) = sync_channel(1);
    let listener = std::thread::spawn(move || {
        let lines = said.lines().map_while(Result::ok);
        let acks = lines.filter_map(|line| {
            // The last line may be cut short: what was not said whole was not acknowledged.
            let (seq, number) = line.strip_prefix("ack ")?.split_once(' ')?;
            // Only the first one finds room; nobody listens for more.
            let _heard = first.try_send(());
            Some((seq.parse().ok()?, number.parse().ok()?))
        });
        acks.collect::<Vec<(u64, u64)>>()
    });
    // A moment anywhere: while it starts, recovers, begins its segment; or while it writes,
    // rotates, signs.
    if dice.roll(3) > 0 {
        first_heard
            .recv_timeout(Duration::from_secs(20))
            .expect("the child begins to write");
    }
    std::thread::sleep(Duration::from_micros(dice.roll(15_000)));
    child.kill().expect("it is ours");
    let output = child.wait_with_output().expect("it ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("panicked"),
        "the child failed before it was killed: {said}"
    );
    listener.join().expect("no panic")
}

#[test]
fn everything_acknowledged_survives_any_kill() {
    // Goal: after kill -9 at 200 random moments under load, each log opens without damage, holds
    // everything acknowledged at its position, and verifies. Method: a child process over and over
    // in one directory, so that recovery is crashed too; two directories at a time.
    let logs = ROUNDS / ROUNDS_PER_LOG;
    let halves = [0..logs / 2, logs / 2..logs].map(|logs| {
        std::thread::spawn(move || logs.map(killed_again_and_again).collect::<Vec<_>>())
    });
    let (mut acknowledged, mut cuts) = (0, 0);
    for (of_log, cuts_of_log) in halves
        .into_iter()
        .flat_map(|half| half.join().expect("good"))
    {
        acknowledged += of_log;
        cuts += cuts_of_log;
    }
    assert!(
        acknowledged > 1000,
        "the children hardly wrote: {acknowledged}"
    );
    eprintln!("{acknowledged} acknowledged entries over {ROUNDS} kills, {cuts} torn ends recorded");
}

/// The life of one log under children that are killed; how many entries they acknowledged, and how
/// many torn ends were recorded.
fn killed_again_and_again(number: u64) -> (usize, usize) {
    let (dir, mut dice) = (temp_dir(), Dice(2026 + number));
    let mut acks = Vec::new();
    for round in 0..ROUNDS_PER_LOG {
        acks.extend(killed(dir.path(), &mut dice));
        let report = check(dir.path(), None);
        // As it was left, before anything recovers it; a log may have been killed while it began.
        assert!(
            report.is_sound() || report.size == 0,
            "log {number}, round {round}: {report}"
        );
    }
    let (log, _) = open_with(dir.path(), options()).expect("opens after every crash");
    wait(log.close()).expect("closes");
    let cuts = everything_is_there(dir.path(), &acks);
    let report = check(dir.path(), None);
    assert!(
        report.is_sound() && report.unfinished_tail.is_none(),
        "{report}"
    );
    (acks.len(), cuts)
}

/// Checks each acknowledged entry at its position; counts the cuts that were recorded.
fn everything_is_there(dir: &Path, acks: &[(u64, u64)]) -> usize {
    let entries = read_all(dir);
    for (seq, number) in acks {
        let read = &entries[usize::try_from(*seq).expect("small")];
        let expected = entry("dev", *number);
        assert_eq!(read.body.as_ref(), Ok(&expected.body), "entry {seq}");
        assert_eq!(read.header, expected.header);
    }
    let headers = entries
        .iter()
        .map(|entry| &entry.header)
        .collect::<HashSet<_>>();
    assert!(headers.len() >= acks.len());
    let reader = Reader::open(dir, Some(Keys::all().shared())).expect("there is a log");
    assert_eq!(reader.size().expect("reads"), entries.len() as u64);
    entries
        .iter()
        .filter(|e| matches!(e.note, Some(LogNote::TailCut(_))))
        .count()
}
