//! The log as its users see it: open, reserve, append, close.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::bounds::{BODY_BYTES_MAX, DOMAIN_BYTES_MAX, GIVE_WAY_MAX, HEADER_BYTES_MAX};
use crate::checkpoint::Checkpoint;
use crate::commit::Commit;
use crate::entry::{AppendError, Durability, Entry, Pool, Position, ReserveError, SlotPool, Slots};
use crate::leaf::{Leaf, LogNote, NO_BODY, SALT_BYTES};
use crate::note::SigningKey;
use crate::options::{LogOptions, OpenLogError, RecoveryReport};
use crate::publish::Publisher;
use crate::salt::salt;
use crate::seal::SealingKeys;
use crate::tree::sha256;
use crate::writer::{Pending, Reply};

mod begin;

pub(crate) use begin::parse_identity;

/// An open audit log. Share it as `Arc<Log>`.
///
/// Dropping it writes and syncs what is queued and stops its threads; [`Log::close`] also notes the
/// good order, so that the next opening need not look for what was left open.
pub struct Log {
    inner: Arc<Inner>,
    pools: [Arc<Pool>; 3],
    options: LogOptions,
}

/// What outlives a `close` that is under way.
struct Inner {
    commit: Arc<Commit>,
    publisher: Arc<Publisher>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: File,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dir = self.inner.commit.shelf.layout.dir();
        f.debug_struct("Log")
            .field("dir", &dir)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log in `dir`, or begins it when the options say so. Recovery is the normal path.
    ///
    /// This blocks on the disk, and starts two threads.
    ///
    /// # Errors
    /// When there is no log to open, or it cannot be relied on.
    pub fn open(
        dir: &Path,
        keys: Arc<dyn SealingKeys>,
        signing: SigningKey,
        options: LogOptions,
    ) -> Result<(Self, RecoveryReport), OpenLogError> {
        let begun = begin::begin(dir, keys, signing, &options)?;
        let (commit, publisher) = (Arc::new(begun.commit), Arc::new(begun.publisher));
        let committer = Arc::clone(&commit);
        let (publishing, published) = (Arc::clone(&publisher), Arc::clone(&commit));
        let interval = options.checkpoint_interval;
        let threads = [
            spawn("audit-commit", move || committer.run()),
            spawn("audit-publish", move || {
                publishing.run(&published, interval);
            }),
        ];
        let threads = threads.into_iter().collect::<io::Result<Vec<_>>>();
        let threads = Mutex::new(threads.map_err(OpenLogError::io("starting the threads"))?);
        let pools = [
            Pool::new(options.authenticated_entries_max),
            Pool::new(options.stranger_entries_max),
            Pool::new(options.control_entries_max),
        ];
        let inner = Arc::new(Inner {
            commit,
            publisher,
            threads,
            lock: begun.lock,
        });
        Ok((
            Self {
                inner,
                pools,
                options,
            },
            begun.report,
        ))
    }

    /// Reserves room for `entries` entries: a request takes two, its intent and its outcome.
    ///
    /// # Errors
    /// When there is no room, or the log failed. The caller must then not go on.
    pub fn reserve(&self, pool: SlotPool, entries: u32) -> Result<Slots, ReserveError> {
        let queued = self
            .inner
            .commit
            .queued_bytes()
            .map_err(ReserveError::Unavailable)?;
        if queued > self.options.queue_bytes_max {
            return Err(ReserveError::Full(pool));
        }
        let slots = match pool {
            SlotPool::Authenticated => self.pools[0].take(entries),
            SlotPool::Stranger => self.pools[1].take(entries),
            SlotPool::Control => self.pools[2].take(entries),
        };
        slots.ok_or(ReserveError::Full(pool))
    }

    /// Appends an entry; resolves when the level is reached.
    ///
    /// At [`Durability::Buffered`] it lets whoever else is ready on this thread queue first, and
    /// then writes for all of them. If the future is dropped while it waits, the entry is appended
    /// all the same.
    ///
    /// # Errors
    /// When the entry is not acknowledged. The caller must then not go on.
    pub async fn append(
        &self,
        slots: &mut Slots,
        entry: Entry,
        level: Durability,
    ) -> Result<Position, AppendError> {
        let (reply, mut answer) = oneshot::channel();
        let pending = prepare(slots, entry, Some((level, reply)))?;
        let commit = &self.inner.commit;
        commit.push(pending)?;
        match level {
            Durability::Buffered => {
                let mut combine = Combine(Some(commit));
                for _ in 0..GIVE_WAY_MAX {
                    give_way().await;
                    if let Ok(answer) = answer.try_recv() {
                        combine.0 = None;
                        return answer;
                    }
                    if commit.combine() {
                        break;
                    }
                }
                // From here on whoever writes has seen the entry, or will look for it.
                combine.0 = None;
            }
            Durability::Durable => commit.demand(),
        }
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        let gone = |_| Err(AppendError::Unavailable("the audit log is gone".into()));
        answer.await.unwrap_or_else(gone)
    }

    /// Appends an entry without waiting: it lands with the next append, or 50 ms later.
    ///
    /// # Errors
    /// When a part is over its cap, no slot is left, or the log failed; never for lack of room.
    pub fn append_later(&self, slots: &mut Slots, entry: Entry) -> Result<(), AppendError> {
        let pending = prepare(slots, entry, None)?;
        self.inner.commit.push(pending)?;
        self.inner.commit.arm();
        Ok(())
    }

