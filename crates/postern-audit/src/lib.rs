//! A tamper-evident, encrypted, append-only log over opaque bytes.
//!
//! An entry is a clear header and a body sealed under the key of its domain. Entries are appended
//! in batches (frames) to preallocated segment files; over them grows the tree of RFC 6962, whose
//! signed checkpoints let anybody with the public key find a changed, dropped, swapped, added or
//! cut entry. `docs/audit-format.md` has the bytes.
//!
//! The crate knows nothing of what the bytes mean, needs no async runtime (its threads are its
//! own), never retries a failed write or sync, and never repairs silently.

//!
//! ```
//! # use std::sync::Arc;
//! # use postern_audit::*;
//! # struct Keys;
//! # impl SealingKeys for Keys {
//! #     fn current(&self, _: &str) -> Result<DomainKey, KeyError> {
//! #         Ok(DomainKey { version: 1, key: [1; 32].into() })
//! #     }
//! #     fn by_version(&self, domain: &str, _: u32) -> Result<DomainKey, KeyError> {
//! #         self.current(domain)
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let signing = SigningKey::from_seed("gateway.example/audit", &[7; 32])?;
//! let public = signing.verifying_key();
//! let options = LogOptions { create: true, ..LogOptions::default() };
//! let (log, _) = Log::open(dir.path(), Arc::new(Keys), signing, options)?;
//!
//! let mut slots = log.reserve(SlotPool::Authenticated, 1)?;
//! let (domain, header, body) = ("dev".into(), b"intent".to_vec(), b"a prompt".to_vec());
//! log.append(&mut slots, Entry { domain, header, body }, Durability::Durable).await?;
//! let checkpoint = log.close().await?;
//!
//! let report = verify(dir.path(), &public, Some(&checkpoint), &mut |_, _| {});
//! assert!(report.is_sound() && report.size == checkpoint.size());
//! # Ok(())
//! # }
//! ```

pub mod bounds;
mod checkpoint;
mod commit;
mod disk;
mod entry;
mod frame;
mod leaf;
mod log;
mod note;
mod options;
mod publish;
mod reader;
mod recover;
mod replay;
mod salt;
mod seal;
mod segment;
mod shelf;
mod tile;
pub mod tree;
#[cfg(test)]
mod vectors;
mod verify;
mod writer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use disk::{Disk, DiskFile, RealDisk};
pub use entry::{AppendError, Durability, Entry, Position, ReserveError, SlotPool, Slots};
pub use frame::FrameFault;
pub use leaf::LogNote;
pub use log::Log;
pub use note::{NoteError, ParseKeyError, SigningKey, VerifyingKey};
pub use options::{LogOptions, OnSync, OpenLogError, RecoveryReport, TailCut};
pub use reader::{Entries, ReadEntry, ReadError, Reader, SealedReason};
pub use recover::check_openable;
pub use seal::{DomainKey, KeyError, SealingKeys};
pub use verify::{Bad, Report, SegmentCheck, Witness, WitnessKind, check_segment, verify};
