//! A text inside JSON text: a string, a key, or what follows when it is no JSON after all.

use super::JsonText;
use super::escape::{Escape, Read};
use crate::bounds::{JSON_INSIDE_MAX, KEY_BYTES_MAX};
use crate::clean::channel::Sink;
use crate::clean::flow::Flow;
use crate::clean::spelling::{Spelled, Spelling};
use crate::clean::{CleanError, Cleaner};
use crate::detect::context::floor;

/// One such text: it is decoded as it comes and cleaned as what it is.
#[derive(Debug, Clone)]
pub(super) struct Text {
    inner: Inner,
    spelling: Spelling,
    escape: Escape,
    /// The beginning of a key, decoded.
    pub(super) key: Option<String>,
    /// Whether it stands between quotes.
    pub(super) quoted: bool,
    level: usize,
}

#[derive(Debug, Clone)]
enum Inner {
    /// Nothing of it was read, and what it begins with decides; the text to its left.
    Open(String),
    Plain(Flow),
    Json(Box<JsonText>),
}

impl Text {
    /// A string with `left` to its left, in so many JSON texts.
    pub(super) fn value(left: String, level: usize) -> Self {
        Self {
            inner: Inner::Open(left),
            spelling: Spelling::default(),
            escape: Escape::default(),
            key: None,
            quoted: true,
            level,
        }
    }

    /// The name of a member.
    pub(super) fn key() -> Self {
        let mut text = Self::value(String::new(), JSON_INSIDE_MAX);
        text.key = Some(String::new());
        text
    }

    /// Plain text that directly follows `left`.
    pub(super) fn rest(left: &str) -> Self {
        let mut text = Self::value(String::new(), JSON_INSIDE_MAX);
        text.inner = Inner::Plain(Flow::after(left));
        text.quoted = false;
        text
    }

    pub(super) fn holds(&self) -> bool {
        self.escape.open() || !self.spelling.is_empty()
    }

    /// Reads up to the closing quote; gives how many bytes were read if it came, or if the string
    /// turned out to be none (then it is no longer `quoted`).
    pub(super) fn push(
        &mut self,
        rest: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<Option<usize>, CleanError> {
        let mut decoded = String::new();
        let end = self.decode(rest, &mut decoded)?;
        self.feed(&decoded, cleaner, place, out)?;
        Ok(end)
    }

    /// Decodes up to the closing quote.
    fn decode(&mut self, rest: &str, decoded: &mut String) -> Result<Option<usize>, CleanError> {
        let bytes = rest.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if self.escape.open() || bytes[at] == b'\\' {
                match self.escape.push(bytes[at]) {
                    Read::More => {}
                    Read::Char(c) => {
                        self.spelling.escaped(c, &self.escape.raw);
                        self.escape.raw.clear();
                        decoded.push(c);
                    }
                    Read::Bad => {
                        self.quoted = false;
                        self.unescape(decoded);
                        return Ok(Some(at));
                    }
                    Read::Lone => return Err(LONE),
                }
                at += 1;
                continue;
            }
            if bytes[at] == b'"' {
                return Ok(Some(at + 1));
            }
            let length = memchr::memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
            let plain = &rest[at..at + length];
            self.spelling.plain(plain);
            decoded.push_str(plain);
            at += length;
        }
        Ok(None)
    }

    /// What was begun as an escape is text.
    fn unescape(&mut self, decoded: &mut String) {
        let raw = std::mem::take(&mut self.escape.raw);
        self.spelling.plain(&raw);
        decoded.push_str(&raw);
    }

    /// Takes text that is spelled as it reads.
    pub(super) fn plain(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        self.spelling.plain(text);
        self.feed(text, cleaner, place, out)
    }

    /// The text has ended.
    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if self.escape.is_half() {
            return Err(LONE);
        }
        let mut decoded = String::new();
        self.unescape(&mut decoded);
        self.feed(&decoded, cleaner, place, out)?;
        let mut out = Spelled {
            spelling: &mut self.spelling,
            out,
            quoted: self.quoted,
        };
        match &mut self.inner {
            Inner::Open(_) => Ok(()),
            Inner::Plain(flow) => flow.finish(cleaner, place, &mut out),
            Inner::Json(json) => json.finish(cleaner, place, &mut out),
        }
    }

    fn feed(
        &mut self,
        decoded: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if decoded.is_empty() {
            return Ok(());
        }
        if let Some(key) = &mut self.key {
            let room = KEY_BYTES_MAX.saturating_sub(key.len());
            key.push_str(&decoded[..floor(decoded, room)]);
        }
        if let Inner::Open(left) = &self.inner {
            let json = decoded.starts_with(['{', '[']) && self.level < JSON_INSIDE_MAX;
            self.inner = if json {
                Inner::Json(Box::new(JsonText::new(left, self.level + 1)))
            } else {
                Inner::Plain(Flow::new(left))
            };
        }
        let mut out = Spelled {
            spelling: &mut self.spelling,
            out,
            quoted: self.quoted,
        };
        match &mut self.inner {
            Inner::Open(_) => Ok(()),
            Inner::Plain(flow) => flow.push(decoded, cleaner, place, &mut out),
            Inner::Json(json) => json.push(decoded, cleaner, place, &mut out),
        }
    }
}

const LONE: CleanError = CleanError::CannotInspect("a lone surrogate in JSON text");
