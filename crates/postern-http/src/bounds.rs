//! Every cap and timeout of the HTTP plane, with its unit and its reason.
//!
//! They are one value rather than constants, so that an operator can set the few that matter and a
//! test can make time short.

use std::time::Duration;

/// Header fields that hyper takes where nothing is said. Any other count it lays out in memory
/// again for each head that it parses, so this one is not said.
pub(crate) const HYPER_HEADERS_MAX: usize = 100;

/// Connections that the kernel queues on one socket before they are accepted: a burst of so many is
/// taken without a client having to try again.
pub(crate) const BACKLOG: i32 = 1024;

/// Bytes of an answer that are taken whole where they are there at once: what one read of a socket
/// brings. A longer answer goes on as it comes.
pub(crate) const AT_HAND_BYTES_MAX: u64 = 16 * 1024;

/// Bytes of a body that are cleaned between two polls of a core's other streams. At 200 MB/s they
/// take a third of a millisecond; more is done on a thread of its own.
pub(crate) const CLEANED_INLINE_BYTES_MAX: usize = 64 * 1024;

/// Bytes for which one byte of a coded answer is taken, to judge how much work it is: text of
/// models is coded to a tenth, streams of equal frames to a sixtieth.
pub(crate) const DECODED_RATIO: usize = 64;

/// How long the head of an answer that is made of events waits under data rules for the first of
/// them: most come with it. A client that waits for the head alone, as a browser does to call its
/// stream open, is not kept any longer.
pub(crate) const HEAD_WAITS_MAX: Duration = Duration::from_secs(1);

/// Bytes of an answer that is held to its end under data rules, as it came and as it goes on: as
/// large as the largest document that is inspected.
pub(crate) const ANSWER_HELD_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Questions to the analyzer that one request has under way at once: a long text is asked about in
/// parallel, and leaves places to others.
pub(crate) const ANALYZER_CALLS_MAX: usize = 8;

/// Questions to the analyzer that one core has under way at once; its own work is the bottleneck.
pub(crate) const ANALYZER_CORE_CALLS_MAX: usize = 32;

/// After how long it makes sense to try again what an analyzer did not answer: it may have been
/// busy, or is being started again.
pub(crate) const ANALYZER_RETRY: Duration = Duration::from_secs(1);

/// How long all questions about what a request or an answer brought at once may take. A model takes
/// some ten milliseconds for a sentence, so that this is a text of some thousand.
pub(crate) const ANALYZER_TOTAL: Duration = Duration::from_secs(30);
/// Bounds of the histogram of questions to an analyzer, in microseconds.
pub(crate) const ANALYZER_BOUNDS_US: &[u64] = &[
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000,
];

/// Bytes of the analyzer's answer about one piece of text: each name in it takes some 150.
pub(crate) const ANALYZER_ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The caps and timeouts of the HTTP plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// What clients may do.
    pub downstream: DownstreamBounds,
    /// What clients may do over HTTP/2.
    pub http2: Http2Bounds,
    /// What upstreams may do.
    pub upstream: UpstreamBounds,
    /// How long connections may finish what they carry after a shutdown was asked for. Streams of
    /// models run for minutes; a supervisor usually kills after 30 s or more.
    pub drain: Duration,
    /// Bodies that are cleaned at once on threads of their own. As many as there are cores: more
    /// would only take turns.
    pub cleaned_aside_max: usize,
    /// How long connections stay open after the drain, so that a stream that is ended then can
    /// still say so: its last event is made at that moment, and has to be written and read.
    pub last_words: Duration,
}

/// What clients may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownstreamBounds {
    /// Open connections in all, over every core. At 64 KiB each they fit into half a gigabyte.
    pub connections_max: usize,
    /// Open connections of one address (IPv6: of one /64). Listed proxies are not counted.
    pub connections_per_address_max: usize,
    /// A TLS handshake must be done within this time.
    pub handshake: Duration,
    /// A request head must be whole this long after its first byte (after the connection, for the
    /// first request). Nobody sends 32 KiB this slowly but to hold a connection.
    pub head: Duration,
    /// A connection without a request is closed after this time.
    pub idle: Duration,
    /// Bytes of a request head, request line included. Room for a token, long cookies and the
    /// fields of SDKs; beyond it is an attack on memory.
    pub head_bytes_max: usize,
    /// Bytes of a request line.
    pub request_line_bytes_max: usize,
    /// Header fields of a request.
    pub headers_max: usize,
    /// Bytes of chunk extensions in one request body. Nobody uses them but to smuggle.
    pub chunk_extension_bytes_max: usize,
    /// Bytes of trailer fields of one request body.
    pub trailer_bytes_max: usize,
    /// Bytes of a request body. Images and documents go inline in AI requests.
    pub body_bytes_max: u64,
    /// A request body that waits must bring [`body_progress_bytes`](Self::body_progress_bytes)
    /// within this time, again and again.
    pub body_progress: Duration,
    /// See [`body_progress`](Self::body_progress).
    pub body_progress_bytes: u64,
    /// A request body must be whole within this time.
    pub body_total: Duration,
    /// A client that takes no byte of an answer for this long is gone.
    pub stalled_reader: Duration,
    /// Bytes that a connection's buffers may hold in each direction: the head must fit.
    pub buffer_bytes_max: usize,
    /// How long and how much is read and thrown away before a connection is closed over a request
    /// that was not read whole. Closing at once would reset the connection, and the reset would
    /// overtake the answer.
    pub linger: Duration,
    /// See [`linger`](Self::linger).
    pub linger_bytes_max: usize,
}

