//! The database below the nouns: connections, transactions, rows.
//!
//! One connection writes, so that writers queue here, in order, and not at SQLite's lock; a few
//! read, each from a snapshot. A durable transaction is synced to disk before it is acknowledged; a
//! relaxed one is not, and becomes durable with the next durable one.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::bounds::{BUSY_TIMEOUT, CACHE_KIB_MAX, READERS_MAX, WAL_BYTES_KEPT, WAL_PAGES_MAX};
use crate::error::{Doing as _, StoreError};

/// What a power cut may undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing.
    Full,
    /// The last transactions of this kind. Only for what closes when it is lost.
    Relaxed,
}

#[derive(Debug)]
pub(crate) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens the file. Callers wait `patience` for a connection.
    pub(crate) async fn open(path: &Path, patience: Duration) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // What is deleted is overwritten with zeros.
            .pragma("secure_delete", "ON")
            // A schema that was tampered with runs no functions with side effects.
            .pragma("trusted_schema", "OFF")
            // Negative: in KiB.
            .pragma("cache_size", format!("-{CACHE_KIB_MAX}"))
            .pragma("wal_autocheckpoint", WAL_PAGES_MAX.to_string())
            .pragma("journal_size_limit", WAL_BYTES_KEPT.to_string());
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(patience)
                // Local connections do not go stale.
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        let readers = pool(READERS_MAX)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Where reads go.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    #[cfg(test)]
    pub(crate) fn write_pool(&self) -> &SqlitePool {
        &self.writer
    }

    /// Waits for the one connection that writes.
    pub(crate) async fn writer(&self, durability: Durability) -> Result<Writer, StoreError> {
        // Set each time: whoever had the connection before may have left it otherwise.
        let level = match durability {
            Durability::Full => "PRAGMA synchronous = FULL",
            Durability::Relaxed => "PRAGMA synchronous = NORMAL",
        };
        let mut connection = self.writer.acquire().await.doing("write now")?;
        let set = sqlx::query(level).execute(&mut *connection).await;
        // WHY NOT trust the pool here: a statement that fails for want of disk ends its transaction
        // inside SQLite, but the driver still counts it as open, its rollback fails, and every
        // later BEGIN on that connection is refused. Such a connection is thrown away.
        if set.is_ok() && !connection.is_in_transaction() {
            return Ok(Writer(connection));
        }
        drop(connection.detach());
        let mut connection = self.writer.acquire().await.doing("write now")?;
        sqlx::query(level)
            .execute(&mut *connection)
            .await
            .doing("write now")?;
        Ok(Writer(connection))
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The one connection that writes, held.
pub(crate) struct Writer(PoolConnection<Sqlite>);

impl Writer {
    /// Begins a transaction. Dropped without a commit, it is undone.
    pub(crate) async fn begin(&mut self) -> Result<Change<'_>, StoreError> {
        // The lock is taken now, not at the first write, so that what is read stays true.
        let transaction = self
            .0
            .begin_with("BEGIN IMMEDIATE")
            .await
            .doing("write now")?;
        Ok(Change(transaction))
    }

    /// Begins a change that others are to learn of: it raises the revision.
    pub(crate) async fn change(&mut self) -> Result<Change<'_>, StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE installation SET revision = revision + 1")
            .execute(change.sql())
            .await
            .doing("raise its revision")?;
        Ok(change)
    }

    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// An open transaction.
pub(crate) struct Change<'a>(Transaction<'a, Sqlite>);

impl Change<'_> {
    pub(crate) fn sql(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await.doing("commit a change")
    }
}

/// A column that the driver decodes.
pub(crate) fn column<'r, T>(row: &'r SqliteRow, name: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).doing("read a row back")
}

/// A column that holds one of our nouns as text.
pub(crate) fn noun<T>(row: &SqliteRow, name: &'static str) -> Result<T, StoreError>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = column(row, name)?;
    text.parse()
        .map_err(|error: T::Err| StoreError::unavailable("read a row back", error))
}

/// Times are whole milliseconds since 1970: they read back as they were returned when written.
pub(crate) fn to_ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(crate) fn from_ms(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms)
        .map_err(|error| StoreError::unavailable("read a row back", error))
}

/// A time as it will read back.
pub(crate) fn whole_ms(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond())
        .expect("a time in milliseconds is in the range it came from")
}

pub(crate) fn time(row: &SqliteRow, name: &'static str) -> Result<Timestamp, StoreError> {
    from_ms(column(row, name)?)
}

pub(crate) fn maybe_time(
    row: &SqliteRow,
    name: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    column::<Option<i64>>(row, name)?.map(from_ms).transpose()
}

/// A number of ours as the database takes it.
pub(crate) fn to_i64(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| StoreError::unavailable("count that far", error))
}

/// A column that only we write and that cannot be negative.
pub(crate) fn natural(row: &SqliteRow, name: &'static str) -> Result<u64, StoreError> {
    u64::try_from(column::<i64>(row, name)?)
        .map_err(|error| StoreError::unavailable("read a row back", error))
}
