//! Signed thinking in streams of Anthropic: whole blocks pass untouched or are left out, and then
//! the blocks behind them count on without a gap.
//!
//! SECURITY: a block is thinking if its start says so, and only its own pieces pass with it: no
//! later word makes a text pass uninspected.

use std::collections::BTreeMap;

use postern_types::ThinkingAction;

use crate::Dialect;
use crate::bounds::CHANNELS_MAX;
use crate::clean::CleanError;
use crate::json::{Kind, NodeId, Tree};

/// The highest index of a block.
const INDEX_MAX: u64 = 99_999_999;

const ODD: CleanError = CleanError::CannotInspect("the blocks of the answer do not count on");

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is cleaned; its index is to be written as this.
    Clean(Option<(NodeId, u64)>),
    /// It passes as it came.
    Pass,
    /// It is left out.
    Drop,
}

/// The thinking blocks of one answer.
#[derive(Debug, Clone)]
pub(super) struct Thinking {
    applies: bool,
    action: ThinkingAction,
    /// The indices of the blocks that are thinking, each with how many of them are before it.
    blocks: BTreeMap<u64, u64>,
}

impl Thinking {
    pub(super) fn new(dialect: Dialect, action: ThinkingAction) -> Self {
        Self {
            applies: dialect == Dialect::Anthropic,
            action,
            blocks: BTreeMap::new(),
        }
    }

    /// What happens to this event.
    ///
    /// # Errors
    /// `CannotInspect` when the blocks do not count on, or are too many.
    pub(super) fn judge(&mut self, tree: &Tree<'_>) -> Result<Verdict, CleanError> {
        if !self.applies {
            return Ok(Verdict::Clean(None));
        }
        let says = |id: NodeId, name: &str| {
            let id = tree.member(id, name)?;
            (tree.node(id).kind == Kind::Text).then(|| tree.text(id))
        };
        let inner = |name: &str| says(tree.member(Tree::ROOT, name)?, "type");
        let place = tree.member(Tree::ROOT, "index");
        let index = place.and_then(|id| {
            let digits = std::str::from_utf8(tree.raw(tree.node(id).span)).ok()?;
            digits.parse::<u64>().ok()
        });
        let Some((place, index)) = place.zip(index) else {
            return Ok(Verdict::Clean(None));
        };
        // A longer number is read as what somebody may have written, and not as a place.
        if index > INDEX_MAX {
            return Err(ODD);
        }
        let kind = says(Tree::ROOT, "type");
        let own = match kind.as_deref() {
            Some("content_block_start") => {
                let thinks = inner("content_block").is_some_and(|kind| kind == "thinking");
                self.start(index, thinks)?;
                thinks
            }
            Some("content_block_delta") => {
                inner("delta").is_some_and(|k| k == "thinking_delta" || k == "signature_delta")
            }
            Some("content_block_stop") => true,
            _ => false,
        };
        let inside = self.blocks.contains_key(&index);
        Ok(match self.action {
            ThinkingAction::Pass if inside && own => Verdict::Pass,
            ThinkingAction::Pass => Verdict::Clean(None),
            ThinkingAction::Drop if inside => Verdict::Drop,
            ThinkingAction::Drop => {
                let last = self.blocks.range(..index).next_back();
                let before = last.map_or(0, |(_, before)| before + 1);
                let moved = index.saturating_sub(before);
                Verdict::Clean((before > 0).then_some((place, moved)))
            }
        })
    }

    /// A block begins. A text may not take the place of a thinking block, nor thinking a place
    /// before one: the blocks behind it were counted already.
    fn start(&mut self, index: u64, thinks: bool) -> Result<(), CleanError> {
        if self.blocks.contains_key(&index) {
            return if thinks { Ok(()) } else { Err(ODD) };
        }
        if !thinks {
            return Ok(());
        }
        if self.blocks.range(index..).next().is_some() {
            return Err(ODD);
        }
        if self.blocks.len() >= CHANNELS_MAX {
            return Err(CleanError::CannotInspect("too many blocks of thinking"));
        }
        self.blocks.insert(index, self.blocks.len() as u64);
        Ok(())
    }
}
