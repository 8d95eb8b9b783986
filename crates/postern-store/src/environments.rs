//! Environments: isolation boundaries, each with its own names and its own keys.
//!
//! Making one writes its keys first and its row after: a crash between leaves keys that wait for
//! the row. A name is used once: tokens and audit entries carry it, and its keys stay so that the
//! audit log of a retired environment can still be read.

use std::time::Duration;

use jiff::Timestamp;
use postern_types::EnvName;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::bounds::{ENVIRONMENTS_MAX, TEXT_BYTES_MAX, TOKEN_TTL_MAX, TOKEN_TTL_MIN};
use crate::database::{Durability, column, natural, noun, time, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError, check_text};
use crate::{INSTALLATION, Store};

/// An environment to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvironment {
    /// Its name.
    pub name: EnvName,
    /// What it is for, in words.
    pub description: String,
    /// The longest life of its tokens; `None` for the default cap.
    pub token_ttl_max: Option<Duration>,
}

impl NewEnvironment {
    /// With no description and the default cap.
    #[must_use]
    pub fn named(name: EnvName) -> Self {
        Self {
            name,
            description: String::new(),
            token_ttl_max: None,
        }
    }
}

/// An environment as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Its name.
    pub name: EnvName,
    /// What it is for.
    pub description: String,
    /// The longest life of its tokens.
    pub token_ttl_max: Duration,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
}

/// The operations on environments.
#[derive(Debug, Clone, Copy)]
pub struct Environments<'a> {
    store: &'a Store,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, description, token_ttl_max_s, created_ms, version FROM environments ",
            $rest
        )
    };
}

impl<'a> Environments<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes an environment and its keys.
    ///
    /// # Errors
    /// Conflict when the name is or was in use; invalid when it is reserved; unavailable when its
    /// keys cannot be written.
    pub async fn create(
        self,
        new: &NewEnvironment,
        now: Timestamp,
    ) -> Result<EnvironmentRow, StoreError> {
        if new.name.as_str() == INSTALLATION {
            return Err(StoreError::invalid(format!(
                "{INSTALLATION} is not a name for an environment: the installation's own keys \
                 and audit entries have it"
            )));
        }
        check_text("description", &new.description, TEXT_BYTES_MAX)?;
        let token_ttl_max = new.token_ttl_max.unwrap_or(TOKEN_TTL_MAX);
        if !(TOKEN_TTL_MIN..=TOKEN_TTL_MAX).contains(&token_ttl_max) {
            return Err(StoreError::invalid(
                "the longest life of an environment's tokens is 1 second to 366 days",
            ));
        }
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        check_free(change.sql(), &new.name).await?;
        // Keys before the row: an environment without keys must not be seen.
        self.store
            .keys()
            .add_environment(&new.name, self.store.random())?;
        let sql = "INSERT INTO environments \
                   (name, description, token_ttl_max_s, created_ms, version) \
                   VALUES ($1, $2, $3, $4, 1)";
        let seconds = i64::try_from(token_ttl_max.as_secs())
            .map_err(|_| StoreError::invalid("the longest life of tokens is too long"))?;
        sqlx::query(sql)
            .bind(new.name.as_str())
            .bind(&new.description)
            .bind(new.token_ttl_max.map(|_| seconds))
            .bind(to_ms(now))
            .execute(change.sql())
            .await
            .doing("make an environment")?;
        change.commit().await?;
        Ok(EnvironmentRow {
            name: new.name.clone(),
            description: new.description.clone(),
            token_ttl_max,
            created_at: whole_ms(now),
            version: 1,
        })
    }

    /// All environments that are not retired, by name.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn list(self) -> Result<Vec<EnvironmentRow>, StoreError> {
        let sql = select!("WHERE deleted_ms IS NULL ORDER BY name");
        sqlx::query(sql)
            .fetch_all(self.store.database().read())
            .await
            .doing("list environments")?
            .iter()
            .map(read)
            .collect()
    }

    /// One environment.
    ///
    /// # Errors
    /// Not found when there is none of that name (any more).
    pub async fn show(self, name: &EnvName) -> Result<EnvironmentRow, StoreError> {
        let sql = select!("WHERE name = $1 AND deleted_ms IS NULL");
        let row = sqlx::query(sql)
            .bind(name.as_str())
            .fetch_optional(self.store.database().read())
            .await
            .doing("show an environment")?;
        row.as_ref()
            .map(read)
            .transpose()?
            .ok_or_else(|| StoreError::not_found("environment", name))
    }

    /// Retires an environment, with its policies, data rules and principals. Its name and its keys
    /// stay taken.
    ///
    /// # Errors
    /// Not found when there is none of that name; conflict while it has live tokens or upstreams.
    pub async fn delete(self, name: &EnvName, now: Timestamp) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        require(change.sql(), name).await?;
        refuse_inhabited(change.sql(), name, now).await?;
        for rules in [
            "DELETE FROM policies WHERE env = $1",
            "DELETE FROM data_rules WHERE env = $1",
            "DELETE FROM pseudonyms WHERE env = $1",
        ] {
            sqlx::query(rules)
                .bind(name.as_str())
                .execute(change.sql())
                .await
                .doing("retire an environment")?;
        }
        let principals = "UPDATE principals SET deleted_ms = $1, sealed = $2, \
                          version = version + 1 WHERE env = $3 AND deleted_ms IS NULL";
        sqlx::query(principals)
            .bind(to_ms(now))
            .bind(&[][..])
            .bind(name.as_str())
            .execute(change.sql())
            .await
            .doing("retire an environment")?;
        sqlx::query(
            "UPDATE environments SET deleted_ms = $1, version = version + 1 WHERE name = $2",
        )
        .bind(to_ms(now))
        .bind(name.as_str())
        .execute(change.sql())
        .await
        .doing("retire an environment")?;
        change.commit().await
    }
}

