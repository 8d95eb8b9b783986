//! A client that speaks bytes: it sends exactly what a test wrote and splits what came back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest a conversation may take.
const CONVERSATION_MAX: Duration = Duration::from_secs(15);

/// How the peer left the connection when the conversation was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Closed in order.
    Closed,
    /// Reset.
    Reset,
    /// Open, and silent for the time that was given.
    Quiet,
}

/// One answer as it stood on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAnswer {
    /// The status code.
    pub status: u16,
    /// Headers as written, in order.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The sizes of the chunks, when it was chunked.
    pub chunks: Vec<usize>,
    /// Whether the body came to the end that its framing promised.
    pub complete: bool,
}

impl RawAnswer {
    /// The value of the first header of this name, letter case aside.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What came back on one connection.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// The answers, interim ones included, as far as the bytes make them up.
    pub answers: Vec<RawAnswer>,
    /// How it ended.
    pub end: End,
    /// When the last byte came; when it began, if none came.
    pub last_byte: Instant,
}

impl Conversation {
    /// The statuses in order.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status).collect()
    }
}

/// Sends `bytes` on a fresh connection and reads until the peer closes, or nothing has come for
/// `quiet` after the last byte.
///
/// # Errors
///
/// When no connection can be made.
pub fn talk(addr: SocketAddr, bytes: &[u8], quiet: Duration) -> std::io::Result<Conversation> {
    talk_in_pieces(addr, std::iter::once(bytes), quiet)
}

fn talk_in_pieces<'a>(
    addr: SocketAddr,
    mut pieces: impl Iterator<Item = &'a [u8]>,
    quiet: Duration,
) -> std::io::Result<Conversation> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(CONVERSATION_MAX))?;
    // The peer may refuse before it has read everything; what it said still counts.
    let _ = pieces.try_for_each(|piece| stream.write_all(piece));
    Ok(listen(&mut stream, quiet))
}

/// Sends one request over a fresh connection and gives its answer.
///
/// # Panics
///
/// When there is no complete answer: use [`talk`] where that is possible.
#[must_use]
pub fn request(
    addr: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> RawAnswer {
    request_in_pieces(addr, (method, target), headers, body, usize::MAX)
}

/// The same with the body written in pieces of `cut` bytes, each in a write of its own. What the
/// peer has not read yet may still reach it together.
///
/// # Panics
///
/// As [`request`], and when `cut` is 0.
#[must_use]
pub fn request_in_pieces(
    addr: SocketAddr,
    (method, target): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
    cut: usize,
) -> RawAnswer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    // The head goes with the first piece: most clients send them together.
    let bytes = [head.as_bytes(), body].concat();
    let (first, rest) = bytes.split_at(head.len().saturating_add(cut).min(bytes.len()));
    let pieces = std::iter::once(first).chain(rest.chunks(cut));
    let conversation = talk_in_pieces(addr, pieces, CONVERSATION_MAX).expect("the server listens");
    let answer = conversation
        .answers
        .into_iter()
        .rfind(|answer| answer.status >= 200);
    answer.unwrap_or_else(|| panic!("no answer to {method} {target}"))
}

/// `text` percent-encoded for use as a query value: everything but letters and digits.
#[must_use]
pub fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Reads until the peer closes or is quiet.
pub fn listen(stream: &mut TcpStream, quiet: Duration) -> Conversation {
    read_while(stream, quiet, |_| true)
}

/// Reads until one answer that is not an interim one is complete, the peer closes, or nothing comes
/// for `patience`.
pub fn await_answer(stream: &mut TcpStream, patience: Duration) -> Conversation {
    let complete = |answer: &RawAnswer| answer.status >= 200 && answer.complete;
    read_while(stream, patience, |bytes| {
        !split(bytes, false).iter().any(complete)
    })
}

