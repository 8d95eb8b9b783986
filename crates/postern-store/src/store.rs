//! The store as a whole: making it, opening it, closing it.
//!
//! Making and opening are two acts: a store that is not where it should be is an error, never a
//! fresh start with no tokens and no policies. A store remembers which keys it was made with.

mod url;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use crate::bounds::CONNECTION_TIMEOUT;
use crate::database::{Database, Durability, column, natural, to_ms};
use crate::error::{Doing as _, StoreError};
use crate::keys::KeyRing;
use crate::random::Random;
use crate::{
    DataRules, Environments, Owned, Policies, Principals, Pseudonyms, Tokens, Upstreams, schema,
};
use url::{finish, unfinished};

pub use url::StoreUrl;

/// Why a store was not made or opened.
#[derive(Debug, Error)]
pub enum OpenStoreError {
    /// The address is not one of a store.
    #[error("the store's address is not valid: {0}")]
    Address(&'static str),
    /// There is no store.
    #[error("there is no store at {0}: run `postern init`, or give the data directory that has it")]
    Missing(StoreUrl),
    /// There is a store already where one was to be made.
    #[error("there is a store at {0} already: it is never written over")]
    AlreadyThere(StoreUrl),
    /// A newer release made it.
    #[error(
        "the store has schema version {found}, this release knows {known}: use the release that \
         made it, or a newer one"
    )]
    Newer {
        /// The store's version.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// The keys are those of another installation, or some are missing.
    #[error("the keys do not fit the store: {0}")]
    Keys(String),
    /// It cannot be used.
    #[error("the store cannot be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OpenStoreError {
    pub(crate) fn unusable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unusable(source.into())
    }
}

struct Parts {
    database: Database,
    /// Where the store is, without links.
    data_dir: PathBuf,
    keys: Arc<KeyRing>,
    random: Arc<dyn Random>,
}

/// An open store. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Parts>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store(of {:?})", self.0.keys)
    }
}

impl Store {
    /// Makes a store, readable by its owner only, and opens it.
    ///
    /// # Errors
    /// When there is one already, or on a fault of the file system.
    pub async fn create(
        url: &StoreUrl,
        keys: Arc<KeyRing>,
        random: Arc<dyn Random>,
        now: Timestamp,
    ) -> Result<Self, OpenStoreError> {
        if fs::symlink_metadata(url.path()).is_ok() {
            return Err(OpenStoreError::AlreadyThere(url.clone()));
        }
        // Made whole under another name, then given its own: a crash leaves no half-made store.
        let (unfinished, alone) = unfinished(url)?;
        let store = Self::connect(&unfinished, Arc::clone(&keys), Arc::clone(&random)).await?;
        store.sign_in(now).await.map_err(OpenStoreError::unusable)?;
        store.close().await;
        finish(&unfinished, url)?;
        drop(alone);
        Self::connect(url, keys, random).await
    }

    async fn sign_in(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut writer = self.0.database.writer(Durability::Full).await?;
        let sql = "INSERT INTO installation (only_row, installation_id, created_ms, revision) \
                   VALUES (1, $1, $2, 0)";
        sqlx::query(sql)
            .bind(self.0.keys.installation_id())
            .bind(to_ms(now))
            .execute(writer.connection())
            .await
            .doing("remember its installation")?;
        Ok(())
    }

