//! Rotating a token: a new secret, and the end of the old one.
//!
//! - One live secret: with grace it lives on for the grace, without it ends now.
//! - Two, the newer never used: it is taken for lost in delivery and replaced; the older one keeps
//!   the end it has, or an earlier one. Without grace both end now.
//! - Two, both used: with grace a conflict, because the older one is still running out and people
//!   rely on it; without grace both end now.
//!
//! So a rotation that is tried again after a lost answer breaks nothing, and none gives any secret
//! a later end than it had. The new secret ends with the token.

use jiff::Timestamp;
use postern_types::{TokenId, TokenKind};
use sqlx::sqlite::SqliteConnection;

use super::create::{NewSecret, check_idempotency_key, hash, installation_env};
use super::row::{self, SecretRow, TokenAccess, TokenRow};
use super::{Issued, Rotation, TokenState, Tokens, missing};
use crate::bounds::GRACE_MAX;
use crate::database::{Durability, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError};

impl Tokens<'_> {
    /// Gives a token a new secret.
    ///
    /// Uses that are not recorded yet count as none: record them before rotating.
    ///
    /// # Errors
    /// Not found when there is no such token; conflict when it is not live, when two secrets are in
    /// use, or when the idempotency key was used before.
    pub async fn rotate(
        self,
        id: &TokenId,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<Issued, StoreError> {
        if rotation.grace > GRACE_MAX {
            return Err(StoreError::invalid(format!(
                "the grace is at most {} days",
                GRACE_MAX.as_secs() / 86_400
            )));
        }
        check_idempotency_key(rotation.idempotency_key.as_deref())?;
        let now = whole_ms(now);
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let before = row::find(change.sql(), id)
            .await?
            .ok_or_else(|| missing(id))?;
        require_live(&before, now)?;
        let idempotency_hash = rotation
            .idempotency_key
            .as_deref()
            .map(|key| hash(&["rotate", id.as_str(), key]));
        if let Some(hash) = &idempotency_hash {
            refuse_repeat(change.sql(), id, hash).await?;
        }
        let grace_end = now
            .checked_add(rotation.grace)
            .map_err(|_| StoreError::invalid("the grace ends after the end of the calendar"))?;
        let kept = kept_secret(&before, now, grace_end)?;
        keep_only(change.sql(), id, kept.as_ref()).await?;

        let newest = before.secrets.last().map_or(0, |secret| secret.number);
        let (kind, env) = match &before.access {
            TokenAccess::Data(data) => (TokenKind::Server, data.env.clone()),
            TokenAccess::Admin(_) => (TokenKind::Admin, installation_env()),
        };
        let token = self.store.mint(kind, &env, Some(id))?;
        let secret = NewSecret {
            number: newest + 1,
            created_at: now,
            expires_at: before.expires_at,
            idempotency_hash,
        };
        self.store.put_secret(change.sql(), &token, &secret).await?;
        raise_version(change.sql(), id).await?;
        let row = row::find(change.sql(), id).await?;
        change.commit().await?;
        let row = row.ok_or_else(|| missing(id))?;
        Ok(Issued { token, row })
    }

    /// Ends the grace of a rotation early: the older secret ends now.
    ///
    /// # Errors
    /// Not found when there is no such token; conflict when it is not live or no grace is running.
    pub async fn end_grace(self, id: &TokenId, now: Timestamp) -> Result<TokenRow, StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let before = row::find(change.sql(), id)
            .await?
            .ok_or_else(|| missing(id))?;
        require_live(&before, now)?;
        let live = live_secrets(&before, now);
        let [_, newest] = live.as_slice() else {
            return Err(StoreError::conflict(format!(
                "token {id} has one secret: no rotation is in its grace"
            )));
        };
        keep_only(change.sql(), id, Some(newest)).await?;
        raise_version(change.sql(), id).await?;
        let row = row::find(change.sql(), id).await?;
        change.commit().await?;
        row.ok_or_else(|| missing(id))
    }
}

