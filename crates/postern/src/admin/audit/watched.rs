//! An answer that goes on for long, and ends with the token of the administrator who asked for it.
//!
//! Who calls is found out when a request begins. A search that follows the log goes on for days, so
//! the store is asked again and again whether that token still holds: one small read, which sees a
//! revocation, the end of a grace and the end of its life alike, whoever caused them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use postern_guard::{AdminCaller, Guard};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::AbortOnDropHandle;

use crate::streaming::Streaming;

/// How often the store is asked: an ended token reads on for so long at most, and the read.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// A store that does not answer within this time cannot say that the token still holds.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// A body that ends with its caller's token, whether or not its own pieces are at an end.
pub(super) struct Watched {
    lines: Streaming,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What is said when the token ends; gone once it was said.
    last_words: Option<Bytes>,
    _watch: AbortOnDropHandle<()>,
}

impl Watched {
    /// Watches over lines. `ended` is cancelled when the caller's token ends.
    pub(super) fn new(
        lines: Streaming,
        guard: Arc<Guard>,
        caller: AdminCaller,
        ended: CancellationToken,
        last_words: Bytes,
    ) -> Self {
        let watch = tokio::spawn(watch(guard, caller, ended.clone()));
        Self {
            lines,
            ended: Box::pin(ended.cancelled_owned()),
            last_words: Some(last_words),
            _watch: AbortOnDropHandle::new(watch),
        }
    }
}

async fn watch(guard: Arc<Guard>, caller: AdminCaller, ended: CancellationToken) {
    let mut holds = true;
    while holds {
        tokio::time::sleep(ASK_EVERY).await;
        let asked = tokio::time::timeout(ANSWER_MAX, guard.is_still_admin(&caller));
        holds = asked.await.unwrap_or(false);
    }
    ended.cancel();
}

impl Body for Watched {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.last_words.is_none() {
            return Poll::Ready(None);
        }
        // First: lines that wait were found for somebody who may no longer see them.
        if self.ended.as_mut().poll(context).is_ready() {
            let words = self.last_words.take();
            return Poll::Ready(words.map(|words| Ok(Frame::data(words))));
        }
        Pin::new(&mut self.lines).poll_frame(context)
    }
}
