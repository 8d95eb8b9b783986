//! Upstreams: named backends of an environment, and the credentials they ask for.
//!
//! An upstream that is deleted and made again under the same name is another one: it has a new
//! [`UpstreamId`]. Grants remember the id they were made for, so that old tokens reach nothing in
//! the new one.

use jiff::Timestamp;
use postern_types::{EnvName, Secret, UpstreamKind, UpstreamName};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::bounds::{SETTINGS_BYTES_MAX, UPSTREAMS_MAX, URL_BYTES_MAX};
use crate::credential::{self, CredentialSource, NewCredential};
use crate::database::{Change, Durability, column, natural, noun, time, to_ms};
use crate::error::{Doing as _, StoreError};
use crate::seal::{self, Place};
use crate::{KeyDomain, Store, environments};

/// One incarnation of an upstream. No later upstream gets it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UpstreamId(pub(crate) i64);

/// The settings of an upstream: a JSON object whose meaning is the data plane's.
pub type UpstreamSettings = serde_json::Map<String, serde_json::Value>;

/// An upstream to make.
#[derive(Debug, Clone)]
pub struct NewUpstream {
    /// Its name, and the first path segment of its requests.
    pub name: UpstreamName,
    /// What it speaks. Never changes.
    pub kind: UpstreamKind,
    /// `http://` or `https://`, a host, and perhaps a path.
    pub url: String,
    /// What it asks for, if anything.
    pub credential: Option<NewCredential>,
    /// What the data plane is to do differently here.
    pub settings: UpstreamSettings,
}

/// What is to be different. `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UpstreamChange {
    /// The new address.
    pub url: Option<String>,
    /// The new credential.
    pub credential: Option<NewCredential>,
    /// Settings by their names: each takes the place of the stored one, `null` takes it away, and
    /// what is not named stays.
    pub settings: UpstreamSettings,
}

/// An upstream as stored, without its credential.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamRow {
    /// Which incarnation it is.
    pub id: UpstreamId,
    /// Its environment.
    pub env: EnvName,
    /// Its name, unique there.
    pub name: UpstreamName,
    /// What it speaks.
    pub kind: UpstreamKind,
    /// Its address.
    pub url: String,
    /// Where its credential comes from, if it asks for one.
    pub credential: Option<CredentialSource>,
    /// Rises each time the credential is changed: connections made with another are not shared.
    pub credential_version: u64,
    /// What the data plane is to do differently here.
    pub settings: UpstreamSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
}

/// The operations on upstreams.
#[derive(Debug, Clone, Copy)]
pub struct Upstreams<'a> {
    store: &'a Store,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT upstream_key, env, name, kind, url, credential_kind, credential_name, \
             credential_version, settings, created_ms, version \
             FROM upstreams WHERE deleted_ms IS NULL AND ",
            $rest
        )
    };
}

