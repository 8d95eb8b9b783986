//! A fresh store with environments, principals and upstreams to try things on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use postern_store::{
    Issued, KeyRing, NewAccess, NewCredential, NewEnvironment, NewPrincipal, NewToken, NewUpstream,
    PrincipalKey, Random, RandomError, Rotation, Store, StoreUrl, UpstreamRow,
};
use postern_types::{EnvName, Grant, PrincipalId, TokenId, UpstreamKind, UpstreamName};

/// Repeatable "random" bytes: SplitMix64 from a seed.
pub(crate) struct Seeded(Mutex<u64>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        let mut state = self.0.lock().unwrap();
        for byte in out {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ (mixed >> 31)).to_be_bytes()[0];
        }
        Ok(())
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The moment at which tests begin.
pub(crate) fn start() -> Timestamp {
    at("2026-03-01T12:00:00.123Z")
}

/// So many seconds after the beginning.
pub(crate) fn after(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn env(name: &str) -> EnvName {
    EnvName::parse(name).unwrap()
}

pub(crate) fn principal(id: &str) -> PrincipalId {
    PrincipalId::parse(id).unwrap()
}

pub(crate) fn upstream(name: &str) -> UpstreamName {
    UpstreamName::parse(name).unwrap()
}

pub(crate) fn grant(text: &str) -> Grant {
    Grant::parse(text).unwrap()
}

/// A store with the environments `dev` and `prod`, a principal `service:web` in each, and an
/// upstream `openai` in each.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) random: Arc<Seeded>,
    pub(crate) url: StoreUrl,
    dir: tempfile::TempDir,
}

impl Fixture {
    /// On SQLite in a directory of its own.
    pub(crate) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let random = Arc::new(Seeded::new(7));
        let data = dir.path().join("data");
        let keys = KeyRing::create(&dir.path().join("keys"), &data, &*random).unwrap();
        let keys = Arc::new(keys);
        let url = StoreUrl::in_data_dir(&data);
        let parts = (Arc::clone(&keys), Arc::clone(&random));
        let store = Store::create(&url, parts.0, parts.1, start())
            .await
            .unwrap();
        let fixture = Self {
            store,
            keys,
            random,
            url,
            dir,
        };
        for name in ["dev", "prod"] {
            fixture.add_environment(name).await;
            fixture.add_principal(name, "service:web").await;
            fixture.add_upstream(name, "openai", None).await;
        }
        fixture
    }

    /// A second handle on the same store, as another process would have it.
    pub(crate) async fn second(&self) -> Store {
        let parts = (Arc::clone(&self.keys), Arc::clone(&self.random));
        Store::open(&self.url, parts.0, parts.1).await.unwrap()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub(crate) async fn add_environment(&self, name: &str) {
        let new = NewEnvironment::named(env(name));
        self.store
            .environments()
            .create(&new, start())
            .await
            .unwrap();
    }

    pub(crate) async fn add_principal(&self, in_env: &str, id: &str) -> PrincipalKey {
        let new = NewPrincipal {
            id: principal(id),
            team: None,
            tenant: None,
        };
        let row = self
            .store
            .principals()
            .create(&env(in_env), &new, start())
            .await;
        row.unwrap().key
    }

    pub(crate) async fn add_upstream(
        &self,
        in_env: &str,
        name: &str,
        credential: Option<NewCredential>,
    ) -> UpstreamRow {
        let new = NewUpstream {
            name: upstream(name),
            kind: UpstreamKind::OpenAi,
            url: "https://api.example.com/v1".to_owned(),
            credential,
            settings: serde_json::Map::new(),
        };
        self.store
            .upstreams()
            .create(&env(in_env), &new, start())
            .await
            .unwrap()
    }

    /// A request for a token of `service:web` for `gpt-4o-mini` on `openai`.
    pub(crate) fn wanted(in_env: &str) -> NewToken {
        NewToken {
            access: NewAccess::Data {
                env: env(in_env),
                principal: principal("service:web"),
                grants: vec![grant("openai:invoke:gpt-4o-mini")],
                limits: vec!["requests=5/minute".parse().unwrap()],
            },
            ttl: None,
            owner: Some("the web team".to_owned()),
            purpose: None,
            created_by: "test".to_owned(),
            idempotency_key: None,
        }
    }

    pub(crate) async fn issue(&self, in_env: &str) -> Issued {
        self.store
            .tokens()
            .create(&Self::wanted(in_env), start())
            .await
            .unwrap()
    }

    pub(crate) async fn rotate(
        &self,
        id: &TokenId,
        grace_seconds: u64,
        now: Timestamp,
    ) -> Result<Issued, postern_store::StoreError> {
        let rotation = Rotation {
            grace: Duration::from_secs(grace_seconds),
            idempotency_key: None,
        };
        self.store.tokens().rotate(id, &rotation, now).await
    }
}
