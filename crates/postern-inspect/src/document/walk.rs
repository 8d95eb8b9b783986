//! Walking a document along its table.

use std::borrow::Cow;

use postern_types::{Direction, OpaqueAction, ThinkingAction};

use super::edit::{Edits, New};
use super::file::TextFile;
use super::json_path;
use super::kinds;
use super::names::{Keys, is_of_names, left_of, told_name};
use super::pieces::{Piece, Pieces};
use crate::body::clean_file;
use crate::bounds::{MODEL_BYTES_MAX, PLACE_BYTES_MAX, WORD_BYTES_MAX};
use crate::clean::{Channel, CleanError, Cleaner, TextKind};
use crate::json::{Kind, NodeId, Span, Tree};
use crate::text::{By, LOOSE, Leaf, TextShape, is_data, is_seal, is_word};

/// One walk through a document.
pub(crate) struct Walk<'t, 'c> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) cleaner: &'c mut Cleaner,
    /// Where the document is an event of a stream.
    pieces: Option<&'c mut dyn Pieces>,
    pub(crate) edits: Edits,
    /// Strings that level the sizes of events.
    pub(crate) padding: Vec<NodeId>,
    pub(super) place: String,
    /// Names on the way to the value at hand that were replaced, with what stands for each.
    renamed: Vec<(NodeId, String)>,
    /// The names down to the value as they are, to tell texts apart; never told.
    way: String,
    path: Vec<(NodeId, &'static TextShape)>,
    ids: Vec<Vec<u8>>,
}

const OPAQUE: CleanError = CleanError::CannotInspect("it holds content that is no text");

const TWICE: CleanError = CleanError::CannotInspect("a member stands in both of its spellings");

const PLACE: CleanError = CleanError::CannotInspect("arguments come for a place that is not read");

const JUDGED: CleanError = CleanError::CannotInspect("a value stands in the name of the model");

