//! A strict reader in front of hyper's HTTP/1 parser.
//!
//! hyper repairs what it can: it collapses equal lengths, lets a transfer coding win over a length,
//! takes lines that end in a bare LF. A gateway must not repair: what it reads one way, the next
//! server may read another. So [`StrictIo`] follows the framing itself. It holds a request head
//! back until it is whole, judges it, and only then lets hyper see it; it follows the body, so that
//! it finds the next head exactly where hyper will.
//!
//! A head with a fault is replaced by a small valid one that asks to close the connection, and the
//! fault is left in [`Exchange`], where the service finds it: so the refusal is answered in order,
//! in the gateway's own words, by the same code as every other refusal. Nothing is read after it. A
//! fault inside a body ends the body with an error.
//!
//! An HTTP/2 preface switches all this off: HTTP/2 has its own framing.

mod authority;
mod chunks;
mod head;
mod stall;
mod violation;

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use crate::bounds::{Bounds, DownstreamBounds};
use chunks::ChunkReader;
use head::{Framing, HeadScanner};
use stall::Linger;

pub(crate) use authority::{are_same, is_sane};
pub(crate) use head::is_target_byte;
pub(crate) use stall::Alarm;
pub(crate) use violation::{Fault, Violation};

/// What an HTTP/2 connection starts with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What hyper sees instead of a head with a fault. The request is not served, only refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused.invalid\r\nconnection: close\r\n\r\n";
/// Bytes asked of the socket at once.
const READ_BYTES: usize = 8 * 1024;

thread_local! {
    /// The read buffer of whichever connection of this core was read last and then fell silent.
    static SPARE: RefCell<BytesMut> = RefCell::default();
}

/// What one HTTP/1 connection's reader and its service tell each other about the exchange under
/// way. There is one at a time: the next head is held until the answer before it has been made.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    busy: AtomicBool,
    violation: Mutex<Option<Violation>>,
    /// The connection, where it holds a head that waits for the answer before it.
    waiting: Mutex<Option<Waker>>,
}

impl Exchange {
    /// The fault of the request that hyper just handed to the service, if it had one.
    pub(crate) fn take_violation(&self) -> Option<Violation> {
        self.violation.lock().take()
    }

