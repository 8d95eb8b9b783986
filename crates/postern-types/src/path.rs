//! Paths that mean one thing.
//!
//! A request's path is brought into one canonical form before anything is decided on it, and it is
//! that form which is sent upstream. Whatever two servers could read differently is refused: dot
//! segments, empty segments, encoded slashes and backslashes, NUL and control bytes, double
//! encoding, invalid UTF-8.

use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use thiserror::Error;

/// RFC 3986 `pchar` without percent-encodings: these stand as themselves in a segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// More segments than this in a path are refused.
const SEGMENTS_MAX: usize = 32;

/// Why a path or a path template was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the path is not acceptable: {0}")]
pub struct PathError(&'static str);

/// A path in its one form: decoded segments to decide on, and the encoded text to send.
///
/// Cloning it is cheap: both are shared by all that speak of the request.
#[derive(Clone)]
pub struct CanonicalPath {
    segments: Arc<[SmolStr]>,
    /// How many of them were taken off the front.
    taken: usize,
    /// The whole path as it goes onto the wire, with those that were taken off.
    text: Arc<str>,
    /// Where in the text the segments that are left begin, at their slash.
    at: usize,
}

impl PartialEq for CanonicalPath {
    fn eq(&self, other: &Self) -> bool {
        self.segments() == other.segments()
    }
}

impl Eq for CanonicalPath {}

impl CanonicalPath {
    /// Brings the path part of a request target (no query) into its canonical form. A trailing
    /// slash is kept as a last, empty segment.
    ///
    /// # Errors
    /// When the path could be read in more than one way.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        let rest = raw
            .strip_prefix('/')
            .ok_or(PathError("it must start with a slash"))?;
        if rest.is_empty() {
            return Ok(Self {
                segments: Arc::default(),
                taken: 0,
                text: Arc::from(raw),
                at: 0,
            });
        }
        let count = 1 + rest.bytes().filter(|byte| *byte == b'/').count();
        if count > SEGMENTS_MAX {
            return Err(PathError("it has more than 32 segments"));
        }
        let mut segments = Vec::with_capacity(count);
        let mut plain = true;
        let mut rest = Some(rest);
        while let Some(pieces) = rest {
            // Segments are short: looking at each byte is less than setting up a search.
            let slash = pieces.bytes().position(|byte| byte == b'/');
            let piece = &pieces[..slash.unwrap_or(pieces.len())];
            rest = slash.map(|slash| &pieces[slash + 1..]);
            if piece.is_empty() && rest.is_some() {
                return Err(PathError("it has an empty segment"));
            }
            segments.push(if is_plain(piece) {
                SmolStr::new(piece)
            } else {
                plain = false;
                decode_segment(piece)?.into()
            });
        }
        // What is made of plain segments alone is already as it would be written.
        let text = if plain {
            Arc::from(raw)
        } else {
            encode(&segments).into()
        };
        Ok(Self {
            segments: segments.into(),
            taken: 0,
            text,
            at: 0,
        })
    }

    /// The decoded segments.
    #[must_use]
    pub fn segments(&self) -> &[SmolStr] {
        &self.segments[self.taken..]
    }

    /// Takes the first segment off: the upstream's name and the path that the upstream sees.
    #[must_use]
    pub fn split_first(mut self) -> Option<(SmolStr, Self)> {
        let first = self.segments().first()?.clone();
        self.taken += 1;
        // A segment has no slash in it, encoded or not.
        let left = &self.text[self.at + 1..];
        let slash = left.bytes().position(|byte| byte == b'/');
        self.at += 1 + slash.unwrap_or(left.len());
        Some((first, self))
    }

    /// The path as it goes onto the wire, always starting with a slash.
    #[must_use]
    pub fn encoded(&self) -> &str {
        match &self.text[self.at..] {
            "" => "/",
            text => text,
        }
    }
}

