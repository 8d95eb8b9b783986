//! What comes out: a permit that only this crate can make, or a denial with its cause.

use std::fmt;
use std::sync::Arc;

use postern_types::{
    DataRules, EnvName, Operation, PrincipalId, SmolStr, TokenId, UpstreamKind, UpstreamName,
};

/// Proof that every layer allowed one request. The stages that follow demand it.
///
/// INVARIANT: [`authorize`](crate::authorize) is the only maker; the fields are private, and there
/// is no constructor, no `Default` and no deserialization.
#[derive(Debug, Clone)]
pub struct Permit {
    pub(crate) environment: EnvName,
    pub(crate) token: TokenId,
    pub(crate) principal: PrincipalId,
    pub(crate) upstream: UpstreamName,
    pub(crate) upstream_kind: UpstreamKind,
    pub(crate) operation: Option<Operation>,
    pub(crate) model: Option<SmolStr>,
    pub(crate) headers: Arc<[Arc<str>]>,
    pub(crate) policies: Arc<[Arc<str>]>,
    pub(crate) data_rules: DataRules,
}

impl Permit {
    /// The environment in which every name of the request resolves.
    #[must_use]
    pub fn environment(&self) -> &EnvName {
        &self.environment
    }

    /// The token that asked.
    #[must_use]
    pub fn token(&self) -> TokenId {
        self.token
    }

    /// Who the token speaks for.
    #[must_use]
    pub fn principal(&self) -> &PrincipalId {
        &self.principal
    }

    /// The upstream that may be called.
    #[must_use]
    pub fn upstream(&self) -> &UpstreamName {
        &self.upstream
    }

    /// The upstream's kind.
    #[must_use]
    pub fn upstream_kind(&self) -> UpstreamKind {
        self.upstream_kind
    }

    /// The AI operation; `None` for plain HTTP.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// The model; `None` for plain HTTP and for the list of models.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The further request headers that may pass, in lower case: those of the HTTP rules that
    /// allowed the request. Empty for AI operations.
    #[must_use]
    pub fn allowed_headers(&self) -> &[Arc<str>] {
        &self.headers
    }

    /// The statements that allowed it, guard-rails first: `policy:NAME` or `policy:NAME#2` for the
    /// second statement of a text, then `grant:0` or `grant:0.1` for rule 1 of grant 0; at last
    /// those that let data pass unmasked.
    #[must_use]
    pub fn policies(&self) -> &Arc<[Arc<str>]> {
        &self.policies
    }

    /// The data rules that hold for the request, and the classes that this principal may send or
    /// see unmasked in spite of them.
    #[must_use]
    pub fn data_rules(&self) -> &DataRules {
        &self.data_rules
    }
}

/// One of the evaluations that must all allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The environment's guard-rails.
    GuardRails,
    /// The token's own grants.
    Grants,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GuardRails => "the guard-rails of the environment",
            Self::Grants => "the grants of the token",
        })
    }
}

/// Why a request was denied. For the operator and the token's owner; never for the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The token, the guard-rails and the grants are not of one environment.
    OtherEnvironment {
        /// The environment of the token.
        token: EnvName,
        /// The environment of the guard-rails.
        rails: EnvName,
        /// The environment that the grants were compiled for.
        grants: EnvName,
    },
    /// No statement of a layer permits it.
    NotGranted(Layer),
    /// Statements of a layer forbid it.
    Forbidden {
        /// The layer.
        layer: Layer,
        /// The statements that forbid it.
        policies: Vec<String>,
    },
    /// A statement could not be evaluated. The engine would skip it; here it denies, because the
    /// statement could be the one that forbids.
    Failed {
        /// The layer.
        layer: Layer,
        /// Which statements failed, and how.
        causes: Vec<String>,
    },
    /// The request cannot be put into the policy's terms.
    Unclear(&'static str),
}

impl Denial {
    /// The cause in one sentence, for the operator and the owner.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::OtherEnvironment {
                token,
                rails,
                grants,
            } => format!(
                "a token of environment {token} met the guard-rails of {rails} and the grants of \
                 {grants}"
            ),
            Self::NotGranted(layer) => format!("no statement of {layer} permits it"),
            Self::Forbidden { layer, policies } => {
                format!("{layer} forbid it: {}", policies.join(", "))
            }
            Self::Failed { layer, causes } => {
                format!("{layer} could not be evaluated: {}", causes.join("; "))
            }
            Self::Unclear(what) => format!("the request has no clear meaning: {what}"),
        }
    }

    /// The layer that denied, where it was one.
    #[must_use]
    pub fn layer(&self) -> Option<Layer> {
        match self {
            Self::NotGranted(layer)
            | Self::Forbidden { layer, .. }
            | Self::Failed { layer, .. } => Some(*layer),
            Self::OtherEnvironment { .. } | Self::Unclear(_) => None,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause())
    }
}

impl std::error::Error for Denial {}
