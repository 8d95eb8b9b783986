//! What ends when a token ends.
//!
//! Each token in use has one [`Ending`], shared by all its requests in progress, however often the
//! token's record was loaded anew. Revoking the token trips it: futures that wait on it wake, and
//! every registered stream is ended at once, also one whose client reads nothing.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;

use parking_lot::Mutex;
use postern_types::{End, EnvName, PrincipalId, TokenId};
use tokio_util::sync::CancellationToken;

/// A running stream that can be ended from outside its own task.
pub trait EndStream: Send + Sync {
    /// Ends the stream now: lets the upstream go, closes the flight, wakes the client's side so
    /// that it can say why.
    fn end(&self, how: End);
}

/// The token ended before the stream could be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamEnded(pub End);

/// What ends with one token.
pub(crate) struct Ending {
    environment: EnvName,
    principal: PrincipalId,
    trip: CancellationToken,
    /// Set before `trip` is: asked at every step of a request, so it is no lock.
    over: AtomicBool,
    streams: Mutex<Streams>,
}

#[derive(Default)]
struct Streams {
    next: u64,
    ended: Option<End>,
    running: HashMap<u64, Weak<dyn EndStream>>,
}

/// A stream's place in its token's list; leaving it is dropping this.
pub struct StreamHandle {
    ending: Arc<Ending>,
    place: u64,
}

impl Drop for StreamHandle {
    fn drop(&mut self) {
        self.ending.streams.lock().running.remove(&self.place);
    }
}

impl Ending {
    fn new(environment: EnvName, principal: PrincipalId) -> Self {
        let trip = CancellationToken::new();
        Self {
            environment,
            principal,
            trip,
            over: AtomicBool::new(false),
            streams: Mutex::default(),
        }
    }

