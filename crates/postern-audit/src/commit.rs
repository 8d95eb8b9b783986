//! Group commit: many appenders, one writer, few syncs.
//!
//! A buffered append is written by whoever finds the writer free, together with everything else
//! that is queued (combining); the rest wait for that one. It is tried once those who are ready on
//! the same thread have queued theirs. A durable append wakes the committer
//! thread, which writes what is queued, syncs once, and answers all; the next batch gathers
//! meanwhile. After any write the committer also syncs within 50 ms. What an appender leaves over
//! is written by the committer too, and that asks for no sync: under load something is always left
//! over, and a sync for each time is one for every dozen requests.
//!
//! Any failed write or sync ends the log: after a failed sync the kernel may have dropped the
//! pages, and a second one would succeed without them.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::bounds::{COMBINE_ROUNDS_MAX, FRAME_ENTRIES_MAX, FRAME_GATHER_BYTES, SYNC_PAUSE};
use crate::entry::AppendError;
use crate::shelf::Shelf;
use crate::writer::{Pending, Reply, Writer, Written};

/// Batches that the committer writes before it looks whether to sync.
const BATCHES_PER_FLUSH_MAX: usize = 16;

/// Stands for "nothing is taken in any more" among counts of bytes.
const SHUT: usize = usize::MAX;

#[derive(Default)]
struct Queue {
    entries: VecDeque<Pending>,
    bytes: usize,
    /// Why nothing is taken in any more.
    shut: Option<Arc<str>>,
}

#[derive(Default)]
struct Signal {
    /// Somebody waits for a sync.
    demand: bool,
    /// Entries wait to be written, nobody for a sync.
    leftover: bool,
    /// Something was written and must be synced before long.
    dirty: bool,
    stop: bool,
    /// When what is dirty will be synced.
    due: Option<Instant>,
}

/// What the committer is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Write what was left over.
    Write,
    /// Write, and sync.
    Sync,
    /// Write all of it and sync, for the last time.
    Stop,
}

/// The state that appenders and threads share.
pub(crate) struct Commit {
    pub(crate) shelf: Arc<Shelf>,
    queue: Mutex<Queue>,
    /// Bytes in the queue, or [`SHUT`]: a look at it that takes no lock, since every request takes
    /// two.
    queued: AtomicUsize,
    writer: Mutex<Writer>,
    failed: OnceLock<Arc<str>>,
    signal: Mutex<Signal>,
    wake: Condvar,
    /// The committer already knows that something is dirty.
    armed: AtomicBool,
    pub(crate) keys_stale: AtomicBool,
    pub(crate) settled: AtomicU64,
    linger: Duration,
}

impl Commit {
    pub(crate) fn new(shelf: Arc<Shelf>, writer: Writer, linger: Duration) -> Self {
        Self {
            shelf,
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            settled: AtomicU64::new(writer.settled),
            writer: Mutex::new(writer),
            failed: OnceLock::new(),
            signal: Mutex::default(),
            wake: Condvar::new(),
            armed: AtomicBool::new(false),
            keys_stale: AtomicBool::new(false),
            linger,
        }
    }

    pub(crate) fn failed(&self) -> Option<&Arc<str>> {
        self.failed.get()
    }

    /// How many bytes wait to be written, or why nothing is taken in any more.
    pub(crate) fn queued_bytes(&self) -> Result<usize, Arc<str>> {
        match self.queued.load(Ordering::Acquire) {
            SHUT => {
                let why = self.queue.lock().shut.clone();
                Err(why.unwrap_or_else(|| "it is shut".into()))
            }
            bytes => Ok(bytes),
        }
    }

    /// Shows the state of the queue to those who look without the lock.
    fn show(&self, queue: &Queue) {
        let shown = if queue.shut.is_some() {
            SHUT
        } else {
            queue.bytes
        };
        self.queued.store(shown, Ordering::Release);
    }

    /// Queues an entry.
    pub(crate) fn push(&self, pending: Pending) -> Result<(), AppendError> {
        let mut queue = self.queue.lock();
        if let Some(why) = &queue.shut {
            return Err(AppendError::Unavailable(Arc::clone(why)));
        }
        queue.bytes += pending.bytes();
        queue.entries.push_back(pending);
        self.show(&queue);
        Ok(())
    }

    /// Takes a last entry and then no more.
    pub(crate) fn shut(&self, last: Option<Pending>, why: &str) -> Result<(), AppendError> {
        let mut queue = self.queue.lock();
        if let Some(why) = &queue.shut {
            return Err(AppendError::Unavailable(Arc::clone(why)));
        }
        queue.bytes += last.as_ref().map_or(0, Pending::bytes);
        queue.entries.extend(last);
        queue.shut = Some(why.into());
        self.show(&queue);
        Ok(())
    }

