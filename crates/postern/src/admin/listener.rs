//! The two ways in to the admin API: a socket in the data directory, and a listener.
//!
//! Both are bounded: connections in all, the time for a request's head, its size.

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::desk::Peer;
use crate::config::Tls;

/// Connections open at once on each way in.
const CONNECTIONS_MAX: usize = 256;
/// A TLS handshake, and the head of a request, must be whole within this time.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes that a connection's buffer may hold: the head must fit.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// A pause after the kernel could not accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long connections may finish what they carry.
const DRAIN: Duration = Duration::from_secs(5);
/// Bytes of a socket's path that every system takes.
const SOCKET_PATH_MAX: usize = 103;

/// Where to listen.
pub struct AdminListenerOptions<'a> {
    /// The network address; port 0 takes a free one.
    pub address: SocketAddr,
    /// The certificate; without one, plain HTTP.
    pub tls: Option<&'a Tls>,
    /// The socket's path.
    pub socket: &'a Path,
}

/// Both ways in, bound and not yet serving.
pub struct AdminListener {
    network: TcpListener,
    tls: Option<TlsAcceptor>,
    socket: UnixListener,
    path: PathBuf,
}

impl AdminListener {
    /// Binds both.
    ///
    /// # Errors
    /// When an address is taken or a certificate does not read.
    pub async fn bind(options: AdminListenerOptions<'_>) -> Result<Self> {
        let tls = options.tls.map(acceptor).transpose()?;
        let address = options.address;
        let network = TcpListener::bind(address)
            .await
            .with_context(|| format!("the admin API cannot listen on {address}"))?;
        let path = options.socket.to_owned();
        let socket = bind_socket(&path)?;
        Ok(Self {
            network,
            tls,
            socket,
            path,
        })
    }

    /// The network address that was bound.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.network.local_addr()?)
    }

    /// The user who owns the socket: this process.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn owner(&self) -> Result<u32> {
        Ok(std::fs::metadata(&self.path)?.uid())
    }

    /// Serves until `shutdown`, and lets connections finish for a while.
    ///
    /// Each way in has a room of its own: strangers on the network never keep the owner of the data
    /// from the socket.
    pub async fn serve(self, router: Router, shutdown: CancellationToken) {
        let tasks = TaskTracker::new();
        tokio::join!(
            welcome(|| self.over_network(), &router, &tasks, &shutdown),
            welcome(|| self.over_socket(), &router, &tasks, &shutdown),
        );
        tasks.close();
        let _ = tokio::time::timeout(DRAIN, tasks.wait()).await;
        // A socket left behind would only puzzle; the next start removes it too.
        let _ = std::fs::remove_file(&self.path);
    }

    async fn over_network(&self) -> std::io::Result<Arrival> {
        let (stream, peer) = self.network.accept().await?;
        stream.set_nodelay(true)?;
        let peer = Peer::Address(peer.ip().to_canonical());
        Ok(Arrival::Network(stream, self.tls.clone(), peer))
    }

    async fn over_socket(&self) -> std::io::Result<Arrival> {
        let (stream, _) = self.socket.accept().await?;
        let user = stream.peer_cred()?.uid();
        Ok(Arrival::Socket(stream, Peer::Process { user }))
    }
}

/// Accepts on one way in until `shutdown`, as long as there is room.
async fn welcome<F>(
    accept: impl Fn() -> F,
    router: &Router,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) where
    F: Future<Output = std::io::Result<Arrival>>,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = tokio::select! {
            () = shutdown.cancelled() => return,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { return };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = accept() => accepted,
        };
        match accepted {
            Ok(arrival) => {
                let serving = arrival.serve(router.clone(), shutdown.clone());
                tasks.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin API cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

enum Arrival {
    Network(tokio::net::TcpStream, Option<TlsAcceptor>, Peer),
    Socket(tokio::net::UnixStream, Peer),
}

impl Arrival {
    async fn serve(self, router: Router, shutdown: CancellationToken) {
        match self {
            Self::Socket(stream, peer) => carry(stream, peer, router, shutdown).await,
            Self::Network(stream, None, peer) => carry(stream, peer, router, shutdown).await,
            Self::Network(stream, Some(tls), peer) => {
                match tokio::time::timeout(HEAD, tls.accept(stream)).await {
                    Ok(Ok(stream)) => carry(stream, peer, router, shutdown).await,
                    Ok(Err(error)) => tracing::debug!(%error, "admin TLS handshake failed"),
                    Err(_) => tracing::debug!("admin TLS handshake took too long"),
                }
            }
        }
    }
}

async fn carry<S>(stream: S, peer: Peer, router: Router, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

/// Binds the socket so that only the owner can open it.
fn bind_socket(path: &Path) -> Result<UnixListener> {
    use std::os::unix::ffi::OsStrExt;
    if path.as_os_str().as_bytes().len() > SOCKET_PATH_MAX {
        bail!(
            "the path of the admin socket, {}, is longer than {SOCKET_PATH_MAX} bytes: use a data \
             directory with a shorter path",
            path.display()
        );
    }
    // The log's lock says that no other process serves this directory: what is here is a leftover.
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).context("an old admin socket cannot be removed"),
    }
    // The directory is the owner's only (0700), so nobody gets in before the mode is set.
    let socket = UnixListener::bind(path)
        .with_context(|| format!("the admin socket cannot be made at {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor> {
    let unreadable = |path: &Path| format!("{} cannot be read as PEM", path.display());
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| unreadable(&tls.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).with_context(|| unreadable(&tls.key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate and its key cannot be used")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
