//! Frames: one batch of entries, written with one call and true as a whole or not at all.
//!
//! A frame holds the clear leaf entries, so that the tree can be rebuilt without any key, and one
//! sealed block of bodies for each domain in the batch. Each frame names the hash of the one before
//! it and the root of the tree after it.

use thiserror::Error;

use crate::bounds::{ENTRIES_MAX, FRAME_BYTES_LIMIT, FRAME_ENTRIES_MAX};
use crate::leaf::{LEAF_BYTES_MAX, Leaf};
use crate::tree::{Hash, leaf_hash, sha256};

pub(crate) const FRAME_MAGIC: [u8; 4] = *b"PFR1";
pub(crate) const FRAME_HEADER_BYTES: usize = 112;
const TRAILER_BYTES: usize = 32;
/// Bytes of the leaf hash kept beside each leaf, to name the very entry that was damaged.
const LEAF_CHECK_BYTES: usize = 4;
const FLAG_COMPRESSED: u8 = 1;

/// The fixed part at the front of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) bytes: u32,
    pub(crate) number: u32,
    pub(crate) entries: u32,
    pub(crate) first_seq: u64,
    /// Bytes of the segment that were durable when this frame was made.
    pub(crate) synced_bytes: u64,
    /// No entry below this number waits for a partner.
    pub(crate) settled: u64,
    pub(crate) leaves_bytes: u32,
    pub(crate) blocks: u32,
    pub(crate) prev_hash: Hash,
    pub(crate) root_after: Hash,
}

/// One leaf in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameLeaf<'a> {
    pub(crate) leaf: Leaf<'a>,
    pub(crate) hash: Hash,
}

/// One sealed block in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameBlock<'a> {
    pub(crate) domain: &'a str,
    pub(crate) key_version: u32,
    pub(crate) compressed: bool,
    pub(crate) plain_bytes: u32,
    pub(crate) sealed: &'a [u8],
}

/// A whole frame, read in place; its hash was checked.
#[derive(Debug, Clone)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) leaves: Vec<FrameLeaf<'a>>,
    pub(crate) blocks: Vec<FrameBlock<'a>>,
    pub(crate) hash: Hash,
}

/// Why bytes are not a frame, or not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameFault {
    /// There is no frame where one should be.
    #[error("there is no frame")]
    Absent,
    /// The frame is longer than the bytes that are there.
    #[error("the frame is cut short")]
    Short,
    /// The hash over the frame does not match: bytes were changed, or never all written.
    #[error("the frame's bytes do not match its hash")]
    Hash,
    /// The parts of the frame contradict each other.
    #[error("the frame is malformed")]
    Form,
    /// It is not the next frame of this segment, or a number in it is out of order.
    #[error("the frame is out of order")]
    Order,
    /// It does not continue from the frame before.
    #[error("the frame does not follow the one before it")]
    Chain,
    /// Its entries do not lead to the root that it names.
    #[error("the frame's entries do not lead to its root")]
    Root,
}

impl FrameHeader {
    fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        out[0..4].copy_from_slice(&FRAME_MAGIC);
        out[4..8].copy_from_slice(&self.bytes.to_be_bytes());
        out[8..12].copy_from_slice(&self.number.to_be_bytes());
        out[12..16].copy_from_slice(&self.entries.to_be_bytes());
        out[16..24].copy_from_slice(&self.first_seq.to_be_bytes());
        out[24..32].copy_from_slice(&self.synced_bytes.to_be_bytes());
        out[32..40].copy_from_slice(&self.settled.to_be_bytes());
        out[40..44].copy_from_slice(&self.leaves_bytes.to_be_bytes());
        out[44..48].copy_from_slice(&self.blocks.to_be_bytes());
        out[48..80].copy_from_slice(&self.prev_hash);
        out[80..112].copy_from_slice(&self.root_after);
        out
    }

    /// Reads the front of a frame. The lengths are plausible then, but nothing is checked by hash.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FrameFault> {
        let bytes = bytes
            .first_chunk::<FRAME_HEADER_BYTES>()
            .ok_or(FrameFault::Short)?;
        let mut fields = Fields(bytes);
        if fields.take::<4>() != FRAME_MAGIC {
            return Err(FrameFault::Absent);
        }
        let header = Self {
            bytes: u32::from_be_bytes(fields.take()),
            number: u32::from_be_bytes(fields.take()),
            entries: u32::from_be_bytes(fields.take()),
            first_seq: u64::from_be_bytes(fields.take()),
            synced_bytes: u64::from_be_bytes(fields.take()),
            settled: u64::from_be_bytes(fields.take()),
            leaves_bytes: u32::from_be_bytes(fields.take()),
            blocks: u32::from_be_bytes(fields.take()),
            prev_hash: fields.take(),
            root_after: fields.take(),
        };
        let least = FRAME_HEADER_BYTES + TRAILER_BYTES;
        let room = (header.bytes as usize)
            .checked_sub(least)
            .ok_or(FrameFault::Form)?;
        let plausible = header.bytes as usize <= FRAME_BYTES_LIMIT
            && (1..=FRAME_ENTRIES_MAX).contains(&(header.entries as usize))
            && header.leaves_bytes as usize <= room
            && header.blocks <= header.entries
            && header.first_seq <= ENTRIES_MAX;
        if plausible {
            Ok(header)
        } else {
            Err(FrameFault::Form)
        }
    }
}

