//! Recovery: the normal way to open a log, after a clean close as after a crash.
//!
//! The segments from the last signed size on are replayed. What then stands at the end and is not a
//! whole frame was never acknowledged as durable; it is cut off, and the cut becomes an entry. What
//! was certainly durable and is now unreadable, changed or gone is damage: the log stays closed,
//! unless the operator says to go on, and that becomes an entry too.
//!
//! Nothing is cut before the entry that says so is durable: see [`Repair`].

use std::path::PathBuf;

use crate::bounds::NOTE_BYTES_MAX;
use crate::checkpoint::Checkpoint;
use crate::disk::{self, Disk};
use crate::frame::{Frame, FrameFault};
use crate::note::VerifyingKey;
use crate::options::{OpenLogError, RecoveryReport, TailCut};
use crate::replay::{FrameStop, Replay, is_torn_beginning, tail, was_durable};
use crate::segment::{Layout, SegmentHeader};
use crate::tile;

/// Where to go on, and what was found.
pub(crate) struct Recovered {
    pub(crate) replay: Replay,
    pub(crate) report: RecoveryReport,
    /// To be done when the new segment, with its entries about it, is durable.
    pub(crate) repairs: Vec<Repair>,
}

/// Bytes to be cut off a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// Something that was certainly written is not as it was.
struct Damage {
    what: String,
    /// What cannot be read from here on is set aside when the damage is accepted.
    segment: u64,
    offset: u64,
}

pub(crate) struct Recovery<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) key: &'a VerifyingKey,
    pub(crate) signed_size: PathBuf,
    pub(crate) accept_damage: bool,
}

/// Reads a signed checkpoint from a file. `None` if there is no such file.
pub(crate) fn read_checkpoint(
    path: &std::path::Path,
    key: &VerifyingKey,
) -> std::io::Result<Option<Result<Checkpoint, String>>> {
    let note = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(file) if file.len() > NOTE_BYTES_MAX => return Ok(Some(Err("it is too long".into()))),
        Ok(_) => std::fs::read(path)?,
    };
    let parsed = String::from_utf8(note)
        .map_err(|_| "it is not text".to_owned())
        .and_then(|note| Checkpoint::parse(&note, key).map_err(|error| with_source(&error)));
    Ok(Some(parsed))
}

/// An error with its cause, in one line.
pub(crate) fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl Recovery<'_> {
    /// Replays what is there. `None` if nothing was ever written and signed.
    pub(crate) fn run(&self) -> Result<Option<Recovered>, OpenLogError> {
        let mut damage = Vec::new();
        let signed = self.signed(&mut damage)?;
        let numbers = self.numbers_with_data()?;
        if numbers.is_empty() {
            return match (signed, damage.is_empty()) {
                (None, true) => Ok(None),
                (signed, _) => Err(OpenLogError::RolledBack {
                    signed: signed.map_or(0, |signed| signed.size()),
                    found: 0,
                }),
            };
        }
        if signed.is_none() && damage.is_empty() && self.remove_torn_beginning(&numbers)? {
            return Ok(None);
        }
        self.refuse_unless_accepted(&damage)?;
        let mut walk = Walk::new(self, &numbers, signed.as_ref())?;
        walk.all_segments()?;
        walk.finish(damage).map(Some)
    }

    /// The size that was signed last.
    fn signed(&self, damage: &mut Vec<String>) -> Result<Option<Checkpoint>, OpenLogError> {
        let read = read_checkpoint(&self.signed_size, self.key);
        match read.map_err(OpenLogError::io("reading the signed size"))? {
            None => Ok(None),
            Some(Ok(checkpoint)) => Ok(Some(checkpoint)),
            Some(Err(why)) => {
                damage.push(format!("the signed size is not to be relied on: {why}"));
                Ok(None)
            }
        }
    }

    /// Whether the only segment was cut off while its header was written. Nothing was ever in it.
    fn remove_torn_beginning(&self, numbers: &[u64]) -> Result<bool, OpenLogError> {
        let [only] = numbers else { return Ok(false) };
        let path = self.layout.segment(*only);
        if !is_torn_beginning(&path).map_err(OpenLogError::io("reading a segment"))? {
            return Ok(false);
        }
        self.disk
            .remove(&path)
            .map_err(OpenLogError::io("removing an empty segment"))?;
        Ok(true)
    }

    fn refuse_unless_accepted(&self, damage: &[String]) -> Result<(), OpenLogError> {
        if damage.is_empty() || self.accept_damage {
            return Ok(());
        }
        Err(OpenLogError::Damaged(damage.join("; ")))
    }

    /// The segments, without a last one that was created and never begun.
    fn numbers_with_data(&self) -> Result<Vec<u64>, OpenLogError> {
        let io = OpenLogError::io("listing the segments");
        let mut numbers = self.layout.segment_numbers().map_err(io)?;
        while let Some(last) = numbers.last() {
            let path = self.layout.segment(*last);
            let bytes = std::fs::read(&path).map_err(OpenLogError::io("reading a segment"))?;
            if bytes.iter().any(|byte| *byte != 0) {
                break;
            }
            // A crash between the rename and the header left it: there is nothing to lose.
            let io = OpenLogError::io("removing an empty segment");
            self.disk.remove(&path).map_err(io)?;
            numbers.pop();
        }
        Ok(numbers)
    }
}

