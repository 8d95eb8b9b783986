//! `[trust]`: whose word is taken.

use ipnet::IpNet;

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "trust",
    doc: "Whose word is taken for what the gateway cannot see itself.",
    keys: &[
        Key {
            name: "proxies",
            form: "list of addresses or networks",
            default: Some("[]"),
            doc: "Proxies in front of the gateway. Only from these is `X-Forwarded-For` believed; \
                  from anybody else the client's address is the socket's.",
        },
        Key {
            name: "plain_http_upstreams",
            form: "true or false",
            default: Some("false"),
            doc: "Accept upstreams with `http://` addresses beyond loopback. Credentials then \
                  travel readable on that way: only for a network that encrypts by itself.",
        },
    ],
};

/// Whose word is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Proxies that tell the client's address.
    pub proxies: Vec<IpNet>,
    /// Whether upstreams beyond loopback may be plain HTTP.
    pub plain_http_upstreams: bool,
}

pub(super) fn parse(reading: &mut Reading<'_>) -> Trust {
    let network = |value: &toml::de::DeValue<'_>| {
        let text = units::text(value)?;
        let single = || text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
        let found = text.parse::<IpNet>().ok().or_else(single);
        let network = found.ok_or_else(|| {
            format!("{text:?} is not a network: write \"10.0.0.0/8\" or \"192.0.2.7\"")
        })?;
        if network.prefix_len() == 0 {
            return Err(format!(
                "{text:?} is everybody: a client could then choose its address"
            ));
        }
        Ok(network)
    };
    Trust {
        proxies: reading.take(&KEYS, "proxies", |value| units::list(value, network)),
        plain_http_upstreams: reading.take(&KEYS, "plain_http_upstreams", units::boolean),
    }
}
