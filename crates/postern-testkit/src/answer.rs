//! What an upstream sends back, in every shape a provider or an attacker could choose.
//!
//! An [`Answer`] is a status, headers and a body, plus how the bytes travel: how they are framed,
//! where they are cut, how fast they come, and how the answer ends. Everything is deterministic.

use std::time::Duration;

use bytes::Bytes;

/// Where a body is cut into the pieces that are sent one by one (a piece is one HTTP chunk when the
/// answer is chunked).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// One piece.
    #[default]
    Whole,
    /// Pieces of this many bytes; the last may be shorter. Zero counts as one.
    Every(usize),
    /// After each blank line: one piece an event of a server-sent event stream.
    AtEvents,
    /// At these offsets.
    At(Vec<usize>),
}

impl Cut {
    /// The pieces of `body`, in order; none is empty and together they are `body`.
    #[must_use]
    pub fn pieces(&self, body: &Bytes) -> Vec<Bytes> {
        let ends: Vec<usize> = match self {
            Self::Whole => Vec::new(),
            Self::Every(size) => (0..body.len()).step_by((*size).max(1)).skip(1).collect(),
            Self::AtEvents => event_ends(body),
            Self::At(offsets) => offsets.clone(),
        };
        let mut pieces = Vec::with_capacity(ends.len() + 1);
        let mut start = 0;
        for end in ends.into_iter().chain([body.len()]) {
            let end = end.min(body.len());
            if end > start {
                pieces.push(body.slice(start..end));
                start = end;
            }
        }
        pieces
    }
}

/// Offsets just after each blank line, whichever line ending the stream uses.
fn event_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut line_start = 0;
    for (at, byte) in body.iter().enumerate() {
        if *byte == b'\n' {
            let line = &body[line_start..at];
            if line.is_empty() || line == b"\r" {
                ends.push(at + 1);
            }
            line_start = at + 1;
        }
    }
    ends
}

/// How the length of the body is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`, and the truth.
    #[default]
    Length,
    /// `Transfer-Encoding: chunked`, one chunk a piece.
    Chunked,
    /// No length: the body ends when the connection closes.
    UntilClose,
    /// `Content-Length` with this figure, whatever the body is.
    Claimed(u64),
    /// The body is the whole answer, head included, sent as it stands; the connection closes after.
    Raw,
}

/// How the answer ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// As HTTP says.
    #[default]
    Complete,
    /// After this many body bytes the connection is reset (RST).
    ResetAfter(usize),
    /// After this many body bytes the connection is closed in order (FIN), whatever was promised.
    CloseAfter(usize),
    /// After this many body bytes nothing more comes, and the connection stays open.
    StallAfter(usize),
    /// After the body, this piece again and again until the peer goes away.
    Repeat {
        /// The piece: usually one event.
        piece: Bytes,
        /// The time between two of them.
        every: Duration,
    },
    /// The request is read and nothing is ever sent.
    Silent,
}

/// Whether the body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gzip {
    /// Never.
    #[default]
    Never,
    /// When the request's `Accept-Encoding` names gzip.
    WhenAccepted,
    /// Always, asked for or not.
    Always,
}

/// One answer of an upstream.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers in order, without those of the framing.
    pub headers: Vec<(String, String)>,
    /// The body before compression and framing.
    pub body: Bytes,
    /// How the body's length is told.
    pub framing: Framing,
    /// Where the body is cut; `None` leaves it to the upstream's own setting.
    pub cut: Option<Cut>,
    /// Time before the first byte of the head.
    pub delay: Duration,
    /// Time between two pieces of the body.
    pub pace: Duration,
    /// How it ends.
    pub ending: Ending,
    /// Trailer fields; sent with [`Framing::Chunked`] only.
    pub trailers: Vec<(String, String)>,
    /// Compression.
    pub gzip: Gzip,
    /// Interim answers (1xx) sent before the head.
    pub interim: Vec<u16>,
}

impl Answer {
    /// An answer with this status and body, complete, with a true `Content-Length`.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            framing: Framing::Length,
            cut: None,
            delay: Duration::ZERO,
            pace: Duration::ZERO,
            ending: Ending::Complete,
            trailers: Vec::new(),
            gzip: Gzip::Never,
            interim: Vec::new(),
        }
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// A server-sent event stream, chunked, one piece an event.
    #[must_use]
    pub fn events(body: impl Into<Bytes>) -> Self {
        Self {
            framing: Framing::Chunked,
            cut: Some(Cut::AtEvents),
            ..Self::new(200, "text/event-stream", body)
        }
    }

    /// An event stream that begins with `first` and then repeats `piece` until the peer goes away.
    #[must_use]
    pub fn endless(first: impl Into<Bytes>, piece: impl Into<Bytes>, every: Duration) -> Self {
        Self {
            ending: Ending::Repeat {
                piece: piece.into(),
                every,
            },
            ..Self::events(first)
        }
    }

    /// The request is read and never answered.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            ending: Ending::Silent,
            ..Self::new(200, "text/plain", "")
        }
    }

    /// These bytes, head and all, then the connection closes.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self {
            framing: Framing::Raw,
            ..Self::new(200, "text/plain", bytes)
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this framing.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// The same, cut this way.
    #[must_use]
    pub fn cut(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    /// The same, `delay` before the head and `pace` between pieces.
    #[must_use]
    pub fn slow(mut self, delay: Duration, pace: Duration) -> Self {
        self.delay = delay;
        self.pace = pace;
        self
    }

    /// The same with this ending.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// The same with this compression.
    #[must_use]
    pub fn gzip(mut self, gzip: Gzip) -> Self {
        self.gzip = gzip;
        self
    }

    /// The same, chunked, with this trailer field at the end.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.framing = Framing::Chunked;
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: cutting loses and repeats nothing. Method: every kind of cut over one body, joined.
    #[test]
    fn pieces_join_to_the_body() {
        let body = Bytes::from_static(b"data: a\n\ndata: b\r\n\r\nrest");
        let cuts = [
            Cut::Whole,
            Cut::Every(0),
            Cut::Every(1),
            Cut::Every(7),
            Cut::AtEvents,
            Cut::At(vec![0, 3, 3, 900]),
        ];
        for cut in cuts {
            let pieces = cut.pieces(&body);
            assert_eq!(pieces.concat(), body, "{cut:?}");
            assert!(pieces.iter().all(|piece| !piece.is_empty()), "{cut:?}");
        }
    }

    #[test]
    fn events_are_cut_after_each_blank_line_whatever_the_line_ending() {
        let body = Bytes::from_static(b"data: a\n\ndata: b\r\n\r\nrest");
        let pieces = Cut::AtEvents.pieces(&body);
        assert_eq!(pieces, [&b"data: a\n\n"[..], b"data: b\r\n\r\n", b"rest"]);
    }

    #[test]
    fn an_empty_body_has_no_pieces() {
        assert!(Cut::Every(4).pieces(&Bytes::new()).is_empty());
    }
}