/// The way through the segments.
struct Walk<'a> {
    recovery: &'a Recovery<'a>,
    signed: Option<&'a Checkpoint>,
    numbers: Vec<u64>,
    replay: Replay,
    damage: Option<Damage>,
    tail_cuts: Vec<TailCut>,
    signed_seen: bool,
    /// An entry that is not the log's own was seen.
    caller_seen: bool,
}

impl<'a> Walk<'a> {
    /// Finds the segment that holds the last signed entry, and begins there: behind it may be
    /// segments without entries, and before those an end that was torn and not recorded yet.
    fn new(
        recovery: &'a Recovery<'a>,
        numbers: &[u64],
        signed: Option<&'a Checkpoint>,
    ) -> Result<Self, OpenLogError> {
        let size = signed.map_or(0, Checkpoint::size);
        let io = OpenLogError::io("reading a segment's header");
        for (i, number) in numbers.iter().enumerate().rev() {
            let header = SegmentHeader::read(&recovery.layout.segment(*number)).map_err(&io)?;
            let Ok((header, ..)) = header else { continue };
            if header.first_seq >= size && i > 0 {
                continue;
            }
            let replay = Replay::from_header(&header);
            let replay = replay.map_err(|fault| OpenLogError::Damaged(fault.to_string()))?;
            return Ok(Self {
                recovery,
                signed,
                numbers: numbers[i..].to_vec(),
                signed_seen: size == 0,
                replay,
                damage: None,
                tail_cuts: Vec::new(),
                caller_seen: false,
            });
        }
        Err(OpenLogError::Damaged(
            "no segment has a readable header".to_owned(),
        ))
    }

    fn all_segments(&mut self) -> Result<(), OpenLogError> {
        for i in 0..self.numbers.len() {
            let number = self.numbers[i];
            let path = self.recovery.layout.segment(number);
            let bytes = std::fs::read(&path).map_err(OpenLogError::io("reading a segment"))?;
            let next = self.numbers.get(i + 1).copied();
            if let Err(damage) = self.segment(number, &bytes, next) {
                self.damage = Some(damage);
                return Ok(());
            }
            self.store_tiles()?;
        }
        Ok(())
    }

