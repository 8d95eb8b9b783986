//! A whole JSON document as a flat list of values with their spans, for cleaning.
//!
//! The reading is strict where readers differ: UTF-8, no lone surrogate, no key twice in an object
//! (as decoded), bounded depth and bounded numbers. What is not so cannot be inspected, because
//! another reader might see other text in it.

use std::borrow::Cow;
use std::collections::HashSet;

use super::number::{Number, exponent};
use super::text::plain_run;
use crate::bounds::{DEPTH_MAX, EXPONENT_MAX, NUMBER_BYTES_MAX};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    Text,
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// A part of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The value, with its quotes or brackets.
    pub(crate) span: Span,
    /// Its key with quotes, where it is a member.
    pub(crate) key: Option<Span>,
    /// The place in the list of the first value that is not inside this one.
    next: usize,
    /// Whether an escape stands in it, or in its key.
    escaped: bool,
    key_escaped: bool,
}

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    bytes: &'a [u8],
    text: &'a str,
    nodes: Vec<Node>,
}

/// The place of a value in its tree.
pub(crate) type NodeId = usize;

impl<'a> Tree<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// What keeps it from being read in one way.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let reader = Reader {
            bytes,
            text,
            at: 0,
            nodes: Vec::new(),
            open: Vec::new(),
        };
        let nodes = reader.read()?;
        Ok(Self { bytes, text, nodes })
    }

    /// The document itself.
    pub(crate) const ROOT: NodeId = 0;

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The bytes of a part.
    pub(crate) fn raw(&self, span: Span) -> &'a [u8] {
        &self.bytes[span.start..span.end]
    }

    /// The members or elements of a value, in order.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'_, 'a> {
        let end = self.nodes[id].next;
        let mut at = id + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = at;
                at = self.nodes[at].next;
                child
            })
        })
    }

    /// The text of a string.
    pub(crate) fn text(&self, id: NodeId) -> Cow<'a, str> {
        let node = &self.nodes[id];
        decoded(self.text, node.span, node.escaped)
    }

    /// The key of a member; empty for anything else.
    pub(crate) fn key(&self, id: NodeId) -> Cow<'a, str> {
        let node = &self.nodes[id];
        match node.key {
            Some(span) => decoded(self.text, span, node.key_escaped),
            None => Cow::Borrowed(""),
        }
    }

    /// The member of an object with this key.
    pub(crate) fn member(&self, id: NodeId, key: &str) -> Option<NodeId> {
        if self.nodes[id].kind != Kind::Object {
            return None;
        }
        self.children(id).find(|child| self.key(*child) == key)
    }

    /// What a member says that tells one thing from others: its text, or its bytes. `None` where it
    /// is not there, empty or null.
    pub(crate) fn said(&self, object: NodeId, name: &str) -> Option<Vec<u8>> {
        let id = self.member(object, name)?;
        let node = self.node(id);
        let said = match node.kind {
            Kind::Text => self.text(id).into_owned().into_bytes(),
            _ => self.raw(node.span).to_vec(),
        };
        (!said.is_empty() && said != b"null").then_some(said)
    }
}

/// The inside of a string in quotes.
fn decoded(text: &str, span: Span, escaped: bool) -> Cow<'_, str> {
    let inside = &text[span.start + 1..span.end - 1];
    if escaped {
        Cow::Owned(unescape(inside))
    } else {
        Cow::Borrowed(inside)
    }
}

/// Decodes escapes that were checked when the document was read.
fn unescape(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let letter = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match letter {
            b'u' => {
                let mut unit = hex(rest.as_bytes());
                rest = &rest[4..];
                if (0xd800..0xdc00).contains(&unit) {
                    let low = hex(&rest.as_bytes()[2..]);
                    rest = &rest[6..];
                    unit = 0x1_0000 + ((unit & 0x3ff) << 10 | low & 0x3ff);
                }
                out.extend(char::from_u32(unit));
            }
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            same => out.push(char::from(same)),
        }
    }
    out.push_str(rest);
    out
}

/// Four hexadecimal digits; `u32::MAX` if they are none.
fn hex(bytes: &[u8]) -> u32 {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let Some(four) = bytes.first_chunk::<4>() else {
        return u32::MAX;
    };
    let value = four
        .iter()
        .try_fold(0, |value, byte| Some(value << 4 | digit(byte)?));
    value.unwrap_or(u32::MAX)
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    nodes: Vec<Node>,
    open: Vec<NodeId>,
}

