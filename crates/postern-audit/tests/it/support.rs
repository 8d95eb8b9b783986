//! What the tests share: keys, a log in a directory, a way to wait for a future.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use postern_audit::{
    Checkpoint, DomainKey, Durability, Entry, KeyError, Log, LogOptions, OpenLogError, Position,
    ReadEntry, Reader, RecoveryReport, Report, SealingKeys, SigningKey, SlotPool, VerifyingKey,
    verify,
};

/// Keys for a fixed set of domains.
#[derive(Clone)]
pub(crate) struct Keys(pub(crate) BTreeMap<(String, u32), [u8; 32]>);

impl Keys {
    /// One key for each of `dev`, `prod` and `installation`.
    pub(crate) fn all() -> Self {
        let domains = [("dev", 1), ("prod", 2), ("installation", 3)];
        Self(
            domains
                .map(|(domain, byte)| ((domain.to_owned(), 1), [byte; 32]))
                .into(),
        )
    }

    pub(crate) fn shared(self) -> Arc<dyn SealingKeys> {
        Arc::new(self)
    }
}

impl SealingKeys for Keys {
    fn current(&self, domain: &str) -> Result<DomainKey, KeyError> {
        let newest = self.0.iter().rev().find(|((name, _), _)| name == domain);
        let ((_, version), key) = newest.ok_or(KeyError::Unknown)?;
        Ok(DomainKey {
            version: *version,
            key: (*key).into(),
        })
    }

    fn by_version(&self, domain: &str, version: u32) -> Result<DomainKey, KeyError> {
        let key = self
            .0
            .get(&(domain.to_owned(), version))
            .ok_or(KeyError::Unknown)?;
        Ok(DomainKey {
            version,
            key: (*key).into(),
        })
    }
}

pub(crate) fn signing() -> SigningKey {
    SigningKey::from_seed("test.example/audit", &[42; 32]).expect("a good name")
}

pub(crate) fn verifying() -> VerifyingKey {
    signing().verifying_key()
}

/// A directory that is removed afterwards; in memory where there is such a place, since these tests
/// sync by the ten thousand.
pub(crate) fn temp_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory")
}

/// Small segments, so that a few hundred entries rotate, and checkpoints only when asked for.
pub(crate) fn options() -> LogOptions {
    LogOptions {
        create: true,
        segment_bytes: 64 * 1024,
        checkpoint_interval: Duration::from_secs(3600),
        ..LogOptions::default()
    }
}

pub(crate) fn open(dir: &Path) -> (Log, RecoveryReport) {
    open_with(dir, options()).expect("the log opens")
}

pub(crate) fn open_with(
    dir: &Path,
    options: LogOptions,
) -> Result<(Log, RecoveryReport), OpenLogError> {
    Log::open(dir, Keys::all().shared(), signing(), options)
}

pub(crate) fn entry(domain: &str, i: u64) -> Entry {
    Entry {
        domain: domain.into(),
        header: format!("header {i}").into_bytes(),
        body: format!("a body with words about {i}, and some more of them").into_bytes(),
    }
}

pub(crate) fn append(log: &Log, entry: Entry, level: Durability) -> Position {
    let mut slots = log
        .reserve(SlotPool::Authenticated, 1)
        .expect("there is room");
    wait(log.append(&mut slots, entry, level)).expect("the log is healthy")
}

/// Appends `count` entries of alternating domains and levels.
pub(crate) fn append_many(log: &Log, count: u64) {
    for i in 0..count {
        let domain = if i % 3 == 0 { "prod" } else { "dev" };
        let level = if i % 16 == 0 {
            Durability::Durable
        } else {
            Durability::Buffered
        };
        append(log, entry(domain, i), level);
    }
}

/// A closed log with `count` entries of a caller, and its last checkpoint.
pub(crate) fn closed_log(dir: &Path, count: u64) -> Checkpoint {
    let (log, _) = open(dir);
    append_many(&log, count);
    wait(log.close()).expect("the log closes")
}

pub(crate) fn read_all(dir: &Path) -> Vec<ReadEntry> {
    let reader = Reader::open(dir, Some(Keys::all().shared())).expect("there is a log");
    let entries = reader.entries_from(0).expect("it has a beginning");
    entries
        .collect::<Result<_, _>>()
        .expect("all of it can be read")
}

pub(crate) fn check(dir: &Path, given: Option<&Checkpoint>) -> Report {
    verify(dir, &verifying(), given, &mut |_, _| {})
}

pub(crate) fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("segments")).expect("the directory is there");
    let mut files = files
        .map(|file| file.expect("it can be listed").path())
        .collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    files.sort();
    files
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("creates");
    for file in std::fs::read_dir(from).expect("lists") {
        let file = file.expect("lists");
        let target = to.join(file.file_name());
        if file.file_type().expect("has a type").is_dir() {
            copy_dir(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).expect("copies");
        }
    }
}

/// Runs a future to its end on this thread. The log needs no runtime, and this proves it.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}
