//! Cutting an answer in two at every byte.
//!
//! To send each cut to its end would cost the square of the answer. So the answer is taken apart at
//! the places where something goes on (the ends of its events), and each cut is followed from the
//! place before it to the one behind it: there the same must have gone on, and the reader must be
//! in the state in which the uncut answer left it. From equal states equal bytes give equal ends.

use bytes::Bytes;

use crate::{Cleaner, ResponseOptions, ResponseReader};

/// Cuts inside a stretch of so many bytes are made at every byte.
const EVERY_BYTE_MAX: usize = 1024;

/// In a longer stretch, so many bytes at its start and at its end are cut at every byte.
const EDGE_BYTES: usize = 256;

/// What was cut.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cuts {
    /// Cuts that were made.
    pub made: usize,
    /// Places that were passed over, inside long events.
    pub left_out: usize,
}

/// Cuts an answer in two at every byte; in the middle of an event of over 1 KiB, at as many places
/// as such an event has cuts otherwise. The encoding must be the identity.
///
/// # Panics
/// When a cut changes what goes on.
#[must_use]
pub fn cut_in_two(options: &ResponseOptions<'_>, cleaner: &Cleaner, bytes: &[u8]) -> Cuts {
    let fresh = || ResponseReader::new(options, Some(cleaner.clone()));
    let mut cuts = Cuts::default();
    let (mut reader, mut start) = (fresh(), 0);
    let ends = stretches(fresh(), bytes);
    for end in ends.into_iter().chain([bytes.len()]) {
        let stretch = &bytes[start..end];
        let mut whole = reader.fork().expect("nothing is decoded");
        let expected = push(&mut whole, &[stretch]);
        let state = whole.state();
        for cut in 1..stretch.len() {
            if !is_cut(cut, stretch.len()) {
                cuts.left_out += 1;
                continue;
            }
            let mut fork = reader.fork().expect("nothing is decoded");
            let (first, second) = stretch.split_at(cut);
            let given = push(&mut fork, &[first, second]);
            assert!(given == expected, "cut at {}", start + cut);
            assert!(fork.state() == state, "cut at {}: the state", start + cut);
            if end == bytes.len() {
                // An event that is not whole is known by its end alone.
                let mut whole = whole.fork().expect("nothing is decoded");
                let same = finish(&mut fork) == finish(&mut whole);
                assert!(same, "cut at {}: the end", start + cut);
            }
            cuts.made += 1;
        }
        (reader, start) = (whole, end);
    }
    cuts
}

/// The places in an answer behind which something went on when it came byte by byte.
fn stretches(mut reader: ResponseReader, bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    for (at, byte) in bytes.chunks(1).enumerate() {
        let (given, failed) = push(&mut reader, &[byte]);
        if !given.is_empty() {
            ends.push(at + 1);
        }
        if failed {
            break;
        }
    }
    ends
}

/// What goes on of the next pieces, and whether the answer ended with an error.
fn push(reader: &mut ResponseReader, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut push = |piece: &&[u8]| reader.push(Bytes::copy_from_slice(piece), &mut out);
    let failed = pieces.iter().map(&mut push).any(|pushed| pushed.is_err());
    (out.concat(), failed)
}

/// What goes on when the answer ends, and whether that is an error.
fn finish(reader: &mut ResponseReader) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let failed = reader.finish(&mut out).is_err();
    (out.concat(), failed)
}

fn is_cut(cut: usize, length: usize) -> bool {
    let every = length.div_ceil(EVERY_BYTE_MAX);
    cut < EDGE_BYTES || length - cut < EDGE_BYTES || cut.is_multiple_of(every)
}
