//! The key under which values are hashed, and the texts that scope it.

use std::fmt;

use aws_lc_rs::hmac;
use postern_types::{DataClass, PseudonymScope};

/// The masking key of an environment with the names of the scopes at hand. It never leaves the
/// process, and no value can be told from a label without it.
#[derive(Clone)]
pub struct MaskKeys {
    key: hmac::Key,
    environment: String,
    token: String,
    request: String,
    conversation: Option<String>,
}

impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskKeys").finish_non_exhaustive()
    }
}

/// Letters of lower-case base32 (RFC 4648), of which labels are made.
pub(super) const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of a hash in a label: 50 bits, so that two values of one environment do not meet.
pub(super) const HASH_CHARS: usize = 10;

impl MaskKeys {
    /// The keys of one request: the environment's key, and what names the environment, the token
    /// and the request.
    #[must_use]
    pub fn new(key: &[u8; 32], environment: &str, token: &str, request: &str) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            environment: environment.to_owned(),
            token: token.to_owned(),
            request: request.to_owned(),
            conversation: None,
        }
    }

    /// With what names the conversation. Without it, a conversation is the one request.
    #[must_use]
    pub fn with_conversation(mut self, conversation: &str) -> Self {
        self.conversation = Some(conversation.to_owned());
        self
    }

    /// The label's hash of a value in the whole environment.
    pub(super) fn hash(&self, class: &DataClass, value: &str) -> String {
        self.sign(&["hash", &self.environment, &class.to_string(), value])
    }

    /// The placeholder's hash of a value within a scope. A token's and a conversation's names are
    /// unique within an environment only, so the environment is part of each.
    pub(super) fn scoped(&self, scope: PseudonymScope, class: &DataClass, value: &str) -> String {
        let name = match scope {
            PseudonymScope::Request => &self.request,
            PseudonymScope::Conversation => self.conversation.as_ref().unwrap_or(&self.request),
            PseudonymScope::Token => &self.token,
            PseudonymScope::Environment => &self.environment,
        };
        let class = class.to_string();
        self.sign(&[
            "pseudonym",
            scope.as_str(),
            &self.environment,
            name,
            &class,
            value,
        ])
    }

    fn sign(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            // Lengths first: no two lists of parts are the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let mut bits = 0_u64;
        for byte in &tag.as_ref()[..8] {
            bits = bits << 8 | u64::from(*byte);
        }
        (0..HASH_CHARS)
            .map(|index| char::from(BASE32[(bits >> (5 * index) & 31) as usize]))
            .collect()
    }
}
