//! The texts of a stream: each has a channel of its own, wherever its pieces stand.

use crate::bounds::CHANNELS_MAX;
use crate::clean::{Channel, CleanError, Cleaner, TextKind};
use crate::document::{Edits, New, Piece, Pieces, told_name, write_string};
use crate::json::{Kind, NodeId, Span, Tree};
use crate::text::{ANTHROPIC_TEXT, Leaf, TextShape, is_word};

use super::beside::Beside;
use super::calls::{self, Calls};
use super::ends::{End, is_same};
use super::names::Names;

/// The member that numbers events.
const SEQUENCE: &str = "sequence_number";

/// The member that tells the time of an event.
const CREATED: &str = "created";

/// The longest number that is nobody's, in bytes.
const NUMBER_BYTES_MAX: usize = 8;

/// The longest time in seconds of this age, in bytes.
const SECONDS_BYTES_MAX: usize = 10;

/// Texts for which room is made one by one: most streams have one or two, and hold them for long.
const CHANNELS_FEW: usize = 4;

/// What tells a text from others: its name, and what numbers it.
type Named = (String, Vec<Vec<u8>>);

/// A text that has begun.
#[derive(Debug, Clone)]
struct Open {
    name: String,
    ids: Vec<Vec<u8>>,
    channel: Channel,
    /// How deep its last piece stood: some servers write a text in two forms.
    depth: usize,
    /// An event that would carry more of it, around the text.
    event: Tail,
    ended: bool,
    /// Whether it had ended before, doubtfully, and went on.
    again: bool,
}

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

/// A piece in the current event, and what goes on in its place.
#[derive(Debug, Clone)]
struct Placed {
    open: usize,
    span: Span,
    old: String,
    new: String,
}

/// The texts that are open, and what the current event holds of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Channels {
    open: Vec<Open>,
    placed: Vec<Placed>,
    /// Texts that ended doubtfully.
    doubtful: Vec<Named>,
    /// Texts that ended for good.
    closed: Vec<Named>,
    names: Names,
    beside: Beside,
    calls: Calls,
    /// The `event` field of the current event.
    name: String,
    /// The index in the current event that is written anew.
    moved: Option<(NodeId, u64)>,
    /// The number of the current event, where events are numbered.
    sequence: Option<Vec<u8>>,
}

impl Channels {
    /// Another event begins.
    pub(super) fn begin(&mut self, name: &str) {
        self.placed.clear();
        self.name.clear();
        self.name.push_str(name);
        self.moved = None;
        self.sequence = None;
        self.beside.begin();
    }

    /// Reads what numbers the current event. An event that goes before it takes its number, so that
    /// numbers never fall. One that may be somebody's is none.
    pub(super) fn number(&mut self, tree: &Tree<'_>) {
        let member = tree.member(Tree::ROOT, SEQUENCE);
        let number = member.filter(|id| tree.node(*id).kind == Kind::Number);
        let raw = number.map(|id| tree.raw(tree.node(id).span));
        let short = raw.filter(|raw| raw.len() <= NUMBER_BYTES_MAX);
        self.sequence = short.map(<[u8]>::to_vec);
    }

    pub(super) fn move_index(&mut self, moved: Option<(NodeId, u64)>) {
        self.moved = moved;
    }

    /// Ends texts. What they held goes into their last piece in the current event; where there is
    /// none, it is given as an event to go before.
    pub(super) fn end(
        &mut self,
        ends: &[End],
        cleaner: &mut Cleaner,
    ) -> Result<Vec<Tail>, CleanError> {
        let mut tails = Vec::new();
        for (at, open) in self.open.iter_mut().enumerate() {
            let is_of = |end: &&End| end.is_of(&open.name, &open.ids);
            let firm = ends.iter().filter(is_of).any(|end| !end.doubtful);
            let doubtful = ends.iter().filter(is_of).any(|end| end.doubtful);
            if !firm && (!doubtful || open.again) {
                continue;
            }
            open.ended = true;
            let closes = ends.iter().filter(is_of).any(|end| end.closes);
            if closes {
                keep(&mut self.closed, open)?;
            }
            if !firm {
                keep(&mut self.doubtful, open)?;
            }
            let last = self.placed.iter_mut().rfind(|placed| placed.open == at);
            if let Some(placed) = last {
                open.channel.finish(cleaner, &mut placed.new)?;
                continue;
            }
            let mut text = String::new();
            open.channel.finish(cleaner, &mut text)?;
            if !text.is_empty() {
                let mut tail = std::mem::take(&mut open.event);
                tail.text = text;
                if let Some(((start, end), number)) = tail.sequence.zip(self.sequence.as_ref()) {
                    tail.before.splice(start..end, number.iter().copied());
                }
                tails.push(tail);
            }
        }
        Ok(tails)
    }

