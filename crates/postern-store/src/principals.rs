//! Principals: who tokens speak for, inside one environment.
//!
//! A principal that is deleted and made again under the same name is another one: it has a new
//! [`PrincipalKey`], and owns nothing of what its predecessor made.

use jiff::Timestamp;
use postern_types::{EnvName, Principal, PrincipalId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::bounds::{PRINCIPALS_MAX, TEXT_BYTES_MAX};
use crate::database::{Durability, column, natural, noun, time, to_i64, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError, check_text};
use crate::seal::Place;
use crate::{KeyDomain, KeyRing, Store, environments, record};

/// One incarnation of a principal. No later principal gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalKey(pub(crate) i64);

/// A principal to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrincipal {
    /// Its id.
    pub id: PrincipalId,
    /// The team it belongs to, if any.
    pub team: Option<String>,
    /// The tenant it belongs to, if any.
    pub tenant: Option<String>,
}

/// What is to be different. `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalChange {
    /// The new team, or `Some(None)` for none.
    pub team: Option<Option<String>>,
    /// The new tenant, or `Some(None)` for none.
    pub tenant: Option<Option<String>>,
    /// Whether its tokens are refused.
    pub disabled: Option<bool>,
}

/// A principal as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalRow {
    /// Which incarnation it is.
    pub key: PrincipalKey,
    /// Its environment.
    pub env: EnvName,
    /// Id, team and tenant.
    pub principal: Principal,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
}

/// The operations on principals.
#[derive(Debug, Clone, Copy)]
pub struct Principals<'a> {
    store: &'a Store,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT principal_key, env, sealed, disabled, created_ms, version \
             FROM principals WHERE deleted_ms IS NULL AND ",
            $rest
        )
    };
}

impl<'a> Principals<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes a principal.
    ///
    /// # Errors
    /// Not found when there is no such environment; conflict when the name is taken.
    pub async fn create(
        self,
        env: &EnvName,
        new: &NewPrincipal,
        now: Timestamp,
    ) -> Result<PrincipalRow, StoreError> {
        check_words(new.team.as_deref(), new.tenant.as_deref())?;
        let keys = self.store.keys();
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        environments::require(change.sql(), env).await?;
        if find(change.sql(), keys, env, &new.id).await?.is_some() {
            return Err(StoreError::conflict(format!(
                "there is a principal {} in {env} already: update it, or choose another name",
                new.id
            )));
        }
        check_room(change.sql(), env).await?;
        let mark = mark(keys, env, &new.id)?;
        let mark = mark.ok_or_else(|| StoreError::not_found("environment", env))?;
        // The record is bound to the row's number, which is known afterwards.
        let sql = "INSERT INTO principals \
                   (env, name_mark, sealed, disabled, created_ms, version) \
                   VALUES ($1, $2, $3, 0, $4, 1) RETURNING principal_key";
        let row = sqlx::query(sql)
            .bind(env.as_str())
            .bind(&mark[..])
            .bind(&[][..])
            .bind(to_ms(now))
            .fetch_one(change.sql())
            .await
            .doing("make a principal")?;
        let row = PrincipalRow {
            key: PrincipalKey(column(&row, "principal_key")?),
            env: env.clone(),
            principal: Principal {
                id: new.id.clone(),
                team: new.team.clone(),
                tenant: new.tenant.clone(),
            },
            disabled: false,
            created_at: whole_ms(now),
            version: 1,
        };
        self.write(change.sql(), &row).await?;
        change.commit().await?;
        Ok(row)
    }

    /// Writes what may change of a principal, sealed anew.
    async fn write(self, sql: &mut SqliteConnection, row: &PrincipalRow) -> Result<(), StoreError> {
        let domain = KeyDomain::Environment(row.env.clone());
        let (version, disabled) = (to_i64(row.version)?, i64::from(row.disabled));
        let place = place(&domain, row.key, version, disabled);
        let sealed = record::seal(self.store, &place, &row.principal)?;
        let statement = "UPDATE principals SET sealed = $1, disabled = $2, version = $3 \
                         WHERE principal_key = $4";
        sqlx::query(statement)
            .bind(sealed)
            .bind(disabled)
            .bind(version)
            .bind(row.key.0)
            .execute(sql)
            .await
            .doing("change a principal")?;
        Ok(())
    }

    /// The principals of an environment, by name.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn list(self, env: &EnvName) -> Result<Vec<PrincipalRow>, StoreError> {
        let rows = sqlx::query(select!("env = $1"))
            .bind(env.as_str())
            .fetch_all(self.store.database().read())
            .await
            .doing("list principals")?;
        let rows = rows.iter().map(|row| read(self.store.keys(), row));
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|a, b| a.principal.id.cmp(&b.principal.id));
        Ok(rows)
    }

    /// One principal, if there is one of that name now.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn find(
        self,
        env: &EnvName,
        id: &PrincipalId,
    ) -> Result<Option<PrincipalRow>, StoreError> {
        let mut connection = self
            .store
            .database()
            .read()
            .acquire()
            .await
            .doing("be read")?;
        find(&mut connection, self.store.keys(), env, id).await
    }

    /// One principal.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn show(self, env: &EnvName, id: &PrincipalId) -> Result<PrincipalRow, StoreError> {
        self.find(env, id).await?.ok_or_else(|| missing(env, id))
    }

    /// Changes a principal.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn update(
        self,
        env: &EnvName,
        id: &PrincipalId,
        wanted: &PrincipalChange,
    ) -> Result<PrincipalRow, StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let there = find(change.sql(), self.store.keys(), env, id).await?;
        let mut row = there.ok_or_else(|| missing(env, id))?;
        if let Some(team) = &wanted.team {
            row.principal.team.clone_from(team);
        }
        if let Some(tenant) = &wanted.tenant {
            row.principal.tenant.clone_from(tenant);
        }
        row.disabled = wanted.disabled.unwrap_or(row.disabled);
        row.version += 1;
        check_words(
            row.principal.team.as_deref(),
            row.principal.tenant.as_deref(),
        )?;
        self.write(change.sql(), &row).await?;
        change.commit().await?;
        Ok(row)
    }

    /// Deletes a principal. What it owned at providers belongs to nobody afterwards.
    ///
    /// # Errors
    /// Not found when there is none of that name; conflict while it has live tokens.
    pub async fn delete(
        self,
        env: &EnvName,
        id: &PrincipalId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let row = find(change.sql(), self.store.keys(), env, id).await?;
        let row = row.ok_or_else(|| missing(env, id))?;
        let sql = "SELECT COUNT(*) AS n FROM tokens \
                   WHERE principal_key = $1 AND revoked_ms IS NULL AND expires_ms > $2";
        let tokens = sqlx::query(sql)
            .bind(row.key.0)
            .bind(to_ms(now))
            .fetch_one(change.sql())
            .await
            .doing("delete a principal")?;
        let tokens = natural(&tokens, "n")?;
        if tokens > 0 {
            return Err(StoreError::conflict(format!(
                "principal {id} in {env} has {tokens} live tokens: revoke them first"
            )));
        }
        // What it owned ends by itself: nobody has its key.
        sqlx::query(
            "UPDATE principals SET deleted_ms = $1, sealed = $2, version = version + 1 \
             WHERE principal_key = $3",
        )
        .bind(to_ms(now))
        .bind(&[][..])
        .bind(row.key.0)
        .execute(change.sql())
        .await
        .doing("delete a principal")?;
        change.commit().await
    }
}

