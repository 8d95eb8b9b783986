//! Inclusion and consistency proofs: made from any source of hashes, checked from nothing.

use thiserror::Error;

use super::{EMPTY_ROOT, Hash, node_hash};

/// Where a prover finds the hashes of perfect subtrees.
pub trait HashSource {
    /// Why a hash could not be had.
    type Error;

    /// The root of the perfect subtree of `2^level` leaves that begins at leaf `index << level`.
    ///
    /// # Errors
    /// When the hash cannot be had.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof does not prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index or the sizes cannot be.
    #[error("the proof is for a position outside the tree")]
    Range,
    /// The proof has too many or too few hashes for the sizes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The root over the first `size` leaves.
///
/// # Errors
/// When the source cannot give a hash.
pub fn root<S: HashSource>(source: &S, size: u64) -> Result<Hash, S::Error> {
    if size == 0 {
        Ok(EMPTY_ROOT)
    } else {
        range_root(source, 0, size)
    }
}

/// The proof that leaf `index` is in the tree of `size` leaves (RFC 6962 section 2.1.1).
///
/// # Errors
/// When the source cannot give a hash.
///
/// # Panics
/// When `index` is not below `size`.
pub fn inclusion_proof<S: HashSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, S::Error> {
    assert!(index < size, "leaf {index} is outside a tree of {size}");
    let (mut start, mut width, mut proof) = (0, size, Vec::new());
    while width > 1 {
        let split = split_of(width);
        if index - start < split {
            proof.push(range_root(source, start + split, width - split)?);
            width = split;
        } else {
            proof.push(range_root(source, start, split)?);
            start += split;
            width -= split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves
/// (RFC 6962 section 2.1.2).
///
/// # Errors
/// When the source cannot give a hash.
///
/// # Panics
/// When `old` is zero or above `new`.
pub fn consistency_proof<S: HashSource>(
    source: &S,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, S::Error> {
    assert!(
        0 < old && old <= new,
        "no consistency proof from {old} to {new}"
    );
    let (mut start, mut width, mut proof) = (0, new, Vec::new());
    // Descends to the old tree's right edge; `old - start` leaves of the range at hand are old.
    while old - start < width {
        let split = split_of(width);
        if old - start <= split {
            proof.push(range_root(source, start + split, width - split)?);
            width = split;
        } else {
            proof.push(range_root(source, start, split)?);
            start += split;
            width -= split;
        }
    }
    if start > 0 {
        proof.push(range_root(source, start, width)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with this root
/// (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// When it is not proved.
pub fn check_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let skip = if node & 1 == 1 {
                0
            } else {
                node.trailing_zeros().min(63)
            };
            node >>= skip;
            last >>= skip;
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the tree with `old_root` is the beginning of the tree with `new_root`
/// (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// When it is not proved. There is nothing to prove about an old tree without leaves: refused.
pub fn check_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Range);
    }
    if old == new {
        return match (proof.is_empty(), old_root == new_root) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::Root),
            (false, _) => Err(ProofError::Length),
        };
    }
    let mut hashes = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let first = first.ok_or(ProofError::Length)?;
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let skip = if node & 1 == 1 {
                0
            } else {
                node.trailing_zeros().min(63)
            };
            node >>= skip;
            last >>= skip;
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old_hash == *old_root && new_hash == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// The root over `width` leaves from `start`, which lies where a subtree of that width can begin.
fn range_root<S: HashSource>(source: &S, start: u64, width: u64) -> Result<Hash, S::Error> {
    if width.is_power_of_two() {
        let level = width.trailing_zeros();
        return source.node(level, start >> level);
    }
    let split = split_of(width);
    let left = range_root(source, start, split)?;
    Ok(node_hash(
        &left,
        &range_root(source, start + split, width - split)?,
    ))
}

/// The largest power of two below `width`, which is at least 2.
fn split_of(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}
