//! The way through the segments: replay each, and tell an unfinished write from damage.

use super::{Recovered, Recovery, Repair};
use crate::checkpoint::Checkpoint;
use crate::disk;
use crate::frame::{Frame, FrameFault};
use crate::options::{OpenLogError, RecoveryReport, TailCut};
use crate::replay::{FrameStop, Replay, is_torn_beginning, tail, was_durable};
use crate::segment::{Layout, SegmentHeader};
use crate::tile;

/// Something that was certainly written is not as it was.
struct Damage {
    what: String,
    /// What cannot be read from here on is set aside when the damage is accepted.
    segment: u64,
    offset: u64,
}

/// The way through the segments.
pub(super) struct Walk<'a> {
    recovery: &'a Recovery<'a>,
    signed: Option<&'a Checkpoint>,
    numbers: Vec<u64>,
    replay: Replay,
    damage: Option<Damage>,
    tail_cuts: Vec<TailCut>,
    signed_seen: bool,
    /// An entry that is not the log's own was seen.
    caller_seen: bool,
    /// Segments that are longer than their data: zeros that were prepared, or a torn end.
    too_long: Vec<Repair>,
}

impl<'a> Walk<'a> {
    /// Finds the segment that holds the last signed entry, and begins there: behind it may be
    /// segments without entries, and before those an end that was torn and not recorded yet.
    pub(super) fn new(
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
                too_long: Vec::new(),
            });
        }
        Err(OpenLogError::Damaged(
            "no segment has a readable header".to_owned(),
        ))
    }

    pub(super) fn all_segments(&mut self) -> Result<(), OpenLogError> {
        for i in 0..self.numbers.len() {
            let number = self.numbers[i];
            let path = self.recovery.layout.segment(number);
            let bytes = std::fs::read(&path).map_err(OpenLogError::io("reading a segment"))?;
            let next = self.numbers.get(i + 1).copied();
            if let Err(damage) = self.segment(number, &bytes, next)? {
                self.damage = Some(damage);
                return Ok(());
            }
            if self.replay.segment == number && self.replay.bytes < bytes.len() as u64 {
                self.too_long.push(Repair {
                    path,
                    bytes: self.replay.bytes,
                });
            }
            self.store_tiles()?;
        }
        Ok(())
    }

    fn segment(
        &mut self,
        number: u64,
        bytes: &[u8],
        next: Option<u64>,
    ) -> Result<Result<(), Damage>, OpenLogError> {
        // Beside a running writer the end may have been half written when it was read: look once
        // more. What the first look has behind it tells whether it was durable: a writer had
        // nothing there yet.
        let beside_a_writer = self.recovery.look_only && next.is_none();
        let look_again = |layout: &Layout| {
            std::fs::read(layout.segment(number)).map_err(OpenLogError::io("reading a segment"))
        };
        let (mut entered, mut again) = (self.enter(number, bytes), None);
        if entered.is_err() && beside_a_writer {
            let fresh = again.insert(look_again(self.recovery.layout)?);
            entered = self.enter(number, fresh);
        }
        if let Err(what) = entered {
            let unreadable = SegmentHeader::decode(again.as_deref().unwrap_or(bytes)).is_err();
            let torn = unreadable && !was_durable(bytes, 0);
            if torn && next.is_none() && self.reached_signed() {
                // The header itself was being written: no frame had followed.
                self.tail_cuts.extend(tail(number, 0, bytes));
                return Ok(Ok(()));
            }
            return Ok(Err(Damage {
                what: format!("segment {number}: {what}"),
                segment: number,
                offset: 0,
            }));
        }
        let bytes = again.as_deref().unwrap_or(bytes);
        let mut stop = self.frames(bytes);
        if stop.is_some() && beside_a_writer {
            stop = self.frames(&look_again(self.recovery.layout)?);
        }
        Ok(self.end(number, bytes, stop, next))
    }

    fn enter(&mut self, number: u64, bytes: &[u8]) -> Result<(), String> {
        let first = self.numbers.first() == Some(&number);
        if !first && number != self.replay.segment + 1 {
            return Err("a segment before it is missing".into());
        }
        let entered = self.replay.enter(number, bytes);
        entered.map_err(|fault| fault.to_string())
    }

    fn frames(&mut self, bytes: &[u8]) -> Option<FrameStop> {
        let (signed, signed_seen, caller_seen) =
            (self.signed, &mut self.signed_seen, &mut self.caller_seen);
        self.replay.frames(bytes, |replay, frame| {
            *signed_seen |= signed.is_some_and(|signed| agrees(signed, replay, frame));
            *caller_seen |= frame.leaves.iter().any(|leaf| leaf.leaf.by_caller);
        })
    }

    /// Judges where the frames of a segment stopped, if they did before its bytes.
    fn end(
        &mut self,
        number: u64,
        bytes: &[u8],
        stop: Option<FrameStop>,
        next: Option<u64>,
    ) -> Result<(), Damage> {
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
        if self.recovery.look_only {
            return Ok(());
        }
        tiles.retain(|tile| {
            !matches!(tile::load(dir, tile.level, tile.index), Ok(Some(h)) if h == tile.hashes)
        });
        tile::store(self.recovery.disk, dir, &tiles).map_err(OpenLogError::io("storing tiles"))
    }

    /// Weighs what was found.
    pub(super) fn finish(mut self, mut accepted: Vec<String>) -> Result<Recovered, OpenLogError> {
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
    fn repairs(&mut self, damage: Option<&Damage>) -> Result<Vec<Repair>, OpenLogError> {
        if self.recovery.look_only {
            return Ok(Vec::new());
        }
        let layout = self.recovery.layout;
        let mut repairs = std::mem::take(&mut self.too_long);
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

#[cfg(test)]
mod tests;