/// The principal of that name now, inside the caller's transaction.
pub(crate) async fn find(
    sql: &mut SqliteConnection,
    keys: &KeyRing,
    env: &EnvName,
    id: &PrincipalId,
) -> Result<Option<PrincipalRow>, StoreError> {
    let Some(mark) = mark(keys, env, id)? else {
        return Ok(None);
    };
    let row = sqlx::query(select!("env = $1 AND name_mark = $2"))
        .bind(env.as_str())
        .bind(&mark[..])
        .fetch_optional(sql)
        .await
        .doing("look a principal up")?;
    let Some(row) = row.map(|row| read(keys, &row)).transpose()? else {
        return Ok(None);
    };
    // The mark is not part of the record, so what it led to is checked.
    if row.principal.id != *id {
        let fault = "the mark of a principal leads to another one";
        return Err(StoreError::unavailable("read a record back", fault));
    }
    Ok(Some(row))
}

/// The mark by which a name is found. An environment that has no keys has no principals.
pub(crate) fn mark(
    keys: &KeyRing,
    env: &EnvName,
    id: &PrincipalId,
) -> Result<Option<[u8; 32]>, StoreError> {
    let domain = KeyDomain::Environment(env.clone());
    if !keys.holds(&domain) {
        return Ok(None);
    }
    record::mark(keys, &domain, &["principal", id.as_str()]).map(Some)
}

/// Where the record of a principal stands. Whether it is disabled is bound to it.
fn place(domain: &KeyDomain, key: PrincipalKey, version: i64, disabled: i64) -> Place<'_> {
    Place {
        domain,
        noun: "principal",
        name: "",
        row: key.0,
        column: "record",
        version,
        beside: if disabled == 0 { "enabled" } else { "disabled" },
    }
}

fn check_words(team: Option<&str>, tenant: Option<&str>) -> Result<(), StoreError> {
    check_text("team", team.unwrap_or_default(), TEXT_BYTES_MAX)?;
    check_text("tenant", tenant.unwrap_or_default(), TEXT_BYTES_MAX)
}

pub(crate) fn missing(env: &EnvName, id: &PrincipalId) -> StoreError {
    StoreError::not_found("principal", format!("{id} in {env}"))
}

async fn check_room(sql: &mut SqliteConnection, env: &EnvName) -> Result<(), StoreError> {
    let sum = "SELECT COUNT(*) AS n FROM principals WHERE env = $1 AND deleted_ms IS NULL";
    let row = sqlx::query(sum)
        .bind(env.as_str())
        .fetch_one(sql)
        .await
        .doing("count principals")?;
    if column::<i64>(&row, "n")? >= PRINCIPALS_MAX {
        return Err(StoreError::conflict(format!(
            "environment {env} has {PRINCIPALS_MAX} principals, and that is the most: delete one"
        )));
    }
    Ok(())
}

fn read(keys: &KeyRing, row: &SqliteRow) -> Result<PrincipalRow, StoreError> {
    let key = PrincipalKey(column(row, "principal_key")?);
    let env: EnvName = noun(row, "env")?;
    let (version, disabled) = (natural(row, "version")?, column(row, "disabled")?);
    let domain = KeyDomain::Environment(env.clone());
    let place = place(&domain, key, to_i64(version)?, disabled);
    Ok(PrincipalRow {
        key,
        env,
        principal: record::open(keys, &place, column(row, "sealed")?)?,
        disabled: disabled != 0,
        created_at: time(row, "created_ms")?,
        version,
    })
}
