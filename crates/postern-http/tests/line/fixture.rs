//! A gateway in a directory of its own, in front of one upstream.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use postern_audit::{Durability, Log, LogOptions, Reader, SigningKey};
use postern_guard::{Clock, Guard, GuardBounds, GuardParts, RingKeys, TokenChange};
use postern_http::{AnalyzerSettings, Bounds, Gateway, GatewayParts, ListenOptions, Listener};
use postern_store::{
    Issued, KeyRing, NewAccess, NewCredential, NewEnvironment, NewPrincipal, NewToken, NewUpstream,
    Revocation, Store, StoreUrl, SystemRandom, UpstreamChange,
};
use postern_testkit::ReplayUpstream;
use postern_testkit::raw::{self, RawAnswer};
use postern_types::{
    AuditRecord, DataRule, EnvName, Grant, Limit, OutcomeRecord, PolicyName, PrincipalId, RuleName,
    Secret, TokenId, UpstreamKind, UpstreamName,
};
use tokio_util::sync::CancellationToken;

/// The credential of an upstream: `provider-secret-ENV-NAME`.
pub(crate) const SECRET: &str = "provider-secret";

/// How often a waiting test looks again.
pub(crate) const POLL: Duration = Duration::from_millis(1);

pub(crate) struct Line {
    pub(crate) upstream: ReplayUpstream,
    pub(crate) guard: Arc<Guard>,
    pub(crate) address: SocketAddr,
    keys: Arc<KeyRing>,
    dir: tempfile::TempDir,
    stop: CancellationToken,
    runtime: tokio::runtime::Runtime,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn env(name: &str) -> EnvName {
    EnvName::parse(name).unwrap()
}

pub(crate) fn principal(name: &str) -> PrincipalId {
    PrincipalId::parse(name).unwrap()
}

/// The upstreams of each environment: a name and a kind.
const UPSTREAMS: [(&str, UpstreamKind); 5] = [
    ("openai", UpstreamKind::OpenAi),
    ("azure", UpstreamKind::AzureOpenAi),
    ("anthropic", UpstreamKind::Anthropic),
    ("gemini", UpstreamKind::Gemini),
    ("notes", UpstreamKind::Http),
];

impl Line {
    /// A gateway in front of the committed exchanges.
    pub(crate) fn new() -> Self {
        Self::before(ReplayUpstream::own().unwrap())
    }

    /// A gateway in front of this upstream, which stands behind every upstream name of the two
    /// environments dev and prod.
    pub(crate) fn before(upstream: ReplayUpstream) -> Self {
        Self::with(upstream, GuardBounds::default())
    }

    /// The same with caps of the test's own.
    pub(crate) fn with(upstream: ReplayUpstream, caps: GuardBounds) -> Self {
        Self::asking(upstream, caps, None)
    }

    /// The same with an analyzer.
    pub(crate) fn asking(
        upstream: ReplayUpstream,
        caps: GuardBounds,
        analyzer: Option<AnalyzerSettings>,
    ) -> Self {
        Self::bounded(upstream, caps, analyzer, Bounds::default())
    }

    /// A gateway in front of the committed exchanges in which no large body is ever worked on.
    pub(crate) fn without_workers() -> Self {
        let bounds = Bounds {
            cleaned_aside_max: 0,
            ..Bounds::default()
        };
        let upstream = ReplayUpstream::own().unwrap();
        Self::bounded(upstream, GuardBounds::default(), None, bounds)
    }

