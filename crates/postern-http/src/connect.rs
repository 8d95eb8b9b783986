//! Where an upstream is, and a connection to it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use postern_types::{CanonicalPath, Refusal, RefusalCode};
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::bounds::{HYPER_HEADERS_MAX, UpstreamBounds};
use crate::forward::OutboundBody;
use crate::own_machine::Reach;
use crate::tls::{self, TlsError};

/// An upstream's address cannot be used.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// It is not a URL of the accepted form.
    #[error(
        "upstream address {0:?} is not http:// or https://, a host, an optional port and an \
         optional path"
    )]
    Url(String),
    /// TLS to it cannot be set up.
    #[error("TLS to the upstream cannot be set up")]
    Tls(#[from] TlsError),
}

/// Where an upstream is. TLS is set up once, here.
pub struct Endpoint {
    host: String,
    port: u16,
    /// The path in front of every request's, without a slash at the end; often empty.
    base: String,
    host_field: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    reach: Reach,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(
            f,
            "Endpoint({scheme}://{}:{}{})",
            self.host, self.port, self.base
        )
    }
}

impl Endpoint {
    /// Reads an address. With `ca_file` only the authorities in it are believed, else the system's.
    /// `reach` is asked about each address that the host turns out to have.
    ///
    /// # Errors
    /// When the address is malformed, holds a user, a query or a fragment, or TLS cannot be set up.
    pub fn parse(url: &str, ca_file: Option<&Path>, reach: Reach) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Url(url.chars().take(200).collect());
        if url.contains(['#', '?', '@']) {
            return Err(malformed());
        }
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(malformed()),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if !crate::strict::is_sane(authority.as_str().as_bytes()) {
            return Err(malformed());
        }
        let bracketed = authority.host();
        let host = bracketed
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let base = CanonicalPath::parse(uri.path()).map_err(|_| malformed())?;
        let host_field =
            HeaderValue::try_from(authority.as_str().to_owned()).map_err(|_| malformed())?;
        let tls = if https {
            let name = ServerName::try_from(host.clone()).map_err(|_| malformed())?;
            Some((TlsConnector::from(tls::client(ca_file)?), name))
        } else {
            None
        };
        let base = base.encoded().trim_end_matches('/').to_owned();
        Ok(Self {
            host,
            port,
            base,
            host_field,
            tls,
            reach,
        })
    }

    /// The value of `Host`.
    pub(crate) fn host_field(&self) -> HeaderValue {
        self.host_field.clone()
    }

    /// The target of a request for an encoded path, behind the base path.
    pub(crate) fn target(&self, path: &str, query: Option<&str>) -> Option<PathAndQuery> {
        // As long as it will be: what is longer would be moved when it is shared.
        let bytes = self.base.len() + path.len() + query.map_or(0, |query| 1 + query.len());
        let mut target = String::with_capacity(bytes);
        target.push_str(&self.base);
        target.push_str(path);
        if let Some(query) = query {
            target.push('?');
            target.push_str(query);
        }
        PathAndQuery::from_maybe_shared(bytes::Bytes::from(target)).ok()
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// `upstream_unreachable` when no connection comes about in time.
    pub(crate) async fn connect(
        &self,
        allowed: Duration,
        bounds: &UpstreamBounds,
    ) -> Result<Connected, Refusal> {
        let deadline = Instant::now() + allowed;
        let unreachable = |cause: String| Refusal::new(RefusalCode::UpstreamUnreachable, cause);
        let opened = timeout_at(deadline, self.open(deadline, bounds)).await;
        match opened {
            Ok(Ok(sender)) => Ok(sender),
            Ok(Err(error)) => Err(unreachable(format!("cannot connect to {self:?}: {error}"))),
            Err(_) => Err(unreachable(format!("connecting to {self:?} took too long"))),
        }
    }

    async fn open(&self, deadline: Instant, bounds: &UpstreamBounds) -> io::Result<Connected> {
        let stream = self.dial(deadline).await?;
        // Without it, a small request waits for acknowledgements of earlier ones.
        stream.set_nodelay(true)?;
        match &self.tls {
            None => handshake(stream, bounds).await,
            Some((connector, name)) => {
                handshake(connector.connect(name.clone(), stream).await?, bounds).await
            }
        }
    }

    /// Tries every address of the host in turn. Each but the last gets its share of the time, so
    /// that one that swallows packets does not use it all.
    async fn dial(&self, deadline: Instant) -> io::Result<TcpStream> {
        // SECURITY: a name is resolved for each connection, and what is dialled is the very address
        // that was judged: a name that changes its meaning in between gains nothing.
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        let addresses = self.within_reach(found.collect())?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for (place, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let left = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
            let share = now + deadline.saturating_duration_since(now) / left;
            match timeout_at(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }

    /// The addresses that this upstream may be reached at.
    fn within_reach(&self, mut addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let known = addresses.len();
        addresses.retain(|address| self.reach.allows(address.ip()));
        if known > 0 && addresses.is_empty() {
            let cause = "it is on the gateway's own machine or link, or a cloud's metadata \
                         service, and own_machine is false for this upstream: an administrator of \
                         the whole installation can allow it";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, cause));
        }
        Ok(addresses)
    }
}

