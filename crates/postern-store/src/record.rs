//! Records: what rows tell of people and of rights, sealed.
//!
//! Columns that a statement selects or sorts by stay in the clear; names, words and grants go into
//! one sealed record a row. The record is bound to the clear columns beside it, so that a row
//! changed by hand does not open, and is refused instead of believed. A name that must be found
//! again has a mark: an HMAC under a key of its environment, equal for equal names there and
//! telling nothing elsewhere.
//!
//! KNOWN GAP: somebody who can write to the file and kept an older copy can put a whole old row
//! back, secrets included. Environments, policies and an upstream's settings are not sealed.

use aws_lc_rs::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::Store;
use crate::error::StoreError;
use crate::keys::{KeyDomain, KeyPurpose, KeyRing};
use crate::seal::{Place, seal_record, unseal_record};

/// Seals a value for its place.
pub(crate) fn seal(
    store: &Store,
    place: &Place<'_>,
    value: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value)
        .map_err(|error| StoreError::unavailable("write a record", error))?;
    seal_record(store.keys(), store.random(), place, &Zeroizing::new(json))
}

/// Opens a value at its place.
pub(crate) fn open<T: DeserializeOwned>(
    keys: &KeyRing,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<T, StoreError> {
    let json = unseal_record(keys, place, sealed)
        .map_err(|error| StoreError::unavailable("read a record back", error))?;
    serde_json::from_slice(json.expose())
        .map_err(|error| StoreError::unavailable("read a record back", error))
}

/// The mark of some texts in a domain. The first is what they are about, so that equal texts about
/// different things have different marks.
pub(crate) fn mark(
    keys: &KeyRing,
    domain: &KeyDomain,
    parts: &[&str],
) -> Result<[u8; 32], StoreError> {
    let key = keys.key(domain, KeyPurpose::Index, Some(1))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &*key.key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let tag = context.sign();
    Ok(tag
        .as_ref()
        .try_into()
        .expect("an HMAC-SHA-256 tag has 32 bytes"))
}