    /// Does `work`, unless the token ends first: then there is nothing.
    ///
    /// Work that need not wait is not made to register for the end: all requests of a token, on
    /// every core, meet at that lock.
    pub(crate) async fn unless_over<T>(
        &self,
        mut work: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> Option<T> {
        let mut tripped = pin!(None);
        std::future::poll_fn(|cx| {
            if self.over.load(Ordering::Acquire) {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            if tripped.is_none() {
                tripped.set(Some(self.trip.cancelled()));
            }
            match tripped.as_mut().as_pin_mut() {
                Some(tripped) => tripped.poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Whether it ended.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// How it ended, once it did.
    pub(crate) fn ended(&self) -> Option<End> {
        self.streams.lock().ended
    }

    /// Adds a running stream.
    pub(crate) fn register(
        self: &Arc<Self>,
        stream: Weak<dyn EndStream>,
    ) -> Result<StreamHandle, StreamEnded> {
        let mut streams = self.streams.lock();
        if let Some(how) = streams.ended {
            return Err(StreamEnded(how));
        }
        let place = streams.next;
        streams.next += 1;
        streams.running.insert(place, stream);
        Ok(StreamHandle {
            ending: Arc::clone(self),
            place,
        })
    }

    /// Ends everything that runs under the token. What registers later is turned away.
    pub(crate) fn end(&self, how: End) {
        let running = {
            let mut streams = self.streams.lock();
            streams.ended.get_or_insert(how);
            std::mem::take(&mut streams.running)
        };
        self.over.store(true, Ordering::Release);
        self.trip.cancel();
        // Outside the lock: a stream that ends drops its handle, which takes the lock.
        for stream in running.into_values() {
            if let Some(stream) = stream.upgrade() {
                stream.end(how);
            }
        }
    }
}

/// The endings of all tokens in use.
#[derive(Default)]
pub(crate) struct Endings {
    by_token: Mutex<HashMap<TokenId, Weak<Ending>>>,
}

impl Endings {
    /// The ending of a token, the same for everyone who asks while it is in use.
    pub(crate) fn of(
        &self,
        token: TokenId,
        environment: &EnvName,
        principal: &PrincipalId,
    ) -> Arc<Ending> {
        let mut endings = self.by_token.lock();
        if let Some(ending) = endings.get(&token).and_then(Weak::upgrade) {
            return ending;
        }
        let ending = Arc::new(Ending::new(environment.clone(), principal.clone()));
        endings.insert(token, Arc::downgrade(&ending));
        ending
    }

    /// Ends one token. The next use of the same id starts with a fresh ending.
    pub(crate) fn end_token(&self, token: TokenId, how: End) {
        let ending = self.by_token.lock().remove(&token);
        if let Some(ending) = ending.as_ref().and_then(Weak::upgrade) {
            ending.end(how);
        }
    }

    /// Ends all tokens that a test picks; returns how many.
    pub(crate) fn end_where(&self, how: End, pick: impl Fn(&EnvName, &PrincipalId) -> bool) {
        let picked: Vec<Arc<Ending>> = {
            let mut endings = self.by_token.lock();
            let live: Vec<_> = endings
                .iter()
                .filter_map(|(id, ending)| Some((*id, ending.upgrade()?)))
                .filter(|(_, ending)| pick(&ending.environment, &ending.principal))
                .collect();
            live.into_iter()
                .map(|(id, ending)| {
                    endings.remove(&id);
                    ending
                })
                .collect()
        };
        for ending in picked {
            ending.end(how);
        }
    }

    /// Forgets endings that nobody holds.
    pub(crate) fn purge(&self) {
        self.by_token
            .lock()
            .retain(|_, ending| ending.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counted(AtomicUsize);
    impl EndStream for Counted {
        fn end(&self, _: End) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn ending(endings: &Endings) -> Arc<Ending> {
        endings.of(
            TokenId::parse("0123456789abcdef").unwrap(),
            &EnvName::parse("dev").unwrap(),
            &PrincipalId::parse("service:web").unwrap(),
        )
    }

    #[test]
    fn ending_a_token_ends_its_streams_once_and_turns_later_ones_away() {
        // Goal: no stream escapes, whichever side of the revoke it registers on.
        let endings = Endings::default();
        let first = ending(&endings);
        let stream: Arc<Counted> = Arc::new(Counted(AtomicUsize::new(0)));
        let weak = Arc::downgrade(&stream) as Weak<dyn EndStream>;
        let handle = first.register(weak.clone()).unwrap();
        let gone = first.register(weak.clone()).unwrap();
        drop(gone);
        endings.end_token(TokenId::parse("0123456789abcdef").unwrap(), End::Revoked);
        assert_eq!(
            stream.0.load(Ordering::SeqCst),
            1,
            "the one that left is not ended"
        );
        assert_eq!(first.ended(), Some(End::Revoked));
        assert_eq!(first.register(weak).err(), Some(StreamEnded(End::Revoked)));
        drop(handle);
        assert_eq!(ending(&endings).ended(), None, "a new use starts fresh");
    }

    #[tokio::test]
    async fn work_is_done_unless_the_token_ends_first() {
        // Goal: whichever comes first decides, and an end that came before anything was begun is
        // seen too. Method: ready work and work that never is, before and after the end.
        let endings = Endings::default();
        let first = ending(&endings);
        let ready = async || first.unless_over(pin!(std::future::ready(7))).await;
        assert_eq!(ready().await, Some(7));
        let waits = async { first.unless_over(pin!(std::future::pending::<()>())).await };
        let ends = async {
            tokio::task::yield_now().await;
            endings.end_token(TokenId::parse("0123456789abcdef").unwrap(), End::Revoked);
        };
        let (waited, ()) = tokio::join!(waits, ends);
        assert_eq!(waited, None, "it was woken by the end");
        assert_eq!(ready().await, None, "nothing is begun after it");
    }

    #[test]
    fn endings_are_shared_while_in_use_and_forgotten_after() {
        let endings = Endings::default();
        let first = ending(&endings);
        assert!(Arc::ptr_eq(&first, &ending(&endings)));
        drop(first);
        endings.purge();
        assert!(endings.by_token.lock().is_empty());
    }
}
