//! A token as it is stored: clear columns to select and sort by, and one sealed record with the
//! rest.
//!
//! INVARIANT: the record is bound to every clear column but the marks of idempotency and of use,
//! and to the numbers and ends of the secrets. Whoever changes one of them writes the record anew,
//! and that is done here only.

use std::fmt::Write as _;

use postern_types::{EnvName, Limit, PrincipalId, TokenDigest, TokenId, TokenKind};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::row::{
    AdminAccess, AdminRole, BoundGrant, DataAccess, RevokedRow, SecretRow, TokenAccess, TokenRow,
};
use crate::database::{column, maybe_time, natural, noun, time, to_i64, to_ms};
use crate::error::{Doing as _, StoreError};
use crate::seal::Place;
use crate::{KeyDomain, KeyRing, PrincipalKey, Store, record};

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    principal: Option<PrincipalId>,
    grants: Vec<BoundGrant>,
    limits: Vec<Limit>,
    owner: Option<String>,
    purpose: Option<String>,
    created_by: String,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
}

/// All columns of tokens and their secrets: a row a secret, in one statement, so that a token and
/// its secrets are of one moment.
macro_rules! select {
    () => {
        "SELECT t.token_id, t.kind, t.env, t.principal_key, t.role, t.sealed, t.created_ms, \
         t.expires_ms, t.revoked_ms, t.last_used_ms, t.version, s.number, s.digest, \
         s.pepper_version, s.last_four, s.created_ms AS secret_created_ms, \
         s.expires_ms AS secret_expires_ms, s.last_used_ms AS secret_last_used_ms FROM "
    };
}
/// What belongs to tokens called `t`.
macro_rules! joins {
    () => {
        " AS t LEFT JOIN token_secrets AS s ON s.token_id = t.token_id "
    };
}
pub(super) use {joins, select};

/// A token and its secrets, inside the caller's transaction.
pub(super) async fn find(
    sql: &mut SqliteConnection,
    keys: &KeyRing,
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
    Ok(gather(keys, &rows)?.pop())
}

/// The tokens of rows in which the secrets of a token follow each other, the newest last.
pub(super) fn gather(keys: &KeyRing, rows: &[SqliteRow]) -> Result<Vec<TokenRow>, StoreError> {
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(noun::<TokenId>(row, "token_id")?);
    }
    let mut tokens = Vec::new();
    let mut rest = rows;
    for same in ids.chunk_by(|a, b| a == b) {
        let (token, others) = rest.split_at(same.len());
        rest = others;
        tokens.push(read(keys, token)?);
    }
    Ok(tokens)
}

/// Stores a new token without its secrets.
pub(super) async fn insert(
    sql: &mut SqliteConnection,
    store: &Store,
    token: &TokenRow,
    marks: Option<(&[u8; 32], &[u8; 32])>,
) -> Result<(), StoreError> {
    let (principal, role) = match &token.access {
        TokenAccess::Data(data) => (Some(data.principal_key.0), None),
        TokenAccess::Admin(admin) => (None, Some(admin.role.as_str())),
    };
    let statement = "INSERT INTO tokens (token_id, kind, env, principal_key, role, sealed, \
                     created_ms, expires_ms, version, idempotency_mark, request_mark) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(statement)
        .bind(token.id.as_str())
        .bind(kind_word(token.kind()))
        .bind(token.env().map(EnvName::as_str))
        .bind(principal)
        .bind(role)
        .bind(seal(store, token)?)
        .bind(to_ms(token.created_at))
        .bind(to_ms(token.expires_at))
        .bind(to_i64(token.version)?)
        .bind(marks.map(|(key, _)| &key[..]))
        .bind(marks.map(|(_, request)| &request[..]))
        .execute(sql)
        .await
        .doing("make a token")?;
    Ok(())
}

/// Stores what has changed of a token, as its next version. Its secrets are stored by the caller.
pub(super) async fn update(
    sql: &mut SqliteConnection,
    store: &Store,
    token: &mut TokenRow,
) -> Result<(), StoreError> {
    token.version += 1;
    let statement = "UPDATE tokens SET sealed = $1, revoked_ms = $2, last_used_ms = $3, \
                     version = $4 WHERE token_id = $5";
    sqlx::query(statement)
        .bind(seal(store, token)?)
        .bind(token.revoked.as_ref().map(|revoked| to_ms(revoked.at)))
        .bind(token.last_used_at.map(to_ms))
        .bind(to_i64(token.version)?)
        .bind(token.id.as_str())
        .execute(sql)
        .await
        .doing("change a token")?;
    Ok(())
}

/// Stores a new secret of a token.
pub(super) async fn insert_secret(
    sql: &mut SqliteConnection,
    id: &TokenId,
    secret: &SecretRow,
    idempotency_mark: Option<&[u8; 32]>,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO token_secrets (token_id, number, digest, pepper_version, \
                     last_four, created_ms, expires_ms, idempotency_mark) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(statement)
        .bind(id.as_str())
        .bind(i64::from(secret.number))
        .bind(&secret.digest.as_bytes()[..])
        .bind(i64::from(secret.pepper_version))
        .bind(&secret.last_four)
        .bind(to_ms(secret.created_at))
        .bind(to_ms(secret.expires_at))
        .bind(idempotency_mark.map(|mark| &mark[..]))
        .execute(sql)
        .await
        .doing("store a token's digest")?;
    Ok(())
}

pub(super) fn kind_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Server => "server",
        TokenKind::Admin => "admin",
    }
}

