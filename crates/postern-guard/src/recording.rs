//! How the guard writes to the audit log.

use postern_audit::{AppendError, Durability, Entry, Position, Slots};
use postern_types::{AuditRecord, Refusal, RefusalCode};

use crate::{Guard, flight};

impl Guard {
    /// Appends a record at the installation's level.
    pub(crate) async fn append(
        &self,
        slots: &mut Slots,
        record: AuditRecord,
    ) -> Result<Position, Refusal> {
        self.append_at(slots, record, self.durability).await
    }

    pub(crate) async fn append_at(
        &self,
        slots: &mut Slots,
        record: AuditRecord,
        level: Durability,
    ) -> Result<Position, Refusal> {
        let entry = flight::entry(&record, self.clock.now());
        self.append_entry(slots, entry, level).await
    }

    /// Appends a record that was encoded.
    pub(crate) async fn append_entry(
        &self,
        slots: &mut Slots,
        entry: Entry,
        level: Durability,
    ) -> Result<Position, Refusal> {
        self.log
            .append(slots, entry, level)
            .await
            .map_err(|error: AppendError| {
                Refusal::new(RefusalCode::AuditUnavailable, error.to_string())
            })
    }
}
