//! The upstream that all legs share: answers chat completions from memory, plain or as a stream
//! paced as the request asks (`max_tokens` events, `seed` milliseconds apart).

use super::delays;
use super::legs::STAMPED;
use super::processes::Process;
use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use std::convert::Infallible;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Sleep;

/// The upstream as a child process.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    process: Process,
}

impl Upstream {
    /// Starts this program again as the upstream, on a free port.
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.arg("bench-upstream").stdout(Stdio::piped()))?;
        let output = process
            .child()
            .stdout
            .take()
            .context("standard output was piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line
            .trim()
            .parse()
            .context("the upstream did not say its address")?;
        Ok(Self { address, process })
    }

    pub(super) fn cpu_us(&self) -> u64 {
        self.process.cpu_us()
    }
}

/// Serves until ended.
pub(super) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(socket), service_fn(answer));
                // A connection that breaks is the other side's business.
                let _broken = connection.await;
            });
        }
    })
}

/// What the request says about the answer that it wants.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    max_tokens: u32,
    /// Milliseconds between events.
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    user: String,
}

type Answer = Either<Full<Bytes>, Events>;

async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let (kind, body) = match serde_json::from_slice::<Wanted>(&body) {
        Ok(wanted) if wanted.stream => {
            let pause = Duration::from_millis(wanted.seed);
            (
                "text/event-stream",
                Either::Right(Events::new(
                    wanted.max_tokens,
                    pause,
                    wanted.user == STAMPED,
                )),
            )
        }
        Ok(_) => (
            "application/json",
            Either::Left(Full::new(Bytes::from_static(PLAIN))),
        ),
        Err(_) => (
            "text/plain",
            Either::Left(Full::new(Bytes::from_static(b"not JSON\n"))),
        ),
    };
    let mut response = Response::new(body);
    let kind = hyper::header::HeaderValue::from_static(kind);
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, kind);
    Ok(response)
}

/// A paced stream of events that ends as the provider's do.
struct Events {
    left: u32,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    ended: bool,
    stamped: bool,
}

impl Events {
    fn new(events: u32, pause: Duration, stamped: bool) -> Self {
        Self {
            left: events,
            pause,
            stamped,
            sleep: None,
            ended: false,
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(sleep) = &mut self.sleep {
            std::task::ready!(sleep.as_mut().poll(context));
            self.sleep = None;
        }
        if self.left == 0 {
            if self.ended {
                return Poll::Ready(None);
            }
            self.ended = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(LAST)))));
        }
        self.left -= 1;
        if !self.pause.is_zero() {
            self.sleep = Some(Box::pin(tokio::time::sleep(self.pause)));
        }
        let event = if self.stamped {
            delays::event(self.left)
        } else {
            Bytes::from_static(EVENT)
        };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

/// About 1 KB.
const PLAIN: &[u8] = include_bytes!("wire/plain.json");

/// One event of a stream, with the empty line that ends it.
const EVENT: &[u8] = include_bytes!("wire/event.txt");

/// The events that end a stream: the reason, the usage, the mark.
const LAST: &[u8] = include_bytes!("wire/last.txt");
