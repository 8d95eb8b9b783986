//! Sealed columns: envelope encryption bound to the place where the column stands.
//!
//! Each sealing draws a fresh data key; AES-256-GCM under it closes the plaintext, and AES-256-GCM
//! under the environment's credential key (KEK) closes the data key. Layout:
//!
//! ```text
//! format 1 | KEK version 4 | nonce 12 | data key 32 + tag 16 | nonce 12 | plaintext + tag 16
//! ```
//!
//! Both layers bind the place: environment, noun, name, row, column, the version of the column's
//! content, the KEK version, which layer it is, and what stands beside it. So a sealed column that
//! is copied to another row, column or environment does not open, neither does an older one put
//! back, and a credential does not open when the address beside it was changed in the file.

mod kept;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use postern_types::Secret;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keys::{KeyDomain, KeyPurpose, KeyRing, VersionedKey};
use crate::random::Random;

pub(crate) use kept::{seal_kept, unseal_kept};

const FORMAT: u8 = 1;
const RECORD_FORMAT: u8 = 2;
const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;
const HEAD_LEN: usize = 1 + 4;
const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;

/// Where a sealed column stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) domain: &'a KeyDomain,
    pub(crate) noun: &'static str,
    pub(crate) name: &'a str,
    /// The row's number, which no later row of the same name gets.
    pub(crate) row: i64,
    pub(crate) column: &'static str,
    /// Rises each time the column gets new content.
    pub(crate) version: i64,
    /// What else the content may not be parted from: for a credential, the server it is sent to.
    pub(crate) beside: &'a str,
}

/// Why a sealed column does not open. One text for all causes that an attacker could try out.
#[derive(Debug, Error)]
#[error(
    "the sealed {column} of {noun} {name} does not open: it was changed, moved, or its key is gone"
)]
pub(crate) struct UnsealError {
    noun: &'static str,
    name: String,
    column: &'static str,
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have one binding.
    fn binding(&self, layer: u8, kek_version: u32) -> Vec<u8> {
        let mut binding = Vec::with_capacity(128);
        binding.extend_from_slice(b"postern sealed column");
        binding.push(FORMAT);
        binding.push(layer);
        binding.extend_from_slice(&kek_version.to_be_bytes());
        binding.extend_from_slice(&self.row.to_be_bytes());
        binding.extend_from_slice(&self.version.to_be_bytes());
        let parts = [
            self.domain.as_str(),
            self.noun,
            self.name,
            self.column,
            self.beside,
        ];
        for part in parts {
            binding.extend_from_slice(&(part.len() as u64).to_be_bytes());
            binding.extend_from_slice(part.as_bytes());
        }
        binding
    }

    fn error(&self) -> UnsealError {
        UnsealError {
            noun: self.noun,
            name: format!("{}/{}", self.domain.as_str(), self.name),
            column: self.column,
        }
    }
}

const LAYER_KEY: u8 = 1;
const LAYER_CONTENT: u8 = 2;
const LAYER_RECORD: u8 = 3;

/// Seals a plaintext for its place.
pub(crate) fn seal(
    keys: &KeyRing,
    random: &dyn Random,
    place: &Place<'_>,
    plaintext: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let kek = keys.key(place.domain, KeyPurpose::Credential, None)?;
    let mut data_key = Zeroizing::new([0; KEY_LEN]);
    random.fill(&mut *data_key)?;

    let mut sealed = vec![FORMAT];
    sealed.extend_from_slice(&kek.version.to_be_bytes());
    let binding = place.binding(LAYER_KEY, kek.version);
    close(&kek.key, random, &binding, &*data_key, &mut sealed)?;
    let binding = place.binding(LAYER_CONTENT, kek.version);
    close(&data_key, random, &binding, plaintext, &mut sealed)?;
    Ok(sealed)
}

/// Opens a sealed column at its place.
pub(crate) fn unseal(
    keys: &KeyRing,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Secret, UnsealError> {
    let (kek, wrapped, content) = split(keys, place, sealed).ok_or_else(|| place.error())?;
    let binding = place.binding(LAYER_KEY, kek.version);
    let data_key = open(&kek.key, &binding, wrapped).ok_or_else(|| place.error())?;
    let data_key = <&[u8; KEY_LEN]>::try_from(data_key.expose()).map_err(|_| place.error())?;
    let binding = place.binding(LAYER_CONTENT, kek.version);
    open(data_key, &binding, content).ok_or_else(|| place.error())
}

fn split<'a>(
    keys: &KeyRing,
    place: &Place<'_>,
    sealed: &'a [u8],
) -> Option<(VersionedKey, &'a [u8], &'a [u8])> {
    let (head, rest) = sealed.split_at_checked(HEAD_LEN)?;
    let (format, version) = head.split_first()?;
    if *format != FORMAT {
        return None;
    }
    let version = u32::from_be_bytes(version.try_into().ok()?);
    let kek = keys
        .key(place.domain, KeyPurpose::Credential, Some(version))
        .ok()?;
    let (wrapped, content) = rest.split_at_checked(WRAPPED_LEN)?;
    Some((kek, wrapped, content))
}

/// Seals a record: the row's own key would be of no use, since all of its rows are read alike, so
/// it is closed under the domain's record key at once. Layout: format 2, key version 4, nonce 12,
/// plaintext and tag 16.
pub(crate) fn seal_record(
    keys: &KeyRing,
    random: &dyn Random,
    place: &Place<'_>,
    plaintext: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let key = keys.key(place.domain, KeyPurpose::Record, None)?;
    let mut sealed = vec![RECORD_FORMAT];
    sealed.extend_from_slice(&key.version.to_be_bytes());
    let binding = place.binding(LAYER_RECORD, key.version);
    close(&key.key, random, &binding, plaintext, &mut sealed)?;
    Ok(sealed)
}

