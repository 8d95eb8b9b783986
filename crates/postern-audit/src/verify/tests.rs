use std::sync::Arc;

use super::*;
use crate::frame::FrameHeader;
use crate::seal::tests::NoKeys;
use crate::{Durability, Entry, Log, LogOptions, SigningKey, SlotPool};

/// A log that is being written to, begun anew so many times, and its key. Each time it got a few
/// frames, each of which was durable before the next one was written.
pub(crate) fn running(dir: &Path, boots: usize) -> (Log, VerifyingKey) {
    let boot = || {
        let signing = SigningKey::from_seed("test.example/audit", &[7; 32]).expect("is named");
        let key = signing.verifying_key();
        let options = LogOptions {
            create: true,
            segment_bytes: 64 * 1024,
            ..LogOptions::default()
        };
        let (log, _) = Log::open(dir, Arc::new(NoKeys), signing, options).expect("opens");
        for _ in 0..3 {
            append(&log);
        }
        (log, key)
    };
    for _ in 1..boots {
        drop(boot());
    }
    boot()
}

fn append(log: &Log) {
    let mut slots = log.reserve(SlotPool::Control, 1).expect("there is room");
    let entry = Entry {
        domain: "dev".into(),
        header: vec![1],
        body: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let appended = log.append(&mut slots, entry, Durability::Durable);
    runtime
        .expect("is built")
        .block_on(appended)
        .expect("is durable");
}

/// What a reader gets that reads page by page while the writer is at work: the bytes of one frame
/// are not there yet, those of the frames behind it are. `None` stands for the header.
pub(crate) fn half_written(bytes: &[u8], frame: Option<usize>) -> Vec<u8> {
    let (_, mut end, _) = SegmentHeader::decode(bytes).expect("has a header");
    let mut begin = 0;
    for _ in 0..frame.map_or(0, |frame| frame + 1) {
        begin = end;
        let header = FrameHeader::decode(&bytes[begin..]).expect("a frame");
        end = begin + header.bytes as usize;
    }
    let mut half = bytes.to_vec();
    half[begin..end].fill(0);
    half
}

#[test]
fn a_segment_that_is_read_while_it_is_written_is_no_damage() {
    // Goal: no alarm beside a running writer. Method: the newest segment as a reader gets it whose
    // first look fell between the writes of two frames, or before that of the header.
    let dir = tempfile::tempdir().expect("a directory");
    let (_log, key) = running(dir.path(), 2);
    let segment = |number| {
        let layout = Layout::new(dir.path());
        std::fs::read(layout.segment(number)).expect("reads")
    };
    for missing in [Some(1), Some(0), None] {
        let mut verifier = Verifier::new(dir.path(), &key, None);
        let sound = verifier.segment(0, &segment(0), Some(1));
        assert!(sound.expect("reads"));
        let half = half_written(&segment(1), missing);
        let sound = verifier.segment(1, &half, None).expect("reads");
        let report = verifier.report();
        assert!(sound && report.is_sound(), "{missing:?}: {report}");
    }
}

#[test]
fn what_is_missing_in_a_durable_segment_is_damage_at_the_second_look_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, key) = running(dir.path(), 2);
    drop(log);
    let path = Layout::new(dir.path()).segment(1);
    let whole = std::fs::read(&path).expect("reads");
    for missing in [Some(1), Some(0), None] {
        std::fs::write(&path, half_written(&whole, missing)).expect("writes");
        let report = verify(dir.path(), &key, None, &mut |_, _| {});
        assert!(!report.is_sound(), "{missing:?}: {report}");
        let opened = crate::check_openable(dir.path(), &key, None);
        assert!(opened.is_err(), "{missing:?}");
    }
}
