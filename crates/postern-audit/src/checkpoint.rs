//! Checkpoints (C2SP tlog-checkpoint): the signed statement "the log of this origin had this size
//! and this root".
//!
//! One extension line is added, `postern-frames SEGMENT HASH`: the hash of the last frame that
//! belongs to the size. The tree covers what the entries say; the frame chain covers the sealed
//! bytes too, so that a changed ciphertext is seen by somebody who has no key to open it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::note::{NoteError, SigningKey, VerifyingKey};
use crate::tree::Hash;

const FRAMES_LINE: &str = "postern-frames";

/// A signed size and root of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    frames: Option<FrameMark>,
    note: String,
}

/// The last frame that a checkpoint covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameMark {
    pub(crate) segment: u64,
    pub(crate) hash: Hash,
}

/// Why text is not a checkpoint to rely on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The signed note around it was not accepted.
    #[error("the checkpoint is not to be relied on")]
    Note(#[from] NoteError),
    /// The text in the note is no checkpoint.
    #[error("the signed text is not a checkpoint")]
    Form,
    /// It is a checkpoint of another log.
    #[error("the checkpoint is of {found}, not of {expected}")]
    Origin {
        /// The origin in the checkpoint.
        found: String,
        /// The name of the key.
        expected: String,
    },
}

impl Checkpoint {
    /// Signs a statement about a log.
    pub(crate) fn sign(key: &SigningKey, size: u64, root: Hash, frames: Option<FrameMark>) -> Self {
        let mut text = format!("{}\n{size}\n{}\n", key.name(), STANDARD.encode(root));
        if let Some(mark) = frames {
            let hash = STANDARD.encode(mark.hash);
            text.push_str(&format!("{FRAMES_LINE} {} {hash}\n", mark.segment));
        }
        let origin = key.name().to_owned();
        Self {
            origin,
            size,
            root,
            frames,
            note: key.sign(&text),
        }
    }

    /// Reads a checkpoint and checks its signature and origin.
    ///
    /// # Errors
    /// When it is not a checkpoint of this key's log, rightly signed.
    pub fn parse(note: &str, key: &VerifyingKey) -> Result<Self, CheckpointError> {
        let parsed = Self::parse_text(key.open(note)?, note).ok_or(CheckpointError::Form)?;
        if parsed.origin == key.name() {
            return Ok(parsed);
        }
        Err(CheckpointError::Origin {
            found: parsed.origin,
            expected: key.name().to_owned(),
        })
    }

    fn parse_text(text: &str, note: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let size = decimal(lines.next()?)?;
        let root = hash(lines.next()?)?;
        let mut frames = None;
        for line in lines {
            if line.is_empty() {
                return None;
            }
            if let Some(mark) = line.strip_prefix(FRAMES_LINE) {
                let (segment, frame) = mark.strip_prefix(' ')?.split_once(' ')?;
                frames = Some(FrameMark {
                    segment: decimal(segment)?,
                    hash: hash(frame)?,
                });
            }
        }
        Some(Self {
            origin,
            size,
            root,
            frames,
            note: note.to_owned(),
        })
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over them.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The signed note, to publish or to keep.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    pub(crate) fn frames(&self) -> Option<&FrameMark> {
        self.frames.as_ref()
    }
}

/// A number without signs, spaces or leading zeros, as the format demands.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if canonical && digits {
        text.parse().ok()
    } else {
        None
    }
}

fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed("example.org/audit", &[5; 32]).expect("a good name")
    }

    #[test]
    fn a_signed_checkpoint_parses_to_itself() {
        let frames = Some(FrameMark {
            segment: 3,
            hash: [4; 32],
        });
        let signed = Checkpoint::sign(&key(), 17, [2; 32], frames);
        assert!(signed.note().starts_with("example.org/audit\n17\nAgIC"));
        assert_eq!(
            Checkpoint::parse(signed.note(), &key().verifying_key()),
            Ok(signed)
        );
    }

    #[test]
    fn other_logs_and_odd_forms_are_refused() {
        let verifying = key().verifying_key();
        let root = STANDARD.encode([0; 32]);
        for text in [
            format!("example.org/other\n1\n{root}\n"),
            format!("example.org/audit\n01\n{root}\n"),
            format!("example.org/audit\n+1\n{root}\n"),
            format!("example.org/audit\n18446744073709551616\n{root}\n"),
            "example.org/audit\n1\nAAAA\n".to_owned(),
            "example.org/audit\n1\n".to_owned(),
            format!("example.org/audit\n1\n{root}\npostern-frames x y\n"),
        ] {
            assert!(
                Checkpoint::parse(&key().sign(&text), &verifying).is_err(),
                "{text:?}"
            );
        }
        let extended = format!("example.org/audit\n1\n{root}\nanother extension\n");
        let parsed = Checkpoint::parse(&key().sign(&extended), &verifying).expect("is well formed");
        assert_eq!((parsed.size(), parsed.frames()), (1, None));
    }
}
