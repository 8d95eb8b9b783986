//! Content codings, taken off within bounds.
//!
//! Whatever the coding, a body that grows beyond all measure, is cut short, or is followed by
//! something else is refused: what is sent on was read to its last byte.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

use crate::InspectError;
use crate::bounds::{
    BODY_DECODED_BYTES_MAX, DECODED_BYTES_FREE, DECODED_RATIO_MAX, ZSTD_WINDOW_LOG_MAX,
};

/// Coded bytes that are decoded at once.
const PIECE_BYTES: usize = 512;
/// Decoded bytes that come of one piece at most: brotli and zstd can say "so many zeros" in a few
/// bytes, and what comes out is held until it is looked at.
const PIECE_DECODED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes of the buffers in between.
const BUFFER_BYTES: usize = 16 * 1024;

/// Takes what a decoder gives, as far as it may go.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    left: u64,
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(piece.len() as u64)
            .ok_or_else(|| io::Error::other("it grows too much when decoded"))?;
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A decoder of one body, fed with its bytes as they come, within bounds.
pub struct Decoder {
    coding: Coding,
    taken: u64,
    given: u64,
}

enum Coding {
    Gzip(Box<MultiGzDecoder<Sink>>),
    Deflate(Deflate),
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd(Zstd),
}

impl Decoder {
    /// The decoder for a `Content-Encoding` header; `None` where there is nothing to decode.
    ///
    /// # Errors
    /// `CannotInspect` for any other coding, and for several on top of each other.
    pub fn for_header(header: Option<&str>) -> Result<Option<Self>, InspectError> {
        let name = header.unwrap_or_default().trim().to_ascii_lowercase();
        let coding = match name.as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Coding::Gzip(Box::new(MultiGzDecoder::new(Sink::default()))),
            "deflate" => Coding::Deflate(Deflate::default()),
            "br" => Coding::Brotli(Box::new(DecompressorWriter::new(
                Sink::default(),
                BUFFER_BYTES,
            ))),
            "zstd" => Coding::Zstd(Zstd::new()?),
            _ => {
                return Err(InspectError::cannot(
                    "the body's coding is not one that is decoded",
                ));
            }
        };
        Ok(Some(Self {
            coding,
            taken: 0,
            given: 0,
        }))
    }

    /// Decodes the next bytes; `told` gets the decoded ones in pieces.
    ///
    /// # Errors
    /// When the bytes cannot be decoded or grow beyond all measure, or when `told` fails.
    pub fn push(
        &mut self,
        chunk: &[u8],
        told: &mut dyn FnMut(&[u8]) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        for piece in chunk.chunks(PIECE_BYTES) {
            self.taken += piece.len() as u64;
            let allowed = self.allowed();
            let decoded = self.coding.write(piece, allowed).map_err(|e| broken(&e))?;
            self.given += decoded.len() as u64;
            if !decoded.is_empty() {
                told(&decoded)?;
            }
        }
        Ok(())
    }

    /// The coded bytes have ended.
    ///
    /// # Errors
    /// When they are cut short; and as [`Decoder::push`].
    pub fn finish(
        &mut self,
        told: &mut dyn FnMut(&[u8]) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        if self.taken == 0 {
            return Ok(());
        }
        let allowed = self.allowed();
        let decoded = self.coding.finish(allowed).map_err(|e| broken(&e))?;
        if decoded.is_empty() {
            return Ok(());
        }
        told(&decoded)
    }

    /// How many more bytes may come out now.
    fn allowed(&self) -> u64 {
        let most = self
            .taken
            .saturating_mul(DECODED_RATIO_MAX)
            .saturating_add(DECODED_BYTES_FREE)
            .min(BODY_DECODED_BYTES_MAX);
        most.saturating_sub(self.given).min(PIECE_DECODED_BYTES_MAX)
    }
}

fn broken(_: &io::Error) -> InspectError {
    // In fixed words, so that they may be told.
    InspectError::cannot("the body cannot be decoded, or unfolds to too much")
}

