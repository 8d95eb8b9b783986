//! What is written anew in a document.

use crate::json::Span;

/// What stands for a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum New {
    /// These bytes.
    Bytes(Vec<u8>),
    /// This text, as a JSON string.
    Text(String),
}

/// Spans of a document and what stands for them; they do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    all: Vec<(Span, New)>,
}

impl Edits {
    pub(crate) fn put(&mut self, span: Span, new: New) {
        self.all.push((span, new));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The document with its edits; `None` when there are none.
    pub(crate) fn apply(mut self, body: &[u8]) -> Option<Vec<u8>> {
        if self.all.is_empty() {
            return None;
        }
        self.all.sort_by_key(|(span, _)| span.start);
        let mut out = Vec::with_capacity(body.len() + 64);
        let mut at = 0;
        for (span, new) in &self.all {
            out.extend_from_slice(&body[at..span.start]);
            match new {
                New::Bytes(bytes) => out.extend_from_slice(bytes),
                New::Text(text) => write_string(text, &mut out),
            }
            at = span.end;
        }
        out.extend_from_slice(&body[at..]);
        Some(out)
    }
}

/// Writes a text as a JSON string.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}
