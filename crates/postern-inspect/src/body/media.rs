//! What a media type says about where the text of a body is.

use crate::InspectError;
use crate::clean::TableKind;

/// The form of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON document.
    Document,
    /// A JSON document a line.
    Lines,
    /// Text without a structure that matters here.
    Plain,
    /// CSV, or values between tabs.
    Table(TableKind),
    /// XML or HTML: text with character references.
    Markup { html: bool },
    /// `application/x-www-form-urlencoded`.
    Pairs,
    /// `multipart/form-data`.
    Parts { boundary: Vec<u8> },
    /// `text/event-stream`.
    Events,
    /// Known not to be text, or not known to be.
    Opaque,
    /// No type is said.
    Unknown,
}

/// Types outside `text/` that are text all the same.
const TEXT_TYPES: &[&str] = &[
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/jwt",
    "application/sql",
    "application/toml",
    "application/x-javascript",
    "application/x-sh",
    "application/x-yaml",
    "application/yaml",
];

/// Types of values in rows and columns; the last two have tabs between them.
const TABLE_TYPES: [&str; 7] = [
    "text/csv",
    "application/csv",
    "application/x-csv",
    "text/comma-separated-values",
    "text/x-csv",
    "text/tab-separated-values",
    "text/tsv",
];

const LINE_TYPES: &[&str] = &[
    "application/json-lines",
    "application/json-seq",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    "application/x-json-lines",
    "application/x-jsonlines",
    "application/x-ndjson",
    "text/jsonl",
    "text/x-ndjson",
];

/// Reads a `Content-Type` header.
///
/// # Errors
/// `CannotInspect` when the type has no single reading, or its text is in another charset than
/// UTF-8.
pub(super) fn form_of(content_type: Option<&str>) -> Result<Form, InspectError> {
    let Some(value) = content_type
        .map(str::trim)
        .filter(|value| !value.is_empty())
    else {
        return Ok(Form::Unknown);
    };
    let (media, parameters) = split(value)?;
    let form = form_of_media(&media, &parameters)?;
    if !matches!(form, Form::Opaque) {
        check_charset(&parameters)?;
    }
    Ok(form)
}

fn form_of_media(media: &str, parameters: &[(String, String)]) -> Result<Form, InspectError> {
    Ok(match media {
        "application/json" | "text/json" | "application/x-json" => Form::Document,
        "application/x-www-form-urlencoded" => Form::Pairs,
        "multipart/form-data" => Form::Parts {
            boundary: boundary(parameters)?,
        },
        "text/event-stream" => Form::Events,
        "text/html" => Form::Markup { html: true },
        "text/xml" | "application/xml" => Form::Markup { html: false },
        _ if TABLE_TYPES.contains(&media) => Form::Table(TableKind {
            tabs: TABLE_TYPES[TABLE_TYPES.len() - 2..].contains(&media),
            // RFC 4180, section 3.
            header: !has(parameters, "header", "absent"),
        }),
        // Their text is written in escapes and encodings of their own.
        "text/rtf" => Form::Opaque,
        _ if LINE_TYPES.contains(&media) => Form::Lines,
        _ if media.ends_with("+json") => Form::Document,
        _ if media.ends_with("+xml") => Form::Markup { html: false },
        _ if media.starts_with("text/") || TEXT_TYPES.contains(&media) => Form::Plain,
        _ => Form::Opaque,
    })
}

fn has(parameters: &[(String, String)], name: &str, value: &str) -> bool {
    let said = |(known, said): &(String, String)| known == name && said.eq_ignore_ascii_case(value);
    parameters.iter().any(said)
}

fn boundary(parameters: &[(String, String)]) -> Result<Vec<u8>, InspectError> {
    // RFC 2046, section 5.1.1.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let value = parameters.iter().find(|(name, _)| name == "boundary");
    value
        .map(|(_, value)| value.as_bytes())
        .filter(|value| (1..=70).contains(&value.len()))
        .filter(|value| value.iter().all(|byte| allowed(*byte)) && !value.ends_with(b" "))
        .map(<[u8]>::to_vec)
        .ok_or_else(|| InspectError::cannot("the multipart body has no usable boundary"))
}

