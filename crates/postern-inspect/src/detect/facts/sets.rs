//! Sets of bytes, made of others.

use super::ByteSet;

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
}
