//! A text inside JSON text: a string, a key, or what follows when it is no JSON after all.
//!
//! SECURITY: what breaks off is still read by somebody, who may take its escapes for what they
//! mean. So behind the break everything that may be an escape is read as one, however many
//! backslashes stand before it; what is none is text. Where a letter stands behind a backslash, the
//! word that begins with it is then read as it is written, too ([`Doubt`]).

use super::JsonText;
use super::doubt::{Doubt, Given};
use super::escape::{Escape, Read};
use crate::bounds::{JSON_BACKSLASHES_MAX, JSON_BARE_BYTES_MAX, JSON_INSIDE_MAX, LEFT_BYTES};
use crate::clean::channel::Sink;
use crate::clean::flow::Flow;
use crate::clean::spelling::{Spelled, Spelling};
use crate::clean::{CleanError, Cleaner};
use crate::detect::context::ceiling;

/// One such text: it is decoded as it comes and cleaned as what it is.
#[derive(Debug, Clone)]
pub(super) struct Text {
    inner: Inner,
    spelling: Spelling,
    escape: Escape,
    /// Backslashes before the one with which the escape begins, where many may stand.
    slashes: String,
    /// The end of a key, decoded: what stands next to its value.
    pub(super) key: Option<String>,
    reads: Reads,
    doubt: Doubt,
    level: usize,
}

/// How the text is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// As a string of JSON, up to its quote.
    Quoted,
    /// Like what was to be JSON and broke off.
    Broken,
    /// As it reads.
    Raw,
}

#[derive(Debug, Clone)]
enum Inner {
    /// What it begins with decides, and there was only white space; the text to its left.
    Open {
        left: String,
        white: String,
    },
    Plain(Box<Flow>),
    Json(Box<JsonText>),
    /// It is like JSON, in more strings than are read one in the other.
    Deep(Box<Text>),
}

impl Text {
    /// A string with `left` to its left, in so many JSON texts.
    pub(super) fn value(left: String, level: usize) -> Self {
        let white = String::new();
        Self::new(Inner::Open { left, white }, Reads::Quoted, level)
    }

    /// The name of a member.
    pub(super) fn key() -> Self {
        let mut text = Self::new(
            Inner::Plain(Box::new(Flow::new(""))),
            Reads::Quoted,
            JSON_INSIDE_MAX,
        );
        text.key = Some(String::new());
        text
    }

    /// Text that is no string and directly follows `left`.
    pub(super) fn rest(left: &str, reads: Reads) -> Self {
        Self::new(
            Inner::Plain(Box::new(Flow::after(left))),
            reads,
            JSON_INSIDE_MAX,
        )
    }

    fn new(inner: Inner, reads: Reads, level: usize) -> Self {
        Self {
            inner,
            spelling: Spelling::default(),
            escape: Escape::default(),
            slashes: String::new(),
            key: None,
            reads,
            doubt: Doubt::default(),
            level,
        }
    }

    /// Whether it stands between quotes.
    pub(super) fn quoted(&self) -> bool {
        self.reads == Reads::Quoted
    }

    pub(super) fn holds(&self) -> bool {
        self.escape.open() || !self.spelling.is_empty() || self.doubt.holds()
    }

