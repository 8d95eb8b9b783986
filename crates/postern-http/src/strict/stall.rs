//! Clocks of a connection: an alarm that is cheap to move, and the lingering close.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::bounds::DownstreamBounds;

/// Bytes thrown away at once.
const DISCARD_BYTES: usize = 4 * 1024;

/// A timer whose deadline moves with every byte. Moving it costs nothing: the timer below rings at
/// an old deadline, sees that it is not due, and is set anew.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    since: Option<Instant>,
}

impl Alarm {
    /// Ready once the deadline has passed; wakes the task when it has.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= deadline {
                self.sleep = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }

    /// Wakes the task after each `pause`, for as long as it is asked.
    pub(crate) fn poll_now_and_then(&mut self, cx: &mut Context<'_>, pause: Duration) {
        // Armed already, as it mostly is, it needs no clock.
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(pause)));
        while sleep.as_mut().poll(cx).is_ready() {
            sleep.as_mut().reset(Instant::now() + pause);
        }
    }

    /// Ready once this was asked, without a [`calm`](Self::calm) in between, for so long.
    pub(crate) fn poll_since(&mut self, cx: &mut Context<'_>, allowed: Duration) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.poll(cx, since + allowed)
    }

    /// Something moved.
    pub(crate) fn calm(&mut self) {
        self.since = None;
    }
}

/// Reads and throws away what a client still sends after its answer, within bounds. A socket closed
/// with unread bytes sends a reset, and the reset overtakes the answer.
#[derive(Debug)]
pub(super) struct Linger {
    deadline: Instant,
    bytes_left: usize,
    alarm: Alarm,
}

impl Linger {
    pub(super) fn new(bounds: &DownstreamBounds) -> Self {
        Self {
            deadline: Instant::now() + bounds.linger,
            bytes_left: bounds.linger_bytes_max,
            alarm: Alarm::default(),
        }
    }

    /// Ready when the client closed its side, or a bound is reached.
    pub(super) fn poll(
        &mut self,
        mut from: Pin<&mut (impl AsyncRead + ?Sized)>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut space = [0; DISCARD_BYTES];
        loop {
            let mut buf = ReadBuf::new(&mut space);
            match from.as_mut().poll_read(cx, &mut buf) {
                Poll::Pending => return self.alarm.poll(cx, self.deadline),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {
                    let count = buf.filled().len();
                    self.bytes_left = self.bytes_left.saturating_sub(count);
                    if count == 0 || self.bytes_left == 0 || Instant::now() >= self.deadline {
                        return Poll::Ready(());
                    }
                }
            }
        }
    }
}
