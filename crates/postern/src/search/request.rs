//! What the log has about one request, without reading all of it.
//!
//! The id of a request holds the time of its arrival, and the entries of a log stand nearly in the
//! order of their times: so the place is found by halving, and read on from there to the outcome,
//! which is the last that is ever said of a request. Where that does not give a whole story, a
//! clock that was set back may be why: then the rest of the log is read too.

use std::ops::Range;

use postern_audit::{ReadError, Reader};
use postern_types::{AuditRecord, RecordHeader};

use super::Question;
use crate::shapes::AuditEntry;

/// How far the times of neighbours in the log may be out of order before the place is missed and
/// the rest of the log has to be read, in milliseconds. What is read in vain is this much of a log.
const DISORDER_MS: i64 = 60_000;

/// The entries about the request that is asked for, the newest last.
pub(super) fn entries(reader: &Reader, question: &Question) -> Result<Vec<AuditEntry>, ReadError> {
    let arrived = question.request.and_then(|request| request.unix_ms());
    let begin = match arrived {
        Some(arrived) => first_since(reader, arrived.saturating_sub(DISORDER_MS))?,
        None => 0,
    };
    let found = read(reader, question, begin..u64::MAX)?;
    if begin == 0 || has_its_beginning(&found) {
        return Ok(found);
    }
    let mut all = read(reader, question, 0..begin)?;
    all.extend(found);
    Ok(all)
}

/// The number of the first entry that is not older, as far as the entries are in order.
fn first_since(reader: &Reader, at_ms: i64) -> Result<u64, ReadError> {
    let Range { mut start, mut end } = 0..reader.size()?;
    while start < end {
        let middle = start + (end - start) / 2;
        match time_from(reader, middle..end)? {
            Some((seq, time)) if time < at_ms => start = seq + 1,
            Some(_) | None => end = middle,
        }
    }
    Ok(start)
}

/// The time of the first of these entries that has one, and its number.
fn time_from(reader: &Reader, range: Range<u64>) -> Result<Option<(u64, i64)>, ReadError> {
    for entry in reader.entries_from(range.start)? {
        let entry = entry?;
        if entry.seq >= range.end {
            break;
        }
        let header = RecordHeader::decode(&entry.header).ok();
        // The log's own notes have none.
        if let Some(header) = header.filter(|_| entry.note.is_none()) {
            return Ok(Some((entry.seq, header.at_ms)));
        }
    }
    Ok(None)
}

/// The entries that fit, up to the outcome.
fn read(
    reader: &Reader,
    question: &Question,
    range: Range<u64>,
) -> Result<Vec<AuditEntry>, ReadError> {
    let mut found: Vec<AuditEntry> = Vec::new();
    let mut newest_ms = None;
    for entry in reader.entries_from(range.start)? {
        let entry = entry?;
        if entry.seq >= range.end || found.len() == question.limit {
            break;
        }
        let header = RecordHeader::decode(&entry.header).ok();
        let time = header.map(|header| header.at_ms);
        if let Some(shown) = question.judge(&entry) {
            newest_ms = time;
            let is_last = shown.kind == "outcome";
            found.push(shown);
            if is_last {
                break;
            }
        }
        // Nothing says of an act of an administrator that it was the last of its request.
        let is_act = found.last().is_some_and(|last| last.kind == "admin");
        if is_act && time > newest_ms.map(|newest| newest.saturating_add(DISORDER_MS)) {
            break;
        }
    }
    Ok(found)
}

/// Whether nothing older can be missing: an outcome of what was forwarded has an intent before it.
fn has_its_beginning(found: &[AuditEntry]) -> bool {
    match found.first() {
        None => false,
        Some(first) => match first.record.as_deref() {
            Some(AuditRecord::Outcome(outcome)) => outcome.timing.forwarded_us.is_none(),
            _ => first.kind != "outcome",
        },
    }
}
