//! Faults: every operation on the disk fails once, in three ways: without effect, with its full
//! effect, and (for writes) with half of it. After each, nothing more is acknowledged, and what was
//! acknowledged before is there when the log is opened again.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use postern_audit::{Disk, DiskFile, Durability, LogNote, LogOptions, RealDisk, SlotPool};

use crate::support::{append, check, entry, open_with, options, read_all, temp_dir, wait};

/// What the failing operation leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Failed,
    FailedButPersisted,
    FailedHalfWay,
}

/// Counts the operations and lets one of them fail.
struct Script {
    done: AtomicU64,
    fails: u64,
    fault: Fault,
    /// The file that is being prepared to become a segment. Until then its failures are no loss.
    spare: Mutex<Weak<AtomicBool>>,
    /// The failure was one of those.
    harmless: AtomicBool,
}

impl Script {
    fn new(fails: u64, fault: Fault) -> Arc<Self> {
        let (done, spare, harmless) = (AtomicU64::new(0), Mutex::default(), AtomicBool::new(false));
        Arc::new(Self {
            done,
            fails,
            fault,
            spare,
            harmless,
        })
    }

    /// Runs an operation, or lets it fail.
    fn run<T>(
        &self,
        act: impl FnOnce() -> io::Result<T>,
        half: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<T> {
        if self.done.fetch_add(1, Ordering::SeqCst) != self.fails {
            return act();
        }
        match self.fault {
            Fault::Failed => {}
            Fault::FailedButPersisted => drop(act()?),
            Fault::FailedHalfWay => half()?,
        }
        Err(io::Error::other("the disk fails, as the test wants it"))
    }

    /// Like `run`, for a file that may be the spare one.
    fn run_on<T>(
        &self,
        spare: &AtomicBool,
        act: impl FnOnce() -> io::Result<T>,
        half: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<T> {
        let before = self.has_failed();
        let result = self.run(act, half);
        if !before && result.is_err() && spare.load(Ordering::SeqCst) {
            self.harmless.store(true, Ordering::SeqCst);
        }
        result
    }

    fn has_failed(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.fails
    }
}

struct FailingDisk(Arc<Script>);

struct FailingFile {
    script: Arc<Script>,
    spare: Arc<AtomicBool>,
    file: Box<dyn DiskFile>,
}

impl FailingDisk {
    fn file(
        &self,
        path: &Path,
        act: impl FnOnce() -> io::Result<Box<dyn DiskFile>>,
    ) -> io::Result<Box<dyn DiskFile>> {
        let script = Arc::clone(&self.0);
        let spare = Arc::new(AtomicBool::new(path.ends_with("spare")));
        if path.ends_with("spare") {
            *script.spare.lock().expect("no panic") = Arc::downgrade(&spare);
        }
        let file = script.run_on(&spare, act, || Ok(()))?;
        Ok(Box::new(FailingFile {
            script,
            spare,
            file,
        }))
    }
}

impl Disk for FailingDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path, || RealDisk.create(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path, || RealDisk.open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if from.ends_with("spare")
            && let Some(spare) = self.0.spare.lock().expect("no panic").upgrade()
        {
            spare.store(false, Ordering::SeqCst);
        }
        self.0.run(|| RealDisk.rename(from, to), || Ok(()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.run(|| RealDisk.remove(path), || Ok(()))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.run(|| RealDisk.sync_dir(path), || Ok(()))
    }
}

impl DiskFile for FailingFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let half = || self.file.write_at(&bytes[..bytes.len() / 2], offset);
        self.script
            .run_on(&self.spare, || self.file.write_at(bytes, offset), half)
    }

    fn sync(&self) -> io::Result<()> {
        self.script
            .run_on(&self.spare, || self.file.sync(), || Ok(()))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.script
            .run_on(&self.spare, || self.file.set_len(bytes), || Ok(()))
    }
}

/// The life of a log, as far as the disk lets it: what was acknowledged, and whether it was closed.
fn life(dir: &Path, script: &Arc<Script>) -> (Vec<(u64, u64)>, bool) {
    let mut acknowledged = Vec::new();
    let disk = Arc::new(FailingDisk(Arc::clone(script)));
    let options = LogOptions {
        disk,
        segment_bytes: 24 * 1024,
        ..options()
    };
    let Ok((log, _)) = open_with(dir, options) else {
        return (acknowledged, false);
    };
    for i in 0..90 {
        let level = if i % 9 == 0 {
            Durability::Durable
        } else {
            Durability::Buffered
        };
        let Ok(mut slots) = log.reserve(SlotPool::Authenticated, 1) else {
            continue;
        };
        let unhealthy = !log.healthy();
        let appended = wait(log.append(&mut slots, entry("dev", i), level));
        assert!(
            appended.is_err() || !unhealthy,
            "acknowledged after the failure was known"
        );
        if let Ok(position) = appended {
            acknowledged.push((position.seq, i));
        }
    }
    let closed = wait(log.close()).is_ok();
    (acknowledged, closed)
}

#[test]
fn any_failed_operation_ends_the_log_and_loses_nothing() {
    // Goal and method: as the module says, for each operation of the life of a log in turn.
    let count = Script::new(u64::MAX, Fault::Failed);
    let dir = temp_dir();
    let (acknowledged, closed) = life(dir.path(), &count);
    assert!(closed && acknowledged.len() == 90);
    let operations = count.done.load(Ordering::SeqCst);
    assert!(
        operations > 100,
        "segments, frames, syncs, tiles, checkpoints: {operations}"
    );
    for fails in 0..operations {
        for fault in [
            Fault::Failed,
            Fault::FailedButPersisted,
            Fault::FailedHalfWay,
        ] {
            one_failure(fails, fault);
        }
    }
}

fn one_failure(fails: u64, fault: Fault) {
    let dir = temp_dir();
    let script = Script::new(fails, fault);
    let (acknowledged, closed) = life(dir.path(), &script);
    let harmless = script.harmless.load(Ordering::SeqCst);
    assert!(
        !closed || !script.has_failed() || harmless,
        "operation {fails}, {fault:?}: closed in good order"
    );
    let (log, report) = open_with(dir.path(), options())
        .unwrap_or_else(|error| panic!("operation {fails}, {fault:?}: {error}"));
    assert_eq!(report.damage_accepted, None);
    wait(log.close()).expect("the disk works again");
    let entries = read_all(dir.path());
    for (seq, i) in acknowledged {
        let read = &entries[usize::try_from(seq).expect("small")];
        assert_eq!(
            read.body,
            Ok(entry("dev", i).body),
            "operation {fails}, {fault:?}: entry {seq}"
        );
    }
    let report = check(dir.path(), None);
    assert!(report.is_sound(), "operation {fails}, {fault:?}: {report}");
}

#[test]
fn recovery_itself_may_fail_and_be_tried_again() {
    // Goal: a failure while a torn log is opened loses neither entries nor the note about the cut.
    // Method: a log with a torn end; each operation of its opening fails; then it is opened again.
    let torn = temp_dir();
    let (log, _) = open_with(torn.path(), options()).expect("opens");
    let durable = (0..20).map(|i| append(&log, entry("dev", i), Durability::Durable).seq);
    let durable = durable.collect::<Vec<_>>();
    drop(log);
    let path = crate::support::segment_files(torn.path())
        .pop()
        .expect("one segment");
    let mut bytes = std::fs::read(&path).expect("reads");
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("it holds frames")
        + 1;
    bytes[end..end + 9].copy_from_slice(b"PFR1 torn");
    std::fs::write(&path, bytes).expect("writes");

    for fails in 0.. {
        let mut failed = false;
        for fault in [
            Fault::Failed,
            Fault::FailedButPersisted,
            Fault::FailedHalfWay,
        ] {
            let dir = temp_dir();
            crate::support::copy_dir(torn.path(), dir.path());
            let script = Script::new(fails, fault);
            let disk = Arc::new(FailingDisk(Arc::clone(&script)));
            let opened = open_with(dir.path(), LogOptions { disk, ..options() });
            failed |= opened.is_err();
            drop(opened);
            let (log, _) = open_with(dir.path(), options())
                .unwrap_or_else(|error| panic!("operation {fails}, {fault:?}: {error}"));
            wait(log.close()).expect("closes");
            let entries = read_all(dir.path());
            for (i, seq) in (0..).zip(&durable) {
                let read = &entries[usize::try_from(*seq).expect("small")];
                assert_eq!(
                    read.body,
                    Ok(entry("dev", i).body),
                    "operation {fails}, {fault:?}"
                );
            }
            let cuts = entries
                .iter()
                .filter(|e| matches!(e.note, Some(LogNote::TailCut(_))));
            assert!(
                cuts.count() >= 1,
                "operation {fails}, {fault:?}: a silent cut"
            );
            let report = check(dir.path(), None);
            assert!(report.is_sound(), "operation {fails}, {fault:?}: {report}");
        }
        if !failed {
            assert!(fails > 10, "opening takes more steps than {fails}");
            return;
        }
    }
}