    fn segment(&mut self, number: u64, bytes: &[u8], next: Option<u64>) -> Result<(), Damage> {
        let first = self.numbers.first() == Some(&number);
        let follows = first || number == self.replay.segment + 1;
        let entered = self
            .replay
            .enter(number, bytes)
            .map_err(|fault| fault.to_string());
        let entered = if follows {
            entered
        } else {
            Err("a segment before it is missing".into())
        };
        if let Err(what) = entered {
            if next.is_none() && !was_durable(bytes, 0) && self.reached_signed() {
                // The header itself was being written: no frame had followed.
                self.tail_cuts.extend(tail(number, 0, bytes));
                return Ok(());
            }
            return Err(Damage {
                what: format!("segment {number}: {what}"),
                segment: number,
                offset: 0,
            });
        }
        let (signed, signed_seen, caller_seen) =
            (self.signed, &mut self.signed_seen, &mut self.caller_seen);
        let stop = self.replay.frames(bytes, |replay, frame| {
            *signed_seen |= signed.is_some_and(|signed| agrees(signed, replay, frame));
            *caller_seen |= frame.leaves.iter().any(|leaf| leaf.leaf.by_caller);
        });
        match (stop, next) {
            (None, _) => Ok(()),
            (Some(stop), Some(next)) if self.ends_here(next) => {
                debug_assert_eq!(stop.offset, self.replay.bytes, "frames stop where they end");
                self.replay.note_excess(bytes);
                Ok(())
            }
            (Some(stop), next)
                if self.is_unfinished_write(&stop, bytes) && self.nothing_follows(next) =>
            {
                self.tail_cuts.extend(tail(number, stop.offset, bytes));
                Ok(())
            }
            (Some(stop), _) => {
                let FrameStop { offset, fault, seq } = stop;
                let what = format!("segment {number}, byte {offset}, entry {seq}: {fault}");
                Err(Damage {
                    what,
                    segment: number,
                    offset,
                })
            }
        }
    }

    /// Whether segment `next` says that the current one ends where its frames do.
    fn ends_here(&self, next: u64) -> bool {
        let header = SegmentHeader::read(&self.recovery.layout.segment(next));
        matches!(header, Ok(Ok((header, ..))) if header.prev_bytes == self.replay.bytes)
    }

    /// Whether there is no next segment, or one that was left while it was being begun.
    fn nothing_follows(&self, next: Option<u64>) -> bool {
        let Some(next) = next else { return true };
        let torn = is_torn_beginning(&self.recovery.layout.segment(next));
        self.numbers.last() == Some(&next) && torn.unwrap_or(false)
    }

    fn is_unfinished_write(&self, stop: &FrameStop, bytes: &[u8]) -> bool {
        let torn = match stop.fault {
            FrameFault::Absent | FrameFault::Short | FrameFault::Hash | FrameFault::Form => true,
            // The bytes are whole, so they were written like this.
            FrameFault::Order | FrameFault::Chain | FrameFault::Root => false,
        };
        torn && self.reached_signed() && !was_durable(bytes, stop.offset)
    }

    fn reached_signed(&self) -> bool {
        self.signed
            .is_none_or(|signed| signed.size() <= self.replay.tree.size())
    }

    /// Stores the tiles that the replayed segments fill; a crash may have come before they were.
    fn store_tiles(&mut self) -> Result<(), OpenLogError> {
        let dir = self.recovery.layout.dir();
        let mut tiles = std::mem::take(&mut self.replay.tiles);
        tiles.retain(|tile| {
            !matches!(tile::load(dir, tile.level, tile.index), Ok(Some(h)) if h == tile.hashes)
        });
        tile::store(self.recovery.disk, dir, &tiles).map_err(OpenLogError::io("storing tiles"))
    }

