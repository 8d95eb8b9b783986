//! Bodies of plain HTTP under a data rule: whose API it is, nobody knows, so the media type alone
//! says where the text is.
//!
//! The content coding is taken off within bounds, the text is cleaned in the form that its type
//! has, and it goes on plain. What is known to be no text passes or is refused as the rule says;
//! what cannot be read as its type says is refused. JSON, forms and multipart bodies are held
//! whole, because a fault may stand at their end; lines, events and text go on piece by piece.
//!
//! KNOWN GAP: a value that only a program would put together is not seen: escapes of a script or of
//! YAML that JSON does not have, an entity that a DTD elsewhere declares, tags in the middle of a
//! number, a comment between two words.

mod coding;
mod events;
mod fields;
mod form;
mod guess;
mod lines;
mod markup;
mod media;
mod multipart;
mod text;

use bytes::Bytes;
use postern_types::{Finding, OpaqueAction};

use crate::InspectError;
use crate::bounds::{BODY_HELD_BYTES_MAX, QUEUED_BYTES_MAX};
use crate::clean::{AnalyzedSpan, Attempt, Channel, CleanError, Cleaner, TextKind, attempt};
use coding::Decoder;
pub use coding::Decoder as ContentDecoder;
use events::Events;
pub(crate) use fields::FieldPath;
use guess::{Guess, Read};
use lines::Lines;
use media::Form;
pub(crate) use text::PLACE;
use text::Text;

/// What the head says of a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyKind<'a> {
    /// The `Content-Type` header, if there is one.
    pub content_type: Option<&'a str>,
    /// The `Content-Encoding` header, if there is one.
    pub content_encoding: Option<&'a str>,
}

/// Cleans one body of plain HTTP, piece by piece.
pub struct BodyCleaner {
    work: Work,
    decoder: Option<Decoder>,
    /// Decoded bytes that wait to be cleaned, where an analyzer is asked.
    pending: Vec<u8>,
    /// The body has ended, and its end waits too.
    ending: bool,
}

/// What is put back where an analyzer has to be asked first.
#[derive(Clone)]
struct Work {
    cleaner: Cleaner,
    shape: Shape,
}

impl Attempt for Work {
    fn cleaner(&mut self) -> &mut Cleaner {
        &mut self.cleaner
    }
}

/// How a body is worked on.
#[derive(Clone)]
enum Shape {
    /// It passes uninspected, because the rule lets it.
    Passes,
    /// Any byte of it is refused.
    Refused(InspectError),
    /// Held to its end.
    Held {
        form: Form,
        body: Vec<u8>,
    },
    /// Text that may turn out to be JSON, and what has come of it.
    Open {
        form: Form,
        seen: Vec<u8>,
    },
    Text(Box<Text>),
    Lines(Lines),
    Events(Events),
}

impl BodyCleaner {
    /// Makes ready for a body. What cannot be inspected is refused with its first byte, so that an
    /// empty body of any type passes.
    #[must_use]
    pub fn new(kind: &BodyKind<'_>, cleaner: Cleaner) -> Self {
        let (shape, decoder) = match prepare(kind, &cleaner) {
            Ok(ready) => ready,
            Err(error) => (Shape::Refused(error), None),
        };
        Self {
            work: Work { cleaner, shape },
            decoder,
            pending: Vec::new(),
            ending: false,
        }
    }

    /// Whether every body of this kind is refused.
    #[must_use]
    pub fn refuses(&self) -> bool {
        matches!(self.work.shape, Shape::Refused(_))
    }

