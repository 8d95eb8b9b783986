//! Events that are made for what a text held back.

use crate::clean::Cleaner;
use crate::document::{Piece, told_name, write_string};
use crate::json::{Kind, NodeId, Tree};
use crate::text::{ANTHROPIC_TEXT, By, Leaf, TextShape, is_word};

use super::calls;

/// The member that numbers events.
const SEQUENCE: &str = "sequence_number";

/// The member that tells the time of an event.
const CREATED: &str = "created";

/// The longest number that is nobody's, in bytes.
const NUMBER_BYTES_MAX: usize = 8;

/// The longest time in seconds of this age, in bytes.
const SECONDS_BYTES_MAX: usize = 10;

/// An event made for what a text held back.
#[derive(Debug, Default, Clone)]
pub(super) struct Tail {
    /// The `event` field; empty for none.
    name: String,
    before: Vec<u8>,
    text: String,
    after: Vec<u8>,
    /// Where in `before` the number of the event stands, if events are numbered.
    sequence: Option<(usize, usize)>,
}

/// What numbers an event, where events are numbered. A number that may be somebody's is none.
pub(super) fn number(tree: &Tree<'_>) -> Option<Vec<u8>> {
    let member = tree.member(Tree::ROOT, SEQUENCE);
    let number = member.filter(|id| tree.node(*id).kind == Kind::Number);
    let raw = number.map(|id| tree.raw(tree.node(id).span));
    let short = raw.filter(|raw| raw.len() <= NUMBER_BYTES_MAX);
    short.map(<[u8]>::to_vec)
}

impl Tail {
    /// Puts the text into the event, which takes the number of the one that it goes before.
    pub(super) fn say(&mut self, text: String, number: Option<&[u8]>) {
        self.text = text;
        if let Some(((start, end), number)) = self.sequence.zip(number) {
            self.before.splice(start..end, number.iter().copied());
        }
    }

    /// The event in server-sent events.
    pub(super) fn write_event(&self, out: &mut Vec<u8>) {
        if !self.name.is_empty() {
            out.extend_from_slice(format!("event: {}\n", self.name).as_bytes());
        }
        out.extend_from_slice(b"data: ");
        self.write_data(out);
        out.extend_from_slice(b"\n\n");
    }

    /// The data alone.
    pub(super) fn write_data(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before);
        write_string(&self.text, out);
        out.extend_from_slice(&self.after);
    }

    /// Makes the event that would carry more of this piece's text: the way to the piece, with what
    /// says whose text it is, and nothing else that a client would add to what it has.
    pub(super) fn fill(
        &mut self,
        (name, cleaner): (&str, &Cleaner),
        piece: &Piece<'_>,
        moved: Option<(NodeId, u64)>,
    ) {
        self.name.clear();
        self.before.clear();
        self.after.clear();
        self.sequence = None;
        if piece.name == ANTHROPIC_TEXT {
            // The event at hand may be the one that begins the block.
            self.name.push_str("content_block_delta");
            let index = match moved {
                Some((_, index)) => index.to_string().into_bytes(),
                // What is no number would be given on as somebody else wrote it.
                None => match piece.ids.first() {
                    Some(id) if is_index(id) => id.clone(),
                    _ => b"0".to_vec(),
                },
            };
            let head = b"{\"type\":\"content_block_delta\",\"index\":";
            self.before.extend_from_slice(head);
            self.before.extend_from_slice(&index);
            let kind = b",\"delta\":{\"type\":\"text_delta\",\"text\":";
            self.before.extend_from_slice(kind);
            self.after.extend_from_slice(b"}}");
            return;
        }
        self.name.push_str(name);
        for (depth, way) in piece.path.windows(2).enumerate() {
            let (id, shape) = way[0];
            let kept = Kept {
                renamed: piece.renamed,
                tree: piece.tree,
                shape,
                object: id,
                outermost: depth == 0,
                cleaner,
            };
            self.level(&kept, id, way[1].0, moved);
        }
    }

    /// One object or array on the way, with what is kept of it.
    fn level(&mut self, kept: &Kept<'_>, id: NodeId, next: NodeId, moved: Option<(NodeId, u64)>) {
        let tree = kept.tree;
        if tree.node(id).kind != Kind::Object {
            self.before.push(b'[');
            self.after.insert(0, b']');
            return;
        }
        self.before.push(b'{');
        for child in tree.children(id).filter(|child| *child != next) {
            if kept.keeps(child) {
                self.key(kept, child);
                let start = self.before.len();
                match moved {
                    Some((id, index)) if id == child => {
                        self.before.extend_from_slice(index.to_string().as_bytes());
                    }
                    _ => self
                        .before
                        .extend_from_slice(tree.raw(tree.node(child).span)),
                }
                if kept.outermost && tree.key(child) == SEQUENCE {
                    self.sequence = Some((start, self.before.len()));
                }
                self.before.push(b',');
            }
        }
        self.key(kept, next);
        self.after.insert(0, b'}');
    }

    fn key(&mut self, kept: &Kept<'_>, member: NodeId) {
        let tree = kept.tree;
        let Some(key) = tree.node(member).key else {
            return;
        };
        // SECURITY: what stood for a value in the event stands for it in the one made after it.
        match kept.renamed.iter().find(|(id, _)| *id == member) {
            Some((_, new)) => write_string(new, &mut self.before),
            None => self.before.extend_from_slice(tree.raw(key)),
        }
        self.before.push(b':');
    }
}

