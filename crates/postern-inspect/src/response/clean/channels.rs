//! The texts of a stream: each has a channel of its own, wherever its pieces stand.

use crate::bounds::CHANNELS_MAX;
use crate::clean::{Channel, CleanError, Cleaner, TextKind};
use crate::document::{Edits, New, Piece, Pieces};
use crate::json::{NodeId, Span, Tree};
use crate::text::By;

use super::answers::Answers;
use super::beside::Beside;
use super::calls::Calls;
use super::ends::{End, is_same};
use super::items::{Items, Said};
use super::names::Names;
use super::starts::GOES_ON;
use super::tail::{Tail, number};

/// Texts for which room is made one by one: most streams have one or two, and hold them for long.
const CHANNELS_FEW: usize = 4;

/// SECURITY: what is one text to a client must be one here.
pub(super) const TWO_WAYS: CleanError =
    CleanError::CannotInspect("texts of one answer are told apart in two ways");

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
    answers: Answers,
    names: Names,
    beside: Beside,
    calls: Calls,
    items: Items,
    /// The `event` field of the current event.
    name: String,
    /// The index in the current event that is written anew.
    moved: Option<(NodeId, u64)>,
    /// The number of the current event, where events are numbered.
    sequence: Option<Vec<u8>>,
    /// Whether pieces in the current event may go on with a text that is not followed.
    goes_on: bool,
}

impl Channels {
    /// The texts of so many answers, if that is known.
    pub(super) fn new(answers: Option<u64>) -> Self {
        Self {
            answers: Answers::new(answers),
            ..Self::default()
        }
    }

    /// Another event begins.
    pub(super) fn begin(&mut self, name: &str) {
        self.placed.clear();
        self.name.clear();
        self.name.push_str(name);
        self.moved = None;
        self.sequence = None;
        self.goes_on = false;
        self.beside.begin();
    }

    /// Reads what numbers the current event. An event that goes before it takes its number, so that
    /// numbers never fall. One that may be somebody's is none.
    pub(super) fn number(&mut self, tree: &Tree<'_>) {
        self.sequence = number(tree);
    }

    /// Pieces in the current event may go on with a text that an event of another kind began.
    pub(super) fn go_on(&mut self, may: bool) {
        self.goes_on = may;
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
                tail.say(text, self.sequence.as_deref());
                tails.push(tail);
            }
        }
        Ok(tails)
    }

    /// The items of the answer.
    pub(super) fn items(&mut self) -> &mut Items {
        &mut self.items
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

    /// The text that a piece is of; `None` where it begins none, since nothing is in it.
    fn open(&mut self, piece: &Piece<'_>) -> Result<Option<usize>, CleanError> {
        let same =
            |open: &Open| !open.ended && open.name == piece.name && are_same(&open.ids, piece.ids);
        let known = self.open.iter().position(same);
        // What is told as the piece before it is told as the others, too.
        if known.is_none_or(|at| self.open[at].ids != piece.ids) && self.is_told_in_two_ways(piece)
        {
            return Err(TWO_WAYS);
        }
        if let Some(at) = known {
            return Ok(Some(at));
        }
        let is_it = |(name, ids): &Named| name == piece.name && are_same(ids, piece.ids);
        // SECURITY: with an end behind each piece, each would go on by itself.
        if self.closed.iter().any(is_it) {
            return Err(CleanError::CannotInspect("a text goes on behind its end"));
        }
        if piece.text.is_empty() {
            return Ok(None);
        }
        if self.open.len() >= CHANNELS_MAX {
            return Err(CleanError::CannotInspect("too many texts at the same time"));
        }
        let kind = if piece.json {
            TextKind::Json
        } else {
            TextKind::Either
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
        Ok(Some(self.open.len() - 1))
    }

    /// Whether another text of this name says what the piece leaves out, or the other way about: a
    /// client may take both for one.
    fn is_told_in_two_ways(&self, piece: &Piece<'_>) -> bool {
        let ended = self.closed.iter().chain(&self.doubtful);
        let open = { self.open.iter() }.map(|open| (&open.name, &open.ids));
        let mut others = open.chain(ended.map(|(name, ids)| (name, ids)));
        let says = !piece.text.is_empty();
        says && others.any(|(name, ids)| name == piece.name && may_be_same(ids, piece.ids))
    }
}

impl Pieces for Channels {
    fn piece(&mut self, piece: &Piece<'_>, cleaner: &mut Cleaner) -> Result<(), CleanError> {
        if !piece.text.is_empty() {
            if self.goes_on {
                return Err(GOES_ON);
            }
            let answer = piece.ids.first();
            self.answers.take(answer.map_or(&[], Vec::as_slice))?;
        }
        let Some(at) = self.open(piece)? else {
            return Ok(());
        };
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

    fn told(
        &mut self,
        tree: &Tree<'_>,
        (by, object): (By, NodeId),
        outer: &[Vec<u8>],
    ) -> Result<Vec<u8>, CleanError> {
        match by {
            By::Item => self.items.of_text(Said::of(tree, object), outer),
            _ => self.calls.identity(tree, object, outer),
        }
    }
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
    pairs(one, other).all(|(one, other)| is_same(one, other))
}

/// Whether two texts that are told apart are so only by what one of them leaves out.
fn may_be_same(one: &[Vec<u8>], other: &[Vec<u8>]) -> bool {
    let is_left_out = |(one, other): (&Vec<u8>, &Vec<u8>)| one.is_empty() || other.is_empty();
    let differ = |(one, other): &(&Vec<u8>, &Vec<u8>)| !is_same(one, other);
    !are_same(one, other) && pairs(one, other).filter(differ).all(is_left_out)
}

/// What tells both, level by level.
fn pairs<'a>(
    one: &'a [Vec<u8>],
    other: &'a [Vec<u8>],
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> {
    const NOTHING: &Vec<u8> = &Vec::new();
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    long.iter()
        .zip(short.iter().chain(std::iter::repeat(NOTHING)))
}
