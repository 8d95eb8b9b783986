//! An answer that is held to its end: bounded by itself, and in sum with the bodies of requests.

use bytes::Bytes;
use postern_guard::BodyRoom;
use postern_inspect::InspectError;
use postern_types::Refusal;

use crate::bounds::ANSWER_HELD_BYTES_MAX;
use crate::context::refuse;

/// What is held of one answer, and the room that it takes.
///
/// KNOWN GAP: what a reader unfolds out of a coded body counts when it is given out, not before;
/// until then only the reader's own bound holds it.
pub(super) struct Held {
    room: BodyRoom,
    taken: u64,
    arrived: usize,
    /// Pieces that the reader has given out, and their bytes.
    given: (usize, usize),
    /// As it came, where it may have to go on like that.
    original: Option<Vec<Bytes>>,
    /// Whether it does.
    passes: bool,
}

/// The bytes and their room, which is given back when the client has taken them all.
struct Kept {
    bytes: Bytes,
    _room: BodyRoom,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    /// `keeps` says that the answer is also kept as it came.
    pub(super) fn new(room: BodyRoom, keeps: bool) -> Self {
        Self {
            room,
            taken: 0,
            arrived: 0,
            given: (0, 0),
            original: keeps.then(Vec::new),
            passes: false,
        }
    }

    /// Takes note of a piece, before anything is done with it.
    ///
    /// # Errors
    /// `cannot_inspect` when the answer is larger than any that is held; and what taking room
    /// gives.
    pub(super) fn arrive(&mut self, piece: &Bytes) -> Result<(), Refusal> {
        self.arrived += piece.len();
        if let Some(original) = &mut self.original {
            original.push(piece.clone());
        }
        self.grow()
    }

    /// Takes note of what the reader has given out so far; it only ever adds to that.
    ///
    /// # Errors
    /// As [`Held::arrive`].
    pub(super) fn given(&mut self, out: &[Bytes]) -> Result<(), Refusal> {
        let (pieces, bytes) = self.given;
        let new: usize = out.iter().skip(pieces).map(Bytes::len).sum();
        self.given = (out.len(), bytes + new);
        self.grow()
    }

    fn grow(&mut self) -> Result<(), Refusal> {
        // What was given out is no longer held by the reader, so the larger of the two is there.
        let read = self.arrived.max(self.given.1);
        if read > ANSWER_HELD_BYTES_MAX {
            let cause = "the answer is larger than one that can be held to its end";
            return Err(refuse(&InspectError::CannotInspect(cause.into())));
        }
        let kept = if self.original.is_some() {
            self.arrived
        } else {
            0
        };
        let needed = (read + kept) as u64;
        if let Some(more) = needed.checked_sub(self.taken).filter(|more| *more > 0) {
            self.room.grow(more)?;
            self.taken = needed;
        }
        Ok(())
    }

    /// The answer passes as it came.
    pub(super) fn pass(&mut self) {
        self.passes = true;
    }

    /// The answer as it came, where it passes like that.
    pub(super) fn take_passing(&mut self) -> Option<Vec<Bytes>> {
        let original = self.original.take();
        self.passes.then(|| original.unwrap_or_default())
    }

    /// The pieces as one, with their room.
    pub(super) fn finish(self, pieces: Vec<Bytes>) -> Bytes {
        let bytes = match <[Bytes; 1]>::try_from(pieces) {
            Ok([one]) => one,
            Err(many) => Bytes::from(many.concat()),
        };
        if bytes.is_empty() {
            return bytes;
        }
        Bytes::from_owner(Kept {
            bytes,
            _room: self.room,
        })
    }
}
