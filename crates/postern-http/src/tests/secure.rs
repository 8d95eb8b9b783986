//! TLS on both sides, with certificates made for the test.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use tempfile::TempDir;

use super::*;
use crate::bounds::Timeouts;
use crate::connect::Endpoint;
use crate::forward::{Destination, Forward, OutboundBody, OutboundRequest};
use crate::headers::UpstreamCredential;
use crate::own_machine::Reach;
use crate::tls;

/// A certificate and its key in files.
fn files(dir: &Path, name: &str) -> TlsFiles {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: dir.join(format!("{name}.pem")),
        key: dir.join(format!("{name}.key")),
    };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    files
}

/// A client connection that offers these protocols.
fn dial(
    server: &Server,
    files: &TlsFiles,
    protocols: &[&[u8]],
) -> StreamOwned<ClientConnection, TcpStream> {
    let config = tls::client(Some(&files.certificate)).unwrap();
    let mut config = (*config).clone();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, server.connect())
}

#[test]
fn the_version_is_what_tls_agreed_on() {
    let dir = TempDir::new().unwrap();
    let files = files(dir.path(), "localhost");
    let server = Server::start_with(Bounds::default(), Some(files.clone()), &[]);
    let request = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for protocols in [&[b"http/1.1".as_slice()][..], &[]] {
        let mut stream = dial(&server, &files, protocols);
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.ends_with("GET /echo  0"),
            "closed in order: {answer}"
        );
    }
    // HTTP/2 is preferred, and then HTTP/1.1 is not understood.
    let mut stream = dial(&server, &files, &[b"http/1.1", b"h2"]);
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(stream.conn.alpn_protocol(), Some(b"h2".as_slice()));
    assert!(!answer.starts_with(b"HTTP/1"));
    assert_eq!(server.seen.requests(), 2);
}

#[test]
fn handshakes_end() {
    let dir = TempDir::new().unwrap();
    let files = files(dir.path(), "localhost");
    let server = Server::start_with(hasty(), Some(files), &[]);
    let started = Instant::now();
    let mut silent = server.connect();
    assert!(closes(&mut silent));
    let mut plain = server.connect();
    send(&mut plain, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(closes(&mut plain));
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(server.seen.requests(), 0);
}

#[test]
fn files_that_do_not_serve_are_named() {
    let dir = TempDir::new().unwrap();
    let (one, other) = (files(dir.path(), "localhost"), files(dir.path(), "other"));
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let missing = dir.path().join("missing.pem");
    let rows = [
        (missing.clone(), one.key.clone(), "missing.pem"),
        (empty.clone(), one.key.clone(), "empty.pem"),
        (one.certificate.clone(), empty, "empty.pem"),
        (one.certificate, other.key, "cannot be used"),
    ];
    for (certificate, key, wanted) in rows {
        let error = tls::server(&TlsFiles { certificate, key }).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    assert!(tls::client(Some(&missing)).is_err());
}

/// The refusal code, or the status, of one request to a TLS upstream.
async fn visit(url: &str, ca_file: &Path) -> String {
    let to = Arc::new(Destination {
        key: super::upstream::key("dev", 1),
        endpoint: Endpoint::parse(url, Some(ca_file), Reach::Anywhere).unwrap(),
        credential: UpstreamCredential::none(),
        timeouts: Timeouts::default(),
    });
    let request = OutboundRequest {
        method: http::Method::GET,
        path: postern_types::CanonicalPath::parse("/echo").unwrap(),
        query: None,
        headers: HeaderMap::new(),
        body: OutboundBody::none(),
    };
    match Forward::new(Arc::new(Bounds::default()))
        .send(&to, request)
        .await
    {
        Ok(inbound) => inbound.status.to_string(),
        Err(refusal) => refusal.code().to_string(),
    }
}

#[tokio::test]
async fn an_upstream_must_prove_its_name() {
    // Goal: the right name under the right authority is believed, and nothing else. Method: our own
    // TLS listener as the upstream.
    let dir = TempDir::new().unwrap();
    let (good, other) = (
        files(dir.path(), "localhost"),
        files(dir.path(), "elsewhere.invalid"),
    );
    let server = Server::start_with(Bounds::default(), Some(good.clone()), &[]);
    let port = server.address.port();
    let url = format!("https://localhost:{port}");
    assert_eq!(visit(&url, &good.certificate).await, "200 OK");
    assert_eq!(
        visit(&url, &other.certificate).await,
        "upstream_unreachable"
    );
    let by_address = format!("https://127.0.0.1:{port}");
    assert_eq!(
        visit(&by_address, &good.certificate).await,
        "upstream_unreachable"
    );
    // The system's roots do not know the test's authority.
    if let Ok(endpoint) = Endpoint::parse(&url, None, Reach::Anywhere) {
        let bounds = Bounds::default().upstream;
        let refusal = endpoint.connect(PATIENCE, &bounds).await.unwrap_err();
        assert_eq!(refusal.code().as_str(), "upstream_unreachable");
    }
}
