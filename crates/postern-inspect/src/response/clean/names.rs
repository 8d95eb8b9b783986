//! Words that clients put together from the events of a stream: the name of a call, its id.
//!
//! They go on at once, since a client cannot begin a call without its name. So they cannot be held
//! like text, and pieces that make up a value together end the answer.

use crate::bounds::{CHANNELS_MAX, WORD_BYTES_MAX};
use crate::clean::{CleanError, Cleaner};
use crate::detect::context::ceiling;
use crate::document::Piece;
use crate::text::is_word;

use super::channels::are_same;

/// A word that has begun.
#[derive(Debug, Clone)]
struct Begun {
    way: String,
    ids: Vec<Vec<u8>>,
    /// Its first piece, which some servers repeat in each event; empty if that is no word.
    first: String,
    /// Whether another piece has come.
    grown: bool,
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
            let first = if is_word(piece.text) { piece.text } else { "" };
            self.begun.push(Begun {
                way: piece.name.to_owned(),
                ids: piece.ids.to_vec(),
                first: first.to_owned(),
                grown: false,
                whole: end_of(piece.text).to_owned(),
            });
            return Ok(());
        };
        let lettered = || piece.text.bytes().any(|byte| byte.is_ascii_alphabetic());
        // SECURITY: once it has grown, the first piece again makes it longer like any other.
        if !begun.grown && piece.text == begun.first && lettered() {
            return Ok(());
        }
        begun.grown = true;
        begun.whole.push_str(end_of(piece.text));
        let kept = end_of(&begun.whole).len();
        begun.whole.drain(..begun.whole.len() - kept);
        if cleaner.holds_value(&begun.whole) {
            return Err(CleanError::CannotInspect(
                "the pieces of a name make up a value",
            ));
        }
        Ok(())
    }
}

/// The end of a word, as much of it as is kept.
fn end_of(text: &str) -> &str {
    let from = text.len().saturating_sub(WORD_BYTES_MAX);
    &text[ceiling(text, from)..]
}

#[cfg(test)]
mod tests {
    use postern_types::Direction;

    use super::*;
    use crate::json::Tree;
    use crate::testing::cleaner;

    /// Goal: what is kept of a word is bounded, however long its pieces are. Method: long pieces
    /// that are words, that are none, and that end inside a letter of several bytes.
    #[test]
    fn what_is_kept_of_a_word_is_bounded() {
        let tree = Tree::read(b"{}").unwrap();
        let cleaner = cleaner(Direction::Response, |_| {});
        let long = WORD_BYTES_MAX * 3 + 1;
        for text in ["a ".repeat(long), "é".repeat(long), "a".repeat(long)] {
            let mut names = Names::default();
            for _ in 0..3 {
                let piece = Piece {
                    tree: &tree,
                    path: &[],
                    ids: &[],
                    renamed: &[],
                    json: false,
                    name: "name",
                    place: "name",
                    text: &text,
                };
                names.take(&piece, &cleaner).unwrap();
                let begun = &names.begun[0];
                for kept in [&begun.first, &begun.whole] {
                    assert!(kept.capacity() <= 3 * WORD_BYTES_MAX, "{}", kept.capacity());
                }
            }
        }
    }
}
