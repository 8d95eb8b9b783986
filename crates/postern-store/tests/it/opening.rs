//! Making and opening a store: the right one, whole, with its own keys, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use postern_store::{KeyRing, OpenStoreError, Store, StoreUrl};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::fixture::{Fixture, Seeded, env, start};

async fn reopen(fixture: &Fixture) -> Result<Store, OpenStoreError> {
    let parts = (Arc::clone(&fixture.keys), Arc::clone(&fixture.random));
    Store::open(&fixture.url, parts.0, parts.1).await
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let fixture = Fixture::sqlite().await;
    let issued = fixture.issue("dev").await;
    fixture.store.close().await;
    let store = reopen(&fixture).await.unwrap();
    assert_eq!(
        store.tokens().show(&issued.row.id).await.unwrap(),
        issued.row
    );
    assert_eq!(store.environments().list().await.unwrap().len(), 2);
    store.close().await;
}

#[tokio::test]
async fn a_missing_store_is_an_error_and_stays_missing() {
    let fixture = Fixture::sqlite().await;
    let nowhere = StoreUrl::in_data_dir(&fixture.dir().join("nowhere"));
    let parts = || (Arc::clone(&fixture.keys), Arc::clone(&fixture.random));
    let (keys, random) = parts();
    let missing = Store::open(&nowhere, keys, random).await.unwrap_err();
    assert!(matches!(missing, OpenStoreError::Missing(_)), "{missing}");
    assert!(!nowhere.path().exists());
    // What a crash leaves of a file is no store either, and neither is another database.
    let empty = fixture.dir().join("empty.db");
    fs::write(&empty, b"").unwrap();
    let (keys, random) = parts();
    let url = StoreUrl::parse(&format!("sqlite:{}", empty.display())).unwrap();
    let missing = Store::open(&url, keys, random).await.unwrap_err();
    assert!(matches!(missing, OpenStoreError::Missing(_)), "{missing}");
    let text = fixture.dir().join("text.db");
    fs::write(&text, "not a database ".repeat(100)).unwrap();
    let (keys, random) = parts();
    let url = StoreUrl::parse(&format!("sqlite:{}", text.display())).unwrap();
    let unusable = Store::open(&url, keys, random).await.unwrap_err();
    assert!(
        matches!(unusable, OpenStoreError::Unusable(_)),
        "{unusable}"
    );
}

#[tokio::test]
async fn a_store_is_never_written_over() {
    let fixture = Fixture::sqlite().await;
    let issued = fixture.issue("dev").await;
    let parts = (Arc::clone(&fixture.keys), Arc::clone(&fixture.random));
    let refusal = Store::create(&fixture.url, parts.0, parts.1, start())
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, OpenStoreError::AlreadyThere(_)),
        "{refusal}"
    );
    assert!(fixture.store.tokens().show(&issued.row.id).await.is_ok());
}

#[tokio::test]
async fn what_a_crash_while_making_a_store_left_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let random = Arc::new(Seeded::new(1));
    let keys = KeyRing::create(&dir.path().join("keys"), &data, &*random).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("postern.db.new"), "half").unwrap();
    fs::write(data.join("postern.db.new-wal"), "a log").unwrap();
    let url = StoreUrl::in_data_dir(&data);
    let store = Store::create(&url, Arc::new(keys), random, start())
        .await
        .unwrap();
    assert_eq!(store.revision().await.unwrap(), 0);
    store.close().await;
    let left: Vec<_> = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["postern.db"]);
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_refused() {
    let fixture = Fixture::sqlite().await;
    fixture.store.close().await;
    let url = format!("sqlite:{}", fixture.url.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'later', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let refusal = reopen(&fixture).await.unwrap_err();
    assert!(
        matches!(refusal, OpenStoreError::Newer { found: 9000, .. }),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_store_opens_with_its_own_keys_only() {
    let fixture = Fixture::sqlite().await;
    fixture.store.close().await;
    let other = Seeded::new(99);
    let data = fixture.dir().join("data");
    let stranger = KeyRing::create(&fixture.dir().join("other-keys"), &data, &other).unwrap();
    let random = Arc::clone(&fixture.random);
    let refusal = Store::open(&fixture.url, Arc::new(stranger), random)
        .await
        .unwrap_err();
    assert!(matches!(refusal, OpenStoreError::Keys(_)), "{refusal}");

    // Its own installation's keys, but an environment's are lost.
    fs::remove_file(fixture.dir().join("keys/prod.json")).unwrap();
    let keys = KeyRing::open(&fixture.dir().join("keys"), &data).unwrap();
    assert_eq!(keys.environments(), [env("dev")]);
    let random = Arc::clone(&fixture.random);
    let refusal = Store::open(&fixture.url, Arc::new(keys), random)
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("prod"), "{refusal}");
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let fixture = Fixture::sqlite().await;
    fixture.issue("dev").await;
    let data = fixture.dir().join("data");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut seen = 0;
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 3, "the database, its write-ahead log and its index");
}

#[test]
fn addresses_are_of_sqlite_files() {
    assert!(StoreUrl::parse("sqlite:postern.db").is_ok());
    let three = StoreUrl::parse("sqlite:///var/lib/postern.db").unwrap();
    assert_eq!(three.to_string(), "sqlite:/var/lib/postern.db");
    for bad in [
        "",
        "postern.db",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a.db?mode=rwc",
        "mysql:x",
    ] {
        assert!(StoreUrl::parse(bad).is_err(), "{bad}");
    }
    let later = StoreUrl::parse("postgres://db/postern").unwrap_err();
    assert!(later.to_string().contains("not built yet"), "{later}");
}
