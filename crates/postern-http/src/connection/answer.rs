//! Answer bodies as their connection sees them: when an exchange is over, and which streams stall.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::BoxError;
use crate::strict::Exchange;

/// An answer's body that tells its connection when it is done with.
pub(super) struct Answer<B> {
    body: B,
    link: Link,
}

enum Link {
    Http1(Arc<Exchange>),
    Http2(Stream),
}

impl<B> Answer<B> {
    pub(super) fn http1(body: B, exchange: Arc<Exchange>) -> Self {
        Self {
            body,
            link: Link::Http1(exchange),
        }
    }

    pub(super) fn http2(body: B, stream: Stream) -> Self {
        Self {
            body,
            link: Link::Http2(stream),
        }
    }
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        if let Link::Http1(exchange) = &self.link {
            exchange.finish();
        }
    }
}

impl<B> Body for Answer<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let result = Pin::new(&mut self.body).poll_frame(cx);
        if let Link::Http2(stream) = &self.link {
            stream.note(result.is_ready());
        }
        result.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Why a connection has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// No stream was open for long.
    Idle,
    /// A client took nothing of an answer for too long.
    Stalled,
}

/// The streams of one HTTP/2 connection.
#[derive(Debug)]
pub(super) struct Streams {
    answered: AtomicU64,
    cancelled: AtomicU64,
    cancelled_max: u64,
    hang_up: CancellationToken,
    start: Instant,
    open: Mutex<OpenStreams>,
}

#[derive(Debug, Default)]
struct OpenStreams {
    requests: usize,
    /// When the last request ended, in milliseconds after the start.
    idle_since_ms: u64,
    answers: Vec<Arc<AtomicU64>>,
}

/// The stream waits for the answer's next piece, or has none to send.
const NOT_WAITING: u64 = u64::MAX;

impl Streams {
    pub(super) fn new(cancelled_max: u64, hang_up: CancellationToken) -> Self {
        Self {
            answered: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            cancelled_max,
            hang_up,
            start: Instant::now(),
            open: Mutex::default(),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NOT_WAITING - 1)
    }

    /// Resolves when the connection has been idle for `idle`, or a stream stalled for `stalled`.
    pub(super) async fn stalled(&self, stalled: Duration, idle: Duration) -> Quiet {
        // Looked at so often that an end is at most a quarter late; no work per frame but a store.
        let mut ticks = tokio::time::interval(stalled.min(idle) / 4);
        loop {
            ticks.tick().await;
            let now = self.now_ms();
            let passed = |since: u64, allowed: Duration| {
                u128::from(now - since.min(now)) >= allowed.as_millis()
            };
            let open = self.open.lock();
            if open.requests == 0 && passed(open.idle_since_ms, idle) {
                return Quiet::Idle;
            }
            let waiting = |since: &Arc<AtomicU64>| since.load(Ordering::Relaxed);
            if open
                .answers
                .iter()
                .map(waiting)
                .any(|since| passed(since, stalled))
            {
                return Quiet::Stalled;
            }
        }
    }
}

/// A request under way on an HTTP/2 connection. Dropped without an answer, it was cancelled.
pub(super) struct Cancelled {
    streams: Arc<Streams>,
    answered: bool,
}

impl Cancelled {
    pub(super) fn new(streams: Arc<Streams>) -> Self {
        streams.open.lock().requests += 1;
        Self {
            streams,
            answered: false,
        }
    }

    /// The answer was made: the stream goes on with its body.
    pub(super) fn answered(mut self) -> Stream {
        self.answered = true;
        self.streams.answered.fetch_add(1, Ordering::Relaxed);
        let since = Arc::new(AtomicU64::new(NOT_WAITING));
        let mut open = self.streams.open.lock();
        open.requests += 1;
        open.answers.push(Arc::clone(&since));
        drop(open);
        Stream {
            streams: Arc::clone(&self.streams),
            since,
        }
    }
}

impl Streams {
    fn end_request(&self) {
        let now = self.now_ms();
        let mut open = self.open.lock();
        open.requests = open.requests.saturating_sub(1);
        open.idle_since_ms = now;
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        let streams = &self.streams;
        streams.end_request();
        if self.answered {
            return;
        }
        let cancelled = streams.cancelled.fetch_add(1, Ordering::Relaxed) + 1;
        let answered = streams.answered.load(Ordering::Relaxed);
        // SECURITY: a client may give up requests; one that gives up most of them makes us work
        // for nothing (rapid reset, also of streams that were already accepted).
        if cancelled > streams.cancelled_max.saturating_add(answered) {
            streams.hang_up.cancel();
        }
    }
}

/// The answer of one HTTP/2 stream.
pub(super) struct Stream {
    streams: Arc<Streams>,
    /// Since when a piece is ready and the client takes none, in milliseconds after the start.
    since: Arc<AtomicU64>,
}

impl Stream {
    /// Notes whether a piece was handed out. It is with the client once the next is asked for.
    fn note(&self, handed_out: bool) {
        let since = if handed_out {
            self.streams.now_ms()
        } else {
            NOT_WAITING
        };
        self.since.store(since, Ordering::Relaxed);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock();
        open.answers
            .retain(|since| !Arc::ptr_eq(since, &self.since));
        drop(open);
        self.streams.end_request();
    }
}
