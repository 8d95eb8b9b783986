//! What the names of members say of the values under them.

use std::borrow::Cow;

/// Whether words under this key are names and ids that somebody chose, no vocabulary of the format.
pub(super) fn is_of_names(key: &str) -> bool {
    const ENDS: &[&str] = &["name", "id", "Id", "ids", "namespace"];
    ENDS.iter().any(|end| key.ends_with(end))
}

/// How a name of the client's own is told in a place: as it is if it is letters alone, so that it
/// is no value, else as a star.
pub(crate) fn told_name(name: &str) -> &str {
    /// The longest name that is told.
    const BYTES_MAX: usize = 32;
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let plain = !name.is_empty() && name.len() <= BYTES_MAX && name.bytes().all(letter);
    if plain { name } else { "*" }
}

/// The text that stands to the left of a value under a key.
pub(super) fn left_of(key: &str) -> Cow<'_, str> {
    if key.is_empty() {
        Cow::Borrowed("")
    } else {
        Cow::Owned(format!("{key}: "))
    }
}
