//! Looking for entries in the audit log, by reading it from its newest end on.
//!
//! The clear headers are judged first, so that bodies are decoded only where they may fit. What is
//! asked for comes newest last; of more than the cap, the newest are kept.

mod request;

use std::collections::VecDeque;

use jiff::Timestamp;
use postern_audit::{LogNote, ReadEntry, ReadError, Reader};
use postern_types::{
    AuditRecord, ClassSelector, EnvName, RecordHeader, RecordKind, RefusalCode, RequestId, TokenId,
};

use crate::config::parse_duration;
use crate::shapes::{AuditEntry, AuditProgress, AuditQuery, SearchLine};

/// Entries of one answer when nothing is said.
const LIMIT_DEFAULT: usize = 100;
/// Entries of one answer at most: they are held in memory.
pub const LIMIT_MAX: usize = 10_000;
/// How often progress is told, in entries.
const PROGRESS_EVERY: u64 = 4_096;
/// Entries that are read first, at the end of the log: what a tail without a question takes, many
/// times over, in a few milliseconds.
const WINDOW: u64 = 4_096;

/// A query in its checked form.
#[derive(Debug, Clone, Default)]
pub struct Question {
    scope: Option<EnvName>,
    token: Option<TokenId>,
    principal: Option<String>,
    environment: Option<EnvName>,
    status: Option<(u16, u16)>,
    refusal: Option<RefusalCode>,
    path: Option<String>,
    model: Option<String>,
    upstream: Option<String>,
    kind: Option<RecordKind>,
    request: Option<RequestId>,
    action: Option<String>,
    finding: Option<ClassSelector>,
    words: Vec<String>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    from: u64,
    limit: usize,
}

