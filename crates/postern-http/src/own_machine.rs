//! Which addresses are the gateway's own machine and link, or tell a machine about itself.
//!
//! What listens there often asks nobody who they are, because it is reached from the machine alone.
//! The predicate is asked where an address is written, and again where a name was resolved: what a
//! name means is decided anew at each connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an upstream may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere that the gateway's machine reaches.
    Anywhere,
    /// Not where [`is_own_machine`] says: no connection there is ever made.
    BeyondOwnMachine,
}

impl Reach {
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::BeyondOwnMachine => !is_own_machine(address),
        }
    }
}

/// Where clouds answer a machine about itself over IPv4, beside the link-local 169.254.169.254:
/// Alibaba, Oracle, Azure.
const METADATA: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// Where Google does so over IPv6.
const METADATA_OF_GOOGLE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// Whether an address is on the gateway's own machine (loopback, unspecified) or link (link-local),
/// or is the metadata service of a cloud. IPv6 addresses that stand for an IPv4 address are judged
/// as that one too. Private networks are not meant: backends live there.
#[must_use]
pub fn is_own_machine(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_own_v4(address),
        IpAddr::V6(address) => is_own_v6(address),
    }
}

fn is_own_v4(address: Ipv4Addr) -> bool {
    // 0.0.0.0/8 is "this network" (RFC 791); connecting to 0.0.0.0 reaches loopback.
    let this_network = address.octets()[0] == 0;
    this_network || address.is_loopback() || address.is_link_local() || METADATA.contains(&address)
}

fn is_own_v6(address: Ipv6Addr) -> bool {
    // What AWS keeps for services of its own to one machine: metadata, pod identities, names, time.
    let of_aws = address.segments()[..2] == [0xfd00, 0xec2];
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unicast_link_local()
        || of_aws
        || address == METADATA_OF_GOOGLE
        || embedded(address).into_iter().flatten().any(is_own_v4)
}

/// The IPv4 addresses that an IPv6 address may be turned into on its way. Where the form does not
/// say which of several it is, all are judged.
fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let bytes = address.octets();
    let at = |places: [usize; 4]| Some(Ipv4Addr::from(places.map(|place| bytes[place])));
    let last = at([12, 13, 14, 15]);
    match address.segments() {
        // Mapped and compatible (RFC 4291, section 2.5.5), translated (RFC 2765), NAT64 under the
        // well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => [last, None, None, None],
        // NAT64 under a local prefix (RFC 8215) of 48, 56, 64 or 96 bits; byte 8 stands apart
        // (RFC 6052, section 2.2).
        [0x64, 0xff9b, 1, ..] => [
            last,
            at([6, 7, 9, 10]),
            at([7, 9, 10, 11]),
            at([9, 10, 11, 12]),
        ],
        // 6to4 (RFC 3056).
        [0x2002, ..] => [at([2, 3, 4, 5]), None, None, None],
        // Teredo (RFC 4380, section 4): the server, and the client with its bits turned over.
        [0x2001, 0, ..] => [
            at([4, 5, 6, 7]),
            last.map(|client| Ipv4Addr::from(!u32::from(client))),
            None,
            None,
        ],
        _ => [None; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_own_machine_are_known_in_every_form() {
        for row in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.0.1",
            "169.254.169.254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "febf:ffff::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            // Mapped, compatible, translated.
            "::ffff:127.0.0.1",
            "::ffff:0.0.0.0",
            "::ffff:169.254.169.254",
            "::ffff:168.63.129.16",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            // NAT64, under the well-known prefix and under local ones of 96, 48, 56 and 64 bits.
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::127.0.0.1",
            "64:ff9b:1:7f00:0:100::",
            "64:ff9b:1:ff7f:0:1::",
            "64:ff9b:1:ffff:7f:0:100:0",
            // 6to4; the server and the client of Teredo.
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::",
            "2001:0:7f00:1::",
            "2001:0:808:808:0:0:80ff:fffe",
        ] {
            let address = row.parse().unwrap();
            assert!(is_own_machine(address), "{row}");
            assert!(!Reach::BeyondOwnMachine.allows(address), "{row}");
            assert!(Reach::Anywhere.allows(address), "{row}");
        }
    }

    #[test]
    fn private_and_public_networks_are_not_the_own_machine() {
        for row in [
            "8.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.201",
            "192.0.0.193",
            "168.63.129.17",
            "128.0.0.1",
            "1.0.0.0",
            "169.253.255.255",
            "2001:db8::1",
            "2606:4700::1111",
            "fc00::1",
            "fd00::1",
            "fd00:ec3::254",
            "fd20:ce::255",
            "fec0::1",
            "::ffff:10.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1:a0a:a:a0a:a0a:a0a",
            "2002:808:808::1",
            "2001:0:808:808:0:0:f7f7:f7f7",
        ] {
            let address = row.parse().unwrap();
            assert!(!is_own_machine(address), "{row}");
            assert!(Reach::BeyondOwnMachine.allows(address), "{row}");
        }
    }
}
