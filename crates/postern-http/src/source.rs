//! Where a request comes from.
//!
//! The socket's peer, unless that is a listed proxy. Then the right end of `X-Forwarded-For` is
//! walked back for as long as listed proxies stand there; the first other address is the client.
//! Everything further left was written by somebody we do not trust, and is not read.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;
use postern_types::{Source, SourceVia};

/// Hops walked back at most; no deployment has so many proxies.
const HOPS_MAX: usize = 16;

/// Whether an address is one of the listed proxies.
pub(crate) fn is_listed(address: IpAddr, proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|net| net.contains(&address))
}

/// The client's address as far as it is certain.
pub(crate) fn locate(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Source {
    let mut address = peer.to_canonical();
    let mut via = SourceVia::Socket;
    if is_listed(address, proxies) {
        for hop in hops_from_the_right(headers).take(HOPS_MAX) {
            // Garbage ends the walk: the nearest certain address is that of the hop before it.
            let Some(named) = hop else {
                break;
            };
            address = named;
            via = SourceVia::TrustedProxy;
            if !is_listed(address, proxies) {
                break;
            }
        }
    }
    Source { address, via }
}

fn hops_from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    lines.into_iter().rev().flat_map(|line| {
        let hops: Vec<_> = match line.to_str() {
            Ok(line) => line.rsplit(',').map(|hop| parse(hop.trim())).collect(),
            Err(_) => vec![None],
        };
        hops
    })
}

/// An address as proxies write it: bare, or with a port, IPv6 in brackets or not.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn locate_with(peer: &str, forwarded: &[&str]) -> (String, SourceVia) {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        let source = locate(peer.parse().unwrap(), &headers, &proxies);
        (source.address.to_string(), source.via)
    }

    #[test]
    fn only_listed_proxies_are_believed() {
        // Goal: a client cannot choose its address. Method: a row per way to try.
        use SourceVia::{Socket, TrustedProxy};
        let rows: &[(&str, &[&str], &str, SourceVia)] = &[
            ("192.0.2.1", &[], "192.0.2.1", Socket),
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1", Socket),
            ("10.0.0.1", &[], "10.0.0.1", Socket),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9", TrustedProxy),
            // Spoofed entries stand left of what our proxy appended.
            (
                "10.0.0.1",
                &["1.2.3.4, 203.0.113.9"],
                "203.0.113.9",
                TrustedProxy,
            ),
            (
                "10.0.0.1",
                &["1.2.3.4", "203.0.113.9"],
                "203.0.113.9",
                TrustedProxy,
            ),
            (
                "10.0.0.1",
                &["203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
                TrustedProxy,
            ),
            (
                "10.0.0.1",
                &["203.0.113.9, garbage, 10.0.0.2"],
                "10.0.0.2",
                TrustedProxy,
            ),
            ("10.0.0.1", &["203.0.113.9, "], "10.0.0.1", Socket),
            ("10.0.0.1", &["unknown"], "10.0.0.1", Socket),
            (
                "10.0.0.1",
                &["203.0.113.9:4711"],
                "203.0.113.9",
                TrustedProxy,
            ),
            (
                "fd00::1",
                &["[2001:db8::1]:443"],
                "2001:db8::1",
                TrustedProxy,
            ),
            ("fd00::1", &["[2001:db8::1]"], "2001:db8::1", TrustedProxy),
            (
                "::ffff:10.0.0.1",
                &["::ffff:203.0.113.9"],
                "203.0.113.9",
                TrustedProxy,
            ),
            (
                "10.0.0.1",
                &["10.0.0.3, 10.0.0.2"],
                "10.0.0.3",
                TrustedProxy,
            ),
        ];
        for (peer, forwarded, address, via) in rows {
            let found = locate_with(peer, forwarded);
            assert_eq!(found, ((*address).to_owned(), *via), "{peer} {forwarded:?}");
        }
    }
}