    /// Whether nothing goes out before the body's end, so that it may as well be read whole first.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.work.shape, Shape::Held { .. } | Shape::Refused(_))
    }

    /// Whether it is made of events or lines that go on as they end, for as long as it likes.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.work.shape, Shape::Events(_) | Shape::Lines(_))
    }

    /// Whether the bytes pass as they are, coding included.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.work.shape, Shape::Passes)
    }

    /// Takes the next bytes and gives those that may go on.
    ///
    /// # Errors
    /// `DataBlocked` and `CannotInspect`. What was given before stays given.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match &self.work.shape {
            Shape::Passes => {
                out.push(chunk);
                return Ok(());
            }
            Shape::Refused(_) if chunk.is_empty() => return Ok(()),
            Shape::Refused(error) => return Err(error.clone()),
            _ => {}
        }
        let mut clean = Vec::new();
        let waits = self.work.waits();
        let (Work { shape, cleaner }, pending) = (&mut self.work, &mut self.pending);
        let mut taken = |piece: &[u8]| {
            if waits {
                return hold(pending, piece, QUEUED_BYTES_MAX);
            }
            shape.push(piece, cleaner, &mut clean)
        };
        let result = match &mut self.decoder {
            Some(decoder) => decoder.push(&chunk, &mut taken),
            None => taken(&chunk),
        };
        hand_on(clean, out);
        result.and_then(|()| self.resume(out))
    }

    /// The body has ended: gives what was held.
    ///
    /// # Errors
    /// As [`BodyCleaner::push`]; also when the body is cut short.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        let mut clean = Vec::new();
        let waits = self.work.cleaner.analyzes();
        let (Work { shape, cleaner }, pending) = (&mut self.work, &mut self.pending);
        let mut taken = |piece: &[u8]| {
            if waits {
                return hold(pending, piece, QUEUED_BYTES_MAX);
            }
            shape.push(piece, cleaner, &mut clean)
        };
        let mut result = match &mut self.decoder {
            Some(decoder) => decoder.finish(&mut taken),
            None => Ok(()),
        };
        if result.is_ok() && !waits {
            result = self.work.shape.finish(&mut self.work.cleaner, &mut clean);
        }
        hand_on(clean, out);
        self.ending = waits;
        result.and_then(|()| self.resume(out))
    }

    /// Goes on where an analyzer had to be asked, once its answers were given; after that as
    /// [`BodyCleaner::push`] or [`BodyCleaner::finish`] would have.
    ///
    /// # Errors
    /// As [`BodyCleaner::push`].
    pub fn resume(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        if self.pending.is_empty() && !self.ending {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let ending = self.ending;
        let mut clean = Vec::new();
        // Nothing is asked before a line has ended, and a long one is not copied for nothing.
        if let Shape::Lines(lines) = &mut self.work.shape
            && !ending
            && !pending.contains(&b'\n')
        {
            return lines.push(&pending, &mut self.work.cleaner, &mut clean);
        }
        let worked = attempt(&mut self.work, |work| {
            let Work { cleaner, shape } = work;
            if !pending.is_empty() {
                shape.push(&pending, cleaner, &mut clean)?;
            }
            if ending {
                shape.finish(cleaner, &mut clean)?;
            }
            Ok::<(), InspectError>(())
        });
        if worked == Err(InspectError::NeedsAnalysis) {
            self.pending = pending;
            return worked;
        }
        self.ending = false;
        hand_on(clean, out);
        worked
    }

    /// The pieces of text about which an analyzer has to be asked.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        self.work.cleaner.wanted()
    }

    /// Takes an analyzer's answer about a piece.
    ///
    /// # Errors
    /// As [`Cleaner::answer`].
    pub fn answer(&mut self, piece: String, spans: &[AnalyzedSpan]) -> Result<(), InspectError> {
        Ok(self.work.cleaner.answer(piece, spans)?)
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.work.cleaner.findings()
    }

    /// Tells, where rules only report, that the body could not be inspected.
    pub fn unread(&mut self) {
        self.work.cleaner.unread("body");
    }

    /// The cleaner, to make that of the answer from.
    #[must_use]
    pub fn into_cleaner(self) -> Cleaner {
        self.work.cleaner
    }
}

