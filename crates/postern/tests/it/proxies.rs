//! Clients and proxies as people have them: curl over HTTP/1.1 and HTTP/2, nginx in front.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postern_testkit::backend::Nginx;
use postern_testkit::{ReplayUpstream, exchange, process, raw, tools};
use serde_json::Value;

use crate::gateway::{Gateway, NewUpstream, Token};

const CURL_MAX: Duration = Duration::from_secs(30);

/// What curl was asked and what came back.
struct Fetched {
    status: u16,
    version: String,
    body: String,
}

/// Posts the request of a committed exchange with curl.
fn curl(base: &str, token: &Token, id: &str, more: &[&str]) -> Option<Fetched> {
    let exchange = exchange::named(id);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (sent, got) = (dir.path().join("sent"), dir.path().join("got"));
    fs::write(&sent, &exchange.request.body).expect("the directory is ours");
    let mut command = Command::new(tools::curl()?);
    command
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--no-buffer",
        ])
        .args(more);
    command.args(["-H", &format!("Authorization: {}", token.bearer())]);
    command.args(["-H", "Content-Type: application/json"]);
    command
        .arg("--data-binary")
        .arg(format!("@{}", sent.display()));
    command
        .arg("-o")
        .arg(&got)
        .args(["-w", "%{http_code} %{http_version}"]);
    command.arg(format!("{base}{}", exchange.target()));
    let told = process::run("curl", &mut command, CURL_MAX).expect("curl ends well");
    let (status, version) = told.split_once(' ').expect("curl tells both");
    Some(Fetched {
        status: status.parse().expect("a status"),
        version: version.to_owned(),
        body: fs::read_to_string(&got).expect("the body is text"),
    })
}

fn openai(config: &str) -> (ReplayUpstream, Gateway, Token) {
    let upstream = ReplayUpstream::own().expect("the upstream starts");
    let gateway = Gateway::start_with(config);
    gateway.upstream("openai", "openai", &upstream.url(), crate::door::CREDENTIAL);
    let token = gateway.token(&["openai:invoke:gpt-4o-mini"]);
    (upstream, gateway, token)
}

fn assert_passes(base: &str, token: &Token, more: &[&str], version: &str) {
    for id in ["openai-chat-plain", "openai-chat-stream"] {
        let Some(fetched) = curl(base, token, id, more) else {
            return;
        };
        let told = (fetched.status, fetched.version.as_str());
        assert_eq!(told, (200, version), "{more:?}: {}", fetched.body);
        let expected = exchange::named(id);
        assert_eq!(
            Some(fetched.body.as_str()),
            expected.response_text(),
            "{more:?}"
        );
    }
}

#[test]
fn curl_over_http_1_and_2() {
    let (upstream, gateway, token) = openai("");
    let base = gateway.url("openai");
    assert_passes(&base, &token, &["--http1.1"], "1.1");
    assert_passes(&base, &token, &["--http2-prior-knowledge"], "2");
    // curl asks for "100 Continue" by itself when the body is large.
    let expect = ["--http1.1", "-H", "Expect: 100-continue"];
    assert_passes(&base, &token, &expect, "1.1");
    assert!(
        upstream
            .requests()
            .iter()
            .all(|request| request.header("expect").is_none())
    );
    assert!(
        upstream
            .requests()
            .iter()
            .all(|request| request.version == "HTTP/1.1")
    );
}

/// A certificate for 127.0.0.1: its chain and key in PEM files of `dir`.
fn certificate(dir: &Path) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]);
    let made = made.expect("a certificate can be made");
    let (chain, key) = (dir.join("chain.pem"), dir.join("key.pem"));
    fs::write(&chain, made.cert.pem()).expect("the directory is ours");
    fs::write(&key, made.signing_key.serialize_pem()).expect("the directory is ours");
    use std::os::unix::fs::PermissionsExt;
    let owner_only = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&key, owner_only).expect("the file is ours");
    (chain.display().to_string(), key.display().to_string())
}

#[test]
fn curl_over_tls_agrees_on_http_2() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (chain, key) = certificate(dir.path());
    let (_upstream, gateway, token) = openai(&format!(
        "[tls]\ncertificate = \"{chain}\"\nkey = \"{key}\"\n"
    ));
    let base = gateway.url("openai").replace("http://", "https://");
    assert_passes(&base, &token, &["--cacert", &chain], "2");
    assert_passes(&base, &token, &["--cacert", &chain, "--http1.1"], "1.1");
}

