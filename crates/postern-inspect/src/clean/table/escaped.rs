//! JSON in a field: what its escapes say is read too, beside the field as it stands.

use super::{CleanError, Cleaner, Flow};
use crate::bounds::JSON_IN_FIELD_MAX;
use crate::detect::fold::folded;
use crate::detect::span::Span;

/// A text without escapes, and where each byte of it was written.
struct Plain {
    text: String,
    /// For each byte, and the end, the place of its spelling in the field as it is read.
    from: Vec<usize>,
}

/// What is found in a field that begins as JSON does, once its escapes are read. Places are in the
/// field as it is read.
pub(super) fn found_in(
    name: &str,
    field: &str,
    cleaner: &Cleaner,
) -> Result<Vec<Span>, CleanError> {
    let mut found = Vec::new();
    if !field.contains('\\') || !field.trim_start().starts_with(['{', '[', '"']) {
        return Ok(found);
    }
    let text = folded(field).into_owned();
    let from = (0..=text.len()).collect();
    let mut plain = Plain { text, from };
    let mut depth = 0;
    while let Some(inner) = plain.unescaped() {
        if depth == JSON_IN_FIELD_MAX {
            return Err(CleanError::CannotInspect("JSON in a field is too deep"));
        }
        depth += 1;
        plain = inner;
        let spans = Flow::found_in(name, &plain.text, cleaner)?;
        found.extend(spans.into_iter().map(|span| Span {
            start: plain.from[span.start],
            end: plain.from[span.end],
            matched: plain.from[span.matched],
            what: span.what,
        }));
    }
    Ok(found)
}

impl Plain {
    /// The text with each escape as what it says; `None` if there is none.
    fn unescaped(&self) -> Option<Self> {
        let mut inner = Self {
            text: String::with_capacity(self.text.len()),
            from: Vec::with_capacity(self.from.len()),
        };
        let mut at = 0;
        let mut any = false;
        while let Some(c) = self.text[at..].chars().next() {
            let (said, bytes) = match escape(&self.text[at..]) {
                Some((said, bytes)) => {
                    any = true;
                    (said, bytes)
                }
                None => (c, c.len_utf8()),
            };
            // As text is read elsewhere: what is written in other characters is the plain one.
            let said = said.to_string();
            let said = folded(&said);
            inner.text.push_str(&said);
            inner.from.extend(said.bytes().map(|_| self.from[at]));
            at += bytes;
        }
        inner.from.push(self.from[at]);
        any.then_some(inner)
    }
}

/// What an escape at the beginning of a text says (RFC 8259, section 7), and its bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    let said = match rest.chars().next()? {
        'u' => {
            let unit = |at: usize| {
                let digits = text.get(at..at + 4)?;
                let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                u32::from_str_radix(digits, 16).ok().filter(|_| hex)
            };
            let high = unit(2)?;
            if let Some(said) = char::from_u32(high) {
                return Some((said, 6));
            }
            let low = text.get(6..8).filter(|mark| *mark == "\\u").and(unit(8))?;
            let both = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
            let said = char::decode_utf16(both).next()?.ok()?;
            return Some((said, 12));
        }
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    };
    Some((said, 2))
}
