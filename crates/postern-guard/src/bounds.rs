//! Every cap and period of the guard, with its unit and its reason.

use std::time::Duration;

/// Caps and periods of a [`Guard`](crate::Guard). The defaults fit one node.
#[derive(Debug, Clone)]
pub struct GuardBounds {
    /// Requests in progress at once, over all listeners. Each may hold some tens of kilobytes.
    pub flights_max: usize,
    /// Bytes of request bodies held in memory at once, over all listeners: those that are read
    /// whole before they are judged, until their upstream has taken them. A quarter of a node with
    /// one gigabyte. One token gets half of it at most, so the largest body must fit into half.
    pub body_bytes_max: u64,
    /// Tokens whose record and compiled grants are kept in memory.
    pub tokens_cached_max: usize,
    /// Ids that are known not to exist, kept to spare the store.
    pub unknown_ids_max: usize,
    /// How long an unknown id is believed unknown; a token made elsewhere appears after this.
    pub unknown_id_life: Duration,
    /// Failed authentications an address may make per minute before its *failures* are answered
    /// with `rate_limited`; a valid token from the same address always passes.
    pub failures_per_minute: u32,
    /// Addresses whose failures are counted apart; more share one count.
    pub stranger_addresses_max: usize,
    /// Records of strangers written per flush; the rest share one record, counts stay exact.
    pub stranger_records_per_flush: usize,
    /// How often tallies, last-used times and purges are worked off.
    pub housekeeping_period: Duration,
    /// Ids of stored provider objects kept in memory beside the store; and as many answers whose
    /// conversation is known.
    pub owned_ids_cached_max: usize,
}

impl Default for GuardBounds {
    fn default() -> Self {
        Self {
            flights_max: 65_536,
            body_bytes_max: 256 * 1024 * 1024,
            tokens_cached_max: 100_000,
            unknown_ids_max: 10_000,
            unknown_id_life: Duration::from_secs(5),
            failures_per_minute: 30,
            stranger_addresses_max: 4_096,
            stranger_records_per_flush: 64,
            housekeeping_period: Duration::from_secs(1),
            owned_ids_cached_max: 65_536,
        }
    }
}

/// Points in time that a rate limit remembers of one window, for each token: a kilobyte and a half
/// at most. What was used comes back late by the window's share at most, a second for a minute.
pub(crate) const RATE_GRAINS: u32 = 60;
/// Bytes of a path kept in a record.
pub(crate) const RECORD_PATH_MAX: usize = 1_024;
/// Bytes of any other client text kept in a record.
pub(crate) const RECORD_TEXT_MAX: usize = 256;
/// Query parameter names kept in a record.
pub(crate) const RECORD_QUERY_NAMES_MAX: usize = 32;
/// Findings kept in a record: kinds of them, since equal ones are counted. A record stays below 32
/// KiB with them.
pub(crate) const RECORD_FINDINGS_MAX: usize = 64;

/// Kinds of findings counted apart: the built-in classes with some actions each, and room for those
/// that rules define. Each is a line for whoever watches.
pub(crate) const FINDING_KINDS_MAX: usize = 2_048;
/// Models of one upstream counted apart, of those that grants spell out.
pub(crate) const MODELS_COUNTED_MAX: usize = 64;
/// Lanes in which threads count apart: as many cores as a node of the usual size has. A lane takes
/// about a kilobyte for each upstream.
pub(crate) const COUNT_LANES: usize = 8;
/// Bounds of the histogram of whole requests, in microseconds: from an answer of a backend nearby
/// to a long stream.
pub(crate) const REQUEST_BOUNDS_US: &[u64] = &[
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
    600_000_000,
];
/// Bounds of the histogram of what the gateway adds before it forwards, in microseconds: the aim is
/// 150; the arrival of a slow body is in it too.
pub(crate) const BEFORE_FORWARD_BOUNDS_US: &[u64] = &[
    50, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000, 10_000_000,
];

/// Cuts a text at a byte limit, on a character boundary.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