/// Segments as they go onto the wire.
fn encode(segments: &[SmolStr]) -> String {
    let mut text = String::with_capacity(64);
    for segment in segments {
        text.push('/');
        if is_plain(segment) {
            text.push_str(segment);
        } else {
            text.extend(utf8_percent_encode(segment, SEGMENT));
        }
    }
    text
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encoded())
    }
}

impl fmt::Debug for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a segment stands for itself and can be no dot segment, as most do.
fn is_plain(piece: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    piece.bytes().all(plain)
}

fn decode_segment(piece: &str) -> Result<String, PathError> {
    if is_plain(piece) {
        return Ok(piece.to_owned());
    }
    if !percent_encodings_are_whole(piece.as_bytes()) {
        return Err(PathError("it has a broken percent-encoding"));
    }
    let decoded = percent_decode_str(piece)
        .decode_utf8()
        .map_err(|_| PathError("it is not UTF-8 when decoded"))?;
    if decoded.chars().any(char::is_control) {
        return Err(PathError("it holds a control character"));
    }
    if decoded.contains(['/', '\\']) {
        return Err(PathError("it holds an encoded slash or a backslash"));
    }
    if decoded == "." || decoded == ".." {
        return Err(PathError("it holds a dot segment"));
    }
    if holds_percent_encoding(decoded.as_bytes()) {
        return Err(PathError("it is percent-encoded twice"));
    }
    // SECURITY: servers of the servlet family take `;x` off a segment before they route, so that
    // `/admin;x` is `/admin` to them and something else to a policy, and `/..;/` is a dot segment.
    if decoded.contains(';') {
        return Err(PathError("it holds a path parameter"));
    }
    Ok(decoded.into_owned())
}

fn percent_encodings_are_whole(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || is_hex_pair(bytes, at + 1))
}

fn holds_percent_encoding(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'%' && is_hex_pair(bytes, at + 1))
}

fn is_hex_pair(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at..at + 2)
        .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// This text exactly (decoded form).
    Literal(String),
    /// `{name}`: any one segment that is not empty.
    Any,
    /// `{name...}` at the end: one or more segments. The grant is then open to paths added later,
    /// and is labelled so wherever it is shown.
    Rest,
}

/// A path template of a grant: `/classes/Note/{id}`, `/files/{path...}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathTemplate {
    text: Arc<str>,
    segments: Vec<Segment>,
}

impl PathTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// When a literal part would not be acceptable in a path, a name in braces is empty, or
    /// `{name...}` is not last.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let rest = text
            .strip_prefix('/')
            .ok_or(PathError("it must start with a slash"))?;
        let pieces: Vec<&str> = if rest.is_empty() {
            Vec::new()
        } else {
            rest.split('/').collect()
        };
        if pieces.len() > SEGMENTS_MAX {
            return Err(PathError("it has more than 32 segments"));
        }
        let mut segments = Vec::with_capacity(pieces.len());
        for (place, piece) in pieces.iter().enumerate() {
            let last = place + 1 == pieces.len();
            let segment = template_segment(piece, last)?;
            if segment == Segment::Rest && !last {
                return Err(PathError("{name...} stands only at the end"));
            }
            segments.push(segment);
        }
        Ok(Self {
            text: Arc::from(text),
            segments,
        })
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the template is open to paths that do not exist yet.
    #[must_use]
    pub fn includes_future(&self) -> bool {
        self.segments.last() == Some(&Segment::Rest)
    }

    /// Whether a path is one that the template names.
    #[must_use]
    pub fn matches(&self, path: &CanonicalPath) -> bool {
        let given = path.segments();
        let open = self.includes_future();
        let enough = given.len() >= self.segments.len();
        if if open {
            !enough
        } else {
            given.len() != self.segments.len()
        } {
            return false;
        }
        self.segments
            .iter()
            .zip(given)
            .all(|(wanted, given)| match wanted {
                Segment::Literal(text) => text == given,
                Segment::Any | Segment::Rest => !given.is_empty(),
            })
    }
}

