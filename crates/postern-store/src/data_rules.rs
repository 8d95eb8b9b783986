//! Data rules of an environment. What they say is checked by whoever saves them.
//!
//! A rule may name people, projects and the shape of secrets: what it says is sealed. A rule that
//! names an upstream stays when the upstream is deleted, and holds for the next one of that name:
//! protection does not end by accident.

use jiff::Timestamp;
use postern_types::{DataRule, DataRuleSpec, EnvName, RuleName};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::bounds::{DATA_RULE_BYTES_MAX, DATA_RULES_MAX};
use crate::database::{Durability, column, natural, noun, time, to_i64, to_ms, whole_ms};
use crate::error::{Doing as _, StoreError};
use crate::seal::Place;
use crate::{KeyDomain, KeyRing, Store, environments, record, upstreams};

/// A data rule as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRuleRow {
    /// Its environment.
    pub env: EnvName,
    /// Its name, unique there, and what it says.
    pub rule: DataRule,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
}

/// The operations on data rules.
#[derive(Debug, Clone, Copy)]
pub struct DataRules<'a> {
    store: &'a Store,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT rule_key, env, name, sealed, created_ms, changed_ms, version FROM data_rules \
             WHERE ",
            $rest
        )
    };
}

impl<'a> DataRules<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Saves a rule that its caller has compiled.
    ///
    /// # Errors
    /// Not found when there is no such environment or upstream; conflict when the name is taken or
    /// the environment is full; invalid when the rule is too large.
    pub async fn create(
        self,
        env: &EnvName,
        rule: &DataRule,
        now: Timestamp,
    ) -> Result<DataRuleRow, StoreError> {
        check_size(&rule.spec)?;
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        environments::require(change.sql(), env).await?;
        require_upstream(change.sql(), env, &rule.spec).await?;
        if self.find(change.sql(), env, &rule.name).await?.is_some() {
            let name = &rule.name;
            return Err(StoreError::conflict(format!(
                "there is a data rule {name} in {env} already: update it, or choose another name"
            )));
        }
        check_room(change.sql(), env).await?;
        // The record is bound to the row's number, which is known afterwards.
        let sql = "INSERT INTO data_rules (env, name, sealed, created_ms, changed_ms, version) \
                   VALUES ($1, $2, $3, $4, $4, 1) RETURNING rule_key";
        let made = sqlx::query(sql)
            .bind(env.as_str())
            .bind(rule.name.as_str())
            .bind(&[][..])
            .bind(to_ms(now))
            .fetch_one(change.sql())
            .await
            .doing("save a data rule")?;
        let row = DataRuleRow {
            env: env.clone(),
            rule: rule.clone(),
            created_at: whole_ms(now),
            changed_at: whole_ms(now),
            version: 1,
        };
        self.write(change.sql(), column(&made, "rule_key")?, &row)
            .await?;
        change.commit().await?;
        Ok(row)
    }

    /// The rules of an environment, by name.
    ///
    /// # Errors
    /// When the store is unavailable, or a rule does not open: none is passed over.
    pub async fn list(self, env: &EnvName) -> Result<Vec<DataRuleRow>, StoreError> {
        sqlx::query(select!("env = $1 ORDER BY name"))
            .bind(env.as_str())
            .fetch_all(self.store.database().read())
            .await
            .doing("list data rules")?
            .iter()
            .map(|row| read(self.store.keys(), row).map(|(_, row)| row))
            .collect()
    }

    /// One rule.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn show(self, env: &EnvName, name: &RuleName) -> Result<DataRuleRow, StoreError> {
        let reader = self.store.database().read().acquire().await;
        let found = self.find(&mut *reader.doing("be read")?, env, name).await?;
        found.map(|(_, row)| row).ok_or_else(|| missing(env, name))
    }

    /// Lets a rule say something else. `seen` is the version that the change was made from.
    ///
    /// # Errors
    /// Not found when there is none of that name, or no such upstream; conflict when it was changed
    /// meanwhile; invalid when it is too large.
    pub async fn update(
        self,
        env: &EnvName,
        rule: &DataRule,
        seen: u64,
        now: Timestamp,
    ) -> Result<DataRuleRow, StoreError> {
        check_size(&rule.spec)?;
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let found = self.find(change.sql(), env, &rule.name).await?;
        let (key, before) = found.ok_or_else(|| missing(env, &rule.name))?;
        if before.version != seen {
            let name = &rule.name;
            return Err(StoreError::conflict(format!(
                "the data rule {name} in {env} was changed meanwhile: look at it again"
            )));
        }
        // A rule may go on naming an upstream that is gone.
        if before.rule.spec.upstream != rule.spec.upstream {
            require_upstream(change.sql(), env, &rule.spec).await?;
        }
        let row = DataRuleRow {
            rule: rule.clone(),
            changed_at: whole_ms(now),
            version: before.version + 1,
            ..before
        };
        self.write(change.sql(), key, &row).await?;
        change.commit().await?;
        Ok(row)
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn delete(self, env: &EnvName, name: &RuleName) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let done = sqlx::query("DELETE FROM data_rules WHERE env = $1 AND name = $2")
            .bind(env.as_str())
            .bind(name.as_str())
            .execute(change.sql())
            .await
            .doing("delete a data rule")?;
        if done.rows_affected() == 0 {
            return Err(missing(env, name));
        }
        change.commit().await
    }

    async fn find(
        self,
        sql: &mut SqliteConnection,
        env: &EnvName,
        name: &RuleName,
    ) -> Result<Option<(i64, DataRuleRow)>, StoreError> {
        let row = sqlx::query(select!("env = $1 AND name = $2"))
            .bind(env.as_str())
            .bind(name.as_str())
            .fetch_optional(sql)
            .await
            .doing("look a data rule up")?;
        row.as_ref()
            .map(|row| read(self.store.keys(), row))
            .transpose()
    }

    /// Writes what may change of a rule, sealed anew.
    async fn write(
        self,
        sql: &mut SqliteConnection,
        key: i64,
        row: &DataRuleRow,
    ) -> Result<(), StoreError> {
        let domain = KeyDomain::Environment(row.env.clone());
        let version = to_i64(row.version)?;
        let place = place(&domain, &row.rule.name, key, version);
        let sealed = record::seal(self.store, &place, &row.rule.spec)?;
        let statement = "UPDATE data_rules SET sealed = $1, changed_ms = $2, version = $3 \
                         WHERE rule_key = $4";
        sqlx::query(statement)
            .bind(sealed)
            .bind(to_ms(row.changed_at))
            .bind(version)
            .bind(key)
            .execute(sql)
            .await
            .doing("save a data rule")?;
        Ok(())
    }
}