    /// Weighs what was found.
    fn finish(mut self, mut accepted: Vec<String>) -> Result<Recovered, OpenLogError> {
        let damage = self.damage.take();
        accepted.extend(damage.iter().map(|damage| damage.what.clone()));
        for TailCut {
            segment,
            offset,
            bytes,
            ..
        } in self.replay.unexplained_excess()
        {
            accepted.push(format!(
                "{bytes} bytes after the end of segment {segment} at {offset}"
            ));
        }
        self.tail_cuts
            .extend(self.replay.unrecorded_excess().cloned());
        if let Some(signed) = self.signed {
            let found = self.replay.tree.size();
            if signed.size() > found && accepted.is_empty() {
                if !self.recovery.accept_damage {
                    return Err(OpenLogError::RolledBack {
                        signed: signed.size(),
                        found,
                    });
                }
                accepted.push(format!(
                    "{} entries were signed, {found} are there",
                    signed.size()
                ));
            } else if signed.size() <= found && !self.signed_seen {
                accepted.push(format!(
                    "the first {} entries are not those signed",
                    signed.size()
                ));
            }
        } else if self.caller_seen && accepted.is_empty() {
            // The first signature is made before the first entry of a caller is taken.
            accepted.push("the signed size is missing".to_owned());
        }
        self.recovery.refuse_unless_accepted(&accepted)?;
        let repairs = self.repairs(damage.as_ref())?;
        let size = self.replay.tree.size();
        let report = RecoveryReport {
            created: false,
            clean: self.replay.closed && self.tail_cuts.is_empty() && accepted.is_empty(),
            size,
            last_clean_seq: if self.replay.closed {
                size
            } else {
                self.replay.settled
            },
            tail_cuts: self.tail_cuts,
            damage_accepted: (!accepted.is_empty()).then(|| accepted.join("; ")),
        };
        Ok(Recovered {
            replay: self.replay,
            report,
            repairs,
        })
    }

    /// Sets unreadable parts aside, and says what is to be cut once that is recorded.
    fn repairs(&self, damage: Option<&Damage>) -> Result<Vec<Repair>, OpenLogError> {
        let layout = self.recovery.layout;
        let mut repairs = Vec::new();
        if let Some(damage) = damage {
            self.set_aside(damage)
                .map_err(OpenLogError::io("setting damaged bytes aside"))?;
            if damage.offset > 0 {
                let path = layout.segment(damage.segment);
                repairs.push(Repair {
                    path,
                    bytes: damage.offset,
                });
            }
        }
        for cut in self.tail_cuts.iter().filter(|cut| cut.offset == 0) {
            // The new segment takes the number: the torn header steps aside for it.
            let path = layout.segment(cut.segment);
            let aside = path.with_extension("cut");
            self.recovery
                .disk
                .rename(&path, &aside)
                .map_err(OpenLogError::io("renaming"))?;
        }
        let torn = self.tail_cuts.iter().filter(|cut| cut.offset > 0);
        let excess = self
            .replay
            .unexplained_excess()
            .chain(self.replay.recorded_excess());
        for cut in torn.chain(excess) {
            repairs.push(Repair {
                path: layout.segment(cut.segment),
                bytes: cut.offset,
            });
        }
        Ok(repairs)
    }

    /// Keeps what cannot be read beside the log, under names that no segment has.
    fn set_aside(&self, damage: &Damage) -> std::io::Result<()> {
        let Recovery { layout, disk, .. } = self.recovery;
        for number in self
            .numbers
            .iter()
            .filter(|number| **number >= damage.segment)
        {
            let path = layout.segment(*number);
            let aside = path.with_extension("damaged");
            if *number == damage.segment && damage.offset > 0 {
                let bytes = std::fs::read(&path)?;
                let start = usize::try_from(damage.offset).unwrap_or(bytes.len());
                disk::replace(*disk, &aside, &bytes[start..])?;
            } else {
                disk.rename(&path, &aside)?;
            }
        }
        disk.sync_dir(&layout.segments())
    }
}

/// Whether the log at this frame is what was signed.
fn agrees(signed: &Checkpoint, replay: &Replay, frame: &Frame<'_>) -> bool {
    signed.size() == replay.tree.size()
        && *signed.root() == replay.tree.root()
        && signed
            .frames()
            .is_none_or(|mark| mark.segment == replay.segment && mark.hash == frame.hash)
}
