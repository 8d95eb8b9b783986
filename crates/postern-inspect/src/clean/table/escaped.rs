//! JSON in a field: what its escapes say is read too, beside the field as it stands.

use super::{CleanError, Cleaner, Flow};
use crate::bounds::JSON_IN_FIELD_MAX;
use crate::clean::plain::Plain;
use crate::detect::fold::folded;
use crate::detect::span::Span;

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
    let mut plain = Plain::new(&folded(field));
    let mut depth = 0;
    while let Some(inner) = plain.decoded(escape) {
        if depth == JSON_IN_FIELD_MAX {
            return Err(CleanError::CannotInspect("JSON in a field is too deep"));
        }
        depth += 1;
        plain = inner;
        let spans = Flow::found_in(name, &plain.text, cleaner)?;
        found.extend(spans.into_iter().map(|span| plain.written(span)));
    }
    Ok(found)
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
