//! The body of a request while it arrives: capped, and not slower than is honest.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use postern_guard::BodyRoom;
use postern_types::{Refusal, RefusalCode};
use thiserror::Error;
use tokio::time::Instant;

use super::whole::Whole;
use crate::bounds::DownstreamBounds;
use crate::strict::{Alarm, Fault};

/// A request body did not arrive whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ReceiveError {
    /// It is larger than the gateway takes.
    #[error("the request body is larger than the gateway takes")]
    TooLarge,
    /// Its framing is broken.
    #[error("the framing of the request body is broken: {0}")]
    Malformed(&'static str),
    /// It came too slowly.
    #[error("the request body came too slowly")]
    TooSlow,
    /// The client went away before it was whole.
    #[error("the client went away before the request body was whole")]
    Gone,
}

impl ReceiveError {
    /// The refusal to answer with, where an answer can still be given.
    pub(crate) fn refusal(&self) -> Refusal {
        let code = match self {
            Self::TooLarge => RefusalCode::BodyTooLarge,
            Self::Malformed(_) | Self::TooSlow | Self::Gone => RefusalCode::BadRequest,
        };
        let refusal = Refusal::new(code, self.to_string());
        match self {
            Self::Gone => refusal.client_gone(),
            _ => refusal,
        }
    }
}

/// A request body. Trailers do not come out: nothing that the gateway serves reads them.
#[derive(Debug)]
pub(crate) struct ArrivalBody {
    /// What was read already and put back.
    before: VecDeque<Bytes>,
    body: Incoming,
    bytes_left: u64,
    pace: Pace,
    failed: Option<ReceiveError>,
}

/// How fast the client is, counting only the time in which it was waited for: an upstream that
/// takes the body slowly is not the client's fault.
#[derive(Debug)]
struct Pace {
    allowed: Duration,
    bytes_min: u64,
    total: Duration,
    begun: Option<Instant>,
    waiting_since: Option<Instant>,
    waited: Duration,
    bytes: u64,
    alarm: Alarm,
}

impl Pace {
    fn moved(&mut self, bytes: u64) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
        self.bytes += bytes;
        if self.bytes >= self.bytes_min {
            self.bytes = 0;
            self.waited = Duration::ZERO;
        }
    }

    /// A client that always has a piece ready is not waited for, and may still go on for ever.
    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        now - *self.begun.get_or_insert(now) > self.total
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let begun = *self.begun.get_or_insert(now);
        let since = *self.waiting_since.get_or_insert(now);
        let next = since + self.allowed.saturating_sub(self.waited);
        self.alarm.poll(cx, next.min(begun + self.total))
    }
}

impl ArrivalBody {
    pub(super) fn new(body: Incoming, bounds: &DownstreamBounds) -> Self {
        Self {
            before: VecDeque::new(),
            body,
            bytes_left: bounds.body_bytes_max,
            pace: Pace {
                allowed: bounds.body_progress,
                bytes_min: bounds.body_progress_bytes,
                total: bounds.body_total,
                begun: None,
                waiting_since: None,
                waited: Duration::ZERO,
                bytes: 0,
                alarm: Alarm::default(),
            },
            failed: None,
        }
    }

    /// Reads the whole body into memory, as far as there is room for it.
    ///
    /// # Errors
    /// When it does not arrive whole, is larger than `bytes_max`, or there is no room.
    pub(crate) async fn collect(
        &mut self,
        bytes_max: usize,
        room: BodyRoom,
    ) -> Result<Bytes, Refusal> {
        let mut whole = Whole::new(bytes_max, self.body.size_hint().exact(), room);
        while let Some(piece) = self.piece().await {
            whole.push(piece.map_err(|error| error.refusal())?)?;
        }
        Ok(whole.finish())
    }

    /// As [`ArrivalBody::collect`], for somebody who only looks at it: where that fails, the body
    /// is as it was, and comes as it would have.
    pub(crate) async fn try_collect(&mut self, bytes_max: usize, room: BodyRoom) -> Option<Bytes> {
        let mut whole = Whole::new(bytes_max, self.body.size_hint().exact(), room);
        let mut over = None;
        let fits = loop {
            match self.piece().await {
                None => break true,
                Some(Err(_)) => break false,
                Some(Ok(piece)) => {
                    if whole.push(piece.clone()).is_err() {
                        over = Some(piece);
                        break false;
                    }
                }
            }
        };
        let read = whole.finish();
        if fits {
            return Some(read);
        }
        self.before.extend([read].into_iter().chain(over));
        self.before.retain(|piece| !piece.is_empty());
        None
    }

    async fn piece(&mut self) -> Option<Result<Bytes, ReceiveError>> {
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await?;
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn fail<T>(&mut self, error: ReceiveError) -> Poll<Option<Result<T, ReceiveError>>> {
        self.failed = Some(error);
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for ArrivalBody {
    type Data = Bytes;
    type Error = ReceiveError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        let this = &mut *self;
        if let Some(piece) = this.before.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(error) = this.failed {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    let count = data.len() as u64;
                    this.pace.moved(count);
                    if !this.body.is_end_stream() && this.pace.is_over() {
                        return this.fail(ReceiveError::TooSlow);
                    }
                    let Some(left) = this.bytes_left.checked_sub(count) else {
                        return this.fail(ReceiveError::TooLarge);
                    };
                    this.bytes_left = left;
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Poll::Ready(Some(Err(error))) => return this.fail(classify(&error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    std::task::ready!(this.pace.poll_overdue(cx));
                    return this.fail(ReceiveError::TooSlow);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let before: u64 = self.before.iter().map(|piece| piece.len() as u64).sum();
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(before.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper() {
            hint.set_upper(before.saturating_add(upper));
        }
        hint
    }
}

/// Tells a broken framing from a client that went away.
fn classify(error: &hyper::Error) -> ReceiveError {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let inner = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(fault) = inner.and_then(|inner| inner.downcast_ref::<Fault>()) {
            return ReceiveError::Malformed(fault.cause);
        }
        source = cause.source();
    }
    ReceiveError::Gone
}
