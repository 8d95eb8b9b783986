//! Segment files: their names, their headers, the files beside them.
//!
//! A segment belongs to one boot. Its header holds what is needed to go on from there without
//! reading any other file: the salt of its data keys, the end of the segment before it, and the
//! right edge of the tree.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::bounds::{ENTRIES_MAX, SEGMENT_HEADER_BYTES_LIMIT};
use crate::frame::Fields;
use crate::seal::FileIdentity;
use crate::tree::{Hash, Tree, sha256};

const SEGMENT_MAGIC: [u8; 8] = *b"PSTNSEG1";
/// Bytes of a segment header before the right edge.
const FIXED_BYTES: usize = 144;
const HASH_BYTES: usize = 32;

/// The front of a segment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) file: FileIdentity,
    /// The number of the first entry in this segment, which is the size of the tree before it.
    pub(crate) first_seq: u64,
    /// No entry below this number waited for a partner when the segment was begun.
    pub(crate) settled: u64,
    /// Bytes of the segment before this one that belong to the log; zero in the first.
    pub(crate) prev_bytes: u64,
    /// The hash of the last frame before this segment, or of the header if there was none.
    pub(crate) prev_hash: Hash,
    /// The right edge of the tree.
    pub(crate) edge: Vec<Vec<Hash>>,
}

/// The bytes are no segment header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the header of the segment is not readable")]
pub(crate) struct BadHeader;

impl SegmentHeader {
    /// The bytes of the header, and its hash.
    pub(crate) fn encode(&self) -> (Vec<u8>, Hash) {
        let edge_bytes = self
            .edge
            .iter()
            .map(|level| level.len() * HASH_BYTES)
            .sum::<usize>();
        let bytes = FIXED_BYTES + edge_bytes + HASH_BYTES;
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&SEGMENT_MAGIC);
        out.extend_from_slice(&(bytes as u64).to_be_bytes());
        out.extend_from_slice(&self.file.log_id);
        out.extend_from_slice(&self.file.segment.to_be_bytes());
        out.extend_from_slice(&self.file.boot_id);
        out.extend_from_slice(&self.file.salt);
        out.extend_from_slice(&self.first_seq.to_be_bytes());
        out.extend_from_slice(&self.settled.to_be_bytes());
        out.extend_from_slice(&self.prev_bytes.to_be_bytes());
        out.extend_from_slice(&self.prev_hash);
        out.extend(self.edge.iter().flatten().flatten());
        let hash = sha256(&out);
        out.extend_from_slice(&hash);
        (out, hash)
    }

    /// Reads the header at the front of `bytes`; gives its length and hash too.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, usize, Hash), BadHeader> {
        let mut fields = Fields(bytes.get(..FIXED_BYTES).ok_or(BadHeader)?);
        let magic: [u8; 8] = fields.take();
        let length = usize::try_from(u64::from_be_bytes(fields.take())).map_err(|_| BadHeader)?;
        let within = (FIXED_BYTES + HASH_BYTES..=SEGMENT_HEADER_BYTES_LIMIT).contains(&length);
        if !within || magic != SEGMENT_MAGIC {
            return Err(BadHeader);
        }
        let whole = bytes.get(..length).ok_or(BadHeader)?;
        let (content, trailer) = whole.split_at(length - HASH_BYTES);
        let hash = sha256(content);
        if trailer != hash {
            return Err(BadHeader);
        }
        let file = FileIdentity {
            log_id: fields.take(),
            segment: u64::from_be_bytes(fields.take()),
            boot_id: fields.take(),
            salt: fields.take(),
        };
        let first_seq = u64::from_be_bytes(fields.take());
        if first_seq > ENTRIES_MAX {
            return Err(BadHeader);
        }
        let header = Self {
            file,
            first_seq,
            settled: u64::from_be_bytes(fields.take()),
            prev_bytes: u64::from_be_bytes(fields.take()),
            prev_hash: fields.take(),
            edge: decode_edge(first_seq, &content[FIXED_BYTES..]).ok_or(BadHeader)?,
        };
        Ok((header, length, hash))
    }

    /// Reads the header of a segment file.
    pub(crate) fn read(path: &Path) -> io::Result<Result<(Self, usize, Hash), BadHeader>> {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(SEGMENT_HEADER_BYTES_LIMIT as u64)
            .read_to_end(&mut bytes)?;
        Ok(Self::decode(&bytes))
    }
}

/// The hashes of the right edge; how many each level has follows from the size of the tree.
fn decode_edge(size: u64, bytes: &[u8]) -> Option<Vec<Vec<Hash>>> {
    let (mut hashes, odd) = bytes.as_chunks::<HASH_BYTES>();
    let mut edge = Vec::new();
    for count in Tree::edge_counts(size) {
        let (level, rest) = hashes.split_at_checked(count)?;
        edge.push(level.to_vec());
        hashes = rest;
    }
    (hashes.is_empty() && odd.is_empty()).then_some(edge)
}

/// The files of a log.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Held locked by the process that writes.
    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The name and the random id of the log.
    pub(crate) fn identity(&self) -> PathBuf {
        self.dir.join("log-id")
    }

    /// The newest checkpoint, for readers and witnesses (C2SP tlog-tiles).
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// The newest checkpoint, for ourselves: durable before it is published.
    pub(crate) fn signed_size(&self) -> PathBuf {
        self.dir.join("signed-size")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.segments().join(format!("{number:010}.seg"))
    }

    /// A prepared file of zeros that becomes the next segment.
    pub(crate) fn spare(&self) -> PathBuf {
        self.segments().join("spare")
    }

    /// The numbers of the segment files, in order.
    pub(crate) fn segment_numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for file in std::fs::read_dir(self.segments())? {
            let name = file?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".seg"));
            numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_and_damaged_ones_do_not() {
        // Goal: the header gives back the right edge for its size. Method: a size with two levels.
        let file = FileIdentity {
            log_id: [1; 16],
            segment: 9,
            boot_id: [2; 16],
            salt: [3; 32],
        };
        let edge = vec![vec![[4; 32]; 2], vec![[5; 32]; 3]];
        let header = SegmentHeader {
            file,
            first_seq: 3 * 256 + 2,
            settled: 700,
            prev_bytes: 12_345,
            prev_hash: [6; 32],
            edge,
        };
        let (bytes, hash) = header.encode();
        let mut padded = bytes.clone();
        padded.resize(4096, 0);
        assert_eq!(
            SegmentHeader::decode(&padded),
            Ok((header, bytes.len(), hash))
        );
        for bit in 0..bytes.len() * 8 {
            let mut flipped = padded.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&flipped), Err(BadHeader), "bit {bit}");
        }
        assert_eq!(
            SegmentHeader::decode(&bytes[..bytes.len() - 1]),
            Err(BadHeader)
        );
    }

    #[test]
    fn only_segment_files_are_listed() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path());
        std::fs::create_dir(layout.segments()).expect("creates");
        for path in [layout.segment(10), layout.segment(9), layout.spare()] {
            std::fs::write(path, b"").expect("writes");
        }
        assert_eq!(layout.segment_numbers().expect("lists"), [9, 10]);
    }
}
