//! Closing what a crash left open.
//!
//! A request that was forwarded has an intent in the audit log. When the process died before its
//! outcome was written, the next start finds the intent alone and closes it as `abandoned`: every
//! intent has an outcome, and a reader of the log never has to guess.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
pub(crate) struct OpenIntents(Mutex<Intents>);

#[derive(Default)]
struct Intents {
    /// Those in the log.
    waiting: BTreeSet<u64>,
    /// How many are on their way into the log, by the entry before which none of them will stand.
    on_their_way: BTreeMap<u64, u32>,
    /// One past the newest intent that is known to be in the log.
    newest: u64,
}

/// An intent whose outcome is not on its way yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Intent {
    /// It may be in the log, but not before this entry.
    NotBefore(u64),
    /// It is this entry.
    At(u64),
}

impl OpenIntents {
    /// An intent sets out into the log. To be called before it is appended.
    ///
    /// INVARIANT: no intent is in the log that is not known here. Between the two its thread may be
    /// busy with other things for as long as it likes, while others' intents come and go.
    pub(crate) fn sets_out(&self) -> Intent {
        let mut intents = self.0.lock();
        let newest = intents.newest;
        *intents.on_their_way.entry(newest).or_default() += 1;
        Intent::NotBefore(newest)
    }

    /// It is in the log.
    pub(crate) fn arrived(&self, intent: Intent, seq: u64) -> Intent {
        let mut intents = self.0.lock();
        intents.forget(intent);
        intents.waiting.insert(seq);
        intents.newest = intents.newest.max(seq + 1);
        Intent::At(seq)
    }

    /// Its outcome is on its way.
    pub(crate) fn closed(&self, intent: Intent) {
        self.0.lock().forget(intent);
    }

    /// The number below which nothing waits.
    pub(crate) fn settled(&self) -> u64 {
        let intents = self.0.lock();
        let waiting = intents.waiting.first();
        let coming = intents.on_their_way.keys().next();
        let oldest = waiting.into_iter().chain(coming).min();
        oldest.copied().unwrap_or(intents.newest)
    }
}

impl Intents {
    fn forget(&mut self, intent: Intent) {
        match intent {
            Intent::At(seq) => {
                self.waiting.remove(&seq);
            }
            Intent::NotBefore(seq) => {
                if let Some(count) = self.on_their_way.get_mut(&seq) {
                    *count -= 1;
                    if *count == 0 {
                        self.on_their_way.remove(&seq);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_counts_as_settled_that_waits_or_is_on_its_way() {
        let open = OpenIntents::default();
        assert_eq!(open.settled(), 0);
        let first = open.arrived(open.sets_out(), 4);
        assert_eq!(open.settled(), 4);
        let (second, third) = (open.sets_out(), open.sets_out());
        open.closed(first);
        assert_eq!(open.settled(), 5, "two may be there already");
        let third = open.arrived(third, 9);
        open.closed(third);
        assert_eq!(open.settled(), 5, "the other one may stand before it");
        let second = open.arrived(second, 8);
        assert_eq!(open.settled(), 8);
        open.closed(second);
        assert_eq!(open.settled(), 10, "nothing waits");
        let lost = open.sets_out();
        assert_eq!(open.settled(), 10);
        open.closed(lost);
        assert_eq!(open.settled(), 10);
    }
}
