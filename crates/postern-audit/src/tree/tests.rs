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

/// The definition of RFC 6962 section 2.1, word for word.
fn reference_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [one] => *one,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            node_hash(&reference_root(left), &reference_root(right))
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count)
        .map(|i| leaf_hash(&(i as u64).to_be_bytes()))
        .collect()
}

#[test]
fn the_growing_tree_is_the_rfcs_tree() {
    // Goal: root, frontier and right edge are right at every size. Method: grow to 1100 leaves,
    // compare with the definition, and rebuild from the right edge at each step.
    let leaves = leaves(1100);
    let (mut tree, mut full) = (Tree::empty(), Vec::new());
    for (i, leaf) in leaves.iter().enumerate() {
        assert_eq!(tree.root(), reference_root(&leaves[..i]), "size {i}");
        let rebuilt = Tree::from_edge(tree.size(), tree.edge().to_vec());
        assert_eq!(rebuilt.as_ref(), Some(&tree), "size {i}");
        tree.push(*leaf, &mut full);
    }
    assert_eq!(full.len(), 4, "four full tiles of leaves");
    for (i, tile) in full.iter().enumerate() {
        assert_eq!((tile.level, tile.index), (0, i as u64));
        assert_eq!(tile.hashes, leaves[i * 256..(i + 1) * 256]);
    }
    assert_eq!(
        tree.edge()[1],
        full.iter()
            .map(|t| reference_root(&t.hashes))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        Tree::from_edge(1099, tree.edge().to_vec()),
        None,
        "an edge of another size"
    );
}

#[test]
fn tiles_of_the_second_level_fill() {
    // Goal: the tile of level 1 holds the roots of 256 tiles of level 0. Method: 65536 + 1 leaves.
    let (mut tree, mut full) = (Tree::empty(), Vec::new());
    for leaf in leaves(256 * 256 + 1) {
        tree.push(leaf, &mut full);
    }
    let upper = full
        .iter()
        .find(|tile| tile.level == 1)
        .expect("one tile of level 1 is full");
    let lower = full
        .iter()
        .filter(|tile| tile.level == 0)
        .map(|t| perfect_root(&t.hashes));
    assert!(lower.eq(upper.hashes.iter().copied()));
    assert_eq!((upper.index, upper.end()), (0, 65_536));
    assert_eq!(
        tree.edge().iter().map(Vec::len).collect::<Vec<_>>(),
        [1, 0, 1]
    );
    assert_eq!(
        Tree::from_edge(tree.size(), tree.edge().to_vec()),
        Some(tree)
    );
}

#[test]
fn all_small_proofs_hold_and_bent_ones_do_not() {
    // Goal: what is made is accepted, and nothing near it is. Method: every index and size up to
    // 40, with the proof as made, each hash changed, one dropped, one added, and moved by one.
    let leaves = leaves(40);
    let memory = Memory::of(&leaves);
    for size in 1..=40_u64 {
        let Ok(root) = root(&memory, size);
        assert_eq!(root, reference_root(&leaves[..size as usize]));
        for index in 0..size {
            let Ok(proof) = inclusion_proof(&memory, index, size);
            let leaf = &leaves[index as usize];
            assert_eq!(check_inclusion(index, size, leaf, &proof, &root), Ok(()));
            assert!(check_inclusion(index + 1, size, leaf, &proof, &root).is_err());
            for bent in bent(&proof) {
                assert!(check_inclusion(index, size, leaf, &bent, &root).is_err());
            }
        }
        for old in 1..=size {
            let Ok(proof) = consistency_proof(&memory, old, size);
            let old_root = reference_root(&leaves[..old as usize]);
            assert_eq!(
                check_consistency(old, size, &proof, &old_root, &root),
                Ok(())
            );
            assert!(check_consistency(old, size, &proof, &[7; 32], &root).is_err());
            assert!(check_consistency(old, size, &proof, &old_root, &[7; 32]).is_err());
            for bent in bent(&proof) {
                assert!(check_consistency(old, size, &bent, &old_root, &root).is_err());
            }
        }
    }
    assert_eq!(
        check_consistency(0, 5, &[], &EMPTY_ROOT, &[0; 32]),
        Err(ProofError::Range)
    );
}

fn bent(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[[9; 32]]].concat(), [&[[9; 32]], proof].concat()];
    for i in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[i][31] ^= 1;
        let mut dropped = proof.to_vec();
        dropped.remove(i);
        all.extend([changed, dropped]);
    }
    all
}

type OtherTree = MemoryBackedTree<sha2::Sha256, Vec<u8>>;

fn other_root(hash: &Hash, size: u64) -> ct_merkle::RootHash<sha2::Sha256> {
    ct_merkle::RootHash::new((*hash).into(), size)
}

