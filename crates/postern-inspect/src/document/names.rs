//! What the names of members say of the values under them, and what stands for them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::json::{NodeId, Tree};

/// The keys of an object, once one of them is replaced.
#[derive(Debug, Default)]
pub(super) struct Keys {
    taken: BTreeSet<String>,
    /// The last number that was put behind a key. Numbers are not tried twice, so that many keys
    /// do not cost the square of them.
    last: usize,
}

impl Keys {
    /// What stands for a key, with a number where another key of its object is the same.
    pub(super) fn apart(&mut self, tree: &Tree<'_>, object: NodeId, new: &str) -> String {
        if self.taken.is_empty() {
            let keys = tree
                .children(object)
                .map(|child| tree.key(child).into_owned());
            self.taken = keys.collect();
            self.last = 1;
        }
        let mut key = new.to_owned();
        while self.taken.contains(&key) {
            self.last += 1;
            key = format!("{new}_{}", self.last);
        }
        self.taken.insert(key.clone());
        key
    }
}

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