/// A connection to an upstream, in use or at rest.
///
/// What is dropped in the middle of an exchange is closed at once: an upstream that reads nothing
/// would otherwise keep the connection, and the body of a request that ended long ago, for as long
/// as it likes.
#[derive(Debug)]
pub(crate) struct Connected {
    sender: SendRequest<OutboundBody>,
    task: AbortHandle,
    at_rest: bool,
}

impl Connected {
    /// The connection begins, or goes on with, an exchange.
    pub(crate) fn sender(&mut self) -> &mut SendRequest<OutboundBody> {
        self.at_rest = false;
        &mut self.sender
    }

    /// The exchange was whole: from now on the connection may end in its own time.
    pub(crate) fn rest(&mut self) {
        self.at_rest = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        if !self.at_rest {
            self.task.abort();
        }
    }
}

async fn handshake<T>(io: T, bounds: &UpstreamBounds) -> io::Result<Connected>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    if bounds.headers_max != HYPER_HEADERS_MAX {
        builder.max_headers(bounds.headers_max);
    }
    let (sender, connection) = builder
        .max_header_size(bounds.head_bytes_max)
        .max_buf_size(bounds.buffer_bytes_max)
        .handshake(TokioIo::new(io))
        .await
        .map_err(io::Error::other)?;
    // The connection ends with its sender; nothing waits for the task.
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an upstream connection ended early");
        }
    });
    Ok(Connected {
        sender,
        task: task.abort_handle(),
        at_rest: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(url: &str, reach: Reach) -> Endpoint {
        Endpoint::parse(url, None, reach).unwrap()
    }

    #[test]
    fn only_addresses_within_reach_are_dialled() {
        // Goal: of the addresses of a name, those of the own machine are never tried, and that none
        // is left is said. Method: what a resolver may have answered, under both settings.
        let own = ["127.0.0.1:80", "[::1]:80", "[::ffff:169.254.169.254]:80"];
        let other = ["10.0.0.1:80", "[2001:db8::1]:80"];
        let read = |rows: &[&str]| -> Vec<SocketAddr> {
            rows.iter().map(|row| row.parse().unwrap()).collect()
        };
        let mixed = read(&[own[0], other[0], own[1], other[1], own[2]]);
        let bound = plain("http://example.org", Reach::BeyondOwnMachine);
        assert_eq!(bound.within_reach(mixed.clone()).unwrap(), read(&other));
        let error = bound.within_reach(read(&own)).unwrap_err();
        assert!(error.to_string().contains("own_machine is false"));
        assert!(bound.within_reach(Vec::new()).unwrap().is_empty());
        let free = plain("http://example.org", Reach::Anywhere);
        assert_eq!(free.within_reach(mixed.clone()).unwrap(), mixed);
    }

    #[test]
    fn addresses_are_read_strictly() {
        for bad in [
            "",
            "example.org",
            "ftp://example.org",
            "http://",
            "http://user@example.org",
            "http://example.org?x=1",
            "http://example.org/#f",
            "http://example.org/a/../b",
            "http://example.org:99999",
            "http://exa mple.org",
        ] {
            assert!(
                Endpoint::parse(bad, None, Reach::Anywhere).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_base_path_stands_before_every_path() {
        let endpoint = plain("http://[::1]:8080/base/v1/", Reach::Anywhere);
        assert_eq!(endpoint.host, "::1");
        assert_eq!(endpoint.host_field(), "[::1]:8080");
        let target = endpoint.target("/a%20b", Some("x=1")).unwrap();
        assert_eq!(target.as_str(), "/base/v1/a%20b?x=1");
        let endpoint = plain("http://example.org", Reach::Anywhere);
        assert_eq!(endpoint.target("/", None).unwrap().as_str(), "/");
        assert_eq!(endpoint.port, 80);
    }
}
