//! Signed notes (C2SP signed-note) with Ed25519, and the keys for them.
//!
//! A note is text that ends in a newline, an empty line, and one line a signature: an em dash, the
//! name of the key, and base64 of a four-byte key id and the signature. Lines of keys that we do
//! not know (witnesses) are passed over; a line that claims our key must be right.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The signature type of Ed25519 in key ids and encoded keys.
const ALGORITHM_ED25519: u8 = 1;
const SIGNATURE_START: &str = "\u{2014} ";

/// The key that signs checkpoints. Its name is the origin of the log.
pub struct SigningKey {
    name: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The public half of a [`SigningKey`]: all that an auditor needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    public: [u8; 32],
}

/// Why text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseKeyError {
    /// A name must not be empty and must not hold white space or `+`.
    #[error("the key name is empty or holds white space or a plus sign")]
    Name,
    /// Not of the form `name+id+key`, or not base64.
    #[error("the text is not an encoded verification key")]
    Form,
    /// The key is of another algorithm.
    #[error("the verification key is not of Ed25519")]
    Algorithm,
    /// The key id does not belong to the key: a slip of the pen, or a mix-up.
    #[error("the key id does not belong to the verification key")]
    KeyId,
}

/// Why a note was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The text is not a signed note.
    #[error("the text is not a signed note")]
    Form,
    /// No signature of the given key is on it.
    #[error("the note is not signed by {0}")]
    NotSigned(String),
    /// The signature of the given key is wrong.
    #[error("the signature of {0} on the note is wrong")]
    WrongSignature(String),
}

impl SigningKey {
    /// Makes the key from its 32 secret bytes.
    ///
    /// # Errors
    /// When the name cannot be the name of a key.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, ParseKeyError> {
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| ParseKeyError::Form)?;
        Ok(Self {
            name: name.to_owned(),
            pair,
        })
    }

    /// The name of the key, which is the origin of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut public = [0_u8; 32];
        public.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey {
            name: self.name.clone(),
            public,
        }
    }

    /// Signs `text`, which ends in a newline and holds no empty line at its end.
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = self.verifying_key().key_id().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!(
            "{text}\n{SIGNATURE_START}{} {}\n",
            self.name,
            STANDARD.encode(signature)
        )
    }
}

impl VerifyingKey {
    /// Reads the encoded form `name+id+key` (C2SP signed-note).
    ///
    /// # Errors
    /// When the text is of another form, or the id does not belong to the key.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ParseKeyError::Form);
        };
        check_name(name)?;
        let key = STANDARD.decode(key).map_err(|_| ParseKeyError::Form)?;
        let (&algorithm, public) = key.split_first().ok_or(ParseKeyError::Form)?;
        if algorithm != ALGORITHM_ED25519 {
            return Err(ParseKeyError::Algorithm);
        }
        let public = public.try_into().map_err(|_| ParseKeyError::Form)?;
        let parsed = Self {
            name: name.to_owned(),
            public,
        };
        if hex(&parsed.key_id()) == id {
            Ok(parsed)
        } else {
            Err(ParseKeyError::KeyId)
        }
    }

    /// The name of the key, which is the origin of its log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a signed note and gives its text, newline at the end included.
    ///
    /// # Errors
    /// When the text is no note, or not rightly signed by this key.
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        if text.len() < 2 || !signatures.ends_with('\n') || has_control_characters(note) {
            return Err(NoteError::Form);
        }
        let mut signed = false;
        for line in signatures.lines() {
            signed |= self.check_line(text, line)?;
        }
        if signed {
            Ok(text)
        } else {
            Err(NoteError::NotSigned(self.name.clone()))
        }
    }

    /// Whether `line` is this key's signature of `text`; a wrong one is an error.
    fn check_line(&self, text: &str, line: &str) -> Result<bool, NoteError> {
        let line = line.strip_prefix(SIGNATURE_START).ok_or(NoteError::Form)?;
        let (name, signature) = line.split_once(' ').ok_or(NoteError::Form)?;
        let signature = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
        let (id, signature) = signature.split_at_checked(4).ok_or(NoteError::Form)?;
        if name != self.name || id != self.key_id() {
            return Ok(false);
        }
        UnparsedPublicKey::new(&ED25519, self.public)
            .verify(text.as_bytes(), signature)
            .map(|()| true)
            .map_err(|_| NoteError::WrongSignature(self.name.clone()))
    }

    fn key_id(&self) -> [u8; 4] {
        let mut input = self.name.clone().into_bytes();
        input.extend_from_slice(&[b'\n', ALGORITHM_ED25519]);
        input.extend_from_slice(&self.public);
        let hash = digest(&SHA256, &input);
        let mut id = [0_u8; 4];
        id.copy_from_slice(&hash.as_ref()[..4]);
        id
    }
}

impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ALGORITHM_ED25519];
        key.extend_from_slice(&self.public);
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex(&self.key_id()),
            STANDARD.encode(key)
        )
    }
}

fn check_name(name: &str) -> Result<(), ParseKeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) {
        Err(ParseKeyError::Name)
    } else {
        Ok(())
    }
}

fn has_control_characters(note: &str) -> bool {
    note.chars().any(|c| c < ' ' && c != '\n')
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            write!(out, "{byte:02x}").expect("writing to a string cannot fail");
            out
        })
}

/// Reads what [`hex`] wrote.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0_u8; N];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the format's documentation: key and note made by the Go implementation.
    const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_of_another_implementation_opens() {
        // Goal: our notes are the world's notes. Method: open the published Go example, then damage
        // it.
        let key = VerifyingKey::parse(GO_VKEY).expect("the example key parses");
        assert_eq!(key.to_string(), GO_VKEY);
        assert!(
            key.open(GO_NOTE)
                .expect("the example opens")
                .starts_with("If you think")
        );
        let damaged = GO_NOTE.replace("think", "thinK");
        assert_eq!(
            key.open(&damaged),
            Err(NoteError::WrongSignature("PeterNeumann".into()))
        );
    }

    #[test]
    fn sign_and_open_agree() {
        let signing = SigningKey::from_seed("example.org/log", &[7; 32]).expect("a good name");
        let key = VerifyingKey::parse(&signing.verifying_key().to_string()).expect("own form");
        let note = signing.sign("one\ntwo\n");
        assert_eq!(key.open(&note), Ok("one\ntwo\n"));
        let other = SigningKey::from_seed("example.org/log", &[8; 32]).expect("a good name");
        assert!(matches!(
            other.verifying_key().open(&note),
            Err(NoteError::NotSigned(_))
        ));
    }

    #[test]
    fn what_is_no_note_or_key_is_refused() {
        let signing = SigningKey::from_seed("log", &[7; 32]).expect("a good name");
        let key = signing.verifying_key();
        for text in [
            "",
            "\n",
            "\n\n",
            "a\n\n",
            "a\n\nb\n",
            "a\n\n\u{2014} log AAAA\n x",
        ] {
            assert!(key.open(text).is_err(), "{text:?}");
        }
        for text in ["", "a+b", "a+00000000+AQ==", "a b+00000000+AQ=="] {
            assert!(VerifyingKey::parse(text).is_err(), "{text:?}");
        }
        assert!(SigningKey::from_seed("a b", &[0; 32]).is_err());
        assert_eq!(unhex::<2>("0a+f"), None);
        assert_eq!(unhex::<2>("0aff"), Some([10, 255]));
    }
}
