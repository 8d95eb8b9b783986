//! A token as its users see it.

use std::collections::HashMap;

use jiff::Timestamp;
use postern_types::{EnvName, Grant, Limit, PrincipalId, TokenDigest, TokenId, TokenKind};
use serde::{Deserialize, Serialize};

use crate::{PrincipalKey, UpstreamId, UpstreamRow};

/// What an administrator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminRole {
    /// Everything, other administrators included.
    Owner,
    /// Everything but administrators.
    Admin,
    /// Look at everything, change nothing.
    Auditor,
}

impl AdminRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Auditor];

    /// The word used in commands and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether the role changes anything at all.
    #[must_use]
    pub fn may_write(self) -> bool {
        self != Self::Auditor
    }

    /// Whether the role makes, rotates and revokes administrators' tokens.
    #[must_use]
    pub fn may_manage_administrators(self) -> bool {
        self == Self::Owner
    }
}

/// A grant with the upstream that it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundGrant {
    /// The incarnation of the upstream that had the grant's name then.
    pub upstream_id: UpstreamId,
    /// The grant.
    pub grant: Grant,
}

/// What a token of the data plane opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataAccess {
    /// Its environment.
    pub env: EnvName,
    /// Who it speaks for.
    pub principal: PrincipalId,
    /// Which incarnation of that principal.
    pub principal_key: PrincipalKey,
    /// What it was granted. To decide with, take [`DataAccess::grants_on`].
    pub grants: Vec<BoundGrant>,
    /// What it may use up.
    pub limits: Vec<Limit>,
}

impl DataAccess {
    /// The grants that still hold, given the environment's upstreams now.
    ///
    /// SECURITY: a grant names its upstream, and a name can come to mean another server when the
    /// upstream is deleted and made again. Such a grant opens nothing: the token was never meant
    /// for what is there now.
    #[must_use]
    pub fn grants_on<'u>(
        &self,
        upstreams: impl IntoIterator<Item = &'u UpstreamRow>,
    ) -> Vec<Grant> {
        let now: HashMap<_, _> = upstreams
            .into_iter()
            .filter(|row| row.env == self.env)
            .map(|row| (row.id, &row.name))
            .collect();
        self.grants
            .iter()
            .filter(|bound| now.get(&bound.upstream_id) == Some(&&bound.grant.upstream))
            .map(|bound| bound.grant.clone())
            .collect()
    }
}

/// What an administrator's token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminAccess {
    /// What its holder may do.
    pub role: AdminRole,
    /// The only environment it reaches; `None` for the whole installation.
    pub env: Option<EnvName>,
}

impl AdminAccess {
    /// Whether an environment is within its reach.
    #[must_use]
    pub fn reaches(&self, env: &EnvName) -> bool {
        self.env.as_ref().is_none_or(|own| own == env)
    }
}

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAccess {
    /// The data plane.
    Data(DataAccess),
    /// The admin API.
    Admin(AdminAccess),
}

/// One secret of a token: its digest, and when it ends.
#[derive(Debug, Clone)]
pub struct SecretRow {
    /// 1 for the first, rising with each rotation.
    pub number: u32,
    /// The digest.
    pub digest: TokenDigest,
    /// The version of the pepper in the digest.
    pub pepper_version: u32,
    /// The last four characters of the token's text.
    pub last_four: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends: with the token, or with its grace.
    pub expires_at: Timestamp,
    /// When it was last used, as far as was recorded.
    pub last_used_at: Option<Timestamp>,
}

impl PartialEq for SecretRow {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
            && self.digest.matches(&other.digest)
            && self.pepper_version == other.pepper_version
            && self.last_four == other.last_four
            && self.created_at == other.created_at
            && self.expires_at == other.expires_at
            && self.last_used_at == other.last_used_at
    }
}

/// How a token was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedRow {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// What has become of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// It opens what it was granted.
    Live,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

/// A token as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRow {
    /// Its public id.
    pub id: TokenId,
    /// What it opens.
    pub access: TokenAccess,
    /// Its secrets that had not ended when last looked at, the newest last; at most two.
    pub secrets: Vec<SecretRow>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Which administrator asked for it.
    pub created_by: String,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// How it was revoked, if it was.
    pub revoked: Option<RevokedRow>,
    /// When it was last used, as far as was recorded.
    pub last_used_at: Option<Timestamp>,
    /// Rises with each change: only a higher version may replace a copy.
    pub version: u64,
}

impl TokenRow {
    /// What it is for, by type.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        match self.access {
            TokenAccess::Data(_) => TokenKind::Server,
            TokenAccess::Admin(_) => TokenKind::Admin,
        }
    }

    /// What has become of it.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked.is_some() {
            TokenState::Revoked
        } else if now >= self.expires_at {
            TokenState::Expired
        } else {
            TokenState::Live
        }
    }

    /// The environment in its text and in its digests: for an administrator of the whole
    /// installation, none.
    #[must_use]
    pub fn env(&self) -> Option<&EnvName> {
        match &self.access {
            TokenAccess::Data(data) => Some(&data.env),
            TokenAccess::Admin(admin) => admin.env.as_ref(),
        }
    }
}
