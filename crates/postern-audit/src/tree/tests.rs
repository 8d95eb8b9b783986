//! The tree against the RFC's recursion, against published vectors, and against another crate.

use std::collections::HashMap;
use std::convert::Infallible;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;

use super::*;

/// All hashes of a tree in memory.
struct Memory(HashMap<(u32, u64), Hash>);

impl Memory {
    fn of(leaves: &[Hash]) -> Self {
        let mut nodes = HashMap::new();
        let (mut level, mut row) = (0, leaves.to_vec());
        while !row.is_empty() {
            nodes.extend(
                row.iter()
                    .enumerate()
                    .map(|(i, hash)| ((level, i as u64), *hash)),
            );
            let (pairs, _) = row.as_chunks::<2>();
            row = pairs
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
            level += 1;
        }
        Self(nodes)
    }
}

impl HashSource for Memory {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[&(level, index)])
    }
}
