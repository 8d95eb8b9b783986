//! Verification, offline and without any sealing key.
//!
//! All segments are replayed: frame hashes, the chain of frames, the tree; the stored tiles are
//! compared, and the signed sizes that can be had. What no verifier can see from the files alone is
//! said, not passed over.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::frame::{Frame, FrameFault};
use crate::note::VerifyingKey;
use crate::options::TailCut;
use crate::recover::read_checkpoint;
use crate::replay::{FrameStop, Replay, is_torn_beginning, tail, was_durable};
use crate::segment::{Layout, SegmentHeader};
use crate::tile::{self, TILE_WIDTH, Tile};

mod report;

pub use report::{Bad, Report, Witness, WitnessKind};

/// Replays the log in `dir` and compares it with the checkpoints that can be had: the two stored
/// ones and, if given, one that was kept elsewhere. `progress` is told bytes read and bytes in all.
pub fn verify(
    dir: &Path,
    key: &VerifyingKey,
    given: Option<&Checkpoint>,
    progress: &mut dyn FnMut(u64, u64),
) -> Report {
    let mut verifier = Verifier::new(dir, key, given);
    if let Err(error) = verifier.all(progress) {
        verifier.found(None, None, format!("the log cannot be read: {error}"));
    }
    verifier.report()
}

/// What [`check_segment`] found in bytes that claim to be one segment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentCheck {
    /// Entries in whole frames, in order.
    pub entries: u64,
    /// Bytes that they, and the header, take.
    pub bytes: u64,
    /// Why not all the bytes are good; `None` if they are.
    pub fault: Option<FrameFault>,
}

/// Checks bytes as one segment file, taking its header's word for what came before it.
///
/// This is the whole of what reads untrusted bytes, without files: the target of fuzzing.
#[must_use]
pub fn check_segment(bytes: &[u8]) -> Option<SegmentCheck> {
    let (header, ..) = SegmentHeader::decode(bytes).ok()?;
    let mut replay = Replay::from_header(&header).ok()?;
    replay.enter(header.file.segment, bytes).ok()?;
    let stop = replay.frames(bytes, |_, _| {});
    let entries = replay.tree.size() - header.first_seq;
    Some(SegmentCheck {
        entries,
        bytes: replay.bytes,
        fault: stop.map(|stop| stop.fault),
    })
}

/// A checkpoint to compare with, and how that went.
struct Claim {
    kind: WitnessKind,
    checkpoint: Checkpoint,
    /// `None` until the replay came by its size.
    agrees: Option<bool>,
}

struct Verifier<'a> {
    layout: Layout,
    key: &'a VerifyingKey,
    claims: Vec<Claim>,
    witnesses: Vec<Witness>,
    replay: Option<Replay>,
    segments: u64,
    bad: Vec<Bad>,
    unfinished: Option<TailCut>,
    /// The first entry in the unfinished end that cannot be read, and why.
    unfinished_entry: Option<(u64, u64, String)>,
}

impl<'a> Verifier<'a> {
    fn new(dir: &Path, key: &'a VerifyingKey, given: Option<&Checkpoint>) -> Self {
        let mut verifier = Self {
            layout: Layout::new(dir),
            key,
            claims: Vec::new(),
            witnesses: Vec::new(),
            replay: None,
            segments: 0,
            bad: Vec::new(),
            unfinished: None,
            unfinished_entry: None,
        };
        verifier.stored_claim(WitnessKind::SignedSize);
        verifier.stored_claim(WitnessKind::Published);
        match given {
            Some(given) => verifier.claim(WitnessKind::Given, given.clone()),
            None => verifier
                .witnesses
                .push(Witness::missing(WitnessKind::Given)),
        }
        verifier
    }

    fn claim(&mut self, kind: WitnessKind, checkpoint: Checkpoint) {
        self.claims.push(Claim {
            kind,
            checkpoint,
            agrees: None,
        });
    }

    fn stored_claim(&mut self, kind: WitnessKind) {
        let path = match kind {
            WitnessKind::SignedSize => self.layout.signed_size(),
            WitnessKind::Published | WitnessKind::Given => self.layout.checkpoint(),
        };
        match read_checkpoint(&path, self.key) {
            Ok(Some(Ok(checkpoint))) => self.claim(kind, checkpoint),
            Ok(None) => self.witnesses.push(Witness::missing(kind)),
            Ok(Some(Err(why))) => self.found(None, None, format!("{kind} is not good: {why}")),
            Err(error) => self.found(None, None, format!("{kind} cannot be read: {error}")),
        }
    }

