//! Placeholders that outlive their request: what they stand for, one token's apart from another's.
//!
//! What is kept is bytes of whoever keeps it; here it is sealed, bound to environment, token and
//! end, and goes when the token is revoked, its environment is retired, or nobody used it for
//! [`PSEUDONYMS_TTL`](crate::bounds::PSEUDONYMS_TTL). Writing it waits for no disk: if a power cut
//! loses it, placeholders are not turned back.

use jiff::Timestamp;
use postern_types::{EnvName, Secret, TokenId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use zeroize::Zeroizing;

use crate::bounds::{PSEUDONYM_TOKENS_MAX, PSEUDONYMS_BYTES_MAX, PSEUDONYMS_TTL, PURGE_ROWS_MAX};
use crate::database::{Durability, column, from_ms, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError};
use crate::seal::{Place, seal_kept, unseal_kept};
use crate::{KeyDomain, Store};

/// What is kept for a token.
#[derive(Debug)]
pub struct KeptRow {
    /// What was given to be kept.
    pub content: Secret,
    /// When it ends, unless it is used before.
    pub expires_at: Timestamp,
}

/// The operations on placeholders that are kept.
#[derive(Debug, Clone, Copy)]
pub struct Pseudonyms<'a> {
    store: &'a Store,
}

const SELECT: &str = "SELECT sealed, expires_ms FROM pseudonyms \
                      WHERE token_id = $1 AND env = $2 AND expires_ms > $3";

impl<'a> Pseudonyms<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// What is kept for a token of an environment.
    ///
    /// # Errors
    /// When the store is unavailable, or what is there does not open.
    pub async fn read(
        self,
        env: &EnvName,
        token: &TokenId,
        now: Timestamp,
    ) -> Result<Option<KeptRow>, StoreError> {
        let row = sqlx::query(SELECT)
            .bind(token.as_str())
            .bind(env.as_str())
            .bind(to_ms(now))
            .fetch_optional(self.store.database().read())
            .await
            .doing("read placeholders")?;
        row.map(|row| self.open(env, token, &row)).transpose()
    }

    /// Puts something else in the place of what is kept for a token, which nobody changes
    /// meanwhile, and lets it live on from now.
    ///
    /// # Errors
    /// Not found when there is no such token that lives; invalid when it is too large.
    pub async fn change(
        self,
        env: &EnvName,
        token: &TokenId,
        now: Timestamp,
        with: impl FnOnce(Option<&Secret>) -> Zeroizing<Vec<u8>> + Send,
    ) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        require_live(change.sql(), env, token, now).await?;
        let row = sqlx::query(SELECT)
            .bind(token.as_str())
            .bind(env.as_str())
            .bind(to_ms(now))
            .fetch_optional(change.sql())
            .await
            .doing("read placeholders")?;
        let before = row.map(|row| self.open(env, token, &row)).transpose()?;
        if before.is_none() {
            make_room(change.sql()).await?;
        }
        let content = with(before.as_ref().map(|row| &row.content));
        if content.len() > PSEUDONYMS_BYTES_MAX {
            return Err(StoreError::invalid(format!(
                "the placeholders of a token take at most {PSEUDONYMS_BYTES_MAX} bytes"
            )));
        }
        let expires = now
            .saturating_add(PSEUDONYMS_TTL)
            .expect("a saturating sum of a plain duration");
        let expires = to_ms(whole_ms(expires));
        let domain = KeyDomain::Environment(env.clone());
        let place = place(&domain, token, expires);
        let (keys, random) = (self.store.keys(), self.store.random());
        let sealed = seal_kept(keys, random, (token, &place), &content)?;
        let sql = "INSERT INTO pseudonyms (token_id, env, sealed, expires_ms) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (token_id) DO UPDATE \
                   SET env = excluded.env, sealed = excluded.sealed, \
                   expires_ms = excluded.expires_ms";
        sqlx::query(sql)
            .bind(token.as_str())
            .bind(env.as_str())
            .bind(sealed)
            .bind(expires)
            .execute(change.sql())
            .await
            .doing("keep placeholders")?;
        change.commit().await
    }

    /// Forgets what has ended. Returns how many tokens' it was; when it is a full batch there may
    /// be more.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn purge(self, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.store.database().writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        let sql = "DELETE FROM pseudonyms WHERE token_id IN \
                   (SELECT token_id FROM pseudonyms WHERE expires_ms <= $1 LIMIT $2)";
        let done = sqlx::query(sql)
            .bind(to_ms(now))
            .bind(PURGE_ROWS_MAX)
            .execute(change.sql())
            .await
            .doing("forget placeholders")?;
        change.commit().await?;
        Ok(done.rows_affected())
    }

    fn open(self, env: &EnvName, token: &TokenId, row: &SqliteRow) -> Result<KeptRow, StoreError> {
        let expires: i64 = column(row, "expires_ms")?;
        let domain = KeyDomain::Environment(env.clone());
        let place = place(&domain, token, expires);
        let content = unseal_kept(self.store.keys(), token, &place, column(row, "sealed")?)
            .map_err(|error| StoreError::unavailable("read placeholders", error))?;
        Ok(KeptRow {
            content,
            expires_at: from_ms(expires)?,
        })
    }
}

/// The end stands in the place of a version: a row that was made to live on by hand does not open.
fn place<'n>(domain: &'n KeyDomain, token: &'n TokenId, expires: i64) -> Place<'n> {
    Place {
        domain,
        noun: "placeholders of token",
        name: token.as_str(),
        row: 0,
        column: "sealed",
        version: expires,
        beside: "",
    }
}

/// Nothing is kept for a token that ended meanwhile: nobody would take it out again.
async fn require_live(
    sql: &mut SqliteConnection,
    env: &EnvName,
    token: &TokenId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let live = "SELECT token_id FROM tokens WHERE token_id = $1 AND env = $2 \
                AND revoked_ms IS NULL AND expires_ms > $3";
    let found = sqlx::query(live)
        .bind(token.as_str())
        .bind(env.as_str())
        .bind(to_ms(now))
        .fetch_optional(sql)
        .await
        .doing("keep placeholders")?;
    found
        .map(|_| ())
        .ok_or_else(|| StoreError::not_found("live token", token))
}

/// Lets what would end first go until one more finds room.
async fn make_room(sql: &mut SqliteConnection) -> Result<(), StoreError> {
    let done = "DELETE FROM pseudonyms WHERE token_id IN \
                (SELECT token_id FROM pseudonyms ORDER BY expires_ms DESC LIMIT -1 OFFSET $1)";
    sqlx::query(done)
        .bind(PSEUDONYM_TOKENS_MAX - 1)
        .execute(sql)
        .await
        .doing("keep placeholders")?;
    Ok(())
}

/// Forgets what is kept for a token.
pub(crate) async fn forget(sql: &mut SqliteConnection, token: &TokenId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM pseudonyms WHERE token_id = $1")
        .bind(token.as_str())
        .execute(sql)
        .await
        .doing("forget placeholders")?;
    Ok(())
}
