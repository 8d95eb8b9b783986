//! A strict JSON reader that is fed piece by piece and reports what stands at known places.
//!
//! [`shape::Shape`] is a table that says which members of which objects are read. The
//! [`Scanner`] walks any document once, in linear time, without recursion, and tells a [`Sink`]
//! about the values at those places; everything else is checked for grammar (RFC 8259) and
//! forgotten. Memory is bounded by the depth and by the longest value that is captured, never by
//! the document, so the same scanner reads a request in one piece and an endless answer in many.
//!
//! In strict mode, for requests, the objects of the table also hold every reader to one meaning: a
//! key that is read may stand once, spelled plainly. `"model"` twice, `"mod\u0065l"`, `"Model"` and
//! both spellings of a protobuf field are faults, because readers disagree on them. So is an object
//! where a list is read: a reader that took it would see what this one does not.

mod number;
mod scanner;
mod shape;
mod state;
mod text;
mod tree;

pub(crate) use scanner::Scanner;
#[cfg(test)]
pub(crate) use shape::each_below;
pub(crate) use shape::{Leaf, Member, Shape};
pub(crate) use tree::{Kind, NodeId, Span, Tree};

use crate::InspectError;

/// Why a document is not read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON.
    Syntax(&'static str),
    /// It is nested too deeply.
    TooDeep,
    /// A key that is read stands twice in one object.
    Twice(&'static str),
    /// A key that is read is spelled so that only some readers see it.
    Spelling(&'static str),
    /// A list stands where an object is read, or an object where a list is: what is inside would
    /// not be seen.
    Kind,
    /// The sink refuses what stands there.
    Refused(InspectError),
}

impl From<Fault> for InspectError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax(what) => Self::bad(format!("the body is not JSON: {what}")),
            Fault::TooDeep => Self::bad("the body is nested too deeply"),
            Fault::Twice(key) => Self::bad(format!("{key} stands twice")),
            Fault::Spelling(key) => Self::bad(format!("{key} is spelled in an odd way")),
            Fault::Kind => Self::bad("an object or a list stands where the other is read"),
            Fault::Refused(error) => error,
        }
    }
}

/// A scalar value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    /// A string.
    Text(Text<'a>),
    /// A number, as it is written; `None` when it is longer than any number that is used.
    Number(Option<&'a [u8]>),
    /// `true` or `false`.
    Flag(bool),
    /// `null`.
    Null,
}

/// A string value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    /// The decoded bytes; `None` when they are longer than anything that is captured.
    pub(crate) bytes: Option<&'a [u8]>,
    /// Whether an escape other than `\/` stands in it.
    pub(crate) escaped: bool,
    /// Whether it holds half of a surrogate pair, which readers decode differently.
    pub(crate) lone_surrogate: bool,
}

impl<'a> Text<'a> {
    /// The text, if it is short enough and Unicode.
    pub(crate) fn as_str(self) -> Option<&'a str> {
        let bytes = self.bytes.filter(|_| !self.lone_surrogate)?;
        std::str::from_utf8(bytes).ok()
    }
}

/// Where a value stands; offsets are those of the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The first byte of the value.
    pub(crate) start: usize,
    /// The byte after the value.
    pub(crate) end: usize,
    /// The first byte of its key, where it is a member.
    pub(crate) key: usize,
    /// The comma before the key or element, unless it is the first.
    pub(crate) comma: Option<usize>,
}

/// Takes what stands at the places of a table.
pub(crate) trait Sink<S> {
    /// A scalar at a captured place.
    fn scalar(&mut self, slot: S, value: Scalar<'_>, place: Place) -> Result<(), Fault>;

    /// An object or array begins at a captured place.
    fn container(&mut self, slot: S, object: bool) -> Result<(), Fault> {
        let _ = (slot, object);
        Ok(())
    }

    /// A marked object or array begins.
    fn opened(&mut self, mark: S, object: bool) -> Result<(), Fault> {
        let _ = (mark, object);
        Ok(())
    }

    /// A marked object or array ends; `filled` says whether anything is in it.
    fn closed(&mut self, mark: S, place: Place, filled: bool) -> Result<(), Fault> {
        let _ = (mark, place, filled);
        Ok(())
    }

    /// So many bytes of text stand at a counted place.
    fn text(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// So many bytes of text stand at a measured place.
    fn measured(&mut self, slot: S, bytes: u64) {
        let _ = (slot, bytes);
    }
}

#[cfg(test)]
mod tests;