    /// The answer was made and its body is done with.
    pub(crate) fn finish(&self) {
        self.busy.store(false, Ordering::Release);
        // hyper does not ask again for what it was once told to wait for.
        let waiting = self.waiting.lock().take();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn begin(&self) {
        self.busy.store(true, Ordering::Release);
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }
}

/// The version that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

#[derive(Debug)]
enum State {
    /// Before or inside a head.
    Head(HeadScanner),
    /// Inside a body with so many bytes to come.
    Body(u64),
    Chunked(ChunkReader),
    /// A fault was found: nothing more is read.
    Refused,
    /// HTTP/2: everything passes.
    Open,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct StrictIo<T> {
    inner: T,
    state: State,
    exchange: Arc<Exchange>,
    bounds: Arc<Bounds>,
    /// Bytes from the socket that were not handed on yet.
    held: BytesMut,
    /// How many of them were judged and may be handed on.
    cleared: usize,
    /// Since when the reader waits for a head, or for the rest of one.
    waiting_since: Option<Instant>,
    head_begun: bool,
    first: bool,
    read_alarm: Alarm,
    write_alarm: Alarm,
    linger: Option<Linger>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> StrictIo<T> {
    pub(crate) fn new(inner: T, bounds: Arc<Bounds>) -> Self {
        Self {
            inner,
            state: State::Head(HeadScanner::default()),
            exchange: Arc::new(Exchange::default()),
            bounds,
            held: BytesMut::new(),
            cleared: 0,
            waiting_since: None,
            head_begun: false,
            first: true,
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
            linger: None,
        }
    }

    /// What the service shares with this reader.
    pub(crate) fn exchange(&self) -> Arc<Exchange> {
        Arc::clone(&self.exchange)
    }

    /// Switches the strict reading off: the connection was agreed to be HTTP/2.
    pub(crate) fn open(&mut self) {
        self.cleared = self.held.len();
        self.state = State::Open;
    }

    /// Reads until it is clear which version the client speaks.
    ///
    /// # Errors
    /// When the connection breaks, or nothing comes in time.
    pub(crate) async fn sniff(&mut self) -> io::Result<Version> {
        let wait = self.bounds.downstream.head;
        let read = std::future::poll_fn(|cx| self.poll_sniff(cx));
        let version = tokio::time::timeout(wait, read)
            .await
            .map_err(|_| timed_out())??;
        if version == Version::Http2 {
            self.open();
        }
        Ok(version)
    }

    fn poll_sniff(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Version>> {
        loop {
            let length = self.held.len().min(PREFACE.len());
            if self.held[..length] != PREFACE[..length] {
                return Poll::Ready(Ok(Version::Http1));
            }
            if length == PREFACE.len() {
                return Poll::Ready(Ok(Version::Http2));
            }
            self.held.reserve(READ_BYTES);
            if ready!(poll_read_buf(Pin::new(&mut self.inner), cx, &mut self.held))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Judges held bytes until some may be handed on, or more must come.
    fn judge(&mut self) -> Result<(), Fault> {
        let bounds = &self.bounds.downstream;
        match &mut self.state {
            State::Head(_) => self.judge_head(),
            State::Body(_) => {
                self.clear_body();
                Ok(())
            }
            State::Chunked(reader) => {
                self.cleared = reader.read(&self.held, bounds)?;
                if reader.ended() {
                    self.expect_head();
                }
                Ok(())
            }
            State::Refused => Ok(()),
            State::Open => {
                self.cleared = self.held.len();
                Ok(())
            }
        }
    }

    /// Clears what is held of a body of known length, behind what is cleared already.
    fn clear_body(&mut self) {
        let State::Body(left) = &mut self.state else {
            return;
        };
        let there = self.held.len() - self.cleared;
        let taken = usize::try_from(*left).map_or(there, |left| left.min(there));
        *left -= taken as u64;
        self.cleared += taken;
        if *left == 0 {
            self.expect_head();
        }
    }

    fn expect_head(&mut self) {
        self.state = State::Head(HeadScanner::default());
        self.head_begun = false;
        self.waiting_since = None;
    }

    fn judge_head(&mut self) -> Result<(), Fault> {
        let State::Head(scanner) = &mut self.state else {
            return Ok(());
        };
        if self.exchange.is_busy() {
            return Ok(());
        }
        // One empty line before a request line is left behind by some clients (RFC 9112, 2.2).
        if !self.head_begun {
            if &self.held[..] == b"\r" {
                return Ok(());
            }
            if self.held.starts_with(b"\r\n") {
                self.held.advance(2);
            }
            self.head_begun = true;
        }
        let bounds = &self.bounds.downstream;
        let Some(length) = scanner.scan(&self.held, bounds)? else {
            return Ok(());
        };
        self.state = match head::judge(&self.held[..length], bounds)? {
            Framing::Length(length) => State::Body(length),
            Framing::Chunked => State::Chunked(ChunkReader::new()),
        };
        self.cleared = length;
        self.exchange.begin();
        self.first = false;
        self.waiting_since = None;
        // Head and body mostly come together, and go on together.
        self.clear_body();
        Ok(())
    }

    /// Handles a fault: before a body, hyper gets a stand-in and the service the fault.
    fn refuse(&mut self, fault: Fault) -> io::Result<()> {
        let in_head = matches!(self.state, State::Head(_));
        self.state = State::Refused;
        if !in_head {
            self.held.clear();
            return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
        }
        *self.exchange.violation.lock() = Some(Violation::new(fault, &self.held));
        self.exchange.begin();
        self.held = BytesMut::from(STAND_IN);
        self.cleared = STAND_IN.len();
        Ok(())
    }

    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.cleared.min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.held.advance(count);
        self.cleared -= count;
    }

    /// More is read only as far as it may be held.
    fn may_read(&self, bounds: &DownstreamBounds) -> bool {
        !matches!(self.state, State::Refused) && self.held.len() <= bounds.head_bytes_max
    }

    /// Whether the time for a head, or for the next request, is over.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !matches!(self.state, State::Head(_)) {
            return Poll::Pending;
        }
        let bounds = &self.bounds.downstream;
        if self.exchange.is_busy() {
            self.waiting_since = None;
            if !self.held.is_empty() {
                *self.exchange.waiting.lock() = Some(cx.waker().clone());
            }
            // Nobody tells when the answer is over: look again in a while, so that an idle
            // connection is closed after once to twice the time.
            self.read_alarm.poll_now_and_then(cx, bounds.idle);
            return Poll::Pending;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let allowed = if self.first || !self.held.is_empty() {
            bounds.head
        } else {
            bounds.idle
        };
        self.read_alarm.poll(cx, since + allowed)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for StrictIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.state, State::Open) && this.held.is_empty() {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        loop {
            if this.cleared == 0
                && !this.held.is_empty()
                && let Err(fault) = this.judge()
            {
                this.refuse(fault)?;
            }
            if this.cleared > 0 {
                this.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            if !this.may_read(&this.bounds.downstream) {
                return Poll::Pending;
            }
            let was_empty = this.held.is_empty();
            if this.held.capacity() == 0 {
                this.held = SPARE.take();
            }
            this.held.reserve(READ_BYTES);
            match poll_read_buf(Pin::new(&mut this.inner), cx, &mut this.held) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {
                    // The clock of a head starts with its first byte, that of idleness ends there.
                    if was_empty && !this.first {
                        this.waiting_since = None;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    if this.held.is_empty() {
                        // An idle connection keeps no buffer; its core keeps one of usual size.
                        let buffer = std::mem::take(&mut this.held);
                        if buffer.capacity() <= 2 * READ_BYTES {
                            SPARE.set(buffer);
                        }
                    }
                    ready!(this.poll_overdue(cx));
                    if this.held.is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                    this.refuse(Fault::bad("the request head came too slowly"))?;
                }
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> StrictIo<T> {
    /// Turns a write that waits for too long into an error.
    fn watched<R>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.write_alarm.calm();
            return result;
        }
        ready!(
            self.write_alarm
                .poll_since(cx, self.bounds.downstream.stalled_reader)
        );
        Poll::Ready(Err(timed_out()))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let clean = match self.state {
            State::Head(_) => self.held.is_empty(),
            State::Open => true,
            State::Body(_) | State::Chunked(_) | State::Refused => false,
        };
        if clean {
            return Poll::Ready(());
        }
        let bounds = &self.bounds.downstream;
        let linger = self.linger.get_or_insert_with(|| Linger::new(bounds));
        linger.poll(Pin::new(&mut self.inner), cx)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StrictIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watched(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.watched(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.watched(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            let result = Pin::new(&mut self.inner).poll_shutdown(cx);
            ready!(self.watched(cx, result))?;
        }
        self.poll_linger(cx).map(Ok)
    }
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

#[cfg(test)]
mod tests;
