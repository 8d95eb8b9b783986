//! What principals made behind the shared provider credential.
//!
//! A provider keeps responses, files and caches under *its* account, which all tokens of an
//! upstream share. So an id opens something only for the principal that made it, and an id that
//! nobody here made opens nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use postern_store::{Made, PrincipalKey, Store, StoreError, UpstreamId};
use postern_types::{OwnedId, OwnedKind, Refusal, RefusalCode};
use quick_cache::sync::Cache;
use tokio::sync::mpsc;

use crate::authenticate::Caller;
use crate::world::Upstream;

/// Ids longer than this are refused: no provider makes them.
const ID_BYTES_MAX: usize = 512;

/// Where an id is known: the upstream (unique over all environments) and the id with its kind.
type OwnedKey = (UpstreamId, OwnedId);

/// The owners of provider objects: in memory at once, in the store soon after.
pub(crate) struct Owned {
    recent: Cache<OwnedKey, PrincipalKey>,
    /// Which conversation an answer belongs to. In memory only: where it was forgotten, another
    /// conversation begins.
    conversations: Cache<OwnedKey, Arc<str>>,
    to_store: mpsc::Sender<Made>,
}

impl Owned {
    pub(crate) fn new(recent_max: usize) -> (Self, mpsc::Receiver<Made>) {
        let (to_store, newly) = mpsc::channel(1_024);
        (
            Self {
                recent: Cache::new(recent_max),
                conversations: Cache::new(recent_max),
                to_store,
            },
            newly,
        )
    }

    /// Remembers who made an id, before the client can know it. When the queue to the store is full
    /// the id is known to this process only, and opens nothing after a restart: closed, not open.
    pub(crate) fn remember(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        id: OwnedId,
        now: Timestamp,
    ) {
        if id.id.len() > ID_BYTES_MAX {
            return;
        }
        let owner = caller.live.principal_key;
        self.recent.insert((upstream.row.id, id.clone()), owner);
        let newly = Made {
            upstream: upstream.row.id,
            what: id,
            by: owner,
            at: now,
        };
        if self.to_store.try_send(newly).is_err() {
            tracing::warn!("an id of a provider object is kept in memory only: the queue is full");
        }
    }

    /// Remembers which conversation an answer belongs to.
    pub(crate) fn join(&self, upstream: &Upstream, answer: &OwnedId, conversation: &Arc<str>) {
        if answer.kind == OwnedKind::Response && answer.id.len() <= ID_BYTES_MAX {
            let key = (upstream.row.id, answer.clone());
            self.conversations.insert(key, Arc::clone(conversation));
        }
    }

    /// The conversation that an answer belongs to, if it is known.
    pub(crate) fn conversation(&self, upstream: &Upstream, answer: &OwnedId) -> Option<Arc<str>> {
        self.conversations.get(&(upstream.row.id, answer.clone()))
    }

    /// Lets a request refer to what its principal made, and to nothing else.
    pub(crate) async fn check(
        &self,
        store: &Store,
        caller: &Caller,
        upstream: &Upstream,
        references: &[OwnedId],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        for reference in references {
            let key = (upstream.row.id, reference.clone());
            let owner = match self.recent.get(&key) {
                Some(owner) => Some(owner),
                // Boxed: few requests refer to anything.
                None => Box::pin(look_up(store, upstream.row.id, reference, now))
                    .await
                    .map_err(|error| {
                        Refusal::new(RefusalCode::StoreUnavailable, error.to_string())
                    })?,
            };
            if owner != Some(caller.live.principal_key) {
                let mut hasher = DefaultHasher::new();
                reference.id.hash(&mut hasher);
                // The id may be another principal's: it does not belong into the diagnostic log.
                let cause = format!(
                    "the {} it refers to (id hash {:016x}) was not made by this principal",
                    reference.kind.as_str(),
                    hasher.finish()
                );
                return Err(Refusal::new(RefusalCode::Denied, cause));
            }
        }
        Ok(())
    }
}

async fn look_up(
    store: &Store,
    upstream: UpstreamId,
    id: &OwnedId,
    now: Timestamp,
) -> Result<Option<PrincipalKey>, StoreError> {
    if id.id.len() > ID_BYTES_MAX {
        return Ok(None);
    }
    store.owned().owner_of(upstream, id, now).await
}
