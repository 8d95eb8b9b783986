//! The grants of a token.

use postern_types::{CanonicalPath, EnvName, Grant, UpstreamName};

use crate::CompileError;

/// The compiled grants of one token.
#[derive(Debug, Clone)]
pub struct TokenGrants {
    environment: EnvName,
    grants: Vec<Grant>,
}

impl TokenGrants {
    /// Compiles grants to Cedar.
    ///
    /// # Errors
    /// When a grant cannot be put into Cedar's terms.
    pub fn compile(environment: &EnvName, grants: &[Grant]) -> Result<Self, CompileError> {
        Ok(Self { environment: environment.clone(), grants: grants.to_vec() })
    }

    /// The environment they were compiled for.
    #[must_use]
    pub fn environment(&self) -> &EnvName {
        &self.environment
    }

    /// Whether a rule that could allow the request asks about its JSON body, so that the body must
    /// be read before the decision.
    #[must_use]
    pub fn needs_json_body(
        &self,
        _upstream: &UpstreamName,
        _method: &str,
        _path: &CanonicalPath,
    ) -> bool {
        true
    }

    /// The grants as they were given.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
}
