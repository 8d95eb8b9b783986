//! Cleaning a JSON document that is held whole: a request, an answer, or one event of a stream.
//!
//! The document is read once and strictly ([`Tree`]); its strings are cleaned as the table of its
//! kind says ([`TextShape`]); then only the spans that changed are written anew, and every other
//! byte stays. A number that is a value becomes a string with what stands for it; a key that is one
//! is replaced so that no key stands twice.

mod edit;
mod file;
mod json_path;
mod kinds;
mod names;
mod number;
mod pieces;
mod walk;

use crate::clean::{CleanError, Cleaner};
use crate::json::Tree;
use crate::text::TextShape;

pub(crate) use crate::text::ALL_TEXT;
pub(crate) use edit::{Edits, New, write_string};
pub(crate) use names::told_name;
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use walk::Walk;

/// Cleans a document; `None` when nothing changed and its bytes pass as they are.
///
/// # Errors
/// When it holds a value that is blocked, or cannot be read in one way.
pub(crate) fn clean_json(
    body: &[u8],
    places: &'static TextShape,
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, CleanError> {
    Ok(edits(body, places, cleaner)?.apply(body))
}

/// What cleaning changes in a document.
///
/// # Errors
/// As [`clean_json`].
pub(crate) fn edits(
    body: &[u8],
    places: &'static TextShape,
    cleaner: &mut Cleaner,
) -> Result<Edits, CleanError> {
    let watches = cleaner.only_watches();
    let walked = walked(body, places, cleaner);
    if !watches {
        return walked;
    }
    // What a dry run cannot read passes, like everything else.
    if let Err(CleanError::CannotInspect(_)) = walked {
        cleaner.unread("body");
    }
    Ok(Edits::default())
}

fn walked(
    body: &[u8],
    places: &'static TextShape,
    cleaner: &mut Cleaner,
) -> Result<Edits, CleanError> {
    let tree = Tree::read(body).map_err(CleanError::CannotInspect)?;
    let mut walk = Walk::new(&tree, cleaner, None);
    walk.value(Tree::ROOT, places, "")?;
    Ok(walk.edits)
}

#[cfg(test)]
mod tests;