impl Work {
    /// Whether bytes that come may need an analyzer before the body has ended.
    fn waits(&self) -> bool {
        self.cleaner.analyzes() && !matches!(self.shape, Shape::Held { .. })
    }
}

/// Chooses how a body is worked on.
fn prepare(
    kind: &BodyKind<'_>,
    cleaner: &Cleaner,
) -> Result<(Shape, Option<Decoder>), InspectError> {
    let form = media::form_of(kind.content_type)?;
    let no_text = match form {
        Form::Opaque => Some("the body is no text"),
        Form::Unknown => Some("the body has no type"),
        _ => None,
    };
    match (no_text, cleaner.opaque()) {
        (None, _) => {}
        (Some(_), OpaqueAction::Allow) => return Ok((Shape::Passes, None)),
        (Some(cause), OpaqueAction::Refuse) => return Err(InspectError::cannot(cause)),
    }
    let decoder = Decoder::for_header(kind.content_encoding)?;
    // Text that begins as JSON is read as JSON in any case, but for fields.
    let opens =
        matches!(form, Form::Markup { .. }) || form == Form::Plain && guess::names_fields(cleaner);
    let shape = match Shape::going(&form) {
        Some(_) if opens => Shape::Open {
            form,
            seen: Vec::new(),
        },
        Some(shape) => shape,
        None => Shape::Held {
            form,
            body: Vec::new(),
        },
    };
    Ok((shape, decoder))
}

/// What the text of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Text without markup.
    Text(TextKind),
    /// XML, or HTML.
    Markup { html: bool },
}

/// What the text of a file of this media type is, where it is text. A picture is none, also where
/// it is drawn in XML.
pub(crate) fn file_kind(media: &str) -> Option<FileKind> {
    let form = media::form_of(Some(media)).ok()?;
    let picture = || {
        media
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("image/")
    };
    Some(match form {
        Form::Document | Form::Lines => FileKind::Text(TextKind::Json),
        Form::Plain => FileKind::Text(TextKind::Plain),
        Form::Table(kind) => FileKind::Text(TextKind::Table(kind)),
        Form::Markup { html } if !picture() => FileKind::Markup { html },
        _ => return None,
    })
}

/// Cleans the text of a file that stands at this place.
///
/// # Errors
/// As [`Cleaner::clean_value`]; also when its markup has no one reading.
pub(crate) fn clean_file(
    kind: FileKind,
    text: &str,
    place: &str,
    cleaner: &mut Cleaner,
) -> Result<String, CleanError> {
    let html = match kind {
        FileKind::Text(kind) => {
            let is_json = kind == TextKind::Plain && text::begins_as_json(text);
            let kind = if is_json { TextKind::Json } else { kind };
            let mut channel = Channel::new(kind, place, "");
            let mut new = String::with_capacity(text.len());
            channel.push(text, cleaner, &mut new)?;
            channel.finish(cleaner, &mut new)?;
            return Ok(new);
        }
        FileKind::Markup { html } => html,
    };
    let (mut shape, mut out) = (Text::markup_at(html, place), Vec::with_capacity(text.len()));
    shape.push(text.as_bytes(), cleaner, &mut out)?;
    shape.finish(cleaner, &mut out)?;
    String::from_utf8(out).map_err(|_| CleanError::CannotInspect("the text is not in UTF-8"))
}

fn hand_on(clean: Vec<u8>, out: &mut Vec<Bytes>) {
    if !clean.is_empty() {
        out.push(Bytes::from(clean));
    }
}

impl Shape {
    /// That of a form that goes on piece by piece.
    fn going(form: &Form) -> Option<Self> {
        Some(match form {
            Form::Plain => Self::Text(Box::new(Text::plain())),
            Form::Markup { html } => Self::Text(Box::new(Text::markup(*html))),
            Form::Table(kind) => Self::Text(Box::new(Text::table(*kind))),
            Form::Lines => Self::Lines(Lines::default()),
            Form::Events => Self::Events(Events::default()),
            _ => return None,
        })
    }

