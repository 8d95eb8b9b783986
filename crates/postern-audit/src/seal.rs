//! Sealing: which keys close the bodies, and how one block of bodies is closed.
//!
//! A *domain* (an environment, or the installation) has versioned 32-byte keys that this crate only
//! borrows. From a domain's key, the random salt of one segment file and the boot that writes it, a
//! data key is derived with HKDF-SHA-256; it closes at most one block a frame, so the frame number
//! is a nonce that cannot repeat.
//!
//! SECURITY: a data key never outlives its file and boot. A recovered file is never appended to,
//! because its last frame number may already have been used for bytes that were then torn.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use thiserror::Error;
use zeroize::Zeroizing;

/// Where the keys of the sealing domains come from.
pub trait SealingKeys: Send + Sync {
    /// The key to seal new bodies of `domain` with.
    ///
    /// # Errors
    /// When the domain is unknown or its key cannot be had now.
    fn current(&self, domain: &str) -> Result<DomainKey, KeyError>;

    /// The key of `domain` with this version, to open bodies with.
    ///
    /// # Errors
    /// When there is no such key (any more), or it cannot be had now.
    fn by_version(&self, domain: &str, version: u32) -> Result<DomainKey, KeyError>;
}

/// One version of a domain's key.
#[derive(Clone)]
pub struct DomainKey {
    /// The version, written beside everything sealed under it.
    pub version: u32,
    /// The key itself.
    pub key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DomainKey")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Why a key could not be had.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The domain, or this version of its key, does not exist (any more).
    #[error("there is no such sealing key")]
    Unknown,
    /// The key source cannot answer now.
    #[error("the sealing key cannot be had: {0}")]
    Unavailable(Arc<str>),
}

/// What ties a data key to one file and one boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    pub(crate) log_id: [u8; 16],
    pub(crate) segment: u64,
    pub(crate) boot_id: [u8; 16],
    pub(crate) salt: [u8; 32],
}

/// Which block of which frame is sealed: bound into the additional data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace<'a> {
    pub(crate) frame: u32,
    pub(crate) first_seq: u64,
    pub(crate) domain: &'a str,
    pub(crate) key_version: u32,
    pub(crate) compressed: bool,
    pub(crate) plain_bytes: u32,
}

/// The data key of one domain in one file.
pub(crate) struct DataKey {
    key: LessSafeKey,
    file: FileIdentity,
}

/// The bytes were changed, moved, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the sealed block does not open")]
pub(crate) struct BlockDoesNotOpen;

const KEY_LABEL: &[u8] = b"postern-audit/1 data key";
const BLOCK_LABEL: &[u8] = b"postern-audit/1 block";

impl DataKey {
    /// Derives the data key of `domain` for one file.
    pub(crate) fn derive(file: &FileIdentity, domain: &str, from: &DomainKey) -> Self {
        let version = from.version.to_be_bytes();
        let segment = file.segment.to_be_bytes();
        let info: [&[u8]; 6] = [
            KEY_LABEL,
            &file.log_id,
            &segment,
            &file.boot_id,
            &version,
            domain.as_bytes(),
        ];
        let prk = Salt::new(HKDF_SHA256, &file.salt).extract(from.key.as_slice());
        let mut bytes = Zeroizing::new([0_u8; 32]);
        prk.expand(&info, KeyLength)
            .and_then(|okm| okm.fill(bytes.as_mut_slice()))
            .expect("HKDF-SHA-256 yields 32 bytes");
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).expect("the key has 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            file: *file,
        }
    }

    /// Seals `block` in place and appends the tag.
    ///
    /// INVARIANT: called at most once for a frame number, so that the nonce never repeats.
    pub(crate) fn seal(&self, place: &BlockPlace<'_>, block: &mut Vec<u8>) {
        self.key
            .seal_in_place_append_tag(nonce(place.frame), Aad::from(self.aad(place)), block)
            .expect("a block is far below the cipher's limit");
    }

    /// Opens `block` in place and gives the plaintext.
    pub(crate) fn open<'b>(
        &self,
        place: &BlockPlace<'_>,
        block: &'b mut [u8],
    ) -> Result<&'b [u8], BlockDoesNotOpen> {
        self.key
            .open_in_place(nonce(place.frame), Aad::from(self.aad(place)), block)
            .map(|plain| &*plain)
            .map_err(|_| BlockDoesNotOpen)
    }

    /// Everything that says where a block belongs, so that it opens nowhere else.
    fn aad(&self, place: &BlockPlace<'_>) -> Vec<u8> {
        let mut aad = Vec::with_capacity(BLOCK_LABEL.len() + 45 + place.domain.len());
        aad.extend_from_slice(BLOCK_LABEL);
        aad.extend_from_slice(&self.file.log_id);
        aad.extend_from_slice(&self.file.segment.to_be_bytes());
        aad.extend_from_slice(&place.frame.to_be_bytes());
        aad.extend_from_slice(&place.first_seq.to_be_bytes());
        aad.extend_from_slice(&place.key_version.to_be_bytes());
        aad.push(u8::from(place.compressed));
        aad.extend_from_slice(&place.plain_bytes.to_be_bytes());
        aad.extend_from_slice(place.domain.as_bytes());
        aad
    }
}

