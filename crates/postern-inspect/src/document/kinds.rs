//! Parts and events of a kind that is not known: what is in them, and in what form, nobody here can
//! say. In such an event a text may even be spread over several in a way that no table tells.

use postern_types::OpaqueAction;

use crate::clean::{CleanError, Cleaner};
use crate::json::{Kind, NodeId, Tree};
use crate::text::{Kinds, TextShape};

const UNKNOWN: CleanError = CleanError::CannotInspect("it holds a part of an unknown kind");

const UNKNOWN_EVENT: CleanError = CleanError::CannotInspect("it holds an event of an unknown kind");

/// Refuses a part, or an event, of a kind that its dialect's table does not name, unless content
/// that is no text may pass; then it is read as text.
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
    match shape.kinds {
        Some(Kinds::Event(_)) => cleaner.refuse("event", UNKNOWN_EVENT),
        _ => cleaner.refuse(place, UNKNOWN),
    }
}

fn is_known(kinds: Kinds, tree: &Tree<'_>, id: NodeId) -> bool {
    match kinds {
        Kinds::Type(known) => says_one(tree, id, |said| known.contains(&said)) != Some(false),
        Kinds::Members(known) => {
            let mut members = tree.children(id);
            members.all(|member| known.contains(&&*tree.key(member)))
        }
        Kinds::Event(known) => {
            let is_one = |said: &str| {
                known.iter().any(|kind| match kind.strip_prefix('*') {
                    Some(end) => said.ends_with(end),
                    None => said == *kind,
                })
            };
            let said = says_one(tree, id, is_one);
            // Servers that speak an API of others' may leave the kind out of an error.
            let is_error = || said.is_none() && tree.member(id, "error").is_some();
            said == Some(true) || is_error() || is_without_text(tree, id)
        }
    }
}

/// Whether the kind that an object says it is of is one of those; `None` where it says none.
fn says_one(tree: &Tree<'_>, id: NodeId, is_one: impl Fn(&str) -> bool) -> Option<bool> {
    let said = tree.member(id, "type")?;
    let node = tree.node(said);
    match node.kind {
        Kind::Text => Some(is_one(&tree.text(said))),
        // Nothing is the same as none.
        _ => (tree.raw(node.span) != b"null").then_some(false),
    }
}

/// Whether an event tells no more than that something goes on, and of what.
fn is_without_text(tree: &Tree<'_>, id: NodeId) -> bool {
    tree.children(id)
        .all(|member| match tree.node(member).kind {
            Kind::Number | Kind::Word => true,
            Kind::Text => {
                let key = tree.key(member);
                key == "type" || key == "id" || key.ends_with("_id")
            }
            Kind::Object | Kind::Array => false,
        })
}
