//! Audit records as people read them: a line in a list, or a sheet with everything.

use postern_types::{Actor, AdminRecord, AuditRecord, Finding, OutcomeRecord, RequestSummary};

use super::output::Out;
use super::table::{Cell, Sheet, Table, Tone};
use crate::shapes::AuditEntry;

/// A table of entries, oldest first: times of day under the day they belong to.
pub(super) fn table(entries: &[AuditEntry]) -> Table {
    let mut table = Table::new(&["SEQ", "TIME", "WHAT", "WHO", "STATUS", "DETAIL"]);
    let mut day = Day::default();
    for entry in entries {
        if let Some(day) = day.begun_by(entry) {
            let blank = || Cell::from("");
            let day = Cell::new(day, Tone::Faint);
            table.row(vec![blank(), day, blank(), blank(), blank(), blank()]);
        }
        table.row(row(entry));
    }
    table
}

/// The day of the entries of a list, as far as it was said.
#[derive(Debug, Default)]
pub(super) struct Day(String);

impl Day {
    /// The day of this entry, where it is another than that of the one before.
    fn begun_by<'a>(&mut self, entry: &'a AuditEntry) -> Option<&'a str> {
        let (day, _) = entry.at.as_deref()?.split_once('T')?;
        if self.0 == day {
            return None;
        }
        day.clone_into(&mut self.0);
        Some(day)
    }
}

fn row(entry: &AuditEntry) -> Vec<Cell> {
    let seq = Cell::new(entry.seq.to_string(), Tone::Faint);
    let time = entry.at.as_deref().map(|at| short(at).to_owned());
    let line = Line::of(entry);
    vec![
        seq,
        Cell::maybe(time),
        Cell::new(line.what, Tone::Strong),
        Cell::maybe(line.who),
        Cell::new(line.status, line.tone),
        line.detail.into(),
    ]
}

/// The time of day with milliseconds: entries of a list are close together.
fn short(at: &str) -> &str {
    let time = at.split_once('T').map_or(at, |(_, time)| time);
    time.trim_end_matches('Z').get(..12).unwrap_or(time)
}

struct Line {
    what: String,
    who: Option<String>,
    status: String,
    tone: Tone,
    detail: String,
}

impl Line {
    fn of(entry: &AuditEntry) -> Self {
        let Some(record) = entry.record.as_deref() else {
            return Self {
                what: entry.kind.clone(),
                who: None,
                status: "-".to_owned(),
                tone: Tone::Faint,
                detail: entry.note.clone().unwrap_or_default(),
            };
        };
        match record {
            AuditRecord::Intent(record) => Self {
                what: "intent".to_owned(),
                who: who(&record.summary),
                status: "-".to_owned(),
                tone: Tone::Faint,
                detail: target(&record.summary),
            },
            AuditRecord::Outcome(record) => Self::outcome(record),
            AuditRecord::Admin(record) => Self::admin(record),
            AuditRecord::Strangers(record) => Self {
                what: "strangers".to_owned(),
                who: Some(
                    record
                        .address
                        .map_or("others".to_owned(), |at| at.to_string()),
                ),
                status: record
                    .counts
                    .iter()
                    .map(|(_, count)| count)
                    .sum::<u64>()
                    .to_string(),
                tone: Tone::Warn,
                detail: record.sample_path.clone(),
            },
            AuditRecord::System(record) => Self {
                what: format!("system {}", record.event),
                who: Some("gateway".to_owned()),
                status: "-".to_owned(),
                tone: Tone::Faint,
                detail: record.detail.clone(),
            },
        }
    }

