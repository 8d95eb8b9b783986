//! Proofs out of a stored log: from full tiles, and from the entries of the right edge.

use std::cell::RefCell;

use super::{ReadError, Reader};
use crate::tile::{self, TILE_WIDTH};
use crate::tree::{self, Hash, HashSource, node_hash, perfect_root};

impl Reader {
    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// When the log is shorter, or cannot be read.
    pub fn root(&self, size: u64) -> Result<Hash, ReadError> {
        self.check_size(size)?;
        tree::root(&Stored::new(self), size)
    }

    /// The proof that entry `seq` is among the first `size` entries.
    ///
    /// # Errors
    /// When the log is shorter, the entry is not among them, or the log cannot be read.
    pub fn prove_inclusion(&self, seq: u64, size: u64) -> Result<Vec<Hash>, ReadError> {
        if seq >= size {
            return Err(ReadError::NotYet {
                asked: seq.saturating_add(1),
            });
        }
        self.check_size(size)?;
        tree::inclusion_proof(&Stored::new(self), seq, size)
    }

    /// The proof that the log of `old` entries is the beginning of the log of `new` entries.
    ///
    /// # Errors
    /// When there is nothing to prove, the log is shorter, or it cannot be read.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        if old == 0 || old > new {
            return Err(ReadError::NotYet { asked: old });
        }
        self.check_size(new)?;
        tree::consistency_proof(&Stored::new(self), old, new)
    }

    fn check_size(&self, asked: u64) -> Result<(), ReadError> {
        if asked <= self.size()? {
            Ok(())
        } else {
            Err(ReadError::NotYet { asked })
        }
    }
}

/// The hashes of a stored log.
struct Stored<'a> {
    reader: &'a Reader,
    /// The tile looked at last, since neighbours are asked for one after the other.
    last: RefCell<Option<(u32, u64, Vec<Hash>)>>,
}

impl<'a> Stored<'a> {
    fn new(reader: &'a Reader) -> Self {
        Self {
            reader,
            last: RefCell::default(),
        }
    }

    /// The hashes of a full tile, or of the leaves where the last tile is not full yet.
    fn hashes(&self, level: u32, index: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        if let Some((l, i, hashes)) = &*self.last.borrow()
            && (*l, *i) == (level, index)
        {
            return Ok(Some(hashes.clone()));
        }
        let mut hashes = tile::load(self.reader.layout.dir(), level, index)?;
        if hashes.is_none() && level == 0 {
            // The tile is filled, or stored, a moment after its entries are written.
            let entries = self
                .reader
                .entries_from(index * TILE_WIDTH as u64)?
                .take(TILE_WIDTH);
            let leaves = entries.map(|entry| Ok(entry?.leaf_hash));
            hashes = Some(leaves.collect::<Result<_, ReadError>>()?);
        }
        *self.last.borrow_mut() = hashes.clone().map(|hashes| (level, index, hashes));
        Ok(hashes)
    }
}

impl HashSource for Stored<'_> {
    type Error = ReadError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, ReadError> {
        let (tile_level, height) = (level / 8, level % 8);
        let first = index << height;
        let within = usize::try_from(first % TILE_WIDTH as u64).unwrap_or(usize::MAX);
        if let Some(hashes) = self.hashes(tile_level, first / TILE_WIDTH as u64)? {
            let subtree = hashes.get(within..within + (1 << height));
            let asked = (index + 1) << level;
            return subtree.map(perfect_root).ok_or(ReadError::NotYet { asked });
        }
        let left = self.node(level - 1, index * 2)?;
        Ok(node_hash(&left, &self.node(level - 1, index * 2 + 1)?))
    }
}
