//! Closing what a crash left open.
//!
//! A request that was forwarded has an intent in the audit log. When the process died before its
//! outcome was written, the next start finds the intent alone and closes it as `abandoned`: every
//! intent has an outcome, and a reader of the log never has to guess.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use postern_audit::{Durability, ReadEntry, Reader, SlotPool};
use postern_types::{AuditRecord, End, OutcomeRecord, RecordHeader, RecordKind, RequestId, Timing};

use crate::Guard;
use crate::guard::OpenGuardError;

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

fn intents_without_outcome(
    left: &LeftOpen,
) -> Result<HashMap<RequestId, ReadEntry>, OpenGuardError> {
    let unreadable = |error: &dyn std::fmt::Display| OpenGuardError::Audit(error.to_string());
    let mut open = HashMap::new();
    let entries = left
        .reader
        .entries_from(left.from)
        .map_err(|error| unreadable(&error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&error))?;
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