impl<'a> Upstreams<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes an upstream.
    ///
    /// # Errors
    /// Not found when there is no such environment; conflict when the name is taken; invalid when
    /// the address, the credential or the settings are not acceptable.
    pub async fn create(
        self,
        env: &EnvName,
        new: &NewUpstream,
        now: Timestamp,
    ) -> Result<UpstreamRow, StoreError> {
        origin(&new.url)?;
        let settings = settings_text(&new.settings)?;
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        environments::require(change.sql(), env).await?;
        if find(change.sql(), env, &new.name).await?.is_some() {
            return Err(StoreError::conflict(format!(
                "there is an upstream {} in {env} already: update it, or choose another name",
                new.name
            )));
        }
        check_room(change.sql(), env).await?;
        let sql = "INSERT INTO upstreams (env, name, kind, url, credential_version, settings, \
                   created_ms, version) VALUES ($1, $2, $3, $4, 0, $5, $6, 1)";
        sqlx::query(sql)
            .bind(env.as_str())
            .bind(new.name.as_str())
            .bind(new.kind.as_str())
            .bind(&new.url)
            .bind(&settings)
            .bind(to_ms(now))
            .execute(change.sql())
            .await
            .doing("make an upstream")?;
        if let Some(credential) = &new.credential {
            self.put_credential(&mut change, env, &new.name, credential)
                .await?;
        }
        let row = find(change.sql(), env, &new.name).await?;
        change.commit().await?;
        row.ok_or_else(|| missing(env, &new.name))
    }

    /// The upstreams of an environment, by name.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn list(self, env: &EnvName) -> Result<Vec<UpstreamRow>, StoreError> {
        sqlx::query(select!("env = $1 ORDER BY name"))
            .bind(env.as_str())
            .fetch_all(self.store.database().read())
            .await
            .doing("list upstreams")?
            .iter()
            .map(read)
            .collect()
    }

    /// One upstream, if there is one of that name now.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn find(
        self,
        env: &EnvName,
        name: &UpstreamName,
    ) -> Result<Option<UpstreamRow>, StoreError> {
        let mut connection = self
            .store
            .database()
            .read()
            .acquire()
            .await
            .doing("be read")?;
        find(&mut connection, env, name).await
    }

    /// One upstream.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn show(self, env: &EnvName, name: &UpstreamName) -> Result<UpstreamRow, StoreError> {
        self.find(env, name)
            .await?
            .ok_or_else(|| missing(env, name))
    }

    /// Changes an upstream.
    ///
    /// # Errors
    /// Not found when there is none of that name; invalid when a new address would take the stored
    /// credential to another server.
    pub async fn update(
        self,
        env: &EnvName,
        name: &UpstreamName,
        wanted: &UpstreamChange,
    ) -> Result<UpstreamRow, StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let row = find(change.sql(), env, name).await?;
        let row = row.ok_or_else(|| missing(env, name))?;
        let url = wanted.url.as_ref().unwrap_or(&row.url);
        // SECURITY: a credential is written, never read back. Pointing the upstream at one's own
        // server would read it, so a new server asks for the credential again.
        if origin(url)? != origin(&row.url)?
            && row.credential.is_some()
            && wanted.credential.is_none()
        {
            return Err(StoreError::invalid(
                "the new address is another server: give the credential for it too",
            ));
        }
        let mut settings = row.settings;
        settings.extend(wanted.settings.clone());
        settings.retain(|_, value| !value.is_null());
        let settings = settings_text(&settings)?;
        let sql = "UPDATE upstreams SET url = $1, settings = $2, version = version + 1 \
                   WHERE upstream_key = $3";
        sqlx::query(sql)
            .bind(url)
            .bind(&settings)
            .bind(row.id.0)
            .execute(change.sql())
            .await
            .doing("change an upstream")?;
        if let Some(credential) = &wanted.credential {
            self.put_credential(&mut change, env, name, credential)
                .await?;
        }
        let row = find(change.sql(), env, name).await?;
        change.commit().await?;
        row.ok_or_else(|| missing(env, name))
    }

    /// Deletes an upstream and its sealed credential. Grants that name it open nothing any more,
    /// also when an upstream of the same name is made later.
    ///
    /// # Errors
    /// Not found when there is none of that name.
    pub async fn delete(
        self,
        env: &EnvName,
        name: &UpstreamName,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let row = find(change.sql(), env, name).await?;
        let row = row.ok_or_else(|| missing(env, name))?;
        // What is owned there ends by itself: nobody asks for its id any more.
        let sql = "UPDATE upstreams SET deleted_ms = $1, credential_kind = NULL, \
                   credential_name = NULL, credential_sealed = NULL, version = version + 1 \
                   WHERE upstream_key = $2";
        sqlx::query(sql)
            .bind(to_ms(now))
            .bind(row.id.0)
            .execute(change.sql())
            .await
            .doing("delete an upstream")?;
        change.commit().await
    }

    /// The credential of an upstream, read or unsealed now; `None` when it asks for none. Blocks
    /// briefly when the credential is a file.
    ///
    /// # Errors
    /// Not found when the upstream is gone; unavailable when the credential cannot be had.
    pub async fn credential(self, row: &UpstreamRow) -> Result<Option<Secret>, StoreError> {
        match &row.credential {
            None => Ok(None),
            Some(CredentialSource::Sealed) => self.unseal(row).await.map(Some),
            Some(named) => credential::resolve(named, &self.store.own_directories()).map(Some),
        }
    }

    async fn unseal(self, row: &UpstreamRow) -> Result<Secret, StoreError> {
        let sql = "SELECT credential_sealed, credential_version FROM upstreams \
                   WHERE upstream_key = $1 AND env = $2 AND deleted_ms IS NULL \
                   AND credential_sealed IS NOT NULL";
        let found = sqlx::query(sql)
            .bind(row.id.0)
            .bind(row.env.as_str())
            .fetch_optional(self.store.database().read())
            .await
            .doing("read an upstream credential")?;
        let found = found.ok_or_else(|| missing(&row.env, &row.name))?;
        let version = column(&found, "credential_version")?;
        let sealed: Vec<u8> = column(&found, "credential_sealed")?;
        let server = origin(&row.url)?;
        let domain = KeyDomain::Environment(row.env.clone());
        let place = place(row, &domain, version, &server);
        seal::unseal(self.store.keys(), &place, &sealed)
            .map_err(|error| StoreError::unavailable("open an upstream credential", error))
    }

    /// Stores a credential for the upstream as it is now in the transaction, its address included.
    async fn put_credential(
        self,
        change: &mut Change<'_>,
        env: &EnvName,
        name: &UpstreamName,
        credential: &NewCredential,
    ) -> Result<(), StoreError> {
        credential.check()?;
        let row = find(change.sql(), env, name).await?;
        let row = row.ok_or_else(|| missing(env, name))?;
        let version = i64::try_from(row.credential_version + 1)
            .map_err(|error| StoreError::unavailable("change a credential", error))?;
        let (kind, named, sealed) = match credential {
            NewCredential::Env(variable) => ("env", Some(variable.as_str()), None),
            NewCredential::File(path) => ("file", path.to_str(), None),
            NewCredential::Sealed(secret) => {
                let server = origin(&row.url)?;
                let domain = KeyDomain::Environment(env.clone());
                let place = place(&row, &domain, version, &server);
                let (keys, random) = (self.store.keys(), self.store.random());
                let sealed = seal::seal(keys, random, &place, secret.expose())?;
                ("sealed", None, Some(sealed))
            }
        };
        let sql = "UPDATE upstreams SET credential_kind = $1, credential_name = $2, \
                   credential_sealed = $3, credential_version = $4 WHERE upstream_key = $5";
        sqlx::query(sql)
            .bind(kind)
            .bind(named)
            .bind(sealed)
            .bind(version)
            .bind(row.id.0)
            .execute(change.sql())
            .await
            .doing("change a credential")?;
        Ok(())
    }
}