/// A conflict while something in the environment still works.
async fn refuse_inhabited(
    sql: &mut SqliteConnection,
    name: &EnvName,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tokens = "SELECT COUNT(*) FROM tokens \
                  WHERE env = $1 AND revoked_ms IS NULL AND expires_ms > $2";
    let tokens: i64 = sqlx::query_scalar(tokens)
        .bind(name.as_str())
        .bind(to_ms(now))
        .fetch_one(&mut *sql)
        .await
        .doing("retire an environment")?;
    let upstreams = "SELECT COUNT(*) FROM upstreams WHERE env = $1 AND deleted_ms IS NULL";
    let upstreams: i64 = sqlx::query_scalar(upstreams)
        .bind(name.as_str())
        .fetch_one(sql)
        .await
        .doing("retire an environment")?;
    for (what, count, end) in [
        ("live tokens", tokens, "revoke"),
        ("upstreams", upstreams, "delete"),
    ] {
        if count > 0 {
            return Err(StoreError::conflict(format!(
                "environment {name} has {count} {what}: {end} them first"
            )));
        }
    }
    Ok(())
}

/// The environment, or not found: asked inside the transaction that relies on it.
pub(crate) async fn require(
    sql: &mut SqliteConnection,
    name: &EnvName,
) -> Result<EnvironmentRow, StoreError> {
    let row = sqlx::query(select!("WHERE name = $1 AND deleted_ms IS NULL"))
        .bind(name.as_str())
        .fetch_optional(sql)
        .await
        .doing("look an environment up")?;
    row.as_ref()
        .map(read)
        .transpose()?
        .ok_or_else(|| StoreError::not_found("environment", name))
}

async fn check_free(sql: &mut SqliteConnection, name: &EnvName) -> Result<(), StoreError> {
    let taken = sqlx::query("SELECT deleted_ms FROM environments WHERE name = $1")
        .bind(name.as_str())
        .fetch_optional(&mut *sql)
        .await
        .doing("look an environment up")?;
    if let Some(row) = taken {
        let reason = match column::<Option<i64>>(&row, "deleted_ms")? {
            None => format!("there is an environment {name} already: choose another name"),
            Some(_) => format!(
                "an environment {name} existed and was deleted: choose another name, because old \
                 tokens and audit entries carry this one"
            ),
        };
        return Err(StoreError::conflict(reason));
    }
    let row = sqlx::query("SELECT COUNT(*) AS n FROM environments")
        .fetch_one(sql)
        .await
        .doing("count environments")?;
    if column::<i64>(&row, "n")? >= ENVIRONMENTS_MAX {
        return Err(StoreError::conflict(format!(
            "the installation has had {ENVIRONMENTS_MAX} environments, and that is the most"
        )));
    }
    Ok(())
}

fn read(row: &SqliteRow) -> Result<EnvironmentRow, StoreError> {
    let seconds: Option<i64> = column(row, "token_ttl_max_s")?;
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(EnvironmentRow {
        name: noun(row, "name")?,
        description: column(row, "description")?,
        token_ttl_max: seconds.map_or(TOKEN_TTL_MAX, Duration::from_secs),
        created_at: time(row, "created_ms")?,
        version: natural(row, "version")?,
    })
}
