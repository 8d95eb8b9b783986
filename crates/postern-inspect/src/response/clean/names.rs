//! Words that clients put together from the events of a stream: the name of a call, its id.
//!
//! They go on at once, since a client cannot begin a call without its name. So they cannot be held
//! like text, and pieces that make up a value together end the answer.

use crate::bounds::{CHANNELS_MAX, WORD_BYTES_MAX};
use crate::clean::{CleanError, Cleaner};
use crate::document::Piece;
use crate::text::is_word;

use super::channels::are_same;

/// A word that has begun.
#[derive(Debug, Clone)]
struct Begun {
    way: String,
    ids: Vec<Vec<u8>>,
    /// Its first piece, which some servers repeat in each event.
    first: String,
    /// All of it, or its end where it is long.
    whole: String,
}

/// The words of one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    begun: Vec<Begun>,
}

impl Names {
    /// Takes the next piece of a word.
    ///
    /// # Errors
    /// `CannotInspect` when the pieces so far hold a value together, or there are too many words.
    pub(super) fn take(&mut self, piece: &Piece<'_>, cleaner: &Cleaner) -> Result<(), CleanError> {
        if piece.text.is_empty() {
            return Ok(());
        }
        let same = |begun: &&mut Begun| begun.way == piece.name && are_same(&begun.ids, piece.ids);
        let Some(begun) = self.begun.iter_mut().find(same) else {
            if self.begun.len() >= CHANNELS_MAX {
                return Err(CleanError::CannotInspect("too many names at the same time"));
            }
            self.begun.push(Begun {
                way: piece.name.to_owned(),
                ids: piece.ids.to_vec(),
                first: piece.text.to_owned(),
                whole: piece.text.to_owned(),
            });
            return Ok(());
        };
        let lettered = || piece.text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if piece.text == begun.first && is_word(piece.text) && lettered() {
            return Ok(());
        }
        begun.whole.push_str(piece.text);
        let end = begun.whole.len().saturating_sub(WORD_BYTES_MAX);
        let end = (end..).find(|at| begun.whole.is_char_boundary(*at));
        begun.whole.drain(..end.unwrap_or(0));
        if cleaner.holds_value(&begun.whole) {
            return Err(CleanError::CannotInspect(
                "the pieces of a name make up a value",
            ));
        }
        Ok(())
    }
}
