//! Guard-rail policies of an environment, as text. What they say is checked by whoever saves them.

use jiff::Timestamp;
use postern_types::{EnvName, PolicyName};
use sqlx::sqlite::SqliteRow;

use crate::bounds::{POLICIES_MAX, POLICY_BYTES_MAX};
use crate::database::{Durability, column, noun, time, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError};
use crate::{Store, environments};

/// A policy as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// Its environment.
    pub env: EnvName,
    /// Its name, unique there.
    pub name: PolicyName,
    /// Its statements.
    pub text: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The operations on policies.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    store: &'a Store,
}

impl<'a> Policies<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Saves a policy that its caller has compiled.
    ///
    /// # Errors
    /// Not found when there is no such environment; conflict when the name is taken or the
    /// environment is full; invalid when the text is too long.
    pub async fn create(
        self,
        env: &EnvName,
        name: &PolicyName,
        text: &str,
        now: Timestamp,
    ) -> Result<PolicyRow, StoreError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(StoreError::invalid(format!(
                "the policy is longer than {POLICY_BYTES_MAX} bytes"
            )));
        }
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        environments::require(change.sql(), env).await?;
        let sql = "SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN name = $2 THEN 1 ELSE 0 END), 0) \
                   AS same FROM policies WHERE env = $1";
        let row = sqlx::query(sql)
            .bind(env.as_str())
            .bind(name.as_str())
            .fetch_one(change.sql())
            .await
            .doing("count policies")?;
        if column::<i64>(&row, "same")? > 0 {
            return Err(StoreError::conflict(format!(
                "there is a policy {name} in {env} already: delete it first"
            )));
        }
        if column::<i64>(&row, "n")? >= POLICIES_MAX {
            return Err(StoreError::conflict(format!(
                "environment {env} has {POLICIES_MAX} policies, and that is the most: delete one"
            )));
        }
        let sql = "INSERT INTO policies (env, name, source, created_ms) VALUES ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(env.as_str())
            .bind(name.as_str())
            .bind(text)
            .bind(to_ms(now))
            .execute(change.sql())
            .await
            .doing("save a policy")?;
        change.commit().await?;
        Ok(PolicyRow {
            env: env.clone(),
            name: name.clone(),
            text: text.to_owned(),
            created_at: whole_ms(now),
        })
    }

    /// The policies of an environment, by name.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn list(self, env: &EnvName) -> Result<Vec<PolicyRow>, StoreError> {
        sqlx::query(
            "SELECT env, name, source, created_ms FROM policies WHERE env = $1 ORDER BY name",
        )
        .bind(env.as_str())
        .fetch_all(self.store.database().read())
        .await
        .doing("list policies")?
        .iter()
        .map(read)
        .collect()
    }

    /// One policy.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn show(self, env: &EnvName, name: &PolicyName) -> Result<PolicyRow, StoreError> {
        let row = sqlx::query(
            "SELECT env, name, source, created_ms FROM policies WHERE env = $1 AND name = $2",
        )
        .bind(env.as_str())
        .bind(name.as_str())
        .fetch_optional(self.store.database().read())
        .await
        .doing("show a policy")?;
        row.as_ref()
            .map(read)
            .transpose()?
            .ok_or_else(|| missing(env, name))
    }

    /// Deletes a policy.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn delete(self, env: &EnvName, name: &PolicyName) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let done = sqlx::query("DELETE FROM policies WHERE env = $1 AND name = $2")
            .bind(env.as_str())
            .bind(name.as_str())
            .execute(change.sql())
            .await
            .doing("delete a policy")?;
        if done.rows_affected() == 0 {
            return Err(missing(env, name));
        }
        change.commit().await
    }
}

fn missing(env: &EnvName, name: &PolicyName) -> StoreError {
    StoreError::not_found("policy", format!("{name} in {env}"))
}

fn read(row: &SqliteRow) -> Result<PolicyRow, StoreError> {
    Ok(PolicyRow {
        env: noun(row, "env")?,
        name: noun(row, "name")?,
        text: column(row, "source")?,
        created_at: time(row, "created_ms")?,
    })
}
