//! A token as stored.

use std::collections::HashMap;

use jiff::Timestamp;
use postern_types::{EnvName, Grant, Limit, PrincipalId, TokenDigest, TokenId, TokenKind};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::database::{column, maybe_time, natural, noun, time};
use crate::error::{Doing as _, StoreError};
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

/// All columns of tokens, their principals' names and their secrets: a row a secret, in one
/// statement, so that a token and its secrets are of one moment.
macro_rules! select {
    () => {
        "SELECT t.token_id, t.kind, t.env, t.principal_key, p.principal, t.role, t.grants, \
         t.limits, t.owner, t.purpose, t.created_ms, t.created_by, t.expires_ms, t.revoked_ms, \
         t.revoked_by, t.revoke_reason, t.last_used_ms, t.version, s.number, s.digest, \
         s.pepper_version, s.last_four, s.created_ms AS secret_created_ms, \
         s.expires_ms AS secret_expires_ms, s.last_used_ms AS secret_last_used_ms FROM "
    };
}
/// What belongs to tokens called `t`.
macro_rules! joins {
    () => {
        " AS t LEFT JOIN principals AS p ON p.principal_key = t.principal_key \
         LEFT JOIN token_secrets AS s ON s.token_id = t.token_id "
    };
}
pub(super) use {joins, select};

/// A token and its secrets, inside the caller's transaction.
pub(super) async fn find(
    sql: &mut SqliteConnection,
    id: &TokenId,
) -> Result<Option<TokenRow>, StoreError> {
    let statement = concat!(
        select!(),
        "tokens",
        joins!(),
        "WHERE t.token_id = $1 ORDER BY s.number"
    );
    let rows = sqlx::query(statement)
        .bind(id.as_str())
        .fetch_all(sql)
        .await
        .doing("look a token up")?;
    Ok(gather(&rows)?.pop())
}

/// The tokens of rows in which the secrets of a token follow each other, the newest last.
pub(super) fn gather(rows: &[SqliteRow]) -> Result<Vec<TokenRow>, StoreError> {
    let mut tokens: Vec<TokenRow> = Vec::new();
    for row in rows {
        let id: TokenId = noun(row, "token_id")?;
        if tokens.last().is_none_or(|token| token.id != id) {
            tokens.push(read(row)?);
        }
        if column::<Option<i64>>(row, "number")?.is_some() {
            let secret = read_secret(row)?;
            let token = tokens.last_mut().expect("a token was pushed above");
            token.last_used_at = token.last_used_at.max(secret.last_used_at);
            token.secrets.push(secret);
        }
    }
    Ok(tokens)
}

fn fault(fault: impl std::fmt::Display) -> StoreError {
    StoreError::unavailable("read a token back", fault.to_string())
}

/// A token without its secrets.
fn read(row: &SqliteRow) -> Result<TokenRow, StoreError> {
    let revoked = maybe_time(row, "revoked_ms")?;
    let revoked = revoked.map(|at| {
        let by: Option<String> = column(row, "revoked_by")?;
        Ok::<_, StoreError>(RevokedRow {
            at,
            by: by.unwrap_or_default(),
            reason: column(row, "revoke_reason")?,
        })
    });
    Ok(TokenRow {
        id: noun(row, "token_id")?,
        access: read_access(row)?,
        secrets: Vec::new(),
        owner: column(row, "owner")?,
        purpose: column(row, "purpose")?,
        created_at: time(row, "created_ms")?,
        created_by: column(row, "created_by")?,
        expires_at: time(row, "expires_ms")?,
        revoked: revoked.transpose()?,
        last_used_at: maybe_time(row, "last_used_ms")?,
        version: natural(row, "version")?,
    })
}

fn read_access(row: &SqliteRow) -> Result<TokenAccess, StoreError> {
    let env: Option<&str> = column(row, "env")?;
    let env = env.map(EnvName::parse).transpose().map_err(fault)?;
    match column::<&str>(row, "kind")? {
        "server" => Ok(TokenAccess::Data(DataAccess {
            env: env.ok_or_else(|| fault("a server token has no environment"))?,
            principal: noun(row, "principal")?,
            principal_key: PrincipalKey(column(row, "principal_key")?),
            grants: serde_json::from_str(column(row, "grants")?).map_err(fault)?,
            limits: serde_json::from_str(column(row, "limits")?).map_err(fault)?,
        })),
        "admin" => {
            let role = AdminRole::parse(column(row, "role")?);
            let role = role.ok_or_else(|| fault("an administrator has no known role"))?;
            Ok(TokenAccess::Admin(AdminAccess { role, env }))
        }
        _ => Err(fault("a token is of no known kind")),
    }
}

fn read_secret(row: &SqliteRow) -> Result<SecretRow, StoreError> {
    let digest: &[u8] = column(row, "digest")?;
    let digest = digest.try_into().map_err(fault)?;
    Ok(SecretRow {
        number: u32::try_from(natural(row, "number")?).map_err(fault)?,
        digest: TokenDigest::from_bytes(digest),
        pepper_version: u32::try_from(natural(row, "pepper_version")?).map_err(fault)?,
        last_four: column(row, "last_four")?,
        created_at: time(row, "secret_created_ms")?,
        expires_at: time(row, "secret_expires_ms")?,
        last_used_at: maybe_time(row, "secret_last_used_ms")?,
    })
}