const EARLY: &str = "it ends too early";
const ODD: &str = "it is not JSON";

impl Reader<'_> {
    fn read(mut self) -> Result<Vec<Node>, &'static str> {
        self.space();
        self.value(None, false)?;
        while let Some(parent) = self.open.last().copied() {
            self.space();
            let object = self.nodes[parent].kind == Kind::Object;
            let close = if object { b'}' } else { b']' };
            let first = parent + 1 == self.nodes.len();
            match self.peek()? {
                byte if byte == close => {
                    self.at += 1;
                    self.close(parent)?;
                    continue;
                }
                b',' if !first => {
                    self.at += 1;
                    self.space();
                }
                _ if first => {}
                _ => return Err(ODD),
            }
            if object {
                let (key, escaped) = self.string()?;
                self.space();
                if self.peek()? != b':' {
                    return Err(ODD);
                }
                self.at += 1;
                self.space();
                self.value(Some(key), escaped)?;
            } else {
                self.value(None, false)?;
            }
        }
        self.space();
        if self.at == self.bytes.len() {
            Ok(self.nodes)
        } else {
            Err("bytes follow the document")
        }
    }

    fn peek(&self) -> Result<u8, &'static str> {
        self.bytes.get(self.at).copied().ok_or(EARLY)
    }

    fn space(&mut self) {
        let space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
        self.at += self.bytes[self.at..]
            .iter()
            .take_while(|b| space(b))
            .count();
    }

    /// A scalar, or the beginning of a container.
    fn value(&mut self, key: Option<Span>, key_escaped: bool) -> Result<(), &'static str> {
        let start = self.at;
        let mut escaped = false;
        let kind = match self.peek()? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => {
                escaped = self.string()?.1;
                Kind::Text
            }
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            byte => self.number(byte)?,
        };
        let id = self.nodes.len();
        if matches!(kind, Kind::Object | Kind::Array) {
            if self.open.len() >= DEPTH_MAX {
                return Err("it is nested too deeply");
            }
            self.at += 1;
            self.open.push(id);
        }
        self.nodes.push(Node {
            kind,
            span: Span {
                start,
                end: self.at,
            },
            key,
            next: id + 1,
            escaped,
            key_escaped,
        });
        Ok(())
    }

    fn close(&mut self, id: NodeId) -> Result<(), &'static str> {
        self.open.pop();
        let next = self.nodes.len();
        let node = &mut self.nodes[id];
        node.next = next;
        node.span.end = self.at;
        if node.kind == Kind::Object {
            self.keys_differ(id)?;
        }
        Ok(())
    }

    fn keys_differ(&self, id: NodeId) -> Result<(), &'static str> {
        /// So many keys are compared with each other; more go through a set.
        const FEW: usize = 12;
        let end = self.nodes[id].next;
        let key = |at: NodeId| {
            let node = &self.nodes[at];
            let span = node.key.unwrap_or(node.span);
            decoded(self.text, span, node.key_escaped)
        };
        let mut few: Vec<Cow<'_, str>> = Vec::new();
        let mut many = HashSet::new();
        let mut at = id + 1;
        while at < end {
            let next = key(at);
            let twice = if few.len() < FEW {
                few.contains(&next)
            } else {
                if many.is_empty() {
                    many.extend(few.iter().cloned());
                }
                !many.insert(next.clone())
            };
            if twice {
                return Err("a key stands twice");
            }
            if few.len() < FEW {
                few.push(next);
            }
            at = self.nodes[at].next;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<Kind, &'static str> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(ODD);
        }
        self.at += word.len();
        Ok(Kind::Word)
    }

    fn number(&mut self, first: u8) -> Result<Kind, &'static str> {
        let start = self.at;
        let mut number = Number::start(first).ok_or(ODD)?;
        self.at += 1;
        while let Some(next) = self.bytes.get(self.at).and_then(|byte| number.next(*byte)) {
            number = next;
            self.at += 1;
        }
        if !number.complete() {
            return Err(ODD);
        }
        if self.at - start > NUMBER_BYTES_MAX {
            return Err("a number is too long");
        }
        if exponent(&self.bytes[start..self.at]) > EXPONENT_MAX {
            return Err("a number is too large");
        }
        Ok(Kind::Number)
    }

    /// A string in quotes: its span, and whether an escape stands in it.
    fn string(&mut self) -> Result<(Span, bool), &'static str> {
        let start = self.at;
        if self.peek()? != b'"' {
            return Err(ODD);
        }
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain_run(&self.bytes[self.at..]);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(ODD),
            }
        }
        self.at += 1;
        let span = Span {
            start,
            end: self.at,
        };
        Ok((span, escaped))
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let rest = &self.bytes[self.at + 1..];
        self.at += match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match hex(&rest[1..]) {
                u32::MAX => return Err(ODD),
                0xd800..0xdc00 => {
                    let low = rest[5..].strip_prefix(b"\\u").map_or(0, hex);
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err("half of a surrogate pair stands alone");
                    }
                    12
                }
                0xdc00..0xe000 => return Err("half of a surrogate pair stands alone"),
                _ => 6,
            },
            _ => return Err(ODD),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_found_with_their_texts() {
        let body = br#" {"a\u0062":[1,"x\ud83d\ude00\n",{"c":null}], "d":{}} "#;
        let tree = Tree::read(body).unwrap();
        let list = tree.member(Tree::ROOT, "ab").unwrap();
        let kinds: Vec<Kind> = tree.children(list).map(|id| tree.node(id).kind).collect();
        assert_eq!(kinds, [Kind::Number, Kind::Text, Kind::Object]);
        let text = tree.children(list).nth(1).unwrap();
        assert_eq!(tree.text(text), "x\u{1f600}\n");
        assert_eq!(tree.raw(tree.node(list).span)[..3], *b"[1,");
        assert_eq!(tree.children(Tree::ROOT).count(), 2);
    }

    #[test]
    fn what_readers_understand_differently_is_refused() {
        // Goal: every construct on which JSON readers disagree is an error. Method: a row each.
        let many: String = (0..40).map(|at| format!("\"{at}\":0,")).collect();
        for odd in [
            r#"{"a":1,"a":2}"#,
            "[1e999]",
            "[1E-999]",
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"b":1,"c":2,"b":3}}]"#,
            &format!("{{{many}\"39\":1}}"),
            r#"["\ud800"]"#,
            r#"["\udc00"]"#,
            r#"["\ud800\u0041"]"#,
            r#"{"\udfff":1}"#,
            "{\"a\":1,}",
            "[1 2]",
            "[,1]",
            "",
            "[1]]",
            "{\"a\" 1}",
            "[01]",
            "[1.]",
            "[\"\u{1}\"]",
            "[tru]",
            &"[".repeat(DEPTH_MAX + 1),
            &format!("[{}]", "1".repeat(NUMBER_BYTES_MAX + 1)),
        ] {
            assert!(Tree::read(odd.as_bytes()).is_err(), "{odd}");
        }
        assert!(Tree::read(b"[\"\xff\"]").is_err());
        assert!(Tree::read(format!("{{{many}\"40\":1}}").as_bytes()).is_ok());
    }

    proptest! {
        // Goal: the tree and serde_json agree on what JSON is, and on the text of strings.
        #[test]
        fn strings_are_decoded_as_others_do(text in any::<String>(), ascii in any::<bool>()) {
            let mut body = serde_json::to_string(&text).unwrap();
            if ascii {
                let units = |letter: char| {
                    let mut buffer = [0; 2];
                    let units = letter.encode_utf16(&mut buffer);
                    units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
                };
                let plain = |letter: &char| letter.is_ascii();
                body = body
                    .chars()
                    .map(|c| if plain(&c) { c.to_string() } else { units(c) })
                    .collect();
            }
            let tree = Tree::read(body.as_bytes()).unwrap();
            prop_assert_eq!(tree.text(Tree::ROOT), text);
        }

        #[test]
        fn arbitrary_text_never_panics(text in r#"[\[\]{}",:\\u0-9a-dtrn \-.é]{0,60}"#) {
            if let Ok(tree) = Tree::read(text.as_bytes()) {
                let value = serde_json::from_str::<&serde_json::value::RawValue>(&text);
                prop_assert!(value.is_ok(), "{}", text);
                prop_assert_eq!(tree.node(Tree::ROOT).next, tree.nodes.len());
            }
        }
    }
}
