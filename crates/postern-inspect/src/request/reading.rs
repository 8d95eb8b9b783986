//! Turning what the scanner finds in a request into facts.

use std::borrow::Cow;

use postern_types::{AiRequest, Operation, OwnedId, OwnedKind, SmolStr};

use super::tools::Tools;
use super::{RequestFacts, Slot, Splice};
use crate::bounds::{CHOICES_MAX, OUTPUT_CAP_MAX, REFERENCES_MAX};
use crate::json::{Fault, Place, Scalar, Sink, Text};
use crate::locate::model_name;
use crate::{Dialect, InspectError, Located};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    model: Option<SmolStr>,
    stream: bool,
    /// The largest cap named.
    cap: Option<u64>,
    choices: Option<u64>,
    store: Option<bool>,
    references: Vec<OwnedId>,
    text_bytes: u64,
    item: Item,
    source: Source,
    tools: Tools,
    usage: UsageWish,
    /// Whether the document is an object.
    is_object: bool,
}

/// An input item of a Responses request.
#[derive(Debug, Default)]
struct Item {
    kind: Option<String>,
    id: Option<String>,
    role: bool,
    encrypted: bool,
}

/// A source block of Anthropic: its data is text or an encoded file, by its type.
#[derive(Debug, Default)]
struct Source {
    text: bool,
    bytes: u64,
}

/// Where usage can be asked for.
#[derive(Debug, Default)]
struct UsageWish {
    /// Whether the operation knows `stream_options`.
    possible: bool,
    asked: bool,
    splice: Option<Splice>,
}

impl Reading {
    pub(super) fn new(possible: bool) -> Self {
        Self {
            usage: UsageWish {
                possible,
                ..UsageWish::default()
            },
            ..Self::default()
        }
    }

    /// The facts, now that the body is read.
    pub(super) fn into_facts(self, located: &Located) -> Result<RequestFacts, InspectError> {
        if !self.is_object {
            return Err(InspectError::bad("the body is not a JSON object"));
        }
        let model = one_model(located, self.model)?;
        let stream = match located.operation {
            Operation::StreamGenerateContent => true,
            Operation::ChatCompletions | Operation::Responses | Operation::Messages => self.stream,
            _ => false,
        };
        let choices = self.choices.unwrap_or(1);
        let output_cap = self.cap.map(|cap| cap.saturating_mul(choices));
        let splice = self.usage.splice.filter(|_| stream && !self.usage.asked);
        Ok(RequestFacts {
            ai: AiRequest {
                operation: located.operation,
                model: Some(model),
                stream,
                output_cap,
                text_bytes: self.text_bytes,
            },
            tool_models: self.tools.into_models(),
            references: self.references,
            keeps_answer: self.store.unwrap_or(true),
            choices,
            family: None,
            splice,
        })
    }

    fn refer(&mut self, kind: OwnedKind, id: &str) -> Result<(), Fault> {
        if self.references.len() >= REFERENCES_MAX {
            return refuse("it refers to too many things");
        }
        let reference = OwnedId {
            kind,
            id: id.to_owned(),
        };
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
        Ok(())
    }

    fn model(&mut self, name: &str) -> Result<(), Fault> {
        if self.model.as_deref().is_some_and(|earlier| earlier != name) {
            return refuse("the model stands in two places");
        }
        self.model = Some(name.into());
        Ok(())
    }

