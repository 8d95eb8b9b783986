//! A guard in a directory of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postern_audit::{Durability, Log, LogOptions, Reader, SigningKey};
use postern_guard::{
    Caller, Clock, Flight, Guard, GuardBounds, GuardParts, LeftOpen, ManualClock, Opening, RingKeys,
};
use postern_store::{
    Issued, KeyRing, NewAccess, NewEnvironment, NewPrincipal, NewToken, NewUpstream, Store,
    StoreUrl, SystemRandom,
};
use postern_types::{
    AiRequest, AuditRecord, CanonicalPath, EnvName, Grant, Limit, Operation, PolicyName,
    PrincipalId, Refusal, RequestContext, Source, SourceVia, TokenId, UpstreamKind, UpstreamName,
};

pub(crate) struct Fixture {
    pub(crate) guard: Arc<Guard>,
    pub(crate) clock: ManualClock,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn env(name: &str) -> EnvName {
    EnvName::parse(name).unwrap()
}

pub(crate) fn principal() -> PrincipalId {
    PrincipalId::parse("service:web").unwrap()
}

pub(crate) fn openai() -> UpstreamName {
    UpstreamName::parse("openai").unwrap()
}

impl Fixture {
    /// A guard with the environments dev and prod, each with a principal `service:web`, an upstream
    /// `openai` of the same name, and a policy that allows everything.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-06-01T12:00:00Z".parse().unwrap());
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let keys =
            KeyRing::create(&dir.path().join("keys"), &data, &SystemRandom::default()).unwrap();
        let keys = Arc::new(keys);
        let now = Clock::Manual(clock.clone()).now();
        let url = StoreUrl::in_data_dir(&data);
        let random = Arc::new(SystemRandom::default());
        let store = Store::create(&url, Arc::clone(&keys), random, now)
            .await
            .unwrap();
        for name in ["dev", "prod"] {
            furnish(&store, &env(name), now).await;
        }
        let guard = open(&store, &keys, &clock, dir.path(), true).await;
        Self {
            guard,
            clock,
            keys,
            dir,
        }
    }

    /// What another process finds after this one was killed with a flight under way: the log as it
    /// is on disk, never closed.
    pub(crate) async fn crash(self, lost: Flight) -> Self {
        // Forgotten, not dropped: a killed process runs no destructor.
        std::mem::forget(lost);
        let Self {
            guard,
            clock,
            keys,
            dir,
        } = self;
        let copy = tempfile::tempdir().unwrap();
        copy_dir(&dir.path().join("audit"), &copy.path().join("audit"));
        let guard = open(guard.store(), &keys, &clock, copy.path(), false).await;
        // The store stays where it was; its directory is kept until the process ends.
        std::mem::forget(dir);
        Self {
            guard,
            clock,
            keys,
            dir: copy,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.guard.clock().now()
    }

    pub(crate) async fn token(&self, environment: &str, grant: &str, limits: &[&str]) -> Issued {
        let access = NewAccess::Data {
            env: env(environment),
            principal: principal(),
            grants: vec![Grant::parse(grant).unwrap()],
            limits: limits
                .iter()
                .map(|limit| Limit::parse(limit).unwrap())
                .collect(),
        };
        let new = NewToken {
            access,
            ttl: Some(Duration::from_secs(3600)),
            owner: None,
            purpose: None,
            created_by: "test".into(),
            idempotency_key: None,
        };
        self.guard
            .store()
            .tokens()
            .create(&new, self.now())
            .await
            .unwrap()
    }

    pub(crate) fn arrive(&self) -> Flight {
        self.arrive_from(Ipv4Addr::LOCALHOST.into())
    }

    pub(crate) fn arrive_from(&self, address: IpAddr) -> Flight {
        let opening = Opening {
            method: "POST",
            path: "/openai/v1/chat/completions",
            query_names: Vec::new(),
            source: Source {
                address,
                via: SourceVia::Socket,
            },
            user_agent: Some("test"),
        };
        self.guard.arrive(&opening).unwrap()
    }

    pub(crate) async fn caller(&self, token: &str) -> Result<Caller, Refusal> {
        self.arrive().authenticate(Some(token)).await
    }

    pub(crate) fn context(&self, caller: &Caller, model: &str) -> RequestContext {
        RequestContext {
            now: self.now(),
            subject: caller.subject().clone(),
            upstream: openai(),
            upstream_kind: UpstreamKind::OpenAi,
            ai: Some(AiRequest {
                operation: Operation::ChatCompletions,
                model: Some(model.into()),
                stream: false,
                output_cap: None,
                text_bytes: 10,
            }),
            method: "POST".into(),
            path: CanonicalPath::parse("/v1/chat/completions").unwrap(),
            query: Vec::new(),
            headers: Vec::new(),
            json_body: None,
            body_bytes: Some(20),
            source: Source {
                address: Ipv4Addr::LOCALHOST.into(),
                via: SourceVia::Socket,
            },
            tls: false,
        }
    }

    /// Carries a request to the point where it would be forwarded.
    pub(crate) async fn clear(&self, flight: &mut Flight, token: &str) -> Result<Caller, Refusal> {
        let caller = flight.authenticate(Some(token)).await?;
        let context = self.context(&caller, "gpt-4o-mini");
        let permit = flight.authorize(&caller, &context)?;
        flight.limit(&caller, &permit)?;
        flight.clear(&caller, &permit, &context).await?;
        Ok(caller)
    }

    /// Every record in the log, once all flights have been closed.
    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while self.guard.status().in_progress > 0 {
            assert!(
                std::time::Instant::now() < deadline,
                "a flight was not closed"
            );
            tokio::task::yield_now().await;
        }
        // A record at the durable level: everything that was queued before it is written with it.
        self.guard
            .record_system("test", String::new())
            .await
            .unwrap();
        let keys = Arc::new(RingKeys::new(Arc::clone(&self.keys)));
        let reader = Reader::open(&self.dir.path().join("audit"), Some(keys)).unwrap();
        reader
            .entries_from(0)
            .unwrap()
            .filter_map(|entry| AuditRecord::decode(&entry.unwrap().body.unwrap()).ok())
            .filter(|record| !matches!(record, AuditRecord::System(_)))
            .collect()
    }

