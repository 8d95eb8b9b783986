//! The Merkle tree of RFC 6962: hashes, the growing right edge, proofs.
//!
//! [`Tree`] holds only what is needed to grow: one hash for each one bit of the size (the
//! frontier), and the incomplete tile of each level (the right edge), from which the frontier can
//! be rebuilt. Full tiles fall off it for somebody else to store.

mod proof;

use aws_lc_rs::digest::{SHA256, digest};

pub use proof::{
    HashSource, ProofError, check_consistency, check_inclusion, consistency_proof, inclusion_proof,
    root,
};

use crate::tile::{TILE_LEVELS, TILE_WIDTH, Tile};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The root of the empty tree: the hash of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// The hash of a leaf: `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut input = Vec::with_capacity(entry.len() + 1);
    input.push(0);
    input.extend_from_slice(entry);
    sha256(&input)
}

/// The hash of an interior node: `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1_u8; 65];
    input[1..33].copy_from_slice(left);
    input[33..].copy_from_slice(right);
    sha256(&input)
}

/// A tree that can grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    /// The roots of the perfect subtrees that the size divides into, widest first.
    frontier: Vec<Hash>,
    /// The incomplete tile of each level.
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    pub(crate) fn empty() -> Self {
        Self {
            size: 0,
            frontier: Vec::new(),
            edge: Vec::new(),
        }
    }

    /// How many hashes the right edge of a tree of `size` leaves has, level by level.
    pub(crate) fn edge_counts(size: u64) -> impl Iterator<Item = usize> {
        let levels = (0..TILE_LEVELS).map(move |level| size >> (level * 8));
        levels
            .take_while(|hashes| *hashes > 0)
            .map(|hashes| (hashes % TILE_WIDTH as u64) as usize)
    }

    /// Rebuilds a tree from its right edge, as [`Tree::edge`] gave it.
    pub(crate) fn from_edge(size: u64, edge: Vec<Vec<Hash>>) -> Option<Self> {
        if !edge.iter().map(Vec::len).eq(Self::edge_counts(size)) {
            return None;
        }
        let mut frontier = Vec::new();
        for hashes in edge.iter().rev() {
            // The incomplete tile of a level divides into perfect subtrees as its count does into
            // bits.
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let width = 1 << rest.len().ilog2();
                frontier.push(perfect_root(&rest[..width]));
                rest = &rest[width..];
            }
        }
        Some(Self {
            size,
            frontier,
            edge,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn edge(&self) -> &[Vec<Hash>] {
        &self.edge
    }

    /// Adds a leaf; tiles that it completes go to `full`.
    pub(crate) fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        let before = self.size;
        self.size += 1;
        self.edge_push(0, leaf, full);
        let mut hash = leaf;
        for level in 1..=before.trailing_ones() {
            let left = self
                .frontier
                .pop()
                .expect("one hash for each one bit of the size");
            hash = node_hash(&left, &hash);
            if level % 8 == 0 {
                self.edge_push(level / 8, hash, full);
            }
        }
        self.frontier.push(hash);
    }

    fn edge_push(&mut self, level: u32, hash: Hash, full: &mut Vec<Tile>) {
        if self.edge.len() == level as usize {
            self.edge.push(Vec::with_capacity(TILE_WIDTH));
        }
        let edge = &mut self.edge[level as usize];
        edge.push(hash);
        if edge.len() == TILE_WIDTH {
            let hashes = std::mem::replace(edge, Vec::with_capacity(TILE_WIDTH));
            let index = (self.size >> (level * 8)) / TILE_WIDTH as u64 - 1;
            full.push(Tile {
                level,
                index,
                hashes,
            });
        }
    }

    /// The root over all leaves so far.
    pub(crate) fn root(&self) -> Hash {
        let mut hashes = self.frontier.iter().rev();
        let Some(last) = hashes.next() else {
            return EMPTY_ROOT;
        };
        hashes.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The root over a power of two of hashes of equal height.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two(), "a perfect subtree");
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&perfect_root(left), &perfect_root(right))
        }
    }
}

#[cfg(test)]
mod tests;
