//! The log as its users see it: open, reserve, append, close.

use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::entry::{AppendError, Durability, Entry, Position, ReserveError, SlotPool, Slots};
use crate::note::SigningKey;
use crate::options::{LogOptions, OpenLogError, RecoveryReport};
use crate::seal::SealingKeys;

/// An open audit log. Share it as `Arc<Log>`.
#[derive(Debug)]
pub struct Log {
    never: std::convert::Infallible,
}

impl Log {
    /// Opens the log in `dir`, or begins it when the options say so. Recovery is the normal path.
    ///
    /// # Errors
    /// When there is no log to open, or it cannot be relied on.
    pub fn open(
        dir: &Path,
        _keys: Arc<dyn SealingKeys>,
        _signing: SigningKey,
        _options: LogOptions,
    ) -> Result<(Self, RecoveryReport), OpenLogError> {
        Err(OpenLogError::Missing(dir.to_owned()))
    }

    /// Reserves room for `entries` entries: a request takes two, its intent and its outcome.
    ///
    /// # Errors
    /// When there is no room, or the log failed. The caller must then not go on.
    pub fn reserve(&self, _pool: SlotPool, _entries: u32) -> Result<Slots, ReserveError> {
        match self.never {}
    }

    /// Appends an entry; resolves when the level is reached.
    ///
    /// # Errors
    /// When the entry is not acknowledged. The caller must then not go on.
    #[expect(clippy::unused_async, reason = "waits for the committer")]
    pub async fn append(
        &self,
        _slots: &mut Slots,
        _entry: Entry,
        _level: Durability,
    ) -> Result<Position, AppendError> {
        match self.never {}
    }

    /// Appends an entry without waiting: it lands with the next append, or 50 ms later.
    ///
    /// # Errors
    /// When a part is over its cap, no slot is left, or the log failed; never for lack of room.
    pub fn append_later(&self, _slots: &mut Slots, _entry: Entry) -> Result<(), AppendError> {
        match self.never {}
    }

    /// The level that the installation asks for.
    #[must_use]
    pub fn durability(&self) -> Durability {
        match self.never {}
    }

    /// Says that no entry below `seq` waits for a partner any more.
    pub fn settle_below(&self, _seq: u64) {
        match self.never {}
    }

    /// Whether the log still accepts entries. False after any failed write or sync, until reopened.
    #[must_use]
    pub fn healthy(&self) -> bool {
        match self.never {}
    }

    /// The newest signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        match self.never {}
    }

    /// Writes what is queued, notes the good order, signs a last checkpoint.
    ///
    /// # Errors
    /// When the log failed before or while it was closed.
    #[expect(clippy::unused_async, reason = "waits for the committer")]
    pub async fn close(&self) -> Result<Checkpoint, AppendError> {
        match self.never {}
    }
}
