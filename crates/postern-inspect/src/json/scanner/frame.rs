//! Where the scanner stands in objects and arrays.

use super::super::shape::Shape;
use super::super::{Fault, Place};

/// An object or array that is being read.
#[derive(Debug, Clone)]
pub(super) struct Frame<S: 'static> {
    pub(super) shape: Option<&'static Shape<S>>,
    pub(super) object: bool,
    /// The members that stood already, a bit each.
    pub(super) seen: u64,
    pub(super) filled: bool,
    pub(super) place: Place,
}

/// A key that was read.
pub(super) struct Key<'a> {
    /// `None` when it is longer than any that is read.
    pub(super) bytes: Option<&'a [u8]>,
    /// Whether it stands there as it is meant.
    pub(super) plain: bool,
    /// Whether an escaped NUL stood in it.
    pub(super) nul: bool,
}

impl<S> Frame<S> {
    /// What is read of the member with this key.
    pub(super) fn member(
        &mut self,
        strict: bool,
        key: &Key<'_>,
    ) -> Result<Option<&'static Shape<S>>, Fault> {
        let Some(shape) = self.shape else {
            return Ok(None);
        };
        if shape.members.is_empty() {
            return Ok(shape.rest);
        }
        if strict && key.nul {
            return Err(Fault::Spelling("a key"));
        }
        let Some(bytes) = key.bytes.filter(|bytes| shape.may_have(bytes)) else {
            return Ok(shape.rest);
        };
        match shape.find(bytes).filter(|_| key.plain || !strict) {
            Some(index) => {
                let member = &shape.members[index];
                let bit = 1 << index;
                if strict && self.seen & bit != 0 {
                    return Err(Fault::Twice(member.name));
                }
                self.seen |= bit;
                return Ok(member.shape);
            }
            None if strict => {
                if let Some(name) = shape.find_folded(bytes) {
                    return Err(Fault::Spelling(name));
                }
            }
            None => {}
        }
        Ok(shape.rest)
    }
}