    /// Opens a store and brings its schema up to date.
    ///
    /// # Errors
    /// When there is none, a newer release made it, or the keys are not its own.
    pub async fn open(
        url: &StoreUrl,
        keys: Arc<KeyRing>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenStoreError> {
        // A file of no bytes is what a crash while making a store leaves: there is no store.
        let there = fs::metadata(url.path()).is_ok_and(|file| file.is_file() && file.len() > 0);
        if !there {
            return Err(OpenStoreError::Missing(url.clone()));
        }
        let store = Self::connect(url, keys, random).await?;
        store.check_keys(url).await?;
        Ok(store)
    }

    async fn connect(
        url: &StoreUrl,
        keys: Arc<KeyRing>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenStoreError> {
        let database = Database::open(url.path(), CONNECTION_TIMEOUT)
            .await
            .map_err(OpenStoreError::unusable)?;
        let file = url
            .path()
            .canonicalize()
            .map_err(OpenStoreError::unusable)?;
        let parts = Parts {
            database,
            data_dir: file.parent().unwrap_or(Path::new("/")).to_owned(),
            keys,
            random,
        };
        let store = Self(Arc::new(parts));
        let mut writer = store
            .0
            .database
            .writer(Durability::Full)
            .await
            .map_err(OpenStoreError::unusable)?;
        schema::migrate(writer.connection()).await?;
        Ok(store.clone())
    }

    /// SECURITY: with the keys of another installation every token would be refused and every new
    /// digest be made under a pepper that is not the store's; better not to start.
    async fn check_keys(&self, url: &StoreUrl) -> Result<(), OpenStoreError> {
        let made_with: Option<String> =
            sqlx::query_scalar("SELECT installation_id FROM installation")
                .fetch_optional(self.0.database.read())
                .await
                .map_err(OpenStoreError::unusable)?;
        let Some(made_with) = made_with else {
            return Err(OpenStoreError::Missing(url.clone()));
        };
        if made_with != self.0.keys.installation_id() {
            return Err(OpenStoreError::Keys(format!(
                "the store belongs to installation {made_with}, the keys to {}",
                self.0.keys.installation_id()
            )));
        }
        let with_keys: BTreeSet<_> = self.0.keys.environments().into_iter().collect();
        let environments = self.environments().list().await;
        let missing: Vec<String> = environments
            .map_err(OpenStoreError::unusable)?
            .into_iter()
            .filter(|row| !with_keys.contains(&row.name))
            .map(|row| row.name.to_string())
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            let missing = missing.join(", ");
            Err(OpenStoreError::Keys(format!(
                "there are none for {missing}"
            )))
        }
    }

    /// Rises with every change of an environment, principal, upstream, policy or token: whoever
    /// remembers it can tell that nothing changed since.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn revision(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT revision FROM installation")
            .fetch_one(self.0.database.read())
            .await
            .doing("tell its revision")?;
        natural(&row, "revision")
    }

    /// Whether the store can be written to: it takes the write lock and gives it back.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut writer = self.0.database.writer(Durability::Relaxed).await?;
        let mut change = writer.begin().await?;
        let row = sqlx::query("SELECT installation_id FROM installation")
            .fetch_one(change.sql())
            .await
            .doing("be read")?;
        column::<String>(&row, "installation_id")?;
        change.commit().await
    }

    /// Folds the write-ahead log into the database and closes all connections.
    pub async fn close(&self) {
        self.0.database.close().await;
    }

    /// The keys that the store was opened with.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.0.keys
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// Directories from which no upstream credential is ever read.
    pub(crate) fn own_directories(&self) -> Vec<PathBuf> {
        let keys = self.0.keys.directory().map(Path::to_owned);
        keys.into_iter().chain([self.0.data_dir.clone()]).collect()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    /// The isolation boundaries.
    #[must_use]
    pub fn environments(&self) -> Environments<'_> {
        Environments::new(self)
    }

    /// Who tokens speak for.
    #[must_use]
    pub fn principals(&self) -> Principals<'_> {
        Principals::new(self)
    }

    /// The backends.
    #[must_use]
    pub fn upstreams(&self) -> Upstreams<'_> {
        Upstreams::new(self)
    }

    /// The guard-rails of environments.
    #[must_use]
    pub fn policies(&self) -> Policies<'_> {
        Policies::new(self)
    }

    /// What is looked for in requests and answers.
    #[must_use]
    pub fn data_rules(&self) -> DataRules<'_> {
        DataRules::new(self)
    }

    /// The API tokens, administrators' tokens included.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::new(self)
    }

    /// Who made what at a provider.
    #[must_use]
    pub fn owned(&self) -> Owned<'_> {
        Owned::new(self)
    }

    /// What placeholders of earlier requests stand for.
    #[must_use]
    pub fn pseudonyms(&self) -> Pseudonyms<'_> {
        Pseudonyms::new(self)
    }
}

#[cfg(test)]
mod tests;
