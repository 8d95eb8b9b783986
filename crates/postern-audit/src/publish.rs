//! Publishing: once a second, what became durable is signed for all to see.
//!
//! Order, and what a crash between the steps leaves:
//! 1. full tiles are stored: tiles that no checkpoint speaks of yet, written again by recovery;
//! 2. the signed size is stored durably: a promise to ourselves that nobody has seen;
//! 3. the checkpoint is published: the outside is behind the inside, never ahead of it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;

use crate::checkpoint::Checkpoint;
use crate::commit::Commit;
use crate::disk;
use crate::note::SigningKey;
use crate::shelf::{Errand, Shelf};
use crate::writer::Writer;

/// Signs and publishes checkpoints.
pub(crate) struct Publisher {
    shelf: Arc<Shelf>,
    signing: SigningKey,
    signed_size: PathBuf,
    newest: Mutex<Checkpoint>,
}

impl Publisher {
    /// Signs the first checkpoint of this boot.
    pub(crate) fn begin(
        shelf: Arc<Shelf>,
        signing: SigningKey,
        signed_size: PathBuf,
    ) -> io::Result<Self> {
        let mark = *shelf.durable.lock();
        shelf.store_tiles(mark.size)?;
        let newest = Checkpoint::sign(&signing, mark.size, mark.root, Some(mark.frames));
        let newest = Mutex::new(newest);
        let publisher = Self {
            shelf,
            signing,
            signed_size,
            newest,
        };
        publisher.store(&publisher.newest())?;
        Ok(publisher)
    }

    pub(crate) fn newest(&self) -> Checkpoint {
        self.newest.lock().clone()
    }

    /// Signs what has become durable since the last checkpoint.
    ///
    /// INVARIANT: the mark is of what was synced, so no signature runs ahead of the disk.
    pub(crate) fn publish(&self) -> io::Result<()> {
        let mark = *self.shelf.durable.lock();
        if mark.size == self.newest.lock().size() {
            return Ok(());
        }
        self.shelf.store_tiles(mark.size)?;
        let signed = Checkpoint::sign(&self.signing, mark.size, mark.root, Some(mark.frames));
        self.store(&signed)?;
        *self.newest.lock() = signed;
        Ok(())
    }

    fn store(&self, signed: &Checkpoint) -> io::Result<()> {
        let disk = self.shelf.disk.as_ref();
        disk::replace(disk, &self.signed_size, signed.note().as_bytes())?;
        disk::replace(
            disk,
            &self.shelf.layout.checkpoint(),
            signed.note().as_bytes(),
        )
    }

    /// The publisher thread.
    pub(crate) fn run(&self, commit: &Commit, interval: Duration) {
        let _watch = commit.watch("the publisher panicked");
        loop {
            let last = self.wait(interval);
            if commit.failed().is_some() {
                return;
            }
            if let Err(error) = self.publish() {
                commit.fail(&format!("a checkpoint could not be stored: {error}"));
                return;
            }
            if last {
                return;
            }
            commit.keys_stale.store(true, Ordering::Release);
            let look = |writer: &mut Writer| (writer.is_in_place(), writer.wants_spare());
            let (in_place, wants_spare) = commit.with_writer(look);
            if !in_place {
                commit.fail("the segment file was removed or replaced");
                return;
            }
            if wants_spare && let Err(error) = self.shelf.prepare_spare() {
                // Nothing is lost yet: the current segment has room, and the next tick tries again.
                tracing::error!(%error, "the next segment of the audit log cannot be prepared");
            }
        }
    }

    /// Waits for the next tick, or until there is an errand; true if it is the last one.
    fn wait(&self, interval: Duration) -> bool {
        let mut errand = self.shelf.errand.lock();
        let idle = |errand: &mut Errand| !errand.spare && !errand.stop;
        self.shelf
            .errand_wake
            .wait_while_for(&mut errand, idle, interval);
        errand.spare = false;
        errand.stop
    }
}
