//! Every cap, default and timeout of the store, with its unit and its reason.

use std::time::Duration;

/// How long a new token lives when nobody says: finite, a quarter of a year.
pub const TOKEN_TTL_DEFAULT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The longest life a token can be given where its environment sets no cap of its own. Apart from
/// the default, so that lowering one never changes the other.
pub const TOKEN_TTL_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The shortest life: below this a token is dead before it is used, which is surely a mistake.
pub const TOKEN_TTL_MIN: Duration = Duration::from_secs(1);

/// How long the old secret lives on after a rotation when nobody says.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest grace: after a week the old secret is a second credential, not a changeover.
pub const GRACE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long the store remembers who made an object at a provider. Providers keep a stored response
/// for 30 days; twice that covers what is made from it, and the table stays bounded.
pub const OWNED_TTL: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Bytes of an id that a provider gave. The longest seen are below 100.
pub const OWNED_ID_BYTES_MAX: usize = 512;

/// How long placeholders of earlier requests are kept for a token that does not use them: a
/// conversation is taken up again on the next day, not in the next week.
pub const PSEUDONYMS_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes that are kept of one token's placeholders.
pub const PSEUDONYMS_BYTES_MAX: usize = 64 * 1024;

/// Tokens whose placeholders are kept: 320 MiB of disk at the usual most of 32 KiB each. Beyond it
/// those that would end first go.
pub(crate) const PSEUDONYM_TOKENS_MAX: i64 = 10_000;

/// Rows deleted by one purge transaction: the one writer is not held for long.
pub(crate) const PURGE_ROWS_MAX: i64 = 5_000;

/// Rows of one page of a list.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// Environments of an installation, the retired ones included.
pub(crate) const ENVIRONMENTS_MAX: i64 = 1_000;

/// Upstreams of an environment. They are listed whole.
pub(crate) const UPSTREAMS_MAX: i64 = 1_000;

/// Guard-rail policies of an environment. They are evaluated on every request.
pub(crate) const POLICIES_MAX: i64 = 200;

/// Data rules of an environment. All that name an upstream apply to each of its requests together.
pub(crate) const DATA_RULES_MAX: i64 = 200;

/// Bytes of one data rule, as stored: room for a list of some thousand words of one's own, and
/// below what the admin API takes in one request.
pub(crate) const DATA_RULE_BYTES_MAX: usize = 128 * 1024;

/// Principals of an environment. They are listed whole by the admin API.
pub(crate) const PRINCIPALS_MAX: i64 = 100_000;

/// Bytes of one policy's text.
pub(crate) const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a token's grants and limits, as stored.
pub(crate) const GRANTS_BYTES_MAX: usize = 64 * 1024;

/// Grants of one token.
pub(crate) const GRANTS_MAX: usize = 100;

/// Limits of one token: a rate per second, one per minute, a concurrency, and room.
pub(crate) const LIMITS_MAX: usize = 16;

/// Bytes of a short text that people write: description, owner, purpose, reason.
pub(crate) const TEXT_BYTES_MAX: usize = 500;

/// Bytes of an idempotency key.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Bytes of an upstream's address.
pub(crate) const URL_BYTES_MAX: usize = 2_000;

/// Bytes of an upstream's settings, as stored.
pub(crate) const SETTINGS_BYTES_MAX: usize = 16 * 1024;

/// Bytes of an upstream credential. Header values longer than this are refused by most servers.
pub(crate) const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a file of keys. One with a hundred rotations of each key is a tenth of this.
pub(crate) const KEY_FILE_BYTES_MAX: u64 = 256 * 1024;

/// Connections that read. Reads are short and SQLite's are on threads of their own.
pub(crate) const READERS_MAX: u32 = 4;

/// How long a statement waits for the lock of another process before the store is unavailable.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a caller waits for a connection before the store is unavailable. Longer than the busy
/// timeout, so that one stuck writer is reported by its cause first.
pub(crate) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(8);

/// KiB of pages that a connection keeps, filled as they are used: the upper levels of the indexes
/// of a million tokens, and the pages that one batch of uses touches.
pub(crate) const CACHE_KIB_MAX: u32 = 8 * 1024;

/// Pages of the write-ahead log after which SQLite folds it into the database (4 KiB each).
pub(crate) const WAL_PAGES_MAX: u32 = 2_000;

/// Bytes that the write-ahead log keeps on disk after it was folded in.
pub(crate) const WAL_BYTES_KEPT: u64 = 16 * 1024 * 1024;

/// Rows touched by one transaction that records last uses.
pub(crate) const TOUCH_ROWS_MAX: usize = 1_000;
