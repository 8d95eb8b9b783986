//! A future beside a connection that is looked at only when it rings.
//!
//! A connection is polled several times a request, and what would end it from outside is polled
//! with it, under a lock each time. It is enough to look once it has something to say.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// The future, and the bell that wakes it.
pub(super) struct Belled<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    waker: Waker,
}

struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl<F> Belled<F> {
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell {
            // Looked at once, so that it has somebody to wake.
            rung: AtomicBool::new(true),
            task: AtomicWaker::new(),
        });
        Self {
            future: Box::pin(future),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }
}

impl<F: Future> Future for Belled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // In this order: a bell that rings in between wakes the task again.
        this.bell.task.register(cx.waker());
        if !this.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        this.future
            .as_mut()
            .poll(&mut Context::from_waker(&this.waker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn it_is_looked_at_when_it_rings_and_not_otherwise() {
        // Goal: no end is missed, and none is looked for in vain. Method: count the looks while the
        // task is polled for other reasons, then end it from another task.
        let looks = Arc::new(AtomicUsize::new(0));
        let token = CancellationToken::new();
        let (counted, waited) = (Arc::clone(&looks), token.clone());
        let mut inner = Box::pin(async move { waited.cancelled().await });
        let mut belled = Belled::new(std::future::poll_fn(move |cx| {
            counted.fetch_add(1, Ordering::SeqCst);
            inner.as_mut().poll(cx)
        }));
        for _ in 0..10 {
            let polled = futures_util::poll!(&mut belled);
            assert!(polled.is_pending());
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1);
        let (waits, ends) = (belled, async {
            tokio::task::yield_now().await;
            token.cancel();
        });
        tokio::join!(waits, ends);
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_ended_before_is_seen_at_the_first_look() {
        let token = CancellationToken::new();
        token.cancel();
        Belled::new(token.cancelled()).await;
    }
}
