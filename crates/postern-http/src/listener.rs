//! Where clients connect: one socket, one thread and one runtime for each core.
//!
//! All sockets share the port (`SO_REUSEPORT`), so the kernel spreads connections over the cores
//! and a connection never leaves its core. All are bound before anything is served: a port that is
//! taken is an error at the start, not on one core later.

mod guest_list;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use ipnet::IpNet;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bounds::{BACKLOG, Bounds};
use crate::connection::{self, Accepted, BoxError, ConnectionFacts, Shared};
use crate::strict::Version;
use crate::tls::{self, TlsError, TlsFiles};
pub use guest_list::Connections;
use guest_list::{GuestList, Place};

/// A pause after the kernel could not accept (no file descriptors left), so that the loop does not
/// spin until one is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How to listen.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// The certificate and key; `None` listens in plain text.
    pub tls: Option<TlsFiles>,
    /// Whether plain text may be spoken on an address beyond loopback, because something in front
    /// encrypts.
    pub plain_beyond_loopback: bool,
    /// Threads that serve, each with a runtime and a socket of its own; zero takes one a core.
    pub cores: usize,
}

/// The gateway could not listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Tokens would cross the network in plain text.
    #[error(
        "plain HTTP is served on loopback only, and {0} is not loopback: give a certificate and \
         key, or allow plain text explicitly where something in front encrypts"
    )]
    PlainBeyondLoopback(IpAddr),
    /// The socket could not be opened.
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] io::Error),
    /// TLS could not be set up.
    #[error("cannot serve TLS")]
    Tls(#[from] TlsError),
    /// A thread or its runtime could not be started.
    #[error("cannot start a serving thread")]
    Thread(#[source] io::Error),
    /// A serving thread ended by a panic.
    #[error("a serving thread panicked")]
    Panicked,
}

/// Bound sockets that do not serve yet.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    sockets: Vec<StdListener>,
    tls: Option<Arc<ServerConfig>>,
}

/// Refuses to let tokens cross a network in plain text.
///
/// # Errors
/// When the address is not loopback, TLS is not set up, and plain text was not allowed.
pub fn check_plain(options: &ListenOptions) -> Result<(), ListenError> {
    let address = options.address.ip();
    if options.tls.is_none() && !options.plain_beyond_loopback && !address.is_loopback() {
        return Err(ListenError::PlainBeyondLoopback(address));
    }
    Ok(())
}

impl Listener {
    /// Binds a socket for each core.
    ///
    /// # Errors
    /// When the address is taken or may not be used, or a certificate cannot be read.
    pub fn bind(options: &ListenOptions) -> Result<Self, ListenError> {
        check_plain(options)?;
        let tls = options.tls.as_ref().map(tls::server).transpose()?;
        let cores = match options.cores {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            cores => cores,
        };
        let mut address = options.address;
        if cores > 1 && address.port() != 0 {
            // Sockets that share a port would share it with another process, too: ask for the
            // port alone first, so that a second gateway is an error and not a silent partner.
            drop(socket(address, false).map_err(|error| ListenError::Bind(address, error))?);
        }
        let mut sockets = Vec::with_capacity(cores);
        for _ in 0..cores {
            let bind = socket(address, cores > 1);
            let socket = bind.map_err(|error| ListenError::Bind(address, error))?;
            // The first socket settles which port zero means.
            address = socket
                .local_addr()
                .map_err(|error| ListenError::Bind(address, error))?;
            sockets.push(socket);
        }
        Ok(Self {
            address,
            sockets,
            tls,
        })
    }

