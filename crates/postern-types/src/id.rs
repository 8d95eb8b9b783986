//! Ids that the machine makes.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

use crate::token::is_base62;

/// Why an id was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{noun} is not valid: {rule}")]
pub struct ParseIdError {
    noun: &'static str,
    rule: &'static str,
}

/// The public id of a token: 16 base62 characters, safe to show and to log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct TokenId([u8; Self::LEN]);

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl TokenId {
    /// Characters in an id.
    pub const LEN: usize = 16;

    /// Parses an id.
    ///
    /// # Errors
    /// When it is not 16 base62 characters.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError {
            noun: "token id",
            rule: "16 letters and digits (the third part of a token)",
        };
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| error.clone())?;
        if bytes.iter().copied().all(is_base62) {
            Ok(Self(bytes))
        } else {
            Err(error)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("parse admits ASCII only")
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for TokenId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TokenId {
    type Error = ParseIdError;
    fn try_from(text: String) -> Result<Self, ParseIdError> {
        Self::parse(&text)
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> String {
        id.as_str().to_owned()
    }
}

/// One request's id: a UUID version 7 (RFC 9562), so that ids sort by time. It is in every answer
/// (`postern-request-id`) and in both audit records of the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Builds an id from a time in Unix milliseconds and ten random bytes.
    #[must_use]
    pub fn new(unix_ms: u64, random: &[u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid())
    }

    /// Parses the hyphenated form.
    ///
    /// # Errors
    /// When it is not a UUID.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError {
            noun: "request id",
            rule: "a UUID, as the postern-request-id header of an answer gives it",
        })
    }

    /// The time in it, in Unix milliseconds; `None` for an id that is not of this gateway's kind
    /// (RFC 9562, section 5.7).
    #[must_use]
    pub fn unix_ms(&self) -> Option<i64> {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        let ms = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        (self.0.get_version_num() == 7).then_some(ms)
    }

    /// The sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Bytes of the hyphenated form.
    pub const TEXT_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

    /// The hyphenated form, without asking for memory.
    pub fn encode(self, room: &mut [u8; Self::TEXT_BYTES]) -> &str {
        self.0.hyphenated().encode_lower(room)
    }

    /// The id back from its sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_sort_by_time_and_read_back() {
        let early = RequestId::new(1_000, &[255; 10]);
        let late = RequestId::new(1_001, &[0; 10]);
        assert!(early < late);
        assert_eq!(RequestId::parse(&late.to_string()).unwrap(), late);
        assert_eq!(RequestId::from_bytes(*late.as_bytes()), late);
    }

    #[test]
    fn token_ids_are_sixteen_base62() {
        assert!(TokenId::parse("0123456789abcdEF").is_ok());
        assert!(TokenId::parse("0123456789abcdE").is_err());
        assert!(TokenId::parse("0123456789abcdE-").is_err());
    }
}
