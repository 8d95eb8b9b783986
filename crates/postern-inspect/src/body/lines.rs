//! JSON documents, one a line, each on its way once its line has ended.

use crate::InspectError;
use crate::bounds::BODY_HELD_BYTES_MAX;
use crate::clean::Cleaner;

use super::{fields, hold};

/// The record separator before a text of a JSON sequence (RFC 7464).
const SEPARATOR: u8 = 0x1e;

/// The line that has begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            hold(&mut self.held, line, BODY_HELD_BYTES_MAX)?;
            self.line(cleaner, out)?;
            rest = after;
        }
        hold(&mut self.held, rest, BODY_HELD_BYTES_MAX)
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        self.line(cleaner, out)
    }

    fn line(&mut self, cleaner: &mut Cleaner, out: &mut Vec<u8>) -> Result<(), InspectError> {
        let line = std::mem::take(&mut self.held);
        let around = |byte: &u8| byte.is_ascii_whitespace() || *byte == SEPARATOR;
        let start = line.iter().position(|byte| !around(byte));
        let Some(start) = start else {
            out.extend_from_slice(&line);
            return Ok(());
        };
        let end = line.iter().rposition(|byte| !around(byte)).unwrap_or(start) + 1;
        let clean = fields::clean_document(&line[start..end], cleaner)?;
        out.extend_from_slice(&line[..start]);
        out.extend_from_slice(clean.as_deref().unwrap_or(&line[start..end]));
        out.extend_from_slice(&line[end..]);
        Ok(())
    }
}
