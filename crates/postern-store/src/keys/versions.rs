//! Keys with their versions.

use postern_types::{Pepper, Secret};
use zeroize::Zeroizing;

use super::KeyPurpose;
use super::document::Document;

/// A key with its version. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct VersionedKey {
    /// The version, written beside whatever is made with the key.
    pub version: u32,
    /// The key.
    pub key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for VersionedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VersionedKey(version {}, key redacted)", self.version)
    }
}

/// The peppers of one domain: the current one for new digests, all of them for checking.
#[derive(Debug)]
pub struct Peppers {
    pub(super) all: Vec<Pepper>,
}

impl Peppers {
    pub(super) fn new(document: &Document) -> Self {
        let all = document.keys(KeyPurpose::Pepper);
        Self {
            all: all
                .iter()
                .map(|key| Pepper::new(key.version, Secret::new(key.key.to_vec())))
                .collect(),
        }
    }

    /// The newest.
    #[must_use]
    pub fn current(&self) -> &Pepper {
        self.all
            .last()
            .expect("a document without a key for each purpose is not accepted")
    }

    /// The one that made a digest.
    #[must_use]
    pub fn by_version(&self, version: u32) -> Option<&Pepper> {
        self.all.iter().find(|pepper| pepper.version() == version)
    }
}
