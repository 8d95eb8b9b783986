//! `multipart/form-data` (RFC 7578), read strictly: parts as their own types say, and what
//! describes them as text.
//!
//! Readers of multipart bodies differ in what they forgive, so nothing is forgiven: no text before
//! the first or after the last boundary, no bare line feeds in heads, no transfer encodings, no
//! boundary inside a part.

use percent_encoding::percent_decode_str;

use crate::InspectError;
use crate::bounds::PARTS_MAX;
use crate::clean::Cleaner;
use crate::document::told_name;

use super::clean_held;
use super::media::{self, Form};
use super::text::no_zeros;

/// Cleans a body; `None` where nothing changes.
///
/// # Errors
/// `DataBlocked`; `CannotInspect` when the body or a part does not have one reading.
pub(super) fn clean(
    body: &[u8],
    boundary: &[u8],
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, InspectError> {
    let odd = || InspectError::cannot("the multipart body is malformed");
    let delimiter = [b"--", boundary].concat();
    let between = [b"\r\n", delimiter.as_slice()].concat();
    let mut rest = body.strip_prefix(delimiter.as_slice()).ok_or_else(odd)?;
    let mut out = delimiter.clone();
    let mut changed = false;
    for _ in 0..PARTS_MAX {
        if rest == b"--" || rest == b"--\r\n" {
            out.extend_from_slice(rest);
            return Ok(changed.then_some(out));
        }
        let part = rest.strip_prefix(b"\r\n").ok_or_else(odd)?;
        let end = memchr::memmem::find(part, &between).ok_or_else(odd)?;
        let clean = clean_part(&part[..end], cleaner)?;
        changed |= clean.is_some();
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(clean.as_deref().unwrap_or(&part[..end]));
        out.extend_from_slice(&between);
        rest = &part[end + between.len()..];
    }
    Err(InspectError::cannot(
        "the multipart body has too many parts",
    ))
}

/// What the head of a part says.
#[derive(Default)]
struct Head {
    name: Option<String>,
    content_type: Option<String>,
}

fn clean_part(part: &[u8], cleaner: &mut Cleaner) -> Result<Option<Vec<u8>>, InspectError> {
    let odd = || InspectError::cannot("a part of the multipart body is malformed");
    let end = memchr::memmem::find(part, b"\r\n\r\n").ok_or_else(odd)?;
    let lines = std::str::from_utf8(&part[..end]).map_err(|_| odd())?;
    let mut out = Vec::with_capacity(part.len());
    let mut head = Head::default();
    let mut changed = false;
    for (count, line) in lines.split("\r\n").enumerate() {
        let clean = clean_line(line, &mut head, cleaner)?;
        changed |= clean.is_some();
        if count > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(clean.as_deref().unwrap_or(line).as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
    let content = &part[end + 4..];
    let name = head.name.ok_or_else(odd)?;
    let clean = clean_content(content, &name, head.content_type.as_deref(), cleaner)?;
    changed |= clean.is_some();
    out.extend_from_slice(clean.as_deref().unwrap_or(content));
    Ok(changed.then_some(out))
}

/// Reads a line of a part's head and cleans it.
fn clean_line(
    line: &str,
    head: &mut Head,
    cleaner: &mut Cleaner,
) -> Result<Option<String>, InspectError> {
    let odd = || InspectError::cannot("the head of a part is malformed");
    let (name, value) = line.split_once(':').ok_or_else(odd)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || !name.bytes().all(token) || value.chars().any(char::is_control) {
        return Err(odd());
    }
    let value = value.trim();
    match name.to_ascii_lowercase().as_str() {
        "content-disposition" if head.name.is_none() => {
            head.name = Some(form_name(value).ok_or_else(odd)?);
        }
        "content-type" if head.content_type.is_none() => {
            head.content_type = Some(value.to_owned());
            return Ok(None);
        }
        "content-transfer-encoding" => {
            let coding = value.to_ascii_lowercase();
            return match coding.as_str() {
                "7bit" | "8bit" | "binary" => Ok(None),
                _ => Err(InspectError::cannot("a part has a transfer encoding")),
            };
        }
        // Twice, or another coding of what follows.
        "content-disposition" | "content-type" | "content-encoding" => return Err(odd()),
        _ => {}
    }
    let clean = cleaner.clean_value("multipart", "", value)?;
    // SECURITY: browsers write some characters of file names as `%22` or behind a backslash: what
    // still hides a value so is not worth writing anew.
    let given = clean.as_deref().unwrap_or(value);
    let unescaped: String = given.replace('\\', "");
    let plain = percent_decode_str(&unescaped).decode_utf8_lossy();
    if plain != given && cleaner.clean_value("multipart", "", &plain)?.is_some() {
        return Err(InspectError::cannot("the name of a part hides a value"));
    }
    // What was turned back into the head may not end a line or a name in it.
    let quotes = |text: &str| text.matches('"').count();
    if let Some(clean) = &clean
        && (quotes(clean) > quotes(value) || clean.chars().any(char::is_control))
    {
        return Err(InspectError::cannot(
            "a value does not fit the head of a part",
        ));
    }
    Ok(clean.map(|clean| format!("{name}: {clean}")))
}

/// The name in `form-data; name="…"`.
fn form_name(value: &str) -> Option<String> {
    let (kind, parameters) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let lower = parameters.to_ascii_lowercase();
    let at = lower
        .match_indices("name=")
        .map(|(at, _)| at)
        .find(|at| *at == 0 || lower[..*at].ends_with([' ', ';', '\t']))?;
    let rest = &parameters[at + "name=".len()..];
    match rest.strip_prefix('"') {
        Some(quoted) => Some(quoted[..quoted.find('"')?].to_owned()),
        None => Some(
            rest[..rest.find(';').unwrap_or(rest.len())]
                .trim()
                .to_owned(),
        ),
    }
}

fn clean_content(
    content: &[u8],
    name: &str,
    content_type: Option<&str>,
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, InspectError> {
    if content.is_empty() {
        return Ok(None);
    }
    // Text without a type is plain text (RFC 7578, section 4.4).
    let form = match content_type {
        None => Form::Plain,
        Some(value) => media::form_of(Some(value))?,
    };
    match form {
        Form::Plain => {
            no_zeros(content)?;
            let text = std::str::from_utf8(content)
                .map_err(|_| InspectError::cannot("a part is not in UTF-8"))?;
            if name == "_charset_" && !text.eq_ignore_ascii_case("utf-8") {
                return Err(InspectError::cannot("the form is not in UTF-8"));
            }
            let clean = cleaner.clean_embedded(told_name(name), &format!("{name}: "), text)?;
            Ok(clean.map(String::into_bytes))
        }
        // Boundaries in boundaries are read in too many ways.
        Form::Parts { .. } => clean_held(&Form::Opaque, content, cleaner),
        form => clean_held(&form, content, cleaner),
    }
}
