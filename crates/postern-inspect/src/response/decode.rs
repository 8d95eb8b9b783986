//! Decoding compressed answers, a bounded piece at a time.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::bounds::{DECODED_BYTES_FREE, DECODED_RATIO_MAX};

/// Compressed bytes that are decoded at once. Deflate grows a byte to at most 1032, so that what
/// is decoded at once stays near half a megabyte.
const PIECE_BYTES: usize = 512;

/// A content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    /// One that is not read, or several on top of each other.
    Other,
}

impl Encoding {
    /// Reads a `Content-Encoding` header.
    pub(crate) fn parse(header: Option<&str>) -> Self {
        let name = header.unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            _ => Self::Other,
        }
    }
}

/// A decoder that is fed.
#[derive(Debug)]
pub(crate) struct Decoder {
    inflate: Inflate,
    taken: u64,
    given: u64,
}

#[derive(Debug)]
enum Inflate {
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// `deflate`, before its first byte tells which of the two forms in use it is.
    Unknown,
    Zlib(ZlibDecoder<Vec<u8>>),
    Raw(DeflateDecoder<Vec<u8>>),
}

impl Decoder {
    /// A decoder; `None` for encodings that are not read or need none.
    pub(crate) fn new(encoding: Encoding) -> Option<Self> {
        let inflate = match encoding {
            Encoding::Gzip => Inflate::Gzip(MultiGzDecoder::new(Vec::new())),
            Encoding::Deflate => Inflate::Unknown,
            Encoding::Identity | Encoding::Other => return None,
        };
        Some(Self {
            inflate,
            taken: 0,
            given: 0,
        })
    }

    /// Decodes the next bytes; `told` gets the decoded ones in pieces.
    ///
    /// # Errors
    /// When the bytes cannot be decoded or grow beyond all measure, or when `told` fails.
    pub(crate) fn push<E: From<io::Error>>(
        &mut self,
        chunk: &[u8],
        told: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for piece in chunk.chunks(PIECE_BYTES) {
            self.taken += piece.len() as u64;
            let decoded = self.inflate.write(piece)?;
            self.given += decoded.len() as u64;
            let most = self
                .taken
                .saturating_mul(DECODED_RATIO_MAX)
                .saturating_add(DECODED_BYTES_FREE);
            if self.given > most {
                return Err(io::Error::other("it grows too much when decoded").into());
            }
            let result = told(decoded);
            decoded.clear();
            result?;
        }
        Ok(())
    }
}

impl Inflate {
    /// Decodes a piece and gives what has come out.
    fn write(&mut self, piece: &[u8]) -> io::Result<&mut Vec<u8>> {
        if matches!(self, Self::Unknown) {
            // A zlib header names method 8 in its low four bits; raw deflate hardly ever does.
            let zlib = piece.first().is_some_and(|first| first & 0x0f == 8);
            *self = if zlib {
                Self::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Self::Raw(DeflateDecoder::new(Vec::new()))
            };
        }
        match self {
            Self::Gzip(decoder) => {
                feed(decoder, piece)?;
                Ok(decoder.get_mut())
            }
            Self::Zlib(decoder) => {
                feed(decoder, piece)?;
                Ok(decoder.get_mut())
            }
            Self::Raw(decoder) => {
                feed(decoder, piece)?;
                Ok(decoder.get_mut())
            }
            Self::Unknown => Err(io::Error::other("no encoding was chosen")),
        }
    }
}

fn feed(decoder: &mut impl Write, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        match decoder.write(piece)? {
            // The compressed data has ended; what follows is no part of it.
            0 => break,
            taken => piece = &piece[taken..],
        }
    }
    decoder.flush()
}
