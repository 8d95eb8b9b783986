//! Pieces of texts that are spread over the events of a stream.

use crate::clean::{CleanError, Cleaner};
use crate::json::{NodeId, Tree};
use crate::text::{By, TextShape};

/// A piece of a text that is spread over events.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) tree: &'a Tree<'a>,
    /// The values from the document down to the string itself, with their shapes.
    pub(crate) path: &'a [(NodeId, &'static TextShape)],
    /// What tells the text apart from others of its place, from the outside in.
    pub(crate) ids: &'a [Vec<u8>],
    pub(crate) json: bool,
    /// Names on the way in which a value stood, and what stands for each.
    pub(crate) renamed: &'a [(NodeId, String)],
    /// What the text is called.
    pub(crate) name: &'a str,
    pub(crate) place: &'a str,
    pub(crate) text: &'a str,
}

/// Takes the pieces of texts that are spread over events.
pub(crate) trait Pieces {
    /// Takes a piece; what may go on in its place is told later.
    ///
    /// # Errors
    /// When a value in it is blocked.
    fn piece(&mut self, piece: &Piece<'_>, cleaner: &mut Cleaner) -> Result<(), CleanError>;

    /// Takes a piece of a word, which goes on at once.
    ///
    /// # Errors
    /// When it and the pieces before it are together a value.
    fn joined(&mut self, piece: &Piece<'_>, cleaner: &Cleaner) -> Result<(), CleanError>;

    /// Takes a string that stands beside the texts of an event, and goes on at once.
    ///
    /// # Errors
    /// When it goes on with what an event before it began.
    fn steady(&mut self, piece: &Piece<'_>, cleaner: &mut Cleaner) -> Result<(), CleanError>;

    /// What tells an item or a call from others under these identities.
    ///
    /// # Errors
    /// When the events tell it in two ways.
    fn told(
        &mut self,
        tree: &Tree<'_>,
        by_object: (By, NodeId),
        outer: &[Vec<u8>],
    ) -> Result<Vec<u8>, CleanError>;
}