impl<'t, 'c> Walk<'t, 'c> {
    pub(crate) fn new(
        tree: &'t Tree<'t>,
        cleaner: &'c mut Cleaner,
        pieces: Option<&'c mut dyn Pieces>,
    ) -> Self {
        Self {
            tree,
            cleaner,
            pieces,
            edits: Edits::default(),
            padding: Vec::new(),
            place: String::new(),
            renamed: Vec::new(),
            way: String::new(),
            path: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Cleans a value; `key` is the key that it stands under, for what has no fixed place.
    ///
    /// # Errors
    /// As [`super::clean_json`].
    pub(crate) fn value(
        &mut self,
        id: NodeId,
        shape: &'static TextShape,
        key: &str,
    ) -> Result<(), CleanError> {
        // The tree is at most as deep as its bound, and so is this recursion.
        self.path.push((id, shape));
        match self.tree.node(id).kind {
            Kind::Object => self.object(id, shape)?,
            Kind::Array => self.array(id, shape, key)?,
            Kind::Text => self.string(id, shape, key)?,
            Kind::Number => self.number(id, shape, key)?,
            Kind::Word => {}
        }
        self.path.pop();
        Ok(())
    }

    fn object(&mut self, id: NodeId, shape: &'static TextShape) -> Result<(), CleanError> {
        if shape.leaf == Leaf::Cleared {
            if self.cleaner.acts() {
                self.edits.put(self.span(id), New::Bytes(b"null".to_vec()));
            }
            return Ok(());
        }
        kinds::check(self.tree, id, shape, (&mut *self.cleaner, &self.place))?;
        let shape = self.shape_of(id, shape);
        // The path carries the shape that was chosen, for events made after it.
        if let Some(last) = self.path.last_mut() {
            last.1 = shape;
        }
        if shape.leaf == Leaf::Thinking {
            return match self.thinking() {
                ThinkingAction::Pass => Ok(()),
                ThinkingAction::Drop => Err(CleanError::CannotInspect(
                    "thinking stands where it cannot be left out",
                )),
            };
        }
        let outer = self.ids.len();
        for by in shape.by {
            let told = self.told(*by, id)?;
            self.ids.push(told);
        }
        let tree = self.tree;
        let mut keys = Keys::default();
        for child in tree.children(id) {
            let name = tree.key(child);
            let (place, way) = (self.place.len(), self.way.len());
            self.way.push('\0');
            self.way.push_str(&name);
            if let Some(member) = shape.named(&name) {
                // Whoever reads one of them would see half of what is put together here.
                if self.pieces.is_some()
                    && name == member.other
                    && tree.member(id, member.name).is_some()
                {
                    return Err(TWICE);
                }
                self.enter(&name);
                self.value(child, member.shape, "")?;
            } else {
                let outer = self.renamed.len();
                let replaced = self.key((id, &mut keys), child, &name)?;
                // What was found in a key is no place to tell.
                let told = replaced.as_ref().map_or_else(|| told_name(&name), |_| "*");
                self.enter(told);
                self.renamed.extend(replaced.map(|new| (child, new)));
                self.value(child, shape.rest.unwrap_or(&LOOSE), &name)?;
                self.renamed.truncate(outer);
            }
            self.place.truncate(place);
            self.way.truncate(way);
        }
        self.ids.truncate(outer);
        Ok(())
    }

    /// The shape that the object itself chooses.
    fn shape_of(&self, id: NodeId, shape: &'static TextShape) -> &'static TextShape {
        let chosen = shape.switch.and_then(|switch| {
            let decides = self.tree.member(id, switch.key)?;
            let text =
                (self.tree.node(decides).kind == Kind::Text).then(|| self.tree.text(decides));
            shape.case(&text?)
        });
        chosen.unwrap_or(shape)
    }

    fn array(
        &mut self,
        id: NodeId,
        shape: &'static TextShape,
        key: &str,
    ) -> Result<(), CleanError> {
        if shape.leaf == Leaf::Cleared {
            if self.cleaner.acts() && self.tree.children(id).next().is_some() {
                self.edits.put(self.span(id), New::Bytes(b"[]".to_vec()));
            }
            return Ok(());
        }
        let elements = shape.elements.unwrap_or(shape);
        let tree = self.tree;
        let mut dropped = Vec::new();
        let mut all = Vec::new();
        for child in tree.children(id) {
            let thinks = tree.node(child).kind == Kind::Object
                && self.shape_of(child, elements).leaf == Leaf::Thinking;
            let drops = thinks && self.thinking() == ThinkingAction::Drop;
            if !thinks {
                self.value(child, elements, key)?;
            }
            all.push(child);
            dropped.push(drops);
        }
        self.drop_elements(&all, &dropped);
        Ok(())
    }

    /// Takes elements out of an array, with the commas that go with them.
    fn drop_elements(&mut self, all: &[NodeId], dropped: &[bool]) {
        let kept = dropped.iter().rposition(|drops| !drops);
        let tail = kept.map_or(0, |at| at + 1);
        for (at, id) in all.iter().enumerate().take(tail) {
            if dropped[at] {
                // There is a next one: the kept one is behind it.
                let end = self.span(all[at + 1]).start;
                let start = self.span(*id).start;
                self.edits.put(Span { start, end }, New::Bytes(Vec::new()));
            }
        }
        if let (Some(first), Some(last)) = (all.get(tail), all.last()) {
            let start = match kept {
                Some(at) => self.span(all[at]).end,
                None => self.span(*first).start,
            };
            let end = self.span(*last).end;
            self.edits.put(Span { start, end }, New::Bytes(Vec::new()));
        }
    }

    fn string(
        &mut self,
        id: NodeId,
        shape: &'static TextShape,
        key: &str,
    ) -> Result<(), CleanError> {
        let text = self.tree.text(id);
        match shape.leaf {
            Leaf::Text | Leaf::Tokens | Leaf::Loose | Leaf::Free => {
                let is_free = matches!(shape.leaf, Leaf::Loose | Leaf::Free);
                let left = left_of(if is_free { key } else { "" });
                if let Some(new) = self.cleaner.clean_embedded(&self.place, &left, &text)? {
                    self.replace(id, &text, new);
                }
                Ok(())
            }
            Leaf::Judged if self.is_judged(&text) => Ok(()),
            Leaf::Joined => {
                self.at_once(false, &text)?;
                if self.is_word(&text) {
                    return Ok(());
                }
                self.whole(id, "", &text)
            }
            Leaf::Steady | Leaf::Numbered => {
                let joins = self.ids.last().is_some_and(|number| !number.is_empty());
                if shape.leaf == Leaf::Steady || joins {
                    self.at_once(true, &text)?;
                }
                self.whole(id, &left_of(key), &text)
            }
            Leaf::Word if self.is_word(&text) => Ok(()),
            Leaf::Seal if is_seal(&text) => Ok(()),
            Leaf::Judged if self.cleaner.direction() == Direction::Request => self.judged(&text),
            Leaf::Judged | Leaf::Word | Leaf::Seal | Leaf::Thinking => self.whole(id, "", &text),
            Leaf::Json => self.through_channel(id, TextKind::Json, &text, true),
            Leaf::Growing => self.through_channel(id, TextKind::Plain, &text, false),
            Leaf::Opaque => self.data(id, &text),
            Leaf::Cleared => {
                if self.cleaner.acts() {
                    self.replace(id, &text, String::new());
                }
                Ok(())
            }
            Leaf::Padding if self.is_word(&text) => {
                self.padding.push(id);
                Ok(())
            }
            Leaf::Padding => {
                self.replace(id, &text, String::new());
                Ok(())
            }
            Leaf::Piece { json, name } => self.piece(json, name, &text),
        }
    }

    /// Whether it is a word of the format in which no value stands.
    fn is_word(&self, text: &str) -> bool {
        let key = self.way.rsplit('\0').next().unwrap_or("");
        is_word(text) && self.cleaner.passes_word(text, is_of_names(key))
    }

    /// Whether it is a name that policy may have judged, and in which no value stands.
    fn is_judged(&self, text: &str) -> bool {
        text.len() <= MODEL_BYTES_MAX && self.cleaner.passes_word(text, true)
    }

    /// What policy has judged must not change after that: if something stood for a value in it, the
    /// request is refused.
    fn judged(&mut self, text: &str) -> Result<(), CleanError> {
        match self.cleaner.clean_value(&self.place, "", text)? {
            Some(_) => self.cleaner.refuse(&self.place, JUDGED),
            None => Ok(()),
        }
    }

    /// What goes on at once: a word that clients put together from the events of a stream, or what
    /// stands beside the texts of an event.
    fn at_once(&mut self, steady: bool, text: &str) -> Result<(), CleanError> {
        let piece = Piece {
            tree: self.tree,
            path: &self.path,
            ids: &self.ids,
            renamed: &self.renamed,
            json: false,
            name: &self.way,
            place: &self.place,
            text,
        };
        match &mut self.pieces {
            Some(pieces) if steady => pieces.steady(&piece, self.cleaner),
            Some(pieces) => pieces.joined(&piece, self.cleaner),
            None => Ok(()),
        }
    }

    fn piece(&mut self, json: bool, name: &str, text: &str) -> Result<(), CleanError> {
        if self.way.len() > WORD_BYTES_MAX {
            return Err(CleanError::CannotInspect(
                "names around a text are too long",
            ));
        }
        let piece = Piece {
            tree: self.tree,
            path: &self.path,
            ids: &self.ids,
            renamed: &self.renamed,
            json,
            name: if name.is_empty() { &self.way } else { name },
            place: &self.place,
            text,
        };
        match &mut self.pieces {
            Some(pieces) => pieces.piece(&piece, self.cleaner),
            None => Err(CleanError::CannotInspect("a piece stands outside a stream")),
        }
    }

    /// Data: a picture, a file, sound, an address of one.
    fn data(&mut self, id: NodeId, text: &str) -> Result<(), CleanError> {
        let plain = text.strip_prefix("data:text/").is_some_and(|rest| {
            let (head, data) = rest.split_once(',').unwrap_or((rest, ""));
            !head.ends_with(";base64") && !data.contains('%')
        });
        if plain {
            return self.whole(id, "", text);
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Some(file) = TextFile::read(text, self.media().as_deref()) {
            let new = clean_file(file.kind, &file.text, &self.place, self.cleaner)?;
            if new != file.text {
                self.replace(id, text, file.with(&new));
            }
            return Ok(());
        }
        if self.cleaner.opaque() == OpaqueAction::Refuse {
            self.cleaner.refuse(&self.place, OPAQUE)?;
        }
        // An address is text, too, and so is whatever does not look like data.
        if text.contains("://") || !is_data(text) {
            return self.whole(id, "", text);
        }
        Ok(())
    }

    /// The media type that stands beside data, if one does.
    fn media(&self) -> Option<Cow<'t, str>> {
        const NAMES: [&str; 3] = ["media_type", "mimeType", "mime_type"];
        let tree = self.tree;
        let (around, _) = self.path.iter().rev().nth(1)?;
        let mut said = NAMES.iter().filter_map(|name| tree.member(*around, name));
        let one = said.next().filter(|id| tree.node(*id).kind == Kind::Text)?;
        said.next().is_none().then(|| tree.text(one))
    }

    /// A whole text.
    pub(super) fn whole(&mut self, id: NodeId, left: &str, text: &str) -> Result<(), CleanError> {
        if let Some(new) = self.cleaner.clean_value(&self.place, left, text)? {
            self.replace(id, text, new);
        }
        Ok(())
    }

    fn through_channel(
        &mut self,
        id: NodeId,
        kind: TextKind,
        text: &str,
        ends: bool,
    ) -> Result<(), CleanError> {
        let mut channel = Channel::new(kind, &self.place, "");
        let mut new = String::with_capacity(text.len());
        channel.push(text, self.cleaner, &mut new)?;
        if ends {
            channel.finish(self.cleaner, &mut new)?;
        }
        self.replace(id, text, new);
        Ok(())
    }

    pub(super) fn replace(&mut self, id: NodeId, old: &str, new: String) {
        if old != new {
            self.edits.put(self.span(id), New::Text(new));
        }
    }

    /// A key that no table names is text. What stands for it is made to differ from the other keys
    /// of its object. Gives what stands for it, if it was replaced.
    fn key(
        &mut self,
        (object, keys): (NodeId, &mut Keys),
        child: NodeId,
        name: &str,
    ) -> Result<Option<String>, CleanError> {
        let Some(span) = self.tree.node(child).key else {
            return Ok(None);
        };
        let Some(new) = self.cleaner.clean_value(&self.place, "", name)? else {
            return Ok(None);
        };
        let key = keys.apart(self.tree, object, &new);
        self.edits.put(span, New::Text(key.clone()));
        Ok(Some(key))
    }

    /// What tells an object from others of its place; nothing where it does not say.
    fn told(&mut self, by: By, object: NodeId) -> Result<Vec<u8>, CleanError> {
        match by {
            By::Said(name) => Ok(self.tree.said(object, name).unwrap_or_default()),
            By::Protobuf(name) => {
                let said = self.tree.said(object, name);
                Ok(said.unwrap_or_else(|| b"0".to_vec()))
            }
            By::Place(name, other) => {
                let said = self.tree.said(object, name);
                let Some(path) = said.or_else(|| self.tree.said(object, other)) else {
                    return Ok(Vec::new());
                };
                let steps = std::str::from_utf8(&path).ok().and_then(json_path::steps);
                match steps {
                    Some(steps) => Ok(steps),
                    None => self.cleaner.refuse(&self.place, PLACE).map(|()| path),
                }
            }
            By::Item | By::Call => match &mut self.pieces {
                Some(pieces) => pieces.told(self.tree, (by, object), &self.ids),
                None => Ok(Vec::new()),
            },
        }
    }

    fn thinking(&self) -> ThinkingAction {
        self.cleaner.rules().thinking(self.cleaner.direction())
    }

    pub(super) fn span(&self, id: NodeId) -> Span {
        self.tree.node(id).span
    }

    fn enter(&mut self, name: &str) {
        let dot = usize::from(!self.place.is_empty());
        if self.place.len() + dot + name.len() <= PLACE_BYTES_MAX {
            if dot > 0 {
                self.place.push('.');
            }
            self.place.push_str(name);
        }
    }
}
