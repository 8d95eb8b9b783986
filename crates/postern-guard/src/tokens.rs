//! Tokens in memory: the parsed record and the compiled grants, never a verdict.
//!
//! Expiry, revocation, addresses, policies and limits are judged on each request. What is kept here
//! is dropped the moment the token changes, and a slow look-up that began before the change cannot
//! bring the old record back: it carries the generation in which it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use foldhash::HashMap;
use parking_lot::Mutex;
use postern_policy::TokenGrants;
use postern_store::{PrincipalKey, Rehash, Store, StoreError, TokenAccess, TokenRow, Touch};
use postern_types::{EnvName, Limit, Subject, TokenId};
use quick_cache::sync::Cache;

use crate::bodies::{Bodies, BodyShare};
use crate::bounds::GuardBounds;
use crate::ending::{Ending, Endings};
use crate::world::{Environment, World};

/// A token that is in use.
pub(crate) struct LiveToken {
    pub(crate) row: TokenRow,
    pub(crate) limits: Vec<Limit>,
    pub(crate) subject: Subject,
    pub(crate) principal_key: PrincipalKey,
    /// Whether the principal may act at all.
    pub(crate) principal_disabled: bool,
    /// The environment as it was when the token was looked up.
    pub(crate) environment: Arc<Environment>,
    /// What was granted of the upstreams of that environment. INVARIANT: it is judged with no other
    /// picture of it, in which a name may mean another upstream.
    pub(crate) grants: TokenGrants,
    pub(crate) ending: Arc<Ending>,
    pub(crate) bodies: Arc<BodyShare>,
}

/// The tokens in memory.
pub(crate) struct Tokens {
    live: Cache<TokenId, Arc<LiveToken>>,
    unknown: Cache<TokenId, u64>,
    unknown_life_us: u64,
    generation: AtomicU64,
    /// Held while a record is put in or taken out, so that the generation is judged in one piece.
    changing: Mutex<()>,
    pub(crate) endings: Endings,
    pub(crate) bodies: Bodies,
}

/// Why a token cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookUpError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the grants of token {0} cannot be compiled: {1}")]
    Grants(TokenId, String),
    #[error("the token changed again and again while it was looked up")]
    Restless,
}

impl Tokens {
    pub(crate) fn new(bounds: &GuardBounds) -> Self {
        let life = bounds.unknown_id_life.as_micros();
        Self {
            live: Cache::new(bounds.tokens_cached_max),
            unknown: Cache::new(bounds.unknown_ids_max),
            unknown_life_us: u64::try_from(life).unwrap_or(u64::MAX),
            generation: AtomicU64::new(0),
            changing: Mutex::new(()),
            endings: Endings::default(),
            bodies: Bodies::new(bounds.body_bytes_max),
        }
    }

    /// The token of an id, from memory or from the store.
    pub(crate) async fn find(
        &self,
        store: &Store,
        world: &ArcSwap<World>,
        id: TokenId,
        now_us: u64,
    ) -> Result<Option<Arc<LiveToken>>, LookUpError> {
        // A token may live on when what ran under it is ended: rotated without a grace. Who looked
        // it up just before holds what is ended then, and must not leave it to those after it.
        if let Some(live) = self.live.get(&id).filter(|live| !live.ending.is_over()) {
            return Ok(Some(live));
        }
        if self.unknown.get(&id).is_some_and(|until| now_us < until) {
            return Ok(None);
        }
        // A change during the look-up makes its result worthless: look again, a few times. The
        // generation is read before the world: who sees the new one sees the new world too.
        for _ in 0..8 {
            let generation = self.generation.load(Ordering::Acquire);
            // Boxed: a look-up takes room that most requests do not need.
            let found = Box::pin(self.load(store, &world.load_full(), id)).await?;
            let _changing = self.changing.lock();
            if self.generation.load(Ordering::Acquire) != generation {
                continue;
            }
            return Ok(match found {
                Some(live) => {
                    let live = Arc::new(live);
                    self.live.insert(id, Arc::clone(&live));
                    Some(live)
                }
                None => {
                    self.unknown
                        .insert(id, now_us.saturating_add(self.unknown_life_us));
                    None
                }
            });
        }
        Err(LookUpError::Restless)
    }

    async fn load(
        &self,
        store: &Store,
        world: &World,
        id: TokenId,
    ) -> Result<Option<LiveToken>, LookUpError> {
        let Some(row) = store.tokens().by_id(&id).await? else {
            return Ok(None);
        };
        let TokenAccess::Data(access) = &row.access else {
            return Ok(None);
        };
        let Some(environment) = world.environments.get(&access.env) else {
            return Ok(None);
        };
        let Some(principal) = store
            .principals()
            .find(&access.env, &access.principal)
            .await?
        else {
            return Ok(None);
        };
        // A principal that was deleted and made again under its name is another one.
        if principal.key != access.principal_key {
            return Ok(None);
        }
        let grants = access.grants_on(&environment.rows());
        let grants = TokenGrants::compile(&access.env, &grants)
            .map_err(|error| LookUpError::Grants(id, error.to_string()))?;
        let ending = self.endings.of(id, &access.env, &access.principal);
        let subject = Subject {
            environment: access.env.clone(),
            token: id,
            issued_at: row.created_at,
            principal: principal.principal,
        };
        Ok(Some(LiveToken {
            limits: access.limits.clone(),
            principal_key: access.principal_key,
            principal_disabled: principal.disabled,
            row,
            subject,
            environment: Arc::clone(environment),
            grants,
            ending,
            bodies: self.bodies.of(id),
        }))
    }

    /// Forgets one token: the next request sees the store.
    pub(crate) fn forget(&self, id: TokenId) {
        let _changing = self.changing.lock();
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.live.remove(&id);
        self.unknown.remove(&id);
    }

    /// Forgets all tokens of an environment.
    pub(crate) fn forget_environment(&self, environment: &EnvName) {
        let _changing = self.changing.lock();
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.live
            .retain(|_, live| live.subject.environment != *environment);
    }

    pub(crate) fn cached(&self) -> usize {
        self.live.len()
    }
}

/// Last uses that were not yet written to the store: the newest per token and secret.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<HashMap<(TokenId, u32), jiff::Timestamp>>);

impl LastUsed {
    pub(crate) fn touch(&self, token: TokenId, secret: u32, now: jiff::Timestamp) {
        self.0.lock().insert((token, secret), now);
    }

    pub(crate) fn take(&self) -> Vec<Touch> {
        let used = std::mem::take(&mut *self.0.lock());
        used.into_iter()
            .map(|((token, secret), at)| Touch { token, secret, at })
            .collect()
    }
}

/// Secrets to be stored under the current pepper. Bounded: what finds no room is noted again at its
/// next use.
#[derive(Default)]
pub(crate) struct Rehashes(Mutex<HashMap<(TokenId, u32), Rehash>>);

/// Secrets waiting for the next round of housekeeping.
const REHASHES_MAX: usize = 1_024;

impl Rehashes {
    pub(crate) fn push(&self, token: TokenId, secret: u32, rehash: Rehash) {
        let mut waiting = self.0.lock();
        if waiting.len() < REHASHES_MAX {
            waiting.insert((token, secret), rehash);
        }
    }

    pub(crate) fn take(&self) -> HashMap<(TokenId, u32), Rehash> {
        std::mem::take(&mut *self.0.lock())
    }
}

#[cfg(test)]
mod tests;
