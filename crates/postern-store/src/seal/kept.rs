//! What is kept for a token, sealed under a key of that token alone.
//!
//! It is written as often as requests bring new values, so the record key itself would come near
//! the count of random nonces that one key bears. The token's key is derived from it: an HMAC over
//! a label that nothing else is derived by, and the token's id. Layout: format 3, version of the
//! record key 4, nonce 12, plaintext and tag 16.

use aws_lc_rs::hmac;
use postern_types::{Secret, TokenId};
use zeroize::Zeroizing;

use super::{HEAD_LEN, KEY_LEN, Place, UnsealError, close, open};
use crate::error::StoreError;
use crate::keys::{KeyPurpose, KeyRing, VersionedKey};
use crate::random::Random;

const FORMAT: u8 = 3;
const LAYER: u8 = 4;
const LABEL: &[u8] = b"postern placeholders kept for a token, version 1";

/// Seals a plaintext for a token and its place.
pub(crate) fn seal_kept(
    keys: &KeyRing,
    random: &dyn Random,
    (token, place): (&TokenId, &Place<'_>),
    plaintext: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let record = keys.key(place.domain, KeyPurpose::Record, None)?;
    let mut sealed = vec![FORMAT];
    sealed.extend_from_slice(&record.version.to_be_bytes());
    let binding = place.binding(LAYER, record.version);
    close(
        &derive(&record, token),
        random,
        &binding,
        plaintext,
        &mut sealed,
    )?;
    Ok(sealed)
}

/// Opens what was sealed for a token at its place.
pub(crate) fn unseal_kept(
    keys: &KeyRing,
    token: &TokenId,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Secret, UnsealError> {
    let opened = || -> Option<Secret> {
        let (head, content) = sealed.split_at_checked(HEAD_LEN)?;
        let (format, version) = head.split_first()?;
        let version = u32::from_be_bytes(version.try_into().ok()?);
        let record = keys
            .key(place.domain, KeyPurpose::Record, Some(version))
            .ok()
            .filter(|_| *format == FORMAT)?;
        let binding = place.binding(LAYER, record.version);
        open(&derive(&record, token), &binding, content)
    };
    opened().ok_or_else(|| place.error())
}

fn derive(record: &VersionedKey, token: &TokenId) -> Zeroizing<[u8; KEY_LEN]> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &*record.key));
    context.update(LABEL);
    context.update(token.as_str().as_bytes());
    let mut key = Zeroizing::new([0; KEY_LEN]);
    key.copy_from_slice(context.sign().as_ref());
    key
}
