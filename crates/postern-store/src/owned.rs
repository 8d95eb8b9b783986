//! Who made what at a provider.
//!
//! Objects of all principals lie side by side under one shared provider credential; the gateway
//! lets a principal name only those that it made. An entry belongs to one incarnation of an
//! upstream and one of a principal, and ends after [`OWNED_TTL`](crate::bounds::OWNED_TTL).
//!
//! The ids are the provider's, no secrets, and are found only by environment, upstream, kind and
//! whole id. Writing one waits for no disk: if a power cut loses it, its owner is denied, nobody
//! else is let in.

use jiff::Timestamp;
use postern_types::OwnedId;
use sqlx::sqlite::SqliteConnection;

use crate::bounds::{OWNED_ID_BYTES_MAX, OWNED_TTL, PURGE_ROWS_MAX};
use crate::database::{Durability, column, to_ms};
use crate::error::{Doing as _, StoreError};
use crate::{PrincipalKey, Store, UpstreamId};

/// Something that a principal made at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub upstream: UpstreamId,
    /// What.
    pub what: OwnedId,
    /// By whom.
    pub by: PrincipalKey,
    /// When.
    pub at: Timestamp,
}

/// The operations on ownership.
#[derive(Debug, Clone, Copy)]
pub struct Owned<'a> {
    store: &'a Store,
}

impl<'a> Owned<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Remembers who made something. Saying it again is no error.
    ///
    /// # Errors
    /// Conflict when somebody else made it: then nothing is changed.
    pub async fn record(self, made: &Made) -> Result<(), StoreError> {
        self.record_all(std::slice::from_ref(made)).await
    }

    /// Remembers several at once, all or none.
    ///
    /// # Errors
    /// As [`Owned::record`].
    pub async fn record_all(self, made: &[Made]) -> Result<(), StoreError> {
        if made.is_empty() {
            return Ok(());
        }
        let mut writer = self.store.database().writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        for made in made {
            record(change.sql(), made).await?;
        }
        change.commit().await
    }

    /// Who made it, if it is known and not too long ago.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn owner_of(
        self,
        upstream: UpstreamId,
        what: &OwnedId,
        now: Timestamp,
    ) -> Result<Option<PrincipalKey>, StoreError> {
        let sql = "SELECT principal_key FROM owned \
                   WHERE upstream_key = $1 AND kind = $2 AND owned_id = $3 AND expires_ms > $4";
        let row = sqlx::query(sql)
            .bind(upstream.0)
            .bind(what.kind.as_str())
            .bind(&what.id)
            .bind(to_ms(now))
            .fetch_optional(self.store.database().read())
            .await
            .doing("tell who owns an object")?;
        row.map(|row| column(&row, "principal_key").map(PrincipalKey))
            .transpose()
    }

    /// Forgets what has ended. Returns how many entries; when it is a full batch there may be more.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn purge(self, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.store.database().writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        let sql = "DELETE FROM owned WHERE (upstream_key, kind, owned_id) IN \
                   (SELECT upstream_key, kind, owned_id FROM owned \
                   WHERE expires_ms <= $1 LIMIT $2)";
        let done = sqlx::query(sql)
            .bind(to_ms(now))
            .bind(PURGE_ROWS_MAX)
            .execute(change.sql())
            .await
            .doing("forget old objects")?;
        change.commit().await?;
        Ok(done.rows_affected())
    }
}

async fn record(sql: &mut SqliteConnection, made: &Made) -> Result<(), StoreError> {
    if made.what.id.is_empty() || made.what.id.len() > OWNED_ID_BYTES_MAX {
        return Err(StoreError::invalid(format!(
            "the id of an object at a provider has 1 to {OWNED_ID_BYTES_MAX} bytes"
        )));
    }
    let expires = made
        .at
        .saturating_add(OWNED_TTL)
        .expect("a saturating sum of a plain duration");
    // An entry that has ended is free; a live one stays with whoever made it.
    let upsert = "INSERT INTO owned (upstream_key, kind, owned_id, principal_key, expires_ms) \
                  VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (upstream_key, kind, owned_id) DO UPDATE \
                  SET principal_key = excluded.principal_key, expires_ms = excluded.expires_ms \
                  WHERE owned.principal_key = excluded.principal_key OR owned.expires_ms <= $6";
    let done = sqlx::query(upsert)
        .bind(made.upstream.0)
        .bind(made.what.kind.as_str())
        .bind(&made.what.id)
        .bind(made.by.0)
        .bind(to_ms(expires))
        .bind(to_ms(made.at))
        .execute(sql)
        .await
        .doing("remember who made an object")?;
    if done.rows_affected() == 0 {
        return Err(StoreError::conflict(format!(
            "another principal owns this {} at the provider already",
            made.what.kind.as_str()
        )));
    }
    Ok(())
}
