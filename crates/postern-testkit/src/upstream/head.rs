//! Request heads as they stood on the wire.
//!
//! Deliberately literal: names keep their case, order and repetitions, so that a test sees what the
//! gateway wrote and not what a library made of it. It is also strict, since a second opinion on
//! framing is only worth something when it forgives nothing.

use std::time::Instant;

/// One request as the upstream saw it.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// Which connection it came on, counted from zero.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The request target, as written.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// Headers as written, in order. Values are Latin-1.
    pub headers: Vec<(String, String)>,
    /// The body without its framing, as far as it came.
    pub body: Vec<u8>,
    /// Trailer fields of a chunked body.
    pub trailers: Vec<(String, String)>,
    /// Whether the whole body came.
    pub complete: bool,
    /// When the head was complete.
    pub at: Instant,
}

impl SeenRequest {
    /// The value of the first header of this name, letter case aside.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(same)
            .map(|(_, value)| value.as_str())
    }

    /// The values of all headers of this name, letter case aside, in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(same)
            .map(|(_, value)| value.as_str())
    }

    /// The path of the target, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query of the target, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The body as JSON, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether `needle` stands anywhere in what came: target, headers, trailers or body.
    #[must_use]
    pub fn contains(&self, needle: &str) -> bool {
        let fields = self.headers.iter().chain(&self.trailers);
        let in_fields = fields
            .into_iter()
            .any(|(k, v)| k.contains(needle) || v.contains(needle));
        let in_body = self
            .body
            .windows(needle.len().max(1))
            .any(|w| w == needle.as_bytes());
        self.target.contains(needle) || in_fields || in_body
    }
}

/// How the length of a request body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestFraming {
    /// This many bytes.
    Length(u64),
    /// Chunked.
    Chunked,
}

/// Parses a head up to and including its blank line.
///
/// # Errors
///
/// A sentence that says what is not as RFC 9112 asks.
pub(crate) fn parse(bytes: &[u8], connection: u64) -> Result<SeenRequest, String> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = text
        .strip_suffix("\r\n\r\n")
        .ok_or("the head does not end in CRLF CRLF")?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let parts: Vec<&str> = first.split(' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(format!("request line {first:?} has not three parts"));
    };
    if method.is_empty() || target.is_empty() || !version.starts_with("HTTP/1.") {
        return Err(format!("request line {first:?} is malformed"));
    }
    let headers = lines.map(field).collect::<Result<Vec<_>, String>>()?;
    Ok(SeenRequest {
        connection,
        method: method.to_owned(),
        target: target.to_owned(),
        version: version.to_owned(),
        headers,
        body: Vec::new(),
        trailers: Vec::new(),
        complete: false,
        at: Instant::now(),
    })
}

/// One field line.
pub(crate) fn field(line: &str) -> Result<(String, String), String> {
    let (name, value) = line
        .split_once(':')
        .ok_or(format!("line {line:?} has no colon"))?;
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(format!("field name {name:?} is not a token"));
    }
    if value.contains(['\r', '\n', '\0']) {
        return Err(format!("field {name} has a control character in its value"));
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

/// How the body of `request` is framed.
///
/// # Errors
///
/// A sentence when two readers could disagree about it.
pub(crate) fn framing(request: &SeenRequest) -> Result<RequestFraming, String> {
    let lengths: Vec<&str> = request.headers_named("content-length").collect();
    let codings: Vec<&str> = request.headers_named("transfer-encoding").collect();
    match (&lengths[..], &codings[..]) {
        ([], []) => Ok(RequestFraming::Length(0)),
        ([length], []) if length.bytes().all(|b| b.is_ascii_digit()) => length
            .parse()
            .map(RequestFraming::Length)
            .map_err(|e| e.to_string()),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(RequestFraming::Chunked),
        _ => Err(format!("ambiguous framing: {lengths:?} {codings:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_keeps_case_order_and_repetition() {
        let head = b"POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:  2 \r\n\r\n";
        let seen = parse(head, 3).unwrap();
        assert_eq!((seen.path(), seen.query()), ("/v1/x", Some("y=1")));
        assert_eq!(seen.headers_named("x-a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(seen.headers[1].0, "X-A");
        assert!(seen.contains("y=1") && !seen.contains("y=2"));
    }

    // Goal: what two readers could frame differently is refused. Method: each ambiguity in a head.
    #[test]
    fn ambiguous_framing_is_an_error() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Content-Length: +1",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ] {
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            let seen = parse(head.as_bytes(), 0).unwrap();
            assert!(framing(&seen).is_err(), "{fields}");
        }
    }

    #[test]
    fn malformed_heads_are_errors() {
        let heads = [
            "GET / a HTTP/1.1\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        ];
        for head in heads {
            assert!(parse(head.as_bytes(), 0).is_err(), "{head:?}");
        }
    }
}
