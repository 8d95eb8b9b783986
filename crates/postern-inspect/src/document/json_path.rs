//! A place in JSON, as a call says it whose arguments come in pieces: `$.a.b[0]`, or
//! `$['a']["b"][0]` (RFC 9535). One place has many spellings, and is one.

/// What stands between the steps of a place: no name has it.
const STEP: u8 = 0;

/// The steps of a place, in one spelling; `None` where it names none, or many.
pub(super) fn steps(path: &str) -> Option<Vec<u8>> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::with_capacity(path.len());
    let mut first = rest.len() == path.len();
    while !rest.is_empty() {
        let name;
        if let Some(inner) = rest.strip_prefix('[') {
            (name, rest) = match inner.as_bytes().first()? {
                b'\'' => quoted(&inner[1..], '\'')?,
                b'"' => quoted(&inner[1..], '"')?,
                _ => number(inner)?,
            };
        } else {
            let inner = match rest.strip_prefix('.') {
                Some(inner) => inner,
                None if first => rest,
                None => return None,
            };
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            (name, rest) = inner.split_at(end);
            if !is_name(name) {
                return None;
            }
        }
        first = false;
        steps.push(STEP);
        steps.extend_from_slice(name.as_bytes());
    }
    Some(steps)
}

/// A name in quotes, and what stands behind its bracket. With an escape in it, it has two readings.
fn quoted(inner: &str, quote: char) -> Option<(&str, &str)> {
    let (name, rest) = inner.split_once(quote)?;
    let is_plain = !name.contains('\\') && !name.contains(char::from(STEP));
    is_plain.then_some((name, rest.strip_prefix(']')?))
}

/// A number, and what stands behind its bracket.
fn number(inner: &str) -> Option<(&str, &str)> {
    let (number, rest) = inner.split_once(']')?;
    let is_plain = number == "0" || !number.is_empty() && !number.starts_with('0');
    let is_number = is_plain && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((number, rest))
}

/// Whether it may stand without quotes.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_is_one_however_it_is_spelled() {
        let rows: [&[&str]; 4] = [
            &["$.a.b", "$['a']['b']", "$[\"a\"].b", "a.b", "['a'].b"],
            &["$.a[0].b", "$['a'][0]['b']", "$.a.0.b"],
            &["$['a b']", "$[\"a b\"]"],
            &["$", ""],
        ];
        let all: Vec<_> = rows.iter().map(|row| steps(row[0]).unwrap()).collect();
        for (row, first) in rows.iter().zip(&all) {
            for path in *row {
                assert_eq!(steps(path).as_ref(), Some(first), "{path}");
            }
        }
        assert!((1..all.len()).all(|at| !all[..at].contains(&all[at])));
        for odd in [
            "$..a",
            "$.*",
            "$[*]",
            "$.a[?@.b]",
            "$[-1]",
            "$[00]",
            "$['a\\'b']",
            "$['a'",
            "$a",
            "$.",
            "$['a']b",
            "$['a\0b']",
            "$[]",
        ] {
            assert_eq!(steps(odd), None, "{odd}");
        }
    }
}
