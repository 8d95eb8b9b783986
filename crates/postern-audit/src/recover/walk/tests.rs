use super::*;
use crate::disk::RealDisk;
use crate::verify::tests::{half_written, running};

#[test]
fn a_segment_that_is_read_while_it_is_written_would_open() {
    // Goal: `check` gives no alarm beside a running writer. Method: the newest segment as a reader
    // gets it whose first look fell between the writes of two frames, or before that of the header.
    let dir = tempfile::tempdir().expect("a directory");
    let (_log, key) = running(dir.path(), 2);
    let layout = Layout::new(dir.path());
    let recovery = Recovery {
        layout: &layout,
        disk: &RealDisk,
        key: &key,
        signed_size: layout.signed_size(),
        accept_damage: false,
        look_only: true,
    };
    let read = |number| std::fs::read(layout.segment(number)).expect("reads");
    for missing in [Some(1), Some(0), None] {
        let mut walk = Walk::new(&recovery, &[0, 1], None).expect("begins");
        let first = walk.segment(0, &read(0), Some(1)).expect("reads");
        assert!(first.is_ok());
        let half = half_written(&read(1), missing);
        let second = walk.segment(1, &half, None).expect("reads");
        assert!(
            second.is_ok(),
            "{missing:?}: {}",
            second.err().map_or(String::new(), |d| d.what)
        );
        assert_eq!(walk.replay.tree.size(), 8, "{missing:?}");
    }
}
