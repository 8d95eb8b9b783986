//! From a frame to entries: blocks opened, bodies found in them and checked.

use std::collections::HashMap;
use std::sync::Arc;

use super::{ReadEntry, SealedReason};
use crate::frame::{Frame, FrameBlock, FrameLeaf};
use crate::leaf::{LogNote, SALT_BYTES};
use crate::seal::{BlockPlace, DataKey, FileIdentity, SealingKeys};
use crate::tree::sha256;

/// Opens the bodies of frames; keeps the data keys of the file at hand.
pub(super) struct BodyOpener {
    keys: Option<Arc<dyn SealingKeys>>,
    file: Option<FileIdentity>,
    data_keys: HashMap<(String, u32), Result<DataKey, SealedReason>>,
}

impl std::fmt::Debug for BodyOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyOpener")
            .field("keys", &self.keys.is_some())
            .finish_non_exhaustive()
    }
}

/// A block that was opened, or why not, and how much of it was handed out.
struct Opened {
    plain: Result<Vec<u8>, SealedReason>,
    taken: usize,
}

impl BodyOpener {
    pub(super) fn new(keys: Option<Arc<dyn SealingKeys>>) -> Self {
        Self {
            keys,
            file: None,
            data_keys: HashMap::new(),
        }
    }

    /// The entries of a frame.
    pub(super) fn read(&mut self, file: &FileIdentity, frame: &Frame<'_>) -> Vec<ReadEntry> {
        if self.file != Some(*file) {
            self.file = Some(*file);
            self.data_keys.clear();
        }
        let mut blocks = HashMap::with_capacity(frame.blocks.len());
        for block in &frame.blocks {
            let plain = self.open(file, frame, block);
            blocks.insert(block.domain, Opened { plain, taken: 0 });
        }
        let numbered = frame.leaves.iter().enumerate();
        numbered
            .map(|(i, leaf)| read_entry(frame.header.first_seq + i as u64, leaf, &mut blocks))
            .collect()
    }

    fn open(
        &mut self,
        file: &FileIdentity,
        frame: &Frame<'_>,
        block: &FrameBlock<'_>,
    ) -> Result<Vec<u8>, SealedReason> {
        let keys = self.keys.as_ref().ok_or(SealedReason::NoKeys)?;
        let id = (block.domain.to_owned(), block.key_version);
        let data_key = self.data_keys.entry(id).or_insert_with(|| {
            let from = keys.by_version(block.domain, block.key_version);
            from.map(|from| DataKey::derive(file, block.domain, &from))
                .map_err(|error| SealedReason::NoKey(error.to_string().into()))
        });
        let place = BlockPlace {
            frame: frame.header.number,
            first_seq: frame.header.first_seq,
            domain: block.domain,
            key_version: block.key_version,
            compressed: block.compressed,
            plain_bytes: block.plain_bytes,
        };
        let mut sealed = block.sealed.to_vec();
        let data_key = data_key.as_ref().map_err(Clone::clone)?;
        let plain = data_key
            .open(&place, &mut sealed)
            .map_err(|_| SealedReason::DoesNotOpen)?;
        if !block.compressed {
            return Ok(plain.to_vec());
        }
        // The length was bounded when the frame was read, and is bound by the seal.
        zstd::bulk::decompress(plain, block.plain_bytes as usize)
            .map_err(|_| SealedReason::DoesNotOpen)
    }
}

fn read_entry(seq: u64, leaf: &FrameLeaf<'_>, blocks: &mut HashMap<&str, Opened>) -> ReadEntry {
    let FrameLeaf { leaf, hash } = leaf;
    let body = if leaf.has_body() {
        match blocks.get_mut(leaf.domain) {
            Some(block) => take_body(block, leaf.body_commit),
            None => Err(SealedReason::NotCommitted),
        }
    } else {
        Ok(Vec::new())
    };
    ReadEntry {
        seq,
        leaf_hash: *hash,
        note: (!leaf.by_caller).then(|| LogNote::decode(leaf.header)),
        domain: leaf.domain.to_owned(),
        header: leaf.header.to_vec(),
        body,
    }
}

/// The next body of a block: four bytes of length, the salt, the bytes.
fn take_body(block: &mut Opened, commit: &[u8; 32]) -> Result<Vec<u8>, SealedReason> {
    let plain = block.plain.as_ref().map_err(Clone::clone)?;
    let rest = &plain[block.taken..];
    let (length, rest) = rest.split_first_chunk().ok_or(SealedReason::NotCommitted)?;
    let salted_bytes = SALT_BYTES + u32::from_be_bytes(*length) as usize;
    let salted = rest.get(..salted_bytes).ok_or(SealedReason::NotCommitted)?;
    block.taken += 4 + salted_bytes;
    if sha256(salted) == *commit {
        Ok(salted[SALT_BYTES..].to_vec())
    } else {
        Err(SealedReason::NotCommitted)
    }
}