impl Question {
    /// Checks a query. `scope` is the one environment that the caller may look into.
    ///
    /// # Errors
    /// With what is wrong, for the person who asked.
    pub fn parse(
        query: &AuditQuery,
        scope: Option<&EnvName>,
        now: Timestamp,
    ) -> Result<Self, String> {
        fn with<T, E: ToString>(
            text: Option<&String>,
            parse: impl Fn(&str) -> Result<T, E>,
        ) -> Result<Option<T>, String> {
            text.map(|text| parse(text).map_err(|error| error.to_string()))
                .transpose()
        }
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(format!("limit {limit} is not between 1 and {LIMIT_MAX}"));
        }
        Ok(Self {
            scope: scope.cloned(),
            token: with(query.token.as_ref(), TokenId::parse)?,
            principal: query.principal.clone(),
            environment: with(query.environment.as_ref(), EnvName::parse)?,
            status: with(query.status.as_ref(), parse_status)?,
            refusal: with(query.refusal.as_ref(), |text| {
                RefusalCode::parse(text).ok_or_else(|| {
                    let codes: Vec<_> = RefusalCode::ALL.iter().map(|c| c.as_str()).collect();
                    format!("{text:?} is no refusal code: use {}", codes.join(", "))
                })
            })?,
            path: query.path.clone(),
            model: query.model.clone(),
            upstream: query.upstream.clone(),
            kind: with(query.kind.as_ref(), parse_kind)?,
            request: with(query.request.as_ref(), RequestId::parse)?,
            action: query.action.clone(),
            finding: with(query.finding.as_ref(), ClassSelector::parse)?,
            words: words(query.text.as_deref().unwrap_or("")),
            since_ms: with(query.since.as_ref(), |text| parse_time(text, now))?,
            until_ms: with(query.until.as_ref(), |text| parse_time(text, now))?,
            from: query.from.unwrap_or(0),
            limit,
        })
    }

    /// The entry as it is shown, if it fits.
    #[must_use]
    pub fn judge(&self, entry: &ReadEntry) -> Option<AuditEntry> {
        // SECURITY: what is sealed for another domain does not exist for a scoped caller.
        if self
            .scope
            .as_ref()
            .is_some_and(|scope| scope.as_str() != entry.domain)
        {
            return None;
        }
        if entry.note.is_none() {
            let header = RecordHeader::decode(&entry.header).ok();
            if !header
                .as_ref()
                .is_some_and(|header| self.fits_header(header))
            {
                return None;
            }
        } else if self.asks_for_records() {
            // The log's own notes have no time and no fields.
            return None;
        }
        let shown = shown(entry);
        match shown.record.as_deref() {
            Some(record) => self.fits_record(record).then_some(shown),
            // A body that does not open is never passed over in silence, unless it was asked for
            // something that only the body can tell.
            None => (!self.asks_for_the_body()).then_some(shown),
        }
    }

    fn fits_header(&self, header: &RecordHeader) -> bool {
        let status = |(low, high)| header.status.is_some_and(|s| (low..=high).contains(&s));
        self.kind.is_none_or(|kind| header.kind == kind)
            && self
                .environment
                .as_ref()
                .is_none_or(|env| header.environment.as_ref() == Some(env))
            && self.status.is_none_or(status)
            && self.refusal.is_none_or(|code| header.refusal == Some(code))
            && self
                .request
                .is_none_or(|request| header.request == Some(request))
            && self.since_ms.is_none_or(|since| header.at_ms >= since)
            && self.until_ms.is_none_or(|until| header.at_ms <= until)
    }

    fn asks_for_the_body(&self) -> bool {
        self.token.is_some()
            || self.principal.is_some()
            || self.path.is_some()
            || self.model.is_some()
            || self.upstream.is_some()
            || self.action.is_some()
            || self.finding.is_some()
            || !self.words.is_empty()
    }

    fn asks_for_records(&self) -> bool {
        self.asks_for_the_body()
            || self.since_ms.is_some()
            || self.until_ms.is_some()
            || self.kind.is_some()
            || self.environment.is_some()
            || self.status.is_some()
            || self.refusal.is_some()
            || self.request.is_some()
    }

    fn holds_words(&self, record: &AuditRecord) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let text = serde_json::to_string(record)
            .unwrap_or_default()
            .to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }

    fn fits_record(&self, record: &AuditRecord) -> bool {
        let summary = match record {
            AuditRecord::Intent(record) => Some(&record.summary),
            AuditRecord::Outcome(record) => Some(&record.summary),
            AuditRecord::Admin(_) | AuditRecord::Strangers(_) | AuditRecord::System(_) => None,
        };
        let act = match record {
            AuditRecord::Admin(record) => Some(record),
            _ => None,
        };
        let token = |id: TokenId| {
            summary.is_some_and(|summary| summary.token == Some(id))
                || act.is_some_and(|act| act.object == id.as_str())
                || act.is_some_and(|act| act.actor == postern_types::Actor::AdminToken(id))
        };
        let principal = |wanted: &str| {
            let of = summary.and_then(|summary| summary.principal.as_ref());
            of.is_some_and(|id| id.as_str() == wanted)
        };
        let path = |wanted: &str| match record {
            AuditRecord::Strangers(record) => record.sample_path.starts_with(wanted),
            _ => summary.is_some_and(|summary| summary.path.starts_with(wanted)),
        };
        let model = |wanted: &str| {
            let of = summary.and_then(|summary| summary.model.as_deref());
            of.is_some_and(|model| match wanted.strip_suffix('*') {
                Some(prefix) => model.starts_with(prefix),
                None => model == wanted,
            })
        };
        let upstream = |wanted: &str| {
            let of = summary.and_then(|summary| summary.upstream.as_ref());
            of.is_some_and(|upstream| upstream.as_str() == wanted)
        };
        let finding = |wanted: &ClassSelector| match record {
            AuditRecord::Outcome(record) => {
                let classes = record.findings.iter().map(|finding| &finding.class);
                classes
                    .into_iter()
                    .any(|class| *wanted == ClassSelector::All || wanted.selects(class))
            }
            _ => false,
        };
        let action = |wanted: &str| act.is_some_and(|act| act.action.starts_with(wanted));
        self.token.is_none_or(token)
            && self.principal.as_deref().is_none_or(principal)
            && self.path.as_deref().is_none_or(path)
            && self.model.as_deref().is_none_or(model)
            && self.upstream.as_deref().is_none_or(upstream)
            && self.action.as_deref().is_none_or(action)
            && self.finding.as_ref().is_none_or(finding)
            && self.holds_words(record)
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Gives the newest entries that fit, the newest last, with progress between. `each` says whether
/// to go on. Gives the number of the entry that comes next.
///
/// # Errors
/// When the log cannot be read.
pub fn scan(
    reader: &Reader,
    question: &Question,
    each: &mut dyn FnMut(SearchLine) -> bool,
) -> Result<u64, ReadError> {
    scan_windows(reader, question, WINDOW, each)
}

/// Reads the log window by window from its end, each four times the one after it, and no further
/// than to as many as were asked for: the end of a long log is shown at once.
fn scan_windows(
    reader: &Reader,
    question: &Question,
    mut window: u64,
    each: &mut dyn FnMut(SearchLine) -> bool,
) -> Result<u64, ReadError> {
    let of = reader.size()?;
    let mut found: VecDeque<AuditEntry> = VecDeque::new();
    let (mut end, mut read) = (of, question.from.min(of));
    while end > question.from && found.len() < question.limit {
        let begin = end.saturating_sub(window).max(question.from);
        let room = question.limit - found.len();
        let mut older = VecDeque::new();
        let mut entries = reader.entries_from(begin)?;
        while entries.next_seq() < end {
            let Some(entry) = entries.next() else { break };
            if let Some(shown) = question.judge(&entry?) {
                if older.len() == room {
                    older.pop_front();
                }
                older.push_back(shown);
            }
            read += 1;
            if read.is_multiple_of(PROGRESS_EVERY)
                && !each(SearchLine::Progress(AuditProgress { read, of }))
            {
                return Ok(of);
            }
        }
        older.append(&mut found);
        found = older;
        (end, window) = (begin, window.saturating_mul(4));
    }
    for entry in found {
        if !each(SearchLine::Entry(entry)) {
            return Ok(of);
        }
    }
    each(SearchLine::Done(AuditProgress { read: of, of }));
    Ok(of)
}

/// What was written from entry `from` on and fits; gives the number of the entry that comes next.
///
/// # Errors
/// When the log cannot be read.
pub fn newer(
    reader: &Reader,
    question: &Question,
    from: u64,
    each: &mut dyn FnMut(SearchLine) -> bool,
) -> Result<u64, ReadError> {
    let mut entries = reader.entries_from(from)?;
    for entry in entries.by_ref() {
        if let Some(shown) = question.judge(&entry?)
            && !each(SearchLine::Entry(shown))
        {
            break;
        }
    }
    Ok(entries.next_seq())
}

/// Why nothing can be said about an id.
#[derive(Debug, thiserror::Error)]
pub enum AboutError {
    /// It is neither an entry number nor a request id.
    #[error("{0}")]
    Question(String),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// What the log has about an entry number or a request id.
///
/// # Errors
/// When it is neither, or the log cannot be read.
pub fn about(
    reader: &Reader,
    id: &str,
    scope: Option<&EnvName>,
    now: Timestamp,
) -> Result<Vec<AuditEntry>, AboutError> {
    let mut query = AuditQuery {
        limit: Some(LIMIT_MAX),
        ..AuditQuery::default()
    };
    if let Ok(seq) = id.parse::<u64>() {
        let question = Question::parse(&query, scope, now).map_err(AboutError::Question)?;
        let entry = reader.entries_from(seq)?.next().transpose()?;
        let entry = entry.filter(|entry| entry.seq == seq);
        return Ok(entry
            .and_then(|entry| question.judge(&entry))
            .into_iter()
            .collect());
    }
    query.request = Some(id.to_owned());
    let question = Question::parse(&query, scope, now).map_err(|_| {
        AboutError::Question(format!(
            "{id:?} is neither an entry number nor a request id, as answers carry it in \
             postern-request-id"
        ))
    })?;
    Ok(request::entries(reader, &question)?)
}

/// What is said where [`about`] found nothing, with where to look instead.
#[must_use]
pub fn nothing_about(id: &str) -> String {
    let look = if id.parse::<u64>().is_ok() {
        "`postern audit tail` shows the newest entries"
    } else {
        "what is refused before its token is known is only counted, see `postern audit search \
         --kind strangers`"
    };
    format!("the audit log has nothing about {id}: {look}")
}

/// An entry as it is shown, decoded as far as it opens.
#[must_use]
pub fn shown(entry: &ReadEntry) -> AuditEntry {
    let header = RecordHeader::decode(&entry.header)
        .ok()
        .filter(|_| entry.note.is_none());
    let at = header
        .as_ref()
        .and_then(|header| Timestamp::from_millisecond(header.at_ms).ok());
    let (record, note) = match (&entry.note, &entry.body) {
        (Some(note), _) => (None, Some(spell_note(note))),
        (None, Err(reason)) => (None, Some(reason.to_string())),
        (None, Ok(body)) => match AuditRecord::decode(body) {
            Ok(record) => (Some(Box::new(record)), None),
            Err(error) => (None, Some(error.to_string())),
        },
    };
    AuditEntry {
        seq: entry.seq,
        at: at.map(|at| format!("{at:.3}")),
        kind: header
            .as_ref()
            .map_or("log", |header| kind_word(header.kind))
            .to_owned(),
        domain: entry.domain.clone(),
        request: header.as_ref().and_then(|header| header.request),
        status: header.as_ref().and_then(|header| header.status),
        refusal: header.as_ref().and_then(|header| header.refusal),
        record,
        note,
    }
}

/// What the log says of itself, in words.
fn spell_note(note: &LogNote) -> String {
    match note {
        LogNote::Opened { .. } => "the log was opened".to_owned(),
        LogNote::Closed => "the log was closed in good order".to_owned(),
        LogNote::TailCut(cut) => format!(
            "an unfinished write of {} bytes was cut off segment {}",
            cut.bytes, cut.segment
        ),
        LogNote::DamageAccepted { what } => format!("damage was accepted: {what}"),
        LogNote::Unknown(text) => text.clone(),
        _ => "a note of a newer release".to_owned(),
    }
}

fn kind_word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Intent => "intent",
        RecordKind::Outcome => "outcome",
        RecordKind::Admin => "admin",
        RecordKind::Strangers => "strangers",
        RecordKind::System => "system",
    }
}

