//! Closing what a crash left open.
//!
//! A request that was forwarded has an intent in the audit log. When the process died before its
//! outcome was written, the next start finds the intent alone and closes it as `abandoned`: every
//! intent has an outcome, and a reader of the log never has to guess.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use postern_audit::{Durability, ReadEntry, ReadError, Reader, SlotPool};
use postern_types::{AuditRecord, End, OutcomeRecord, RecordHeader, RecordKind, RequestId, Timing};

use crate::Guard;
use crate::guard::OpenGuardError;
use crate::limit::Earlier;

/// Where to look for what was left open.
pub struct LeftOpen {
    /// Reads the log, with the keys to open its bodies.
    pub reader: Reader,
    /// Every intent below this entry has its outcome.
    pub from: u64,
}

impl Guard {
    /// Writes an `abandoned` outcome for each intent that has none; gives their number.
    pub(crate) async fn close_abandoned(&self, left: &LeftOpen) -> Result<u64, OpenGuardError> {
        let open = intents_without_outcome(left)?;
        let count = open.len() as u64;
        for (request, entry) in open {
            let body = entry.body.as_deref().ok();
            let Some(Ok(AuditRecord::Intent(intent))) = body.map(AuditRecord::decode) else {
                tracing::error!(%request, seq = entry.seq, "an abandoned intent cannot be read");
                continue;
            };
            let record = AuditRecord::Outcome(OutcomeRecord {
                summary: intent.summary,
                end: End::Abandoned,
                status: None,
                refusal: None,
                cause: None,
                upstream_status: None,
                request_bytes: 0,
                response_bytes: 0,
                usage: None,
                response_model: None,
                timing: Timing::default(),
                findings: Vec::new(),
            });
            let failed = |error: postern_types::Refusal| OpenGuardError::Audit(error.to_string());
            let mut slots = self.slots(SlotPool::Control, 1).map_err(failed)?;
            self.append_at(&mut slots, record, Durability::Buffered)
                .await
                .map_err(failed)?;
        }
        Ok(count)
    }
}

impl Guard {
    /// Reads what tokens used of their rates just before the process started: a window that was
    /// half used before a restart is half used after it.
    ///
    /// A request counts where its intent is in the log; what was refused after it had passed the
    /// limits was forwarded nowhere.
    pub(crate) fn recover_rates(&self, left: &LeftOpen) -> Result<(), OpenGuardError> {
        let now_ms = self.clock.now().as_millisecond();
        let now_us = self.clock.micros();
        let oldest_ms = now_ms.saturating_sub(LONGEST_WINDOW_MS);
        let mut earlier = Earlier::default();
        let from = entry_before(left, self.log.durable_size(), oldest_ms)?;
        for entry in left.reader.entries_from(from).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let header = RecordHeader::decode(&entry.header);
            let Some(header) = header.ok().filter(|it| it.kind == RecordKind::Intent) else {
                continue;
            };
            // The end of its millisecond, and not later than now should the wall clock have gone
            // back: what comes back late is on the safe side.
            let age_ms = now_ms.saturating_sub(header.at_ms + 1).max(0);
            let body = entry.body.as_deref().ok().map(AuditRecord::decode);
            if age_ms < LONGEST_WINDOW_MS
                && let Some(Ok(AuditRecord::Intent(intent))) = body
                && let Some(token) = intent.summary.token
            {
                let age_us = u64::try_from(age_ms).unwrap_or(0) * 1_000;
                earlier.add(token, now_us.saturating_sub(age_us));
            }
        }
        self.counters.recover(earlier);
        Ok(())
    }
}

/// The longest window of a rate, in milliseconds.
const LONGEST_WINDOW_MS: i64 = 60_000;
/// Entries that are looked back at first; each further look goes back twice as far.
const LOOK_BACK_ENTRIES: u64 = 1_024;

/// A place in the log before which everything is older than `oldest_ms`. The log's end is looked
/// at in steps that double, so that at most twice the entries that matter are read.
fn entry_before(left: &LeftOpen, size: u64, oldest_ms: i64) -> Result<u64, OpenGuardError> {
    let mut back = LOOK_BACK_ENTRIES;
    while back < size {
        let from = size - back;
        for entry in left.reader.entries_from(from).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            // Entries of the log itself are not records, and have no time.
            let Ok(header) = RecordHeader::decode(&entry.header) else {
                continue;
            };
            if header.at_ms < oldest_ms {
                return Ok(from);
            }
            break;
        }
        back = back.saturating_mul(2);
    }
    Ok(0)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in the place of a closure"
)]
fn unreadable(error: ReadError) -> OpenGuardError {
    OpenGuardError::Audit(error.to_string())
}

fn intents_without_outcome(
    left: &LeftOpen,
) -> Result<HashMap<RequestId, ReadEntry>, OpenGuardError> {
    let mut open = HashMap::new();
    let entries = left.reader.entries_from(left.from).map_err(unreadable)?;
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        // Entries of the log itself are not records.
        let Ok(header) = RecordHeader::decode(&entry.header) else {
            continue;
        };
        match (header.kind, header.request) {
            (RecordKind::Intent, Some(request)) => {
                open.insert(request, entry);
            }
            (RecordKind::Outcome, Some(request)) => {
                open.remove(&request);
            }
            _ => {}
        }
    }
    Ok(open)
}

/// The intents that wait for their outcome, so that a start after a crash knows where to begin to
/// look: it need not read the whole log.
#[derive(Default)]
pub(crate) struct OpenIntents {
    waiting: Mutex<BTreeSet<u64>>,
    /// One past the newest intent.
    newest: AtomicU64,
    /// What was true a round ago: by then every outcome that was queued has been written.
    settled: AtomicU64,
}

impl OpenIntents {
    pub(crate) fn opened(&self, seq: u64) {
        self.waiting.lock().insert(seq);
        self.newest.fetch_max(seq + 1, Ordering::AcqRel);
    }

    pub(crate) fn closed(&self, seq: u64) {
        self.waiting.lock().remove(&seq);
    }

    /// The number below which nothing waited a round ago.
    pub(crate) fn round(&self) -> u64 {
        let newest = self.newest.load(Ordering::Acquire);
        let oldest = self.waiting.lock().first().copied().unwrap_or(newest);
        // An intent may be noted a moment after a later one was: what waits now is asked too.
        self.settled.swap(oldest, Ordering::AcqRel).min(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_counts_as_settled_before_a_round_has_passed() {
        let open = OpenIntents::default();
        open.opened(4);
        open.opened(9);
        assert_eq!(open.round(), 0);
        assert_eq!(open.round(), 4, "the oldest that waits");
        open.closed(4);
        assert_eq!(open.round(), 4, "its outcome may still be on its way");
        assert_eq!(open.round(), 9);
        open.closed(9);
        open.round();
        assert_eq!(open.round(), 10, "nothing waits");
    }
}