/// Whether it is the index of a block, and no number of somebody's.
fn is_index(id: &[u8]) -> bool {
    (1..=NUMBER_BYTES_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_digit)
}

/// What an event made after this one keeps of an object.
struct Kept<'a> {
    renamed: &'a [(NodeId, String)],
    tree: &'a Tree<'a>,
    shape: &'a TextShape,
    object: NodeId,
    outermost: bool,
    cleaner: &'a Cleaner,
}

impl Kept<'_> {
    fn keeps(&self, id: NodeId) -> bool {
        let tree = self.tree;
        let key = tree.key(id);
        let named = self.shape.keep.contains(&&*key)
            || self.shape.by.iter().any(|by| match by {
                By::Call => calls::tells(tree, self.object, &key),
                by => by.is_said_by(&key),
            });
        let leaf = self.shape.member(&key).map(|shape| shape.leaf);
        // SECURITY: a name that no table has may itself be a value, and stays behind.
        if !named && leaf.is_none() && key != CREATED {
            return false;
        }
        let is_word_here = || matches!(leaf, Some(Leaf::Word | Leaf::Judged));
        match tree.node(id).kind {
            Kind::Object => self.shape.keep.contains(&&*key) && self.is_of_words(id),
            Kind::Array => false,
            Kind::Number => (named || self.outermost) && self.is_number(id),
            Kind::Word => named || self.outermost || tree.raw(tree.node(id).span) == b"null",
            Kind::Text if self.is_place(&key) => {
                self.is_harmless(&tree.text(id).replace(['\'', '"'], ""))
            }
            Kind::Text => (named || (self.outermost && is_word_here())) && self.is_word(id),
        }
    }

    /// Whether it says a place in JSON, whose names may stand in quotes.
    fn is_place(&self, key: &str) -> bool {
        let mut by = self.shape.by.iter();
        by.any(|by| matches!(by, By::Place(..)) && by.is_said_by(key))
    }

    fn is_word(&self, id: NodeId) -> bool {
        self.is_harmless(&self.tree.text(id))
    }

    fn is_harmless(&self, text: &str) -> bool {
        is_word(text) && self.cleaner.passes_word(text, true)
    }

    /// Whether it is no number of somebody's; a time in seconds is none.
    fn is_number(&self, id: NodeId) -> bool {
        let raw = self.tree.raw(self.tree.node(id).span);
        let is_time =
            || self.outermost && self.tree.key(id) == CREATED && raw.len() <= SECONDS_BYTES_MAX;
        raw.len() <= NUMBER_BYTES_MAX || is_time()
    }

    /// Whether no text is in it, however deep.
    fn is_of_words(&self, id: NodeId) -> bool {
        let tree = self.tree;
        match tree.node(id).kind {
            Kind::Array => tree.children(id).all(|child| self.is_of_words(child)),
            Kind::Object => tree.children(id).all(|child| {
                let name = tree.key(child);
                told_name(&name) == name
                    && self.cleaner.passes_word(&name, true)
                    && self.is_of_words(child)
            }),
            Kind::Text => self.is_word(id),
            Kind::Number => self.is_number(id),
            Kind::Word => true,
        }
    }
}
