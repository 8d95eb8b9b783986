//! The key behind hashes and pseudonyms of data rules.

use aws_lc_rs::hmac;
use postern_types::EnvName;
use zeroize::Zeroizing;

use super::{KeyDomain, KeyPurpose, KeyRing, KeyRingError};

/// What the key is for: no mark of the store is made of these bytes, since marks begin with a
/// length.
const LABEL: &[u8] = b"postern data rules: hashes and pseudonyms, version 1";

impl KeyRing {
    /// The key of an environment under which data rules hash values and make pseudonyms. It is
    /// derived from the index key, which is never rotated either: a value keeps its label.
    ///
    /// # Errors
    /// When the environment has no keys.
    pub fn mask_key(&self, env: &EnvName) -> Result<Zeroizing<[u8; 32]>, KeyRingError> {
        let domain = KeyDomain::Environment(env.clone());
        let index = self.key(&domain, KeyPurpose::Index, Some(1))?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*index.key), LABEL);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(tag.as_ref());
        Ok(key)
    }
}