    fn outcome(record: &OutcomeRecord) -> Self {
        let (status, tone) = match (record.status, record.refusal) {
            (Some(status), Some(code)) => (format!("{status} {code}"), Tone::Bad),
            (None, Some(code)) => (code.to_string(), Tone::Bad),
            (Some(status), None) if status < 400 => (status.to_string(), Tone::Good),
            (Some(status), None) => (status.to_string(), Tone::Warn),
            (None, None) => ("-".to_owned(), Tone::Faint),
        };
        let mut detail = target(&record.summary);
        if let Some(usage) = record.usage {
            detail.push_str(&format!(
                " {} in, {} out",
                usage.input_tokens(),
                usage.output_tokens()
            ));
        }
        if !record.findings.is_empty() {
            detail.push_str(&format!(" ({})", counted(&record.findings)));
        }
        Self {
            what: record.end.as_str().to_owned(),
            who: who(&record.summary),
            status,
            tone,
            detail,
        }
    }

    fn admin(record: &AdminRecord) -> Self {
        let (status, tone) = match record.status {
            None => ("begun".to_owned(), Tone::Faint),
            Some(status) if status < 400 => (status.to_string(), Tone::Good),
            Some(status) => (status.to_string(), Tone::Bad),
        };
        let place = record
            .environment
            .as_ref()
            .map(|env| format!(" in {env}"))
            .unwrap_or_default();
        let who = match &record.actor {
            // Whose socket it was is in the sheet: a list has no room to say the same in each row.
            Actor::Owner(_) => "owner".to_owned(),
            other => actor(other),
        };
        Self {
            what: record.action.clone(),
            who: Some(who),
            status,
            tone,
            detail: format!("{}{place}", record.object),
        }
    }
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::AdminToken(id) => format!("admin {id}"),
        Actor::Owner(uid) => format!("owner (uid {uid})"),
        Actor::Gateway => "gateway".to_owned(),
    }
}

fn who(summary: &RequestSummary) -> Option<String> {
    let principal = summary.principal.as_ref().map(ToString::to_string);
    principal.or_else(|| summary.token.map(|id| id.to_string()))
}

fn target(summary: &RequestSummary) -> String {
    let mut text = format!("{} {}", summary.method, summary.path);
    if let Some(model) = &summary.model {
        text.push_str(&format!(" [{model}]"));
    }
    text
}

/// Everything that an entry says.
pub(super) fn sheet(entry: &AuditEntry) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("entry", Cell::new(entry.seq.to_string(), Tone::Strong));
    sheet.line("kind", entry.kind.as_str());
    sheet.maybe("written", entry.at.as_ref());
    sheet.line("sealed for", entry.domain.as_str());
    if let Some(note) = &entry.note {
        sheet.line("note", Cell::new(note, Tone::Warn));
    }
    match entry.record.as_deref() {
        None => sheet.maybe("request", entry.request),
        Some(AuditRecord::Intent(record)) => {
            summary(&mut sheet, &record.summary);
            sheet.line("allowed by", record.policies.join(", "));
            sheet.maybe("output cap", record.output_cap);
            sheet.line("text bytes", record.text_bytes.to_string());
        }
        Some(AuditRecord::Outcome(record)) => {
            summary(&mut sheet, &record.summary);
            outcome(&mut sheet, record);
        }
        Some(AuditRecord::Admin(record)) => admin(&mut sheet, record),
        Some(AuditRecord::Strangers(record)) => {
            sheet.line("address", Cell::maybe(record.address));
            for (code, count) in &record.counts {
                sheet.line(code.as_str(), count.to_string());
            }
            sheet.line("first path", record.sample_path.as_str());
        }
        Some(AuditRecord::System(record)) => {
            sheet.line("event", record.event.as_str());
            sheet.line("detail", record.detail.as_str());
        }
    }
    sheet
}

fn summary(sheet: &mut Sheet, summary: &RequestSummary) {
    sheet.line("request", summary.request.to_string());
    sheet.maybe("environment", summary.environment.as_ref());
    sheet.maybe("token", summary.token);
    sheet.maybe("principal", summary.principal.as_ref());
    sheet.line("from", summary.source.address.to_string());
    sheet.line("target", format!("{} {}", summary.method, summary.path));
    if !summary.query_names.is_empty() {
        sheet.line("query names", summary.query_names.join(", "));
    }
    sheet.maybe("upstream", summary.upstream.as_ref());
    sheet.maybe("operation", summary.operation);
    sheet.maybe("model", summary.model.as_ref());
    sheet.maybe("user agent", summary.user_agent.as_ref());
}

