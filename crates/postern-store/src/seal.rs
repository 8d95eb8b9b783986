//! Sealed columns: envelope encryption bound to the place where the column stands.
//!
//! Each sealing draws a fresh data key; AES-256-GCM under it closes the plaintext, and AES-256-GCM
//! under the environment's credential key (KEK) closes the data key. Layout:
//!
//! ```text
//! format 1 | KEK version, 4 bytes | nonce 12 | data key 32 + tag 16 | nonce 12 | plaintext + tag 16
//! ```
//!
//! Both layers bind the place: environment, noun, name, row, column, the version of the column's
//! content, the KEK version, which layer it is, and what stands beside it. So a sealed column that
//! is copied to another row, column or environment does not open, neither does an older one put
//! back, and a credential does not open when the address beside it was changed in the file.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use postern_types::{EnvName, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keys::{KeyDomain, KeyPurpose, KeyRing, VersionedKey};
use crate::random::Random;

const FORMAT: u8 = 1;
const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;
const HEAD_LEN: usize = 1 + 4;
const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;

/// Where a sealed column stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) env: &'a EnvName,
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
            self.env.as_str(),
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
            name: format!("{}/{}", self.env, self.name),
            column: self.column,
        }
    }
}

const LAYER_KEY: u8 = 1;
const LAYER_CONTENT: u8 = 2;

/// Seals a plaintext for its place.
pub(crate) fn seal(
    keys: &KeyRing,
    random: &dyn Random,
    place: &Place<'_>,
    plaintext: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let domain = KeyDomain::Environment(place.env.clone());
    let kek = keys.key(&domain, KeyPurpose::Credential, None)?;
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
    let domain = KeyDomain::Environment(place.env.clone());
    let kek = keys
        .key(&domain, KeyPurpose::Credential, Some(version))
        .ok()?;
    let (wrapped, content) = rest.split_at_checked(WRAPPED_LEN)?;
    Some((kek, wrapped, content))
}

/// Appends nonce and ciphertext.
///
/// A key closes either one content (a data key) or few data keys (a KEK: one for each change of a
/// credential), so a random nonce of 96 bits does not repeat.
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
