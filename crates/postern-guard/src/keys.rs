//! The store's key ring, in the shapes in which the audit log and data rules ask for keys.

use std::sync::Arc;

use postern_audit::{DomainKey, KeyError, SealingKeys};
use postern_store::{KeyRing, KeyRingError, VersionedKey};
use postern_types::{Refusal, RefusalCode};
use zeroize::Zeroizing;

use crate::{Caller, Guard};

/// Gives the audit log the sealing keys of each environment and of the installation.
pub struct RingKeys(Arc<KeyRing>);

impl RingKeys {
    /// Wraps a key ring.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>) -> Self {
        Self(ring)
    }
}

impl SealingKeys for RingKeys {
    fn current(&self, domain: &str) -> Result<DomainKey, KeyError> {
        in_terms_of_audit(self.0.audit_key(domain))
    }

    fn by_version(&self, domain: &str, version: u32) -> Result<DomainKey, KeyError> {
        in_terms_of_audit(self.0.audit_key_by_version(domain, version))
    }
}

fn in_terms_of_audit(key: Result<VersionedKey, KeyRingError>) -> Result<DomainKey, KeyError> {
    match key {
        Ok(key) => Ok(DomainKey {
            version: key.version,
            key: key.key,
        }),
        Err(error) => Err(KeyError::Unavailable(Arc::from(error.to_string()))),
    }
}

impl Guard {
    /// The key under which data rules hash values of the caller's environment and make pseudonyms.
    ///
    /// # Errors
    /// `cannot_inspect` when the environment has no keys: then no rule can be acted on.
    pub fn mask_key(&self, caller: &Caller) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        self.keys
            .mask_key(&caller.subject().environment)
            .map_err(|error| Refusal::new(RefusalCode::CannotInspect, error.to_string()))
    }
}