    fn found(&mut self, seq: Option<u64>, segment: Option<u64>, what: String) {
        self.bad.push(Bad { seq, segment, what });
    }

    fn all(&mut self, progress: &mut dyn FnMut(u64, u64)) -> std::io::Result<()> {
        let numbers = self.layout.segment_numbers()?;
        let mut total = 0;
        for number in &numbers {
            total += std::fs::metadata(self.layout.segment(*number))?.len();
        }
        let mut read = 0;
        for (i, number) in numbers.iter().enumerate() {
            if *number != i as u64 {
                let seq = self.replay.as_ref().map_or(0, |replay| replay.tree.size());
                self.found(Some(seq), Some(i as u64), format!("segment {i} is missing"));
                return Ok(());
            }
            let bytes = std::fs::read(self.layout.segment(*number))?;
            let sound = self.segment(*number, &bytes, numbers.get(i + 1).copied())?;
            self.segments += 1;
            read += bytes.len() as u64;
            progress(read, total.max(read));
            if !sound {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Replays one segment; false if nothing behind it can be relied on.
    fn segment(&mut self, number: u64, bytes: &[u8], next: Option<u64>) -> std::io::Result<bool> {
        // A running writer may have been half way through what was read: look once more. What the
        // first look has behind it tells whether it was durable: a writer had nothing there yet.
        let look_again = |layout: &Layout| std::fs::read(layout.segment(number));
        let (mut entered, mut again) = (self.enter(number, bytes), None);
        if entered.is_err() && next.is_none() {
            let fresh = again.insert(look_again(&self.layout)?);
            entered = self.enter(number, fresh);
        }
        if let Err(what) = entered {
            let seq = self.replay.as_ref().map_or(0, |replay| replay.tree.size());
            let torn = next.is_none() && number > 0 && !was_durable(bytes, 0);
            if torn && SegmentHeader::decode(again.as_deref().unwrap_or(bytes)).is_err() {
                // A segment that was just being begun; what was signed is compared all the same.
                self.unfinished = tail(number, 0, bytes);
                return Ok(true);
            }
            self.found(Some(seq), Some(number), what);
            return Ok(false);
        }
        let bytes = again.as_deref().unwrap_or(bytes);
        let mut stop = self.frames(bytes);
        if stop.is_some() && next.is_none() {
            stop = self.frames(&look_again(&self.layout)?);
        }
        self.compare_tiles();
        let Some(stop) = stop else { return Ok(true) };
        let replay = self.replay.as_mut().expect("the segment was entered");
        let FrameStop { offset, fault, seq } = stop;
        if let Some(next) = next
            && ends_at(&self.layout, next, replay.bytes)
        {
            replay.note_excess(bytes);
            return Ok(true);
        }
        let last = match next {
            Some(next) => is_torn_beginning(&self.layout.segment(next))?,
            None => true,
        };
        if last && could_be_torn(fault) && !was_durable(bytes, offset) {
            self.unfinished = tail(number, offset, bytes);
            self.unfinished_entry = Some((seq, number, format!("byte {offset}: {fault}")));
            return Ok(true);
        }
        self.found(Some(seq), Some(number), format!("byte {offset}: {fault}"));
        Ok(false)
    }

    fn enter(&mut self, number: u64, bytes: &[u8]) -> Result<(), String> {
        if self.replay.is_none() {
            self.replay = Some(self.first(bytes)?);
        }
        let replay = self.replay.as_mut().expect("it was just set");
        replay
            .enter(number, bytes)
            .map_err(|fault| fault.to_string())
    }

    /// The state before the first segment, which must begin from nothing.
    fn first(&self, bytes: &[u8]) -> Result<Replay, String> {
        let (header, ..) = SegmentHeader::decode(bytes).map_err(|fault| fault.to_string())?;
        let nothing = (header.first_seq, header.prev_bytes, header.prev_hash) == (0, 0, [0; 32]);
        let identity = std::fs::read_to_string(self.layout.identity());
        let identity = identity.map_err(|error| format!("the log id cannot be read: {error}"))?;
        let log_id = crate::log::parse_identity(&identity, self.key.name());
        let log_id = log_id.map_err(|error| error.to_string())?;
        if !nothing || header.file.log_id != log_id {
            return Err("it is not the first segment of this log".to_owned());
        }
        Replay::from_header(&header).map_err(|fault| fault.to_string())
    }

    fn frames(&mut self, bytes: &[u8]) -> Option<FrameStop> {
        let replay = self.replay.as_mut().expect("the segment was entered");
        let claims = &mut self.claims;
        replay.frames(bytes, |replay, frame| {
            for claim in claims
                .iter_mut()
                .filter(|c| c.checkpoint.size() == replay.tree.size())
            {
                claim.agrees = Some(agrees(&claim.checkpoint, replay, frame));
            }
        })
    }

    /// Compares the tiles that became full with the stored ones.
    fn compare_tiles(&mut self) {
        let replay = self.replay.as_mut().expect("the segment was entered");
        let tiles = std::mem::take(&mut replay.tiles);
        let published = self
            .claims
            .iter()
            .find(|claim| claim.kind == WitnessKind::Published);
        let published = published.map_or(0, |claim| claim.checkpoint.size());
        for Tile {
            level,
            index,
            hashes,
        } in tiles
        {
            let file = tile::path(Path::new(""), level, index);
            let name = format!("tile {index} in {}", file.display());
            let end = (index + 1) << (8 * (level + 1));
            match tile::load(self.layout.dir(), level, index) {
                Ok(Some(stored)) if stored == hashes => {}
                Ok(Some(stored)) => {
                    let at = stored
                        .iter()
                        .zip(&hashes)
                        .position(|(a, b)| a != b)
                        .unwrap_or(0);
                    let hash = index * TILE_WIDTH as u64 + at as u64;
                    let what = format!("its hash differs from the one in {name}");
                    self.found(Some(hash << (8 * level)), None, what);
                }
                Ok(None) if end > published => {}
                Ok(None) => self.found(None, None, format!("{name} is missing")),
                Err(error) => self.found(None, None, format!("{name} cannot be read: {error}")),
            }
        }
    }

    fn report(mut self) -> Report {
        if let Some(replay) = &self.replay {
            for TailCut {
                segment,
                offset,
                bytes,
                ..
            } in replay.unexplained_excess()
            {
                let what = format!("{bytes} bytes at {offset}, after its end, no entry speaks of");
                self.bad.push(Bad {
                    seq: None,
                    segment: Some(*segment),
                    what,
                });
            }
            let unrecorded = replay.unrecorded_excess().next().cloned();
            self.unfinished = self.unfinished.take().or(unrecorded);
        }
        let size = self.replay.as_ref().map_or(0, |replay| replay.tree.size());
        for claim in std::mem::take(&mut self.claims) {
            let (kind, signed) = (claim.kind, claim.checkpoint.size());
            let agrees = signed == 0 || claim.agrees == Some(true);
            self.witnesses.push(Witness {
                kind,
                signed: Some(signed),
                agrees,
            });
            if signed > size && self.bad.iter().all(|bad| bad.seq.is_none()) {
                let gone = (size, None, "it is gone".to_owned());
                let (seq, segment, what) = match self.unfinished_entry.take() {
                    Some((seq, segment, what)) => (seq, Some(segment), what),
                    None => gone,
                };
                let what = format!("{what}; {kind} vouches for all entries below {signed}");
                self.found(Some(seq), segment, what);
            } else if signed <= size && !agrees {
                let what = format!("the first {signed} entries are not those of {kind}");
                self.found(None, None, what);
            }
        }
        let root = self
            .replay
            .map_or(crate::tree::EMPTY_ROOT, |replay| replay.tree.root());
        let (segments, unfinished_tail) = (self.segments, self.unfinished);
        Report::new(
            size,
            root,
            segments,
            self.bad,
            self.witnesses,
            unfinished_tail,
        )
    }
}

/// Whether segment `next` says that the one before it ends at this byte.
fn ends_at(layout: &Layout, next: u64, bytes: u64) -> bool {
    let header = SegmentHeader::read(&layout.segment(next));
    matches!(header, Ok(Ok((header, ..))) if header.prev_bytes == bytes)
}

/// Whether a write that was cut short can look like this. A frame whose hash is right was written
/// as it stands.
fn could_be_torn(fault: FrameFault) -> bool {
    match fault {
        FrameFault::Absent | FrameFault::Short | FrameFault::Hash | FrameFault::Form => true,
        FrameFault::Order | FrameFault::Chain | FrameFault::Root => false,
    }
}

fn agrees(claim: &Checkpoint, replay: &Replay, frame: &Frame<'_>) -> bool {
    let same_frames = claim
        .frames()
        .is_none_or(|mark| mark.segment == replay.segment && mark.hash == frame.hash);
    *claim.root() == replay.tree.root() && same_frames
}

#[cfg(test)]
pub(crate) mod tests;
