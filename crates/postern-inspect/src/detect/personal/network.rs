//! Addresses of machines: IPv4, IPv6, and the hardware address of a network device.

use std::net::{Ipv4Addr, Ipv6Addr};

use postern_types::BuiltinClass::{IpAddress, MacAddress};

use crate::detect::checksum::one_separator;
use crate::detect::{Detector, Edges, Needs};

const WORDS: &[&str] = &[
    "ip",
    "ips",
    "address",
    "addr",
    "ipv4",
    "ipv6",
    "host",
    "server",
    "client",
    "remote",
    "dns",
    "gateway",
    "ping",
    "connect",
    "ssh",
    "subnet",
    "peer",
    "from",
    "client_ip",
    "remote_addr",
    "x-forwarded-for",
    "adresse",
    "src",
    "dst",
    "inet",
    "ip-adresse",
    "dirección",
    "indirizzo",
    "listen",
    "proxy",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("ipv4", IpAddress, Needs::Digits(4), IPV4)
        .edges(Edges::Number)
        .check(ipv4)
        .sure(85)
        .at_most(18)
        .examples(
            &[
                "from ⟦192.168.17.4⟧:8080",
                "⟦10.20.30.40/16⟧",
                "http://⟦203.0.113.7⟧/x",
                "⟦8.100.2.3⟧",
            ],
            &[
                "192.168.17",
                "10.168.17.4.5",
                "v203.0.113.7",
                "300.1.1.1",
                "120.0.0.0",
                "1.2.3.4",
                "01.102.3.4",
            ],
        ),
    // No version begins like the network of a home: what follows is a port or an index.
    Detector::new(
        "ipv4_of_home",
        IpAddress,
        Needs::Digits(4),
        r"192\.168\.\d{1,3}\.\d{1,3}",
    )
    .edges(Edges::Word)
    .check(ipv4)
    .sure(80)
    .at_most(15)
    .examples(
        &["⟦192.168.1.1⟧.7", "⟦192.168.17.4⟧-9"],
        &["192.168.300.1", "2192.168.1.1", "192.168.1"],
    ),
    // A range that no network has.
    Detector::new(
        "ipv4_before_slash",
        IpAddress,
        Needs::Digits(4),
        r"((?:\d{1,3}\.){3}\d{1,3})/\d{2,6}",
    )
    .edges(Edges::Number)
    .check(ipv4)
    .sure(75)
    .at_most(22)
    .examples(
        &["⟦10.0.0.0⟧/123", "http://⟦203.0.113.7⟧/2024"],
        &["Chrome/120.0.0.0/2024", "1.2.3.4/123"],
    ),
    // Four small numbers are more often a version.
    Detector::new("ipv4_in_context", IpAddress, Needs::Digits(4), IPV4)
        .edges(Edges::Number)
        .check(small_ipv4)
        .words(WORDS, 30, 75)
        .at_most(18)
        .examples(
            &["ping ⟦1.1.1.1⟧", "DNS: ⟦8.8.4.4⟧"],
            &["1.2.3.4", "release 1.2.3.4", "ip 1.2.3"],
        ),
    Detector::new(
        "ipv6",
        IpAddress,
        Needs::Byte(b':'),
        concat!(
            r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}",
            r"|[0-9A-Fa-f]{1,4})?(?:%[0-9A-Za-z]{1,15})?(?:/\d{1,3})?"
        ),
    )
    .check(ipv6)
    .sure(90)
    .at_most(70)
    .examples(
        &[
            "⟦2001:db8:85a3::8a2e:370:7334⟧",
            "[⟦2001:db8::1⟧]:443",
            "⟦fe80::1%eth0⟧",
            "⟦::ffff:192.0.2.128⟧",
            "⟦684D:1111:222:3333:4444:5555:6:77⟧/",
            "⟦2001:db8::/32⟧",
        ],
        &[
            "12:34:56",
            "std::fmt::Debug",
            "a::b",
            "x :: y",
            "1:2:3:4:5:6:7",
            "2001:db8::1::2",
            "::",
        ],
    ),
    Detector::new(
        "ipv6_in_context",
        IpAddress,
        Needs::Byte(b':'),
        r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4})?",
    )
    .check(any_ipv6)
    .words(WORDS, 20, 70)
    .at_most(45)
    .examples(&["ping ⟦::1⟧", "src=⟦::⟧"], &["::1", "ip std::fmt"]),
    Detector::new(
        "mac_address",
        MacAddress,
        Needs::Run(2),
        concat!(
            r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})",
            r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}"
        ),
    )
    .edges(Edges::Key)
    .check(mac)
    .words(
        &[
            "mac",
            "hardware",
            "ethernet",
            "wlan",
            "wifi",
            "ether",
            "physical address",
        ],
        85,
        97,
    )
    .at_most(17)
    .examples(
        &[
            "MAC ⟦00:1A:2B:3C:4D:5E⟧",
            "⟦00-1a-2b-3c-4d-5e⟧",
            "⟦0012.3456.789a⟧",
        ],
        &[
            "00:00:00:00:00:00",
            "00:1A-2B:3C-4D:5E",
            "ZZ:1A:2B:3C:4D:5E",
            "1234.5678.9012",
        ],
    ),
];

const IPV4: &str = r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?";

/// The four numbers, where no one has a zero before it and the range is one.
fn parts(text: &str) -> Option<Ipv4Addr> {
    let (address, range) = text.split_once('/').unwrap_or((text, "0"));
    let range: u8 = range.parse().ok()?;
    (range <= 32).then(|| address.parse().ok()).flatten()
}

/// Larger than the numbers of versions: some part has three digits, or the first is that of a
/// private network. Where the rest is zero, it is a network or a browser's version.
fn ipv4(text: &str) -> bool {
    parts(text).is_some_and(|address| {
        let [first, rest @ ..] = address.octets();
        let large = rest.iter().any(|&part| part > 99) || first > 99 || first == 10;
        let spread = rest.iter().filter(|&&part| part > 20).count() >= 2;
        (large || spread) && (rest != [0, 0, 0] || first == 10)
    })
}

fn small_ipv4(text: &str) -> bool {
    parts(text).is_some() && !ipv4(text)
}

fn bare(text: &str) -> &str {
    text.split(['/', '%']).next().unwrap_or(text)
}

/// An address, and not a path of a program: three groups, or a first group of a global, local or
/// link address, or an IPv4 address in it.
fn ipv6(text: &str) -> bool {
    let text = bare(text);
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let first = text
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = first.len() == 4
        && (first.starts_with(['2', '3'])
            || first.starts_with("fe8")
            || first.starts_with("fc")
            || first.starts_with("fd")
            || first.starts_with("ff0"));
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse::<Ipv6Addr>().is_ok() && digit && (groups >= 3 || known || text.contains('.'))
}

/// As that, in a few letters too; but one word of hexadecimal letters is a word.
fn any_ipv6(text: &str) -> bool {
    let word = text
        .trim_matches(':')
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic());
    text.parse::<Ipv6Addr>().is_ok() && !ipv6(text) && !(word && text.len() > 2)
}

/// Not all zeros or ones; in groups of four, some letter, since digits alone may be money.
fn mac(text: &str) -> bool {
    let hex = || text.bytes().filter(u8::is_ascii_hexdigit);
    let first = text.as_bytes()[0];
    let letter = hex().any(|byte| byte.is_ascii_alphabetic());
    one_separator(text)
        && !hex().all(|byte| byte.eq_ignore_ascii_case(&first))
        && (letter || !text.contains('.'))
}
