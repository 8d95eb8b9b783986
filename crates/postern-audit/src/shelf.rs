//! What the writer shares with the threads that sync and publish: where files go, how far the log
//! is durable, which tiles and which spare file wait.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::checkpoint::FrameMark;
use crate::disk::{self, Disk, DiskFile};
use crate::options::{LogOptions, OnSync};
use crate::segment::Layout;
use crate::tile::{self, Tile};
use crate::tree::Hash;

/// The end of the log at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// Bytes of the segment `frames.segment` up to here.
    pub(crate) bytes: u64,
    pub(crate) frames: FrameMark,
}

/// What the writer shares with the threads that sync and publish.
pub(crate) struct Shelf {
    pub(crate) layout: Layout,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) segment_bytes: u64,
    /// The end of what is on stable storage.
    pub(crate) durable: Mutex<Mark>,
    /// Full tiles not yet stored.
    pub(crate) tiles: Mutex<Vec<Tile>>,
    /// Held while tiles are stored.
    pub(crate) storing: Mutex<()>,
    /// A prepared file for the next segment; held while its name is used.
    pub(crate) spare: Mutex<Option<Box<dyn DiskFile>>>,
    /// What the publisher is to do before its next tick.
    pub(crate) errand: Mutex<Errand>,
    pub(crate) errand_wake: Condvar,
    /// Held while a segment is synced; true when that failed.
    pub(crate) sync_failed: Mutex<bool>,
    pub(crate) on_sync: Option<OnSync>,
}

/// What the publisher thread is asked for.
#[derive(Debug, Default)]
pub(crate) struct Errand {
    /// Prepare the next segment now.
    pub(crate) spare: bool,
    /// Publish once more, and end.
    pub(crate) stop: bool,
}

impl Shelf {
    /// The shelf of a log that is durable up to a mark.
    pub(crate) fn new(layout: Layout, durable: Mark, options: &LogOptions) -> Self {
        Self {
            layout,
            disk: Arc::clone(&options.disk),
            segment_bytes: options.segment_bytes,
            durable: Mutex::new(durable),
            tiles: Mutex::default(),
            storing: Mutex::default(),
            spare: Mutex::default(),
            errand: Mutex::default(),
            errand_wake: Condvar::new(),
            sync_failed: Mutex::new(false),
            on_sync: options.on_sync.clone(),
        }
    }

    /// Changes the publisher's errand and wakes it.
    pub(crate) fn send_publisher(&self, change: impl FnOnce(&mut Errand)) {
        change(&mut self.errand.lock());
        self.errand_wake.notify_one();
    }

    /// Waits until the log is durable up to `mark`.
    ///
    /// Syncs come one at a time, and none after a failed one: the kernel tells of an error once,
    /// and a second sync of the same file would succeed without the data.
    pub(crate) fn sync(&self, file: &dyn DiskFile, mark: Mark) -> io::Result<()> {
        let mut failed = self.sync_failed.lock();
        if *failed {
            return Err(io::Error::other("an earlier sync failed"));
        }
        let started = Instant::now();
        file.sync().inspect_err(|_| *failed = true)?;
        if let Some(told) = &self.on_sync {
            told(started.elapsed());
        }
        let mut durable = self.durable.lock();
        // Another thread may already have moved it farther. INVARIANT: a mark names the frame that
        // ends at its size, never the header of a segment that was begun at the same size.
        if mark.size > durable.size {
            *durable = mark;
        }
        Ok(())
    }

    /// Prepares the file of the next segment, if it is not there yet.
    pub(crate) fn prepare_spare(&self) -> io::Result<()> {
        self.prepare(&mut self.spare.lock())
    }

    /// Takes the prepared file and gives it the name of a segment.
    ///
    /// INVARIANT: nothing is prepared until the name of the spare is free again. Who did would
    /// empty the file that is about to be the segment, and write zeros over it.
    pub(crate) fn name_spare(&self, segment: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut spare = self.spare.lock();
        self.prepare(&mut spare)?;
        self.disk.rename(&self.layout.spare(), segment)?;
        Ok(spare.take().expect("it was just prepared"))
    }

    fn prepare(&self, spare: &mut Option<Box<dyn DiskFile>>) -> io::Result<()> {
        if spare.is_none() {
            let path = self.layout.spare();
            *spare = Some(disk::zeroed(self.disk.as_ref(), &path, self.segment_bytes)?);
        }
        Ok(())
    }

    /// Removes the prepared file.
    pub(crate) fn drop_spare(&self) -> io::Result<()> {
        let mut spare = self.spare.lock();
        match spare.take() {
            Some(_) => self.disk.remove(&self.layout.spare()),
            None => Ok(()),
        }
    }

    /// Stores the waiting tiles whose leaves are durable.
    ///
    /// One at a time: two at once would begin the same file, the second by emptying it; and who
    /// finds nothing left to store may sign only when the other has stored it.
    pub(crate) fn store_tiles(&self, durable_size: u64) -> io::Result<()> {
        let _one_at_a_time = self.storing.lock();
        let ready = self
            .tiles
            .lock()
            .extract_if(.., |t| t.end() <= durable_size)
            .collect::<Vec<_>>();
        tile::store(self.disk.as_ref(), self.layout.dir(), &ready)
    }
}

