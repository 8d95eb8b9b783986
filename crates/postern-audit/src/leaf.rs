//! Leaf entries: the clear bytes that the tree is made of.
//!
//! A leaf holds the header and, instead of the body, `SHA-256(salt || body)`. The salt lies in the
//! sealed body, so that after its key is gone nobody can guess the body from the commitment, while
//! the tree still verifies.

use thiserror::Error;

use crate::bounds::{DOMAIN_BYTES_MAX, HEADER_BYTES_MAX};
use crate::note::{hex, unhex};
use crate::options::TailCut;
use crate::tree::Hash;

/// The version of the leaf encoding.
const LEAF_VERSION: u8 = 1;
const KIND_CALLER: u8 = 0;
const KIND_NOTE: u8 = 1;

/// Stands for "no body" in a leaf: no SHA-256 input is known to give it.
pub(crate) const NO_BODY: Hash = [0; 32];

/// Bytes of the salt in front of each sealed body.
pub(crate) const SALT_BYTES: usize = 16;

/// Bytes that a leaf entry can have.
pub(crate) const LEAF_BYTES_MAX: usize = 2 + 1 + DOMAIN_BYTES_MAX + 2 + HEADER_BYTES_MAX + 32;

/// A leaf entry, read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaf<'a> {
    pub(crate) by_caller: bool,
    pub(crate) domain: &'a str,
    pub(crate) header: &'a [u8],
    pub(crate) body_commit: &'a Hash,
}

/// The bytes are no leaf entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes are not a leaf entry")]
pub(crate) struct NoLeaf;

impl<'a> Leaf<'a> {
    /// Appends the canonical bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(LEAF_VERSION);
        out.push(if self.by_caller {
            KIND_CALLER
        } else {
            KIND_NOTE
        });
        out.push(u8::try_from(self.domain.len()).expect("domains are capped at 64 bytes"));
        out.extend_from_slice(self.domain.as_bytes());
        let header = u16::try_from(self.header.len()).expect("headers are capped at 4 KiB");
        out.extend_from_slice(&header.to_be_bytes());
        out.extend_from_slice(self.header);
        out.extend_from_slice(self.body_commit);
    }

    /// Reads the canonical bytes, all of them.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, NoLeaf> {
        let (&[version, kind, domain_len], rest) = bytes.split_first_chunk().ok_or(NoLeaf)?;
        let (domain, rest) = rest
            .split_at_checked(usize::from(domain_len))
            .ok_or(NoLeaf)?;
        let (&header_len, rest) = rest.split_first_chunk().ok_or(NoLeaf)?;
        let header_len = usize::from(u16::from_be_bytes(header_len));
        let (header, commit) = rest.split_at_checked(header_len).ok_or(NoLeaf)?;
        let known = version == LEAF_VERSION && kind <= KIND_NOTE;
        let bounded = domain.len() <= DOMAIN_BYTES_MAX && header.len() <= HEADER_BYTES_MAX;
        if !known || !bounded {
            return Err(NoLeaf);
        }
        Ok(Self {
            by_caller: kind == KIND_CALLER,
            domain: std::str::from_utf8(domain).map_err(|_| NoLeaf)?,
            header,
            body_commit: commit.try_into().map_err(|_| NoLeaf)?,
        })
    }

    pub(crate) fn has_body(&self) -> bool {
        *self.body_commit != NO_BODY
    }
}

/// What the log itself has to say, as an entry without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogNote {
    /// The log was opened: a new boot and a new segment begin here.
    Opened {
        /// The boot, 16 random bytes.
        boot: [u8; 16],
    },
    /// The log was closed in good order.
    Closed,
    /// An unfinished write was cut off the end of a segment.
    TailCut(TailCut),
    /// Damage was accepted by the operator.
    DamageAccepted {
        /// What was found, in words.
        what: String,
    },
    /// A note of a later version of this program.
    Unknown(String),
}

impl LogNote {
    /// The header bytes of the note: one line of text, a word and `name=value` pairs.
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Opened { boot } => format!("opened boot={}", hex(boot)),
            Self::Closed => "closed".to_owned(),
            Self::TailCut(TailCut {
                segment,
                offset,
                bytes,
                sha256,
            }) => {
                let hash = hex(sha256);
                format!("tail-cut segment={segment} offset={offset} bytes={bytes} sha256={hash}")
            }
            Self::DamageAccepted { what } => format!("damage-accepted what={what}"),
            Self::Unknown(text) => text.clone(),
        }
    }

    /// Reads the header of a note; what is not understood is kept as it is.
    pub(crate) fn decode(header: &[u8]) -> Self {
        let text = String::from_utf8_lossy(header);
        Self::decode_known(&text).unwrap_or_else(|| Self::Unknown(text.into_owned()))
    }

    fn decode_known(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "opened" => Some(Self::Opened {
                boot: unhex(rest.strip_prefix("boot=")?)?,
            }),
            "closed" if rest.is_empty() => Some(Self::Closed),
            "damage-accepted" => Some(Self::DamageAccepted {
                what: rest.strip_prefix("what=")?.to_owned(),
            }),
            "tail-cut" => {
                let mut pairs = rest.split(' ').filter_map(|pair| pair.split_once('='));
                let mut value = |name| pairs.next().filter(|(n, _)| *n == name).map(|(_, v)| v);
                Some(Self::TailCut(TailCut {
                    segment: value("segment")?.parse().ok()?,
                    offset: value("offset")?.parse().ok()?,
                    bytes: value("bytes")?.parse().ok()?,
                    sha256: unhex(value("sha256")?)?,
                }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_decode_to_themselves_and_nothing_else_decodes() {
        let commit = [7; 32];
        let leaf = Leaf {
            by_caller: true,
            domain: "dev",
            header: b"head",
            body_commit: &commit,
        };
        let mut bytes = Vec::new();
        leaf.encode(&mut bytes);
        assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        for cut in 0..bytes.len() {
            assert_eq!(Leaf::decode(&bytes[..cut]), Err(NoLeaf), "cut at {cut}");
        }
        bytes.push(0);
        assert_eq!(Leaf::decode(&bytes), Err(NoLeaf), "trailing byte");
        assert_eq!(
            Leaf::decode(&[2, 0, 0, 0, 0]),
            Err(NoLeaf),
            "unknown version"
        );
    }

    #[test]
    fn notes_read_back() {
        let cut = TailCut {
            segment: 3,
            offset: 4096,
            bytes: 17,
            sha256: [9; 32],
        };
        for note in [
            LogNote::Opened { boot: [1; 16] },
            LogNote::Closed,
            LogNote::TailCut(cut),
            LogNote::DamageAccepted {
                what: "segment 2: bad frame".into(),
            },
            LogNote::Unknown("tail-cut segment=x".into()),
            LogNote::Unknown("sealed with wax".into()),
        ] {
            assert_eq!(LogNote::decode(note.encode().as_bytes()), note);
        }
    }
}