    /// The address that was bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the serving threads. `make` makes the service of each core, on that core's thread.
    /// After `shutdown` nothing is accepted, connections finish what they carry, and what has not
    /// ended after [`Bounds::drain`] and [`Bounds::last_words`] is dropped.
    pub(crate) fn serve<M, S, F, B>(
        self,
        bounds: &Arc<Bounds>,
        proxies: &Arc<[IpNet]>,
        shutdown: &CancellationToken,
        make: M,
    ) -> Result<Serving, ListenError>
    where
        M: Fn(usize) -> S + Send + Sync + 'static,
        S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let guests = Arc::new(GuestList::new(&bounds.downstream, Arc::clone(proxies)));
        let connections = Connections(Arc::clone(&guests));
        let door = Door {
            guests,
            tls: self.tls.map(TlsAcceptor::from),
            shared: Shared {
                bounds: Arc::clone(bounds),
                shutdown: shutdown.clone(),
            },
        };
        let make = Arc::new(make);
        let mut threads = Vec::with_capacity(self.sockets.len());
        for (core, socket) in self.sockets.into_iter().enumerate() {
            let door = door.clone();
            let make = Arc::clone(&make);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(ListenError::Thread)?;
            let run = move || runtime.block_on(async { door.accept(socket, make(core)).await });
            let thread = std::thread::Builder::new().name(format!("postern-core-{core}"));
            threads.push(thread.spawn(run).map_err(ListenError::Thread)?);
        }
        Ok(Serving {
            threads,
            connections,
        })
    }
}

/// Serving threads.
#[derive(Debug)]
pub struct Serving {
    threads: Vec<JoinHandle<io::Result<()>>>,
    connections: Connections,
}

impl Serving {
    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// Waits until every core has drained after the shutdown.
    ///
    /// # Errors
    /// When a thread could not serve, or panicked.
    pub async fn finished(self) -> Result<(), ListenError> {
        let join = move || {
            for thread in self.threads {
                let result = thread.join().map_err(|_| ListenError::Panicked)?;
                result.map_err(ListenError::Thread)?;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(join)
            .await
            .map_err(|_| ListenError::Panicked)?
    }
}

fn socket(address: SocketAddr, share: bool) -> io::Result<StdListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if share {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// One core's way in.
#[derive(Clone)]
struct Door {
    guests: Arc<GuestList>,
    tls: Option<TlsAcceptor>,
    shared: Shared,
}

impl Door {
    async fn accept<S, F, B>(self, socket: StdListener, service: S) -> io::Result<()>
    where
        S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let listener = TcpListener::from_std(socket)?;
        let tasks = TaskTracker::new();
        let door = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                biased;
                () = door.shared.shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Over a cap the socket is dropped at once: no byte of ours is spent on it.
                    if let Some(place) = door.guests.enter(peer.ip()) {
                        let admit = Arc::clone(&door).admit(stream, peer, service.clone(), place);
                        tasks.spawn(admit);
                    } else {
                        tracing::debug!(%peer, "connection dropped: too many are open");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        tasks.close();
        // WHY NOT the drain alone: the guard ends what still runs at that very moment, and a
        // connection that is gone then carries no last event.
        let bounds = &door.shared.bounds;
        let patience = bounds.drain.saturating_add(bounds.last_words);
        if tokio::time::timeout(patience, tasks.wait()).await.is_err() {
            tracing::warn!(
                open = tasks.len(),
                "connections are dropped: the drain took too long"
            );
        }
        Ok(())
    }

    /// Serves one connection; its place is free again when this ends.
    async fn admit<S, F, B>(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        service: S,
        _place: Place,
    ) where
        S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        // Without it, small events of a stream wait for acknowledgements of earlier ones.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(acceptor) = self.tls.clone() else {
            let accepted = Accepted {
                io: stream,
                peer,
                tls: false,
                version: None,
            };
            return connection::serve(accepted, service, self.shared.clone()).await;
        };
        // Boxed, so that a connection without TLS holds nothing of its state.
        Box::pin(self.admit_secure(acceptor, stream, peer, service)).await;
    }

    async fn admit_secure<S, F, B>(
        &self,
        acceptor: TlsAcceptor,
        stream: TcpStream,
        peer: SocketAddr,
        service: S,
    ) where
        S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let handshake = acceptor.accept(stream);
        let allowed = self.shared.bounds.downstream.handshake;
        match tokio::time::timeout(allowed, handshake).await {
            Ok(Ok(io)) => {
                let version = match io.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Some(Version::Http2),
                    Some(_) => Some(Version::Http1),
                    None => None,
                };
                let accepted = Accepted {
                    io,
                    peer,
                    tls: true,
                    version,
                };
                connection::serve(accepted, service, self.shared.clone()).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
    }
}
