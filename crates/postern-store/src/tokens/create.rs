//! Making a token.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use postern_types::{
    ApiToken, EnvName, Grant, Limit, PrincipalId, TokenDigest, TokenId, TokenKind,
};
use sqlx::sqlite::SqliteConnection;
use zeroize::Zeroizing;

use super::row::{self, BoundGrant};
use super::{Issued, NewAccess, NewToken, Tokens, missing};
use crate::bounds::{
    GRANTS_BYTES_MAX, GRANTS_MAX, IDEMPOTENCY_KEY_BYTES_MAX, LIMITS_MAX, TEXT_BYTES_MAX,
    TOKEN_TTL_DEFAULT, TOKEN_TTL_MAX, TOKEN_TTL_MIN,
};
use crate::database::{Durability, column, noun, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError, check_text};
use crate::{INSTALLATION, PrincipalKey, Store, environments, principals, upstreams};

/// What a token's row will hold, checked against the state of the transaction.
struct Checked {
    kind: TokenKind,
    /// The environment in the text and the digest.
    named: EnvName,
    env: Option<EnvName>,
    principal: Option<PrincipalKey>,
    role: Option<&'static str>,
    grants: String,
    limits: String,
    ttl_max: Duration,
}

impl Tokens<'_> {
    /// Makes a token.
    ///
    /// # Errors
    /// Not found when the environment, principal or an upstream of a grant is not there; invalid
    /// when a grant does not fit its upstream or the life is too long; conflict when the
    /// idempotency key was used before: `existing` then tells the token that it made.
    pub async fn create(self, new: &NewToken, now: Timestamp) -> Result<Issued, StoreError> {
        check_words(new)?;
        let now = whole_ms(now);
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let checked = check_access(change.sql(), &new.access).await?;
        let idempotency = new.idempotency_key.as_deref().map(|key| Idempotency {
            key_hash: hash(&["create", checked.named.as_str(), key]),
            request_hash: request_hash(new, &checked),
        });
        if let Some(idempotency) = &idempotency {
            idempotency.refuse_repeat(change.sql()).await?;
        }
        let ttl = life(new.ttl, checked.ttl_max)?;
        let expires_at = now.checked_add(ttl).map_err(|_| {
            StoreError::invalid("the token would end after the end of the calendar")
        })?;
        let token = self.store.mint(checked.kind, &checked.named, None)?;
        let sql = "INSERT INTO tokens (token_id, kind, env, principal_key, role, grants, limits, \
                   owner, purpose, created_ms, created_by, expires_ms, version, \
                   idempotency_hash, request_hash) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14)";
        sqlx::query(sql)
            .bind(token.id().as_str())
            .bind(kind_word(checked.kind))
            .bind(checked.env.as_ref().map(EnvName::as_str))
            .bind(checked.principal.map(|key| key.0))
            .bind(checked.role)
            .bind(&checked.grants)
            .bind(&checked.limits)
            .bind(new.owner.as_deref())
            .bind(new.purpose.as_deref())
            .bind(to_ms(now))
            .bind(&new.created_by)
            .bind(to_ms(expires_at))
            .bind(
                idempotency
                    .as_ref()
                    .map(|idempotency| &idempotency.key_hash[..]),
            )
            .bind(
                idempotency
                    .as_ref()
                    .map(|idempotency| &idempotency.request_hash[..]),
            )
            .execute(change.sql())
            .await
            .doing("make a token")?;
        let secret = NewSecret {
            number: 1,
            created_at: now,
            expires_at,
            idempotency_hash: None,
        };
        self.store.put_secret(change.sql(), &token, &secret).await?;
        let row = row::find(change.sql(), &token.id()).await?;
        change.commit().await?;
        let row = row.ok_or_else(|| missing(&token.id()))?;
        Ok(Issued { token, row })
    }
}

/// A secret of a token to store.
pub(super) struct NewSecret {
    pub(super) number: u32,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) idempotency_hash: Option<[u8; 32]>,
}

