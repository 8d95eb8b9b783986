//! Tokens: issued, listed, rotated, revoked.
//!
//! A token is one logical credential with at most two live secrets, of which only digests are
//! kept. Its life is finite from the first moment, and nothing makes it longer. Each change raises
//! its version, so that a copy in memory is replaced by a newer one only.
//!
//! Recording a use or re-hashing a digest is no change of the token: neither raises the version.

mod create;
mod list;
mod revoke;
mod rotate;
mod row;
mod stored;

use std::time::Duration;

use jiff::Timestamp;
use postern_types::{
    ApiToken, EnvName, Grant, Limit, PrincipalId, TokenDigest, TokenId, TokenKind,
};

use crate::Store;
use crate::bounds::{GRACE_DEFAULT, PAGE_ROWS_MAX};

pub use row::{
    AdminAccess, AdminRole, BoundGrant, DataAccess, RevokedRow, SecretRow, TokenAccess, TokenRow,
    TokenState,
};

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it opens.
    pub access: NewAccess,
    /// How long it lives; `None` for the default, 90 days or the environment's cap if that is less.
    pub ttl: Option<Duration>,
    /// Who answers for it, in words.
    pub owner: Option<String>,
    /// What it is for, in words.
    pub purpose: Option<String>,
    /// Which administrator asked for it.
    pub created_by: String,
    /// A text that the caller repeats when it tries again, so that a retry makes no second token.
    pub idempotency_key: Option<String>,
}

/// What a token to make opens.
#[derive(Debug, Clone)]
pub enum NewAccess {
    /// The data plane of one environment.
    Data {
        /// The environment.
        env: EnvName,
        /// Who it speaks for.
        principal: PrincipalId,
        /// What it may reach. Bound, here and now, to the upstreams of these names.
        grants: Vec<Grant>,
        /// What it may use up.
        limits: Vec<Limit>,
    },
    /// The admin API.
    Admin {
        /// What its holder may do there.
        role: AdminRole,
        /// The only environment it reaches; `None` for the whole installation.
        env: Option<EnvName>,
    },
}

/// A token just made. The only time that its secret is seen.
#[derive(Debug)]
pub struct Issued {
    /// The token, to be shown once.
    pub token: ApiToken,
    /// As stored.
    pub row: TokenRow,
}

/// How a token is to be rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// How long the secret in use lives on; zero after a compromise. Never beyond the token's end.
    pub grace: Duration,
    /// A text that the caller repeats when it tries again.
    pub idempotency_key: Option<String>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            grace: GRACE_DEFAULT,
            idempotency_key: None,
        }
    }
}

/// Who revokes a token, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which administrator.
    pub by: String,
    /// Why, in words.
    pub reason: Option<String>,
}

/// Which tokens to list. Empty lists all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenFilter {
    /// Of this environment (for administrators: with this scope).
    pub env: Option<EnvName>,
    /// Of this principal; asks for an environment too.
    pub principal: Option<PrincipalId>,
    /// In this state.
    pub state: Option<TokenState>,
    /// Of this kind.
    pub kind: Option<TokenKind>,
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// After this token of the page before.
    pub after: Option<TokenId>,
    /// So many rows, 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: PAGE_ROWS_MAX / 10,
        }
    }
}

/// Tokens of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TokenPage {
    /// The tokens, newest first.
    pub rows: Vec<TokenRow>,
    /// Where the next page starts, if there is one.
    pub next: Option<TokenId>,
}

/// A use of a token's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// The token.
    pub token: TokenId,
    /// The number of its secret.
    pub secret: u32,
    /// When.
    pub at: Timestamp,
}

/// A digest under the current pepper in the place of one under an older pepper.
#[derive(Debug, Clone, Copy)]
pub struct Rehash {
    /// The digest that is stored.
    pub old: TokenDigest,
    /// The same token's digest under the current pepper.
    pub new: TokenDigest,
    /// The current pepper's version.
    pub new_version: u32,
}

/// The operations on tokens.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    store: &'a Store,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }
}

fn missing(id: &TokenId) -> crate::StoreError {
    crate::StoreError::not_found("token", id)
}