fn template_segment(piece: &str, last: bool) -> Result<Segment, PathError> {
    let Some(inner) = piece.strip_prefix('{') else {
        if piece.is_empty() && !last {
            return Err(PathError("it has an empty segment"));
        }
        if piece.contains(['{', '}', '*']) {
            return Err(PathError(
                "write {name} for one segment, {name...} for the rest",
            ));
        }
        return decode_segment(piece).map(Segment::Literal);
    };
    let name = inner
        .strip_suffix('}')
        .ok_or(PathError("a brace is not closed"))?;
    let (name, segment) = match name.strip_suffix("...") {
        Some(name) => (name, Segment::Rest),
        None => (name, Segment::Any),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(PathError(
            "a name in braces holds letters, digits, _ and - only",
        ));
    }
    Ok(segment)
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for PathTemplate {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<PathTemplate> for String {
    fn from(template: PathTemplate) -> String {
        template.text.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ambiguous_paths_are_refused() {
        // Goal: whatever two servers read differently is refused. Method: a row per trick.
        for bad in [
            "",
            "v1",
            "/a//b",
            "//a",
            "/a/./b",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/.%2E",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00b",
            "/a%0ab",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%252e",
            "/%ff",
            "/a/..;/b",
            "/a/.;x=1/b",
            "/admin;x/b",
            "/a/;x/b",
            "/a/%3bx/b",
        ] {
            assert!(CanonicalPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn spelling_variants_become_one() {
        let path = CanonicalPath::parse("/%61dmin/a%20b/x%3Ay").unwrap();
        assert_eq!(path.segments(), ["admin", "a b", "x:y"]);
        assert_eq!(path.encoded(), "/admin/a%20b/x:y");
        assert_eq!(CanonicalPath::parse("/").unwrap().encoded(), "/");
        assert_eq!(CanonicalPath::parse("/a/").unwrap().encoded(), "/a/");
    }

    #[test]
    fn what_is_left_of_a_path_is_written_as_itself() {
        // Goal: the text that goes upstream is that of the segments that were decided on. Method:
        // take segments off until none is left, and write what is left anew each time.
        for raw in ["/openai/v1/chat:x", "/%61b/c%20d/e%2Bf/", "/a", "/a/", "/"] {
            let mut path = CanonicalPath::parse(raw).unwrap();
            loop {
                let anew = encode(path.segments());
                let anew = if anew.is_empty() { "/" } else { &anew };
                assert_eq!(path.encoded(), anew, "{raw}");
                let expected = path.segments().first().cloned();
                let Some((first, rest)) = path.split_first() else {
                    break;
                };
                assert_eq!(Some(first), expected);
                path = rest;
            }
        }
    }

    #[test]
    fn templates_name_exactly_what_they_say() {
        let path = |text| CanonicalPath::parse(text).unwrap();
        let template = PathTemplate::parse("/classes/Note/{id}").unwrap();
        assert!(template.matches(&path("/classes/Note/1")));
        for other in [
            "/classes/Note",
            "/classes/Note/",
            "/classes/Note/1/2",
            "/Classes/Note/1",
        ] {
            assert!(!template.matches(&path(other)), "{other}");
        }
        let rest = PathTemplate::parse("/files/{path...}").unwrap();
        assert!(rest.includes_future() && rest.matches(&path("/files/a/b")));
        assert!(!rest.matches(&path("/files")) && !rest.matches(&path("/files/")));
        for bad in [
            "classes",
            "/{}",
            "/{a",
            "/*",
            "/a/{b...}/c",
            "/a//b",
            "/a/../b",
        ] {
            assert!(PathTemplate::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn canonical_form_is_a_fixed_point(raw in "/[ -~]{0,40}") {
            if let Ok(path) = CanonicalPath::parse(&raw) {
                let again = CanonicalPath::parse(path.encoded()).unwrap();
                prop_assert_eq!(again.segments(), path.segments());
            }
        }
    }
}
