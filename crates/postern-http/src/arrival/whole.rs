//! A body that is read whole: the bytes, and the room in memory that they take.

use bytes::Bytes;
use postern_guard::BodyRoom;
use postern_types::Refusal;

use super::body::ReceiveError;

/// A body that is being put together.
pub(super) struct Whole {
    bytes_max: usize,
    /// How long the client says that it is: room for more would be for nothing.
    declared: Option<usize>,
    room: BodyRoom,
    bytes: Gathered,
}

/// Most bodies come in one piece and are not copied.
enum Gathered {
    One(Bytes),
    Copied(Vec<u8>),
}

/// The bytes and their room, which is given back with the last slice of them, wherever that went:
/// a body lives on while a slow upstream takes it.
struct Kept {
    bytes: Gathered,
    _room: BodyRoom,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        match &self.bytes {
            Gathered::One(piece) => piece,
            Gathered::Copied(bytes) => bytes,
        }
    }
}

impl Whole {
    pub(super) fn new(bytes_max: usize, declared: Option<u64>, room: BodyRoom) -> Self {
        Self {
            bytes_max,
            declared: declared.and_then(|bytes| usize::try_from(bytes).ok()),
            room,
            bytes: Gathered::One(Bytes::new()),
        }
    }

    /// Takes a piece, and the room for it before that.
    ///
    /// # Errors
    /// `body_too_large`, and what taking room gives.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<(), Refusal> {
        let len = self.bytes.len() + piece.len();
        if len > self.bytes_max {
            return Err(ReceiveError::TooLarge.refusal());
        }
        match &mut self.bytes {
            Gathered::One(first) if first.is_empty() => {
                self.room.grow(piece.len() as u64)?;
                *first = piece;
            }
            Gathered::One(first) => {
                let capacity = capacity(first.len(), len, self.declared);
                self.room.grow((capacity - first.len()) as u64)?;
                let mut bytes = Vec::with_capacity(capacity);
                bytes.extend_from_slice(first);
                bytes.extend_from_slice(&piece);
                self.bytes = Gathered::Copied(bytes);
            }
            Gathered::Copied(bytes) => {
                if len > bytes.capacity() {
                    let capacity = capacity(bytes.capacity(), len, self.declared);
                    self.room.grow((capacity - bytes.capacity()) as u64)?;
                    bytes.reserve_exact(capacity - bytes.len());
                }
                bytes.extend_from_slice(&piece);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Bytes {
        if self.bytes.len() == 0 {
            return Bytes::new();
        }
        Bytes::from_owner(Kept {
            bytes: self.bytes,
            _room: self.room,
        })
    }
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::One(piece) => piece.len(),
            Self::Copied(bytes) => bytes.len(),
        }
    }
}

/// Doubling keeps the copying linear; the declared length keeps it from going past the end.
fn capacity(before: usize, needed: usize, declared: Option<usize>) -> usize {
    let doubled = before.saturating_mul(2);
    doubled.min(declared.unwrap_or(doubled)).max(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_by_doubling_and_not_past_the_declared_end() {
        assert_eq!(capacity(8, 9, None), 16);
        assert_eq!(capacity(8, 30, None), 30);
        assert_eq!(capacity(8, 9, Some(12)), 12);
        assert_eq!(capacity(8, 9, Some(9)), 9);
        // A declared length that was passed is somebody else's to refuse.
        assert_eq!(capacity(8, 20, Some(12)), 20);
    }
}
