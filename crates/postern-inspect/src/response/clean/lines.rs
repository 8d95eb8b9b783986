//! The lines of one event of server-sent events.

use std::borrow::Cow;
use std::ops::Range;

use crate::clean::{CleanError, Cleaner};
use crate::text::is_word;

/// Where the lines of an event stand; line ends are LF, CRLF or CR.
#[derive(Debug)]
pub(super) struct Lines {
    /// The lines without their ends.
    all: Vec<Range<usize>>,
    /// The values of the lines of data.
    data: Vec<Range<usize>>,
}

impl Lines {
    pub(super) fn split(raw: &[u8]) -> Self {
        let (mut all, mut data) = (Vec::new(), Vec::new());
        // A byte order mark may stand at the beginning of the stream.
        let mut start = if raw.starts_with("\u{feff}".as_bytes()) {
            "\u{feff}".len()
        } else {
            0
        };
        while start < raw.len() {
            let rest = &raw[start..];
            let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let line = start..start + len;
            if let Some(value) = field(&raw[line.clone()], b"data") {
                data.push(start + value..start + len);
            }
            all.push(line);
            start += len
                + if rest[len..].starts_with(b"\r\n") {
                    2
                } else {
                    1
                };
        }
        Self { all, data }
    }

    /// The data of the event.
    pub(super) fn data<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        match self.data.as_slice() {
            [] => Cow::Borrowed(b""),
            [one] => Cow::Borrowed(&raw[one.clone()]),
            more => {
                let lines = more.iter().map(|line| &raw[line.clone()]);
                Cow::Owned(lines.collect::<Vec<_>>().join(&b'\n'))
            }
        }
    }

    /// The name of the event, if it looks like one; else nothing. `passed` is the last name that
    /// did, so that it is not searched with each event.
    pub(super) fn name<'a>(
        &self,
        raw: &'a [u8],
        cleaner: &Cleaner,
        passed: &mut String,
    ) -> &'a str {
        let value = |line: &Range<usize>| {
            let line = &raw[line.clone()];
            let value = field(line, b"event").map(|at| &line[at..])?;
            let name = std::str::from_utf8(value).ok()?;
            if name == passed.as_str() {
                return Some(name);
            }
            (is_word(name) && cleaner.passes_word(name, false)).then(|| {
                passed.clear();
                passed.push_str(name);
                name
            })
        };
        self.all.iter().find_map(value).unwrap_or("")
    }

    /// Cleans the lines that are no data. Gives the event with them, if any changed; its data is
    /// as it was, so that [`Lines::write`] puts it in once more.
    pub(super) fn clean_others(
        &self,
        raw: &[u8],
        cleaner: &mut Cleaner,
        passed: &str,
    ) -> Result<Option<Vec<u8>>, CleanError> {
        let mut new = Vec::new();
        let mut changed = false;
        let mut at = 0;
        for line in &self.all {
            let bytes = &raw[line.clone()];
            let data = field(bytes, b"data").is_some();
            // Names of events are the format's vocabulary; ids are somebody's.
            let fields = [(&b"event"[..], false), (b"id", true), (b"retry", false)];
            let word = fields.iter().any(|(name, named)| {
                let value = field(bytes, name).map(|at| std::str::from_utf8(&bytes[at..]));
                matches!(value, Some(Ok(v)) if !named && v == passed
                    || is_word(v) && cleaner.passes_word(v, *named))
            });
            if data || word || bytes.is_empty() {
                continue;
            }
            let text = std::str::from_utf8(bytes)
                .map_err(|_| CleanError::CannotInspect("an event is not UTF-8"))?;
            if let Some(cleaned) = cleaner.clean_value("event", "", text)? {
                new.extend_from_slice(&raw[at..line.start]);
                // What stands for a value has no line end; it must not make one either.
                new.extend(
                    cleaned
                        .bytes()
                        .map(|b| if b == b'\n' || b == b'\r' { b' ' } else { b }),
                );
                at = line.end;
                changed = true;
            }
        }
        new.extend_from_slice(&raw[at..]);
        Ok(changed.then_some(new))
    }

    /// Writes the event `raw` with other data, in one line.
    pub(super) fn write(&self, raw: &[u8], data: &[u8], out: &mut Vec<u8>) {
        let lines = Self::split(raw);
        let (Some(first), Some(last)) = (lines.data.first(), lines.data.last()) else {
            out.extend_from_slice(raw);
            return;
        };
        out.extend_from_slice(&raw[..first.start]);
        // Outside of strings JSON takes a space where a line ended; inside there is none.
        out.extend(
            data.iter()
                .map(|byte| if *byte == b'\n' { b' ' } else { *byte }),
        );
        // Fields between lines of data are few and rare; they follow.
        let mut rest = last.end;
        for line in &lines.all {
            let between = line.start > first.end && line.end < last.start;
            if between && field(&raw[line.clone()], b"data").is_none() {
                out.push(b'\n');
                out.extend_from_slice(&raw[line.clone()]);
            }
            rest = rest.max(last.end);
        }
        out.extend_from_slice(&raw[rest..]);
    }
}

/// Where the value of a field begins in its line, if the line is of that field.
fn field(line: &[u8], name: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(name)?;
    match rest {
        [] => Some(line.len()),
        [b':', b' ', ..] => Some(name.len() + 2),
        [b':', ..] => Some(name.len() + 1),
        _ => None,
    }
}