/// Fixed fields taken one after the other off a front whose length was checked.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self
            .0
            .split_first_chunk()
            .expect("the fields fill the header");
        self.0 = rest;
        *field
    }
}

impl<'a> Frame<'a> {
    /// Reads the frame at the front of `bytes` and checks its hash.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, FrameFault> {
        let header = FrameHeader::decode(bytes)?;
        let whole = bytes
            .get(..header.bytes as usize)
            .ok_or(FrameFault::Short)?;
        let (content, trailer) = whole.split_at(whole.len() - TRAILER_BYTES);
        let hash = sha256(content);
        if trailer != hash {
            return Err(FrameFault::Hash);
        }
        let (leaves, blocks) = content[FRAME_HEADER_BYTES..].split_at(header.leaves_bytes as usize);
        let leaves = decode_leaves(leaves, header.entries).ok_or(FrameFault::Form)?;
        let blocks = decode_blocks(blocks, header.blocks).ok_or(FrameFault::Form)?;
        Ok(Self {
            header,
            leaves,
            blocks,
            hash,
        })
    }

    /// Which entry of a damaged frame is damaged, counted within the frame, as far as can be told:
    /// the first whose leaf does not match its check, else the first one with a body.
    pub(crate) fn first_damaged_entry(bytes: &[u8]) -> Option<u32> {
        let header = FrameHeader::decode(bytes).ok()?;
        let mut leaves = bytes.get(FRAME_HEADER_BYTES..)?;
        let mut with_body = None;
        for entry in 0..header.entries {
            let Some((leaf, check, rest)) = split_leaf(leaves) else {
                return Some(entry);
            };
            if leaf_hash(leaf)[..LEAF_CHECK_BYTES] != *check {
                return Some(entry);
            }
            if with_body.is_none() && Leaf::decode(leaf).is_ok_and(|leaf| leaf.has_body()) {
                with_body = Some(entry);
            }
            leaves = rest;
        }
        with_body
    }
}

fn decode_leaves(mut bytes: &[u8], entries: u32) -> Option<Vec<FrameLeaf<'_>>> {
    let mut leaves = Vec::with_capacity(entries as usize);
    while let Some((entry, check, rest)) = split_leaf(bytes) {
        let hash = leaf_hash(entry);
        if hash[..LEAF_CHECK_BYTES] != *check {
            return None;
        }
        leaves.push(FrameLeaf {
            leaf: Leaf::decode(entry).ok()?,
            hash,
        });
        bytes = rest;
    }
    (bytes.is_empty() && leaves.len() == entries as usize).then_some(leaves)
}

/// Splits the first leaf off a leaf table: its bytes, its check, and the rest.
fn split_leaf(bytes: &[u8]) -> Option<(&[u8], &[u8; LEAF_CHECK_BYTES], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (check, rest) = rest.split_first_chunk()?;
    (leaf.len() <= LEAF_BYTES_MAX).then_some((leaf, check, rest))
}

fn decode_blocks(mut bytes: &[u8], count: u32) -> Option<Vec<FrameBlock<'_>>> {
    let mut blocks = Vec::with_capacity(count as usize);
    while let Some((&domain_len, rest)) = bytes.split_first() {
        let (domain, rest) = rest.split_at_checked(usize::from(domain_len))?;
        let (key_version, rest) = rest.split_first_chunk()?;
        let (&flags, rest) = rest.split_first()?;
        let (plain_bytes, rest) = rest.split_first_chunk()?;
        let (sealed_bytes, rest) = rest.split_first_chunk()?;
        let sealed_bytes = u32::from_be_bytes(*sealed_bytes) as usize;
        let (sealed, rest) = rest.split_at_checked(sealed_bytes)?;
        let plain_bytes = u32::from_be_bytes(*plain_bytes);
        if flags > FLAG_COMPRESSED || plain_bytes as usize > FRAME_BYTES_LIMIT {
            return None;
        }
        blocks.push(FrameBlock {
            domain: std::str::from_utf8(domain).ok()?,
            key_version: u32::from_be_bytes(*key_version),
            compressed: flags == FLAG_COMPRESSED,
            plain_bytes,
            sealed,
        });
        bytes = rest;
    }
    (blocks.len() == count as usize).then_some(blocks)
}

