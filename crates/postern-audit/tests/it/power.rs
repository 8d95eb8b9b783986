//! Loss of power: of what was written and not yet synced, any part may be gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use postern_audit::{Disk, DiskFile, Durability, LogNote, LogOptions, RealDisk};

use crate::support::{
    Dice, append, check, entry, open, open_with, options, read_all, temp_dir, wait,
};

/// Bytes that a write covered, as they were before it.
struct Undo {
    path: PathBuf,
    offset: u64,
    before: Vec<u8>,
}

/// The open files, by a number of our own.
#[derive(Default)]
struct Volatile {
    next: u64,
    paths: BTreeMap<u64, PathBuf>,
    /// The writes to each file since its last sync.
    unsynced: BTreeMap<u64, Vec<Undo>>,
}

/// Remembers how to take back what was not synced.
#[derive(Clone, Default)]
struct VolatileDisk(Arc<Mutex<Volatile>>);

struct VolatileFile {
    disk: VolatileDisk,
    id: u64,
    file: Box<dyn DiskFile>,
}

impl VolatileDisk {
    fn state(&self) -> MutexGuard<'_, Volatile> {
        self.0.lock().expect("no panic")
    }

    fn file(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.paths.insert(id, path.to_owned());
        Box::new(VolatileFile {
            disk: self.clone(),
            id,
            file,
        })
    }
}

impl Disk for VolatileDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(path, RealDisk.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(path, RealDisk.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)?;
        for path in self.state().paths.values_mut().filter(|path| *path == from) {
            to.clone_into(path);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
}

impl DiskFile for VolatileFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let path = state.paths[&self.id].clone();
        let start = usize::try_from(offset).expect("small");
        let mut before = std::fs::read(&path)?;
        before.resize(before.len().max(start + bytes.len()), 0);
        let before = before[start..start + bytes.len()].to_vec();
        state.unsynced.entry(self.id).or_default().push(Undo {
            path,
            offset,
            before,
        });
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().unsynced.remove(&self.id);
        self.file.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
}

#[test]
fn what_was_durable_survives_any_loss_of_power() {
    // Goal: entries acknowledged as durable are there, and the log opens without damage, whatever
    // part of the unsynced writes is lost, also when a later one stays and an earlier one goes.
    // Method: copy the files of a running log, and take back some of the unsynced writes, whole or
    // from the middle on, as the dice say.
    let mut dice = Dice(7);
    let (mut cuts, mut lost) = (0, 0);
    for round in 0..120 {
        let dir = temp_dir();
        let disk = VolatileDisk::default();
        let volatile = LogOptions {
            disk: Arc::new(disk.clone()),
            ..options()
        };
        let (log, _) = open_with(dir.path(), volatile).expect("opens");
        let mut durable = Vec::new();
        for i in 0..10 + dice.roll(30) {
            let level = if dice.roll(6) == 0 {
                Durability::Durable
            } else {
                Durability::Buffered
            };
            let seq = append(&log, entry("dev", i), level).seq;
            if level == Durability::Durable {
                durable.push((seq, i));
            }
        }
        let copy = temp_dir();
        {
            // While this is held nothing is written or synced: the moment at which power goes.
            let state = disk.state();
            crate::support::copy_dir(dir.path(), copy.path());
            for undo in state.unsynced.values().flatten() {
                lost += u64::from(take_back(undo, dir.path(), copy.path(), &mut dice));
            }
        }
        drop(log);
        let (log, report) = open_with(copy.path(), options())
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        cuts += usize::from(!report.tail_cuts.is_empty());
        wait(log.close()).expect("closes");
        let entries = read_all(copy.path());
        for (seq, i) in durable {
            let read = &entries[usize::try_from(seq).expect("small")];
            assert_eq!(
                read.body,
                Ok(entry("dev", i).body),
                "round {round}, entry {seq}"
            );
        }
        let report = check(copy.path(), None);
        assert!(report.is_sound(), "round {round}: {report}");
    }
    assert!(
        lost > 100 && cuts > 20,
        "the test takes nothing away: {lost} writes, {cuts} cuts"
    );
}

/// Takes back a write in the copy, or half of it, or none of it.
fn take_back(undo: &Undo, from: &Path, copy: &Path, dice: &mut Dice) -> bool {
    let roll = dice.roll(3);
    let path = copy.join(undo.path.strip_prefix(from).expect("lies in the log"));
    let (Ok(mut bytes), false) = (std::fs::read(&path), roll == 0) else {
        return false;
    };
    let start = usize::try_from(undo.offset).expect("small");
    let keep = if roll == 1 { 0 } else { undo.before.len() / 2 };
    let range = start + keep..start + undo.before.len();
    if bytes.len() < range.end {
        return false;
    }
    bytes[range].copy_from_slice(&undo.before[keep..]);
    std::fs::write(path, bytes).expect("writes");
    true
}

#[test]
fn a_torn_end_is_cut_and_the_cut_is_an_entry() {
    // Goal: the unfinished write at the end is cut off, and an entry says where, how long, and with
    // what hash; never silently. Method: put half a frame's worth of bytes behind the last frame.
    let dir = temp_dir();
    let (log, _) = open(dir.path());
    for i in 0..5 {
        append(&log, entry("dev", i), Durability::Durable);
    }
    drop(log);
    let path = crate::support::segment_files(dir.path())
        .pop()
        .expect("one segment");
    let mut bytes = std::fs::read(&path).expect("reads");
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("it holds frames")
        + 1;
    let torn = b"PFR1 and some bytes of a frame that was never finished";
    bytes[end..end + torn.len()].copy_from_slice(torn);
    std::fs::write(&path, bytes).expect("writes");

    let report = check(dir.path(), None);
    assert!(report.is_sound(), "no signed entry is concerned: {report}");
    assert!(report.unfinished_tail.is_some());
    let (log, report) = open(dir.path());
    let cut = report.tail_cuts.first().cloned().expect("it was cut");
    assert_eq!(
        (cut.segment, cut.offset, cut.bytes),
        (0, end as u64, torn.len() as u64)
    );
    assert_eq!(
        cut.sha256[..],
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, torn).as_ref()[..]
    );
    wait(log.close()).expect("closes");
    assert_eq!(
        std::fs::metadata(&path).expect("is there").len(),
        end as u64
    );
    let recorded = read_all(dir.path())
        .into_iter()
        .filter_map(|entry| entry.note);
    assert!(
        recorded
            .into_iter()
            .any(|note| note == LogNote::TailCut(cut.clone()))
    );
    assert!(check(dir.path(), None).is_sound());
}
