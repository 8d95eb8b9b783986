//! Server-sent events of an API that nobody described: each event's data is JSON or a text of its
//! own, and goes on when the event has ended.
//!
//! KNOWN GAP: a value that such a stream spreads over several events is seen in pieces only. The
//! dialects of AI providers are read by channels (`response`).

use crate::InspectError;
use crate::bounds::EVENT_HELD_BYTES_MAX;
use crate::clean::{Channel, Cleaner, TextKind};

use super::text::no_zeros;
use super::{fields, hold};

/// The event that has begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    held: Vec<u8>,
    /// Where the line that has begun starts in `held`.
    line: usize,
    /// The last byte was a CR: an LF now belongs to it.
    after_cr: bool,
}

impl Events {
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        let mut rest = piece;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                // The end of the line was acted on at its CR.
                let target = if self.held.is_empty() {
                    &mut *out
                } else {
                    &mut self.held
                };
                target.push(b'\n');
                self.line = self.held.len();
                rest = &rest[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                return hold(&mut self.held, rest, EVENT_HELD_BYTES_MAX);
            };
            hold(&mut self.held, &rest[..=end], EVENT_HELD_BYTES_MAX)?;
            self.after_cr = rest[end] == b'\r';
            let is_empty = self.held.len() - self.line == 1;
            self.line = self.held.len();
            if is_empty {
                self.end(cleaner, out)?;
            }
            rest = &rest[end + 1..];
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        self.end(cleaner, out)
    }

    fn end(&mut self, cleaner: &mut Cleaner, out: &mut Vec<u8>) -> Result<(), InspectError> {
        let event = std::mem::take(&mut self.held);
        self.line = 0;
        no_zeros(&event)?;
        let text = std::str::from_utf8(&event)
            .map_err(|_| InspectError::cannot("an event is not in UTF-8"))?;
        match clean_event(text, cleaner)? {
            Some(clean) => out.extend_from_slice(clean.as_bytes()),
            None => out.extend_from_slice(&event),
        }
        Ok(())
    }
}

/// The value of a field's line, where the line is of that field.
fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start_matches('\u{feff}').strip_prefix(name)?;
    match rest.strip_prefix(':') {
        Some(value) => Some(value.strip_prefix(' ').unwrap_or(value)),
        None => rest.is_empty().then_some(""),
    }
}

fn clean_event(event: &str, cleaner: &mut Cleaner) -> Result<Option<String>, InspectError> {
    let lines: Vec<&str> = event
        .split(['\n', '\r'])
        .filter(|line| !line.is_empty())
        .collect();
    let data: Vec<&str> = lines
        .iter()
        .filter_map(|line| value_of(line, "data"))
        .collect();
    let clean_data = clean_data(&data.join("\n"), cleaner)?;
    let mut changed = clean_data.is_some();
    let mut others = Vec::new();
    for line in lines.iter().filter(|line| value_of(line, "data").is_none()) {
        let clean = cleaner.clean_value("event", "", line)?;
        changed |= clean.is_some();
        others.push(clean.unwrap_or_else(|| (*line).to_owned()));
    }
    if !changed {
        return Ok(None);
    }
    let mut out = String::with_capacity(event.len());
    for line in others {
        out += &line;
        out.push('\n');
    }
    let joined = clean_data.unwrap_or_else(|| data.join("\n"));
    if !data.is_empty() {
        for line in joined.split('\n') {
            out += "data: ";
            out += line;
            out.push('\n');
        }
    }
    out.push('\n');
    Ok(Some(out))
}

fn clean_data(data: &str, cleaner: &mut Cleaner) -> Result<Option<String>, InspectError> {
    if serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok() {
        let clean = fields::clean_document(data.as_bytes(), cleaner)?;
        return clean
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| InspectError::cannot("an event is not in UTF-8"));
    }
    // It may be JSON all the same to a reader that is less strict.
    let mut channel = Channel::new(TextKind::Json, "event.data", "");
    let mut out = String::with_capacity(data.len());
    channel.push(data, cleaner, &mut out)?;
    channel.finish(cleaner, &mut out)?;
    Ok((out != data).then_some(out))
}
