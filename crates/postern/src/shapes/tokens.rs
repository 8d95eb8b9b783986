//! Tokens on the wire of the admin API.

use postern_types::{Grant, Limit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::SecretText;

/// A token's record. The secret is not in it: nobody has it but the holder.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The public id: the handle in every log.
    #[schema(example = "7mJ2vQ8xK4aZ0pLs")]
    pub id: String,
    /// `server` or `admin`.
    pub kind: String,
    /// `live`, `expired` or `revoked`.
    pub state: String,
    /// The environment it opens; for an administrator's token, the one it may administer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Who it speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `owner`, `admin` or `auditor`, for an administrator's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it may reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub grants: Vec<Grant>,
    /// Whether a grant is open to models or paths that do not exist yet.
    #[serde(default)]
    pub includes_future: bool,
    /// How much it may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub limits: Vec<Limit>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// That it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<RevokedToken>,
    /// Its live secrets: one, or two while a rotation's grace lasts.
    pub secrets: Vec<TokenSecret>,
}

/// That a token was revoked.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RevokedToken {
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One secret of a token, without the secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenSecret {
    /// Counts up with each rotation.
    pub number: u32,
    /// The last four characters, for recognising it by eye.
    pub last_four: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// A page of tokens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// The tokens, in the order of their ids.
    pub items: Vec<Token>,
    /// Ask for the next page with `after` set to this; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A token to be made: for the data plane with `environment` and `principal`, or for an
/// administrator with `role`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The environment it opens; for an administrator's token, the one it may administer (left out:
    /// all of them).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "dev")]
    pub environment: Option<String>,
    /// Who it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "service:web")]
    pub principal: Option<String>,
    /// `owner`, `admin` or `auditor`: makes an administrator's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it may reach: `UPSTREAM:invoke:MODEL,…`, `UPSTREAM:call:METHOD /path,…`, or objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub grants: Vec<Grant>,
    /// How much it may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["requests=100/minute", "concurrency=5"]))]
    pub limits: Vec<Limit>,
    /// Its life; left out, the default of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub ttl: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A token that was just made or rotated: the only answer that holds one, and the only time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IssuedToken {
    /// The public id.
    pub id: String,
    /// The token itself. It is not shown again.
    #[schema(value_type = String)]
    pub token: SecretText,
    /// When it ends.
    pub expires_at: String,
}

impl IssuedToken {
    /// An issued token from its parts.
    #[must_use]
    pub fn new(id: String, token: &str, expires_at: String) -> Self {
        let token = SecretText::new(Zeroizing::new(token.to_owned()));
        Self {
            id,
            token,
            expires_at,
        }
    }
}

/// How a token is rotated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateToken {
    /// How long the old secret still opens; left out, 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub grace: Option<String>,
}

/// Why a token is revoked.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// For the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