fn place<'n>(
    row: &'n UpstreamRow,
    domain: &'n KeyDomain,
    version: i64,
    server: &'n str,
) -> Place<'n> {
    Place {
        domain,
        noun: "upstream",
        name: row.name.as_str(),
        row: row.id.0,
        column: "credential",
        version,
        beside: server,
    }
}

/// The upstream of that name now, inside the caller's transaction.
pub(crate) async fn find(
    sql: &mut SqliteConnection,
    env: &EnvName,
    name: &UpstreamName,
) -> Result<Option<UpstreamRow>, StoreError> {
    let row = sqlx::query(select!("env = $1 AND name = $2"))
        .bind(env.as_str())
        .bind(name.as_str())
        .fetch_optional(sql)
        .await
        .doing("look an upstream up")?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn missing(env: &EnvName, name: &UpstreamName) -> StoreError {
    StoreError::not_found("upstream", format!("{name} in {env}"))
}

async fn check_room(sql: &mut SqliteConnection, env: &EnvName) -> Result<(), StoreError> {
    let sum = "SELECT COUNT(*) AS n FROM upstreams WHERE env = $1 AND deleted_ms IS NULL";
    let row = sqlx::query(sum)
        .bind(env.as_str())
        .fetch_one(sql)
        .await
        .doing("count upstreams")?;
    if column::<i64>(&row, "n")? >= UPSTREAMS_MAX {
        return Err(StoreError::conflict(format!(
            "environment {env} has {UPSTREAMS_MAX} upstreams, and that is the most: delete one"
        )));
    }
    Ok(())
}

/// Scheme and authority of an acceptable address: whom a credential is given to.
fn origin(url: &str) -> Result<String, StoreError> {
    let fault = |fault: &str| {
        StoreError::invalid(format!(
            "the upstream's address {fault}: write http://HOST[:PORT][/PATH] or https://…"
        ))
    };
    if url.len() > URL_BYTES_MAX {
        return Err(fault("is too long"));
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['\\', '"', '<', '>']) {
        return Err(fault("holds a character that no address has"));
    }
    if url.contains(['?', '#']) {
        return Err(fault("holds a query or a fragment"));
    }
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| fault("has no scheme"))?;
    if scheme != "http" && scheme != "https" {
        return Err(fault("has another scheme than http or https"));
    }
    let authority = rest
        .split_once('/')
        .map_or(rest, |(authority, _)| authority);
    if authority.is_empty() || authority.starts_with(':') {
        return Err(fault("names no host"));
    }
    // A secret there would be stored in the clear and shown.
    if authority.contains('@') {
        return Err(fault("holds a user name or password (use a credential)"));
    }
    Ok(format!("{scheme}://{}", authority.to_ascii_lowercase()))
}

fn settings_text(settings: &UpstreamSettings) -> Result<String, StoreError> {
    let text = serde_json::to_string(settings)
        .map_err(|error| StoreError::unavailable("write settings", error))?;
    if text.len() > SETTINGS_BYTES_MAX {
        return Err(StoreError::invalid(format!(
            "the settings are longer than {SETTINGS_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

fn read(row: &SqliteRow) -> Result<UpstreamRow, StoreError> {
    let fault = |fault: String| StoreError::unavailable("read a row back", fault);
    let named: Option<String> = column(row, "credential_name")?;
    let kind: Option<&str> = column(row, "credential_kind")?;
    let credential = match (kind, named) {
        (None, None) => None,
        (Some("env"), Some(name)) => Some(CredentialSource::Env(name)),
        (Some("file"), Some(path)) => Some(CredentialSource::File(path.into())),
        (Some("sealed"), None) => Some(CredentialSource::Sealed),
        _ => {
            return Err(fault(
                "an upstream's credential is of no known kind".to_owned(),
            ));
        }
    };
    let settings: &str = column(row, "settings")?;
    Ok(UpstreamRow {
        id: UpstreamId(column(row, "upstream_key")?),
        env: noun(row, "env")?,
        name: noun(row, "name")?,
        kind: noun(row, "kind")?,
        url: column(row, "url")?,
        credential,
        credential_version: natural(row, "credential_version")?,
        settings: serde_json::from_str(settings).map_err(|error| fault(error.to_string()))?,
        created_at: time(row, "created_ms")?,
        version: natural(row, "version")?,
    })
}
