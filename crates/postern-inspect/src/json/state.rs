//! Where in a document the scanner stands.

use super::Scalar;
use super::number::Number;

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// A value.
    Value,
    /// A value or the end of the array.
    FirstElement,
    /// A key or the end of the object.
    FirstKey,
    /// A key.
    Key,
    /// The colon after a key.
    Colon,
    /// After a value: a comma or the end of what it is in.
    Next,
    /// The inside of a string.
    Text,
    /// The byte after a backslash.
    Escape,
    /// The digits of a `\u` escape: how many are left, and their value so far.
    Unit(u8, u16),
    /// The inside of a number.
    Number(Number),
    /// The inside of `true`, `false` or `null`: how many letters of it stood.
    Word(Word, u8),
    /// After the document: only whitespace.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    True,
    False,
    Null,
}

impl Word {
    pub(super) fn letters(self) -> &'static [u8] {
        match self {
            Self::True => b"true",
            Self::False => b"false",
            Self::Null => b"null",
        }
    }

    pub(super) fn value(self) -> Scalar<'static> {
        match self {
            Self::True => Scalar::Flag(true),
            Self::False => Scalar::Flag(false),
            Self::Null => Scalar::Null,
        }
    }
}