fn require_live(row: &TokenRow, now: Timestamp) -> Result<(), StoreError> {
    let fate = match row.state(now) {
        TokenState::Live => return Ok(()),
        TokenState::Expired => "has expired",
        TokenState::Revoked => "was revoked",
    };
    Err(StoreError::conflict(format!(
        "token {} {fate}: it cannot be rotated, make a new one",
        row.id
    )))
}

fn live_secrets(row: &TokenRow, now: Timestamp) -> Vec<SecretRow> {
    let live = row.secrets.iter().filter(|secret| secret.expires_at > now);
    live.cloned().collect()
}

/// The secret that lives on beside the new one, with its end, which is never later than it was.
fn kept_secret(
    row: &TokenRow,
    now: Timestamp,
    grace_end: Timestamp,
) -> Result<Option<SecretRow>, StoreError> {
    if grace_end <= now {
        return Ok(None);
    }
    let mut live = live_secrets(row, now);
    let newest = live.pop();
    let kept = match (live.pop(), newest) {
        (Some(older), Some(newest)) if newest.last_used_at.is_some() => {
            return Err(StoreError::conflict(format!(
                "token {} was rotated and its older secret lives until {}: wait, end its grace \
                 now, or rotate without grace",
                row.id, older.expires_at
            )));
        }
        (Some(older), _) => Some(older),
        (None, newest) => newest,
    };
    Ok(kept.map(|mut kept| {
        kept.expires_at = kept.expires_at.min(grace_end);
        kept
    }))
}

/// Deletes every secret but one, which gets the end it is given.
async fn keep_only(
    sql: &mut SqliteConnection,
    id: &TokenId,
    kept: Option<&SecretRow>,
) -> Result<(), StoreError> {
    // When a secret was last used is remembered of the token, before the secret goes.
    let remember = "UPDATE tokens SET last_used_ms = (SELECT MAX(used) FROM \
                    (SELECT last_used_ms AS used FROM token_secrets WHERE token_id = $1 \
                    UNION ALL SELECT last_used_ms FROM tokens WHERE token_id = $1) AS uses) \
                    WHERE token_id = $1";
    sqlx::query(remember)
        .bind(id.as_str())
        .execute(&mut *sql)
        .await
        .doing("end a token's secrets")?;
    // No secret has the number 0.
    sqlx::query("DELETE FROM token_secrets WHERE token_id = $1 AND number <> $2")
        .bind(id.as_str())
        .bind(kept.map_or(0, |kept| i64::from(kept.number)))
        .execute(&mut *sql)
        .await
        .doing("end a token's secrets")?;
    let Some(kept) = kept else {
        return Ok(());
    };
    sqlx::query("UPDATE token_secrets SET expires_ms = $1 WHERE token_id = $2 AND number = $3")
        .bind(to_ms(kept.expires_at))
        .bind(id.as_str())
        .bind(i64::from(kept.number))
        .execute(sql)
        .await
        .doing("end a token's secrets")?;
    Ok(())
}

async fn raise_version(sql: &mut SqliteConnection, id: &TokenId) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET version = version + 1 WHERE token_id = $1")
        .bind(id.as_str())
        .execute(sql)
        .await
        .doing("change a token")?;
    Ok(())
}

async fn refuse_repeat(
    sql: &mut SqliteConnection,
    id: &TokenId,
    hash: &[u8; 32],
) -> Result<(), StoreError> {
    let statement =
        "SELECT number FROM token_secrets WHERE token_id = $1 AND idempotency_hash = $2";
    let repeat = sqlx::query(statement)
        .bind(id.as_str())
        .bind(&hash[..])
        .fetch_optional(sql)
        .await
        .doing("look an idempotency key up")?;
    if repeat.is_none() {
        return Ok(());
    }
    Err(StoreError::Conflict {
        reason: format!(
            "the idempotency key has rotated token {id} already, and a secret is shown once: if \
             it was lost, rotate again with another key"
        ),
        existing: Some(*id),
    })
}