    /// The level that the installation asks for.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.options.durability
    }

    /// Says that no entry below `seq` waits for a partner any more: all of these were appended, or
    /// are on their way ([`Log::append_later`]). It counts once they are written.
    pub fn settle_below(&self, seq: u64) {
        self.inner.commit.settled.fetch_max(seq, Ordering::AcqRel);
    }

    /// Whether the log still accepts entries. False after any failed write or sync, until reopened.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.inner.commit.queued_bytes().is_ok()
    }

    /// How many entries of the log are on stable storage.
    #[must_use]
    pub fn durable_size(&self) -> u64 {
        self.inner.commit.shelf.durable.lock().size
    }

    /// The newest signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.inner.publisher.newest()
    }

    /// Writes what is queued, notes the good order, signs a last checkpoint.
    ///
    /// # Errors
    /// When the log failed before or while it was closed.
    pub async fn close(&self) -> Result<Checkpoint, AppendError> {
        let note = Pending::note(&LogNote::Closed);
        let shut = self.inner.commit.shut(Some(note), "it is closed");
        let inner = Arc::clone(&self.inner);
        let (reply, closed) = oneshot::channel();
        // Closing waits for the disk, which an asynchronous thread must not.
        let closer = spawn("audit-close", move || {
            let closed = inner.finish();
            // The lock goes before the answer does, so that the log can be opened at once.
            drop(inner);
            // If nobody waits any more the log is closed all the same.
            let _gone = reply.send(closed);
        });
        closer.map_err(|error| unavailable(&error))?;
        let gone = |_| Err(unavailable(&"closing did not come to its end"));
        let closed = closed.await.unwrap_or_else(gone);
        shut.and(closed)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // An entry queued for later must not be lost with the log. After a close this is a no-op.
        let _already_shut = self.inner.commit.shut(None, "it is closed");
        self.inner.stop_threads();
    }
}

impl Inner {
    /// Stops the threads; the committer writes and syncs first, the publisher signs after it.
    /// False if somebody else did, or does.
    ///
    /// INVARIANT: no thread outlives the lock. One that did would write to files that the next
    /// writer has taken over.
    fn stop_threads(&self) -> bool {
        let threads = std::mem::take(&mut *self.threads.lock());
        let any = !threads.is_empty();
        self.commit.stop();
        for (i, thread) in threads.into_iter().enumerate() {
            if i > 0 {
                self.commit
                    .shelf
                    .send_publisher(|errand| errand.stop = true);
            }
            // A panic of the thread was already reported; closing goes on.
            let _panicked = thread.join();
        }
        any
    }

    fn finish(&self) -> Result<Checkpoint, AppendError> {
        if !self.stop_threads() {
            return Ok(self.publisher.newest());
        }
        let tidied = match self.commit.failed() {
            Some(why) => Err(AppendError::Unavailable(Arc::clone(why))),
            None => self.give_back_space().map_err(|error| unavailable(&error)),
        };
        let unlocked = self.lock.unlock().map_err(|error| unavailable(&error));
        tidied.and(unlocked).map(|()| self.publisher.newest())
    }

    fn give_back_space(&self) -> io::Result<()> {
        self.commit.with_writer(crate::writer::Writer::trim)?;
        self.commit.shelf.drop_spare()
    }
}

/// Writes what is queued when it goes out of scope, so that an entry is written also when nobody
/// waits for it any more.
struct Combine<'a>(Option<&'a Commit>);

impl Drop for Combine<'_> {
    fn drop(&mut self) {
        if let Some(commit) = self.0 {
            commit.combine();
        }
    }
}

/// Lets every task that is ready now go first.
///
/// A frame costs a write call, a root and a hash whatever it holds. Requests that arrived together
/// share it this way, and one that is alone loses nothing.
async fn give_way() {
    let mut gave_way = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn unavailable(why: &dyn std::fmt::Display) -> AppendError {
    AppendError::Unavailable(why.to_string().into())
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// Locks the directory's lock file, so that two processes never write to one log.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Does all that can be done for an entry outside the writer's lock: caps, salt, hashes.
fn prepare(
    slots: &mut Slots,
    entry: Entry,
    reply: Option<(Durability, Reply)>,
) -> Result<Pending, AppendError> {
    check_caps(&entry)?;
    let slot = slots.spend().ok_or(AppendError::NoSlot)?;
    let (item, commit) = if entry.body.is_empty() {
        (Vec::new(), NO_BODY)
    } else {
        let salt = salt().map_err(|error| unavailable(&error))?;
        let length = u32::try_from(entry.body.len()).expect("bodies are capped at 48 KiB");
        let mut item = Vec::with_capacity(4 + SALT_BYTES + entry.body.len());
        item.extend_from_slice(&length.to_be_bytes());
        item.extend_from_slice(&salt);
        item.extend_from_slice(&entry.body);
        let commit = sha256(&item[4..]);
        (item, commit)
    };
    let mut leaf = Vec::with_capacity(1 + 37 + entry.domain.len() + entry.header.len());
    leaf.push(0);
    let (domain, header) = (&*entry.domain, entry.header.as_slice());
    Leaf {
        by_caller: true,
        domain,
        header,
        body_commit: &commit,
    }
    .encode(&mut leaf);
    let hash = sha256(&leaf);
    Ok(Pending {
        leaf,
        hash,
        domain: entry.domain,
        item,
        reply,
        _slot: Some(slot),
    })
}

fn check_caps(entry: &Entry) -> Result<(), AppendError> {
    let parts = [
        ("domain", entry.domain.len(), DOMAIN_BYTES_MAX),
        ("header", entry.header.len(), HEADER_BYTES_MAX),
        ("body", entry.body.len(), BODY_BYTES_MAX),
    ];
    match parts.into_iter().find(|(_, bytes, max)| bytes > max) {
        Some((part, bytes, max)) => Err(AppendError::TooLarge { part, bytes, max }),
        None => Ok(()),
    }
}
