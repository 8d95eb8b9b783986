//! The body of an answer on its way from the upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use postern_inspect::ContentDecoder;
use postern_types::{End, Refusal, RefusalCode};
use thiserror::Error;
use tokio::time::Instant;

use super::outbound::Upload;
use super::uncoded::{Uncoded, UncodedError};
use crate::bounds::{AT_HAND_BYTES_MAX, Timeouts};
use crate::connect::Connected;
use crate::headers::{Scrubbed, Scrubber};
use crate::pool::Seat;
use crate::strict::Alarm;

/// An answer did not come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum InboundError {
    /// The connection broke.
    #[error("the upstream's connection broke before the answer was whole")]
    Reset,
    /// Nothing came for too long, or it took too long in all.
    #[error("the upstream fell silent before the answer was whole")]
    TimedOut,
    /// Its framing is broken.
    #[error("the framing of the upstream's answer is broken")]
    Malformed,
}

impl InboundError {
    /// The refusal that the answer ends with.
    pub(crate) fn refusal(&self) -> Refusal {
        let code = match self {
            Self::Reset | Self::Malformed => RefusalCode::UpstreamProtocol,
            Self::TimedOut => RefusalCode::UpstreamTimeout,
        };
        Refusal::new(code, self.to_string())
    }

    /// How the request is recorded.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Reset | Self::Malformed => End::UpstreamReset,
            Self::TimedOut => End::UpstreamTimedOut,
        }
    }
}

/// A connection in use: put back when the exchange was whole, closed otherwise.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connected,
    pub(super) seat: Seat,
    pub(super) upload: Arc<Upload>,
}

impl Lease {
    fn put_back(self) {
        // An upstream may answer before it has read the request; what is still being sent would
        // stand before the next request.
        if self.upload.is_done() {
            self.seat.put_back(self.connection);
        }
    }
}

#[derive(Debug)]
enum Source {
    Plain(Incoming),
    Scrubbed(Box<Scrubbed<Incoming>>),
    /// Its coding is taken off first.
    Uncoded(Box<Scrubbed<Uncoded<Incoming>>>),
    Ended,
}

/// The body of an answer. The next piece is read when it is asked for.
#[derive(Debug)]
pub(crate) struct InboundBody {
    source: Source,
    /// A piece, or the failure, that was looked at and is still to come.
    seen: Option<Result<Frame<Bytes>, InboundError>>,
    lease: Option<Lease>,
    idle: Duration,
    deadline: Instant,
    waiting_since: Option<Instant>,
    alarm: Alarm,
}

impl InboundBody {
    pub(super) fn new(
        body: Incoming,
        scrubbing: Option<(Scrubber, Option<ContentDecoder>)>,
        lease: Lease,
        timeouts: &Timeouts,
        started: Instant,
    ) -> Self {
        let source = match scrubbing {
            Some((scrubber, None)) => Source::Scrubbed(Box::new(scrubber.body(body))),
            Some((scrubber, Some(decoder))) => {
                let uncoded = Uncoded::new(body, decoder);
                Source::Uncoded(Box::new(scrubber.body(uncoded)))
            }
            None => Source::Plain(body),
        };
        let mut this = Self {
            source,
            seen: None,
            lease: Some(lease),
            idle: timeouts.idle,
            deadline: started + timeouts.total,
            waiting_since: None,
            alarm: Alarm::default(),
        };
        this.put_back_at_end();
        this
    }

    /// The whole of a small body of known length, if it is there already; it is then no longer in
    /// here. Nothing is waited for, and what came of a larger one stays.
    pub(crate) fn poll_at_hand(&mut self, cx: &mut Context<'_>) -> Option<Bytes> {
        let length = self.size_hint().exact();
        if length.is_none_or(|bytes| bytes > AT_HAND_BYTES_MAX) {
            return None;
        }
        match Pin::new(&mut *self).poll_frame(cx) {
            Poll::Ready(None) => Some(Bytes::new()),
            Poll::Ready(Some(Ok(frame))) if self.source_ended() => match frame.into_data() {
                Ok(whole) => Some(whole),
                Err(trailers) => {
                    self.seen = Some(Ok(trailers));
                    None
                }
            },
            Poll::Ready(Some(came)) => {
                self.seen = Some(came);
                None
            }
            Poll::Pending => None,
        }
    }

    /// A body of known length is not polled after its last byte, so the end is looked for each
    /// time.
    fn put_back_at_end(&mut self) {
        if self.source_ended()
            && let Some(lease) = self.lease.take()
        {
            lease.put_back();
        }
    }

    fn source_ended(&self) -> bool {
        match &self.source {
            Source::Plain(body) => body.is_end_stream(),
            Source::Scrubbed(body) => body.is_end_stream(),
            Source::Uncoded(body) => body.is_end_stream(),
            Source::Ended => true,
        }
    }

    fn fail(&mut self, error: InboundError) -> Poll<Option<Result<Frame<Bytes>, InboundError>>> {
        // The connection is closed with its lease.
        self.lease = None;
        self.source = Source::Ended;
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for InboundBody {
    type Data = Bytes;
    type Error = InboundError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, InboundError>>> {
        let this = &mut *self;
        if let Some(seen) = this.seen.take() {
            return Poll::Ready(Some(seen));
        }
        let polled = match &mut this.source {
            Source::Plain(body) => broken(Pin::new(body).poll_frame(cx)),
            Source::Scrubbed(body) => broken(Pin::new(body.as_mut()).poll_frame(cx)),
            Source::Uncoded(body) => {
                let polled = Pin::new(body.as_mut()).poll_frame(cx);
                polled.map_err(|error| match error {
                    UncodedError::Body(error) => classify(&error),
                    UncodedError::Coding => InboundError::Malformed,
                })
            }
            Source::Ended => return Poll::Ready(None),
        };
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting_since = None;
                // An upstream that always has a piece ready is never waited for. With its last one
                // it has come in time.
                if !this.source_ended() && Instant::now() > this.deadline {
                    return this.fail(InboundError::TimedOut);
                }
                this.put_back_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => this.fail(error),
            Poll::Ready(None) => {
                this.source = Source::Ended;
                if let Some(lease) = this.lease.take() {
                    lease.put_back();
                }
                Poll::Ready(None)
            }
            Poll::Pending => {
                let since = *this.waiting_since.get_or_insert_with(Instant::now);
                let due = (since + this.idle).min(this.deadline);
                std::task::ready!(this.alarm.poll(cx, due));
                this.fail(InboundError::TimedOut)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_none() && self.source_ended()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.source {
            Source::Plain(body) => body.size_hint(),
            Source::Scrubbed(body) => body.size_hint(),
            Source::Uncoded(body) => body.size_hint(),
            Source::Ended => SizeHint::with_exact(0),
        };
        match &self.seen {
            None => rest,
            Some(Ok(frame)) => {
                let seen = frame.data_ref().map_or(0, |data| data.len() as u64);
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower() + seen);
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper + seen);
                }
                hint
            }
            // It breaks off: it has no length that could be promised.
            Some(Err(_)) => SizeHint::default(),
        }
    }
}

impl Drop for InboundBody {
    fn drop(&mut self) {
        self.put_back_at_end();
    }
}

type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

fn broken(polled: Polled<hyper::Error>) -> Polled<InboundError> {
    polled.map_err(|error| classify(&error))
}

fn classify(error: &hyper::Error) -> InboundError {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData) => {
            InboundError::Malformed
        }
        _ => InboundError::Reset,
    }
}