    fn text_value(&mut self, slot: Slot, text: Text<'_>) -> Result<(), Fault> {
        let Some(value) = text.as_str().filter(|_| !text.escaped) else {
            return refuse(match slot {
                Slot::Model | Slot::ToolModel => "the model is too long or spelled in an odd way",
                _ => "an id or a type is too long or spelled in an odd way",
            });
        };
        match slot {
            Slot::Model => self.model(value)?,
            Slot::PreviousResponse => self.refer(OwnedKind::Response, value)?,
            Slot::Conversation | Slot::ConversationId => {
                self.refer(OwnedKind::Conversation, value)?;
            }
            Slot::PromptId => self.refer(OwnedKind::Prompt, value)?,
            Slot::CachedContent => self.refer(OwnedKind::CachedContent, value)?,
            Slot::File | Slot::FileList => self.refer(OwnedKind::File, value)?,
            Slot::FileUri if !is_elsewhere(value) => self.refer(OwnedKind::File, value)?,
            Slot::FileUri => {}
            // Sandboxes are made by answers, like the items in them.
            Slot::Item | Slot::Container => self.refer(OwnedKind::Item, value)?,
            Slot::Skill if value.starts_with("skill_") => self.refer(OwnedKind::Item, value)?,
            Slot::Skill => {}
            Slot::ItemType => self.item.kind = Some(value.to_owned()),
            Slot::ItemId => self.item.id = Some(value.to_owned()),
            Slot::ItemRole => self.item.role = true,
            Slot::ToolType => {
                self.tools.kind(value);
                self.text(value.len() as u64);
            }
            Slot::ToolModel => self.tools.model(value).map_err(Fault::Refused)?,
            Slot::SourceType => self.source.text = value == "text",
            Slot::NotServed(what) => return Err(not_served(what)),
            _ => return odd_type(slot),
        }
        Ok(())
    }

    fn flag(&mut self, slot: Slot, value: bool, place: Place) -> Result<(), Fault> {
        match slot {
            Slot::Stream => self.stream = value,
            Slot::Store => self.store = Some(value),
            Slot::Background if value => return Err(not_served("background")),
            Slot::Background => {}
            Slot::IncludeUsage => {
                self.usage.asked = value;
                self.usage.splice(place.start, place.end, "true");
            }
            Slot::NotServed(what) => return Err(not_served(what)),
            _ => return odd_type(slot),
        }
        Ok(())
    }

    fn number(&mut self, slot: Slot, written: Option<&[u8]>) -> Result<(), Fault> {
        match slot {
            Slot::Cap => {
                let cap = count(written, OUTPUT_CAP_MAX)?;
                self.cap = Some(self.cap.unwrap_or(0).max(cap));
            }
            Slot::Choices => match count(written, CHOICES_MAX)? {
                0 => return refuse("the number of answers is zero"),
                choices => self.choices = Some(choices),
            },
            Slot::NotServed(what) => return Err(not_served(what)),
            _ => return odd_type(slot),
        }
        Ok(())
    }
}

