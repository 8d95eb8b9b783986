//! JSON that calls itself something else.
//!
//! Servers of PHP call what they send HTML unless they are told otherwise, other ones call JSON
//! text, and curl calls what it is given a form. Whoever asked for JSON reads it as JSON: its
//! escapes are letters, and its fields are those that rules name. So a body of such a type that
//! begins like a document of JSON is held to its end, and read as one if it is one.

use crate::InspectError;
use crate::clean::Cleaner;

use super::fields;

/// Bytes of white space that are kept until more comes.
const BLANK_BYTES_MAX: usize = 4096;

/// The byte order mark.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// What the beginning of a body tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// It may go either way.
    Open,
    /// White space, and much of it.
    Blank,
    Json,
    Other,
}

/// Tells by the first two marks of a body whether it begins like JSON: an object, or a list of what
/// is more than numbers. `[1]` and `{{name}}` begin texts.
pub(super) fn guess(body: &[u8]) -> Guess {
    if MARK.starts_with(body) {
        return Guess::Open;
    }
    let text = body.strip_prefix(MARK).unwrap_or(body).trim_ascii_start();
    let Some((first, rest)) = text.split_first() else {
        return match body.len() > BLANK_BYTES_MAX {
            true => Guess::Blank,
            false => Guess::Open,
        };
    };
    let next: &[u8] = match first {
        b'{' => b"\"}",
        b'[' => b"{[\"",
        _ => return Guess::Other,
    };
    match rest.trim_ascii_start().first() {
        None if rest.len() > BLANK_BYTES_MAX => Guess::Other,
        None => Guess::Open,
        Some(second) if next.contains(second) => Guess::Json,
        Some(_) => Guess::Other,
    }
}

/// Whether rules look into fields, which JSON alone has.
pub(super) fn names_fields(cleaner: &Cleaner) -> bool {
    !cleaner.rules().fields(cleaner.direction()).is_empty()
}

/// What is left of a body after it was read as JSON.
pub(super) enum Read {
    /// It is JSON: this is the new one, if it changes.
    Json(Option<Vec<u8>>),
    /// It is not.
    Other,
}

/// Cleans a body as the JSON that it may be.
///
/// # Errors
/// As [`fields::clean_document`].
pub(super) fn clean(body: &[u8], cleaner: &mut Cleaner) -> Result<Read, InspectError> {
    if guess(body) != Guess::Json {
        return Ok(Read::Other);
    }
    let document = body.strip_prefix(MARK).unwrap_or(body);
    match serde_json::from_slice::<serde::de::IgnoredAny>(document) {
        Ok(_) => {}
        // SECURITY: what is nested too deep to be looked at is no text for that.
        Err(error) if error.to_string().starts_with("recursion limit") => {}
        Err(_) => return Ok(Read::Other),
    }
    Ok(Read::Json(fields::clean_document(body, cleaner)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_marks_tell_json_from_text() {
        for (body, told) in [
            ("", Guess::Open),
            (" \r\n", Guess::Open),
            ("\u{feff} {", Guess::Open),
            ("{ \"a\"", Guess::Json),
            ("{}", Guess::Json),
            ("[ {", Guess::Json),
            ("[[", Guess::Json),
            ("\u{feff}[\"a", Guess::Json),
            ("[1] and", Guess::Other),
            ("{{name}}", Guess::Other),
            ("<a>", Guess::Other),
            ("a", Guess::Other),
        ] {
            assert_eq!(guess(body.as_bytes()), told, "{body}");
        }
        assert_eq!(guess(&MARK[..2]), Guess::Open);
        assert_eq!(guess(&[b' '; BLANK_BYTES_MAX + 1]), Guess::Blank);
        let stretched = format!("[{}", " ".repeat(BLANK_BYTES_MAX + 1));
        assert_eq!(guess(stretched.as_bytes()), Guess::Other);
    }
}
