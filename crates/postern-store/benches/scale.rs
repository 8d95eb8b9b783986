//! How the store holds up with many tokens: size of the file, time to open it, time to find one.
//!
//! `cargo bench -p postern-store --profile quick --bench scale -- 1000000`

#![expect(clippy::print_stdout, reason = "a bench reports on the terminal")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use postern_store::{
    KeyRing, NewAccess, NewEnvironment, NewPrincipal, NewToken, NewUpstream, Page, Store, StoreUrl,
    SystemRandom, TokenFilter, TokenRow, TokenState, Touch,
};
use postern_types::{EnvName, Grant, PrincipalId, TokenId, UpstreamKind, UpstreamName};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let count = std::env::args()
        .find_map(|text| text.parse().ok())
        .unwrap_or(100_000);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(count))
}

async fn run(count: u64) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let (data, keys) = (dir.path().join("data"), dir.path().join("keys"));
    let now: Timestamp = "2026-03-01T12:00:00Z".parse()?;
    let url = StoreUrl::in_data_dir(&data);
    let random = Arc::new(SystemRandom::new());
    let ring = Arc::new(KeyRing::create(&keys, &data, &*random)?);
    let store = Store::create(&url, ring, random, now).await?;
    furnish(&store, now).await?;
    let model = issue(&store, now, 200).await?;
    store.close().await;
    multiply(&url, &model.id, count).await?;
    println!(
        "{count} tokens, file of {} MiB",
        std::fs::metadata(url.path())?.len() >> 20
    );
    drop_page_cache();
    let store = measure_opening(&data, &keys).await?;
    measure_reading(&store, now, count).await?;
    measure_writing(&store, now, count).await?;
    store.close().await;
    Ok(())
}

/// Where it is allowed (as root), so that opening is measured from disk.
fn drop_page_cache() {
    let synced = std::process::Command::new("sync").status().is_ok();
    let dropped = synced && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
    println!("file cache dropped before opening: {dropped}");
}

async fn furnish(store: &Store, now: Timestamp) -> Outcome<()> {
    let dev = EnvName::parse("dev")?;
    store
        .environments()
        .create(&NewEnvironment::named(dev.clone()), now)
        .await?;
    let principal = NewPrincipal {
        id: PrincipalId::parse("service:web")?,
        team: None,
        tenant: None,
    };
    store.principals().create(&dev, &principal, now).await?;
    let upstream = NewUpstream {
        name: UpstreamName::parse("openai")?,
        kind: UpstreamKind::OpenAi,
        url: "https://api.example.com".to_owned(),
        credential: None,
        settings: serde_json::Map::new(),
    };
    store.upstreams().create(&dev, &upstream, now).await?;
    Ok(())
}

async fn issue(store: &Store, now: Timestamp, times: u32) -> Outcome<TokenRow> {
    let new = NewToken {
        access: NewAccess::Data {
            env: EnvName::parse("dev")?,
            principal: PrincipalId::parse("service:web")?,
            grants: vec![Grant::parse(
                "openai:invoke:gpt-4o-mini,text-embedding-3-*",
            )?],
            limits: vec!["requests=100/minute".parse()?],
        },
        ttl: None,
        owner: Some("the web team".to_owned()),
        purpose: Some("the shop".to_owned()),
        created_by: "bench".to_owned(),
        idempotency_key: None,
    };
    let begun = Instant::now();
    let mut row = store.tokens().create(&new, now).await?.row;
    for _ in 1..times {
        row = store.tokens().create(&new, now).await?.row;
    }
    println!(
        "create, durable: {:.2} ms each",
        millis(begun) / f64::from(times)
    );
    Ok(row)
}

/// Copies of one token under other ids, made by the database itself.
async fn multiply(url: &StoreUrl, model: &TokenId, count: u64) -> Outcome<()> {
    let mut connection = SqliteConnection::connect(&url.to_string()).await?;
    let begun = Instant::now();
    for sql in [
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         INSERT INTO tokens (token_id, kind, env, principal_key, grants, limits, owner, purpose, \
         created_ms, created_by, expires_ms, version) SELECT printf('copy%012d', (i * 7919) % \
         1000000007), kind, env, principal_key, grants, limits, owner, purpose, created_ms + i, \
         created_by, expires_ms + i, 1 FROM n, tokens WHERE token_id = $2",
        "INSERT INTO token_secrets (token_id, number, digest, pepper_version, last_four, \
         created_ms, expires_ms) SELECT token_id, 1, randomblob(32), 1, 'abcd', created_ms, \
         expires_ms FROM tokens WHERE token_id LIKE 'copy%' AND $1 > 0 AND $2 <> ''",
    ] {
        let count = i64::try_from(count)?;
        sqlx::query(sql)
            .bind(count)
            .bind(model.as_str())
            .execute(&mut connection)
            .await?;
    }
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    println!("filled in {:.0} ms", millis(begun));
    Ok(())
}

async fn measure_opening(data: &Path, keys: &Path) -> Outcome<Store> {
    let begun = Instant::now();
    let random = Arc::new(SystemRandom::new());
    let ring = Arc::new(KeyRing::open(keys, data)?);
    let store = Store::open(&StoreUrl::in_data_dir(data), ring, random).await?;
    println!("open: {:.1} ms", millis(begun));
    let begun = Instant::now();
    let first = store.tokens().by_id(&copy(7)?).await?;
    println!(
        "first by_id: {:.2} ms, found: {}",
        millis(begun),
        first.is_some()
    );
    Ok(store)
}

async fn measure_reading(store: &Store, now: Timestamp, count: u64) -> Outcome<()> {
    let mut times = Vec::new();
    for index in 0..10_000_u64 {
        let id = copy(index * 104_729 % count + 1)?;
        let begun = Instant::now();
        assert!(store.tokens().by_id(&id).await?.is_some());
        times.push(begun.elapsed());
    }
    show("by_id of a token", &mut times);
    let unknown = TokenId::parse("0000000000000000")?;
    let mut times = Vec::new();
    for _ in 0..10_000 {
        let begun = Instant::now();
        assert!(store.tokens().by_id(&unknown).await?.is_none());
        times.push(begun.elapsed());
    }
    show("by_id of none", &mut times);
    for state in [None, Some(TokenState::Live), Some(TokenState::Revoked)] {
        let filter = TokenFilter {
            env: Some(EnvName::parse("dev")?),
            state,
            ..TokenFilter::default()
        };
        let begun = Instant::now();
        let page = store.tokens().list(&filter, &Page::default(), now).await?;
        println!(
            "list {state:?}: {} rows in {:.1} ms",
            page.rows.len(),
            millis(begun)
        );
    }
    Ok(())
}

async fn measure_writing(store: &Store, now: Timestamp, count: u64) -> Outcome<()> {
    issue(store, now, 200).await?;
    let touches: Vec<_> = (0..1_000)
        .map(|index| {
            Ok(Touch {
                token: copy(index * 104_729 % count + 1)?,
                secret: 1,
                at: now,
            })
        })
        .collect::<Outcome<_>>()?;
    let begun = Instant::now();
    store.tokens().touch_last_used(&touches).await?;
    println!("touch_last_used of 1000: {:.1} ms", millis(begun));
    Ok(())
}

fn copy(index: u64) -> Outcome<TokenId> {
    Ok(TokenId::parse(&format!(
        "copy{:012}",
        index * 7_919 % 1_000_000_007
    ))?)
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e6;
    println!("{what}: p50 {:.0} µs, p99 {:.0} µs", at(50), at(99));
}
