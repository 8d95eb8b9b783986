//! Takes the content coding off an answer that was not to have one.
//!
//! Answers are asked for without coding, because the upstream's credential is looked for in them.
//! An upstream that sends a coded one all the same is read: what goes on is what the coding held,
//! decoded within bounds and a small piece at a time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, HeaderMap};
use http_body::{Body, Frame};
use postern_inspect::ContentDecoder;

/// Coded bytes that are decoded before what came of them goes on.
const PIECE_BYTES: usize = 512;

/// Why a coded answer does not go on.
#[derive(Debug)]
pub(super) enum UncodedError<E> {
    /// The body itself broke.
    Body(E),
    /// It does not decode, or grows beyond all measure.
    Coding,
}

/// The decoder for an answer with these fields; `None` where it has no coding.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn decoder(headers: &HeaderMap) -> Result<Option<ContentDecoder>, &'static str> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let Some(coding) = codings.next() else {
        return Ok(None);
    };
    let odd = "the answer has a coding that was not asked for and cannot be taken off";
    if codings.next().is_some() {
        return Err(odd);
    }
    let coding = coding.to_str().map_err(|_| odd)?;
    let decoder = ContentDecoder::for_header(Some(coding)).map_err(|_| odd)?;
    if decoder.is_some() && headers.contains_key(CONTENT_RANGE) {
        return Err("the answer is a part of something coded, which was not asked for");
    }
    Ok(decoder)
}

/// A body without its coding.
pub(super) struct Uncoded<B> {
    body: B,
    decoder: ContentDecoder,
    /// Coded bytes that wait to be decoded.
    waiting: Bytes,
    trailers: Option<HeaderMap>,
    /// No coded byte follows.
    ended: bool,
    /// The last one has been decoded.
    finished: bool,
}

impl<B> fmt::Debug for Uncoded<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncoded")
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

impl<B: Body<Data = Bytes> + Unpin> Uncoded<B> {
    pub(super) fn new(body: B, decoder: ContentDecoder) -> Self {
        Self {
            body,
            decoder,
            waiting: Bytes::new(),
            trailers: None,
            ended: false,
            finished: false,
        }
    }

    /// Decodes what waits, until something comes of it.
    fn decode(&mut self) -> Result<Bytes, UncodedError<B::Error>> {
        let mut decoded = Vec::new();
        while !self.waiting.is_empty() {
            let piece = self.waiting.split_to(self.waiting.len().min(PIECE_BYTES));
            let pushed = self.decoder.push(&piece, &mut |bytes| {
                decoded.extend_from_slice(bytes);
                Ok(())
            });
            pushed.map_err(|_| UncodedError::Coding)?;
            if !decoded.is_empty() {
                return Ok(decoded.into());
            }
        }
        // A body of known length is not asked again after its last byte.
        if !self.finished && (self.ended || self.body.is_end_stream()) {
            self.finished = true;
            let ended = self.decoder.finish(&mut |bytes| {
                decoded.extend_from_slice(bytes);
                Ok(())
            });
            ended.map_err(|_| UncodedError::Coding)?;
        }
        Ok(decoded.into())
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Uncoded<B> {
    type Data = Bytes;
    type Error = UncodedError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        loop {
            match this.decode() {
                Ok(decoded) if decoded.is_empty() => {}
                Ok(decoded) => return Poll::Ready(Some(Ok(Frame::data(decoded)))),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            if this.finished {
                let trailers = this.trailers.take();
                return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
            }
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => this.waiting = piece,
                    Err(frame) => {
                        this.trailers = frame.into_trailers().ok();
                        this.ended = true;
                    }
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(UncodedError::Body(error)))),
                None => this.ended = true,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.finished && self.waiting.is_empty() && self.trailers.is_none()
    }
}
