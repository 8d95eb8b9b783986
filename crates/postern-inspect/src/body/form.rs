//! `application/x-www-form-urlencoded`: names and values are decoded, cleaned, and written anew
//! only where they changed.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::InspectError;
use crate::clean::Cleaner;
use crate::document::told_name;

/// Cleans a form; `None` where nothing changes.
///
/// # Errors
/// `DataBlocked`; `CannotInspect` when a part is not text in UTF-8 once decoded.
pub(super) fn clean(body: &[u8], cleaner: &mut Cleaner) -> Result<Option<Vec<u8>>, InspectError> {
    let mut out = Vec::new();
    let mut changed = false;
    for (count, pair) in body.split(|byte| *byte == b'&').enumerate() {
        if count > 0 {
            out.push(b'&');
        }
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], Some(&pair[at + 1..])),
            None => (pair, None),
        };
        let name_text = decode(name)?;
        let clean_name = cleaner.clean_value("form", "", &name_text)?;
        let clean_value = match value {
            None => None,
            Some(value) => {
                let text = decode(value)?;
                // The old way to say that the form is in another charset (HTML, section 4.10.22).
                if name_text == "_charset_" && !text.eq_ignore_ascii_case("utf-8") {
                    return Err(InspectError::cannot("the form is not in UTF-8"));
                }
                let left = format!("{name_text}: ");
                cleaner.clean_embedded(told_name(&name_text), &left, &text)?
            }
        };
        changed |= clean_name.is_some() || clean_value.is_some();
        encode(clean_name.as_deref(), name, &mut out);
        if let Some(value) = value {
            out.push(b'=');
            encode(clean_value.as_deref(), value, &mut out);
        }
    }
    Ok(changed.then_some(out))
}

fn encode(clean: Option<&str>, original: &[u8], out: &mut Vec<u8>) {
    match clean {
        None => out.extend_from_slice(original),
        Some(clean) => {
            for piece in utf8_percent_encode(clean, NON_ALPHANUMERIC) {
                out.extend_from_slice(piece.as_bytes());
            }
        }
    }
}

fn decode(part: &[u8]) -> Result<String, InspectError> {
    let broken = memchr::memchr_iter(b'%', part).any(|at| {
        !part
            .get(at + 1..at + 3)
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return Err(InspectError::cannot(
            "the form has a broken percent-encoding",
        ));
    }
    let spaced: Vec<u8> = part
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let decoded = percent_decode(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| InspectError::cannot("the form is not in UTF-8"))
}