    pub(crate) async fn revoke(&self, id: TokenId) {
        let revocation = postern_store::Revocation {
            by: "test".into(),
            reason: Some("lost".into()),
        };
        self.guard
            .store()
            .tokens()
            .revoke(&id, &revocation, self.now())
            .await
            .unwrap();
        self.guard
            .token_changed(id, postern_guard::TokenChange::Revoked);
    }
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn furnish(store: &Store, env: &EnvName, now: Timestamp) {
    let new = NewEnvironment {
        name: env.clone(),
        description: String::new(),
        token_ttl_max: None,
    };
    store.environments().create(&new, now).await.unwrap();
    let who = NewPrincipal {
        id: principal(),
        team: None,
        tenant: None,
    };
    store.principals().create(env, &who, now).await.unwrap();
    let upstream = NewUpstream {
        name: openai(),
        kind: UpstreamKind::OpenAi,
        url: format!("http://127.0.0.1:9/{env}"),
        credential: None,
        settings: serde_json::Map::new(),
    };
    store.upstreams().create(env, &upstream, now).await.unwrap();
    let baseline = PolicyName::parse("baseline").unwrap();
    let text = "permit (principal, action, resource);";
    store
        .policies()
        .create(env, &baseline, text, now)
        .await
        .unwrap();
}

async fn open(
    store: &Store,
    keys: &Arc<KeyRing>,
    clock: &ManualClock,
    dir: &Path,
    create: bool,
) -> Arc<Guard> {
    let audit = dir.join("audit");
    let sealing = Arc::new(RingKeys::new(Arc::clone(keys)));
    let seed = keys.audit_signing_seed();
    let signing = SigningKey::from_seed("test.example/audit", &seed).unwrap();
    let options = LogOptions {
        create,
        segment_bytes: 1 << 20,
        ..LogOptions::default()
    };
    let (log, report) = Log::open(&audit, sealing.clone(), signing, options).unwrap();
    let reader = Reader::open(&audit, Some(sealing)).unwrap();
    let parts = GuardParts {
        store: store.clone(),
        keys: Arc::clone(keys),
        log: Arc::new(log),
        clock: Clock::Manual(clock.clone()),
        durability: Durability::Buffered,
        bounds: GuardBounds {
            failures_per_minute: 3,
            ..GuardBounds::default()
        },
        left_open: Some(LeftOpen {
            reader,
            from: report.last_clean_seq,
        }),
    };
    Guard::open(parts).await.unwrap()
}