proptest! {
    #[test]
    fn another_implementation_agrees(
        entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..120),
        at in any::<prop::sample::Index>(),
        old in any::<prop::sample::Index>(),
    ) {
        // Goal: roots are the same, our proofs convince the other checker, its proofs ours.
        let leaves = entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>();
        let memory = Memory::of(&leaves);
        let mut other = OtherTree::new();
        for entry in &entries {
            other.push(entry.clone());
        }
        let size = entries.len() as u64;
        let Ok(root) = root(&memory, size);
        prop_assert!(other.root() == other_root(&root, size));

        let index = at.index(entries.len());
        let Ok(ours) = inclusion_proof(&memory, index as u64, size);
        let theirs = other.prove_inclusion(index);
        prop_assert_eq!(ours.concat(), theirs.as_bytes());
        prop_assert!(other_root(&root, size)
            .verify_inclusion(&entries[index], index as u64, &theirs).is_ok());

        let old = old.index(entries.len()) + 1;
        let Ok(ours) = consistency_proof(&memory, old as u64, size);
        let old_root = reference_root(&leaves[..old]);
        if old < entries.len() {
            let theirs = other.prove_consistency(entries.len() - old);
            prop_assert_eq!(ours.concat(), theirs.as_bytes());
            prop_assert!(other_root(&root, size)
                .verify_consistency(&other_root(&old_root, old as u64), &theirs).is_ok());
        }
        prop_assert_eq!(check_consistency(old as u64, size, &ours, &old_root, &root), Ok(()));
    }
}

/// The published vectors, or `None` (said aloud) where they are not at hand.
fn vectors(name: &str) -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let dir = std::env::var("POSTERN_CORPORA").unwrap_or_else(|_| beside.to_owned());
    match std::fs::read_to_string(std::path::Path::new(&dir).join(name)) {
        Ok(text) => Some(text),
        Err(error) => {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "no corpora at {dir}: {error}"
            );
            eprintln!("SKIPPED: corpora not found at {dir}");
            None
        }
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Vector {
    kind: String,
    desc: String,
    want_err: bool,
    leaf_idx: u64,
    tree_size: u64,
    size1: u64,
    size2: u64,
    start: u64,
    end: u64,
    leaf_hash: String,
    root: String,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
}

impl Vector {
    /// Whether our checker accepts it; a hash of another length is refused before it is one.
    fn accepted(&self) -> bool {
        let proof = self
            .proof
            .iter()
            .flatten()
            .map(|hash| decode(hash))
            .collect::<Option<Vec<_>>>();
        let (Some(proof), Some(accepted)) = (proof, self.kind.strip_prefix("sub")) else {
            return self.proof_of_tree();
        };
        // A subtree that begins where a tree of its own could is such a tree.
        accepted == "treeinclusion"
            && self.leaf_idx >= self.start
            && self.end > self.start
            && (self.end - self.start)
                .checked_next_power_of_two()
                .is_some_and(|width| self.start.is_multiple_of(width))
            && decode(&self.leaf_hash)
                .zip(decode(&self.root))
                .is_some_and(|(leaf, root)| {
                    let (index, size) = (self.leaf_idx - self.start, self.end - self.start);
                    check_inclusion(index, size, &leaf, &proof, &root).is_ok()
                })
    }

    fn proof_of_tree(&self) -> bool {
        let proof = self
            .proof
            .iter()
            .flatten()
            .map(|hash| decode(hash))
            .collect::<Option<Vec<_>>>();
        let Some(proof) = proof else { return false };
        if self.kind == "inclusion" {
            let hashes = decode(&self.leaf_hash).zip(decode(&self.root));
            hashes.is_some_and(|(leaf, root)| {
                check_inclusion(self.leaf_idx, self.tree_size, &leaf, &proof, &root).is_ok()
            })
        } else {
            let roots = decode(&self.root1).zip(decode(&self.root2));
            roots.is_some_and(|(old, new)| {
                check_consistency(self.size1, self.size2, &proof, &old, &new).is_ok()
            })
        }
    }
}

fn decode(base64: &str) -> Option<Hash> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(base64)
        .ok()?
        .try_into()
        .ok()
}

#[test]
fn published_vectors_are_judged_as_published() {
    // Goal: our checkers agree with the vectors of transparency-dev/merkle. Method: each row's
    // verdict. Proofs of consistency with a subtree are not made or checked here.
    let Some(text) = vectors("conformance/merkle_proofs.jsonl") else {
        return;
    };
    let mut judged = 0;
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line).expect("the corpus is JSON");
        if vector.kind != "subtreeconsistency" {
            assert_eq!(
                vector.accepted(),
                !vector.want_err,
                "{}: {}",
                vector.kind,
                vector.desc
            );
            judged += 1;
        }
    }
    assert_eq!(
        judged, 200,
        "49 of inclusion, 49 of consistency, 102 of subtree inclusion"
    );
}
