//! A response body that is written elsewhere, piece by piece, under backpressure.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

/// The reading end of a bounded channel, as a body. An error breaks the connection off.
#[derive(Debug)]
pub(crate) struct Streaming(mpsc::Receiver<io::Result<Bytes>>);

/// The writing end.
pub(crate) type Pieces = mpsc::Sender<io::Result<Bytes>>;

impl Streaming {
    /// A body and the end to write it with; so many pieces wait at most.
    #[must_use]
    pub(crate) fn new(waiting_max: usize) -> (Pieces, Self) {
        let (sender, receiver) = mpsc::channel(waiting_max);
        (sender, Self(receiver))
    }
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
