//! Which call a piece is of. OpenAI numbers them; servers that speak its API may leave the number
//! out, say the id alone, or say it with the first piece alone.

use crate::bounds::CHANNELS_MAX;
use crate::json::{Kind, NodeId, Tree};

use super::channels::are_same;

/// A call that has begun.
#[derive(Debug, Clone)]
struct Begun {
    outer: Vec<Vec<u8>>,
    id: Vec<u8>,
    identity: Vec<u8>,
}

/// The calls of one answer, the last one last.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    begun: Vec<Begun>,
}

impl Calls {
    /// What tells a call from others: its index, else its id, else what told the last one.
    pub(super) fn identity(&mut self, tree: &Tree<'_>, call: NodeId, outer: &[Vec<u8>]) -> Vec<u8> {
        let index = said(tree, call, "index");
        let id = said(tree, call, "id").unwrap_or_default();
        let known = self.begun.iter().rposition(|begun| {
            let named = id.is_empty() || begun.id == id;
            named && are_same(&begun.outer, outer)
        });
        let known = known.map(|at| (at, self.begun[at].identity.clone()));
        if let (None, Some((_, identity))) = (&index, &known)
            && id.is_empty()
        {
            return identity.clone();
        }
        let identity = match (index, &known) {
            (Some(index), _) => index,
            (None, Some((_, identity))) => identity.clone(),
            (None, None) => id.clone(),
        };
        match known {
            Some((at, told)) if told == identity => {
                let last = self.begun.remove(at);
                self.begun.push(last);
            }
            _ => {
                // The newest is the one that a piece without a name goes on with.
                if self.begun.len() >= CHANNELS_MAX {
                    self.begun.remove(0);
                }
                self.begun.push(Begun {
                    outer: outer.to_vec(),
                    id,
                    identity: identity.clone(),
                });
            }
        }
        identity
    }
}

/// Whether it is this member that tells a call from others.
pub(super) fn tells(tree: &Tree<'_>, call: NodeId, key: &str) -> bool {
    let by_index = said(tree, call, "index").is_some();
    key == if by_index { "index" } else { "id" }
}

/// What a member says; nothing where it is not there, empty or null.
fn said(tree: &Tree<'_>, call: NodeId, name: &str) -> Option<Vec<u8>> {
    let id = tree.member(call, name)?;
    let node = tree.node(id);
    let said = match node.kind {
        Kind::Text => tree.text(id).into_owned().into_bytes(),
        Kind::Number => tree.raw(node.span).to_vec(),
        _ => Vec::new(),
    };
    (!said.is_empty()).then_some(said)
}
