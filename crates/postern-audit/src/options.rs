//! How a log is opened, and what its opening found.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::bounds;
use crate::disk::{Disk, RealDisk};
use crate::entry::Durability;
use crate::tree::Hash;

/// Settings of a log.
#[derive(Clone)]
pub struct LogOptions {
    /// The level that the installation asks for; [`crate::Log::durability`] gives it back.
    pub durability: Durability,
    /// Begin a new log where there is none. Without it a missing log is an error, not a fresh
    /// start.
    pub create: bool,
    /// Go on although the log is damaged or rolled back; what was found becomes an entry.
    pub accept_damage: bool,
    /// Bytes preallocated for each segment file.
    pub segment_bytes: u64,
    /// Slots for entries of authenticated requests.
    pub authenticated_entries_max: u32,
    /// Slots for entries about strangers.
    pub stranger_entries_max: u32,
    /// Slots for administration and revocation.
    pub control_entries_max: u32,
    /// Bytes waiting to be written above which no slots are given out.
    pub queue_bytes_max: usize,
    /// How long the committer waits for company before it writes a durable batch.
    pub linger: Duration,
    /// How often a grown log signs a checkpoint.
    pub checkpoint_interval: Duration,
    /// Where the last signed size is kept: `signed-size` in the log's directory if not said. On
    /// another disk it also detects that the whole directory was restored from an old copy.
    pub signed_size_file: Option<PathBuf>,
    /// Where the log writes; tests put in a disk that fails.
    pub disk: Arc<dyn Disk>,
    /// Is told how long each sync of entries took, for whoever watches. It must not block.
    pub on_sync: Option<OnSync>,
}

/// What is told how long a sync took.
pub type OnSync = Arc<dyn Fn(Duration) + Send + Sync>;

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            create: false,
            accept_damage: false,
            segment_bytes: bounds::SEGMENT_BYTES,
            authenticated_entries_max: bounds::AUTHENTICATED_ENTRIES_MAX,
            stranger_entries_max: bounds::STRANGER_ENTRIES_MAX,
            control_entries_max: bounds::CONTROL_ENTRIES_MAX,
            queue_bytes_max: bounds::QUEUE_BYTES_MAX,
            linger: Duration::ZERO,
            checkpoint_interval: bounds::CHECKPOINT_INTERVAL,
            signed_size_file: None,
            disk: Arc::new(RealDisk),
            on_sync: None,
        }
    }
}

impl std::fmt::Debug for LogOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogOptions")
            .field("durability", &self.durability)
            .field("create", &self.create)
            .field("accept_damage", &self.accept_damage)
            .field("segment_bytes", &self.segment_bytes)
            .field("checkpoint_interval", &self.checkpoint_interval)
            .field("signed_size_file", &self.signed_size_file)
            .finish_non_exhaustive()
    }
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// The log was begun by this opening.
    pub created: bool,
    /// The last writer closed the log in good order.
    pub clean: bool,
    /// Entries in the log before this opening added its own.
    pub size: u64,
    /// Every entry below this number was settled: the log was closed in good order there, or the
    /// caller said so ([`crate::Log::settle_below`]). Intents from here on may lack their outcome.
    pub last_clean_seq: u64,
    /// The unfinished writes that were cut off and recorded: seldom one, hardly ever more.
    pub tail_cuts: Vec<TailCut>,
    /// Damage that was accepted because the options said so, in words.
    pub damage_accepted: Option<String>,
}

/// Bytes at the end of a segment that were not a whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailCut {
    /// The number of the segment file.
    pub segment: u64,
    /// Where the bytes began.
    pub offset: u64,
    /// How many there were, up to the last one that is not zero.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Hash,
}

/// Why a log was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenLogError {
    /// There is no log, and none was to be begun.
    #[error("there is no audit log in {0}")]
    Missing(PathBuf),
    /// Another process, or another part of this one, has the log open.
    #[error("the audit log in {0} is open elsewhere")]
    Locked(PathBuf),
    /// The log belongs to another origin, or its checkpoints to another key.
    #[error("the audit log is not the one of this key: {0}")]
    OtherLog(String),
    /// Something that was certainly written is unreadable or was changed.
    #[error("the audit log is damaged: {0}")]
    Damaged(String),
    /// The log is shorter than a size that was signed: an old copy, or entries were cut off.
    #[error("the audit log has {found} entries, but {signed} were signed")]
    RolledBack {
        /// The signed size.
        signed: u64,
        /// The size found.
        found: u64,
    },
    /// The operating system failed.
    #[error("{what} of the audit log failed")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A first entry could not be written.
    #[error("the audit log could not be begun: {0}")]
    Begin(String),
}

impl OpenLogError {
    /// For `map_err`: the operating system failed at `what`.
    pub(crate) fn io(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