/// Builds one frame in a buffer that is used again and again.
#[derive(Default)]
pub(crate) struct FrameBuilder {
    out: Vec<u8>,
    entries: u32,
    leaves_bytes: u32,
    blocks: u32,
}

impl FrameBuilder {
    pub(crate) fn begin(&mut self) {
        self.out.clear();
        self.out.resize(FRAME_HEADER_BYTES, 0);
        (self.entries, self.leaves_bytes, self.blocks) = (0, 0, 0);
    }

    /// Adds a leaf. All leaves come before the first block.
    pub(crate) fn leaf(&mut self, entry: &[u8], hash: &Hash) {
        let length = u16::try_from(entry.len()).expect("leaf entries are capped below 64 KiB");
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(entry);
        self.out.extend_from_slice(&hash[..LEAF_CHECK_BYTES]);
        self.entries += 1;
        self.leaves_bytes = length_u32(self.out.len() - FRAME_HEADER_BYTES);
    }

    pub(crate) fn block(&mut self, block: &FrameBlock<'_>) {
        self.out
            .push(u8::try_from(block.domain.len()).expect("domains are capped at 64 bytes"));
        self.out.extend_from_slice(block.domain.as_bytes());
        self.out.extend_from_slice(&block.key_version.to_be_bytes());
        self.out
            .push(if block.compressed { FLAG_COMPRESSED } else { 0 });
        self.out.extend_from_slice(&block.plain_bytes.to_be_bytes());
        self.out
            .extend_from_slice(&length_u32(block.sealed.len()).to_be_bytes());
        self.out.extend_from_slice(block.sealed);
        self.blocks += 1;
    }

    /// Closes the frame: fills in the counts and lengths, and gives its bytes and its hash.
    pub(crate) fn finish(&mut self, mut header: FrameHeader) -> (&[u8], Hash) {
        header.bytes = length_u32(self.out.len() + TRAILER_BYTES);
        header.entries = self.entries;
        header.leaves_bytes = self.leaves_bytes;
        header.blocks = self.blocks;
        self.out[..FRAME_HEADER_BYTES].copy_from_slice(&header.encode());
        let hash = sha256(&self.out);
        self.out.extend_from_slice(&hash);
        (&self.out, hash)
    }
}

fn length_u32(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a frame is capped far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            bytes: 0,
            number: 3,
            entries: 0,
            first_seq: 40,
            synced_bytes: 17,
            settled: 39,
            leaves_bytes: 0,
            blocks: 0,
            prev_hash: [1; 32],
            root_after: [2; 32],
        }
    }

    fn built() -> Vec<u8> {
        let mut builder = FrameBuilder::default();
        builder.begin();
        for (header, commit) in [(b"first", [7; 32]), (b"other", [8; 32])] {
            let mut entry = Vec::new();
            Leaf {
                by_caller: true,
                domain: "dev",
                header,
                body_commit: &commit,
            }
            .encode(&mut entry);
            builder.leaf(&entry, &leaf_hash(&entry));
        }
        builder.block(&FrameBlock {
            domain: "dev",
            key_version: 5,
            compressed: true,
            plain_bytes: 99,
            sealed: b"sealed bytes",
        });
        builder.finish(header()).0.to_vec()
    }

    #[test]
    fn a_frame_reads_back() {
        let bytes = built();
        let frame = Frame::decode(&bytes).expect("it was just built");
        assert_eq!(frame.header.bytes as usize, bytes.len());
        assert_eq!((frame.header.number, frame.header.first_seq), (3, 40));
        assert_eq!((frame.header.synced_bytes, frame.header.settled), (17, 39));
        assert_eq!(frame.leaves[1].leaf.header, b"other");
        assert_eq!(frame.blocks[0].sealed, b"sealed bytes");
        assert_eq!(
            (frame.blocks[0].key_version, frame.blocks[0].plain_bytes),
            (5, 99)
        );
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        // Goal: nothing but the exact bytes is a frame. Method: flip each bit, cut at each length.
        let bytes = built();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&flipped).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn the_damaged_entry_is_named() {
        // Goal: a damaged leaf is named within its frame; a damaged block names the first body.
        let bytes = built();
        let second = bytes
            .windows(5)
            .position(|w| w == b"other")
            .expect("the header is clear");
        let block = bytes
            .windows(6)
            .position(|w| w == b"sealed")
            .expect("the block is there");
        for (at, expected) in [(second, 1), (block, 0)] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Frame::decode(&damaged).err(), Some(FrameFault::Hash));
            assert_eq!(Frame::first_damaged_entry(&damaged), Some(expected));
        }
    }
}