impl Store {
    /// A token with a fresh secret, and a fresh id unless it has one.
    pub(super) fn mint(
        &self,
        kind: TokenKind,
        env: &EnvName,
        id: Option<&TokenId>,
    ) -> Result<ApiToken, StoreError> {
        let mut id_bytes = [0; 12];
        let mut secret = Zeroizing::new([0; 32]);
        self.random().fill(&mut *secret)?;
        match id {
            None => {
                self.random().fill(&mut id_bytes)?;
                Ok(ApiToken::mint(kind, env, &id_bytes, &secret))
            }
            Some(id) => Ok(ApiToken::mint_for(kind, env, *id, &secret)),
        }
    }

    /// Stores the digest of a token's secret under the current pepper of its domain.
    pub(super) async fn put_secret(
        &self,
        sql: &mut SqliteConnection,
        token: &ApiToken,
        new: &NewSecret,
    ) -> Result<(), StoreError> {
        let peppers = match token.kind() {
            TokenKind::Admin => self.keys().admin_peppers(),
            TokenKind::Server => self.keys().peppers(token.env())?,
        };
        let pepper = peppers.current();
        let digest = TokenDigest::compute(pepper, token);
        let statement = "INSERT INTO token_secrets (token_id, number, digest, pepper_version, \
                         last_four, created_ms, expires_ms, idempotency_hash) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(statement)
            .bind(token.id().as_str())
            .bind(i64::from(new.number))
            .bind(&digest.as_bytes()[..])
            .bind(i64::from(pepper.version()))
            .bind(token.last_four())
            .bind(to_ms(new.created_at))
            .bind(to_ms(new.expires_at))
            .bind(new.idempotency_hash.as_ref().map(|hash| &hash[..]))
            .execute(sql)
            .await
            .doing("store a token's digest")?;
        Ok(())
    }
}

/// The environment named in the text of an administrator's token of the whole installation.
pub(super) fn installation_env() -> EnvName {
    EnvName::parse(INSTALLATION).expect("the installation's name has the form of an environment's")
}

fn kind_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Server => "server",
        TokenKind::Admin => "admin",
    }
}

fn check_words(new: &NewToken) -> Result<(), StoreError> {
    let owner = new.owner.as_deref().unwrap_or_default();
    let purpose = new.purpose.as_deref().unwrap_or_default();
    for (noun, text) in [
        ("owner", owner),
        ("purpose", purpose),
        ("maker", &new.created_by),
    ] {
        check_text(noun, text, TEXT_BYTES_MAX)?;
    }
    check_idempotency_key(new.idempotency_key.as_deref())
}

pub(super) fn check_idempotency_key(key: Option<&str>) -> Result<(), StoreError> {
    match key {
        Some("") => Err(StoreError::invalid("the idempotency key is empty")),
        Some(key) => check_text("idempotency key", key, IDEMPOTENCY_KEY_BYTES_MAX),
        None => Ok(()),
    }
}

async fn check_access(
    sql: &mut SqliteConnection,
    access: &NewAccess,
) -> Result<Checked, StoreError> {
    match access {
        NewAccess::Data {
            env,
            principal,
            grants,
            limits,
        } => check_data(sql, env, principal, grants, limits).await,
        NewAccess::Admin { role, env } => {
            let ttl_max = match env {
                Some(env) => environments::require(sql, env).await?.token_ttl_max,
                None => TOKEN_TTL_MAX,
            };
            Ok(Checked {
                kind: TokenKind::Admin,
                named: installation_env(),
                env: env.clone(),
                principal: None,
                role: Some(role.as_str()),
                grants: "[]".to_owned(),
                limits: "[]".to_owned(),
                ttl_max,
            })
        }
    }
}