impl Sink<Slot> for Reading {
    fn scalar(&mut self, slot: Slot, value: Scalar<'_>, place: Place) -> Result<(), Fault> {
        match value {
            Scalar::Text(text) => self.text_value(slot, text),
            Scalar::Number(written) => self.number(slot, written),
            Scalar::Flag(value) => self.flag(slot, value, place),
            Scalar::Null => {
                match slot {
                    Slot::StreamOptions => {
                        self.usage
                            .splice(place.start, place.end, "{\"include_usage\":true}");
                    }
                    Slot::IncludeUsage => self.usage.splice(place.start, place.end, "true"),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn container(&mut self, slot: Slot, object: bool) -> Result<(), Fault> {
        match slot {
            Slot::Conversation | Slot::Prompt | Slot::StreamOptions | Slot::Container if object => {
                Ok(())
            }
            Slot::FileList if !object => Ok(()),
            Slot::NotServed(what) => Err(not_served(what)),
            _ => odd_type(slot),
        }
    }

    fn opened(&mut self, mark: Slot, object: bool) -> Result<(), Fault> {
        match mark {
            Slot::Root => self.is_object = object,
            Slot::InputItem => self.item = Item::default(),
            Slot::Source => self.source = Source::default(),
            Slot::Tool(_) => self.tools.begin(),
            _ => {}
        }
        Ok(())
    }

    fn closed(&mut self, mark: Slot, place: Place, filled: bool) -> Result<(), Fault> {
        // The bracket stands before the end.
        let inside = place.end.saturating_sub(1);
        match mark {
            Slot::Root if filled => {
                let text = ",\"stream_options\":{\"include_usage\":true}";
                self.usage.splice(inside, inside, text);
            }
            Slot::StreamOptions => {
                let text = if filled {
                    ",\"include_usage\":true"
                } else {
                    "\"include_usage\":true"
                };
                self.usage.splice(inside, inside, text);
            }
            Slot::InputItem => {
                let item = std::mem::take(&mut self.item);
                if let Some(id) = item.referred() {
                    self.refer(OwnedKind::Item, id)?;
                }
            }
            Slot::Tool(types) => self.tools.end(types).map_err(Fault::Refused)?,
            Slot::Source => {
                let source = std::mem::take(&mut self.source);
                if source.text {
                    self.text(source.bytes);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, bytes: u64) {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
    }

    fn measured(&mut self, slot: Slot, bytes: u64) {
        match slot {
            Slot::ItemEncrypted => self.item.encrypted = bytes > 0,
            Slot::Source => self.source.bytes = bytes,
            _ => {}
        }
    }
}

impl UsageWish {
    /// The innermost place comes first, so the first one stays.
    fn splice(&mut self, start: usize, end: usize, text: &'static str) {
        if self.possible && self.splice.is_none() {
            self.splice = Some(Splice { start, end, text });
        }
    }
}

impl Item {
    /// The id, if the provider would look up what is behind it. Items that hold everything
    /// themselves carry an id without meaning.
    fn referred(&self) -> Option<&str> {
        let whole = match self.kind.as_deref() {
            None => self.role,
            Some("message" | "function_call" | "custom_tool_call") => true,
            Some("reasoning") => self.encrypted,
            Some(kind) => kind.ends_with("_output"),
        };
        self.id.as_deref().filter(|_| !whole)
    }
}

/// The one model of a request: named by the path, the body, or both alike.
fn one_model(located: &Located, body: Option<SmolStr>) -> Result<SmolStr, InspectError> {
    let body = body.map(|name| match located.dialect {
        Dialect::Gemini => name.strip_prefix("models/").unwrap_or(&name).into(),
        _ => name,
    });
    match (&located.path_model, body) {
        (Some(path), Some(body)) if *path != body => Err(InspectError::bad(
            "the model in the body is not the one in the path",
        )),
        (Some(path), _) => Ok(path.clone()),
        (None, Some(body)) => model_name(&body),
        (None, None) => Err(InspectError::UnknownModel(Cow::Borrowed(
            "the body names no model",
        ))),
    }
}

/// A count: a plain integer without sign, point or exponent, at most `max`.
fn count(written: Option<&[u8]>, max: u64) -> Result<u64, Fault> {
    let digits = written
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse::<u64>().ok())
        .filter(|value| *value <= max);
    match digits {
        Some(value) => Ok(value),
        None => refuse("a cap is no plain integer of a possible size"),
    }
}

/// Whether an address of a file is one that anybody can read: then nothing behind the shared
/// credential is meant.
fn is_elsewhere(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    !host.is_empty()
        && host.bytes().all(plain)
        && !host.ends_with('.')
        && !host.split('.').any(|label| label == "googleapis")
}

fn not_served(what: &'static str) -> Fault {
    Fault::Refused(InspectError::Unsupported(Cow::Borrowed(what)))
}

fn refuse<T>(cause: &'static str) -> Result<T, Fault> {
    Err(Fault::Refused(InspectError::bad(cause)))
}

fn odd_type<T>(slot: Slot) -> Result<T, Fault> {
    refuse(match slot {
        Slot::Model | Slot::ToolModel => "the model is not a string",
        Slot::Stream => "stream is neither true nor false",
        Slot::Cap => "a cap is not a number",
        Slot::Choices => "the number of answers is not a number",
        Slot::StreamOptions | Slot::IncludeUsage => "stream_options have an odd type",
        Slot::Store | Slot::Background => "store or background is neither true nor false",
        _ => "an id or a type has an odd type",
    })
}
