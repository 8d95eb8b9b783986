//! `[limits]`: the caps and timeouts that an operator may want to set.

use std::time::Duration;

use super::reading::{Key, Reading, SectionKeys};
use super::units;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "limits",
    doc: "Caps and timeouts of the data plane. The defaults fit a node with one gigabyte of \
          memory; limits of tokens are set on the tokens.",
    keys: &[
        Key {
            name: "connections",
            form: "whole number from 1 to 1000000",
            default: Some("8192"),
            doc: "Open client connections in all.",
        },
        Key {
            name: "connections_per_address",
            form: "whole number from 1 to 1000000",
            default: Some("1024"),
            doc: "Open client connections of one address (IPv6: one /64). Listed proxies are not \
                  counted.",
        },
        Key {
            name: "requests_in_progress",
            form: "whole number from 1 to 1000000",
            default: Some("65536"),
            doc: "Requests in progress in all; more are answered with `overloaded`.",
        },
        Key {
            name: "request_head",
            form: "size from 4 KiB to 1 MiB",
            default: Some("\"32 KiB\""),
            doc: "Bytes of a request's head.",
        },
        Key {
            name: "request_body",
            form: "size from 1 KiB to 4 GiB",
            default: Some("\"32 MiB\""),
            doc: "Bytes of a request's body; a larger one is answered with `body_too_large`.",
        },
        Key {
            name: "request_bodies",
            form: "size from 2 KiB to 1024 GiB",
            default: Some("\"256 MiB\""),
            doc: "Bytes of request bodies held in memory in all, at least twice `request_body`. \
                  Only bodies that are read before they are judged count, such as those of AI \
                  requests, as far as they have arrived. A token may hold as much as is still \
                  free for others; beyond that it is answered with `too_many_concurrent`, and \
                  where nothing is free with `overloaded`.",
        },
        Key {
            name: "head_timeout",
            form: "duration from 1s to 1h",
            default: Some("\"10s\""),
            doc: "A request's head must be whole within this time.",
        },
        Key {
            name: "body_timeout",
            form: "duration from 1s to 1d",
            default: Some("\"10m\""),
            doc: "A request's body must be whole within this time.",
        },
        Key {
            name: "idle_timeout",
            form: "duration from 1s to 1h",
            default: Some("\"90s\""),
            doc: "A connection without a request is closed after this time.",
        },
        Key {
            name: "stalled_reader",
            form: "duration from 1s to 1h",
            default: Some("\"1m\""),
            doc: "A client that takes no byte of an answer for this long is gone.",
        },
        Key {
            name: "upstream_connect",
            form: "duration from 100ms to 1h",
            default: Some("\"10s\""),
            doc: "Resolving, connecting and the TLS handshake with an upstream together.",
        },
        Key {
            name: "upstream_first_byte",
            form: "duration from 1s to 1d",
            default: Some("\"10m\""),
            doc: "Until an upstream's answer begins. Models that do not stream think for minutes.",
        },
        Key {
            name: "upstream_idle",
            form: "duration from 1s to 1d",
            default: Some("\"5m\""),
            doc: "Between two pieces of an upstream's answer.",
        },
        Key {
            name: "upstream_total",
            form: "duration from 1s to 7d",
            default: Some("\"1h\""),
            doc: "From the start of an exchange with an upstream to its end.",
        },
        Key {
            name: "drain",
            form: "duration from 0s to 1h",
            default: Some("\"25s\""),
            doc: "How long requests in progress may finish after the first signal to stop.",
        },
    ],
};

/// Caps and timeouts of the data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open client connections in all.
    pub connections: usize,
    /// Open client connections of one address.
    pub connections_per_address: usize,
    /// Requests in progress in all.
    pub requests_in_progress: usize,
    /// Bytes of a request's head.
    pub request_head_bytes: usize,
    /// Bytes of a request's body.
    pub request_body_bytes: u64,
    /// Bytes of request bodies held in memory in all.
    pub request_bodies_bytes: u64,
    /// A request's head must be whole within this time.
    pub head_timeout: Duration,
    /// A request's body must be whole within this time.
    pub body_timeout: Duration,
    /// A connection without a request is closed after this time.
    pub idle_timeout: Duration,
    /// A client that takes nothing for this long is gone.
    pub stalled_reader: Duration,
    /// Resolving, connecting and the TLS handshake with an upstream.
    pub upstream_connect: Duration,
    /// Until an upstream's answer begins.
    pub upstream_first_byte: Duration,
    /// Between two pieces of an upstream's answer.
    pub upstream_idle: Duration,
    /// A whole exchange with an upstream.
    pub upstream_total: Duration,
    /// How long requests may finish after the first signal to stop.
    pub drain: Duration,
}

pub(super) fn parse(reading: &mut Reading<'_>) -> Limits {
    // Where the two stand is known only until they are taken.
    let places = ["request_bodies", "request_body"].map(|name| reading.place(&KEYS, name));
    let mut count = |name| narrow(reading.take(&KEYS, name, units::number(1, 1_000_000)));
    let connections = count("connections");
    let connections_per_address = count("connections_per_address");
    let requests_in_progress = count("requests_in_progress");
    let head = reading.take(&KEYS, "request_head", units::size(4 * KIB, MIB));
    let body = reading.take(&KEYS, "request_body", units::size(KIB, 4096 * MIB));
    let bodies = reading.take(&KEYS, "request_bodies", units::size(2 * KIB, MIB * MIB));
    if bodies < 2 * body {
        let at = places
            .into_iter()
            .flatten()
            .next()
            .map_or(0, |span| span.start);
        let message = "limits.request_bodies: less than twice limits.request_body: one token may \
                       hold half of it, so the largest bodies would never be taken; make it larger \
                       or request_body smaller";
        reading.problem(at, message.to_owned());
    }
    let mut time = |name, min, max| reading.take(&KEYS, name, units::duration(min, max));
    let day = 24 * HOUR;
    Limits {
        connections,
        connections_per_address,
        requests_in_progress,
        request_head_bytes: narrow(head),
        request_body_bytes: body,
        request_bodies_bytes: bodies,
        head_timeout: time("head_timeout", SECOND, HOUR),
        body_timeout: time("body_timeout", SECOND, day),
        idle_timeout: time("idle_timeout", SECOND, HOUR),
        stalled_reader: time("stalled_reader", SECOND, HOUR),
        upstream_connect: time("upstream_connect", SECOND / 10, HOUR),
        upstream_first_byte: time("upstream_first_byte", SECOND, day),
        upstream_idle: time("upstream_idle", SECOND, day),
        upstream_total: time("upstream_total", SECOND, 7 * day),
        drain: time("drain", Duration::ZERO, HOUR),
    }
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