/// The frame number as a nonce: unique because a data key seals one block a frame.
fn nonce(frame: u32) -> Nonce {
    let mut bytes = [0_u8; 12];
    bytes[8..].copy_from_slice(&frame.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Entries without bodies need no keys.
    pub(crate) struct NoKeys;

    impl SealingKeys for NoKeys {
        fn current(&self, _: &str) -> Result<DomainKey, KeyError> {
            Err(KeyError::Unknown)
        }

        fn by_version(&self, _: &str, _: u32) -> Result<DomainKey, KeyError> {
            Err(KeyError::Unknown)
        }
    }

    fn identity() -> FileIdentity {
        FileIdentity {
            log_id: [1; 16],
            segment: 7,
            boot_id: [2; 16],
            salt: [3; 32],
        }
    }

    fn domain_key(byte: u8) -> DomainKey {
        DomainKey {
            version: 1,
            key: Zeroizing::new([byte; 32]),
        }
    }

    fn place(domain: &str) -> BlockPlace<'_> {
        BlockPlace {
            frame: 4,
            first_seq: 9,
            domain,
            key_version: 1,
            compressed: false,
            plain_bytes: 5,
        }
    }

    #[test]
    fn a_block_opens_only_where_it_was_sealed() {
        // Goal: a sealed block cannot be moved. Method: seal one, then change each thing that
        // names its place, one at a time, and see that it does not open.
        let key = DataKey::derive(&identity(), "dev", &domain_key(9));
        let mut sealed = b"hello".to_vec();
        key.seal(&place("dev"), &mut sealed);
        assert_eq!(
            key.open(&place("dev"), &mut sealed.clone()).expect("opens"),
            b"hello"
        );

        let moved = [
            BlockPlace {
                frame: 5,
                ..place("dev")
            },
            BlockPlace {
                first_seq: 10,
                ..place("dev")
            },
            BlockPlace {
                domain: "prod",
                ..place("dev")
            },
            BlockPlace {
                key_version: 2,
                ..place("dev")
            },
            BlockPlace {
                compressed: true,
                ..place("dev")
            },
            BlockPlace {
                plain_bytes: 6,
                ..place("dev")
            },
        ];
        for place in &moved {
            assert!(key.open(place, &mut sealed.clone()).is_err(), "{place:?}");
        }
    }

    #[test]
    fn every_part_of_the_identity_changes_the_data_key() {
        // Goal: no two files, boots, domains or key versions share a data key. Method: seal under
        // one, try to open under keys that differ in one part each.
        let key = DataKey::derive(&identity(), "dev", &domain_key(9));
        let mut sealed = b"hello".to_vec();
        key.seal(&place("dev"), &mut sealed);
        let others = [
            DataKey::derive(
                &FileIdentity {
                    boot_id: [8; 16],
                    ..identity()
                },
                "dev",
                &domain_key(9),
            ),
            DataKey::derive(
                &FileIdentity {
                    salt: [8; 32],
                    ..identity()
                },
                "dev",
                &domain_key(9),
            ),
            DataKey::derive(
                &FileIdentity {
                    segment: 8,
                    ..identity()
                },
                "dev",
                &domain_key(9),
            ),
            DataKey::derive(
                &FileIdentity {
                    log_id: [8; 16],
                    ..identity()
                },
                "dev",
                &domain_key(9),
            ),
            DataKey::derive(&identity(), "prod", &domain_key(9)),
            DataKey::derive(&identity(), "dev", &domain_key(8)),
        ];
        for other in others {
            // The additional data is taken from the file of the first key: only the key differs.
            let other = DataKey {
                key: other.key,
                file: identity(),
            };
            assert_eq!(
                other.open(&place("dev"), &mut sealed.clone()),
                Err(BlockDoesNotOpen)
            );
        }
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", domain_key(0x41)).contains("65"));
    }
}
