//! What the writer shares with the threads that sync and publish: where files go, how far the log
//! is durable, which tiles and which spare file wait.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::checkpoint::FrameMark;
use crate::disk::{self, Disk, DiskFile};
use crate::options::OnSync;
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
    /// A prepared file for the next segment.
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
        let mut spare = self.spare.lock();
        if spare.is_none() {
            let path = self.layout.spare();
            *spare = Some(disk::zeroed(self.disk.as_ref(), &path, self.segment_bytes)?);
        }
        Ok(())
    }

    /// Removes the prepared file.
    pub(crate) fn drop_spare(&self) -> io::Result<()> {
        if self.spare.lock().take().is_some() {
            self.disk.remove(&self.layout.spare())?;
        }
        Ok(())
    }

    /// Stores the waiting tiles whose leaves are durable.
    pub(crate) fn store_tiles(&self, durable_size: u64) -> io::Result<()> {
        let ready = self
            .tiles
            .lock()
            .extract_if(.., |t| t.end() <= durable_size)
            .collect::<Vec<_>>();
        tile::store(self.disk.as_ref(), self.layout.dir(), &ready)
    }
}
