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
use postern_types::TokenId;
use sqlx::sqlite::SqliteConnection;

use super::create::check_idempotency_key;
use super::row::{SecretRow, TokenRow};
use super::{Issued, Rotation, TokenState, Tokens, missing, stored};
use crate::bounds::GRACE_MAX;
use crate::database::{Durability, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError};
use crate::record;

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
        let keys = self.store.keys();
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let before = stored::find(change.sql(), keys, id).await?;
        let mut row = before.ok_or_else(|| missing(id))?;
        require_live(&row, now)?;
        let key = rotation.idempotency_key.as_deref();
        let mark = key.map(|key| {
            let domain = stored::domain_of(&row.access);
            record::mark(keys, &domain, &["rotate", id.as_str(), key])
        });
        let mark = mark.transpose()?;
        if let Some(mark) = &mark {
            refuse_repeat(change.sql(), id, mark).await?;
        }
        let grace_end = now
            .checked_add(rotation.grace)
            .map_err(|_| StoreError::invalid("the grace ends after the end of the calendar"))?;
        let kept = kept_secret(&row, now, grace_end)?;
        keep_only(change.sql(), id, kept.as_ref()).await?;

        let newest = row.secrets.last().map_or(0, |secret| secret.number);
        let (token, mut secret) = self.store.mint(&row.access, Some(*id))?;
        secret.number = newest + 1;
        (secret.created_at, secret.expires_at) = (now, row.expires_at);
        stored::insert_secret(change.sql(), id, &secret, mark.as_ref()).await?;
        row.secrets = kept.into_iter().chain([secret]).collect();
        stored::update(change.sql(), self.store, &mut row).await?;
        change.commit().await?;
        Ok(Issued { token, row })
    }

    /// Ends the grace of a rotation early: the older secret ends now.
    ///
    /// # Errors
    /// Not found when there is no such token; conflict when it is not live or no grace is running.
    pub async fn end_grace(self, id: &TokenId, now: Timestamp) -> Result<TokenRow, StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let before = stored::find(change.sql(), self.store.keys(), id).await?;
        let mut row = before.ok_or_else(|| missing(id))?;
        require_live(&row, now)?;
        let mut live = live_secrets(&row, now);
        let (Some(newest), 1) = (live.pop(), live.len()) else {
            return Err(StoreError::conflict(format!(
                "token {id} has one secret: no rotation is in its grace"
            )));
        };
        keep_only(change.sql(), id, Some(&newest)).await?;
        row.secrets = vec![newest];
        stored::update(change.sql(), self.store, &mut row).await?;
        change.commit().await?;
        Ok(row)
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

async fn refuse_repeat(
    sql: &mut SqliteConnection,
    id: &TokenId,
    mark: &[u8; 32],
) -> Result<(), StoreError> {
    let statement =
        "SELECT number FROM token_secrets WHERE token_id = $1 AND idempotency_mark = $2";
    let repeat = sqlx::query(statement)
        .bind(id.as_str())
        .bind(&mark[..])
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
