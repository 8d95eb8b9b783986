//! Signed thinking in streams of Anthropic: whole blocks pass untouched or are left out, and then
//! the blocks behind them count on without a gap.

use postern_types::ThinkingAction;

use crate::Dialect;
use crate::json::{Kind, NodeId, Tree};

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
    /// The indices of the blocks that are thinking.
    blocks: Vec<u64>,
}

impl Thinking {
    pub(super) fn new(dialect: Dialect, action: ThinkingAction) -> Self {
        Self {
            applies: dialect == Dialect::Anthropic,
            action,
            blocks: Vec::new(),
        }
    }

    /// What happens to this event.
    pub(super) fn judge(&mut self, tree: &Tree<'_>) -> Verdict {
        if !self.applies {
            return Verdict::Clean(None);
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
        let kind = says(Tree::ROOT, "type");
        let Some((place, index)) = place.zip(index) else {
            return Verdict::Clean(None);
        };
        let thinks = match kind.as_deref() {
            Some("content_block_start") => inner("content_block").is_some_and(|k| k == "thinking"),
            Some("content_block_delta") => {
                inner("delta").is_some_and(|k| k == "thinking_delta" || k == "signature_delta")
            }
            _ => false,
        };
        if thinks && !self.blocks.contains(&index) {
            self.blocks.push(index);
        }
        let inside = self.blocks.contains(&index);
        match self.action {
            ThinkingAction::Pass if inside => Verdict::Pass,
            ThinkingAction::Pass => Verdict::Clean(None),
            ThinkingAction::Drop if inside => Verdict::Drop,
            ThinkingAction::Drop => {
                let before = self.blocks.iter().filter(|block| **block < index).count();
                let moved = index.saturating_sub(before as u64);
                Verdict::Clean((before > 0).then_some((place, moved)))
            }
        }
    }
}