    fn bounded(
        upstream: ReplayUpstream,
        caps: GuardBounds,
        analyzer: Option<AnalyzerSettings>,
        bounds: Bounds,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (guard, keys) = runtime.block_on(open(dir.path(), &upstream.url(), caps));
        let stop = CancellationToken::new();
        let options = ListenOptions {
            address: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            plain_beyond_loopback: false,
            cores: 1,
        };
        let listener = Listener::bind(&options).unwrap();
        let address = listener.address();
        let bounds = Bounds {
            drain: Duration::from_millis(200),
            ..bounds
        };
        let parts = GatewayParts {
            guard: Arc::clone(&guard),
            bounds,
            proxies: Vec::new(),
            analyzer,
        };
        let serving = Gateway::new(parts).serve(listener, &stop).unwrap();
        // Its threads end with the stop signal; nothing waits for them but the process.
        drop(serving);
        Self {
            upstream,
            guard,
            address,
            keys,
            dir,
            stop,
            runtime,
        }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A token of `service:web` in dev.
    pub(crate) fn token(&self, grants: &[&str], limits: &[&str]) -> Issued {
        self.token_of("dev", "service:web", grants, limits)
    }

    pub(crate) fn token_of(
        &self,
        environment: &str,
        who: &str,
        grants: &[&str],
        limits: &[&str],
    ) -> Issued {
        let access = NewAccess::Data {
            env: env(environment),
            principal: principal(who),
            grants: grants
                .iter()
                .map(|grant| Grant::parse(grant).unwrap())
                .collect(),
            limits: limits
                .iter()
                .map(|limit| Limit::parse(limit).unwrap())
                .collect(),
        };
        self.issue(access, None)
    }

    /// A token of `service:web` in dev that lives so long.
    pub(crate) fn token_for(&self, ttl: Duration, grant: &str) -> Issued {
        let access = NewAccess::Data {
            env: env("dev"),
            principal: principal("service:web"),
            grants: vec![Grant::parse(grant).unwrap()],
            limits: Vec::new(),
        };
        self.issue(access, Some(ttl))
    }

    fn issue(&self, access: NewAccess, ttl: Option<Duration>) -> Issued {
        let new = NewToken {
            access,
            ttl,
            owner: None,
            purpose: None,
            created_by: "test".into(),
            idempotency_key: None,
        };
        let now = self.guard.clock().now();
        self.block_on(self.guard.store().tokens().create(&new, now))
            .unwrap()
    }

    /// A token that may do everything at every upstream.
    pub(crate) fn master(&self) -> Issued {
        let grants = [
            "openai:invoke:*",
            "azure:invoke:*",
            "anthropic:invoke:*",
            "gemini:invoke:*",
            "notes:call:GET|HEAD|POST|PUT|DELETE /{path...}?limit&where body=any",
        ];
        self.token(&grants, &[])
    }

    /// A data rule in dev, from the next request on.
    pub(crate) fn rule(&self, name: &str, spec: serde_json::Value) {
        let rule = DataRule {
            name: RuleName::parse(name).unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        let now = self.guard.clock().now();
        self.block_on(async {
            let rules = self.guard.store().data_rules();
            rules.create(&env("dev"), &rule, now).await.unwrap();
            self.guard.environment_changed(&env("dev")).await.unwrap();
        });
    }

    /// Takes a data rule of dev away, from the next request on.
    pub(crate) fn no_rule(&self, name: &str) {
        let name = RuleName::parse(name).unwrap();
        self.block_on(async {
            let rules = self.guard.store().data_rules();
            rules.delete(&env("dev"), &name).await.unwrap();
            self.guard.environment_changed(&env("dev")).await.unwrap();
        });
    }

    /// A further policy of dev's guard-rails.
    pub(crate) fn policy(&self, name: &str, text: &str) {
        let name = PolicyName::parse(name).unwrap();
        let now = self.guard.clock().now();
        self.block_on(async {
            let policies = self.guard.store().policies();
            let dev = env("dev");
            policies.create(&dev, &name, text, now).await.unwrap();
            self.guard.environment_changed(&dev).await.unwrap();
        });
    }

    /// Where the upstream `openai` of dev is, and what it is set to, from the next request on.
    pub(crate) fn place(&self, url: &str, settings: serde_json::Value) {
        let secret = Secret::from(format!("{SECRET}-dev-openai"));
        let change = UpstreamChange {
            url: Some(url.to_owned()),
            credential: Some(NewCredential::Sealed(secret)),
            settings: serde_json::from_value(settings).unwrap(),
        };
        let name = UpstreamName::parse("openai").unwrap();
        self.block_on(async {
            let upstreams = self.guard.store().upstreams();
            upstreams.update(&env("dev"), &name, &change).await.unwrap();
            self.guard.environment_changed(&env("dev")).await.unwrap();
        });
    }

    pub(crate) fn revoke(&self, id: TokenId) {
        let by = Revocation {
            by: "test".into(),
            reason: None,
        };
        let now = self.guard.clock().now();
        self.block_on(async {
            self.guard
                .store()
                .tokens()
                .revoke(&id, &by, now)
                .await
                .unwrap();
            self.guard.token_changed(id, TokenChange::Revoked);
        });
    }

    pub(crate) fn request(
        &self,
        token: &Issued,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> RawAnswer {
        self.request_in_pieces(token, (method, target), headers, body, usize::MAX)
    }

    /// The same with the body written in pieces of `cut` bytes.
    pub(crate) fn request_in_pieces(
        &self,
        token: &Issued,
        asked: (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
        cut: usize,
    ) -> RawAnswer {
        let bearer = format!("Bearer {}", token.token.expose());
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        raw::request_in_pieces(self.address, asked, &headers, body, cut)
    }

    pub(crate) fn chat(&self, token: &Issued, body: &str) -> RawAnswer {
        let json = [("content-type", "application/json")];
        self.request(
            token,
            "POST",
            "/openai/v1/chat/completions",
            &json,
            body.as_bytes(),
        )
    }

    /// Opens a connection and sends a request, its body as far as it is given.
    pub(crate) fn begin(
        &self,
        token: &Issued,
        target: &str,
        length: usize,
        body: &[u8],
    ) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.address,
            token.token.expose(),
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    /// The outcomes in the audit log, once there are so many.
    pub(crate) fn outcomes(&self, count: usize) -> Vec<OutcomeRecord> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let outcomes: Vec<OutcomeRecord> = self
                .records()
                .into_iter()
                .filter_map(|record| match record {
                    AuditRecord::Outcome(outcome) => Some(outcome),
                    _ => None,
                })
                .collect();
            if outcomes.len() >= count {
                assert_eq!(outcomes.len(), count, "{outcomes:#?}");
                return outcomes;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {count} outcomes",
                outcomes.len()
            );
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn records(&self) -> Vec<AuditRecord> {
        let keys = Arc::new(RingKeys::new(Arc::clone(&self.keys)));
        let reader = Reader::open(&self.dir.path().join("audit"), Some(keys)).unwrap();
        reader
            .entries_from(0)
            .unwrap()
            .filter_map(|entry| AuditRecord::decode(&entry.unwrap().body.unwrap()).ok())
            .collect()
    }
}

/// Reads until the text is there, or the connection ends; gives what was read.
pub(crate) fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&seen).into_owned(),
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
        let so_far = String::from_utf8_lossy(&seen);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
    }
}

async fn open(dir: &std::path::Path, url: &str, bounds: GuardBounds) -> (Arc<Guard>, Arc<KeyRing>) {
    let data = dir.join("data");
    std::fs::create_dir(&data).unwrap();
    let random = SystemRandom::default();
    let keys = Arc::new(KeyRing::create(&dir.join("keys"), &data, &random).unwrap());
    let clock = Clock::system();
    let store_url = StoreUrl::in_data_dir(&data);
    let random = Arc::new(SystemRandom::default());
    let store = Store::create(&store_url, Arc::clone(&keys), random, clock.now())
        .await
        .unwrap();
    for name in ["dev", "prod"] {
        furnish(&store, &env(name), url, &clock).await;
    }
    let seed = keys.audit_signing_seed();
    let signing = SigningKey::from_seed("test.example/audit", &seed).unwrap();
    let options = LogOptions {
        create: true,
        segment_bytes: 4 << 20,
        ..LogOptions::default()
    };
    let sealing = Arc::new(RingKeys::new(Arc::clone(&keys)));
    let (log, _) = Log::open(&dir.join("audit"), sealing, signing, options).unwrap();
    let parts = GuardParts {
        store,
        keys: Arc::clone(&keys),
        log: Arc::new(log),
        clock,
        durability: Durability::Buffered,
        bounds,
        left_open: None,
    };
    (Guard::open(parts).await.unwrap(), keys)
}

async fn furnish(store: &Store, env: &EnvName, url: &str, clock: &Clock) {
    let now = clock.now();
    let description = String::new();
    let new = NewEnvironment {
        name: env.clone(),
        description,
        token_ttl_max: None,
    };
    store.environments().create(&new, now).await.unwrap();
    for who in ["service:web", "service:other"] {
        let who = NewPrincipal {
            id: principal(who),
            team: None,
            tenant: None,
        };
        store.principals().create(env, &who, now).await.unwrap();
    }
    for (name, kind) in UPSTREAMS {
        let secret = Secret::from(format!("{SECRET}-{env}-{name}"));
        let upstream = NewUpstream {
            name: UpstreamName::parse(name).unwrap(),
            kind,
            url: url.to_owned(),
            credential: Some(NewCredential::Sealed(secret)),
            settings: serde_json::Map::new(),
        };
        store.upstreams().create(env, &upstream, now).await.unwrap();
    }
    let baseline = PolicyName::parse("baseline").unwrap();
    let text = "permit (principal, action, resource);";
    store
        .policies()
        .create(env, &baseline, text, now)
        .await
        .unwrap();
}
