//! One logical text, in pieces.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::flow::Flow;
use super::json_text::JsonText;
use super::seam::seams;
use super::table::{Table, TableKind};
use super::{CleanError, Cleaner};

/// What the text of a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// Text.
    Plain,
    /// XML or HTML: what stands in place of a value is written for it.
    Markup,
    /// A JSON document: strings and keys in it are cleaned decoded and encoded again.
    Json,
    /// JSON if it begins like it, as models write what they are asked for in JSON; else text.
    Either,
    /// Rows and columns: what stands in place of a value is written for them.
    Table(TableKind),
}

/// One logical text in pieces: what goes on now is appended to the caller's buffer, what could
/// still become part of a finding is held.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    place: String,
    text: Text,
    /// Why the text ended before its end. Nothing goes on after that.
    failed: Option<CleanError>,
}

#[derive(Debug, Clone)]
enum Text {
    /// Nothing but white space has come; what stands to its left.
    Open(String),
    Plain(Flow),
    Markup(Flow),
    Json(JsonText),
    Table(Box<Table>),
}

/// Where text goes that is settled.
pub(super) trait Sink {
    /// The next piece of the text goes on as it is.
    fn keep(&mut self, text: &str);
    /// Instead of the next piece of the text, another one goes on.
    fn replace(&mut self, text: &str, with: &str);
    /// The next piece of the text belongs to what was replaced before.
    fn skip(&mut self, text: &str);
    /// Where in the text of this place the next piece stands, if that can be told.
    fn place(&mut self, _of: &str) -> Option<String> {
        None
    }
}

impl Sink for String {
    fn keep(&mut self, text: &str) {
        self.push_str(text);
    }

    fn replace(&mut self, _text: &str, with: &str) {
        self.push_str(with);
    }

    fn skip(&mut self, _text: &str) {}
}

/// Writes what stands in place of a value so that it makes no markup of its own.
struct Marked<'a>(&'a mut String);

impl Sink for Marked<'_> {
    fn keep(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn replace(&mut self, text: &str, with: &str) {
        for (at, c) in with.char_indices() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // A value that was taken out of markup may have references already.
                '&' if !is_reference(&with[at..]) => self.0.push_str("&amp;"),
                c => self.0.push(c),
            }
        }
        self.skip(text);
    }

    fn skip(&mut self, text: &str) {
        // What was opened inside a value must be closed behind it, and the other way about.
        // SECURITY: a comment with words is read as text, so that it may be a part of the value.
        self.0.extend(seams(text));
    }
}

/// Whether a character reference stands at the `&` with which the text begins.
fn is_reference(text: &str) -> bool {
    let body = text[1..].split_once(';').map_or("", |(body, _)| body);
    let name = body.strip_prefix('#').unwrap_or(body);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Text {
    /// Tells by the first letter how a text is read that is open; gives it from there on.
    fn begin<'a>(&mut self, text: &'a str) -> &'a str {
        let Self::Open(left) = self else {
            return text;
        };
        let rest = text.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.starts_with(['{', '[', '"']) {
            *self = Self::Json(JsonText::new(left, 0));
        } else if !rest.is_empty() {
            *self = Self::Plain(Flow::new(left));
        }
        rest
    }
}

impl Channel {
    /// A channel whose text stands at `place`, with `left` to its left (a key's name).
    pub(crate) fn new(kind: TextKind, place: &str, left: &str) -> Self {
        Self {
            place: place.to_owned(),
            text: match kind {
                TextKind::Plain => Text::Plain(Flow::new(left)),
                TextKind::Markup => Text::Markup(Flow::new(left)),
                TextKind::Either => Text::Open(left.to_owned()),
                TextKind::Json => Text::Json(JsonText::new(left, 0)),
                TextKind::Table(kind) => Text::Table(Box::new(Table::new(kind, left))),
            },
            failed: None,
        }
    }

    /// Takes a piece and appends what may go on.
    pub(crate) fn push(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        if cleaner.idle() {
            out.push_str(text);
            return Ok(());
        }
        let rest = self.text.begin(text);
        self.guarded(out, |channel, out| {
            out.push_str(&text[..text.len() - rest.len()]);
            channel.push_to(rest, cleaner, out)
        })
    }

    fn push_to(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        let place = &self.place;
        match &mut self.text {
            Text::Open(_) => Ok(()),
            Text::Plain(flow) => flow.push(text, cleaner, place, out),
            Text::Markup(flow) => flow.push(text, cleaner, place, &mut Marked(out)),
            Text::Json(json) => json.push(text, cleaner, place, out),
            Text::Table(table) => table.push(text, cleaner, place, out),
        }
    }

    /// Takes a mark that stands in the text and is no part of it to its readers.
    pub(crate) fn pass_over(
        &mut self,
        mark: &str,
        cleaner: &Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        if cleaner.idle() {
            out.push_str(mark);
            return Ok(());
        }
        self.guarded(out, |channel, out| match &mut channel.text {
            Text::Plain(flow) | Text::Markup(flow) => flow.pass_over(mark),
            Text::Open(_) | Text::Json(_) | Text::Table(_) => {
                out.push_str(mark);
                Ok(())
            }
        })
    }

    /// The text has ended: appends what was held.
    pub(crate) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        if cleaner.idle() {
            return Ok(());
        }
        self.guarded(out, |channel, out| match &mut channel.text {
            Text::Open(_) => Ok(()),
            Text::Plain(flow) => flow.finish(cleaner, &channel.place, out),
            Text::Markup(flow) => flow.finish(cleaner, &channel.place, &mut Marked(out)),
            Text::Json(json) => json.finish(cleaner, &channel.place, out),
            Text::Table(table) => table.finish(cleaner, &channel.place, out),
        })
    }

    /// Whether text is held back.
    pub(crate) fn holds(&self) -> bool {
        match &self.text {
            Text::Open(_) => false,
            Text::Plain(flow) | Text::Markup(flow) => flow.holds(),
            Text::Json(json) => json.holds(),
            Text::Table(table) => table.holds(),
        }
    }

    /// SECURITY: a detector that panics must not let text pass, and a text that failed once stays
    /// failed.
    fn guarded(
        &mut self,
        out: &mut String,
        work: impl FnOnce(&mut Self, &mut String) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let kept = out.len();
        let done = catch_unwind(AssertUnwindSafe(|| work(self, out)))
            .unwrap_or(Err(CleanError::CannotInspect("a detector failed")));
        if let Err(error) = &done {
            out.truncate(kept);
            self.failed = Some(error.clone());
        }
        done
    }
}
