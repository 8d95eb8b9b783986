//! Parts of a kind that is not known: what is in them, and in what form, nobody here can say.

use postern_types::OpaqueAction;

use crate::clean::{CleanError, Cleaner};
use crate::json::{Kind, NodeId, Tree};
use crate::text::{Kinds, TextShape};

const UNKNOWN: CleanError = CleanError::CannotInspect("it holds a part of an unknown kind");

/// Refuses a part of a kind that its dialect's table does not name, unless content that is no text
/// may pass; then it is read as text.
///
/// # Errors
/// When it is refused.
pub(super) fn check(
    tree: &Tree<'_>,
    id: NodeId,
    shape: &TextShape,
    (cleaner, place): (&mut Cleaner, &str),
) -> Result<(), CleanError> {
    let known = shape.kinds.is_none_or(|kinds| is_known(kinds, tree, id));
    if known || cleaner.opaque() == OpaqueAction::Allow {
        return Ok(());
    }
    cleaner.refuse(place, UNKNOWN)
}

fn is_known(kinds: Kinds, tree: &Tree<'_>, id: NodeId) -> bool {
    match kinds {
        Kinds::Type(known) => tree.member(id, "type").is_none_or(|said| {
            let node = tree.node(said);
            match node.kind {
                Kind::Text => known.contains(&&*tree.text(said)),
                // The same as none.
                _ => tree.raw(node.span) == b"null",
            }
        }),
        Kinds::Members(known) => {
            let mut members = tree.children(id);
            members.all(|member| known.contains(&&*tree.key(member)))
        }
    }
}
