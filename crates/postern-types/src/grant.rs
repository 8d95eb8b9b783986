//! Grants: what a token may reach. Closed-world: what is not named is not granted.

mod parse;
mod rule;

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{NameError, Operation, PathError, UpstreamKind, UpstreamName};

pub use rule::{BodyRule, CallRule, METHODS_WITH_BODY, ValueRule};

/// One upstream and what may be done there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The upstream, by its name in the token's environment.
    pub upstream: UpstreamName,
    /// What may be done.
    pub actions: Rights,
    /// What must be true of the request besides.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
}

/// What may be done at an upstream, by the kind of API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rights {
    /// AI operations on named models.
    Invoke(Invoke),
    /// HTTP requests by method and path template.
    Call {
        /// A request must fit one of these.
        rules: Vec<CallRule>,
    },
}

/// AI operations on named models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoke {
    /// The models; at least one.
    pub models: Vec<ModelPattern>,
    /// The operations. Left out when a token is made, it is expanded then and there to the
    /// operations that the upstream's kind has today, so that one added later is not included.
    #[serde(default)]
    pub operations: Vec<Operation>,
}

/// What must be true of a request besides the resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// The client's address is inside one of these; empty means any address.
    pub addresses: Vec<IpNet>,
}

impl Conditions {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }
}

/// A model's name, or a prefix of names written `text-embedding-3-*`. A prefix is open to models
/// that do not exist yet and is labelled so wherever it is shown.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelPattern(Arc<str>);

impl ModelPattern {
    /// Parses a model name or prefix.
    ///
    /// # Errors
    /// When it is empty, longer than 128 bytes, holds a character that no provider uses, or has a
    /// `*` that is not its last character.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@+".contains(&b);
        if text.is_empty() || text.len() > 128 || !name.bytes().all(plain) {
            return Err(GrantError::Model(text.chars().take(80).collect()));
        }
        Ok(Self(Arc::from(text)))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether models that do not exist yet are included.
    #[must_use]
    pub fn includes_future(&self) -> bool {
        self.0.ends_with('*')
    }

    /// Whether a model is one that the pattern names.
    #[must_use]
    pub fn matches(&self, model: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => model == &*self.0,
        }
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<String> for ModelPattern {
    type Error = GrantError;
    fn try_from(text: String) -> Result<Self, GrantError> {
        Self::parse(&text)
    }
}

impl From<ModelPattern> for String {
    fn from(pattern: ModelPattern) -> String {
        pattern.0.as_ref().to_owned()
    }
}

/// Why a grant was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrantError {
    /// It is not of the form of a grant.
    #[error(
        "grant {0:?} is not valid: write UPSTREAM:invoke:MODEL,… or \
         'UPSTREAM:call:METHOD /path[?name&name] [body=any|body=none|json=key&key],…' \
         or a JSON grant"
    )]
    Shape(String),
    /// The upstream's name is not valid.
    #[error(transparent)]
    Upstream(#[from] NameError),
    /// A model's name is not valid.
    #[error("model {0:?} is not valid: a name, or a prefix followed by one * at the end")]
    Model(String),
    /// A path template is not valid.
    #[error("path template {0:?}: {1}")]
    Path(String, PathError),
    /// A method is not one that may be granted.
    #[error("method {0:?} is not valid: use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")]
    Method(String),
    /// A header may not be granted, because the gateway itself answers for it.
    #[error("header {0:?} may not be granted: the gateway sets, removes or judges it itself")]
    Header(String),
    /// A rule for a method with a body does not say what the body may be.
    #[error(
        "rule {0:?} does not say what the body may be: add json=KEY&KEY (JSON with these keys \
         only), body=none or body=any; in a JSON grant \"body\":{{\"json_keys\":[…]}}, \"none\" \
         or \"any\""
    )]
    Body(String),
    /// A rule says which keys the body has, where no method has a body.
    #[error(
        "rule {0:?} names keys of a body, and its methods have none: leave json= out, or name \
         POST, PUT or PATCH"
    )]
    NoBody(String),
    /// The action does not exist for the upstream's kind.
    #[error("upstream {upstream} is of kind {kind}: grant {wanted} there")]
    Kind {
        /// The upstream.
        upstream: UpstreamName,
        /// Its kind.
        kind: UpstreamKind,
        /// The action that fits.
        wanted: &'static str,
    },
    /// It grants nothing.
    #[error("the grant for {0} names nothing: name at least one model or rule")]
    Empty(UpstreamName),
}

impl Grant {
    /// Parses the command-line form, or the JSON form when the text starts with a brace.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        parse::grant(text)
    }

    /// Checks the grant against the upstream's kind and expands what is left open, at the time a
    /// token is made.
    ///
    /// # Errors
    /// When the action does not fit the kind, or nothing is granted.
    pub fn expand(mut self, kind: UpstreamKind) -> Result<Self, GrantError> {
        let mismatch = |wanted| GrantError::Kind {
            upstream: self.upstream.clone(),
            kind,
            wanted,
        };
        match &mut self.actions {
            Rights::Invoke(_) if !kind.is_ai() => return Err(mismatch("call")),
            Rights::Call { .. } if kind.is_ai() => return Err(mismatch("invoke")),
            Rights::Invoke(invoke) => {
                if invoke.models.is_empty() {
                    return Err(GrantError::Empty(self.upstream));
                }
                if invoke.operations.is_empty() {
                    invoke.operations = operations_of(kind).to_vec();
                }
            }
            Rights::Call { rules } => {
                if rules.is_empty() || rules.iter().any(|rule| rule.methods.is_empty()) {
                    return Err(GrantError::Empty(self.upstream));
                }
                for rule in rules {
                    rule.check()?;
                }
            }
        }
        Ok(self)
    }

    /// Whether a rule of the grant lets requests come with any body at all.
    #[must_use]
    pub fn takes_any_body(&self) -> bool {
        match &self.actions {
            Rights::Invoke(_) => false,
            Rights::Call { rules } => rules.iter().any(CallRule::takes_any_body),
        }
    }

    /// Whether the grant is open to models or paths that do not exist yet.
    #[must_use]
    pub fn includes_future(&self) -> bool {
        match &self.actions {
            Rights::Invoke(invoke) => invoke.models.iter().any(ModelPattern::includes_future),
            Rights::Call { rules } => rules.iter().any(|rule| rule.path.includes_future()),
        }
    }
}

/// The operations that a kind of upstream has today.
fn operations_of(kind: UpstreamKind) -> &'static [Operation] {
    use Operation as O;
    match kind {
        UpstreamKind::OpenAi => &[
            O::ChatCompletions,
            O::Responses,
            O::Embeddings,
            O::ListModels,
            O::ShowModel,
            O::Moderations,
        ],
        UpstreamKind::AzureOpenAi => &[O::ChatCompletions, O::Responses, O::Embeddings],
        UpstreamKind::Anthropic => &[O::Messages, O::CountTokens],
        UpstreamKind::Gemini => &[O::GenerateContent, O::StreamGenerateContent, O::CountTokens],
        UpstreamKind::Http => &[],
    }
}

#[cfg(test)]
mod tests;