/// What clients may do over HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2Bounds {
    /// Streams open at once on one connection.
    pub streams_max: u32,
    /// Bytes of a header list, decoded (RFC 9113, section 6.5.2).
    pub header_list_bytes_max: u32,
    /// Bytes of request body that a stream may send ahead of being read.
    pub stream_window_bytes: u32,
    /// Bytes of request body that a connection may send ahead of being read.
    pub connection_window_bytes: u32,
    /// Bytes of answer that are buffered for one stream.
    pub send_buffer_bytes_max: usize,
    /// Streams reset by the client before they were accepted (rapid reset, CVE-2023-44487).
    pub pending_resets_max: usize,
    /// Streams that the client's own errors made us reset.
    pub local_resets_max: usize,
    /// Requests that were begun and cancelled by the client, beyond as many as were answered. The
    /// connection of a client that only cancels is closed.
    pub cancelled_max: u64,
    /// A ping is sent on a connection that is silent for this long.
    pub ping_interval: Duration,
    /// The answer to a ping must come within this time.
    pub ping_timeout: Duration,
}

/// What upstreams may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamBounds {
    /// Connections of one pool key on one core, in use and idle.
    pub connections_max: usize,
    /// Idle connections kept for one pool key on one core. As many as can be in use: a lower figure
    /// makes connections churn under load.
    pub idle_max: usize,
    /// An idle connection is closed after this time: sooner than the common 60 s of servers, so
    /// that we close first and a request seldom meets a connection that is just being closed.
    pub idle_timeout: Duration,
    /// Requests that may wait for a connection of one pool key on one core.
    pub waiters_max: usize,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// How long a kept connection may take to become ready; then another is opened.
    pub ready: Duration,
    /// Attempts for one request, counting those whose kept connection turned out to be dead.
    pub attempts_max: usize,
    /// Header fields of an answer.
    pub headers_max: usize,
    /// Bytes of the header fields of an answer.
    pub head_bytes_max: usize,
    /// Bytes that a connection's buffers may hold in each direction: a read ahead of the client.
    pub buffer_bytes_max: usize,
    /// The times of an upstream that sets none of its own.
    pub timeouts: Timeouts,
}

/// How long an upstream may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving, connecting and the TLS handshake together.
    pub connect: Duration,
    /// From the last byte of the request that moved to the head of the answer. Models that do not
    /// stream think for minutes before the first byte.
    pub first_byte: Duration,
    /// Between two pieces of the answer's body.
    pub idle: Duration,
    /// From the start of the exchange to the last byte of the answer.
    pub total: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            downstream: DownstreamBounds::default(),
            http2: Http2Bounds::default(),
            upstream: UpstreamBounds::default(),
            drain: Duration::from_secs(25),
            cleaned_aside_max: std::thread::available_parallelism().map_or(1, usize::from),
            last_words: Duration::from_secs(3),
        }
    }
}

impl Default for DownstreamBounds {
    fn default() -> Self {
        Self {
            connections_max: 8192,
            connections_per_address_max: 1024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(90),
            head_bytes_max: 32 * 1024,
            request_line_bytes_max: 8 * 1024,
            headers_max: 100,
            chunk_extension_bytes_max: 1024,
            trailer_bytes_max: 4 * 1024,
            body_bytes_max: 32 * 1024 * 1024,
            body_progress: Duration::from_secs(20),
            body_progress_bytes: 256,
            body_total: Duration::from_mins(10),
            stalled_reader: Duration::from_mins(1),
            buffer_bytes_max: 40 * 1024,
            linger: Duration::from_secs(2),
            linger_bytes_max: 1024 * 1024,
        }
    }
}

impl Default for Http2Bounds {
    fn default() -> Self {
        Self {
            streams_max: 100,
            header_list_bytes_max: 32 * 1024,
            stream_window_bytes: 48 * 1024,
            connection_window_bytes: 1024 * 1024,
            send_buffer_bytes_max: 32 * 1024,
            pending_resets_max: 20,
            local_resets_max: 64,
            cancelled_max: 200,
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

impl Default for UpstreamBounds {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            idle_max: 1024,
            idle_timeout: Duration::from_secs(50),
            waiters_max: 1024,
            wait: Duration::from_secs(5),
            ready: Duration::from_millis(100),
            attempts_max: 4,
            headers_max: 100,
            head_bytes_max: 64 * 1024,
            buffer_bytes_max: 64 * 1024,
            timeouts: Timeouts::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_mins(10),
            idle: Duration::from_mins(5),
            total: Duration::from_hours(1),
        }
    }
}
