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
    SystemRandom, TokenFilter, TokenState, Touch,
};
use postern_types::{EnvName, Grant, PrincipalId, TokenId, UpstreamKind, UpstreamName};

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
    let ids = fill(&data, &keys, now, count).await?;
    let url = StoreUrl::in_data_dir(&data);
    println!(
        "{count} tokens, file of {} MiB",
        std::fs::metadata(url.path())?.len() >> 20
    );
    drop_page_cache();
    let store = measure_opening(&data, &keys, &ids).await?;
    measure_reading(&store, now, &ids).await?;
    measure_writing(&store, now, &ids).await?;
    store.close().await;
    Ok(())
}

/// Makes the tokens where no disk is waited for, if there is such a place, and moves the store.
async fn fill(data: &Path, keys: &Path, now: Timestamp, count: u64) -> Outcome<Vec<TokenId>> {
    let memory = Path::new("/dev/shm");
    let fast = if memory.is_dir() {
        tempfile::tempdir_in(memory)?
    } else {
        tempfile::tempdir()?
    };
    let url = StoreUrl::in_data_dir(fast.path());
    let random = Arc::new(SystemRandom::new());
    let ring = Arc::new(KeyRing::create(keys, data, &*random)?);
    let store = Store::create(&url, ring, random, now).await?;
    furnish(&store, now).await?;
    let begun = Instant::now();
    let mut ids = Vec::new();
    for index in 0..count {
        let made = store
            .tokens()
            .create(&wanted()?, now + Duration::from_millis(index))
            .await?;
        ids.push(made.row.id);
    }
    println!(
        "filled at {:.0} µs a token, nothing synced",
        millis(begun) * 1e3 / count as f64
    );
    store.close().await;
    std::fs::create_dir(data)?;
    std::fs::copy(url.path(), StoreUrl::in_data_dir(data).path())?;
    Ok(ids)
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

fn wanted() -> Outcome<NewToken> {
    Ok(NewToken {
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
    })
}

async fn measure_opening(data: &Path, keys: &Path, ids: &[TokenId]) -> Outcome<Store> {
    let begun = Instant::now();
    let random = Arc::new(SystemRandom::new());
    let ring = Arc::new(KeyRing::open(keys, data)?);
    let store = Store::open(&StoreUrl::in_data_dir(data), ring, random).await?;
    println!("open: {:.1} ms", millis(begun));
    let begun = Instant::now();
    let first = store.tokens().by_id(&ids[ids.len() / 2]).await?;
    println!(
        "first by_id: {:.2} ms, found: {}",
        millis(begun),
        first.is_some()
    );
    Ok(store)
}

async fn measure_reading(store: &Store, now: Timestamp, ids: &[TokenId]) -> Outcome<()> {
    let mut times = Vec::new();
    for index in 0..10_000 {
        let id = &ids[index * 104_729 % ids.len()];
        let begun = Instant::now();
        assert!(store.tokens().by_id(id).await?.is_some());
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

async fn measure_writing(store: &Store, now: Timestamp, ids: &[TokenId]) -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        store.tokens().create(&wanted()?, now).await?;
        times.push(begun.elapsed());
    }
    show("create, durable", &mut times);
    let touch = |index: usize| Touch {
        token: ids[index * 104_729 % ids.len()],
        secret: 1,
        at: now,
    };
    let touches: Vec<_> = (0..1_000).map(touch).collect();
    let begun = Instant::now();
    store.tokens().touch_last_used(&touches).await?;
    println!("touch_last_used of 1000: {:.1} ms", millis(begun));
    Ok(())
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e6;
    println!("{what}: p50 {:.0} µs, p99 {:.0} µs", at(50), at(99));
}
