//! What is learnt from an answer while it passes.

use postern_types::{OwnedId, OwnedKind, SmolStr, UsageSource};

use super::ResponseReport;
use super::shape::Slot;
use super::usage::Counters;
use crate::Dialect;
use crate::bounds::CREATED_MAX;
use crate::json::{Fault, Place, Scalar, Sink};

/// What was learnt so far.
#[derive(Debug, Clone)]
pub(super) struct Observer {
    dialect: Dialect,
    keeps_answer: bool,
    model: Option<SmolStr>,
    counters: Counters,
    created: Vec<OwnedId>,
    /// How many of `created` were told.
    told: usize,
    pub(super) ended: bool,
    pub(super) failed: bool,
    pub(super) sequence: Option<u64>,
    item: Item,
    modal: Modal,
    /// What the editor asks about the event that is being read.
    pub(super) event: EventView,
}

/// An item of a response.
#[derive(Debug, Clone, Default)]
struct Item {
    id: Option<String>,
    /// Whether later requests carry the item whole, so that its id is never looked up.
    whole: bool,
}

/// An entry of a list of figures by modality.
#[derive(Debug, Clone, Default)]
struct Modal {
    kind: ModalKind,
    count: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ModalKind {
    #[default]
    Other,
    Audio,
    Image,
}

/// One event of a stream of chat completions, as the editor sees it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct EventView {
    /// Whether there is a list of choices with nothing in it.
    pub(super) no_choices: bool,
    /// Where a null usage stands.
    pub(super) null_usage: Option<Place>,
    /// Whether there are figures.
    pub(super) figures: bool,
    /// Whether it says that the answer ends with it.
    pub(super) terminal: bool,
}

impl Observer {
    pub(super) fn new(dialect: Dialect, keeps_answer: bool) -> Self {
        Self {
            dialect,
            keeps_answer,
            model: None,
            counters: Counters::default(),
            created: Vec::new(),
            told: 0,
            ended: false,
            failed: false,
            sequence: None,
            item: Item::default(),
            modal: Modal::default(),
            event: EventView::default(),
        }
    }

    /// Nothing was seen.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.dialect, self.keeps_answer);
    }

    pub(super) fn newly_created(&mut self) -> &[OwnedId] {
        let told = std::mem::replace(&mut self.told, self.created.len());
        &self.created[told..]
    }

    pub(super) fn report(&self) -> ResponseReport {
        // Only these providers report running totals that an error leaves unfinished.
        let running = matches!(self.dialect, Dialect::Anthropic | Dialect::Gemini);
        let source = if !self.ended || (self.failed && running) {
            UsageSource::Interrupted
        } else {
            UsageSource::Provider
        };
        ResponseReport {
            usage: self.counters.usage(self.dialect, source),
            response_model: self.model.clone(),
            created: self.created.clone(),
            ended: self.ended,
            failed: self.failed,
        }
    }

    fn create(&mut self, kind: OwnedKind, id: String) {
        let made = OwnedId { kind, id };
        if self.created.len() < CREATED_MAX && !self.created.contains(&made) {
            self.created.push(made);
        }
    }

    /// An error ends an answer.
    fn error(&mut self) {
        self.failed = true;
        self.event.terminal = true;
    }

    fn text_value(&mut self, slot: Slot, text: &str) {
        match slot {
            Slot::Model if !text.is_empty() && self.model.as_deref() != Some(text) => {
                self.model = Some(text.into());
            }
            Slot::Type => match text {
                "message_stop" | "response.completed" | "response.incomplete" => {
                    self.event.terminal = true;
                }
                "error" | "response.failed" => self.error(),
                _ => {}
            },
            Slot::ResponseId if self.keeps_answer => {
                self.create(OwnedKind::Response, text.to_owned());
            }
            Slot::KeptId => self.create(OwnedKind::Item, text.to_owned()),
            Slot::ItemId => self.item.id = Some(text.to_owned()),
            Slot::ItemType => {
                self.item.whole = matches!(text, "message" | "function_call" | "custom_tool_call")
                    || text.ends_with("_output");
            }
            Slot::Modality => {
                self.modal.kind = match text {
                    "AUDIO" => ModalKind::Audio,
                    "IMAGE" => ModalKind::Image,
                    _ => ModalKind::Other,
                };
            }
            Slot::Error => self.error(),
            Slot::Finish => self.event.terminal = true,
            _ => {}
        }
    }

    fn number(&mut self, slot: Slot, value: u64) {
        match slot {
            Slot::Count(counter) => self.counters.set(counter, value),
            Slot::ModalCount => self.modal.count = value,
            Slot::Sequence => self.sequence = Some(value),
            // Protobuf enumerations as numbers: IMAGE and AUDIO.
            Slot::Modality => {
                self.modal.kind = match value {
                    2 => ModalKind::Image,
                    4 => ModalKind::Audio,
                    _ => ModalKind::Other,
                };
            }
            Slot::Finish => self.event.terminal |= value > 0,
            _ => {}
        }
    }
}

impl Sink<Slot> for Observer {
    fn scalar(&mut self, slot: Slot, value: Scalar<'_>, place: Place) -> Result<(), Fault> {
        match value {
            Scalar::Text(text) => {
                if let Some(text) = text.as_str() {
                    self.text_value(slot, text);
                }
            }
            Scalar::Number(written) => {
                let digits = written.and_then(|digits| std::str::from_utf8(digits).ok());
                if let Some(value) = digits.and_then(|digits| digits.parse().ok()) {
                    self.number(slot, value);
                }
            }
            Scalar::Null if slot == Slot::Usage => self.event.null_usage = Some(place),
            Scalar::Null | Scalar::Flag(_) => {}
        }
        Ok(())
    }

    fn container(&mut self, slot: Slot, _: bool) -> Result<(), Fault> {
        match slot {
            Slot::Error => self.error(),
            Slot::Usage => self.event.figures = true,
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, mark: Slot, _: bool) -> Result<(), Fault> {
        match mark {
            // Each report of these is whole; Anthropic's later ones leave out what stays.
            Slot::Usage if self.dialect != Dialect::Anthropic => self.counters.clear(),
            Slot::Item => self.item = Item::default(),
            Slot::Modal(..) => self.modal = Modal::default(),
            _ => {}
        }
        Ok(())
    }

    fn closed(&mut self, mark: Slot, _: Place, filled: bool) -> Result<(), Fault> {
        match mark {
            Slot::Choices => self.event.no_choices = !filled,
            Slot::Item => {
                let item = std::mem::take(&mut self.item);
                if let Some(id) = item.id.filter(|_| !item.whole) {
                    self.create(OwnedKind::Item, id);
                }
            }
            Slot::Modal(audio, image) => match self.modal.kind {
                ModalKind::Audio => self.counters.add(audio, self.modal.count),
                ModalKind::Image => self.counters.add(image, self.modal.count),
                ModalKind::Other => {}
            },
            _ => {}
        }
        Ok(())
    }
}
