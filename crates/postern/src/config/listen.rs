//! `[listen]`: where the gateway listens.

use std::net::SocketAddr;

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "listen",
    doc: "Where the gateway listens. Plain HTTP is for loopback only: on any other address a \
          certificate is needed, or `plain_http_anywhere`.",
    keys: &[
        Key {
            name: "data",
            form: "address with port",
            default: Some("\"127.0.0.1:8080\""),
            doc: "The data plane: what SDKs and services call. Port 0 takes a free port.",
        },
        Key {
            name: "admin",
            form: "address with port",
            default: Some("\"127.0.0.1:8081\""),
            doc: "The admin API, `/healthz` and `/readyz`. The command line does not need it: on \
                  the same machine it uses a socket in the data directory.",
        },
        Key {
            name: "admin_hosts",
            form: "list of host names",
            default: Some("[]"),
            doc: "Host names by which the admin API may be called besides `localhost` and plain \
                  IP addresses. Any other name is refused, so that a page in somebody's browser \
                  cannot reach it by pointing its own name there (DNS rebinding).",
        },
        Key {
            name: "plain_http_anywhere",
            form: "true or false",
            default: Some("false"),
            doc: "Serve without TLS on addresses other than loopback. Tokens then travel readable \
                  by everybody on the way: only for a network that encrypts by itself, or behind \
                  a proxy on the same machine.",
        },
        Key {
            name: "workers",
            form: "whole number from 0 to 256",
            default: Some("0"),
            doc: "Threads of the data plane, each with its own listener and upstream connections. \
                  0 means one per core.",
        },
    ],
};

/// Where the gateway listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The data plane.
    pub data: SocketAddr,
    /// The admin API.
    pub admin: SocketAddr,
    /// Further host names of the admin API, in lower case.
    pub admin_hosts: Vec<String>,
    /// Serve without TLS beyond loopback.
    pub plain_http_anywhere: bool,
    /// Threads of the data plane; 0 means one per core.
    pub workers: usize,
}

pub(super) fn parse(reading: &mut Reading<'_>, tls: bool) -> Listen {
    let places = ["data", "admin"].map(|name| reading.place(&KEYS, name));
    let anywhere = reading.take(&KEYS, "plain_http_anywhere", units::boolean);
    let listen = Listen {
        data: reading.take(&KEYS, "data", units::address),
        admin: reading.take(&KEYS, "admin", units::address),
        admin_hosts: reading.take(&KEYS, "admin_hosts", |value| units::list(value, host)),
        plain_http_anywhere: anywhere,
        workers: usize::try_from(reading.take(&KEYS, "workers", units::number(0, 256)))
            .expect("at most 256"),
    };
    for (place, (name, address)) in places
        .into_iter()
        .zip([("data", listen.data), ("admin", listen.admin)])
    {
        if !address.ip().is_loopback() && !tls && !anywhere {
            let at = place.map_or(0, |span| span.start);
            reading.problem(
                at,
                format!(
                    "listen.{name}: {address} is not a loopback address and there is no [tls]: \
                     tokens would travel in clear text; add [tls] certificate and key, or say \
                     plain_http_anywhere = true"
                ),
            );
        }
    }
    if listen.data == listen.admin && listen.data.port() != 0 {
        let message = format!(
            "listen.admin: {} is the data plane's address too",
            listen.admin
        );
        reading.problem(0, message);
    }
    listen
}

fn host(value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let text = units::text(value)?.to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if text.is_empty() || !text.bytes().all(plain) {
        return Err(format!(
            "{text:?} is not a host name: give it without scheme and port"
        ));
    }
    Ok(text)
}
