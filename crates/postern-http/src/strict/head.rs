//! The head of an HTTP/1 request, judged before anything else reads it (RFC 9112, sections 2 to 7).
//!
//! Whatever two servers could read in two ways is a fault, also where the standard would let a
//! server repair it: bare LF, folded lines, space before the colon, lengths said twice.

use super::authority;
use super::violation::Fault;
use crate::bounds::DownstreamBounds;

/// Longest method taken; the longest registered one has 17 letters.
const METHOD_BYTES_MAX: usize = 20;
/// A length with more digits than this does not fit 64 bits.
const LENGTH_DIGITS_MAX: usize = 19;

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `Content-Length`, or no body: zero.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Finds the end of a head while it arrives, and faults in its lines at once: a head whose lines
/// end in a bare LF never ends.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    line_start: usize,
    scanned: usize,
    lines: usize,
}

impl HeadScanner {
    /// Looks at all bytes of the head so far; gives its length once it is whole.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        bounds: &DownstreamBounds,
    ) -> Result<Option<usize>, Fault> {
        while self.scanned < bytes.len() {
            let at = self.scanned;
            let byte = bytes[at];
            self.scanned += 1;
            if is_text(&byte) && (at == self.line_start || bytes[at - 1] != b'\r') {
                self.scanned += text_run(&bytes[self.scanned..]);
                continue;
            }
            match byte {
                b'\n' if at > self.line_start && bytes[at - 1] == b'\r' => {
                    if at - 1 == self.line_start {
                        return Ok(Some(self.scanned));
                    }
                    self.line_start = self.scanned;
                    self.lines += 1;
                }
                b'\n' => return Err(Fault::bad("a line of the head ends in a bare LF")),
                b'\r' => {}
                _ if at > self.line_start && bytes[at - 1] == b'\r' => {
                    return Err(Fault::bad("the head holds a bare CR"));
                }
                b'\t' if self.lines > 0 => {}
                0..=0x1f | 0x7f => {
                    return Err(Fault::bad("the head holds a control character"));
                }
                _ => {}
            }
        }
        self.check_size(bytes.len(), bounds).map(|()| None)
    }

    fn check_size(&self, length: usize, bounds: &DownstreamBounds) -> Result<(), Fault> {
        if self.lines == 0 && length > bounds.request_line_bytes_max {
            return Err(Fault::bad("the request line is too long"));
        }
        if length > bounds.head_bytes_max {
            return Err(Fault::bad("the request head is too large"));
        }
        if self.lines > bounds.headers_max + 1 {
            return Err(Fault::bad("the request has too many header fields"));
        }
        Ok(())
    }
}

fn is_text(byte: &u8) -> bool {
    *byte >= 0x20 && *byte != 0x7f
}

/// How many bytes at the beginning are neither the end of a line nor another control character.
fn text_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<16>() {
        // Without a way out in the middle, so that it becomes a few vector instructions.
        if !chunk.iter().fold(true, |all, byte| all & is_text(byte)) {
            break;
        }
        at += chunk.len();
    }
    at + bytes[at..].iter().take_while(|byte| is_text(byte)).count()
}

/// What the fields of a head say that concerns framing and routing.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
    authorized: bool,
    upgrade: bool,
}

/// Judges a whole head, its empty line included.
pub(crate) fn judge(head: &[u8], bounds: &DownstreamBounds) -> Result<Framing, Fault> {
    if head.len() > bounds.head_bytes_max {
        return Err(Fault::bad("the request head is too large"));
    }
    let mut rest = Some(head.strip_suffix(b"\r\n\r\n").unwrap_or_default());
    let line = next_line(&mut rest).unwrap_or_default();
    if line.len() > bounds.request_line_bytes_max {
        return Err(Fault::bad("the request line is too long"));
    }
    let (method, target, newest) = request_line(line)?;
    let mut fields = Fields::default();
    let mut count = 0;
    while let Some(line) = next_line(&mut rest) {
        count += 1;
        if count > bounds.headers_max {
            return Err(Fault::bad("the request has too many header fields"));
        }
        let (name, value) = field(line)?;
        fields.take(name, value)?;
    }
    let host = fields.host.ok_or(Fault::bad("the request has no Host"))?;
    check_target(target, host)?;
    if fields.upgrade {
        return Err(Fault::unsupported("upgrades are not served"));
    }
    fields.framing(method, newest)
}

/// Takes the next line off, without its end.
fn next_line<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let lines = rest.take()?;
    let line = match memchr::memchr(b'\n', lines) {
        Some(end) => {
            *rest = Some(&lines[end + 1..]);
            &lines[..end]
        }
        None => lines,
    };
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Method, target, and whether the version is 1.1 (not 1.0).
fn request_line(line: &[u8]) -> Result<(&[u8], &[u8], bool), Fault> {
    let fault = Fault::bad("the request line is not METHOD SP TARGET SP VERSION");
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(fault);
    };
    if method.is_empty() || method.len() > METHOD_BYTES_MAX || !method.iter().all(is_token) {
        return Err(Fault::bad("the method is not a token"));
    }
    if method == b"CONNECT" {
        return Err(Fault::unsupported("CONNECT is not served"));
    }
    let newest = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err(Fault::bad("the version is neither HTTP/1.1 nor HTTP/1.0")),
    };
    Ok((method, target, newest))
}

/// Splits a field line and checks its name (RFC 9112, section 5).
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Fault::bad("a header field is folded over lines"));
    }
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(Fault::bad("a header line has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(Fault::bad("a header name is not a token"));
    }
    Ok((name, trim(value)))
}

