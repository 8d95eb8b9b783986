//! Chunked bodies, followed byte by byte (RFC 9112, section 7.1).
//!
//! The bytes are not changed: hyper decodes them again. What counts is that the end is found where
//! hyper finds it, and that nothing passes that another reader could end elsewhere.

use super::head;
use super::violation::Fault;
use crate::bounds::DownstreamBounds;

/// A chunk size with more digits does not fit 64 bits.
const SIZE_DIGITS_MAX: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Size { digits: u8 },
    ExtensionName,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailer,
    TrailerLf,
    End,
}

/// Where in a chunked body the reader stands.
#[derive(Debug)]
pub(super) struct ChunkReader {
    step: Step,
    left: u64,
    extension_bytes: usize,
    trailer_bytes: usize,
    line: Vec<u8>,
}

impl ChunkReader {
    pub(super) fn new() -> Self {
        Self {
            step: Step::Size { digits: 0 },
            left: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
            line: Vec::new(),
        }
    }

    /// Whether the body is over.
    pub(super) fn ended(&self) -> bool {
        self.step == Step::End
    }

    /// Reads on; gives how many of the bytes belong to this body.
    pub(super) fn read(&mut self, bytes: &[u8], bounds: &DownstreamBounds) -> Result<usize, Fault> {
        let mut at = 0;
        while at < bytes.len() && !self.ended() {
            if self.step == Step::Data {
                let available = (bytes.len() - at) as u64;
                let taken = self.left.min(available);
                self.left -= taken;
                // `taken` is at most the length of a slice.
                at += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.left == 0 {
                    self.step = Step::DataCr;
                }
            } else {
                self.byte(bytes[at], bounds)?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn byte(&mut self, byte: u8, bounds: &DownstreamBounds) -> Result<(), Fault> {
        self.step = match (self.step, byte) {
            (Step::Size { digits }, byte) if byte.is_ascii_hexdigit() => {
                self.digit(digits, byte)?
            }
            (Step::Size { digits: 1.. }, b'\r') => Step::SizeLf,
            (Step::Size { digits: 1.. }, b';') => Step::ExtensionName,
            (Step::Size { .. }, _) => return Err(Fault::bad("a chunk size is malformed")),
            (Step::ExtensionName, byte) if head::is_token(&byte) => Step::Extension,
            (Step::Extension, b'\r') => Step::SizeLf,
            (Step::Extension, b'\t' | 0x20..=0x7e) => {
                self.extension_bytes += 1;
                if self.extension_bytes > bounds.chunk_extension_bytes_max {
                    return Err(Fault::bad("the chunk extensions are too long"));
                }
                Step::Extension
            }
            (Step::ExtensionName | Step::Extension, _) => {
                return Err(Fault::bad("a chunk extension is malformed"));
            }
            (Step::SizeLf, b'\n') if self.left == 0 => Step::Trailer,
            (Step::SizeLf, b'\n') => Step::Data,
            (Step::DataCr, b'\r') => Step::DataLf,
            (Step::DataLf, b'\n') => Step::Size { digits: 0 },
            (Step::SizeLf | Step::DataCr | Step::DataLf, _) => {
                return Err(Fault::bad("a chunk does not end in CRLF"));
            }
            (Step::Trailer, b'\r') => Step::TrailerLf,
            (Step::Trailer, byte) => self.trailer_byte(byte, bounds)?,
            (Step::TrailerLf, b'\n') => self.trailer_line()?,
            (Step::TrailerLf, _) => return Err(Fault::bad("the trailer holds a bare CR")),
            // Data is taken by the slice, and nothing is read after the end.
            (Step::Data | Step::End, _) => return Err(Fault::bad("a chunk is malformed")),
        };
        Ok(())
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<Step, Fault> {
        if digits == SIZE_DIGITS_MAX {
            return Err(Fault::bad("a chunk size is too large"));
        }
        let value = char::from(byte).to_digit(16).unwrap_or_default();
        self.left = self.left << 4 | u64::from(value);
        Ok(Step::Size { digits: digits + 1 })
    }

    fn trailer_byte(&mut self, byte: u8, bounds: &DownstreamBounds) -> Result<Step, Fault> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > bounds.trailer_bytes_max {
            return Err(Fault::bad("the trailer is too large"));
        }
        if byte != b'\t' && (byte < 0x20 || byte == 0x7f) {
            return Err(Fault::bad("the trailer holds a control character"));
        }
        self.line.push(byte);
        Ok(Step::Trailer)
    }

    fn trailer_line(&mut self) -> Result<Step, Fault> {
        if self.line.is_empty() {
            return Ok(Step::End);
        }
        head::trailer(&self.line)?;
        self.line.clear();
        Ok(Step::Trailer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: &[u8], cut: usize) -> Result<(usize, bool), Fault> {
        let bounds = DownstreamBounds::default();
        let mut reader = ChunkReader::new();
        let mut used = 0;
        for piece in body.chunks(cut) {
            used += reader.read(piece, &bounds)?;
            if reader.ended() {
                break;
            }
        }
        Ok((used, reader.ended()))
    }

    #[test]
    fn the_end_is_found_wherever_the_bytes_are_cut() {
        // Goal: the body ends at the same byte for every cutting. Method: each cut of one body that
        // has an extension, a trailer and a next message behind it.
        let body = b"4;a=\"b\"\r\nWiki\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
        let message = [body.as_slice(), b"GET / HTTP/1.1\r\n"].concat();
        for cut in 1..=message.len() {
            assert_eq!(
                read_all(&message, cut),
                Ok((body.len(), true)),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn what_readers_disagree_on_is_a_fault() {
        for bad in [
            "0x2\r\nab\r\n0\r\n\r\n",
            "2;\nxx\r\nab\r\n0\r\n\r\n",
            "2\nab\n0\n\n",
            "\r\n0\r\n\r\n",
            " 2\r\nab\r\n",
            "2 \r\nab\r\n",
            "+2\r\nab\r\n",
            "2\r\nabc\r\n",
            "2\r\nab\n",
            "00000000000000002\r\nab\r\n",
            "0\r\nContent-Length: 5\r\n\r\n",
            "0\r\nX : y\r\n\r\n",
            "0\r\n x: y\r\n\r\n",
            "0\r\nx: \0\r\n\r\n",
            "0\r\nx: y\rz\r\n\r\n",
            "2;a\0\r\nab\r\n",
            "2;\r\nab\r\n",
        ] {
            assert!(read_all(bad.as_bytes(), 3).is_err(), "{bad:?}");
        }
        let long = format!("2;{}\r\nab\r\n0\r\n\r\n", "x".repeat(2000));
        assert!(read_all(long.as_bytes(), 7).is_err());
        let long = format!("0\r\nx: {}\r\n\r\n", "x".repeat(5000));
        assert!(read_all(long.as_bytes(), 7).is_err());
    }
}
