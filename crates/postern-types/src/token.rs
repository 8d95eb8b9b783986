//! The API token: its text, its public id, its digest.
//!
//! Layout: `pstn_<kind><v>_<env>_<id16>_<secret43><crc6>`, letters, digits and `_` only. The
//! checksum is an unkeyed CRC-32 over everything before it, so that a scanner can tell a token from
//! noise without asking anybody. The store keeps only an HMAC of the whole text under a pepper that
//! lives elsewhere.
//!
//! SECURITY: never change the prefix or the layout of existing kinds. Scanners, log redactors and
//! people's own rules match on them; a new layout takes a new format digit.

mod base62;

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

pub(crate) use base62::is_base62;

use crate::{EnvName, Secret, TokenId};

const BRAND: &str = "pstn";
const FORMAT_VERSION: char = '1';
const SECRET_LEN: usize = 43;
const CHECK_LEN: usize = 6;
/// The longest token text: brand, kind and digit, environment, id, secret, check, separators.
const TEXT_LEN_MAX: usize = 4 + 1 + 4 + 1 + 16 + 1 + 16 + 1 + SECRET_LEN + CHECK_LEN;

/// What a token is for; visible in its text, so that incident triage can be done by eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// `sk`: a server-side token for the data plane.
    Server,
    /// `ad`: an administrator's token for the admin API; the data plane never accepts it.
    Admin,
}

impl TokenKind {
    /// The two or three letters in the token's text.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Server => "sk",
            Self::Admin => "ad",
        }
    }
}

/// Why a text is not a token. Never shown to a stranger; the outside sees `unauthenticated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseTokenError {
    /// It does not have the shape of a token.
    #[error("the text does not have the shape of a Postern token")]
    Shape,
    /// The kind or format digit is not one that this release knows.
    #[error("the token is of a kind that this release does not serve")]
    Kind,
    /// The checksum is wrong: a typing error or a cut copy.
    #[error("the token's checksum does not match: it was mistyped or cut off")]
    Checksum,
}

/// A whole token, secret included. Wiped when dropped; `Debug` shows the id only.
#[derive(Clone)]
pub struct ApiToken {
    text: Zeroizing<String>,
    kind: TokenKind,
    env: EnvName,
    id: TokenId,
}

impl ApiToken {
    /// Makes a token from random bytes: 12 for the public id, 32 for the secret.
    #[must_use]
    pub fn mint(kind: TokenKind, env: &EnvName, id: &[u8; 12], secret: &[u8; 32]) -> Self {
        let id = base62::encode_fixed(id, TokenId::LEN);
        let id = TokenId::parse(&id).expect("encode_fixed gives base62 of the asked length");
        Self::mint_for(kind, env, id, secret)
    }

    /// Makes a token with a new secret for an id that exists: a rotation.
    #[must_use]
    pub fn mint_for(kind: TokenKind, env: &EnvName, id: TokenId, secret: &[u8; 32]) -> Self {
        let secret = Zeroizing::new(base62::encode_fixed(secret, SECRET_LEN));
        let code = kind.code();
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LEN_MAX));
        for part in [
            BRAND,
            "_",
            code,
            "1",
            "_",
            env.as_str(),
            "_",
            id.as_str(),
            "_",
            &secret,
        ] {
            text.push_str(part);
        }
        let check = checksum(&text);
        text.extend(check.map(char::from));
        Self {
            text,
            kind,
            env: env.clone(),
            id,
        }
    }

    /// Parses a token and checks its checksum. No look-up is needed for this.
    ///
    /// # Errors
    /// When the shape, the kind or the checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, ParseTokenError> {
        let shape = ParseTokenError::Shape;
        if text.len() > TEXT_LEN_MAX || !text.is_ascii() {
            return Err(shape);
        }
        let mut rest = Some(text);
        let mut next = || {
            let parts = rest.ok_or(shape)?;
            let end = parts.bytes().position(|byte| byte == b'_');
            rest = end.map(|end| &parts[end + 1..]);
            Ok::<_, ParseTokenError>(&parts[..end.unwrap_or(parts.len())])
        };
        let (brand, kind, env, id, tail) = (next()?, next()?, next()?, next()?, next()?);
        if rest.is_some() || brand != BRAND || tail.len() != SECRET_LEN + CHECK_LEN {
            return Err(shape);
        }
        let kind = parse_kind(kind)?;
        let env = EnvName::parse(env).map_err(|_| shape)?;
        let id = TokenId::parse(id).map_err(|_| shape)?;
        let (body, check) = text.split_at(text.len() - CHECK_LEN);
        if checksum(body) != check.as_bytes() {
            return Err(ParseTokenError::Checksum);
        }
        if !base62::fits_32_bytes(&tail[..SECRET_LEN]) {
            return Err(shape);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            kind,
            env,
            id,
        })
    }

    /// The public id: the handle in every log.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// What the token is for.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The environment named in the text. It is checked before any look-up.
    #[must_use]
    pub fn env(&self) -> &EnvName {
        &self.env
    }

    /// The whole text, secret included: for showing it once and for computing its digest.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The last four characters, kept for recognising a token by eye.
    #[must_use]
    pub fn last_four(&self) -> &str {
        &self.text[self.text.len() - 4..]
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiToken({}, secret redacted)", self.id)
    }
}

fn parse_kind(text: &str) -> Result<TokenKind, ParseTokenError> {
    let code = text
        .strip_suffix(FORMAT_VERSION)
        .ok_or(ParseTokenError::Kind)?;
    [TokenKind::Server, TokenKind::Admin]
        .into_iter()
        .find(|kind| kind.code() == code)
        .ok_or(ParseTokenError::Kind)
}

fn checksum(body: &str) -> [u8; CHECK_LEN] {
    base62::digits(crc32fast::hash(body.as_bytes()))
}

/// Whether a text starts like one of our tokens, valid or not: used to keep tokens out of places
/// where they do not belong, such as a query string.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    text.strip_prefix(BRAND)
        .is_some_and(|rest| rest.starts_with('_'))
}

/// A secret key for token digests, with the version written beside each digest.
#[derive(Clone)]
pub struct Pepper {
    version: u32,
    /// Laid out once: half the work of a short HMAC is its key. The library wipes it when dropped.
    key: hmac::Key,
}

impl Pepper {
    /// A pepper of 32 bytes or more.
    #[must_use]
    pub fn new(version: u32, secret: Secret) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        drop(secret);
        Self { version, key }
    }

    /// The version stored beside each digest made with it.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper(version {}, key redacted)", self.version)
    }
}

/// `HMAC-SHA-256(pepper, "tok" ‖ len(environment) ‖ environment ‖ token text)`: all that is stored
/// of a secret. The environment takes the place of a tenant: a digest of one environment is never
/// that of another, even if the peppers were the same by mistake.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Computes the digest of a token under a pepper.
    #[must_use]
    pub fn compute(pepper: &Pepper, token: &ApiToken) -> Self {
        let mut context = hmac::Context::with_key(&pepper.key);
        let env = token.env.as_str().as_bytes();
        context.update(b"tok");
        context
            .update(&[u8::try_from(env.len()).expect("an environment name has at most 16 bytes")]);
        context.update(env);
        context.update(token.text.as_bytes());
        let tag = context.sign();
        Self(
            tag.as_ref()
                .try_into()
                .expect("an HMAC-SHA-256 tag has 32 bytes"),
        )
    }

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest read back from the store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(redacted)")
    }
}

#[cfg(test)]
mod tests;
