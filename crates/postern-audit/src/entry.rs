//! What goes into the log and where it went: entries, positions, durability levels, slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use thiserror::Error;

/// One entry: a clear header, and a body that only the keys of its domain can open.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The sealing domain whose key closes the body: an environment, or the installation.
    pub domain: Arc<str>,
    /// Bytes that anybody with the files may read: nothing personal, nothing secret.
    pub header: Vec<u8>,
    /// Bytes sealed under the domain's key. Empty means that there is nothing to seal.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SECURITY: a body is personal data; a stray `{:?}` must not carry it into a diagnostic
        // log.
        f.debug_struct("Entry")
            .field("domain", &self.domain)
            .field("header_bytes", &self.header.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Where an entry stands: its leaf index in the tree, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The leaf index.
    pub seq: u64,
}

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Durability {
    /// Handed to the operating system: survives the death of the process. Synced within 50 ms.
    #[default]
    Buffered,
    /// On stable storage: survives the loss of power.
    Durable,
}

/// Whose entries a slot is for. The pools are apart, so that no group can starve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotPool {
    /// Requests of authenticated principals.
    Authenticated,
    /// Requests refused before anybody was authenticated.
    Stranger,
    /// Administration, revocation, and the log's own notes.
    Control,
}

impl std::fmt::Display for SlotPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authenticated => "authenticated",
            Self::Stranger => "stranger",
            Self::Control => "control",
        })
    }
}

/// Why no slots were given out. Nothing may be forwarded without a slot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// All slots of the pool are held, or too many bytes wait to be written.
    #[error("no room in the {0} queue of the audit log")]
    Full(SlotPool),
    /// The log failed earlier, or is closed; see [`crate::Log::healthy`].
    #[error("the audit log does not accept entries: {0}")]
    Unavailable(Arc<str>),
}

/// Why an entry was not appended, or not acknowledged.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The slots handed in are used up: a mistake of the caller.
    #[error("no reserved slot left for this audit entry")]
    NoSlot,
    /// A part of the entry is over its cap (see [`crate::bounds`]). The caller shortens it.
    #[error("the {part} of the audit entry has {bytes} bytes, more than {max}")]
    TooLarge {
        /// `domain`, `header` or `body`.
        part: &'static str,
        /// Its length.
        bytes: usize,
        /// The cap.
        max: usize,
    },
    /// There is no key to seal the body with. The entry was not written.
    #[error("the audit entry cannot be sealed for domain {domain}: {reason}")]
    NoKey {
        /// The sealing domain.
        domain: String,
        /// What the key source said.
        reason: Arc<str>,
    },
    /// The log failed or was closed: the entry may or may not be in it.
    #[error("the audit log does not accept entries: {0}")]
    Unavailable(Arc<str>),
}

/// The counter behind one pool of slots.
#[derive(Debug)]
pub(crate) struct Pool {
    held: AtomicU32,
    max: u32,
}

impl Pool {
    pub(crate) fn new(max: u32) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicU32::new(0),
            max,
        })
    }

    /// Takes `entries` slots, or none at all.
    pub(crate) fn take(self: &Arc<Self>, entries: u32) -> Option<Slots> {
        let taken = self
            .held
            .try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                held.checked_add(entries).filter(|held| *held <= self.max)
            });
        taken.is_ok().then(|| Slots {
            pool: Arc::clone(self),
            left: entries,
        })
    }
}

/// Reserved places in the queue. What is not used goes back when this is dropped.
#[derive(Debug)]
pub struct Slots {
    pool: Arc<Pool>,
    left: u32,
}

impl Slots {
    /// How many entries may still be appended with these slots.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Hands one slot on to a queued entry.
    pub(crate) fn spend(&mut self) -> Option<Slots> {
        self.left = self.left.checked_sub(1)?;
        Some(Slots {
            pool: Arc::clone(&self.pool),
            left: 1,
        })
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        self.pool.held.fetch_sub(self.left, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_bounded_and_come_back() {
        // Goal: a pool never gives out more than it has, and gets every slot back exactly once.
        // Method: fill it, spend one slot, drop the parts in both orders.
        let pool = Pool::new(3);
        let mut two = pool.take(2).expect("room for two");
        assert!(pool.take(2).is_none(), "only one is left");
        let spent = two.spend().expect("two slots are there");
        assert_eq!(two.left(), 1);
        drop(two);
        assert_eq!(
            pool.held.load(Ordering::Acquire),
            1,
            "the spent slot is still held"
        );
        drop(spent);
        assert_eq!(pool.take(3).expect("all are back").left(), 3);
    }

    #[test]
    fn debug_hides_the_body() {
        let entry = Entry {
            domain: "dev".into(),
            header: vec![1],
            body: b"prompt text".to_vec(),
        };
        assert!(!format!("{entry:?}").contains("prompt"));
        assert!(!format!("{entry:?}").contains("112, 114"));
    }
}
