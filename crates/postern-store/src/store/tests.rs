use std::time::Duration;

use postern_types::{EnvName, Grant, PrincipalId, UpstreamKind, UpstreamName};

use super::*;
use crate::{
    Made, NewAccess, NewEnvironment, NewPrincipal, NewToken, NewUpstream, StoreError, SystemRandom,
    TokenFilter,
};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn dev() -> EnvName {
    EnvName::parse("dev").unwrap()
}

fn web() -> NewPrincipal {
    NewPrincipal {
        id: PrincipalId::parse("service:web").unwrap(),
        team: None,
        tenant: None,
    }
}

fn openai() -> NewUpstream {
    NewUpstream {
        name: UpstreamName::parse("openai").unwrap(),
        kind: UpstreamKind::OpenAi,
        url: "https://api.example.com".to_owned(),
        credential: None,
        settings: serde_json::Map::new(),
    }
}

fn wanted() -> NewToken {
    NewToken {
        access: NewAccess::Data {
            env: dev(),
            principal: web().id,
            // Large, so that a few of them fill the last page of the file.
            grants: vec![Grant::parse(&format!("openai:invoke:{}", "m".repeat(128))).unwrap(); 20],
            limits: Vec::new(),
        },
        ttl: None,
        owner: None,
        purpose: None,
        created_by: "test".to_owned(),
        idempotency_key: None,
    }
}

#[tokio::test]
async fn of_two_that_make_a_store_at_once_one_is_refused() {
    // Goal: nobody goes on in the file of another, with other keys. Method: one has begun its file,
    // and another, with keys of its own, comes to make a store in the same place.
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let random = Arc::new(SystemRandom::new());
    let url = StoreUrl::in_data_dir(&data);
    let (first, alone) = unfinished(&url).unwrap();
    fs::write(first.path(), b"half made").unwrap();
    let keys = KeyRing::create(&dir.path().join("keys"), &data, &*random).unwrap();
    let keys = Arc::new(keys);
    let make = async || {
        let random: Arc<dyn Random> = random.clone();
        Store::create(&url, Arc::clone(&keys), random, now()).await
    };
    let refused = make().await;
    assert!(matches!(refused, Err(OpenStoreError::AlreadyThere(_))));
    assert_eq!(fs::read(first.path()).unwrap(), b"half made");
    // Whoever began it is gone, and what is left of it stands in nobody's way.
    drop(alone);
    assert!(make().await.is_ok());
}

async fn furnished() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let random = Arc::new(SystemRandom::new());
    let keys = KeyRing::create(&dir.path().join("keys"), &data, &*random).unwrap();
    let url = StoreUrl::in_data_dir(&data);
    let store = Store::create(&url, Arc::new(keys), random, now())
        .await
        .unwrap();
    store
        .environments()
        .create(&NewEnvironment::named(dev()), now())
        .await
        .unwrap();
    store
        .principals()
        .create(&dev(), &web(), now())
        .await
        .unwrap();
    store
        .upstreams()
        .create(&dev(), &openai(), now())
        .await
        .unwrap();
    (dir, store)
}

/// Lets the file grow by so many pages and no further, as a disk that fills up would.
async fn allow_pages(store: &Store, more: i64) {
    let mut writer = store.database().writer(Durability::Full).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(writer.connection())
        .await
        .unwrap();
    let sql = format!("PRAGMA max_page_count = {}", pages + more);
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(writer.connection())
        .await
        .unwrap();
}

async fn count(store: &Store) -> (usize, u64) {
    let page = crate::Page {
        after: None,
        limit: crate::bounds::PAGE_ROWS_MAX,
    };
    let page = store
        .tokens()
        .list(&TokenFilter::default(), &page, now())
        .await
        .unwrap();
    assert!(page.rows.iter().all(|row| row.secrets.len() == 1));
    (page.rows.len(), store.revision().await.unwrap())
}

#[tokio::test]
async fn a_full_disk_refuses_and_leaves_nothing_half_done() {
    // Goal: a write that fails anywhere in its transaction is undone whole, is told as unavailable,
    // and the store works again when there is room. Method: let the file grow by 0, 1, 2 … pages,
    // so that the failure moves through the statements of a create.
    let (_dir, store) = furnished().await;
    let mut refused = 0;
    for pages in 0..12 {
        allow_pages(&store, pages).await;
        for _ in 0..40 {
            let before = count(&store).await;
            match store.tokens().create(&wanted(), now()).await {
                Ok(_) => assert_eq!(count(&store).await, (before.0 + 1, before.1 + 1)),
                Err(error) => {
                    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
                    assert_eq!(count(&store).await, before);
                    refused += 1;
                    break;
                }
            }
        }
    }
    assert!(
        refused > 5,
        "the disk was never full: the test shows nothing"
    );
    allow_pages(&store, 1_000_000).await;
    store.tokens().create(&wanted(), now()).await.unwrap();
}

#[tokio::test]
async fn callers_wait_a_bounded_time_for_the_writer() {
    // Goal: a writer that never ends makes the store unavailable to writers, and to nobody for
    // ever. Method: hold the one writer, with less patience than in production.
    let (dir, store) = furnished().await;
    let path = dir.path().join("data/postern.db");
    let database = Database::open(&path, Duration::from_millis(50))
        .await
        .unwrap();
    let held = database.writer(Durability::Full).await.unwrap();
    let refusal = database
        .writer(Durability::Full)
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(
        matches!(refusal, StoreError::Unavailable { .. }),
        "{refusal}"
    );
    let read: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM environments")
        .fetch_one(database.read())
        .await
        .unwrap();
    assert_eq!(read, 1);
    drop(held);
    assert!(database.writer(Durability::Full).await.is_ok());
    database.close().await;
    store.close().await;
}

#[tokio::test]
async fn uses_and_ownership_wait_for_no_disk_and_changes_do() {
    // Goal: the durability of each kind of write is what its documentation says. Method: ask the
    // connection itself after a write of each kind.
    let (_dir, store) = furnished().await;
    let level = || async {
        let mut connection = store.database().write_pool().acquire().await.unwrap();
        let level: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        level
    };
    const NORMAL: i64 = 1;
    const FULL: i64 = 2;
    store.tokens().touch_last_used(&[]).await.unwrap();
    assert_eq!(level().await, FULL);
    let upstream = store
        .upstreams()
        .show(&dev(), &openai().name)
        .await
        .unwrap();
    let principal = store.principals().show(&dev(), &web().id).await.unwrap();
    let made = Made {
        upstream: upstream.id,
        what: postern_types::OwnedId {
            kind: postern_types::OwnedKind::Response,
            id: "resp_1".to_owned(),
        },
        by: principal.key,
        at: now(),
    };
    store.owned().record(&made).await.unwrap();
    assert_eq!(level().await, NORMAL);
    store.tokens().create(&wanted(), now()).await.unwrap();
    assert_eq!(level().await, FULL);
}