/// nginx as the TLS side of an upstream.
const TLS_SIDE: &str = r"
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate CHAIN;
        ssl_certificate_key KEY;
        location / {
            proxy_pass http://UPSTREAM;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Connection '';
        }
    }
";

// Goal: an upstream over TLS is reached when its authority was given, and not otherwise. Method:
// nginx with a certificate of its own making before the replaying upstream.
#[test]
fn an_upstream_over_tls_must_have_a_trusted_certificate() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (chain, key) = certificate(dir.path());
    let upstream = ReplayUpstream::own().expect("the upstream starts");
    let servers = TLS_SIDE.replace("CHAIN", &chain).replace("KEY", &key);
    let servers = servers.replace("UPSTREAM", &upstream.addr().to_string());
    let Some(nginx) = Nginx::start(&servers).expect("nginx starts") else {
        return;
    };
    let gateway = Gateway::start();
    for (name, more) in [
        ("given", ["--ca", chain.as_str()].as_slice()),
        ("system", &[]),
    ] {
        gateway.make(&NewUpstream {
            env: "dev",
            name,
            kind: "openai",
            url: &format!("https://{}", nginx.addr()),
            credential: crate::door::CREDENTIAL,
            more,
        });
    }
    let token = gateway.token(&["given:invoke:*", "system:invoke:*"]);
    assert_passes(&gateway.url("given"), &token, &["--http1.1"], "1.1");
    let reached = upstream.requests().len();
    let Some(fetched) = curl(&gateway.url("system"), &token, "openai-chat-plain", &[]) else {
        return;
    };
    assert_eq!(fetched.status, 502, "{}", fetched.body);
    assert!(
        fetched.body.contains("upstream_unreachable"),
        "{}",
        fetched.body
    );
    assert_eq!(
        upstream.requests().len(),
        reached,
        "an unknown certificate was trusted"
    );
}

/// The address that the audit log has for the last answered request of a token.
fn recorded_address(gateway: &Gateway, token: &Token) -> String {
    let found = gateway.json(&["audit", "search", "--token", &token.id]);
    let text = found.to_string();
    let at = text
        .rfind("\"address\":\"")
        .expect("records have the client's address");
    text[at + 11..].chars().take_while(|c| *c != '"').collect()
}

// Goal: the client's address comes from a listed proxy's header, and from no one else's.
// Method: nginx in front, listed and not listed, with a client on another loopback address that
// lies about its own; the audit log tells.
#[test]
fn nginx_in_front_is_believed_only_when_listed() {
    for (config, expected) in [
        ("[trust]\nproxies = [\"127.0.0.1/32\"]\n", "127.0.0.2"),
        ("", "127.0.0.1"),
    ] {
        let (upstream, gateway, token) = openai(config);
        let Some(nginx) = Nginx::in_front_of(gateway.addr()).expect("nginx starts") else {
            return;
        };
        let base = format!("http://{}/openai", nginx.addr());
        let from = ["--http1.1", "--interface", "127.0.0.2"];
        assert_passes(&base, &token, &from, "1.1");
        assert_eq!(recorded_address(&gateway, &token), expected, "{config}");
        let lie = [&from[..], &["-H", "X-Forwarded-For: 203.0.113.9"]].concat();
        assert_passes(&base, &token, &lie, "1.1");
        assert_eq!(recorded_address(&gateway, &token), expected, "{config}");
        assert!(
            upstream
                .requests()
                .iter()
                .all(|request| !request.contains("203.0.113.9"))
        );
    }
}

// Goal: whoever connects from a listed proxy names the client, and a stranger does not.
// Method: the same header straight to the gateway, once from a listed address and once not.
#[test]
fn forwarded_addresses_count_from_listed_proxies_only() {
    for (config, expected) in [
        ("[trust]\nproxies = [\"127.0.0.0/8\"]\n", "203.0.113.9"),
        ("[trust]\nproxies = [\"10.0.0.0/8\"]\n", "127.0.0.1"),
    ] {
        let (_upstream, gateway, token) = openai(config);
        let bearer = token.bearer();
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let answer = raw::request(gateway.addr(), "GET", "/openai/v1/models", &headers, b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let models: Value = answer.json();
        assert_eq!(models["data"].as_array().map(Vec::len), Some(1), "{models}");
        assert_eq!(recorded_address(&gateway, &token), expected, "{config}");
    }
}
