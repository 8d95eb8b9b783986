//! Sets of bytes, made of others.

use super::ByteSet;

/// White space to the patterns of the tables: what `\s` is there, which has the vertical tab too.
const WHITE: [u8; 6] = *b" \t\r\n\x0b\x0c";

/// Whether white space to the patterns of the tables.
pub(crate) fn is_white(byte: u8) -> bool {
    WHITE.contains(&byte)
}

impl ByteSet {
    /// The set of the bytes whose bits are set, the lowest first.
    pub(crate) const fn of_bits(bits: [u64; 4]) -> Self {
        Self(bits)
    }

    /// The bytes that both sets have.
    pub(crate) fn meet(mut self, other: &Self) -> Self {
        for (word, also) in self.0.iter_mut().zip(other.0) {
            *word &= also;
        }
        self
    }

    /// The set without white space, and whether it had any.
    pub(super) fn remove_white(mut self) -> (Self, bool) {
        let had = WHITE.iter().any(|byte| self.has(*byte));
        for byte in WHITE {
            self.remove(byte);
        }
        (self, had)
    }
}