/// Whose keys seal a token: its environment's, or for administrators the installation's.
pub(super) fn domain_of(access: &TokenAccess) -> KeyDomain {
    match access {
        TokenAccess::Data(data) => KeyDomain::Environment(data.env.clone()),
        TokenAccess::Admin(_) => KeyDomain::Installation,
    }
}

/// What the record is bound to.
struct Bound<'t> {
    id: TokenId,
    domain: KeyDomain,
    env: Option<&'t EnvName>,
    principal: i64,
    role: &'static str,
    /// Made, ends, revoked (0 when it is not), in milliseconds.
    times: [i64; 3],
    version: i64,
    secrets: &'t [SecretRow],
}

impl Bound<'_> {
    /// Calls with the place of the record, all that it is bound to in it.
    fn place<T>(&self, with: impl FnOnce(&Place<'_>) -> T) -> T {
        let [created, expires, revoked] = self.times;
        let mut beside = format!(
            "{} {} {} {created} {expires} {revoked}",
            self.env.map_or("", EnvName::as_str),
            self.principal,
            self.role,
        );
        for secret in self.secrets {
            write!(beside, " {}:{}", secret.number, to_ms(secret.expires_at))
                .expect("writing to a string does not fail");
        }
        with(&Place {
            domain: &self.domain,
            noun: "token",
            name: self.id.as_str(),
            row: 0,
            column: "record",
            version: self.version,
            beside: &beside,
        })
    }
}

fn seal(store: &Store, token: &TokenRow) -> Result<Vec<u8>, StoreError> {
    let revoked = token.revoked.as_ref();
    let mut bound = Bound {
        id: token.id,
        domain: domain_of(&token.access),
        env: token.env(),
        principal: 0,
        role: "",
        times: [
            to_ms(token.created_at),
            to_ms(token.expires_at),
            revoked.map_or(0, |revoked| to_ms(revoked.at)),
        ],
        version: to_i64(token.version)?,
        secrets: &token.secrets,
    };
    let mut content = Record {
        principal: None,
        grants: Vec::new(),
        limits: Vec::new(),
        owner: token.owner.clone(),
        purpose: token.purpose.clone(),
        created_by: token.created_by.clone(),
        revoked_by: revoked.map(|revoked| revoked.by.clone()),
        revoke_reason: revoked.and_then(|revoked| revoked.reason.clone()),
    };
    match &token.access {
        TokenAccess::Admin(admin) => bound.role = admin.role.as_str(),
        TokenAccess::Data(data) => {
            bound.principal = data.principal_key.0;
            content.principal = Some(data.principal.clone());
            content.grants.clone_from(&data.grants);
            content.limits.clone_from(&data.limits);
        }
    }
    bound.place(|place| record::seal(store, place, &content))
}

fn fault(fault: impl std::fmt::Display) -> StoreError {
    StoreError::unavailable("read a token back", fault.to_string())
}

/// A token of its rows: the clear columns open the record, and only then is any of them believed.
fn read(keys: &KeyRing, rows: &[SqliteRow]) -> Result<TokenRow, StoreError> {
    let row = rows.first().ok_or_else(|| fault("it has no row"))?;
    let mut secrets = Vec::with_capacity(rows.len());
    for row in rows {
        if column::<Option<i64>>(row, "number")?.is_some() {
            secrets.push(read_secret(row)?);
        }
    }
    let env: Option<&str> = column(row, "env")?;
    let env = env.map(EnvName::parse).transpose().map_err(fault)?;
    let role: Option<&str> = column(row, "role")?;
    let role = role.and_then(AdminRole::parse);
    let principal: Option<i64> = column(row, "principal_key")?;
    let domain = match (column(row, "kind")?, &env, principal, role) {
        ("server", Some(env), Some(_), None) => KeyDomain::Environment(env.clone()),
        ("admin", _, None, Some(_)) => KeyDomain::Installation,
        _ => return Err(fault("its columns do not fit together")),
    };
    let revoked_at = maybe_time(row, "revoked_ms")?;
    let (created_at, expires_at) = (time(row, "created_ms")?, time(row, "expires_ms")?);
    let (id, version) = (noun(row, "token_id")?, natural(row, "version")?);
    let bound = Bound {
        id,
        domain,
        env: env.as_ref(),
        principal: principal.unwrap_or_default(),
        role: role.map_or("", AdminRole::as_str),
        times: [
            to_ms(created_at),
            to_ms(expires_at),
            revoked_at.map_or(0, to_ms),
        ],
        version: to_i64(version)?,
        secrets: &secrets,
    };
    let sealed: &[u8] = column(row, "sealed")?;
    let content: Record = bound.place(|place| record::open(keys, place, sealed))?;
    let last_used_at = secrets
        .iter()
        .map(|secret| secret.last_used_at)
        .fold(maybe_time(row, "last_used_ms")?, Option::max);
    let access = match (env, role) {
        (env, Some(role)) => TokenAccess::Admin(AdminAccess { role, env }),
        (Some(env), None) => TokenAccess::Data(DataAccess {
            env,
            principal: content
                .principal
                .ok_or_else(|| fault("it has no principal"))?,
            principal_key: PrincipalKey(principal.unwrap_or_default()),
            grants: content.grants,
            limits: content.limits,
        }),
        (None, None) => return Err(fault("its columns do not fit together")),
    };
    Ok(TokenRow {
        id,
        access,
        secrets,
        owner: content.owner,
        purpose: content.purpose,
        created_at,
        created_by: content.created_by,
        expires_at,
        revoked: revoked_at.map(|at| RevokedRow {
            at,
            by: content.revoked_by.unwrap_or_default(),
            reason: content.revoke_reason,
        }),
        last_used_at,
        version,
    })
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