impl Coding {
    fn write(&mut self, piece: &[u8], allowed: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => {
                decoder.get_mut().left = allowed;
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Self::Brotli(decoder) => {
                decoder.get_mut().left = allowed;
                decoder.write_all(piece)?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Self::Deflate(deflate) => deflate.write(piece, allowed),
            Self::Zstd(zstd) => zstd.write(piece, allowed),
        }
    }

    fn finish(&mut self, allowed: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => {
                decoder.get_mut().left = allowed;
                decoder.try_finish()?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Self::Brotli(decoder) => {
                decoder.get_mut().left = allowed;
                decoder.close()?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Self::Deflate(deflate) if deflate.ended => Ok(Vec::new()),
            Self::Zstd(zstd) if zstd.between_frames => Ok(Vec::new()),
            Self::Deflate(_) | Self::Zstd(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// `deflate`, of which two forms are in use: with the header of zlib, and bare.
#[derive(Default)]
struct Deflate {
    inflate: Option<Decompress>,
    ended: bool,
}

impl Deflate {
    fn write(&mut self, piece: &[u8], allowed: u64) -> io::Result<Vec<u8>> {
        // A zlib header names method 8 in its low four bits; bare deflate hardly ever does.
        let zlib = piece.first().is_some_and(|first| first & 0x0f == 8);
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(zlib));
        let mut sink = Sink {
            left: allowed,
            ..Sink::default()
        };
        let mut rest = piece;
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            if self.ended {
                return if rest.is_empty() {
                    Ok(sink.bytes)
                } else {
                    Err(io::Error::other("something follows it"))
                };
            }
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(rest, &mut buffer, FlushDecompress::None)
                .map_err(io::Error::other)?;
            let taken = usize::try_from(inflate.total_in() - before_in).unwrap_or(rest.len());
            let given = usize::try_from(inflate.total_out() - before_out).unwrap_or(BUFFER_BYTES);
            rest = &rest[taken..];
            sink.write_all(&buffer[..given])?;
            self.ended = status == Status::StreamEnd;
            if !self.ended && given < BUFFER_BYTES && (rest.is_empty() || taken == 0) {
                return if rest.is_empty() {
                    Ok(sink.bytes)
                } else {
                    Err(io::Error::other("it makes no progress"))
                };
            }
        }
    }
}

/// Frames of zstd, one after the other.
struct Zstd {
    decoder: ZstdDecoder<'static>,
    /// The last frame has ended, and none begun.
    between_frames: bool,
}

impl Zstd {
    fn new() -> Result<Self, InspectError> {
        let mut decoder = ZstdDecoder::new().map_err(|error| broken(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))
            .map_err(|error| broken(&error))?;
        Ok(Self {
            decoder,
            between_frames: true,
        })
    }

    fn write(&mut self, piece: &[u8], allowed: u64) -> io::Result<Vec<u8>> {
        let mut sink = Sink {
            left: allowed,
            ..Sink::default()
        };
        let mut buffer = [0; BUFFER_BYTES];
        let mut input = InBuffer::around(piece);
        loop {
            let before = input.pos();
            let mut output = OutBuffer::around(&mut buffer[..]);
            let hint = self.decoder.run(&mut input, &mut output)?;
            let given = output.as_slice();
            sink.write_all(given)?;
            let full = given.len() == BUFFER_BYTES;
            let stuck = input.pos() == before && given.is_empty();
            self.between_frames = hint == 0;
            if input.pos() == piece.len() && !full {
                return Ok(sink.bytes);
            }
            if stuck {
                return Err(io::Error::other("it makes no progress"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::borrow::Cow;

    use super::*;

    /// `mona@example.com` as brotli: one metablock that is not compressed, then the empty last one
    /// (RFC 7932, section 9.2).
    fn brotli(text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len() - 1).unwrap();
        assert!(length < 1 << 16);
        // WBITS 16 (bit 0), ISLAST 0, MNIBBLES 4 (00), MLEN - 1 (16 bits), ISUNCOMPRESSED 1.
        let head = (length << 4) | (1 << 20);
        let mut coded = head.to_le_bytes()[..3].to_vec();
        coded.extend_from_slice(text);
        coded.push(0b11);
        coded
    }

    fn coded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(text).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(text).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), level);
        bare.write_all(text).unwrap();
        vec![
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
            ("zstd", zstd::encode_all(text, 3).unwrap()),
            ("br", brotli(text)),
        ]
    }

    fn decode(name: &str, coded: &[u8], cut: usize) -> Result<Vec<u8>, InspectError> {
        let mut decoder = Decoder::for_header(Some(name))?.unwrap();
        let mut out = Vec::new();
        let mut told = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        for piece in coded.chunks(cut) {
            decoder.push(piece, &mut told)?;
        }
        decoder.finish(&mut told)?;
        Ok(out)
    }

    #[test]
    fn every_coding_is_read_however_it_is_cut() {
        let text = "the quick brown fox and mona@example.com ".repeat(200);
        for (name, coded) in coded(text.as_bytes()) {
            for cut in [1, 3, 64, usize::MAX] {
                let decoded = decode(name, &coded, cut);
                assert_eq!(
                    decoded.as_deref(),
                    Ok(text.as_bytes()),
                    "{name} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_short_followed_by_something_or_unknown_is_refused() {
        let text = b"some text that is long enough to be cut";
        for (name, coded) in coded(text) {
            for end in 1..coded.len() {
                assert!(
                    decode(name, &coded[..end], 7).is_err(),
                    "{name} cut short at {end}"
                );
            }
            let more = [coded.as_slice(), b"more"].concat();
            assert!(decode(name, &more, 7).is_err(), "{name} with a tail");
        }
        for name in ["compress", "gzip, br", "gzip,gzip", "dcb"] {
            assert!(Decoder::for_header(Some(name)).is_err(), "{name}");
        }
        assert!(Decoder::for_header(Some("Identity")).unwrap().is_none());
        assert!(Decoder::for_header(None).unwrap().is_none());
    }

    #[test]
    fn a_body_that_grows_without_measure_is_refused_early() {
        // Goal: a decompression bomb costs little. Method: 64 MiB of zeros in each coding that can
        // say so briefly; what came out before the refusal is counted.
        let zeros = vec![0; 64 * 1024 * 1024];
        for (name, coded) in coded(&zeros[..1024 * 60])
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| *name != "br")
            .zip(coded_zeros(&zeros))
        {
            let mut decoder = Decoder::for_header(Some(name)).unwrap().unwrap();
            let mut given = 0;
            let result = decoder.push(&coded, &mut |piece| {
                given += piece.len();
                Ok(())
            });
            let told = matches!(result, Err(InspectError::CannotInspect(Cow::Borrowed(_))));
            assert!(told, "{name}: {result:?}");
            assert!(given <= 20 * 1024 * 1024, "{name}: {given}");
        }
    }

    fn coded_zeros(zeros: &[u8]) -> Vec<Vec<u8>> {
        let level = Compression::best();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(zeros).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(zeros).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), level);
        bare.write_all(zeros).unwrap();
        let zstd = zstd::encode_all(zeros, 3).unwrap();
        vec![
            gzip.finish().unwrap(),
            zlib.finish().unwrap(),
            bare.finish().unwrap(),
            zstd,
        ]
    }
}
