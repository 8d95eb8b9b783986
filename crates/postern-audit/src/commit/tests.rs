use std::path::Path;

use tokio::sync::oneshot;

use super::*;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::entry::{Durability, Position};
use crate::leaf::LogNote;
use crate::replay::Replay;
use crate::seal::tests::NoKeys;
use crate::segment::{Layout, SegmentHeader};
use crate::tree::Tree;
use crate::writer::Continue;

/// A log that was just begun, and whose threads do not run.
fn begun(shelf: Shelf) -> Commit {
    let from = Continue {
        log_id: [1; 16],
        segment: 0,
        tree: Tree::empty(),
        chain: [0; 32],
        prev_bytes: 0,
        settled: 0,
    };
    let shelf = Arc::new(shelf);
    let writer = Writer::begin(Arc::clone(&shelf), Arc::new(NoKeys), from, [2; 16]);
    Commit::new(shelf, writer.expect("begins"), Duration::ZERO)
}

fn queue(commit: &Commit, entries: usize) {
    for _ in 0..entries {
        commit
            .push(Pending::note(&LogNote::Closed))
            .expect("queues");
    }
}

/// The settled number that a start after a crash would find now, over all segments.
fn settled_after_a_crash(dir: &Path) -> u64 {
    let layout = Layout::new(dir);
    let mut replay = None;
    for number in layout.segment_numbers().expect("lists") {
        let bytes = std::fs::read(layout.segment(number)).expect("reads");
        let (header, ..) = SegmentHeader::decode(&bytes).expect("has a header");
        let replay =
            replay.get_or_insert_with(|| Replay::from_header(&header).expect("a beginning"));
        replay.enter(number, &bytes).expect("follows");
        assert_eq!(replay.frames(&bytes, |_, _| {}), None);
    }
    replay.expect("a segment").settled
}

#[test]
fn nothing_is_settled_on_disk_before_its_partner_is() {
    // Goal: whenever the process dies, an entry whose partner was still in the queue is looked for
    // at the next start. Method: a queue of more than one frame, its last entry a partner; a look
    // at the files after each frame. The second one begins a segment, whose header tells it too.
    let dir = tempfile::tempdir().expect("a directory");
    let commit = begun(Shelf::empty(dir.path(), Arc::new(RealDisk)));
    queue(&commit, FRAME_ENTRIES_MAX + 1);
    commit.settled.fetch_max(9, Ordering::AcqRel);
    commit.write_batch(commit.writer.lock());
    assert_eq!(
        settled_after_a_crash(dir.path()),
        0,
        "the last one is not written"
    );
    commit.write_batch(commit.writer.lock());
    assert_eq!(settled_after_a_crash(dir.path()), 9);
    let second = Layout::new(dir.path()).segment(1);
    let header = SegmentHeader::read(&second).expect("reads");
    let (header, ..) = header.expect("a second segment");
    assert_eq!(header.settled, 0, "it was there before the frame");
}

#[test]
fn the_last_flush_leaves_nothing_unsynced_and_nobody_unanswered() {
    // Goal: what is queued when the log stops is durable, and whoever waits for that is told.
    // Method: more than one flush writes, of which the rest is written on behalf of the appenders
    // behind the last mark.
    let dir = tempfile::tempdir().expect("a directory");
    let commit = begun(Shelf::empty(dir.path(), Arc::new(RealDisk)));
    let entries = BATCHES_PER_FLUSH_MAX * FRAME_ENTRIES_MAX;
    queue(&commit, entries);
    let (reply, mut answer) = oneshot::channel();
    let mut last = Pending::note(&LogNote::Closed);
    last.reply = Some((Durability::Durable, reply));
    commit.shut(Some(last), "it is closed").expect("is open");
    commit.stop();
    commit.run();
    assert_eq!(commit.shelf.durable.lock().size, entries as u64 + 1);
    let answer = answer.try_recv().expect("it is answered");
    let position = answer.expect("it is durable");
    assert_eq!(
        position,
        Position {
            seq: entries as u64
        }
    );
}

#[test]
fn a_panic_of_the_committer_ends_the_log() {
    // Goal: a log that nobody syncs any more takes nothing in, and keeps nobody waiting. Method: a
    // panic behind a sync; then an entry that waits for the next one.
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = Shelf {
        on_sync: Some(Arc::new(|_| panic!("on purpose"))),
        ..Shelf::empty(dir.path(), Arc::new(RealDisk))
    };
    let commit = begun(shelf);
    queue(&commit, 1);
    commit.demand();
    std::thread::scope(|scope| {
        let committer = scope.spawn(|| commit.run());
        assert!(committer.join().is_err(), "it panics");
    });
    assert!(commit.queued_bytes().is_err(), "it looks healthy");
    let more = commit.push(Pending::note(&LogNote::Closed));
    assert!(more.is_err(), "nobody would write it");
}

/// A disk that panics once it is told to.
struct Faulty(Arc<AtomicBool>);

struct FaultyFile(Box<dyn DiskFile>, Arc<AtomicBool>);

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.create(path)?;
        Ok(Box::new(FaultyFile(file, Arc::clone(&self.0))))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert!(!self.1.load(Ordering::Acquire), "on purpose");
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
}

#[test]
fn a_panic_while_a_frame_is_written_ends_the_log() {
    // Goal: entries that are not on disk are never taken for durable, and nobody waits for a writer
    // that is gone. Method: an appender that panics in the middle of a frame; then a sync.
    let dir = tempfile::tempdir().expect("a directory");
    let panics = Arc::new(AtomicBool::new(false));
    let disk = Arc::new(Faulty(Arc::clone(&panics)));
    let commit = begun(Shelf::empty(dir.path(), disk));
    let before = *commit.shelf.durable.lock();
    queue(&commit, 1);
    panics.store(true, Ordering::Release);
    std::thread::scope(|scope| {
        let appender = scope.spawn(|| commit.combine());
        assert!(appender.join().is_err(), "it panics");
    });
    commit.flush(true);
    assert_eq!(*commit.shelf.durable.lock(), before);
    assert!(commit.queued_bytes().is_err(), "it looks healthy");
}
