//! The key ring: every secret key that the installation makes for itself, apart from its data.
//!
//! There is one *domain* for the installation and one for each environment, each with its own
//! random 32-byte keys, by purpose and version. A domain is one small JSON document: a file in a
//! directory that only its owner can read, or an environment variable that holds the same document
//! in base64. A key is never changed, only followed by a higher version; older versions stay, to
//! check and open what was made with them.
//!
//! What a crash leaves: a document is written beside its place, synced, and moved there, and the
//! directory is synced, so there is the old document or the new one. A domain that was written
//! before its environment reached the store is used when the environment is made again.
//!
//! SECURITY: keys are refused when anybody but their owner can read them, when they lie with the
//! data they protect, and when two domains share one: environments would not be apart any more.
//! Group and other permissions are judged; access control lists are not (KNOWN GAP).

mod document;
mod domain;
mod mask;
mod place;
mod variables;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use postern_types::EnvName;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::random::{Random, RandomError};
use document::Document;
use place::Place;

pub use domain::{INSTALLATION, KeyDomain, KeyPurpose};
pub use versions::{Peppers, VersionedKey};

/// Why the keys cannot be had.
#[derive(Debug, Error)]
pub enum KeyRingError {
    /// There are no keys where they should be.
    #[error(
        "there are no keys at {0}: run `postern init`, or restore the keys of this installation"
    )]
    Missing(String),
    /// There are keys already where new ones were to be made.
    #[error("there are keys at {0} already: they are never written over")]
    AlreadyThere(String),
    /// Somebody else could read the keys, or they lie where they must not.
    #[error("the keys are refused: {0}")]
    Unsafe(String),
    /// What is there is not a document of keys, or not one that this release reads.
    #[error("the keys at {place} do not read: {fault}")]
    Malformed {
        /// Which file or variable.
        place: String,
        /// What is wrong. Never shows a key.
        fault: String,
    },
    /// No such domain, purpose or version.
    #[error("there is no key for {0}")]
    Unknown(String),
    /// The keys were given as environment variables, which cannot be written.
    #[error(
        "the keys come from environment variables, which the program cannot write: make the keys \
         of {0} in a directory, and pass them as variables"
    )]
    ReadOnly(String),
    /// The file system failed.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which path.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
}

struct Domain {
    document: Document,
    peppers: Arc<Peppers>,
}

impl From<Document> for Domain {
    fn from(document: Document) -> Self {
        let peppers = Arc::new(Peppers::new(&document));
        Self { document, peppers }
    }
}

/// All keys of an installation. Shared as an `Arc`; new environments and versions are added to it
/// while it is in use.
pub struct KeyRing {
    /// Where new keys are written; `None` when the keys came from variables.
    place: Option<Place>,
    installation_id: String,
    domains: RwLock<BTreeMap<KeyDomain, Domain>>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "KeyRing(installation {}, keys redacted)",
            self.installation_id
        )
    }
}

impl KeyRing {
    /// Makes the directory and the installation's keys.
    ///
    /// # Errors
    /// When there are keys already, when `dir` is in, at or around `data_dir`, or on a fault of the
    /// file system.
    pub fn create(dir: &Path, data_dir: &Path, random: &dyn Random) -> Result<Self, KeyRingError> {
        let place = Place::create(dir, data_dir)?;
        let document = Document::generate(&KeyDomain::Installation, random)?;
        place.write_new(&document)?;
        Self::assemble(Some(place), vec![document])
    }

    /// Reads the keys from their directory.
    ///
    /// # Errors
    /// When there are none, when anybody but their owner could read them, when `dir` is in, at or
    /// around `data_dir`, or when a document does not read.
    pub fn open(dir: &Path, data_dir: &Path) -> Result<Self, KeyRingError> {
        let place = Place::open(dir, data_dir)?;
        let documents = place.read_all()?;
        Self::assemble(Some(place), documents)
    }

    /// Reads the keys from the variables `POSTERN_KEYS_INSTALLATION` and `POSTERN_KEYS_ENV_<NAME>`,
    /// each the document of a domain in base64.
    ///
    /// # Errors
    /// When the first is missing or one of them does not read.
    pub fn from_env() -> Result<Self, KeyRingError> {
        Self::from_variables(variables::process())
    }

