//! The schema's versions, embedded. A step that was released is never changed, only followed.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;

use crate::store::OpenStoreError;

/// `(version, what it does, statements)`, rising.
const STEPS: &[(i64, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../migrations/sqlite/0001_first.sql"),
    ),
    (
        2,
        "data rules",
        include_str!("../migrations/sqlite/0002_data_rules.sql"),
    ),
    (
        3,
        "placeholders",
        include_str!("../migrations/sqlite/0003_pseudonyms.sql"),
    ),
];

/// The newest version that this release knows.
pub(crate) fn newest() -> i64 {
    STEPS.last().map_or(0, |(version, _, _)| *version)
}

/// Brings the schema to the newest version. Refuses one that is newer than this release.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenStoreError> {
    let found = version(connection).await?;
    if found > newest() {
        return Err(OpenStoreError::Newer {
            found,
            known: newest(),
        });
    }
    let steps = STEPS.iter().map(|(version, description, sql)| {
        let description = Cow::Borrowed(*description);
        let sql = (*sql).into_sql_str();
        Migration::new(*version, description, MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
        .run_direct(None, connection, false)
        .await
        .map_err(OpenStoreError::unusable)
}

/// The version of the schema; 0 for an empty database.
async fn version(connection: &mut SqliteConnection) -> Result<i64, OpenStoreError> {
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *connection)
        .await
        .map_err(OpenStoreError::unusable)?;
    if tables == 0 {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await
        .map_err(OpenStoreError::unusable)
}
