//! The key under which values are hashed, and the texts that scope it.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
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

/// Characters of a hash in a label: what tells the value, and the tag behind it.
pub(super) const HASH_CHARS: usize = VALUE_CHARS + TAG_CHARS;

/// Characters that tell the value: 50 bits, so that two values of one environment do not meet.
const VALUE_CHARS: usize = 10;

/// Characters that prove that the label was made under the key: 30 bits, so that nobody hits on
/// them.
const TAG_CHARS: usize = 6;

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
        let parts = ["hash", &self.environment, &class.to_string(), value];
        self.tagged(class, self.sign(&parts, VALUE_CHARS))
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
        let parts = [
            "pseudonym",
            scope.as_str(),
            &self.environment,
            name,
            &class.to_string(),
            value,
        ];
        self.tagged(class, self.sign(&parts, VALUE_CHARS))
    }

    /// Whether the hash in a label was made under this key, for any value.
    pub(super) fn made(&self, label: &str, hash: &str) -> bool {
        let Some((value, tag)) = hash.split_at_checked(VALUE_CHARS) else {
            return false;
        };
        let known = self.tag(label, value);
        verify_slices_are_equal(known.as_bytes(), tag.as_bytes()).is_ok()
    }

    fn tagged(&self, class: &DataClass, value: String) -> String {
        let tag = self.tag(&class.label(), &value);
        value + &tag
    }

    fn tag(&self, label: &str, value: &str) -> String {
        self.sign(&["label", &self.environment, label, value], TAG_CHARS)
    }

    /// So many characters of the parts' signature, twelve at most.
    fn sign(&self, parts: &[&str], chars: usize) -> String {
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
        (0..chars)
            .map(|index| char::from(BASE32[(bits >> (5 * index) & 31) as usize]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use postern_types::BuiltinClass;

    use super::*;

    #[test]
    fn only_what_was_made_under_the_key_proves_it() {
        let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
        let phone = DataClass::Builtin(BuiltinClass::Phone);
        let hash = keys.hash(&phone, "+4512345678");
        let scoped = keys.scoped(PseudonymScope::Request, &phone, "+4512345678");
        assert_eq!(hash.len(), HASH_CHARS);
        assert!(keys.made("PHONE", &hash) && keys.made("PHONE", &scoped));
        assert!(!keys.made("CARD", &hash) && !keys.made("PHONE", &hash[1..]));
        assert!(!keys.made("PHONE", &format!("5553452345{}", &hash[10..])));
        for (key, environment) in [([8; 32], "prod"), ([7; 32], "dev")] {
            let other = MaskKeys::new(&key, environment, "token", "request");
            assert!(!other.made("PHONE", &hash));
        }
        let elsewhere = MaskKeys::new(&[7; 32], "prod", "other", "other");
        assert!(elsewhere.made("PHONE", &scoped), "whoever it is for");
    }
}
