//! Text that is itself JSON: arguments of tools, documents inside strings.
//!
//! Strings and keys are decoded, cleaned, and encoded again only where something was replaced; a
//! number that is replaced becomes a string. It reads leniently and piece by piece, since such text
//! is written by a model as it goes. As soon as it turns out not to be JSON, the rest is treated
//! as text, from a point behind which no value can have begun: a bare word waits until what
//! follows it shows that it was one. Escapes are read there too, unless it never looked like JSON.

mod doubt;
pub(super) mod escape;
mod inside;

use super::channel::Sink;
use super::flow::Flow;
use super::spelling::inner;
use super::{CleanError, Cleaner};
use crate::bounds::{DEPTH_MAX, JSON_BARE_BYTES_MAX, JSON_TAIL_BYTES};
use crate::detect::context::floor;
use inside::{Reads, Text};

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A document, or the next one.
    Document,
    /// A value of an array or behind a key.
    Value,
    /// A value or the end of an array that has just begun.
    FirstValue,
    /// A key, or the end of an object that has just begun.
    FirstKey,
    Key,
    Colon,
    /// A comma or the end of the container.
    Next,
}

/// What is being read.
#[derive(Debug, Clone)]
enum Token {
    None,
    /// A string; its text is cleaned as it comes.
    Text(Box<Text>),
    /// A number or word with the white space behind it: held until it is known to be one.
    Bare(String),
    /// A number that is alone in a list, and what was read behind it: held until it is known
    /// whether that is all of the text.
    Alone(String, String),
    /// It is no JSON: the rest is text.
    Rest(Box<Text>),
}

/// The state between pieces.
#[derive(Debug, Clone)]
pub(super) struct JsonText {
    expect: Expect,
    token: Token,
    /// Containers that are open; `true` for objects.
    open: Vec<bool>,
    /// Whether it began like JSON.
    begun: bool,
    key: String,
    /// The end of what was read, for context when it turns out to be no JSON.
    tail: String,
    left: String,
    /// How many strings stand around it.
    level: usize,
}

impl JsonText {
    pub(super) fn new(left: &str, level: usize) -> Self {
        Self {
            expect: Expect::Document,
            token: Token::None,
            open: Vec::new(),
            begun: false,
            key: String::new(),
            tail: left.to_owned(),
            left: left.to_owned(),
            level,
        }
    }

    pub(super) fn holds(&self) -> bool {
        match &self.token {
            Token::None => false,
            Token::Bare(_) | Token::Alone(..) => true,
            Token::Text(text) | Token::Rest(text) => text.holds(),
        }
    }

    pub(super) fn push(
        &mut self,
        piece: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let read = match &mut self.token {
                Token::Text(text) => match text.push(rest, cleaner, place, out)? {
                    Some(read) => {
                        self.end_text(cleaner, place, out)?;
                        read
                    }
                    None => rest.len(),
                },
                Token::Rest(text) => {
                    text.push(rest, cleaner, place, out)?;
                    rest.len()
                }
                Token::None => self.between(rest, cleaner, place, out)?,
                Token::Bare(_) => self.bare(rest, cleaner, place, out)?,
                Token::Alone(..) => self.alone(rest, cleaner, place, out)?,
            };
            self.remember(&rest[..read]);
            rest = &rest[read..];
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if let Token::Bare(held) = &mut self.token {
            let held = std::mem::take(held);
            self.give_up(&held, "", cleaner, place, out)?;
        }
        match &mut self.token {
            Token::Text(text) | Token::Rest(text) => text.finish(cleaner, place, out),
            Token::None | Token::Bare(_) => Ok(()),
            Token::Alone(..) => self.settle_alone(true, cleaner, place, out),
        }
    }

