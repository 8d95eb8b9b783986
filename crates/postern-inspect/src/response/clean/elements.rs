//! The elements of a growing array, as Gemini streams without events.

use crate::bounds::EVENT_CLEANED_BYTES_MAX;
use crate::clean::CleanError;

/// What was found next.
#[derive(Debug)]
pub(super) enum Part {
    /// Nothing more in these bytes.
    Nothing,
    /// A whole element; whether it stands alone, outside of an array.
    Element(Vec<u8>, bool),
    /// The closing bracket, which has not gone on yet.
    End,
    /// Where an element waits: a comma, or (true) the closing bracket, which is read again.
    Behind(bool),
}

/// Cuts a growing array into its elements. What stands between them goes on as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Elements {
    /// Whether the bracket of the array stood.
    inside: bool,
    ended: bool,
    /// Whether an element stood, and a comma behind it.
    filled: bool,
    comma: bool,
    held: Vec<u8>,
    depth: usize,
    string: bool,
    escape: bool,
}

const ODD: CleanError = CleanError::CannotInspect("the answer is no array of objects");

impl Elements {
    /// Takes bytes from the front of `bytes` up to the next part. `waits` says that the last
    /// element has not gone on yet.
    pub(super) fn push(
        &mut self,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        waits: bool,
    ) -> Result<Part, CleanError> {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.depth > 0 {
                let len = self.inner(bytes);
                self.held.extend_from_slice(&bytes[..len]);
                *bytes = &bytes[len..];
                if self.held.len() > EVENT_CLEANED_BYTES_MAX {
                    return Err(CleanError::CannotInspect("an element is too long to hold"));
                }
                if self.depth == 0 {
                    return Ok(Part::Element(std::mem::take(&mut self.held), !self.inside));
                }
                continue;
            }
            match byte {
                b',' | b']' if waits => return Ok(Part::Behind(*byte == b']')),
                b' ' | b'\n' | b'\t' | b'\r' => out.push(*byte),
                b'[' if !self.inside && !self.filled => {
                    self.inside = true;
                    out.push(*byte);
                }
                b'{' if !self.ended && !self.filled || self.comma => {
                    self.depth = 1;
                    self.held.push(*byte);
                }
                b',' if self.inside && self.filled && !self.comma && !self.ended => {
                    self.comma = true;
                    out.push(*byte);
                }
                b']' if self.inside && !self.ended && !self.comma => {
                    self.ended = true;
                    *bytes = rest;
                    return Ok(Part::End);
                }
                _ => return Err(ODD),
            }
            *bytes = rest;
        }
        Ok(Part::Nothing)
    }

    /// The element that was cut out last went on. Until then an error takes its place.
    pub(super) fn went_on(&mut self) {
        self.filled = true;
        self.comma = false;
    }

    /// How many bytes at the front belong to the element.
    fn inner(&mut self, bytes: &[u8]) -> usize {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' if self.string => self.escape = true,
                b'"' => self.string = !self.string,
                _ if self.string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        bytes.len()
    }

    /// Whether an element went on, and whether a comma follows it; `None` outside of the array.
    pub(super) fn stands(&self) -> Option<(bool, bool)> {
        (self.inside && !self.ended).then_some((self.filled, self.comma))
    }
}
