//! What do we remember? Environments, principals, upstreams, policies, data rules, tokens, who owns
//! what at a provider, and what placeholders stand for; and the keys that protect it.
//!
//! The store decides nothing about requests and shows no SQL type. One noun is one file and one
//! group of functions: `store.tokens()`, `store.upstreams()` … Times are arguments, randomness is a
//! [`Random`], keys are a [`KeyRing`] that lives apart from the data. Token secrets are kept only
//! as digests under a pepper of the ring; upstream credentials are sealed under a key of the ring,
//! bound to the place they stand in and to the server they are for.
//!
//! SQLite is the store of one node: a write-ahead log, one connection that writes and a few that
//! read. Each change is one transaction, on disk before it is acknowledged, and raises the store's
//! revision. What may be lost in a power cut without harm (last uses, ownership of objects at a
//! provider, placeholders: their loss closes, never opens) waits for no disk.
//!
//! Names of people, words about tokens, data rules and the grants themselves are sealed in one
//! record a row, bound to the columns beside it: the file tells nothing about people, and a row
//! that was changed by hand is refused.
//!
//! KNOWN GAP: names and addresses of upstreams, policies, and descriptions of environments stand in
//! the clear and can be changed by whoever can write to the file; so can a whole older copy of a
//! token's rows, of its placeholders or of a data rule be put back, and a data rule be taken out.
//!
//! ```
//! use std::sync::Arc;
//! use postern_store::{KeyRing, NewEnvironment, Store, StoreUrl, SystemRandom};
//! use postern_types::EnvName;
//!
//! # let folder = tempfile::tempdir()?;
//! # let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let now = "2026-01-01T00:00:00Z".parse()?;
//! let random = Arc::new(SystemRandom::new());
//! let keys = Arc::new(KeyRing::create(&keys, &data, &*random)?);
//! let store = Store::create(&StoreUrl::in_data_dir(&data), keys, random, now).await?;
//! let dev = NewEnvironment::named(EnvName::parse("dev")?);
//! store.environments().create(&dev, now).await?;
//! assert_eq!(store.environments().list().await?.len(), 1);
//! # store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bounds;
mod credential;
mod data_rules;
mod database;
mod environments;
mod error;
mod keys;
mod owned;
mod policies;
mod principals;
mod pseudonyms;
mod random;
mod record;
mod schema;
mod seal;
mod store;
mod tokens;
mod upstreams;

pub use credential::{CredentialRef, CredentialSource, NewCredential};
pub use data_rules::{DataRuleRow, DataRules};
pub use environments::{EnvironmentRow, Environments, NewEnvironment};
pub use error::StoreError;
pub use keys::{INSTALLATION, KeyDomain, KeyPurpose, KeyRing, KeyRingError, Peppers, VersionedKey};
pub use owned::{Made, Owned};
pub use policies::{Policies, PolicyRow};
pub use principals::{NewPrincipal, PrincipalChange, PrincipalKey, PrincipalRow, Principals};
pub use pseudonyms::{KeptRow, Pseudonyms};
pub use random::{Random, RandomError, SystemRandom};
pub use store::{OpenStoreError, Store, StoreUrl};
pub use tokens::{
    AdminAccess, AdminRole, BoundGrant, DataAccess, Issued, NewAccess, NewToken, Page, Rehash,
    Revocation, RevokedRow, Rotation, SecretRow, TokenAccess, TokenFilter, TokenPage, TokenRow,
    TokenState, Tokens, Touch,
};
pub use upstreams::{
    NewUpstream, UpstreamChange, UpstreamId, UpstreamRow, UpstreamSettings, Upstreams,
};
