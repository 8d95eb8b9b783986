//! `[audit]`: how the audit log is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postern_audit::Durability;

use super::reading::{Key, Reading, SectionKeys};
use super::units;

const MIB: u64 = 1024 * 1024;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "audit",
    doc: "How the audit log is written. It is in `audit/` of the data directory.",
    keys: &[
        Key {
            name: "durability",
            form: "`\"buffered\"` or `\"durable\"`",
            default: Some("\"buffered\""),
            doc: "What must be true before a request is forwarded: `buffered` means handed to the \
                  operating system (survives the death of the process, synced at most 50 ms \
                  later); `durable` means on disk (survives the loss of power). Acts of \
                  administrators are always durable.",
        },
        Key {
            name: "checkpoint_interval",
            form: "duration from 100ms to 1h",
            default: Some("\"1s\""),
            doc: "How often a grown log signs a checkpoint.",
        },
        Key {
            name: "segment_size",
            form: "size from 1 MiB to 4 GiB",
            default: Some("\"32 MiB\""),
            doc: "Size of one file of the log, taken from the disk at once.",
        },
        Key {
            name: "signed_size_file",
            form: "path",
            default: None,
            doc: "Where the last signed size is kept. On another disk than the log it also shows \
                  that the whole data directory was restored from an old copy. Left out, it is in \
                  the log's directory.",
        },
    ],
};

/// How the audit log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// What must be true before a request is forwarded.
    pub durability: Durability,
    /// How often a grown log signs a checkpoint.
    pub checkpoint_interval: Duration,
    /// Bytes of one file of the log.
    pub segment_bytes: u64,
    /// Where the last signed size is kept, if not in the log's directory.
    pub signed_size_file: Option<PathBuf>,
}

pub(super) fn parse(reading: &mut Reading<'_>, folder: &Path) -> Audit {
    let levels = [
        ("buffered", Durability::Buffered),
        ("durable", Durability::Durable),
    ];
    let interval = units::duration(Duration::from_millis(100), Duration::from_hours(1));
    Audit {
        durability: reading.take(&KEYS, "durability", units::word(&levels)),
        checkpoint_interval: reading.take(&KEYS, "checkpoint_interval", interval),
        segment_bytes: reading.take(&KEYS, "segment_size", units::size(MIB, 4096 * MIB)),
        signed_size_file: reading.maybe(&KEYS, "signed_size_file", units::path(folder)),
    }
}