    /// Takes more of a text that may turn out to be JSON.
    fn open(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        let Self::Open { form, seen } = self else {
            return Ok(());
        };
        seen.extend_from_slice(piece);
        let told = guess::guess(seen);
        let body = match told {
            Guess::Open => return Ok(()),
            // It is the same to every reader.
            Guess::Blank => {
                out.append(seen);
                return Ok(());
            }
            Guess::Json | Guess::Other => std::mem::take(seen),
        };
        let form = form.clone();
        *self = match Self::going(&form) {
            Some(shape) if told == Guess::Other => shape,
            _ => Self::Held {
                form,
                body: Vec::new(),
            },
        };
        self.push(&body, cleaner, out)
    }

    fn push(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        match self {
            Self::Held { body, .. } => hold(body, piece, BODY_HELD_BYTES_MAX),
            Self::Open { .. } => self.open(piece, cleaner, out),
            Self::Text(text) => Ok(text.push(piece, cleaner, out)?),
            Self::Lines(lines) => lines.push(piece, cleaner, out),
            Self::Events(events) => events.push(piece, cleaner, out),
            // Bytes of these never come here.
            Self::Passes | Self::Refused(_) => Ok(()),
        }
    }

    fn finish(&mut self, cleaner: &mut Cleaner, out: &mut Vec<u8>) -> Result<(), InspectError> {
        match self {
            Self::Held { form, body } => {
                let body = std::mem::take(body);
                if body.is_empty() {
                    return Ok(());
                }
                let clean = clean_held(form, &body, cleaner)?;
                out.extend_from_slice(clean.as_deref().unwrap_or(&body));
                Ok(())
            }
            Self::Open { form, seen } => {
                let clean = clean_held(form, seen, cleaner)?;
                out.extend_from_slice(clean.as_deref().unwrap_or(seen));
                Ok(())
            }
            Self::Text(text) => Ok(text.finish(cleaner, out)?),
            Self::Lines(lines) => lines.finish(cleaner, out),
            Self::Events(events) => events.finish(cleaner, out),
            Self::Passes | Self::Refused(_) => Ok(()),
        }
    }
}

/// Cleans a body that is there whole; `None` where nothing changes.
fn clean_held(
    form: &Form,
    body: &[u8],
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, InspectError> {
    if matches!(form, Form::Plain | Form::Markup { .. } | Form::Pairs)
        && let Read::Json(clean) = guess::clean(body, cleaner)?
    {
        return Ok(clean);
    }
    match form {
        Form::Document => fields::clean_document(body, cleaner),
        Form::Pairs => form::clean(body, cleaner),
        Form::Parts { boundary } => multipart::clean(body, boundary, cleaner),
        Form::Plain | Form::Markup { .. } | Form::Table(_) | Form::Lines | Form::Events => {
            let mut shape = Shape::going(form).ok_or_else(|| InspectError::cannot("no text"))?;
            let mut out = Vec::with_capacity(body.len());
            shape.push(body, cleaner, &mut out)?;
            shape.finish(cleaner, &mut out)?;
            Ok(Some(out))
        }
        Form::Opaque | Form::Unknown => match cleaner.opaque() {
            OpaqueAction::Allow => Ok(None),
            OpaqueAction::Refuse => {
                let error = CleanError::CannotInspect("a part of the body is no text");
                Ok(cleaner.refuse("body", error).map(|()| None)?)
            }
        },
    }
}

/// Adds to what is held, up to a bound.
fn hold(held: &mut Vec<u8>, piece: &[u8], bytes_max: usize) -> Result<(), InspectError> {
    if held.len() + piece.len() > bytes_max {
        return Err(InspectError::cannot(
            "what has to be held of the body is too large",
        ));
    }
    held.extend_from_slice(piece);
    Ok(())
}

#[cfg(test)]
mod tests;
