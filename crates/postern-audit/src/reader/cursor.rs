//! A place in the segments, moved forward frame by frame.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::ReadError;
use crate::bounds::READ_AHEAD_BYTES;
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameFault, FrameHeader};
use crate::seal::FileIdentity;
use crate::segment::{Layout, SegmentHeader};

/// What lies at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole frame: see [`Cursor::frame`].
    Frame,
    /// The segment ended; the cursor stands at the beginning of the next one.
    NextSegment,
    /// Nothing more, for now.
    End,
}

/// A place in the segments of a log.
#[derive(Debug)]
pub(super) struct Cursor {
    file: File,
    identity: FileIdentity,
    next_seq: u64,
    /// Where the cursor stands in the file.
    offset: u64,
    /// Room for bytes that were read ahead: made once, and not cleared for each read.
    room: Vec<u8>,
    /// Which part of `room` has the bytes of the file from `offset` on.
    ahead: Range<usize>,
    /// The rest of this segment is not to be read.
    given_up: bool,
}

impl Cursor {
    pub(super) fn open(layout: &Layout, segment: u64) -> Result<Self, ReadError> {
        let path = layout.segment(segment);
        let (header, bytes, _) =
            SegmentHeader::read(&path)?.map_err(|_| ReadError::Header(segment))?;
        Ok(Self {
            file: File::open(&path)?,
            identity: header.file,
            next_seq: header.first_seq,
            offset: bytes as u64,
            room: Vec::new(),
            ahead: 0..0,
            given_up: false,
        })
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Passes over frames that end before `seq`, looking at their headers only.
    pub(super) fn skip_to(&mut self, seq: u64) -> Result<(), ReadError> {
        while self.fill(FRAME_HEADER_BYTES)? {
            let Ok(header) = FrameHeader::decode(self.bytes()) else {
                break;
            };
            let end = header.first_seq.saturating_add(u64::from(header.entries));
            if header.first_seq != self.next_seq || end > seq {
                break;
            }
            self.pass(header.bytes as usize, end);
        }
        Ok(())
    }

    /// Passes over all whole frames of this segment.
    pub(super) fn skip_to_end(&mut self) -> Result<(), ReadError> {
        while self.look()?.is_ok() {
            self.consume();
        }
        Ok(())
    }

    /// Looks at what lies at the cursor; goes on to the next segment where this one ended.
    pub(super) fn step(&mut self, layout: &Layout) -> Result<Step, ReadError> {
        let fault = match self.look()? {
            Ok(()) => return Ok(Step::Frame),
            Err(fault) => fault,
        };
        let number = self.identity.segment + 1;
        let next = match SegmentHeader::read(&layout.segment(number)) {
            Ok(Ok((header, ..))) => header,
            // No next segment, or one that is just being begun: the end is here, for now.
            Ok(Err(_)) => return Ok(Step::End),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Step::End),
            Err(error) => return Err(error.into()),
        };
        if self.given_up || next.prev_bytes == self.offset {
            let next = Self::open(layout, number)?;
            // The segments of a process that started often are short.
            let room = std::mem::take(&mut self.room);
            *self = Self { room, ..next };
            return Ok(Step::NextSegment);
        }
        // Frames may have come between the look and the rotation; a second look decides.
        if self.look()?.is_ok() {
            return Ok(Step::Frame);
        }
        Err(self.damaged(fault))
    }

    /// Checks that a whole frame, the next one in order, lies at the cursor.
    fn look(&mut self) -> Result<Result<(), FrameFault>, ReadError> {
        if self.given_up {
            return Ok(Err(FrameFault::Absent));
        }
        let mut found = self.find_frame()?;
        if found.is_err() {
            // What was read ahead may have been written since: only a fresh look tells.
            self.forget_ahead();
            found = self.find_frame()?;
        }
        if found.is_err() {
            self.forget_ahead();
        }
        Ok(found)
    }

    fn forget_ahead(&mut self) {
        self.ahead = 0..0;
    }

    fn find_frame(&mut self) -> Result<Result<(), FrameFault>, ReadError> {
        if !self.fill(FRAME_HEADER_BYTES)? {
            return Ok(Err(FrameFault::Absent));
        }
        let header = match FrameHeader::decode(self.bytes()) {
            Ok(header) => header,
            Err(fault) => return Ok(Err(fault)),
        };
        if header.first_seq != self.next_seq {
            return Ok(Err(FrameFault::Order));
        }
        if !self.fill(header.bytes as usize)? {
            return Ok(Err(FrameFault::Short));
        }
        Ok(Frame::decode(self.bytes()).map(|_| ()))
    }

    /// The frame that `step` found, and the file it is in.
    pub(super) fn frame(&self) -> Result<(&FileIdentity, Frame<'_>), ReadError> {
        let frame = Frame::decode(self.bytes()).map_err(|fault| self.damaged(fault))?;
        Ok((&self.identity, frame))
    }

    /// Passes over the frame that `step` found.
    pub(super) fn consume(&mut self) {
        if let Ok(header) = FrameHeader::decode(self.bytes()) {
            let end = header.first_seq + u64::from(header.entries);
            self.pass(header.bytes as usize, end);
        }
    }

    /// Gives this segment up; the number of the first entry of the next one, if there is one.
    pub(super) fn skip_segment(&mut self, layout: &Layout) -> Result<Option<u64>, ReadError> {
        self.given_up = true;
        let moved = self.step(layout)? == Step::NextSegment;
        Ok(moved.then_some(self.next_seq))
    }

    fn damaged(&self, source: FrameFault) -> ReadError {
        ReadError::Damaged {
            segment: self.identity.segment,
            seq: self.next_seq,
            source,
        }
    }

    fn pass(&mut self, bytes: usize, next_seq: u64) {
        self.offset += bytes as u64;
        // What was passed over without having been read is not ahead either.
        self.ahead.start = self.ahead.end.min(self.ahead.start + bytes);
        self.next_seq = next_seq;
    }

    fn bytes(&self) -> &[u8] {
        &self.room[self.ahead.clone()]
    }

    /// Reads until `bytes` bytes lie ahead; false if the file does not have them.
    fn fill(&mut self, bytes: usize) -> io::Result<bool> {
        while self.ahead.len() < bytes {
            let have = self.ahead.len();
            if self.room.len() < bytes.max(READ_AHEAD_BYTES) {
                let mut room = vec![0; bytes.max(READ_AHEAD_BYTES)];
                room[..have].copy_from_slice(self.bytes());
                self.room = room;
            } else {
                self.room.copy_within(self.ahead.clone(), 0);
            }
            self.ahead = 0..have;
            let read = self
                .file
                .read_at(&mut self.room[have..], self.offset + have as u64)?;
            if read == 0 {
                return Ok(false);
            }
            self.ahead.end += read;
        }
        Ok(true)
    }
}
