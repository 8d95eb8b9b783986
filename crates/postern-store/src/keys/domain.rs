//! Whose keys, and for what.

use postern_types::EnvName;

use super::KeyRingError;

/// The domain of the installation itself, and the place of the environment in the text of an
/// administrator's token. No environment can have this name.
pub const INSTALLATION: &str = "installation";

/// What a key is for. One key serves one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// The pepper of token digests (in the installation's domain: of administrators' tokens).
    Pepper,
    /// Wraps the data keys of sealed upstream credentials. Environments only.
    Credential,
    /// Seals what the store keeps of people and of their tokens' rights.
    Record,
    /// Makes the marks by which sealed names are found again. Only its first version is used:
    /// marks are compared, so they cannot be of several keys.
    Index,
    /// Seals the bodies of the audit log.
    Audit,
    /// The seed of the key that signs the audit log's checkpoints. The installation only.
    AuditSigning,
}

impl KeyPurpose {
    pub(super) fn of(domain: &KeyDomain) -> &'static [Self] {
        match domain {
            KeyDomain::Installation => &[
                Self::Pepper,
                Self::Record,
                Self::Index,
                Self::Audit,
                Self::AuditSigning,
            ],
            KeyDomain::Environment(_) => &[
                Self::Pepper,
                Self::Credential,
                Self::Record,
                Self::Index,
                Self::Audit,
            ],
        }
    }

    /// The word used in the documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pepper => "pepper",
            Self::Credential => "credential",
            Self::Record => "record",
            Self::Index => "index",
            Self::Audit => "audit",
            Self::AuditSigning => "audit_signing",
        }
    }
}

/// Whose keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyDomain {
    /// The installation's own.
    Installation,
    /// One environment's.
    Environment(EnvName),
}

impl KeyDomain {
    /// Reads a domain from its name: [`INSTALLATION`] or an environment's name.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        if text == INSTALLATION {
            return Ok(Self::Installation);
        }
        EnvName::parse(text)
            .map(Self::Environment)
            .map_err(|_| KeyRingError::Unknown(text.chars().take(80).collect()))
    }

    /// The domain's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Installation => INSTALLATION,
            Self::Environment(env) => env.as_str(),
        }
    }
}