    /// Texts of these groups may begin once more.
    pub(super) fn reopen(&mut self, begun: &[End]) {
        let begins = |name: &str, ids: &[Vec<u8>]| begun.iter().any(|one| one.is_of(name, ids));
        self.closed.retain(|(name, ids)| !begins(name, ids));
    }

    /// Puts into the event what goes on in place of its pieces; says whether anything changed.
    pub(super) fn settle(&mut self, edits: &mut Edits) -> bool {
        let mut changed = false;
        for placed in self.placed.drain(..) {
            if placed.old != placed.new {
                changed = true;
                edits.put(placed.span, New::Text(placed.new));
            }
        }
        self.open.retain(|open| !open.ended);
        changed
    }

    fn open(&mut self, piece: &Piece<'_>) -> Result<usize, CleanError> {
        let same =
            |open: &Open| !open.ended && open.name == piece.name && are_same(&open.ids, piece.ids);
        if let Some(at) = self.open.iter().position(same) {
            return Ok(at);
        }
        let is_it = |(name, ids): &Named| name == piece.name && are_same(ids, piece.ids);
        // SECURITY: with an end behind each piece, each would go on by itself.
        if self.closed.iter().any(is_it) {
            return Err(CleanError::CannotInspect("a text goes on behind its end"));
        }
        if self.open.len() >= CHANNELS_MAX {
            return Err(CleanError::CannotInspect("too many texts at the same time"));
        }
        let kind = if piece.json {
            TextKind::Json
        } else {
            TextKind::Plain
        };
        if self.open.len() < CHANNELS_FEW {
            self.open.reserve_exact(1);
        }
        self.open.push(Open {
            name: piece.name.to_owned(),
            ids: piece.ids.to_vec(),
            channel: Channel::new(kind, piece.place, ""),
            depth: piece.path.len(),
            event: Tail::default(),
            ended: false,
            again: self.doubtful.iter().any(is_it),
        });
        Ok(self.open.len() - 1)
    }
}

impl Pieces for Channels {
    fn piece(&mut self, piece: &Piece<'_>, cleaner: &mut Cleaner) -> Result<(), CleanError> {
        let at = self.open(piece)?;
        let open = &mut self.open[at];
        if piece.text.is_empty() && open.depth != piece.path.len() {
            // Nothing in another form is no place for what is held.
            return Ok(());
        }
        open.depth = piece.path.len();
        let mut new = String::with_capacity(piece.text.len());
        open.channel.push(piece.text, cleaner, &mut new)?;
        if open.channel.holds() {
            open.event.fill((&self.name, cleaner), piece, self.moved);
        }
        if let Some((id, _)) = piece.path.last() {
            self.placed.push(Placed {
                open: at,
                span: piece.tree.node(*id).span,
                old: piece.text.to_owned(),
                new,
            });
        }
        Ok(())
    }

    fn joined(&mut self, piece: &Piece<'_>, cleaner: &Cleaner) -> Result<(), CleanError> {
        self.names.take(piece, cleaner)
    }

    fn steady(&mut self, piece: &Piece<'_>, cleaner: &mut Cleaner) -> Result<(), CleanError> {
        self.beside.take(piece, cleaner)
    }

    fn call(&mut self, tree: &Tree<'_>, call: NodeId, outer: &[Vec<u8>]) -> Vec<u8> {
        self.calls.identity(tree, call, outer)
    }
}

impl Tail {
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
    fn fill(
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

/// Remembers a text that ended. SECURITY: one that were forgotten could go on piece by piece.
fn keep(ended: &mut Vec<Named>, open: &Open) -> Result<(), CleanError> {
    if ended.len() >= CHANNELS_MAX {
        return Err(CleanError::CannotInspect("too many texts in one answer"));
    }
    ended.push((open.name.clone(), open.ids.clone()));
    Ok(())
}

/// Whether both tell of one text. What one leaves out is the first of it.
pub(super) fn are_same(one: &[Vec<u8>], other: &[Vec<u8>]) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let first = Vec::new();
    let short = short.iter().chain(std::iter::repeat(&first));
    { long.iter().zip(short) }.all(|(one, other)| is_same(one, other))
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
            || self.shape.by.iter().any(|all| all.contains(&&*key))
            || self.shape.is_call && calls::tells(tree, self.object, &key);
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
            Kind::Text => (named || (self.outermost && is_word_here())) && self.is_word(id),
        }
    }

    fn is_word(&self, id: NodeId) -> bool {
        let text = self.tree.text(id);
        is_word(&text) && self.cleaner.passes_word(&text, true)
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
