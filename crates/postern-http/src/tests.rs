//! The plumbing over real sockets: a server whose service answers by itself, without the line.

mod coded;
mod corpus;
mod http2;
mod limits;
mod malformed;
mod secure;
mod upstream;

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use ipnet::IpNet;
use postern_inspect::Dialect;
use postern_testkit::raw::{Conversation, talk};
use postern_types::RequestId;
use tokio_util::sync::CancellationToken;

use crate::arrival::{Arrival, Reception};
use crate::bounds::Bounds;
use crate::connection::ConnectionFacts;
use crate::listener::{ListenOptions, Listener, Serving};
use crate::refusal::{self, Challenge};
use crate::tls::TlsFiles;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a peer may be silent before a conversation counts as over.
const QUIET: Duration = Duration::from_millis(300);

/// Short times, so that tests of slowness are quick.
fn hasty() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.downstream.handshake = Duration::from_millis(300);
    bounds.downstream.head = Duration::from_millis(300);
    bounds.downstream.idle = Duration::from_millis(600);
    bounds.downstream.body_progress = Duration::from_millis(300);
    bounds.downstream.body_total = Duration::from_millis(1500);
    bounds.downstream.stalled_reader = Duration::from_millis(400);
    bounds.downstream.linger = Duration::from_millis(300);
    bounds.drain = Duration::from_millis(500);
    bounds.last_words = Duration::ZERO;
    bounds
}

/// What the service saw.
#[derive(Debug, Default)]
struct Seen {
    requests: AtomicUsize,
    refused: AtomicUsize,
    under_way: AtomicUsize,
    produced: AtomicU64,
}

impl Seen {
    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn produced(&self) -> u64 {
        self.produced.load(Ordering::Relaxed)
    }
}

/// A running server; it stops when dropped.
struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
    shutdown: CancellationToken,
    serving: Option<Serving>,
}

impl Server {
    fn start(bounds: Bounds) -> Self {
        Self::start_with(bounds, None, &[])
    }

    fn start_with(bounds: Bounds, tls: Option<TlsFiles>, proxies: &[&str]) -> Self {
        let options = ListenOptions {
            address: "127.0.0.1:0".parse().unwrap(),
            tls,
            plain_beyond_loopback: false,
            cores: 2,
        };
        let listener = Listener::bind(&options).unwrap();
        let (address, seen) = (listener.address(), Arc::new(Seen::default()));
        let bounds = Arc::new(bounds);
        let proxies: Arc<[IpNet]> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let shutdown = CancellationToken::new();
        let reception = Arc::new(Reception {
            bounds: Arc::clone(&bounds),
            proxies: Arc::clone(&proxies),
        });
        let shared = Arc::clone(&seen);
        let make = move |_core| {
            let (seen, reception) = (Arc::clone(&shared), Arc::clone(&reception));
            move |request, facts| {
                let (seen, reception) = (Arc::clone(&seen), Arc::clone(&reception));
                async move { serve(request, &facts, &reception, &seen).await }
            }
        };
        let serving = listener.serve(&bounds, &proxies, &shutdown, make).unwrap();
        Self {
            address,
            seen,
            shutdown,
            serving: Some(serving),
        }
    }

    /// Sends bytes and takes what comes back.
    fn talk(&self, bytes: impl AsRef<[u8]>) -> Conversation {
        talk(self.address, bytes.as_ref(), QUIET).unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Waits until the server has seen what is asked.
    fn until(&self, holds: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.seen) {
            assert!(
                Instant::now() < deadline,
                "never came true: {:?}",
                self.seen
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks for the end and waits for it.
    fn stop(mut self) {
        self.shutdown.cancel();
        let serving = self.serving.take().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(serving.finished()).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A body of the test's service.
type TestBody = Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>;

/// Counts a request as under way until dropped.
struct UnderWay(Arc<Seen>);

impl UnderWay {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(seen))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(
    request: Request<Incoming>,
    facts: &ConnectionFacts,
    reception: &Reception,
    seen: &Arc<Seen>,
) -> Response<TestBody> {
    let id = RequestId::new(0, &[0; 10]);
    let refuse = |refusal, challenge| {
        seen.refused.fetch_add(1, Ordering::Relaxed);
        let answer = refusal::render(&refusal, challenge, Dialect::Http, &id, false);
        answer.map(|body| Box::pin(body) as TestBody)
    };
    let mut arrival = match Arrival::receive(request, facts, reception) {
        Ok(arrival) => arrival,
        Err(rejected) => return refuse(rejected.refusal, rejected.challenge),
    };
    seen.requests.fetch_add(1, Ordering::Relaxed);
    let under_way = UnderWay::new(seen);
    let path = arrival.path.clone();
    match path.encoded() {
        "/early" => answer(Full::new(Bytes::from("early"))),
        "/never" => std::future::pending().await,
        "/flood" => answer(Flood(under_way)),
        "/silent" => answer(Silent(under_way)),
        "/trailers" => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("42"));
            let frames = [Frame::data(Bytes::from("data")), Frame::trailers(trailers)];
            let frames = frames.into_iter().map(Ok);
            let mut response = answer(StreamBody::new(futures_util::stream::iter(frames)));
            response
                .headers_mut()
                .insert("trailer", HeaderValue::from_static("x-sum"));
            response
        }
        "/source" => answer(Full::new(Bytes::from(arrival.source.address.to_string()))),
        _ => match BodyExt::collect(&mut arrival.body).await {
            Ok(body) => {
                let body = body.to_bytes();
                let query = arrival.query.encoded().unwrap_or_default();
                let text = format!("{} {path} {query} {}", arrival.method, body.len());
                answer(Full::new(Bytes::from(text)))
            }
            Err(error) => refuse(error.refusal(), Challenge::None),
        },
    }
}

fn answer(
    body: impl Body<Data = Bytes, Error = Infallible> + Send + 'static,
) -> Response<TestBody> {
    Response::new(Box::pin(body))
}

/// A body without end; what was asked of it is counted.
struct Flood(UnderWay);

impl Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.0.produced.fetch_add(8192, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 8192])))))
    }
}

/// A body that never comes.
struct Silent(#[expect(dead_code, reason = "held for its drop")] UnderWay);

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// The refusal codes of a conversation, in order; an answer that is none counts as its status.
fn outcomes(conversation: &Conversation) -> Vec<String> {
    let outcome = |answer: &postern_testkit::raw::RawAnswer| {
        let code = answer.header("postern-refusal").map(str::to_owned);
        code.unwrap_or_else(|| answer.status.to_string())
    };
    conversation.answers.iter().map(outcome).collect()
}

/// Reads until the peer closes or `PATIENCE` is over; says whether it closed.
fn closes(stream: &mut TcpStream) -> bool {
    let mut space = [0; 4096];
    loop {
        match stream.read(&mut space) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn send(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).unwrap();
}