#[cfg(test)]
impl Shelf {
    /// The shelf of a log without entries, whose segments are small.
    pub(crate) fn empty(dir: &Path, disk: Arc<dyn Disk>) -> Self {
        let layout = Layout::new(dir);
        std::fs::create_dir_all(layout.segments()).expect("creates");
        let frames = FrameMark {
            segment: 0,
            hash: [0; 32],
        };
        let durable = Mark {
            size: 0,
            root: crate::tree::EMPTY_ROOT,
            bytes: 0,
            frames,
        };
        let options = LogOptions {
            disk,
            segment_bytes: 4096,
            ..LogOptions::default()
        };
        Self::new(layout, durable, &options)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use super::*;
    use crate::disk::RealDisk;

    /// A disk on which one operation takes as long as somebody needs to come in between, or at most
    /// a moment, if nobody can.
    struct SlowDisk {
        slow: fn(Op) -> bool,
        begun: SyncSender<()>,
        interrupted: Mutex<Receiver<()>>,
    }

    #[derive(PartialEq)]
    enum Op {
        Create,
        Rename,
    }

    impl SlowDisk {
        fn pause(&self, op: Op) {
            if (self.slow)(op) && self.begun.try_send(()).is_ok() {
                // The test fails by what it finds afterwards, not by how long this took.
                let _or_a_moment = self
                    .interrupted
                    .lock()
                    .recv_timeout(Duration::from_millis(200));
            }
        }
    }

    impl Disk for SlowDisk {
        fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
            self.pause(Op::Create);
            RealDisk.create(path)
        }

        fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
            RealDisk.open(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.pause(Op::Rename);
            RealDisk.rename(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            RealDisk.remove(path)
        }

        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            RealDisk.sync_dir(path)
        }
    }

    /// A shelf in `dir`, whose slow operation runs beside `act` once: `first` begins it, and `act`
    /// comes in between.
    fn beside<T: Send>(
        dir: &Path,
        slow: fn(Op) -> bool,
        first: impl Fn(&Shelf) -> T + Sync,
        act: impl Fn(&Shelf),
    ) -> (Shelf, T) {
        let (begun, has_begun) = sync_channel(1);
        let (interrupt, interrupted) = sync_channel(1);
        let disk = SlowDisk {
            slow,
            begun,
            interrupted: Mutex::new(interrupted),
        };
        let shelf = Shelf::empty(dir, Arc::new(disk));
        let done = std::thread::scope(|scope| {
            let first = scope.spawn(|| first(&shelf));
            has_begun.recv().expect("it begins");
            act(&shelf);
            // The other one may have gone on long ago.
            let _or_late = interrupt.send(());
            first.join().expect("no panic")
        });
        (shelf, done)
    }

    #[test]
    fn a_file_that_becomes_a_segment_is_not_prepared_anew() {
        // Goal: the publisher, preparing while the writer names its file, leaves that file alone.
        // Method: a rename that waits for it.
        let dir = tempfile::tempdir().expect("a directory");
        let segment = Layout::new(dir.path()).segment(7);
        let (shelf, named) = beside(
            dir.path(),
            |op| op == Op::Rename,
            |shelf| shelf.name_spare(&segment),
            |shelf| shelf.prepare_spare().expect("prepares"),
        );
        let named = named.expect("is named");
        named.write_at(b"a header", 0).expect("writes");
        let inode = |path: &Path| std::fs::metadata(path).expect("is there").ino();
        assert_ne!(inode(&segment), inode(&shelf.layout.spare()));
        let next = shelf.layout.segment(8);
        shelf.name_spare(&next).expect("another one was prepared");
        let written = std::fs::read(&segment).expect("reads");
        assert_eq!((&written[..8], written.len()), (&b"a header"[..], 4096));
        assert_eq!(std::fs::read(&next).expect("reads"), [0; 4096]);
    }

    #[test]
    fn tiles_stored_by_two_are_all_there_when_either_is_done() {
        // Goal: the writer and the publisher, storing at once, lose no tile, and none of them goes
        // on before all are stored. Method: the first file is created slowly.
        let dir = tempfile::tempdir().expect("a directory");
        let tile = |index| Tile {
            level: 0,
            index,
            hashes: vec![[9; 32]; tile::TILE_WIDTH],
        };
        let is_there = |index| {
            let loaded = tile::load(dir.path(), 0, index).expect("reads");
            loaded.is_some_and(|hashes| hashes == tile(index).hashes)
        };
        let store = |shelf: &Shelf, index: u64| {
            shelf.tiles.lock().push(tile(index));
            shelf.store_tiles((index + 1) * 256).expect("stores");
        };
        beside(
            dir.path(),
            |op| op == Op::Create,
            |shelf| store(shelf, 0),
            |shelf| {
                store(shelf, 1);
                assert!(is_there(0) && is_there(1), "one went on before both were");
            },
        );
        assert!(is_there(0) && is_there(1), "a tile was lost");
    }
}
