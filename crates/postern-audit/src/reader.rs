//! Reading entries back: forward from any number, or the last few, beside a running writer.
//!
//! A frame is shown only whole. What is not whole yet at the end of the newest segment is simply
//! not there yet: ask again later. Without keys the headers are shown and the bodies stay closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::frame::FrameFault;
use crate::leaf::LogNote;
use crate::seal::SealingKeys;
use crate::segment::{Layout, SegmentHeader};
use crate::tree::Hash;

mod cursor;
mod open_bodies;
mod prove;

use cursor::{Cursor, Step};
use open_bodies::BodyOpener;

/// An entry as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadEntry {
    /// The leaf index.
    pub seq: u64,
    /// The hash of its leaf in the tree.
    pub leaf_hash: Hash,
    /// What the log itself says in this entry; `None` for the entries of its callers.
    pub note: Option<LogNote>,
    /// The sealing domain.
    pub domain: String,
    /// The clear header.
    pub header: Vec<u8>,
    /// The body, checked against its commitment, or why it stays closed.
    pub body: Result<Vec<u8>, SealedReason>,
}

impl std::fmt::Debug for ReadEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SECURITY: an opened body is personal data; a stray `{:?}` must not carry it on.
        f.debug_struct("ReadEntry")
            .field("seq", &self.seq)
            .field("note", &self.note)
            .field("domain", &self.domain)
            .field("header_bytes", &self.header.len())
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// Why a body stays closed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealedReason {
    /// The reader was opened without keys.
    #[error("no sealing keys were given")]
    NoKeys,
    /// The key source does not give this key.
    #[error("the body's key cannot be had: {0}")]
    NoKey(Arc<str>),
    /// The block does not open: it was changed, or the key is another.
    #[error("the body does not open with its key")]
    DoesNotOpen,
    /// The block opens, but this body is not in it as its leaf says.
    #[error("the body is not the one that its leaf commits to")]
    NotCommitted,
}

/// Why entries could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no log.
    #[error("there is no audit log in {0}")]
    Missing(PathBuf),
    /// The operating system failed.
    #[error("a file of the audit log could not be read")]
    Io(#[from] std::io::Error),
    /// A segment is not to be read from some point on.
    #[error("the audit log is damaged in segment {segment}, before entry {seq}")]
    Damaged {
        /// The segment file.
        segment: u64,
        /// The first entry that could not be read.
        seq: u64,
        /// What is wrong with it.
        source: FrameFault,
    },
    /// The header of a segment is not readable, or the segment is missing.
    #[error("segment {0} of the audit log has no readable header")]
    Header(u64),
    /// A proof was asked for that this log cannot give.
    #[error("the audit log has no {asked} entries to prove")]
    NotYet {
        /// The size asked for.
        asked: u64,
    },
}

/// Reads a log.
#[derive(Clone)]
pub struct Reader {
    layout: Layout,
    keys: Option<Arc<dyn SealingKeys>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("dir", &self.layout.dir())
            .field("keys", &self.keys.is_some())
            .finish()
    }
}

impl Reader {
    /// Opens a log for reading. Bodies are opened only if there are keys.
    ///
    /// # Errors
    /// When there is no log.
    pub fn open(dir: &Path, keys: Option<Arc<dyn SealingKeys>>) -> Result<Self, ReadError> {
        let layout = Layout::new(dir);
        if !layout.segments().is_dir() {
            return Err(ReadError::Missing(dir.to_owned()));
        }
        Ok(Self { layout, keys })
    }

    /// The entries from number `seq` on.
    ///
    /// # Errors
    /// When the place cannot be found.
    pub fn entries_from(&self, seq: u64) -> Result<Entries, ReadError> {
        let numbers = self.layout.segment_numbers()?;
        let mut cursor = None;
        if let Some(number) = self.segment_of(seq, &numbers)? {
            let mut found = Cursor::open(&self.layout, number)?;
            found.skip_to(seq)?;
            cursor = Some(found);
        }
        Ok(Entries {
            reader: self.clone(),
            cursor,
            wanted: seq,
            ready: Vec::new().into_iter(),
            opener: BodyOpener::new(self.keys.clone()),
        })
    }