fn place<'n>(domain: &'n KeyDomain, name: &'n RuleName, row: i64, version: i64) -> Place<'n> {
    Place {
        domain,
        noun: "data rule",
        name: name.as_str(),
        row,
        column: "sealed",
        version,
        beside: "",
    }
}

fn missing(env: &EnvName, name: &RuleName) -> StoreError {
    StoreError::not_found("data rule", format!("{name} in {env}"))
}

fn check_size(spec: &DataRuleSpec) -> Result<(), StoreError> {
    let text = serde_json::to_vec(spec)
        .map_err(|error| StoreError::unavailable("write a data rule", error))?;
    if text.len() > DATA_RULE_BYTES_MAX {
        return Err(StoreError::invalid(format!(
            "the data rule is longer than {DATA_RULE_BYTES_MAX} bytes: split it into several"
        )));
    }
    Ok(())
}

/// A rule for an upstream that is not there would protect nothing, and nobody would see it.
async fn require_upstream(
    sql: &mut SqliteConnection,
    env: &EnvName,
    spec: &DataRuleSpec,
) -> Result<(), StoreError> {
    let Some(name) = &spec.upstream else {
        return Ok(());
    };
    let found = upstreams::find(sql, env, name).await?;
    found
        .map(|_| ())
        .ok_or_else(|| upstreams::missing(env, name))
}

async fn check_room(sql: &mut SqliteConnection, env: &EnvName) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS n FROM data_rules WHERE env = $1")
        .bind(env.as_str())
        .fetch_one(sql)
        .await
        .doing("count data rules")?;
    if column::<i64>(&row, "n")? >= DATA_RULES_MAX {
        return Err(StoreError::conflict(format!(
            "environment {env} has {DATA_RULES_MAX} data rules, and that is the most: delete one"
        )));
    }
    Ok(())
}

fn read(keys: &KeyRing, row: &SqliteRow) -> Result<(i64, DataRuleRow), StoreError> {
    let key = column(row, "rule_key")?;
    let env: EnvName = noun(row, "env")?;
    let name: RuleName = noun(row, "name")?;
    let version = natural(row, "version")?;
    let domain = KeyDomain::Environment(env.clone());
    let place = place(&domain, &name, key, to_i64(version)?);
    let spec: DataRuleSpec = record::open(keys, &place, column(row, "sealed")?)?;
    let row = DataRuleRow {
        env,
        rule: DataRule { name, spec },
        created_at: time(row, "created_ms")?,
        changed_at: time(row, "changed_ms")?,
        version,
    };
    Ok((key, row))
}