/// Checks one field line of a trailer section: a trailer may not say what only a head may.
pub(super) fn trailer(line: &[u8]) -> Result<(), Fault> {
    let (name, _) = field(line)?;
    let reserved = [
        b"content-length".as_slice(),
        b"transfer-encoding",
        b"host",
        b"authorization",
        b"connection",
        b"trailer",
        b"te",
        b"content-type",
        b"content-encoding",
    ];
    if reserved
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
    {
        return Err(Fault::bad("a trailer field may stand only in a head"));
    }
    Ok(())
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |at| at + 1);
    &value[start..end]
}

impl<'a> Fields<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Fault> {
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        match name.len() {
            4 if is(b"host") => {
                once(
                    self.host.replace(value).is_some(),
                    "the request has two Host fields",
                )?;
                if !authority::is_sane(value) {
                    return Err(Fault::bad("the Host is not a host with an optional port"));
                }
            }
            7 if is(b"upgrade") => self.upgrade = true,
            10 if is(b"connection") => connection_options(value)?,
            13 if is(b"authorization") => {
                let again = std::mem::replace(&mut self.authorized, true);
                once(again, "the request has two Authorization fields")?;
            }
            14 if is(b"content-length") => {
                let again = self.length.replace(length(value)?).is_some();
                once(again, "the request has two Content-Length fields")?;
            }
            17 if is(b"transfer-encoding") => {
                let again = std::mem::replace(&mut self.chunked, true);
                once(again, "the request has two Transfer-Encoding fields")?;
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Fault::bad("the Transfer-Encoding is not exactly chunked"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, method: &[u8], newest: bool) -> Result<Framing, Fault> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Fault::bad(
                "the request has both Transfer-Encoding and Content-Length",
            )),
            (true, None) if !newest => Err(Fault::bad("HTTP/1.0 has no Transfer-Encoding")),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) => Ok(Framing::Length(length)),
            // An HTTP/1.0 server of old would read such a body until the connection closes.
            (false, None) if !newest && matches!(method, b"POST" | b"PUT" | b"PATCH") => Err(
                Fault::bad("an HTTP/1.0 request with a body needs a Content-Length"),
            ),
            (false, None) => Ok(Framing::Length(0)),
        }
    }
}

fn once(again: bool, cause: &'static str) -> Result<(), Fault> {
    if again {
        Err(Fault::bad(cause))
    } else {
        Ok(())
    }
}

fn length(value: &[u8]) -> Result<u64, Fault> {
    let fault = Fault::bad("the Content-Length is not a number");
    if value.is_empty() || value.len() > LENGTH_DIGITS_MAX || !value.iter().all(u8::is_ascii_digit)
    {
        return Err(fault);
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(fault)
}

/// Names that a `Connection` field may not nominate: taking them off at this hop would change what
/// the request is (RFC 9110, section 7.6.1).
const NEVER_NOMINATED: [&[u8]; 10] = [
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"content-type",
    b"content-encoding",
    b"authorization",
    b"cache-control",
    b"x-api-key",
    b"x-goog-api-key",
    b"api-key",
];

fn connection_options(value: &[u8]) -> Result<(), Fault> {
    for option in value.split(|byte| *byte == b',') {
        let option = trim(option);
        if !option.iter().all(is_token) {
            return Err(Fault::bad("a Connection option is not a token"));
        }
        if NEVER_NOMINATED
            .iter()
            .any(|name| option.eq_ignore_ascii_case(name))
        {
            return Err(Fault::bad(
                "the Connection field nominates an end-to-end field",
            ));
        }
    }
    Ok(())
}

/// Origin-form, or absolute-form that names the same authority as Host (RFC 9112, section 3.2).
fn check_target(target: &[u8], host: &[u8]) -> Result<(), Fault> {
    if !target.iter().all(is_target_byte) {
        return Err(Fault::bad(
            "the request target holds a character that is not for URIs",
        ));
    }
    if target.starts_with(b"/") {
        return Ok(());
    }
    let (scheme, rest) = authority::split_scheme(target).ok_or(Fault::bad(
        "the request target is neither a path nor an absolute URI",
    ))?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    if rest.get(end) == Some(&b'?') {
        return Err(Fault::bad("the absolute request target has no path"));
    }
    if !authority::are_same(scheme, &rest[..end], host) {
        return Err(Fault::bad(
            "the request target names another authority than Host",
        ));
    }
    Ok(())
}

/// RFC 9110 `tchar`.
pub(super) fn is_token(byte: &u8) -> bool {
    TOKEN[usize::from(*byte)]
}

const TOKEN: [bool; 256] = with(kind(false), b"!#$%&'*+-.^_`|~", true);

/// What RFC 3986 allows in a target, and the few characters that clients send unescaped in a query
/// (brackets, braces, bar), which are escaped before they go on. Never a fragment.
pub(crate) fn is_target_byte(byte: &u8) -> bool {
    TARGET[usize::from(*byte)]
}

const TARGET: [bool; 256] = with(kind(true), b"\"#<>\\^`", false);

/// The bytes of a kind: what is seen when printed, or letters and digits alone. Every byte of a
/// head is looked up, so these are tables.
const fn kind(graphic: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        table[byte] = letter.is_ascii_alphanumeric() || graphic && letter.is_ascii_graphic();
        byte += 1;
    }
    table
}

/// The table with these marks in it, or out of it.
const fn with(mut table: [bool; 256], marks: &[u8], allowed: bool) -> [bool; 256] {
    let mut place = 0;
    while place < marks.len() {
        table[marks[place] as usize] = allowed;
        place += 1;
    }
    table
}

#[cfg(test)]
mod tests;