fn check_charset(parameters: &[(String, String)]) -> Result<(), InspectError> {
    let charset = parameters.iter().find(|(name, _)| name == "charset");
    let known = charset.is_none_or(|(_, value)| {
        let value = value.to_ascii_lowercase();
        matches!(value.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")
    });
    if known {
        Ok(())
    } else {
        Err(InspectError::cannot("the text is not in UTF-8"))
    }
}

/// Type and parameters, names in lower case (RFC 9110, section 8.3.1).
fn split(value: &str) -> Result<(String, Vec<(String, String)>), InspectError> {
    let odd = || InspectError::cannot("the media type is malformed");
    let token = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/*".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    let (media, mut rest) = value.split_once(';').unwrap_or((value, ""));
    let media = media.trim().to_ascii_lowercase();
    if !token(&media) || media.split('/').count() != 2 {
        return Err(odd());
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Ok((media, parameters));
        }
        let (name, after) = rest.split_once('=').ok_or_else(odd)?;
        let name = name.to_ascii_lowercase();
        let (value, left) = parameter(after).ok_or_else(odd)?;
        // The first or the last: readers differ.
        if !token(&name) || parameters.iter().any(|(known, _)| *known == name) {
            return Err(odd());
        }
        parameters.push((name, value));
        rest = left;
    }
}

/// A parameter's value, quoted or not, and what stands after it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let value = text[..end].trim_end();
        let plain = !value.is_empty() && !value.contains(['"', ' ', '\t', ',']);
        return plain.then(|| (value.to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = quoted[at + 1..].trim_start_matches([' ', '\t']);
                return (rest.is_empty() || rest.starts_with(';')).then_some((value, rest));
            }
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_form_or_is_refused() {
        let parts = |boundary: &[u8]| Form::Parts {
            boundary: boundary.to_vec(),
        };
        let table = |tabs, header| Some(Form::Table(TableKind { tabs, header }));
        let rows: [(&str, Option<Form>); 25] = [
            ("application/json", Some(Form::Document)),
            (
                "Application/Problem+JSON ; charset=\"UTF-8\"",
                Some(Form::Document),
            ),
            ("application/x-ndjson", Some(Form::Lines)),
            ("text/csv; header=present", table(false, true)),
            ("Application/CSV;header=Absent", table(false, false)),
            ("text/tab-separated-values", table(true, true)),
            ("text/html;charset=utf-8", Some(Form::Markup { html: true })),
            ("image/svg+xml", Some(Form::Markup { html: false })),
            ("application/x-www-form-urlencoded", Some(Form::Pairs)),
            ("multipart/form-data; boundary=a-b", Some(parts(b"a-b"))),
            ("multipart/form-data; boundary=\"a b\"", Some(parts(b"a b"))),
            ("multipart/mixed; boundary=a", Some(Form::Opaque)),
            ("text/event-stream", Some(Form::Events)),
            ("image/png", Some(Form::Opaque)),
            (
                "application/octet-stream; charset=latin1",
                Some(Form::Opaque),
            ),
            ("", Some(Form::Unknown)),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=\"a\u{e9}\"", None),
            ("text/plain; charset=utf-16", None),
            ("text/plain; charset=iso-8859-1", None),
            ("text/plain; charset=utf-8; charset=utf-7", None),
            ("text/plain, application/json", None),
            ("text", None),
            ("text/plain; charset=\"utf-8", None),
            ("text/plain; charset", None),
        ];
        for (value, form) in rows {
            assert_eq!(form_of(Some(value)).ok(), form, "{value}");
        }
        assert_eq!(form_of(None), Ok(Form::Unknown));
    }
}
