//! Every cap and every pause of the audit log, with its unit and the reason for its value.

use std::time::Duration;

/// Bytes in the sealed body of one entry.
///
/// A body is for prompts cut to size and for findings, not for whole uploads. With the slot pools
/// it bounds the memory of the queue; the caller truncates with a marker and tries again.
pub const BODY_BYTES_MAX: usize = 48 * 1024;

/// Bytes in the clear header of one entry: ids, codes and times need a few hundred.
pub const HEADER_BYTES_MAX: usize = 4 * 1024;

/// Bytes in the name of a sealing domain; one length byte on disk would allow 255.
pub const DOMAIN_BYTES_MAX: usize = 64;

/// Entries in one frame. More would not save anything measurable, and a torn frame loses them all.
pub(crate) const FRAME_ENTRIES_MAX: usize = 512;

/// Bytes of leaves and bodies gathered for one frame before the next one is begun.
pub(crate) const FRAME_GATHER_BYTES: usize = 512 * 1024;

/// Bytes that a frame, and the plaintext of one block in it, may claim. Readers refuse longer ones
/// before they allocate; the writer stays far below.
pub(crate) const FRAME_BYTES_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes that a segment header may claim: eight tile levels of at most 255 hashes each.
pub(crate) const SEGMENT_HEADER_BYTES_LIMIT: usize = 8 * 256 * 32 + 1024;

/// Bytes that the reader takes in one go: a few hundred small frames for one system call.
pub(crate) const READ_AHEAD_BYTES: usize = 128 * 1024;

/// Bytes of a block from which compression pays.
///
/// Measured at level 1 with records of 560 bytes: one alone costs 4.4 µs and shrinks by a quarter;
/// four together cost 1.5 µs each and shrink by two thirds; from sixteen on it is 1 µs each. That
/// is still as much as hashes, cipher and write together, so it is left to bursts, in which the
/// disk is what there is least of.
pub(crate) const COMPRESS_FROM_BYTES: usize = 16 * 1024;

/// The zstd level: the fastest one that still halves JSON-like bodies.
pub(crate) const COMPRESS_LEVEL: i32 = 1;

/// Bytes preallocated for a segment: minutes of ordinary traffic, and still quick to fill with
/// zeros at start.
pub(crate) const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;

/// Bytes of zeros written at a time while a segment file is prepared.
///
/// The page cache keeps the file in pieces of this size, and ext4 walks over all of a piece for
/// each frame that is written into it: 2.1 µs a frame with pieces of 1 MiB, 0.9 µs with these.
/// Smaller ones only make the filling slower.
pub(crate) const ZERO_FILL_BYTES: usize = 64 * 1024;

/// Pause before the data sync that follows a buffered append. The promise is 50 ms; the rest is
/// left to the sync itself.
pub(crate) const SYNC_PAUSE: Duration = Duration::from_millis(40);

/// How often a grown log signs a checkpoint: it bounds what an attacker of this machine could still
/// rewrite unseen.
pub(crate) const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// Rounds that one appender writes on behalf of others before the committer thread takes over, so
/// that no request pays for a whole burst.
pub(crate) const COMBINE_ROUNDS_MAX: usize = 3;

/// Times that an appender lets others go first while somebody else writes, before it waits to be
/// woken. Waking another thread costs two system calls, and a frame is written in microseconds.
pub(crate) const GIVE_WAY_MAX: usize = 4;

/// Slots for entries of authenticated requests: two a request, so 8192 requests in flight.
pub(crate) const AUTHENTICATED_ENTRIES_MAX: u32 = 16_384;

/// Slots for entries about strangers (refused before anybody was authenticated).
pub(crate) const STRANGER_ENTRIES_MAX: u32 = 1_024;

/// Slots for administration and revocation, which must work when everything else is full.
pub(crate) const CONTROL_ENTRIES_MAX: u32 = 1_024;

/// Bytes waiting in the queue above which no new slots are given out.
pub(crate) const QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Full tiles that may wait for the publisher before the writer stores them itself: 8 MiB.
pub(crate) const TILES_WAITING_MAX: usize = 1_024;

/// Entries that a log can claim to have. At a million a second it takes a hundred thousand years,
/// and below it no sum of a number and a length overflows, whatever a file says.
pub(crate) const ENTRIES_MAX: u64 = 1 << 62;

/// Bytes of a signed note that is read: a checkpoint with a dozen cosignatures has two thousand.
pub(crate) const NOTE_BYTES_MAX: u64 = 64 * 1024;