fn read_while(
    stream: &mut TcpStream,
    quiet: Duration,
    go_on: impl Fn(&[u8]) -> bool,
) -> Conversation {
    let mut last_byte = Instant::now();
    let deadline = last_byte + CONVERSATION_MAX;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = quiet.min(left).max(Duration::from_millis(1));
        let enough = left.is_zero() || !go_on(&bytes);
        if enough || stream.set_read_timeout(Some(patience)).is_err() {
            break End::Quiet;
        }
        match stream.read(&mut buffer) {
            Ok(0) => break End::Closed,
            Ok(read) => {
                bytes.extend_from_slice(&buffer[..read]);
                last_byte = Instant::now();
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break End::Quiet;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => break End::Reset,
        }
    };
    let answers = split(&bytes, end != End::Quiet);
    Conversation {
        bytes,
        answers,
        end,
        last_byte,
    }
}

/// Splits the bytes of a connection into answers.
fn split(mut bytes: &[u8], closed: bool) -> Vec<RawAnswer> {
    let mut answers = Vec::new();
    while let Some(head_end) = find(bytes, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        bytes = &bytes[head_end + 4..];
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let Some(status) = status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
        else {
            break;
        };
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        let headers: Vec<_> = lines.filter_map(field).collect();
        let mut answer = RawAnswer {
            status,
            headers,
            body: Vec::new(),
            chunks: Vec::new(),
            complete: true,
        };
        let length = answer
            .header("content-length")
            .and_then(|value| value.parse().ok());
        let chunked = answer.header("transfer-encoding").is_some();
        if status < 200 || matches!(status, 204 | 304) {
            // No body, whatever the headers say.
        } else if chunked {
            bytes = chunks(bytes, &mut answer);
        } else if let Some(length) = length {
            answer.complete = bytes.len() >= length;
            let (body, rest) = bytes.split_at(length.min(bytes.len()));
            answer.body = body.to_vec();
            bytes = rest;
        } else {
            answer.body = bytes.to_vec();
            answer.complete = closed;
            bytes = &[];
        }
        answers.push(answer);
    }
    answers
}

/// Takes a chunked body into `answer`; gives what follows it.
fn chunks<'a>(mut bytes: &'a [u8], answer: &mut RawAnswer) -> &'a [u8] {
    answer.complete = false;
    loop {
        let Some(line_end) = find(bytes, b"\r\n") else {
            return &[];
        };
        let line = String::from_utf8_lossy(&bytes[..line_end]).into_owned();
        let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
            return &[];
        };
        bytes = &bytes[line_end + 2..];
        if size == 0 {
            return trailers(bytes, answer);
        }
        let available = size.min(bytes.len());
        answer.body.extend_from_slice(&bytes[..available]);
        answer.chunks.push(available);
        let Some(rest) = bytes.get(size + 2..) else {
            return &[];
        };
        bytes = rest;
    }
}

/// Takes the trailer section; its fields are added to the headers.
fn trailers<'a>(mut bytes: &'a [u8], answer: &mut RawAnswer) -> &'a [u8] {
    while let Some(line_end) = find(bytes, b"\r\n") {
        let line = String::from_utf8_lossy(&bytes[..line_end]).into_owned();
        bytes = &bytes[line_end + 2..];
        match line.split_once(':') {
            Some((name, value)) => {
                answer
                    .headers
                    .push((name.to_owned(), value.trim().to_owned()));
            }
            None => {
                answer.complete = line.is_empty();
                return bytes;
            }
        }
    }
    bytes
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelined_answers_are_told_apart() {
        let bytes = concat!(
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\nc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 5\r\n\r\nno",
        );
        let answers = split(bytes.as_bytes(), true);
        let told: Vec<_> = answers
            .iter()
            .map(|a| (a.status, a.text(), a.complete))
            .collect();
        let expected = [
            (100, "", true),
            (200, "ab", true),
            (200, "cde", true),
            (401, "no", false),
        ];
        let expected = expected.map(|(status, body, whole)| (status, body.to_owned(), whole));
        assert_eq!(told, expected);
        assert_eq!(
            (&answers[2].chunks[..], answers[2].header("x-t")),
            (&[1, 2][..], Some("1"))
        );
    }
}
