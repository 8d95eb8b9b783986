//! What stands beside the texts of events, in members that no table names: who serves the model,
//! what it cites.
//!
//! Such a string goes on with its event, whole. Were it the next piece of a text, a value would get
//! through piece by piece; so it says in each event what it said before, or more beside it, and an
//! event that says something else ends the answer.

use std::hash::{DefaultHasher, Hasher as _};

use postern_types::OpaqueAction;

use crate::bounds::BESIDE_MAX;
use crate::clean::{CleanError, Cleaner};
use crate::document::Piece;

/// Strings of one place, in their order.
#[derive(Debug, Clone)]
struct Place {
    /// The place, with what tells it from others like it, as a hash.
    of: u64,
    /// The strings, each as a hash.
    said: Vec<u64>,
    /// How many came in the current event.
    come: usize,
}

/// What the events of one answer said beside their texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    places: Vec<Place>,
    strings: usize,
}

const OTHER: CleanError =
    CleanError::CannotInspect("it holds a text in pieces where no table knows of one");

const TOO_MUCH: CleanError = CleanError::CannotInspect("too much stands beside the texts");

impl Beside {
    /// Another event begins.
    pub(super) fn begin(&mut self) {
        self.places.iter_mut().for_each(|place| place.come = 0);
    }

    /// Takes a string.
    ///
    /// # Errors
    /// When the same place said something else before, unless content that is no text may pass.
    pub(super) fn take(
        &mut self,
        piece: &Piece<'_>,
        cleaner: &mut Cleaner,
    ) -> Result<(), CleanError> {
        if piece.text.is_empty() || cleaner.opaque() == OpaqueAction::Allow {
            return Ok(());
        }
        let of = hash(&(piece.name, piece.ids));
        let said = hash(&piece.text);
        let at = match self.places.iter().position(|place| place.of == of) {
            Some(at) => at,
            None => {
                self.places.push(Place {
                    of,
                    said: Vec::new(),
                    come: 0,
                });
                self.places.len() - 1
            }
        };
        let place = &mut self.places[at];
        place.come += 1;
        match place.said.get(place.come - 1) {
            Some(before) if *before == said => Ok(()),
            Some(_) => cleaner.refuse(piece.place, OTHER),
            None if self.strings == BESIDE_MAX => Err(TOO_MUCH),
            None => {
                self.strings += 1;
                place.said.push(said);
                Ok(())
            }
        }
    }
}

/// A number of a text, the same in every process.
fn hash(of: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
