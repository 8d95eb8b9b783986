//! Replay: reading segments in order and checking that each continues what came before.
//!
//! Recovery and verification use this same code, so that what one accepts the other does too.

use std::io;
use std::path::Path;

use crate::frame::{Frame, FrameFault, FrameHeader};
use crate::leaf::LogNote;
use crate::options::TailCut;
use crate::segment::{BadHeader, SegmentHeader};
use crate::tile::Tile;
use crate::tree::{Hash, Tree, sha256};

/// Where a replay stands.
pub(crate) struct Replay {
    pub(crate) tree: Tree,
    /// Tiles that became full, for the caller to take.
    pub(crate) tiles: Vec<Tile>,
    /// The hash that the next frame, or the next segment, has to name.
    pub(crate) chain: Hash,
    pub(crate) log_id: [u8; 16],
    pub(crate) segment: u64,
    pub(crate) settled: u64,
    /// Bytes of the current segment that belong to the log so far.
    pub(crate) bytes: u64,
    /// Whether the last entry says that the log was closed in good order.
    pub(crate) closed: bool,
    /// The cut tails that entries speak of.
    cuts_recorded: Vec<TailCut>,
    /// Bytes found after the end of a segment, and whether frames came after them.
    excess: Vec<(TailCut, bool)>,
    next_frame: u32,
}

/// Why a segment does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SegmentFault {
    #[error(transparent)]
    Header(#[from] BadHeader),
    #[error("the segment is not the one to follow: {0}")]
    NotNext(&'static str),
}

/// Where and why the frames of a segment ended before its bytes did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameStop {
    pub(crate) offset: u64,
    pub(crate) fault: FrameFault,
    /// The first entry that could not be read, as far as can be told.
    pub(crate) seq: u64,
}

impl Replay {
    /// Begins at a segment, taking its header's word for what came before.
    pub(crate) fn from_header(header: &SegmentHeader) -> Result<Self, SegmentFault> {
        let tree = Tree::from_edge(header.first_seq, header.edge.clone());
        Ok(Self {
            tree: tree.ok_or(SegmentFault::NotNext("its right edge is malformed"))?,
            tiles: Vec::new(),
            chain: header.prev_hash,
            log_id: header.file.log_id,
            segment: header.file.segment,
            settled: header.settled,
            bytes: header.prev_bytes,
            closed: false,
            cuts_recorded: Vec::new(),
            excess: Vec::new(),
            next_frame: 0,
        })
    }

    /// Enters segment `number`, whose bytes begin with `bytes`.
    pub(crate) fn enter(&mut self, number: u64, bytes: &[u8]) -> Result<(), SegmentFault> {
        let (header, header_bytes, hash) = SegmentHeader::decode(bytes)?;
        let checks = [
            (header.file.log_id == self.log_id, "it is of another log"),
            (header.file.segment == number, "it has another number"),
            (
                header.first_seq == self.tree.size(),
                "it begins at another entry",
            ),
            (header.prev_hash == self.chain, "it follows another frame"),
            (
                header.prev_bytes == self.bytes,
                "the segment before it had another length",
            ),
            (
                header.edge == self.tree.edge(),
                "its right edge is another tree's",
            ),
        ];
        if let Some((_, what)) = checks.iter().find(|(holds, _)| !holds) {
            return Err(SegmentFault::NotNext(what));
        }
        self.segment = number;
        self.chain = hash;
        self.settled = header.settled;
        self.bytes = header_bytes as u64;
        self.next_frame = 0;
        Ok(())
    }