fn outcome(sheet: &mut Sheet, record: &OutcomeRecord) {
    sheet.line("end", record.end.as_str());
    sheet.maybe("status", record.status);
    if let Some(code) = record.refusal {
        sheet.line("refusal", Cell::new(code.as_str(), Tone::Bad));
    }
    sheet.maybe("cause", record.cause.as_ref());
    sheet.maybe("upstream status", record.upstream_status);
    sheet.maybe("model that answered", record.response_model.as_ref());
    if let Some(usage) = record.usage {
        let text = format!("{} in, {} out", usage.input_tokens(), usage.output_tokens());
        sheet.line("usage", text);
    }
    let bytes = format!(
        "{} up, {} down",
        record.request_bytes, record.response_bytes
    );
    sheet.line("bytes", bytes);
    for finding in &record.findings {
        sheet.line("found", describe(finding));
    }
    sheet.line("took", millis(record.timing.total_us));
    sheet.maybe(
        "upstream answered after",
        record.timing.first_byte_us.map(millis),
    );
}

/// What was found, for a line: `2 email, 1 card`.
fn counted(findings: &[Finding]) -> String {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for finding in findings {
        let class = finding.class.to_string();
        match counts.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += u64::from(finding.count),
            None => counts.push((class, finding.count.into())),
        }
    }
    let counts = counts
        .iter()
        .map(|(class, count)| format!("{count} {class}"));
    counts.collect::<Vec<_>>().join(", ")
}

fn describe(finding: &Finding) -> String {
    let would = if finding.dry_run { " (dry run)" } else { "" };
    let place = if finding.place.is_empty() {
        "-"
    } else {
        &finding.place
    };
    format!(
        "{} × {} in the {} at {place}: {}{would}, by rule {}",
        finding.count,
        finding.class,
        finding.direction.as_str(),
        finding.action,
        finding.rule
    )
}

/// A table of findings.
pub(super) fn findings(list: &[Finding]) -> Table {
    let mut table = Table::new(&["CLASS", "COUNT", "ACTION", "RULE", "PLACE"]);
    for finding in list {
        let action = if finding.dry_run {
            Cell::new(format!("{} (dry run)", finding.action), Tone::Warn)
        } else {
            finding.action.to_string().into()
        };
        table.row(vec![
            Cell::new(finding.class.to_string(), Tone::Strong),
            finding.count.to_string().into(),
            action,
            finding.rule.as_str().into(),
            finding.place.as_str().into(),
        ]);
    }
    table
}

fn millis(us: u64) -> String {
    format!("{}.{:03} ms", us / 1000, us % 1000)
}

fn admin(sheet: &mut Sheet, record: &AdminRecord) {
    sheet.line("request", record.request.to_string());
    sheet.line("who", actor(&record.actor));
    sheet.maybe("from", record.address);
    sheet.line("action", Cell::new(&record.action, Tone::Strong));
    sheet.line("object", record.object.as_str());
    sheet.maybe("environment", record.environment.as_ref());
    match record.status {
        None => sheet.line("stage", "before the act"),
        Some(status) => sheet.line("status", status.to_string()),
    }
    if !record.detail.is_empty() {
        sheet.line("detail", record.detail.as_str());
    }
}