    /// Reads one mark or the start of a token.
    fn between(
        &mut self,
        rest: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<usize, CleanError> {
        let first = rest.as_bytes()[0];
        if first.is_ascii_whitespace() {
            let white = rest.bytes().take_while(u8::is_ascii_whitespace).count();
            out.keep(&rest[..white]);
            return Ok(white);
        }
        let value = matches!(self.expect, Expect::Value | Expect::FirstValue);
        let document = self.expect == Expect::Document;
        match first {
            b'"' if value || document => {
                self.token = Token::Text(Box::new(Text::value(self.left(), self.level)));
            }
            b'"' if matches!(self.expect, Expect::Key | Expect::FirstKey) => {
                self.key.clear();
                self.token = Token::Text(Box::new(Text::key()));
            }
            b'{' | b'[' if value || document => return self.opens(first, rest, out),
            _ if self.mark(first) => {}
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I' if value => {
                self.token = Token::Bare(String::new());
                return Ok(0);
            }
            _ => {
                self.give_up("", "", cleaner, place, out)?;
                return Ok(0);
            }
        }
        self.begun = true;
        out.keep(&rest[..1]);
        Ok(1)
    }

    fn opens(&mut self, first: u8, rest: &str, out: &mut dyn Sink) -> Result<usize, CleanError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(CleanError::CannotInspect("JSON text is nested too deeply"));
        }
        self.begun = true;
        self.open.push(first == b'{');
        self.expect = if first == b'{' {
            Expect::FirstKey
        } else {
            Expect::FirstValue
        };
        out.keep(&rest[..1]);
        Ok(1)
    }

    /// Whether the byte is a mark that may stand here; then it is taken.
    fn mark(&mut self, byte: u8) -> bool {
        let object = self.open.last().copied();
        self.expect = match (byte, self.expect) {
            (b':', Expect::Colon) => Expect::Value,
            (b',', Expect::Next) if object == Some(true) => Expect::Key,
            (b',', Expect::Next) => Expect::Value,
            (b'}', Expect::FirstKey | Expect::Next) if object == Some(true) => self.closed(),
            (b']', Expect::FirstValue | Expect::Next) if object == Some(false) => self.closed(),
            _ => return false,
        };
        true
    }

    fn closed(&mut self) -> Expect {
        self.open.pop();
        self.key.clear();
        self.after_value()
    }

    fn after_value(&self) -> Expect {
        if self.open.is_empty() {
            Expect::Document
        } else {
            Expect::Next
        }
    }

    /// What stands to the left of a value: its key.
    fn left(&self) -> String {
        if self.key.is_empty() {
            self.left.clone()
        } else {
            format!("{}: ", self.key)
        }
    }

    /// Reads on in a number or word; what follows it decides whether it is one.
    fn bare(
        &mut self,
        rest: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<usize, CleanError> {
        let Token::Bare(held) = &mut self.token else {
            return Ok(0);
        };
        let spaced = held.ends_with(|c: char| c.is_ascii_whitespace());
        let goes_on = |byte: &u8| {
            byte.is_ascii_whitespace()
                || !spaced && (byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        };
        let first = rest.as_bytes()[0];
        if goes_on(&first) {
            held.push(char::from(first));
            if held.len() > JSON_BARE_BYTES_MAX {
                let held = std::mem::take(held);
                self.give_up(&held, &rest[..1], cleaner, place, out)?;
            }
            return Ok(1);
        }
        let held = std::mem::take(held);
        let ends = matches!(first, b',' | b'}' | b']');
        if first == b']' && is_bare(&held) && self.is_first_in_list(&held) {
            self.token = Token::Alone(held, String::new());
        } else if ends && is_bare(&held) {
            self.settle_bare(&held, false, (cleaner, place), out)?;
            self.token = Token::None;
            self.expect = self.after_value();
        } else {
            self.give_up(&held, "", cleaner, place, out)?;
        }
        Ok(0)
    }

    /// Whether the number that was read is the first value of a list with which the text begins.
    fn is_first_in_list(&self, held: &str) -> bool {
        let read = self.tail.strip_prefix(&self.left).unwrap_or_default();
        let inside = read.trim_ascii_start().strip_prefix('[');
        inside.is_some_and(|inside| inside.trim_ascii() == held.trim_ascii())
    }

    /// Reads the end of a list of one number, and what follows it.
    fn alone(
        &mut self,
        rest: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<usize, CleanError> {
        let Token::Alone(_, behind) = &mut self.token else {
            return Ok(0);
        };
        let first = rest.as_bytes()[0];
        let is_margin = first.is_ascii_whitespace() && behind.len() < JSON_BARE_BYTES_MAX;
        if behind.is_empty() || is_margin {
            behind.push(char::from(first));
            return Ok(1);
        }
        self.settle_alone(false, cleaner, place, out)?;
        Ok(0)
    }

    /// Cleans such a number; `alone` says that nothing followed.
    fn settle_alone(
        &mut self,
        alone: bool,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let Token::Alone(number, behind) = std::mem::replace(&mut self.token, Token::None) else {
            return Ok(());
        };
        self.settle_bare(&number, alone, (cleaner, place), out)?;
        out.keep(&behind);
        self.expect = self.closed();
        Ok(())
    }

    /// Cleans a number or word that is known to be one; `alone` says that it is all of the text.
    fn settle_bare(
        &self,
        held: &str,
        alone: bool,
        (cleaner, place): (&mut Cleaner, &str),
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let word = held.trim_ascii_end();
        let mut cleaned = String::new();
        let mut flow = Flow::new(&self.left()).bare();
        if alone {
            flow = flow.whole();
        }
        flow.push(word, cleaner, place, &mut cleaned)?;
        flow.finish(cleaner, place, &mut cleaned)?;
        if cleaned == word {
            out.keep(word);
        } else {
            out.replace(word, &format!("\"{}\"", inner(&cleaned)));
        }
        out.keep(&held[word.len()..]);
        Ok(())
    }

    fn end_text(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let Token::Text(mut text) = std::mem::replace(&mut self.token, Token::None) else {
            return Ok(());
        };
        if !text.quoted() {
            // An escape that is none: the rest of it is text.
            self.token = Token::Rest(text);
            return Ok(());
        }
        text.finish(cleaner, place, out)?;
        out.keep("\"");
        self.expect = match text.key {
            Some(key) => {
                self.key = key;
                Expect::Colon
            }
            None => self.after_value(),
        };
        Ok(())
    }

    /// It is no JSON: what is held and everything after it is text. `read` is what of the
    /// piece is held, and not yet remembered.
    fn give_up(
        &mut self,
        held: &str,
        read: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let before = (self.tail.len() + read.len()).saturating_sub(held.len());
        let left = &self.tail[..floor(&self.tail, before)];
        let reads = if self.begun {
            Reads::Broken
        } else {
            Reads::Raw
        };
        let mut text = Text::rest(left, reads);
        text.plain(held, cleaner, place, out)?;
        self.token = Token::Rest(Box::new(text));
        Ok(())
    }

    fn remember(&mut self, read: &str) {
        let kept = read.len().saturating_sub(JSON_TAIL_BYTES);
        self.tail.push_str(&read[floor(read, kept)..]);
        if self.tail.len() > 2 * JSON_TAIL_BYTES {
            let cut = floor(&self.tail, self.tail.len() - JSON_TAIL_BYTES);
            self.tail.drain(..cut);
        }
    }
}

/// Whether this is a number or word of JSON, or one that lenient readers take for one: what they
/// read as JSON must be read as JSON here, or escapes behind it would hide a value.
fn is_bare(text: &str) -> bool {
    let text = text.trim_ascii();
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let zeros = digits.bytes().take_while(|byte| *byte == b'0').count();
    let after = digits.as_bytes().get(zeros);
    let kept = if zeros > 0 && after.is_some_and(u8::is_ascii_digit) {
        zeros
    } else {
        0
    };
    let plain = format!("{sign}{}", &digits[kept..]);
    serde_json::from_str::<serde::de::IgnoredAny>(&plain).is_ok()
}
