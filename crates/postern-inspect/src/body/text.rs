//! Text that streams: UTF-8 put together from pieces, through one channel.

use crate::clean::CleanError;
use crate::clean::{Channel, Cleaner, TableKind, TextKind};

use super::markup::{self, Part, References, Seams};

/// Where findings in such a body stand.
pub(crate) const PLACE: &str = "body";

/// What is read otherwise than it is written in XML and HTML.
#[derive(Debug, Clone)]
struct Markup {
    seams: Seams,
    references: References,
}

/// One text on its way.
#[derive(Clone)]
pub(super) struct Text {
    channel: Channel,
    /// Reads XML and HTML.
    markup: Option<Markup>,
    /// The beginning of a letter whose end has not come.
    letter: Vec<u8>,
    /// Nothing but white space has come of a text that may turn out to be JSON.
    undecided: bool,
}

impl Text {
    /// Text that is what it says; one that begins as JSON is read as such, since senders of JSON
    /// call it text.
    pub(super) fn plain() -> Self {
        Self {
            undecided: true,
            ..Self::of(TextKind::Plain, PLACE)
        }
    }

    /// Rows and columns.
    pub(super) fn table(kind: TableKind) -> Self {
        Self::of(TextKind::Table(kind), PLACE)
    }

    fn of(kind: TextKind, place: &str) -> Self {
        Self {
            channel: Channel::new(kind, place, ""),
            markup: None,
            letter: Vec::new(),
            undecided: false,
        }
    }

    /// XML, or HTML.
    pub(super) fn markup(html: bool) -> Self {
        Self::markup_at(html, PLACE)
    }

    /// XML, or HTML, as a part of something.
    pub(super) fn markup_at(html: bool, place: &str) -> Self {
        Self {
            markup: Some(Markup {
                seams: Seams::new(html),
                references: References::default(),
            }),
            ..Self::of(TextKind::Markup, place)
        }
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        no_zeros(piece)?;
        let joined;
        let mut bytes = piece;
        if !self.letter.is_empty() {
            joined = [std::mem::take(&mut self.letter).as_slice(), piece].concat();
            bytes = &joined;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                self.letter.extend_from_slice(rest);
                std::str::from_utf8(whole).map_err(|_| not_text())?
            }
            Err(_) => return Err(not_text()),
        };
        self.take(text, cleaner, out)
    }

    fn take(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        let text = self.decide(text, out);
        let mut clean = String::with_capacity(text.len());
        let pushed = match &mut self.markup {
            None => Ok(self.channel.push(text, cleaner, &mut clean)?),
            Some(markup) => {
                let to = &mut (&mut self.channel, cleaner, &mut clean);
                markup.read(Some(text), to)
            }
        };
        self.give(&clean, out);
        pushed
    }

    /// Tells by the first letter how the text is read; what stands before it goes on.
    fn decide<'a>(&mut self, text: &'a str, out: &mut Vec<u8>) -> &'a str {
        if !self.undecided {
            return text;
        }
        let rest = begin(text);
        out.extend_from_slice(&text.as_bytes()[..text.len() - rest.len()]);
        self.undecided = rest.is_empty();
        if begins_as_json(rest) {
            self.channel = Channel::new(TextKind::Json, PLACE, "");
        }
        rest
    }

    fn give(&self, clean: &str, out: &mut Vec<u8>) {
        match self.markup {
            None => out.extend_from_slice(clean.as_bytes()),
            Some(_) => markup::write(clean, out),
        }
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), CleanError> {
        if !self.letter.is_empty() {
            return Err(not_text());
        }
        let mut clean = String::new();
        if let Some(markup) = &mut self.markup {
            let to = &mut (&mut self.channel, &mut *cleaner, &mut clean);
            markup.read(None, to)?;
        }
        let finished = self.channel.finish(cleaner, &mut clean);
        self.give(&clean, out);
        finished
    }
}

impl Markup {
    /// Reads the next text, or the end of it, into the channel.
    fn read(
        &mut self,
        text: Option<&str>,
        (channel, cleaner, clean): &mut (&mut Channel, &mut Cleaner, &mut String),
    ) -> Result<(), CleanError> {
        let Self { seams, references } = self;
        let mut plain = String::with_capacity(text.map_or(0, str::len));
        let mut take = |part: Part<'_>| match part {
            Part::Text(text) => references.push(text, &mut plain),
            Part::Seam(raw) => {
                references.finish(&mut plain);
                channel.push(&plain, cleaner, clean)?;
                plain.clear();
                Ok(channel.pass_over(raw, cleaner, clean)?)
            }
        };
        match text {
            Some(text) => seams.push(text, &mut take)?,
            None => seams.finish(&mut take)?,
        }
        if text.is_none() {
            references.finish(&mut plain);
        }
        channel.push(&plain, cleaner, clean)
    }
}

/// A text from its first letter on.
fn begin(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}'])
}

/// Whether a text is read as JSON, as one in a document is.
pub(super) fn begins_as_json(text: &str) -> bool {
    begin(text).starts_with(['{', '[', '"'])
}

/// Refuses text with a zero byte in it. No text has one, but every text of ASCII in UTF-16, which
/// reads as UTF-8 letter by letter and which many readers know without being told.
///
/// # Errors
/// `CannotInspect`.
pub(super) fn no_zeros(bytes: &[u8]) -> Result<(), CleanError> {
    match memchr::memchr(0, bytes) {
        Some(_) => Err(CleanError::CannotInspect("the text has a zero byte in it")),
        None => Ok(()),
    }
}

fn not_text() -> CleanError {
    CleanError::CannotInspect("the text is not in UTF-8")
}