    /// Reads up to the closing quote; gives how many bytes were read if it came, or if the string
    /// turned out to be none (then it is no longer `quoted`). What has no quotes takes all.
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
            if self.escape.open() || bytes[at] == b'\\' && self.reads != Reads::Raw {
                match self.escape.push(bytes[at]) {
                    Read::More => at += 1,
                    Read::Char(c) => {
                        self.character(c, decoded);
                        at += 1;
                    }
                    Read::Bad | Read::Lone if self.quoted() && self.escape.is_half() => {
                        return Err(LONE);
                    }
                    Read::Bad if self.quoted() => {
                        self.reads = Reads::Broken;
                        self.unescape(decoded);
                        return Ok(Some(at));
                    }
                    Read::Bad => self.unescape(decoded),
                    Read::Lone => {
                        self.lone(decoded);
                        at += 1;
                    }
                }
                continue;
            }
            let rest = &rest[at..];
            let plain = match self.reads {
                Reads::Quoted if bytes[at] == b'"' => return Ok(Some(at + 1)),
                Reads::Quoted => memchr::memchr2(b'"', b'\\', rest.as_bytes()),
                Reads::Broken => memchr::memchr(b'\\', rest.as_bytes()),
                Reads::Raw => None,
            };
            let plain = &rest[..plain.unwrap_or(rest.len())];
            self.spelling.plain(plain);
            decoded.push_str(plain);
            at += plain.len();
        }
        Ok(None)
    }

    /// Takes the character of an escape.
    fn character(&mut self, c: char, decoded: &mut String) {
        if c == '\\' && self.reads == Reads::Broken && self.escape.raw == "\\\\" {
            // In a string inside a string, the second may begin an escape.
            self.escape.raw.pop();
            if self.slashes.len() < JSON_BACKSLASHES_MAX {
                self.slashes.push('\\');
            } else {
                self.spelling.plain("\\");
                decoded.push('\\');
            }
            return;
        }
        self.slashes.push_str(&self.escape.raw);
        self.spelling.escaped(c, &self.slashes);
        self.slashes.clear();
        self.escape.raw.clear();
        decoded.push(c);
    }

    /// Half of a pair is text; behind it there may be a letter.
    fn lone(&mut self, decoded: &mut String) {
        let (half, behind) = self.escape.split();
        let rest = std::mem::replace(&mut self.escape.raw, half);
        self.unescape(decoded);
        self.escape.raw = rest;
        match behind {
            Read::Char(c) => self.character(c, decoded),
            Read::More => {}
            Read::Bad | Read::Lone => self.unescape(decoded),
        }
    }

    /// What was begun as an escape is text.
    fn unescape(&mut self, decoded: &mut String) {
        for raw in [&mut self.slashes, &mut self.escape.raw] {
            self.spelling.plain(raw);
            decoded.push_str(raw);
            raw.clear();
        }
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
        if self.escape.is_half() && self.quoted() {
            return Err(LONE);
        }
        let mut decoded = String::new();
        self.unescape(&mut decoded);
        self.feed(&decoded, cleaner, place, out)?;
        if let Inner::Open { left, white } = &mut self.inner {
            let (flow, white) = (Flow::new(left), std::mem::take(white));
            self.inner = Inner::Plain(Box::new(flow));
            self.hand_in(&white, cleaner, place, out)?;
        }
        self.give(cleaner, place, out, |inner, cleaner, out| match inner {
            Inner::Open { .. } => Ok(()),
            Inner::Plain(flow) => flow.finish(cleaner, place, out),
            Inner::Json(json) => json.finish(cleaner, place, out),
            Inner::Deep(text) => text.finish(cleaner, place, out),
        })?;
        self.doubt.finish(cleaner, place, out)
    }

    fn feed(
        &mut self,
        decoded: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if let Some(key) = &mut self.key {
            key.push_str(decoded);
            let from = key.len().saturating_sub(LEFT_BYTES);
            key.drain(..ceiling(key, from));
        }
        let begun;
        let decoded = match self.begin(decoded) {
            Some(white) => {
                begun = white + decoded;
                &begun
            }
            None => decoded,
        };
        self.hand_in(decoded, cleaner, place, out)
    }

    /// Decides what the text is, if it shows; gives the white space that was held until then.
    fn begin(&mut self, decoded: &str) -> Option<String> {
        let Inner::Open { left, white } = &mut self.inner else {
            return None;
        };
        let first = decoded.trim_ascii_start().chars().next();
        if first.is_none() && white.len() + decoded.len() <= JSON_BARE_BYTES_MAX {
            white.push_str(decoded);
            return None;
        }
        let (left, white) = (std::mem::take(left), std::mem::take(white));
        // What begins with so much white space cannot wait; JSON text passes over it.
        let json = first.is_none_or(|first| "{[\"".contains(first));
        self.inner = if !json {
            Inner::Plain(Box::new(Flow::new(&left)))
        } else if self.level < JSON_INSIDE_MAX {
            Inner::Json(Box::new(JsonText::new(&left, self.level + 1)))
        } else {
            Inner::Deep(Box::new(Self::rest(&left, Reads::Broken)))
        };
        Some(white)
    }

    fn hand_in(
        &mut self,
        decoded: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if decoded.is_empty() {
            return Ok(());
        }
        self.give(cleaner, place, out, |inner, cleaner, out| match inner {
            Inner::Open { .. } => Ok(()),
            Inner::Plain(flow) => flow.push(decoded, cleaner, place, out),
            Inner::Json(json) => json.push(decoded, cleaner, place, out),
            Inner::Deep(text) => text.push(decoded, cleaner, place, out).map(|_| ()),
        })
    }

    /// Does a step with what is inside; what it gives goes on as it was spelled.
    fn give(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
        step: impl FnOnce(&mut Inner, &mut Cleaner, &mut dyn Sink) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        let mut given = Given::default();
        let doubtful = self.reads == Reads::Broken;
        let mut spelled = Spelled {
            spelling: &mut self.spelling,
            out: if doubtful { &mut given } else { &mut *out },
            quoted: self.reads != Reads::Raw,
        };
        step(&mut self.inner, cleaner, &mut spelled)?;
        self.doubt.pass(given, cleaner, place, out)
    }
}

const LONE: CleanError = CleanError::CannotInspect("a lone surrogate in JSON text");