async fn check_data(
    sql: &mut SqliteConnection,
    env: &EnvName,
    principal: &PrincipalId,
    grants: &[Grant],
    limits: &[Limit],
) -> Result<Checked, StoreError> {
    let environment = environments::require(sql, env).await?;
    let found = principals::find(sql, env, principal).await?;
    let found = found.ok_or_else(|| principals::missing(env, principal))?;
    if grants.is_empty() {
        return Err(StoreError::invalid(
            "a token without a grant opens nothing: give one",
        ));
    }
    if grants.len() > GRANTS_MAX || limits.len() > LIMITS_MAX {
        return Err(StoreError::invalid(format!(
            "a token has at most {GRANTS_MAX} grants and {LIMITS_MAX} limits"
        )));
    }
    let mut bound = Vec::with_capacity(grants.len());
    for grant in grants {
        let upstream = upstreams::find(sql, env, &grant.upstream).await?;
        let upstream = upstream.ok_or_else(|| upstreams::missing(env, &grant.upstream))?;
        let grant = grant.clone().expand(upstream.kind);
        bound.push(BoundGrant {
            upstream_id: upstream.id,
            grant: grant.map_err(|error| StoreError::invalid(error.to_string()))?,
        });
    }
    let text = |result: Result<String, serde_json::Error>| {
        result.map_err(|error| StoreError::unavailable("write grants", error))
    };
    let grants = text(serde_json::to_string(&bound))?;
    let limits = text(serde_json::to_string(limits))?;
    if grants.len() + limits.len() > GRANTS_BYTES_MAX {
        return Err(StoreError::invalid(format!(
            "the grants and limits of a token take at most {GRANTS_BYTES_MAX} bytes"
        )));
    }
    Ok(Checked {
        kind: TokenKind::Server,
        named: env.clone(),
        env: Some(env.clone()),
        principal: Some(found.key),
        role: None,
        grants,
        limits,
        ttl_max: environment.token_ttl_max,
    })
}

/// How long the token lives. The cap never lengthens what was asked, and never shortens it
/// silently: only the default gives way to it.
fn life(asked: Option<Duration>, cap: Duration) -> Result<Duration, StoreError> {
    let Some(asked) = asked else {
        return Ok(TOKEN_TTL_DEFAULT.min(cap));
    };
    if asked < TOKEN_TTL_MIN {
        return Err(StoreError::invalid("a token lives at least one second"));
    }
    if asked > cap {
        return Err(StoreError::invalid(format!(
            "the token would live {} s: at most {} s are allowed here",
            asked.as_secs(),
            cap.as_secs()
        )));
    }
    Ok(asked)
}

struct Idempotency {
    key_hash: [u8; 32],
    request_hash: [u8; 32],
}

impl Idempotency {
    async fn refuse_repeat(&self, sql: &mut SqliteConnection) -> Result<(), StoreError> {
        let row =
            sqlx::query("SELECT token_id, request_hash FROM tokens WHERE idempotency_hash = $1")
                .bind(&self.key_hash[..])
                .fetch_optional(sql)
                .await
                .doing("look an idempotency key up")?;
        let Some(row) = row else {
            return Ok(());
        };
        let existing: TokenId = noun(&row, "token_id")?;
        let before: Option<Vec<u8>> = column(&row, "request_hash")?;
        let reason = if before.as_deref() == Some(&self.request_hash[..]) {
            format!(
                "the idempotency key has made token {existing} already, and a secret is shown \
                 once: if it was lost, rotate that token"
            )
        } else {
            format!("the idempotency key was used for another request, which made token {existing}")
        };
        Err(StoreError::Conflict {
            reason,
            existing: Some(existing),
        })
    }
}

/// All of the request but its key and its maker's name.
fn request_hash(new: &NewToken, checked: &Checked) -> [u8; 32] {
    let principal = checked.principal.map_or(0, |key| key.0).to_string();
    let ttl = new
        .ttl
        .map_or(String::new(), |ttl| ttl.as_millis().to_string());
    hash(&[
        kind_word(checked.kind),
        checked.env.as_ref().map_or("", EnvName::as_str),
        checked.role.unwrap_or_default(),
        &principal,
        &checked.grants,
        &checked.limits,
        &ttl,
        new.owner.as_deref().unwrap_or_default(),
        new.purpose.as_deref().unwrap_or_default(),
    ])
}

/// SHA-256 over the parts, each with its length before it.
pub(super) fn hash(parts: &[&str]) -> [u8; 32] {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    digest(&SHA256, &text)
        .as_ref()
        .try_into()
        .expect("a SHA-256 digest has 32 bytes")
}
