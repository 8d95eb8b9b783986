//! Parts of Gemini's answers that come whole: code, what it gave, calls and what they gave.
//!
//! What stands in such a part goes on with its event. A client may put the next one of its kind
//! behind it, and a value would get through in halves; so a part that may go on with the one before
//! it ends the answer.

use postern_types::OpaqueAction;

use crate::bounds::CHANNELS_MAX;
use crate::clean::{CleanError, Cleaner};
use crate::json::{Kind, NodeId, Tree};

use super::ends::is_same;

/// A kind of part.
#[derive(Debug, PartialEq, Eq)]
struct Whole {
    /// The member that holds it, in both spellings.
    names: [&'static str; 2],
    /// What is in it; empty where all of it is.
    said: &'static str,
    /// Whether several may stand behind each other; then an id tells that two are one.
    many: bool,
}

const fn whole(names: [&'static str; 2], said: &'static str, many: bool) -> Whole {
    Whole { names, said, many }
}

static WHOLES: [Whole; 6] = [
    whole(["executableCode", "executable_code"], "code", false),
    whole(
        ["codeExecutionResult", "code_execution_result"],
        "output",
        false,
    ),
    whole(["functionCall", "function_call"], "args", true),
    whole(["functionResponse", "function_response"], "response", true),
    whole(["toolCall", "tool_call"], "args", true),
    whole(["toolResponse", "tool_response"], "response", true),
];

/// The last part of a candidate.
#[derive(Debug, Clone)]
struct Last {
    candidate: Vec<u8>,
    kind: &'static Whole,
    id: Option<Vec<u8>>,
}

/// The last parts of one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Wholes {
    last: Vec<Last>,
}

const SEVERAL: CleanError = CleanError::CannotInspect("a part is of several kinds");

const GOES_ON: CleanError = CleanError::CannotInspect("a part that comes whole comes in pieces");

impl Wholes {
    /// Looks at the parts of an event.
    ///
    /// # Errors
    /// `CannotInspect` when one may go on with the part before it, or is of several kinds, unless
    /// content that is no text may pass.
    pub(super) fn check(
        &mut self,
        tree: &Tree<'_>,
        cleaner: &mut Cleaner,
    ) -> Result<(), CleanError> {
        if cleaner.opaque() == OpaqueAction::Allow {
            return Ok(());
        }
        for candidate in elements(tree, Tree::ROOT, "candidates") {
            let index = tree.said(candidate, "index").unwrap_or_default();
            let Some(content) = tree.member(candidate, "content") else {
                continue;
            };
            for part in elements(tree, content, "parts") {
                self.part(tree, &index, part, cleaner)?;
            }
        }
        Ok(())
    }

    fn part(
        &mut self,
        tree: &Tree<'_>,
        candidate: &[u8],
        part: NodeId,
        cleaner: &mut Cleaner,
    ) -> Result<(), CleanError> {
        let of = |last: &Last| is_same(&last.candidate, candidate);
        let mut found = WHOLES.iter().filter_map(|kind| {
            let id = kind.names.iter().find_map(|name| tree.member(part, name))?;
            Some((kind, id))
        });
        let first = found.next();
        // SECURITY: the others would go on unseen. The provider has one of them in a part.
        if found.next().is_some() {
            return cleaner.refuse("event", SEVERAL);
        }
        let Some((kind, id)) = first else {
            // A text stands between; one without a letter does not.
            if tree.said(part, "text").is_some() {
                self.last.retain(|last| !of(last));
            }
            return Ok(());
        };
        if tree.said(id, kind.said).is_none_or(|said| said == b"{}") {
            return Ok(());
        }
        let next = Last {
            candidate: candidate.to_vec(),
            kind,
            id: tree.said(id, "id"),
        };
        let goes_on = match self.last.iter().position(of) {
            Some(at) => {
                let before = self.last.swap_remove(at);
                next.goes_on_with(&before)
            }
            None => self.last.len() >= CHANNELS_MAX,
        };
        self.last.push(next);
        if goes_on {
            return cleaner.refuse("event", GOES_ON);
        }
        Ok(())
    }
}

impl Last {
    fn goes_on_with(&self, before: &Self) -> bool {
        let is_one = match (&self.id, &before.id) {
            (Some(id), Some(before)) => id == before,
            _ => !self.kind.many,
        };
        self.kind == before.kind && is_one
    }
}

/// The elements of a member that is an array.
pub(super) fn elements<'t>(
    tree: &'t Tree<'_>,
    object: NodeId,
    name: &str,
) -> impl Iterator<Item = NodeId> + use<'t> {
    let list = tree.member(object, name);
    let list = list.filter(|id| tree.node(*id).kind == Kind::Array);
    list.into_iter().flat_map(|id| tree.children(id))
}
