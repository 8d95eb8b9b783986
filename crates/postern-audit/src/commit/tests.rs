use tokio::sync::oneshot;

use super::*;
use crate::disk::RealDisk;
use crate::entry::{Durability, Position};
use crate::leaf::LogNote;
use crate::seal::{DomainKey, KeyError, SealingKeys};
use crate::tree::Tree;
use crate::writer::Continue;

/// Entries without bodies need no keys.
struct NoKeys;

impl SealingKeys for NoKeys {
    fn current(&self, _: &str) -> Result<DomainKey, KeyError> {
        Err(KeyError::Unknown)
    }

    fn by_version(&self, _: &str, _: u32) -> Result<DomainKey, KeyError> {
        Err(KeyError::Unknown)
    }
}

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