/// The kinds of records that can be asked for.
const KINDS: [RecordKind; 5] = [
    RecordKind::Intent,
    RecordKind::Outcome,
    RecordKind::Admin,
    RecordKind::Strangers,
    RecordKind::System,
];

/// The words of the kinds of records that can be asked for.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.map(kind_word).to_vec()
}

fn parse_kind(text: &str) -> Result<RecordKind, String> {
    KINDS
        .into_iter()
        .find(|kind| kind_word(*kind) == text)
        .ok_or_else(|| {
            format!("{text:?} is no kind: use intent, outcome, admin, strangers or system")
        })
}

/// `429`, or a class: `4xx`.
fn parse_status(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("{text:?} is no status: write 429, or 4xx for all of a class");
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().map_err(|_| wrong())?;
        if (1..=5).contains(&class) {
            return Ok((class * 100, class * 100 + 99));
        }
        return Err(wrong());
    }
    let status: u16 = text.parse().map_err(|_| wrong())?;
    if (100..600).contains(&status) {
        Ok((status, status))
    } else {
        Err(wrong())
    }
}

/// An RFC 3339 time, or how long before now.
fn parse_time(text: &str, now: Timestamp) -> Result<i64, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let ago = parse_duration(text).map_err(|_| {
        format!("{text:?} is no time: write 2026-01-31T12:00:00Z, or how long ago: 15m, 2h, 7d")
    })?;
    let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
    Ok(now.as_millisecond().saturating_sub(ago))
}

#[cfg(test)]
mod tests;