/// Opens a record at its place.
pub(crate) fn unseal_record(
    keys: &KeyRing,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Secret, UnsealError> {
    let (key, content) = || -> Option<_> {
        let (head, content) = sealed.split_at_checked(HEAD_LEN)?;
        let (format, version) = head.split_first()?;
        let version = u32::from_be_bytes(version.try_into().ok()?);
        let key = keys
            .key(place.domain, KeyPurpose::Record, Some(version))
            .ok()?;
        (*format == RECORD_FORMAT).then_some((key, content))
    }()
    .ok_or_else(|| place.error())?;
    let binding = place.binding(LAYER_RECORD, key.version);
    open(&key.key, &binding, content).ok_or_else(|| place.error())
}

/// Appends nonce and ciphertext.
///
/// A key closes one content (a data key), few data keys (a KEK: one for each change of a
/// credential), what is kept for one token, or the records of an environment (one for each change
/// of a token: far below 2^32), so a random nonce of 96 bits does not repeat.
fn close(
    key: &[u8; KEY_LEN],
    random: &dyn Random,
    binding: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce)?;
    let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG_LEN));
    buffer.extend_from_slice(plaintext);
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(binding),
            &mut *buffer,
        )
        .map_err(|_| StoreError::unavailable("seal a credential", "the cipher refused"))?;
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&buffer);
    Ok(())
}

fn open(key: &[u8; KEY_LEN], binding: &[u8], sealed: &[u8]) -> Option<Secret> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let plaintext = cipher(key)
        .open_in_place(nonce, Aad::from(binding), &mut buffer)
        .ok()?;
    Some(Secret::new(plaintext.to_vec()))
}

fn cipher(key: &[u8; KEY_LEN]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has the cipher's length");
    LessSafeKey::new(key)
}

#[cfg(test)]
mod tests {
    use postern_types::EnvName;
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    fn ring(environments: &[&str]) -> (tempfile::TempDir, KeyRing) {
        let dir = tempfile::tempdir().unwrap();
        let (keys, data) = (dir.path().join("keys"), dir.path().join("data"));
        let ring = KeyRing::create(&keys, &data, &SystemRandom::new()).unwrap();
        for name in environments {
            let env = EnvName::parse(name).unwrap();
            ring.add_environment(&env, &SystemRandom::new()).unwrap();
        }
        (dir, ring)
    }

    fn dev() -> KeyDomain {
        KeyDomain::parse("dev").unwrap()
    }

    fn place(domain: &KeyDomain) -> Place<'_> {
        Place {
            domain,
            noun: "upstream",
            name: "openai",
            row: 7,
            column: "credential",
            version: 3,
            beside: "https://api.example.com",
        }
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_in_no_other() {
        // Goal: each part of the place is bound. Method: change one part at a time.
        let (_dir, ring) = ring(&["dev", "prod"]);
        let (dev, prod) = (dev(), KeyDomain::parse("prod").unwrap());
        let here = place(&dev);
        let sealed = seal(&ring, &SystemRandom::new(), &here, b"sk-secret").unwrap();
        assert_eq!(
            unseal(&ring, &here, &sealed).unwrap().expose(),
            b"sk-secret"
        );
        let elsewhere = [
            Place {
                domain: &prod,
                ..here
            },
            Place {
                noun: "token",
                ..here
            },
            Place {
                name: "openai2",
                ..here
            },
            Place { row: 8, ..here },
            Place {
                column: "settings",
                ..here
            },
            Place { version: 4, ..here },
            Place {
                beside: "https://evil.example",
                ..here
            },
            // Moving a byte from one part to the next is another place.
            Place {
                name: "openaic",
                column: "redential",
                ..here
            },
        ];
        for place in elsewhere {
            assert!(unseal(&ring, &place, &sealed).is_err(), "{place:?}");
        }
    }

    #[test]
    fn old_seals_open_after_a_rotation_of_the_key() {
        let (_dir, ring) = ring(&["dev"]);
        let dev = dev();
        let random = SystemRandom::new();
        let old = seal(&ring, &random, &place(&dev), b"sk-secret").unwrap();
        ring.rotate(&dev, KeyPurpose::Credential, &random).unwrap();
        let new = seal(&ring, &random, &place(&dev), b"sk-secret").unwrap();
        assert_eq!((old[4], new[4]), (1, 2));
        for sealed in [old, new] {
            assert_eq!(
                unseal(&ring, &place(&dev), &sealed).unwrap().expose(),
                b"sk-secret"
            );
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let (_dir, ring) = ring(&["dev"]);
        let dev = dev();
        let random = SystemRandom::new();
        let seal = || seal(&ring, &random, &place(&dev), b"sk-secret").unwrap();
        assert_ne!(seal(), seal());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Goal: no changed byte goes unnoticed. Method: flip any bit, cut anywhere.
        #[test]
        fn a_changed_seal_does_not_open(
            secret in proptest::collection::vec(any::<u8>(), 0..100),
            at in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let (_dir, ring) = ring(&["dev"]);
            let dev = dev();
            let here = place(&dev);
            let sealed = seal(&ring, &SystemRandom::new(), &here, &secret).unwrap();
            let opened = unseal(&ring, &here, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &secret[..]);
            let at = at.index(sealed.len());
            prop_assert!(unseal(&ring, &here, &sealed[..at]).is_err());
            let mut flipped = sealed;
            flipped[at] ^= 1 << bit;
            prop_assert!(unseal(&ring, &here, &flipped).is_err());
        }
    }
}