/// Prints one line of a running tail, and before it the day where a new one begins.
pub(super) fn tail_line(out: &mut Out, day: &mut Day, entry: &AuditEntry) -> std::io::Result<()> {
    let line = Line::of(entry);
    if let Some(day) = day.begun_by(entry) {
        out.line(&format!("{:>6}  {day}", ""))?;
    }
    let time = entry.at.as_deref().map_or("-", short);
    let who = line.who.as_deref().unwrap_or("-");
    out.line(&format!(
        "{:>6}  {time:<12}  {:<18}  {who:<16}  {:<16}  {}",
        entry.seq, line.what, line.status, line.detail
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> AuditEntry {
        let naughty = "/x\u{1b}]0;owned\u{7}\u{9b}2J\r\u{202e}";
        let record = serde_json::json!({
            "kind": "admin",
            "request": "0198c5a0-0000-7000-8000-000000000000",
            "actor": { "owner": 1000 },
            "address": null,
            "action": naughty,
            "object": naughty,
            "environment": "dev",
            "status": 200,
            "detail": naughty,
        });
        AuditEntry {
            seq: 3,
            at: Some("2026-01-02T03:04:05.678Z".into()),
            kind: "admin".into(),
            domain: "dev".into(),
            request: None,
            status: Some(200),
            refusal: None,
            record: Some(Box::new(serde_json::from_value(record).unwrap())),
            note: Some(naughty.into()),
        }
    }

    #[test]
    fn what_was_found_is_told_in_the_line_and_in_the_sheet() {
        let finding = |class: &str, count| Finding {
            class: class.parse().unwrap(),
            direction: postern_types::Direction::Response,
            action: postern_types::DataAction::Mask,
            rule: "people".parse().unwrap(),
            dry_run: class == "card",
            place: "choices.message.content".to_owned(),
            count,
        };
        let found = [finding("email", 2), finding("card", 1), finding("email", 3)];
        assert_eq!(counted(&found), "5 email, 1 card");
        assert_eq!(
            describe(&found[1]),
            "1 × card in the response at choices.message.content: mask (dry run), by rule people"
        );
        let text = findings(&found).render(None);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("mask (dry run)"), "{text}");
    }

    #[test]
    fn a_list_says_who_and_the_sheet_says_whose_socket() {
        let text = |rendered: String| anstream::adapter::strip_str(&rendered).to_string();
        let list = text(table(&[hostile()]).render(None));
        assert!(list.contains("owner") && !list.contains("1000"), "{list}");
        let sheet = text(sheet(&hostile()).render(None));
        assert!(sheet.contains("owner (uid 1000)"), "{sheet}");
    }

    #[test]
    fn each_day_is_said_once_before_its_times() {
        // Goal: times of day are never read as those of another day. Method: entries over midnight,
        // as a table and line by line.
        let at = |time: &str| AuditEntry {
            at: Some(time.to_owned()),
            ..hostile()
        };
        let entries = [
            at("2026-01-02T23:59:58.000Z"),
            at("2026-01-02T23:59:59.000Z"),
            at("2026-01-03T00:00:01.000Z"),
        ];
        let text = table(&entries).render(Some(80));
        let text = anstream::adapter::strip_str(&text).to_string();
        for day in ["2026-01-02", "2026-01-03"] {
            assert_eq!(text.matches(day).count(), 1, "{text}");
        }
        let (before, after) = text.split_once("2026-01-03").unwrap();
        assert!(before.contains("23:59:59.000") && after.contains("00:00:01.000"));
        let mut day = Day::default();
        let said: Vec<_> = entries.iter().map(|entry| day.begun_by(entry)).collect();
        assert_eq!(said, [Some("2026-01-02"), None, Some("2026-01-03")]);
    }

    #[test]
    fn control_characters_in_recorded_fields_never_reach_a_terminal() {
        // Goal: whatever a client wrote into a record, a terminal obeys none of it. Method: render
        // a hostile record in every way there is, take our own colours off, look for what is left.
        let entry = hostile();
        let rendered = [
            table(std::slice::from_ref(&entry)).render(Some(80)),
            table(std::slice::from_ref(&entry)).render(None),
            sheet(&entry).render(Some(80)),
            super::super::escape::json(&entry, true),
        ];
        for text in rendered {
            let text = anstream::adapter::strip_str(&text).to_string();
            let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(obeyed), "{text:?}");
            assert!(text.contains("owned"), "the words are still there");
        }
    }
}
