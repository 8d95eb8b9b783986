//! The body of a request on its way upstream.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::arrival::ReceiveError;

/// How far the body of a request is: what tells a connection that can be used again from one that
/// still sends, and a slow upload from a silent upstream.
#[derive(Debug)]
pub(super) struct Upload {
    started: Instant,
    moved_ms: AtomicU64,
    done: AtomicBool,
    failure: Mutex<Option<ReceiveError>>,
}

impl Upload {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            moved_ms: AtomicU64::new(0),
            done: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// When a byte last moved; at first, when the exchange started.
    pub(super) fn moved_at(&self) -> Instant {
        self.started + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed))
    }

    /// Whether the whole body was handed to the connection.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// What the client did wrong, if that is why the exchange failed.
    pub(super) fn failure(&self) -> Option<ReceiveError> {
        *self.failure.lock()
    }

    fn moved(&self) {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(passed, Ordering::Relaxed);
    }

    fn finish(&self) {
        self.done.store(true, Ordering::Release);
    }
}

/// The body of a request.
pub(crate) struct OutboundBody {
    source: Source,
    upload: Option<Arc<Upload>>,
}

type Stream = dyn Body<Data = Bytes, Error = ReceiveError> + Send;

enum Source {
    None,
    Pieces {
        pieces: VecDeque<Bytes>,
        left: u64,
    },
    Stream {
        body: Pin<Box<Stream>>,
        left: Option<u64>,
    },
}

impl fmt::Debug for OutboundBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::None => f.write_str("OutboundBody(none)"),
            Source::Pieces { left, .. } => write!(f, "OutboundBody({left} bytes)"),
            Source::Stream { .. } => f.write_str("OutboundBody(stream)"),
        }
    }
}

impl OutboundBody {
    /// No body.
    pub(crate) fn none() -> Self {
        Self {
            source: Source::None,
            upload: None,
        }
    }

    /// A body that is all there.
    pub(crate) fn pieces(pieces: Vec<Bytes>) -> Self {
        let pieces: VecDeque<Bytes> = pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        let left = pieces.iter().map(|piece| piece.len() as u64).sum();
        if left == 0 {
            return Self::none();
        }
        Self {
            source: Source::Pieces { pieces, left },
            upload: None,
        }
    }

    /// A body that still arrives. Its declared length is sent on; without one it goes in chunks.
    pub(crate) fn stream(
        body: impl Body<Data = Bytes, Error = ReceiveError> + Send + 'static,
        declared: Option<u64>,
    ) -> Self {
        if declared == Some(0) || body.is_end_stream() {
            return Self::none();
        }
        Self {
            source: Source::Stream {
                body: Box::pin(body),
                left: declared,
            },
            upload: None,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self.source, Source::None)
    }

    pub(super) fn watched(mut self, upload: Arc<Upload>) -> Self {
        if self.is_none() {
            upload.finish();
        }
        self.upload = Some(upload);
        self
    }

    fn note(&self, polled: &Poll<Option<Result<Frame<Bytes>, ReceiveError>>>) {
        let Some(upload) = &self.upload else {
            return;
        };
        match polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(_))) => {
                upload.moved();
                if self.is_end_stream() {
                    upload.finish();
                }
            }
            Poll::Ready(None) => upload.finish(),
            Poll::Ready(Some(Err(error))) => *upload.failure.lock() = Some(*error),
        }
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = ReceiveError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        let polled = match &mut self.source {
            Source::None => Poll::Ready(None),
            Source::Pieces { pieces, left } => Poll::Ready(pieces.pop_front().map(|piece| {
                *left -= piece.len() as u64;
                Ok(Frame::data(piece))
            })),
            Source::Stream { body, left } => {
                let polled = body.as_mut().poll_frame(cx);
                if let (Poll::Ready(Some(Ok(frame))), Some(left)) = (&polled, left) {
                    let count = frame.data_ref().map_or(0, |data| data.len() as u64);
                    *left = left.saturating_sub(count);
                }
                polled
            }
        };
        self.note(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::None => true,
            Source::Pieces { left, .. } => *left == 0,
            Source::Stream { body, left } => *left == Some(0) || body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::None => SizeHint::with_exact(0),
            Source::Pieces { left, .. }
            | Source::Stream {
                left: Some(left), ..
            } => SizeHint::with_exact(*left),
            Source::Stream { body, left: None } => body.size_hint(),
        }
    }
}
