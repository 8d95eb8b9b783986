//! The replaying upstream: a real HTTP/1.1 server on a free loopback port.
//!
//! It runs on a thread of its own, so it serves blocking and asynchronous tests alike, and it is
//! written on the socket rather than on an HTTP library: it must be able to send what no library
//! would. What it answers comes from a [`Responder`]; answers queued with
//! [`ReplayUpstream::queue`] go first. Every request is kept and can be asked for.
//!
//! Ambiguous requests are never answered from the responder: they get a 400, and
//! [`ReplayUpstream::malformed`] tells of them. A gateway in front must not let any through.

mod connection;
mod head;
mod write;

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

pub use head::SeenRequest;

use crate::{Answer, Cut, Gzip, Library};

/// How long [`ReplayUpstream::wait_until`] waits before it gives up.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often a waiting test looks again.
const POLL: Duration = Duration::from_millis(1);

/// Decides what a request is answered with.
pub trait Responder: Send + Sync + 'static {
    /// The answer to this request.
    fn answer(&self, request: &SeenRequest) -> Answer;
}

impl<F: Fn(&SeenRequest) -> Answer + Send + Sync + 'static> Responder for F {
    fn answer(&self, request: &SeenRequest) -> Answer {
        self(request)
    }
}

/// How the upstream treats the bodies of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Reads the whole body, then answers.
    #[default]
    Whole,
    /// Reads the head and not one byte more; never answers.
    HeadOnly,
    /// Answers as soon as the head is there, reads the body afterwards.
    AnswerFirst,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<SeenRequest>,
    malformed: Vec<String>,
    queued: VecDeque<Answer>,
    cut: Cut,
    gzip: Gzip,
    reading: Reading,
    hangups: usize,
    repeats: usize,
    connections: u64,
    open: usize,
    forgetful: bool,
}

/// What the connections of one upstream share.
pub(crate) struct Shared {
    state: Mutex<State>,
    responder: Box<dyn Responder>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running upstream; it stops when dropped.
pub struct ReplayUpstream {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ReplayUpstream {
    /// Starts an upstream that answers from `responder`.
    ///
    /// # Errors
    ///
    /// When no loopback port or thread can be had.
    pub fn start(responder: impl Responder) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let state = Mutex::new(State::default());
        let shared = Arc::new(Shared {
            state,
            responder: Box::new(responder),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("replay-upstream".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = connection::accept(listener, served) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            addr,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Starts an upstream that answers from the committed exchanges of every dialect.
    ///
    /// # Errors
    ///
    /// As [`ReplayUpstream::start`].
    pub fn own() -> io::Result<Self> {
        Self::start(Library::own())
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://` and the address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The next request gets this answer, whatever it asks; several are used in order.
    pub fn queue(&self, answer: Answer) {
        self.shared.state().queued.push_back(answer);
    }

    /// How bodies are cut where the answer does not say it itself.
    pub fn set_cut(&self, cut: Cut) {
        self.shared.state().cut = cut;
    }

    /// How bodies are compressed where the answer does not ask for it itself.
    pub fn set_gzip(&self, gzip: Gzip) {
        self.shared.state().gzip = gzip;
    }

    /// How the bodies of requests are read from now on.
    pub fn set_reading(&self, reading: Reading) {
        self.shared.state().reading = reading;
    }

    /// Keeps no requests from now on (for load tests).
    pub fn keep_nothing(&self) {
        self.shared.state().forgetful = true;
    }

    /// The requests seen so far, in the order of their heads.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.state().requests.clone()
    }

    /// The requests seen so far; none is kept.
    pub fn take_requests(&self) -> Vec<SeenRequest> {
        std::mem::take(&mut self.shared.state().requests)
    }

    /// Heads and bodies that could not be read as one request, each with the reason.
    #[must_use]
    pub fn malformed(&self) -> Vec<String> {
        self.shared.state().malformed.clone()
    }

    /// How often the peer went away in the middle of an answer or a request body.
    #[must_use]
    pub fn hangups(&self) -> usize {
        self.shared.state().hangups
    }

    /// How many repeated pieces of endless answers were sent.
    #[must_use]
    pub fn repeats(&self) -> usize {
        self.shared.state().repeats
    }

    /// How many connections were ever accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.state().open
    }

    /// Blocks until `holds`, at most ten seconds; says whether it came true.
    pub fn wait_until(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + WAIT_MAX;
        while !holds(self) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }

    /// The same without blocking the thread.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + WAIT_MAX;
        while !holds(self) {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }
}

impl Drop for ReplayUpstream {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A receiver that is gone means that the server has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
