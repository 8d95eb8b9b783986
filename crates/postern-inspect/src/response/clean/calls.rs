//! Which call a piece is of. OpenAI numbers them; servers that speak its API may leave the number
//! out, say the id alone, or say it with the first piece alone.
//!
//! SECURITY: clients put a call together by what its pieces say. Were one call two to us, a value
//! in it would go on in halves; so pieces of which it is not clear end the answer.

use crate::bounds::CHANNELS_MAX;
use crate::clean::CleanError;
use crate::json::{NodeId, Tree};

use super::channels::{TWO_WAYS, are_same};
use super::ends::is_same;

/// A call that has begun.
#[derive(Debug, Clone)]
struct Begun {
    outer: Vec<Vec<u8>>,
    /// Its number, if a piece said it.
    index: Option<Vec<u8>>,
    id: Vec<u8>,
    identity: Vec<u8>,
}

/// The calls of one answer, the last one last.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    begun: Vec<Begun>,
}

impl Calls {
    /// What tells a call from others: its index, else its id, else what told the last one; what its
    /// first piece says holds for all of them.
    ///
    /// # Errors
    /// `CannotInspect` when it may be one that was told in another way, or there are too many.
    pub(super) fn identity(
        &mut self,
        tree: &Tree<'_>,
        call: NodeId,
        outer: &[Vec<u8>],
    ) -> Result<Vec<u8>, CleanError> {
        let index = tree.said(call, "index");
        let id = tree.said(call, "id").unwrap_or_default();
        let known = match &index {
            Some(index) => self.numbered(index, &id, outer)?,
            None => self.named(&id, outer, || names_one(tree, call))?,
        };
        let mut begun = match known {
            Some(at) => self.begun.remove(at),
            None if self.begun.len() >= CHANNELS_MAX => {
                return Err(CleanError::CannotInspect("too many calls in one answer"));
            }
            None => Begun {
                outer: outer.to_vec(),
                index: None,
                id: Vec::new(),
                identity: index.clone().unwrap_or_else(|| id.clone()),
            },
        };
        begun.index = index.or(begun.index);
        if !id.is_empty() {
            begun.id = id;
        }
        let identity = begun.identity.clone();
        // The newest is the one that a piece without a name goes on with.
        self.begun.push(begun);
        Ok(identity)
    }

    /// The call with this number, if it has begun.
    fn numbered(
        &self,
        index: &[u8],
        id: &[u8],
        outer: &[Vec<u8>],
    ) -> Result<Option<usize>, CleanError> {
        let numbered = |begun: &Begun| begun.index.as_ref().is_some_and(|it| is_same(it, index));
        if let Some(at) = self.last(outer, numbered) {
            return Ok(Some(at));
        }
        let unnumbered = |begun: &Begun| begun.index.is_none() && begun.id == id;
        match self.last(outer, unnumbered) {
            Some(at) => Ok(Some(at)),
            None if self.last(outer, |it| it.index.is_none()).is_some() => Err(TWO_WAYS),
            None => Ok(None),
        }
    }

    /// The call with this id, or the last one where there is none.
    fn named(
        &self,
        id: &[u8],
        outer: &[Vec<u8>],
        begins: impl FnOnce() -> bool,
    ) -> Result<Option<usize>, CleanError> {
        let known = self.last(outer, |begun| id.is_empty() || begun.id == id);
        let is_numbered = |begun: &Begun| begun.index.is_some();
        if known.is_some() || self.last(outer, |_| true).is_none() {
            return Ok(known);
        }
        if self.last(outer, is_numbered).is_some() || !begins() {
            return Err(TWO_WAYS);
        }
        Ok(None)
    }

    fn last(&self, outer: &[Vec<u8>], is_it: impl Fn(&Begun) -> bool) -> Option<usize> {
        let mut begun = self.begun.iter();
        begun.rposition(|begun| are_same(&begun.outer, outer) && is_it(begun))
    }
}

/// Whether a piece names what is called, as the first one of a call does.
fn names_one(tree: &Tree<'_>, call: NodeId) -> bool {
    let members = tree.children(call);
    { members }.any(|member| tree.said(member, "name").is_some())
}

/// Whether it is this member that tells a call from others.
pub(super) fn tells(tree: &Tree<'_>, call: NodeId, key: &str) -> bool {
    let by_index = tree.said(call, "index").is_some();
    key == if by_index { "index" } else { "id" }
}
