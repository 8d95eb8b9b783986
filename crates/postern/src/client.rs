//! A small HTTP client: for the command line, which talks to the gateway over its socket or over
//! the network, and for the demo, which is a client like any other.
//!
//! One connection a request: a command makes one or two, and nothing is kept that could go stale.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Connecting, with the TLS handshake, must be done within this time.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer that is read whole.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where a server is.
#[derive(Clone)]
pub enum Endpoint {
    /// A socket in the file system.
    Socket(PathBuf),
    /// Plain HTTP.
    Plain(Authority),
    /// HTTP over TLS.
    Tls(Authority, Arc<rustls::ClientConfig>),
}

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The host, brackets taken off.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why no answer came.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The address is not one that can be called.
    #[error("{0:?} is not an address to call: {1}")]
    Address(String, &'static str),
    /// Nobody listens there, or the handshake failed.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// Where to.
        to: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificates to trust cannot be read.
    #[error("cannot read the certificates to trust: {0}")]
    Roots(String),
    /// The exchange broke.
    #[error("the exchange with {0} broke: {1}")]
    Exchange(String, String),
}

impl Endpoint {
    /// The server that a URL names. `ca` replaces the system's roots.
    ///
    /// # Errors
    /// When the URL is not `http://` or `https://` with a host, or the roots cannot be read.
    pub fn of_url(url: &str, ca: Option<&Path>) -> Result<Self, ClientError> {
        let wrong = |why| ClientError::Address(url.chars().take(200).collect(), why);
        let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        if !tls && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(wrong("it starts neither with http:// nor with https://"));
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let authority = Authority { host, port };
        if tls {
            Ok(Self::Tls(authority, roots(ca)?))
        } else {
            Ok(Self::Plain(authority))
        }
    }

    /// The `Host` of requests to it.
    #[must_use]
    pub fn host(&self) -> String {
        match self {
            Self::Socket(_) => "localhost".to_owned(),
            Self::Plain(authority) | Self::Tls(authority, _) => authority.to_string(),
        }
    }

    /// Sends a request and gives the answer as soon as its head is there.
    ///
    /// # Errors
    /// When no connection can be made, or the exchange breaks before the head.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        match self {
            Self::Socket(path) => {
                let connecting = UnixStream::connect(path);
                let stream = in_time(connecting)
                    .await
                    .map_err(|source| self.unreachable(source))?;
                self.exchange(stream, request).await
            }
            Self::Plain(authority) => {
                let stream = in_time(authority.connect()).await;
                self.exchange(stream.map_err(|source| self.unreachable(source))?, request)
                    .await
            }
            Self::Tls(authority, config) => {
                let connecting = async {
                    let name = ServerName::try_from(authority.host.clone())
                        .map_err(std::io::Error::other)?;
                    let connector = TlsConnector::from(Arc::clone(config));
                    connector.connect(name, authority.connect().await?).await
                };
                let stream = in_time(connecting)
                    .await
                    .map_err(|source| self.unreachable(source))?;
                self.exchange(stream, request).await
            }
        }
    }

    async fn exchange<S>(
        &self,
        stream: S,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broke = |error: hyper::Error| {
            let why = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
            ClientError::Exchange(self.to_string(), why)
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broke)?;
        // Ends with the exchange; an error of it is seen by whoever reads the answer.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(broke)
    }

    fn unreachable(&self, source: std::io::Error) -> ClientError {
        ClientError::Connect {
            to: self.to_string(),
            source,
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Plain(authority) => write!(f, "http://{authority}"),
            Self::Tls(authority, _) => write!(f, "https://{authority}"),
        }
    }
}

impl Authority {
    async fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads an answer's body whole, under a cap.
///
/// # Errors
/// When the body is broken or too large.
pub async fn read_whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| ClientError::Exchange("the server".to_owned(), error.to_string()))
}

async fn in_time<T>(connecting: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    tokio::time::timeout(CONNECT, connecting)
        .await
        .map_err(late)?
}

/// A TLS client that trusts the system's roots, or only the ones in a file.
fn roots(ca: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, ClientError> {
    let unreadable = |error: &dyn std::fmt::Display| ClientError::Roots(error.to_string());
    let mut store = rustls::RootCertStore::empty();
    match ca {
        Some(file) => {
            let certificates = rustls::pki_types::CertificateDer::pem_file_iter(file)
                .map_err(|error| unreadable(&format!("{}: {error}", file.display())))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(&error))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_hosts_and_ports() {
        let host = |url| Endpoint::of_url(url, None).map(|endpoint| endpoint.host());
        assert_eq!(host("http://127.0.0.1:81/x").unwrap(), "127.0.0.1:81");
        assert_eq!(host("https://[::1]/").unwrap(), "[::1]:443");
        for bad in ["", "localhost:80", "ftp://x/", "http://"] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }
}
