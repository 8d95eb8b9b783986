//! The store's key ring, in the shape in which the audit log asks for keys.

use std::sync::Arc;

use postern_audit::{DomainKey, KeyError, SealingKeys};
use postern_store::{KeyRing, KeyRingError, VersionedKey};

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
