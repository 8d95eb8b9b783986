//! What can go wrong with a store that is open: four kinds that callers act on.

use postern_types::TokenId;
use thiserror::Error;

use crate::{KeyRingError, RandomError};

/// Why an operation on the store was not done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// What was asked for is not there (any more).
    #[error("there is no {noun} {name}")]
    NotFound {
        /// What sort of thing: `token`, `upstream` …
        noun: &'static str,
        /// Its name, with the environment where it has one.
        name: String,
    },
    /// The state of things forbids it: a name taken, tokens still living, a token already revoked.
    #[error("{reason}")]
    Conflict {
        /// What stands against it and what to do, for people.
        reason: String,
        /// The token that an earlier request with the same idempotency key made or rotated.
        existing: Option<TokenId>,
    },
    /// An argument cannot be accepted, whatever the state.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot answer now: disk, lock, keys, or a row that does not read back.
    #[error("the store cannot {what}")]
    Unavailable {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    pub(crate) fn not_found(noun: &'static str, name: impl std::fmt::Display) -> Self {
        Self::NotFound {
            noun,
            name: name.to_string(),
        }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict {
            reason: reason.into(),
            existing: None,
        }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    pub(crate) fn unavailable(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable {
            what,
            source: source.into(),
        }
    }

    /// The message with its causes, in one line: for the operator, who has to mend them.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    /// Whether the thing is simply not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the state of things forbids it.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether an argument cannot be accepted.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }
}

impl From<KeyRingError> for StoreError {
    fn from(error: KeyRingError) -> Self {
        Self::unavailable("use its keys", error)
    }
}

impl From<RandomError> for StoreError {
    fn from(error: RandomError) -> Self {
        Self::unavailable("draw random bytes", error)
    }
}

/// Says what was being done when the database failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| {
            let unique = error
                .as_database_error()
                .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
            if unique {
                StoreError::conflict("somebody else made it at the same moment: look again")
            } else {
                StoreError::unavailable(what, error)
            }
        })
    }
}

/// Refuses a text that is too long or holds control characters (they could reach a terminal).
pub(crate) fn check_text(
    noun: &'static str,
    text: &str,
    bytes_max: usize,
) -> Result<(), StoreError> {
    if text.len() > bytes_max {
        return Err(StoreError::invalid(format!(
            "the {noun} is longer than {bytes_max} bytes"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(StoreError::invalid(format!(
            "the {noun} holds a control character"
        )));
    }
    Ok(())
}
