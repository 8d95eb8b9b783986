//! The example of `docs/audit-format.md`, made by the real code: the page and the code must agree.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;

use crate::checkpoint::{Checkpoint, FrameMark};
use crate::frame::{FrameBlock, FrameBuilder, FrameHeader};
use crate::leaf::{Leaf, LogNote, NO_BODY};
use crate::note::{SigningKey, hex};
use crate::seal::{BlockPlace, DataKey, DomainKey, FileIdentity};
use crate::segment::SegmentHeader;
use crate::tree::{Hash, Tree, leaf_hash, sha256};
use crate::verify::check_segment;

/// `N` bytes that count up from `first`.
const fn count<const N: usize>(first: u8) -> [u8; N] {
    let mut bytes = [first; N];
    let mut i = 1;
    while i < N {
        bytes[i] = bytes[i - 1] + 1;
        i += 1;
    }
    bytes
}

struct Example {
    parts: Vec<(&'static str, String)>,
    segment: Vec<u8>,
}

const FILE: FileIdentity = FileIdentity {
    log_id: count(0),
    segment: 0,
    boot_id: count(16),
    salt: count(32),
};

/// Builds a segment of one frame with two entries, from nothing random.
fn example() -> Example {
    let header = SegmentHeader {
        file: FILE,
        first_seq: 0,
        settled: 0,
        prev_bytes: 0,
        prev_hash: [0; 32],
        edge: Vec::new(),
    };
    let (header_bytes, header_hash) = header.encode();
    let salted = [&count::<16>(128)[..], b"hello, auditor"].concat();
    let leaves = leaves(&sha256(&salted));
    let hashes = leaves.each_ref().map(|leaf| leaf_hash(leaf));
    let (mut tree, mut tiles) = (Tree::empty(), Vec::new());
    hashes.iter().for_each(|hash| tree.push(*hash, &mut tiles));

    let plain = [&14_u32.to_be_bytes()[..], &salted].concat();
    let mut builder = FrameBuilder::default();
    builder.begin();
    leaves
        .iter()
        .zip(&hashes)
        .for_each(|(leaf, hash)| builder.leaf(leaf, hash));
    let sealed = seal_into(&mut builder, &plain);
    let (frame, frame_hash) = builder.finish(frame_header(header_hash, tree.root()));

    let signing = SigningKey::from_seed("example.org/audit", &count(96)).expect("a good name");
    let mark = FrameMark {
        segment: 0,
        hash: frame_hash,
    };
    let checkpoint = Checkpoint::sign(&signing, 2, tree.root(), Some(mark));
    let segment = [&header_bytes, frame].concat();
    let parts = vec![
        ("segment header", hex(&header_bytes)),
        ("leaf 0", hex(&leaves[0])),
        ("leaf hash 0", hex(&hashes[0])),
        ("leaf 1", hex(&leaves[1])),
        ("leaf hash 1", hex(&hashes[1])),
        ("root", hex(&tree.root())),
        ("block, before sealing", hex(&plain)),
        ("block, sealed", hex(&sealed)),
        ("frame", hex(frame)),
        ("verification key", signing.verifying_key().to_string()),
        ("checkpoint", checkpoint.note().to_owned()),
    ];
    Example { parts, segment }
}

/// The note of the opening, and an entry of `dev` with this commitment.
fn leaves(commit: &Hash) -> [Vec<u8>; 2] {
    let opened = LogNote::Opened { boot: FILE.boot_id }.encode();
    let note = Leaf {
        by_caller: false,
        domain: "",
        header: opened.as_bytes(),
        body_commit: &NO_BODY,
    };
    let header = b"GET /v1/models";
    let entry = Leaf {
        by_caller: true,
        domain: "dev",
        header,
        body_commit: commit,
    };
    [note, entry].map(|leaf| {
        let mut bytes = Vec::new();
        leaf.encode(&mut bytes);
        bytes
    })
}

/// Seals a block of `dev` and adds it to the frame.
fn seal_into(builder: &mut FrameBuilder, plain: &[u8]) -> Vec<u8> {
    let (domain, key_version, compressed) = ("dev", 1, false);
    let plain_bytes = u32::try_from(plain.len()).expect("short");
    let place = BlockPlace {
        frame: 0,
        first_seq: 0,
        domain,
        key_version,
        compressed,
        plain_bytes,
    };
    let domain_key = DomainKey {
        version: key_version,
        key: count(64).into(),
    };
    let mut sealed = plain.to_vec();
    DataKey::derive(&FILE, domain, &domain_key).seal(&place, &mut sealed);
    builder.block(&FrameBlock {
        domain,
        key_version,
        compressed,
        plain_bytes,
        sealed: &sealed,
    });
    sealed
}

/// The counts and lengths are the builder's to fill in.
fn frame_header(prev_hash: Hash, root_after: Hash) -> FrameHeader {
    FrameHeader {
        bytes: 0,
        number: 0,
        entries: 0,
        first_seq: 0,
        synced_bytes: 0,
        settled: 0,
        leaves_bytes: 0,
        blocks: 0,
        prev_hash,
        root_after,
    }
}

#[test]
fn the_page_and_the_code_agree() {
    // Goal: whoever writes a verifier from the page gets the bytes of the product. Method: each
    // part of the example is on the page as the code makes it.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-format.md");
    let page = std::fs::read_to_string(path).expect("the page is there");
    let page = page.split_whitespace().collect::<String>();
    let mut missing = String::new();
    for (name, value) in example().parts {
        if !page.contains(&value.split_whitespace().collect::<String>()) {
            writeln!(missing, "{name}:\n{value}\n").expect("strings grow");
        }
    }
    assert!(
        missing.is_empty(),
        "not in docs/audit-format.md:\n{missing}"
    );
}

#[test]
fn the_example_is_a_good_segment() {
    let Example { segment, .. } = example();
    let check = check_segment(&segment).expect("it has a header");
    assert_eq!(
        (check.entries, check.bytes, check.fault),
        (2, segment.len() as u64, None)
    );

    assert!(segment.starts_with(b"PSTNSEG1"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_checker_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        mended in any::<bool>(),
    ) {
        // Goal: hostile files are refused in good order. Method: change and cut the example; in
        // half of the cases mend its hashes, so that the numbers inside are believed.
        let Example { mut segment, .. } = example();
        for (at, value) in edits {
            let at = at.index(segment.len());
            segment[at] = value;
        }
        if mended {
            mend(&mut segment);
        } else {
            segment.truncate(cut.index(segment.len() + 1));
        }
        let check = check_segment(&segment);
        prop_assert!(check.is_none_or(|check| check.bytes <= segment.len() as u64));
    }
}

/// Puts right the hashes of the header, of the frame, and of the frame's way back to the header.
fn mend(segment: &mut [u8]) {
    let header_hash = sha256(&segment[..144]);
    segment[144..176].copy_from_slice(&header_hash);
    segment[176 + 48..176 + 80].copy_from_slice(&header_hash);
    let trailer = segment.len() - 32;
    let frame_hash = sha256(&segment[176..trailer]);
    segment[trailer..].copy_from_slice(&frame_hash);
}