    /// Reads the frames of the segment that was entered; `seen` is told of each good one.
    ///
    /// Gives `None` when the frames reach to the end of the bytes, or to nothing but zeros.
    pub(crate) fn frames(
        &mut self,
        bytes: &[u8],
        mut seen: impl FnMut(&Self, &Frame<'_>),
    ) -> Option<FrameStop> {
        loop {
            let offset = self.bytes;
            let rest = &bytes[usize::try_from(offset).ok()?..];
            if rest.iter().all(|byte| *byte == 0) {
                return None;
            }
            let accepted = Frame::decode(rest).and_then(|frame| {
                self.accept(&frame)?;
                seen(self, &frame);
                Ok(())
            });
            if let Err(fault) = accepted {
                let entry = Frame::first_damaged_entry(rest).unwrap_or(0);
                let seq = self.tree.size() + u64::from(entry);
                return Some(FrameStop { offset, fault, seq });
            }
        }
    }

    /// Checks that a frame is the next one, and goes on behind it.
    fn accept(&mut self, frame: &Frame<'_>) -> Result<(), FrameFault> {
        let FrameHeader {
            number,
            first_seq,
            prev_hash,
            synced_bytes,
            ..
        } = frame.header;
        if prev_hash != self.chain {
            return Err(FrameFault::Chain);
        }
        let in_order = number == self.next_frame
            && first_seq == self.tree.size()
            && synced_bytes <= self.bytes;
        if !in_order {
            return Err(FrameFault::Order);
        }
        // A frame that fails here must leave no trace: the tree may be gone on with after a cut.
        let (mut tree, mut tiles) = (self.tree.clone(), Vec::new());
        for leaf in &frame.leaves {
            tree.push(leaf.hash, &mut tiles);
        }
        if tree.root() != frame.header.root_after {
            return Err(FrameFault::Root);
        }
        self.tree = tree;
        self.tiles.append(&mut tiles);
        self.take_notes(frame);
        self.excess
            .iter_mut()
            .for_each(|(_, followed)| *followed = true);
        self.settled = frame.header.settled;
        self.chain = frame.hash;
        self.bytes += u64::from(frame.header.bytes);
        self.next_frame += 1;
        Ok(())
    }

    fn take_notes(&mut self, frame: &Frame<'_>) {
        self.closed = false;
        let last = frame.leaves.len() - 1;
        for (i, leaf) in frame
            .leaves
            .iter()
            .enumerate()
            .filter(|(_, l)| !l.leaf.by_caller)
        {
            match LogNote::decode(leaf.leaf.header) {
                LogNote::TailCut(cut) => self.cuts_recorded.push(cut),
                LogNote::Closed => self.closed = i == last,
                LogNote::Opened { .. } | LogNote::DamageAccepted { .. } | LogNote::Unknown(_) => {}
            }
        }
    }

    /// Notes the bytes after the end of the current segment, which another one follows.
    pub(crate) fn note_excess(&mut self, bytes: &[u8]) {
        self.excess
            .extend(tail(self.segment, self.bytes, bytes).map(|tail| (tail, false)));
    }

    /// Bytes after the end of a segment that no entry speaks of, though entries follow: the first
    /// frame of a boot holds the entry about what it cut, so a crash does not explain them.
    pub(crate) fn unexplained_excess(&self) -> impl Iterator<Item = &TailCut> {
        self.excess_where(|recorded, followed| !recorded && followed)
    }

    /// Bytes after the end of a segment, when no frame was written since: the crash came before
    /// they were recorded.
    pub(crate) fn unrecorded_excess(&self) -> impl Iterator<Item = &TailCut> {
        self.excess_where(|recorded, followed| !recorded && !followed)
    }

    fn excess_where(&self, wanted: impl Fn(bool, bool) -> bool) -> impl Iterator<Item = &TailCut> {
        let wanted = move |(excess, followed): &&(TailCut, bool)| {
            wanted(self.cuts_recorded.contains(excess), *followed)
        };
        self.excess.iter().filter(wanted).map(|(excess, _)| excess)
    }
}

/// Whether a segment file was left while its header was being written: nothing was ever in it.
pub(crate) fn is_torn_beginning(path: &Path) -> io::Result<bool> {
    let bytes = std::fs::read(path)?;
    Ok(SegmentHeader::decode(&bytes).is_err() && !was_durable(&bytes, 0))
}

/// What lies in `bytes` from `offset` up to the last byte that is not zero.
pub(crate) fn tail(segment: u64, offset: u64, bytes: &[u8]) -> Option<TailCut> {
    let rest = bytes.get(usize::try_from(offset).ok()?..)?;
    let length = rest.iter().rposition(|byte| *byte != 0)? + 1;
    let sha256 = sha256(&rest[..length]);
    Some(TailCut {
        segment,
        offset,
        bytes: length as u64,
        sha256,
    })
}

/// Whether the bad bytes at `offset` were once known to be durable: a whole frame behind them was
/// made when they were. Then no crash explains them.
///
/// At the very beginning any frame tells: the header is made durable before the first one is
/// written.
///
/// Without such a frame they are an unfinished write: of frames that were written but not yet
/// synced, a loss of power may keep any part.
pub(crate) fn was_durable(bytes: &[u8], offset: u64) -> bool {
    let Ok(start) = usize::try_from(offset) else {
        return false;
    };
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let Some(rest) = bytes.get(start..end) else {
        return false;
    };
    rest.windows(4).enumerate().skip(1).any(|(at, magic)| {
        magic == crate::frame::FRAME_MAGIC
            && FrameHeader::decode(&rest[at..])
                .is_ok_and(|header| offset == 0 || header.synced_bytes > offset)
            && Frame::decode(&rest[at..]).is_ok()
    })
}