    /// Writes what is queued, if the writer is free; else whoever holds it will. False in the
    /// latter case.
    pub(crate) fn combine(&self) -> bool {
        for round in 0..COMBINE_ROUNDS_MAX {
            let Some(writer) = self.writer.try_lock() else {
                return round > 0;
            };
            self.write_batch(writer);
            // An entry queued while the lock was held found it taken and relies on this look.
            if self.queue.lock().entries.is_empty() {
                return true;
            }
        }
        self.leave_over();
        true
    }

    /// Wakes the committer now, to write and sync.
    pub(crate) fn demand(&self) {
        self.signal.lock().demand = true;
        self.wake.notify_one();
    }

    /// Wakes the committer now, to write.
    fn leave_over(&self) {
        self.signal.lock().leftover = true;
        self.wake.notify_one();
    }

    /// Tells the committer, once a pause, that there is something to sync.
    pub(crate) fn arm(&self) {
        if !self.armed.swap(true, Ordering::AcqRel) {
            self.signal.lock().dirty = true;
            self.wake.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        self.signal.lock().stop = true;
        self.wake.notify_one();
    }

    /// Does something with the writer, and then writes what was queued meanwhile.
    pub(crate) fn with_writer<T>(&self, act: impl FnOnce(&mut Writer) -> T) -> T {
        let result = act(&mut self.writer.lock());
        self.combine();
        result
    }

    /// Writes one batch, frees the writer, answers.
    fn write_batch(&self, writer: MutexGuard<'_, Writer>) {
        let _watch = self.watch("a frame was not finished");
        // Behind the watch, so that it is free before that acts.
        let mut writer = writer;
        let (mut batch, settled) = self.take_batch();
        if batch.is_empty() {
            return;
        }
        writer.keys_stale |= self.keys_stale.swap(false, Ordering::AcqRel);
        let result = match self.failed.get() {
            Some(why) => Err(io::Error::other(why.to_string())),
            None => writer.write(&mut batch, settled),
        };
        drop(writer);
        self.arm();
        match result {
            Ok(Written { answers, lost }) => {
                for (reply, answer) in answers {
                    // Nobody may be waiting any more: the entry is in the log all the same.
                    let _gone = reply.send(answer);
                }
                if let Some(error) = lost {
                    self.fail(&error.to_string());
                }
            }
            Err(error) => {
                let why = self.fail(&format!("a write failed: {error}"));
                refuse(
                    batch
                        .into_iter()
                        .filter_map(|pending| Some(pending.reply?.1)),
                    &why,
                );
            }
        }
    }

    /// The next batch, and the number below which all is settled once it is written.
    fn take_batch(&self) -> (Vec<Pending>, u64) {
        let mut queue = self.queue.lock();
        let (mut entries, mut bytes) = (0, 0);
        for pending in &queue.entries {
            if entries == FRAME_ENTRIES_MAX || bytes > FRAME_GATHER_BYTES {
                break;
            }
            entries += 1;
            bytes += pending.bytes();
        }
        // INVARIANT: who says that entries are settled has queued their partners before. With the
        // last of the queue they are all written; until then a crash may still lose one.
        let settled = if entries == queue.entries.len() {
            self.settled.load(Ordering::Acquire)
        } else {
            0
        };
        queue.bytes -= bytes;
        self.show(&queue);
        (queue.entries.drain(..entries).collect(), settled)
    }

    /// Ends the log: nothing is acknowledged any more. Must not be called with the writer held.
    pub(crate) fn fail(&self, why: &str) -> Arc<str> {
        let why = Arc::clone(self.failed.get_or_init(|| {
            tracing::error!(
                why,
                "the audit log failed and refuses entries until it is reopened"
            );
            why.into()
        }));
        let mut queue = self.queue.lock();
        queue.shut = Some(Arc::clone(&why));
        queue.bytes = 0;
        self.show(&queue);
        let queued = std::mem::take(&mut queue.entries);
        drop(queue);
        let waiting = std::mem::take(&mut self.writer.lock().awaiting_sync);
        refuse(
            queued
                .into_iter()
                .filter_map(|pending| Some(pending.reply?.1)),
            &why,
        );
        refuse(waiting.into_iter().map(|(reply, _)| reply), &why);
        why
    }

    /// The committer thread.
    pub(crate) fn run(&self) {
        let _watch = self.watch("the committer panicked");
        loop {
            let work = self.wait();
            if work != Work::Write {
                // From here on a writer has to arm again: what it writes may miss the sync below.
                self.armed.store(false, Ordering::Release);
            }
            let stop = work == Work::Stop;
            self.flush(work != Work::Write);
            while stop && self.failed.get().is_none() && !self.is_done() {
                self.flush(true);
            }
            if stop || self.failed.get().is_some() {
                return;
            }
        }
    }

    /// To be held while something is done without which the log cannot go on. Must not be dropped
    /// with the writer held.
    pub(crate) fn watch(&self, why: &'static str) -> Watch<'_> {
        let in_a_panic = std::thread::panicking();
        Watch {
            commit: self,
            why,
            in_a_panic,
        }
    }

    /// Whether all that was queued is on stable storage, and answered. To be asked once nothing is
    /// taken in any more.
    ///
    /// INVARIANT: the queue is looked at before the writer. Who took the last of it holds the
    /// writer until it is written, maybe behind the sync that looked like the last.
    fn is_done(&self) -> bool {
        if !self.queue.lock().entries.is_empty() {
            return false;
        }
        let writer = self.writer.lock();
        writer.awaiting_sync.is_empty() && writer.mark().size <= self.shelf.durable.lock().size
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Work {
        let mut signal = self.signal.lock();
        loop {
            if signal.demand && !signal.stop && !self.linger.is_zero() {
                self.wake
                    .wait_while_for(&mut signal, |s| !s.stop, self.linger);
            }
            if signal.dirty && signal.due.is_none() {
                signal.due = Some(Instant::now() + SYNC_PAUSE);
            }
            let overdue = signal.due.is_some_and(|due| due <= Instant::now());
            if signal.stop || signal.demand || overdue {
                let stop = signal.stop;
                *signal = Signal {
                    stop,
                    ..Signal::default()
                };
                return if stop { Work::Stop } else { Work::Sync };
            }
            if std::mem::take(&mut signal.leftover) {
                return Work::Write;
            }
            match signal.due {
                Some(due) => {
                    self.wake.wait_until(&mut signal, due);
                }
                None => self.wake.wait(&mut signal),
            }
        }
    }

    /// Writes what is queued; syncs if that is asked for or waited for; answers.
    fn flush(&self, sync: bool) {
        if self.failed.get().is_some() {
            return;
        }
        // Appenders find the writer taken meanwhile, queue, and wait without blocking a thread.
        let rotated = self.writer.lock().rotate_if_nearly_full();
        if let Err(error) = rotated {
            self.fail(&format!("a new segment could not be begun: {error}"));
            return;
        }
        for _ in 0..BATCHES_PER_FLUSH_MAX {
            self.write_batch(self.writer.lock());
            if self.queue.lock().entries.is_empty() {
                break;
            }
        }
        if self.failed.get().is_some() {
            return;
        }
        let mut writer = self.writer.lock();
        if !sync && writer.awaiting_sync.is_empty() {
            drop(writer);
            // An entry queued in that moment found the writer taken and relies on this look.
            self.combine();
            return;
        }
        let mark = writer.mark();
        let file = Arc::clone(writer.file());
        let waiting = std::mem::take(&mut writer.awaiting_sync);
        drop(writer);
        // An entry queued in that moment must not wait for the sync, if it need not.
        self.combine();
        // A segment that was begun and holds no frame yet adds nothing to sync, and its header is
        // no place that a signature could name: nothing but a frame says how many entries it
        // closes.
        let durable = self.shelf.durable.lock().size;
        if mark.size > durable
            && let Err(error) = self.shelf.sync(file.as_ref(), mark)
        {
            let why = self.fail(&format!("a sync failed: {error}"));
            refuse(waiting.into_iter().map(|(reply, _)| reply), &why);
            return;
        }
        for (reply, position) in waiting {
            // Nobody may be waiting any more: the entry is in the log all the same.
            let _gone = reply.send(Ok(position));
        }
        if !self.queue.lock().entries.is_empty() {
            self.leave_over();
        }
    }
}

/// Ends the log when the work that it watches panics.
///
/// INVARIANT: while entries are taken in, somebody writes, syncs and signs them, and what counts as
/// written is. Without this, buffered ones would be acknowledged and never synced, durable ones
/// wait for ever, and those of a frame that was not finished be signed.
pub(crate) struct Watch<'a> {
    commit: &'a Commit,
    why: &'static str,
    /// The work is part of the end of another panic: that one is none of its own.
    in_a_panic: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.in_a_panic {
            self.commit.fail(self.why);
        }
    }
}

fn refuse(replies: impl Iterator<Item = Reply>, why: &Arc<str>) {
    for reply in replies {
        // Nobody may be waiting any more.
        let _gone = reply.send(Err(AppendError::Unavailable(Arc::clone(why))));
    }
}

#[cfg(test)]
mod tests;
