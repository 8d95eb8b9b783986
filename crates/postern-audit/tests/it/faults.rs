//! Faults: every operation on the disk fails once, in three ways: without effect, with its full
//! effect, and (for writes) with half of it. After each, nothing more is acknowledged, and what was
//! acknowledged before is there when the log is opened again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use postern_audit::{Disk, DiskFile, Durability, LogOptions, RealDisk, SlotPool};

use crate::support::{check, entry, open_with, options, read_all, temp_dir, wait};

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
}

impl Script {
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

    fn has_failed(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.fails
    }
}

struct FailingDisk(Arc<Script>);
struct FailingFile(Arc<Script>, Box<dyn DiskFile>);

impl FailingDisk {
    fn file(
        &self,
        act: impl FnOnce() -> io::Result<Box<dyn DiskFile>>,
    ) -> io::Result<Box<dyn DiskFile>> {
        let file = self.0.run(act, || Ok(()))?;
        Ok(Box::new(FailingFile(Arc::clone(&self.0), file)))
    }
}

impl Disk for FailingDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(|| RealDisk.create(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(|| RealDisk.open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
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
        let half = || self.1.write_at(&bytes[..bytes.len() / 2], offset);
        self.0.run(|| self.1.write_at(bytes, offset), half)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.run(|| self.1.sync(), || Ok(()))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.run(|| self.1.set_len(bytes), || Ok(()))
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
    let count = Arc::new(Script {
        done: AtomicU64::new(0),
        fails: u64::MAX,
        fault: Fault::Failed,
    });
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
    let script = Arc::new(Script {
        done: AtomicU64::new(0),
        fails,
        fault,
    });
    let (acknowledged, closed) = life(dir.path(), &script);
    assert!(
        !closed || !script.has_failed(),
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