    /// The last `count` entries, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn last(&self, count: u64) -> Result<Vec<ReadEntry>, ReadError> {
        let size = self.size()?;
        let wanted = usize::try_from(count.min(size)).unwrap_or(usize::MAX);
        self.entries_from(size.saturating_sub(count))?
            .take(wanted)
            .collect()
    }

    /// How many entries can be read now.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn size(&self) -> Result<u64, ReadError> {
        let numbers = self.layout.segment_numbers()?;
        let Some(last) = self.segment_of(u64::MAX, &numbers)? else {
            return Ok(0);
        };
        let mut cursor = Cursor::open(&self.layout, last)?;
        cursor.skip_to_end()?;
        Ok(cursor.next_seq())
    }

    /// The segment that holds entry `seq`, or will hold it.
    fn segment_of(&self, seq: u64, numbers: &[u64]) -> Result<Option<u64>, ReadError> {
        let mut first_after = 0;
        let mut width = numbers.len();
        while width > 0 {
            // INVARIANT: everything before `first_after` begins at or before `seq`.
            let middle = first_after + width / 2;
            if self.begins_by(numbers, middle, seq)? {
                first_after = middle + 1;
                width -= width / 2 + 1;
            } else {
                width /= 2;
            }
        }
        Ok(first_after
            .checked_sub(1)
            .or((!numbers.is_empty()).then_some(0))
            .map(|i| numbers[i]))
    }

    fn begins_by(&self, numbers: &[u64], i: usize, seq: u64) -> Result<bool, ReadError> {
        let path = self.layout.segment(numbers[i]);
        match SegmentHeader::read(&path)? {
            Ok((header, ..)) => Ok(header.first_seq <= seq),
            // A last segment without header is just being begun.
            Err(_) if i + 1 == numbers.len() => Ok(false),
            Err(_) => Err(ReadError::Header(numbers[i])),
        }
    }
}

/// The entries of a log, in order. After the end, `next` may be called again: what was appended
/// meanwhile then follows. After an error it goes on with the next segment.
#[derive(Debug)]
pub struct Entries {
    reader: Reader,
    cursor: Option<Cursor>,
    wanted: u64,
    ready: std::vec::IntoIter<ReadEntry>,
    opener: BodyOpener,
}

impl Entries {
    /// The number of the entry that `next` gives, if it is there.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.wanted
    }

    fn refill(&mut self) -> Result<bool, ReadError> {
        if self.cursor.is_none() {
            let Some(first) = self.reader.layout.segment_numbers()?.first().copied() else {
                return Ok(false);
            };
            self.cursor = Some(Cursor::open(&self.reader.layout, first)?);
        }
        let Some(cursor) = &mut self.cursor else {
            return Ok(false);
        };
        loop {
            match cursor.step(&self.reader.layout)? {
                Step::Frame => {
                    let (file, frame) = cursor.frame()?;
                    let entries = self.opener.read(file, &frame);
                    let wanted = self.wanted;
                    self.ready = entries
                        .into_iter()
                        .filter(|entry| entry.seq >= wanted)
                        .collect::<Vec<_>>()
                        .into_iter();
                    cursor.consume();
                    if self.ready.len() > 0 {
                        return Ok(true);
                    }
                }
                Step::NextSegment => {}
                Step::End => return Ok(false),
            }
        }
    }
}

impl Iterator for Entries {
    type Item = Result<ReadEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.next() {
                self.wanted = entry.seq + 1;
                return Some(Ok(entry));
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    let layout = &self.reader.layout;
                    let skipped = self
                        .cursor
                        .as_mut()
                        .map(|cursor| cursor.skip_segment(layout));
                    if let Some(Ok(Some(first_seq))) = skipped {
                        self.wanted = self.wanted.max(first_seq);
                    }
                    return Some(Err(error));
                }
            }
        }
    }
}
