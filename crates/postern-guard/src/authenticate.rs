//! *authenticate*: who presents this token?
//!
//! SECURITY: unknown, wrong, expired and revoked tokens are told apart only in the cause, which
//! stays inside. An unknown id costs the same HMAC and comparison as a wrong secret.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use postern_store::{Rehash, SecretRow};
use postern_types::{ApiToken, Refusal, RefusalCode, Subject, TokenDigest, TokenId, TokenKind};

use crate::Guard;
use crate::bodies::BodyRoom;
use crate::ending::{EndStream, StreamEnded, StreamHandle};
use crate::tokens::LiveToken;
use crate::world::{Environment, Upstream};

/// Proof that a valid token was presented, with the environment it opens as it is now.
#[derive(Clone)]
pub struct Caller {
    pub(crate) live: Arc<LiveToken>,
    pub(crate) environment: Arc<Environment>,
    pub(crate) secret: u32,
    ends_at: Timestamp,
}

impl Caller {
    /// Who asks.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.live.subject
    }

    /// When the presented secret stops being valid; a stream does not outlive it.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// Does `work` unless the token ends first: `None` when it did, and then
    /// [`Caller::ended`] says how.
    pub async fn unless_ended<T>(
        &self,
        work: std::pin::Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> Option<T> {
        self.live.ending.unless_over(work).await
    }

    /// How the token ended, once it did.
    #[must_use]
    pub fn ended(&self) -> Option<postern_types::End> {
        self.live.ending.ended()
    }

    /// Registers a running stream, so that revoking the token ends it at once.
    ///
    /// # Errors
    /// When the token ended already.
    pub fn register(
        &self,
        stream: std::sync::Weak<dyn EndStream>,
    ) -> Result<StreamHandle, StreamEnded> {
        self.live.ending.register(stream)
    }

    /// Room in memory for the body of one request, of which nothing has come yet.
    #[must_use]
    pub fn body_room(&self) -> BodyRoom {
        self.live.bodies.body()
    }

    /// The upstream of this name in the token's environment. Names never resolve elsewhere.
    ///
    /// # Errors
    /// `unknown_upstream`.
    pub fn upstream(&self, name: &str) -> Result<Arc<Upstream>, Refusal> {
        let found = self.environment.upstreams.get(name).cloned();
        found.ok_or_else(|| {
            let cause = format!("environment {} has no such upstream", self.environment.name);
            Refusal::new(RefusalCode::UnknownUpstream, cause)
        })
    }

    /// Whether a rule of the token asks about the JSON body of this request, so that it must be
    /// read whole.
    #[must_use]
    pub fn needs_json_body(
        &self,
        upstream: &Upstream,
        method: &str,
        path: &postern_types::CanonicalPath,
    ) -> bool {
        self.live
            .grants
            .needs_json_body(&upstream.row.name, method, path)
    }
}

/// Why nobody was authenticated; for the operator only.
fn unauthenticated(cause: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Unauthenticated, cause)
}

/// A digest that no token has, to compare with where there is nothing to compare with.
const NOBODY: [u8; 32] = [0; 32];

impl Guard {
    /// Finds out who presents a credential.
    pub(crate) async fn caller(
        &self,
        presented: Option<&str>,
        now: Timestamp,
        now_us: u64,
    ) -> Result<Caller, Refusal> {
        let text = presented.ok_or_else(|| unauthenticated("no credential was presented"))?;
        let token = ApiToken::parse(text).map_err(|error| unauthenticated(error.to_string()))?;
        if token.kind() != TokenKind::Server {
            return Err(unauthenticated(
                "an administrator's token does not open the data plane",
            ));
        }
        let world = self.world.load();
        let environment = world.environments.get(token.env()).cloned();
        let Some(environment) = environment else {
            return Err(unauthenticated(
                "the token's environment is not served here",
            ));
        };
        let live = self
            .tokens
            .find(&self.store, &self.world, token.id(), now_us)
            .await
            .map_err(|error| Refusal::new(RefusalCode::StoreUnavailable, error.to_string()))?;
        let Some(live) = live.filter(|live| live.subject.environment == environment.name) else {
            // SECURITY: the same work as for a known id.
            let digest = TokenDigest::compute(environment.peppers.current(), &token);
            std::hint::black_box(digest.matches(&TokenDigest::from_bytes(NOBODY)));
            return Err(unauthenticated(format!("token {} is unknown", token.id())));
        };
        // From here on the picture that the token was looked up on: it may be a moment older.
        let environment = Arc::clone(&live.environment);
        let (secret, ends_at) = judge(&environment, &live, &token, now)?;
        self.rehash_later(&environment, &live, secret, &token);
        let secret = secret.number;
        Ok(Caller {
            live: Arc::clone(&live),
            environment,
            secret,
            ends_at,
        })
    }

    /// Notes that a secret is stored under an old pepper: now that its text is here, it can be
    /// stored under the current one.
    fn rehash_later(
        &self,
        environment: &Environment,
        live: &LiveToken,
        secret: &SecretRow,
        token: &ApiToken,
    ) {
        let current = environment.peppers.current();
        if secret.pepper_version == current.version() {
            return;
        }
        let rehash = Rehash {
            old: secret.digest,
            new: TokenDigest::compute(current, token),
            new_version: current.version(),
        };
        self.rehashes
            .push(live.subject.token, secret.number, rehash);
    }

    /// Counts a failed authentication and turns it into `rate_limited` when the address failed too
    /// often. It never sees a valid token.
    pub(crate) fn failed(&self, refusal: Refusal, address: IpAddr, now_us: u64) -> Refusal {
        match self.strangers.failed(address, now_us) {
            None => refusal,
            Some(wait) => {
                let cause = format!(
                    "too many failures of this address; the last: {}",
                    refusal.cause()
                );
                Refusal::new(RefusalCode::RateLimited, cause).retry_after(wait)
            }
        }
    }
}

/// Compares the secret and judges the token's state; gives the secret and the time of its end.
fn judge<'a>(
    environment: &Environment,
    live: &'a LiveToken,
    token: &ApiToken,
    now: Timestamp,
) -> Result<(&'a SecretRow, Timestamp), Refusal> {
    let id: TokenId = token.id();
    let mut matched = None;
    // Both live secrets are always compared: which of them matched does not show in the time.
    for secret in &live.row.secrets {
        let Some(pepper) = environment.peppers.by_version(secret.pepper_version) else {
            tracing::error!(token = %id, version = secret.pepper_version, "pepper is missing");
            continue;
        };
        if TokenDigest::compute(pepper, token).matches(&secret.digest) {
            matched = Some(secret);
        }
    }
    let Some(secret) = matched else {
        return Err(unauthenticated(format!(
            "the secret of token {id} is wrong"
        )));
    };
    if live.row.revoked.is_some() {
        return Err(unauthenticated(format!("token {id} is revoked")));
    }
    let ends_at = secret.expires_at.min(live.row.expires_at);
    if ends_at <= now {
        return Err(unauthenticated(format!("token {id} expired at {ends_at}")));
    }
    if live.principal_disabled {
        return Err(unauthenticated(format!(
            "the principal of token {id} is disabled"
        )));
    }
    Ok((secret, ends_at))
}
