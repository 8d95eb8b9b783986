//! The elements of a growing array, as Gemini streams without events.

use crate::bounds::{EVENT_CLEANED_BYTES_MAX, LEAD_BYTES_MAX};
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
    /// What stands before the first element: it goes on with it, so that an answer that ends there
    /// has not begun.
    lead: Vec<u8>,
    /// Whether what stands there went on.
    begun: bool,
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
                b' ' | b'\n' | b'\t' | b'\r' => self.between(*byte, out),
                b'[' if !self.inside && !self.filled => {
                    self.inside = true;
                    self.between(*byte, out);
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

    /// A byte outside of elements goes on, in its place.
    fn between(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.begun {
            return out.push(byte);
        }
        self.lead.push(byte);
        if self.lead.len() >= LEAD_BYTES_MAX {
            self.begin(out);
        }
    }

    /// What stands before the first element goes on.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        self.begun = true;
        out.append(&mut self.lead);
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

    /// What has to stand before another element; `None` outside of the array. `begun` says that all
    /// went on as it came.
    pub(super) fn before_next(&self, begun: bool) -> Option<&'static [u8]> {
        (self.inside && !self.ended).then_some(match (self.filled, self.comma) {
            (true, false) => b",\n",
            _ if self.begun || begun => b"",
            _ => b"[",
        })
    }
}