    /// Like [`KeyRing::from_env`], from variables that were read before.
    ///
    /// # Errors
    /// As there.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, KeyRingError> {
        Self::assemble(None, variables::read(variables)?)
    }

    /// The variables that hold these keys, for [`KeyRing::from_env`] elsewhere.
    #[must_use]
    pub fn to_variables(&self) -> Vec<(String, postern_types::Secret)> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains
            .values()
            .map(|domain| variables::write(&domain.document))
            .collect()
    }

    fn assemble(place: Option<Place>, documents: Vec<Document>) -> Result<Self, KeyRingError> {
        document::refuse_shared_keys(&documents)?;
        let installation_id = documents
            .iter()
            .find_map(|document| document.installation_id().map(str::to_owned))
            .ok_or_else(|| KeyRingError::Unknown(INSTALLATION.to_owned()))?;
        let domains = documents
            .into_iter()
            .map(|document| (document.domain().clone(), Domain::from(document)))
            .collect();
        Ok(Self {
            place,
            installation_id,
            domains: RwLock::new(domains),
        })
    }

    /// The installation's random id: 32 hexadecimal digits, public. The store remembers it, so that
    /// a store and the keys of another are not mixed up.
    #[must_use]
    pub fn installation_id(&self) -> &str {
        &self.installation_id
    }

    /// The environments that have keys.
    #[must_use]
    pub fn environments(&self) -> Vec<EnvName> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains
            .keys()
            .filter_map(|domain| match domain {
                KeyDomain::Installation => None,
                KeyDomain::Environment(env) => Some(env.clone()),
            })
            .collect()
    }

    /// Whether the ring has a domain's keys.
    pub(crate) fn holds(&self, domain: &KeyDomain) -> bool {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains.contains_key(domain)
    }

    /// Makes the keys of an environment; keys that are there already are left as they are.
    ///
    /// # Errors
    /// When the keys came from variables and do not hold this environment, or on a fault of the
    /// file system.
    pub fn add_environment(&self, env: &EnvName, random: &dyn Random) -> Result<(), KeyRingError> {
        if env.as_str() == INSTALLATION {
            return Err(KeyRingError::Unsafe(format!(
                "{INSTALLATION} is not a name for an environment: the installation's own keys \
                 have it"
            )));
        }
        let domain = KeyDomain::Environment(env.clone());
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        if domains.contains_key(&domain) {
            return Ok(());
        }
        let Some(place) = &self.place else {
            return Err(KeyRingError::ReadOnly(env.to_string()));
        };
        let document = place.update(&domain, |there| match there {
            Some(document) => Ok((document, false)),
            None => Ok((Document::generate(&domain, random)?, true)),
        })?;
        domains.insert(domain, document.into());
        Ok(())
    }

    /// Adds a new version of a key and makes it the current one. Returns its version. Older
    /// versions stay for what was made with them.
    ///
    /// # Errors
    /// When the domain has no such key, the keys came from variables, or the file system fails.
    pub fn rotate(
        &self,
        domain: &KeyDomain,
        purpose: KeyPurpose,
        random: &dyn Random,
    ) -> Result<u32, KeyRingError> {
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        let unknown =
            || KeyRingError::Unknown(format!("{} of {}", purpose.as_str(), domain.as_str()));
        if !domains.contains_key(domain) || !KeyPurpose::of(domain).contains(&purpose) {
            return Err(unknown());
        }
        if purpose == KeyPurpose::Index {
            return Err(KeyRingError::Unsafe(format!(
                "the index key of {} is not rotated: sealed names are found by it",
                domain.as_str()
            )));
        }
        let Some(place) = &self.place else {
            return Err(KeyRingError::ReadOnly(domain.as_str().to_owned()));
        };
        let document = place.update(domain, |there| {
            let mut document = there.ok_or_else(unknown)?;
            document.add_version(purpose, random)?;
            Ok((document, true))
        })?;
        let version = document.current(purpose).version;
        domains.insert(domain.clone(), document.into());
        Ok(version)
    }

    /// Adds a new version of an environment's pepper. Tokens are re-hashed when next used.
    ///
    /// # Errors
    /// As [`KeyRing::rotate`].
    pub fn rotate_pepper(&self, env: &EnvName, random: &dyn Random) -> Result<u32, KeyRingError> {
        let domain = KeyDomain::Environment(env.clone());
        self.rotate(&domain, KeyPurpose::Pepper, random)
    }

    /// The peppers of an environment's tokens.
    ///
    /// # Errors
    /// When the environment has no keys.
    pub fn peppers(&self, env: &EnvName) -> Result<Arc<Peppers>, KeyRingError> {
        self.domain_peppers(&KeyDomain::Environment(env.clone()))
    }

    /// The peppers of administrators' tokens.
    #[must_use]
    pub fn admin_peppers(&self) -> Arc<Peppers> {
        self.domain_peppers(&KeyDomain::Installation)
            .expect("a ring is not assembled without the installation's keys")
    }

    fn domain_peppers(&self, domain: &KeyDomain) -> Result<Arc<Peppers>, KeyRingError> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains
            .get(domain)
            .map(|domain| Arc::clone(&domain.peppers))
            .ok_or_else(|| KeyRingError::Unknown(domain.as_str().to_owned()))
    }

    /// The key that seals new audit bodies of a domain.
    ///
    /// # Errors
    /// When the domain has no keys.
    pub fn audit_key(&self, domain: &str) -> Result<VersionedKey, KeyRingError> {
        self.key(&KeyDomain::parse(domain)?, KeyPurpose::Audit, None)
    }

    /// The key that opens audit bodies of a domain.
    ///
    /// # Errors
    /// When the domain has no key of that version.
    pub fn audit_key_by_version(
        &self,
        domain: &str,
        version: u32,
    ) -> Result<VersionedKey, KeyRingError> {
        self.key(&KeyDomain::parse(domain)?, KeyPurpose::Audit, Some(version))
    }

    /// The seed of the key that signs checkpoints of the audit log.
    #[must_use]
    pub fn audit_signing_seed(&self) -> Zeroizing<[u8; 32]> {
        self.key(&KeyDomain::Installation, KeyPurpose::AuditSigning, None)
            .expect("a ring is not assembled without the installation's keys")
            .key
    }

    /// A key of a domain: the current one, or the one of a version.
    pub(crate) fn key(
        &self,
        domain: &KeyDomain,
        purpose: KeyPurpose,
        version: Option<u32>,
    ) -> Result<VersionedKey, KeyRingError> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        let found = domains.get(domain).and_then(|domain| {
            let keys = domain.document.keys(purpose);
            match version {
                None => keys.last(),
                Some(version) => keys.iter().find(|key| key.version == version),
            }
        });
        found.cloned().ok_or_else(|| {
            let version = version.map_or(String::new(), |version| format!(" version {version}"));
            KeyRingError::Unknown(format!(
                "{}{version} of {}",
                purpose.as_str(),
                domain.as_str()
            ))
        })
    }

    /// The directory of the keys, if they are in one: no file there is ever read as a credential.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.place.as_ref().map(Place::path)
    }
}

#[cfg(test)]
mod tests;
