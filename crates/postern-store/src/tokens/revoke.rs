//! Revoking a token, and what is recorded of its use.

use jiff::Timestamp;
use postern_types::TokenId;

use super::row::{RevokedRow, TokenRow};
use super::{Rehash, Revocation, Tokens, Touch, missing, stored};
use crate::bounds::{TEXT_BYTES_MAX, TOUCH_ROWS_MAX};
use crate::database::{Durability, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError, check_text};
use crate::pseudonyms;

impl Tokens<'_> {
    /// Revokes a token for good, and forgets its placeholders. Saying it again changes nothing: the
    /// first time, hand and reason stand.
    ///
    /// # Errors
    /// Not found when there is no such token.
    pub async fn revoke(
        self,
        id: &TokenId,
        revocation: &Revocation,
        now: Timestamp,
    ) -> Result<TokenRow, StoreError> {
        check_text("name of who revokes", &revocation.by, TEXT_BYTES_MAX)?;
        check_text(
            "reason",
            revocation.reason.as_deref().unwrap_or_default(),
            TEXT_BYTES_MAX,
        )?;
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let before = stored::find(change.sql(), self.store.keys(), id).await?;
        let mut row = before.ok_or_else(|| missing(id))?;
        if row.revoked.is_some() {
            return Ok(row);
        }
        row.revoked = Some(RevokedRow {
            at: whole_ms(now),
            by: revocation.by.clone(),
            reason: revocation.reason.clone(),
        });
        stored::update(change.sql(), self.store, &mut row).await?;
        pseudonyms::forget(change.sql(), id).await?;
        change.commit().await?;
        Ok(row)
    }

    /// Records uses, in few transactions. Uses of tokens or secrets that are gone are let go, and
    /// an older use never replaces a newer one.
    ///
    /// # Errors
    /// When the store is unavailable; some of the uses may then be recorded.
    pub async fn touch_last_used(self, touches: &[Touch]) -> Result<(), StoreError> {
        for batch in touches.chunks(TOUCH_ROWS_MAX) {
            let mut writer = self.store.database().writer(Durability::Relaxed).await?;
            let mut change = writer.begin().await?;
            for touch in batch {
                let sql = "UPDATE token_secrets SET last_used_ms = $1 WHERE token_id = $2 \
                           AND number = $3 AND (last_used_ms IS NULL OR last_used_ms < $1)";
                sqlx::query(sql)
                    .bind(to_ms(touch.at))
                    .bind(touch.token.as_str())
                    .bind(i64::from(touch.secret))
                    .execute(change.sql())
                    .await
                    .doing("record uses of tokens")?;
            }
            change.commit().await?;
        }
        Ok(())
    }

    /// Puts a digest under the current pepper in the place of the one that is stored. Returns
    /// whether it was still stored: a rotation in between is not undone.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn rehash(
        self,
        id: &TokenId,
        secret: u32,
        rehash: &Rehash,
    ) -> Result<bool, StoreError> {
        let mut writer = self.store.database().writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        let sql = "UPDATE token_secrets SET digest = $1, pepper_version = $2 \
                   WHERE token_id = $3 AND number = $4 AND digest = $5 AND pepper_version < $2";
        let done = sqlx::query(sql)
            .bind(&rehash.new.as_bytes()[..])
            .bind(i64::from(rehash.new_version))
            .bind(id.as_str())
            .bind(i64::from(secret))
            .bind(&rehash.old.as_bytes()[..])
            .execute(change.sql())
            .await
            .doing("re-hash a token")?;
        change.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}
