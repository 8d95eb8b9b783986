//! What only stands for a secret: placeholders of documentation, variables, calls, and the labels
//! that this crate writes itself (what was cleaned must stay as it is when it is cleaned again).

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Parts of a value, in lower case, that no generated secret is likely to hold.
const TELLING: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replaceme",
    "replace_me",
    "replace-me",
    "your_",
    "your-",
    "yourkey",
    "yourtoken",
    "yourpass",
    "yoursecret",
    "mypassword",
    "my_password",
    "insert_",
    "insert-",
    "put_your",
    "_here",
    "-here",
    "goes_here",
    "dummy",
    "fake",
    "sample",
    "redacted",
    "masked",
    "undefined",
    "xxxxx",
    "*****",
    "00000000",
    "1234567890123",
    "abcdefghij",
    "deadbeefdeadbeef",
    "process.env",
    "os.environ",
    "getenv",
    "import.meta",
    "secrets.",
    "vault:",
    "arn:aws:",
    "...",
    "…",
];

/// [`TELLING`] in any letter case: every value that looks like a key is asked about all of them.
static TELLING_PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(TELLING)
        .expect("the parts are few and short")
});

/// How a value begins that a program fills in, or that is a place and no secret.
const BEGINNINGS: &[&str] = &[
    "$",
    "{{",
    "{%",
    "<",
    "%(",
    "%s",
    "%{",
    "%d",
    "#{",
    "@{",
    "&",
    "...",
    "…",
    "http://",
    "https://",
    "file:",
    "/",
    "./",
    "../",
    "~/",
    "env.",
    "env(",
    "var.",
    "self.",
    "this.",
    "config.",
    "settings.",
    "ENC[",
    "sha256:",
    "sha512-",
    "sha1-",
    "sha384-",
];

/// Values that name an encoding or an algorithm, whole and in lower case.
const ALGORITHMS: &[&str] = &[
    "utf-8",
    "utf8",
    "utf-16",
    "utf-16le",
    "latin-1",
    "latin1",
    "iso-8859-1",
    "cp1252",
    "us-ascii",
    "base64",
    "base32",
    "base64url",
    "sha1",
    "sha-1",
    "sha256",
    "sha-256",
    "sha512",
    "sha-512",
    "hs256",
    "rs256",
    "es256",
    "hmac-sha256",
    "argon2",
    "argon2id",
    "argon2i",
    "pbkdf2",
    "sha3-256",
    "md5sum",
    "crypt3",
    "x-api-key",
    "oauth2",
    "oauth1",
    "http2",
    "s3v4",
    "aes-256-gcm",
    "aes256",
];

/// Whether the value stands for something else.
pub(super) fn stands_for_something(value: &str) -> bool {
    TELLING_PARTS.is_match(value)
        || BEGINNINGS.iter().any(|start| value.starts_with(start))
        || holds_reference(value)
        || ALGORITHMS
            .iter()
            .any(|name| name.eq_ignore_ascii_case(value))
        || is_call(value)
        || holds_label(value)
}

/// A reference to a variable in braces: `${NAME}`, `{{name}}`, `#{name}`, `$(name)`, `{name:?}`.
fn holds_reference(value: &str) -> bool {
    const OPENINGS: [(&str, usize, &[&str]); 4] = [
        ("${", 1, &["}", ":"]),
        ("{{", 1, &["}}"]),
        ("$(", 1, &[")"]),
        // One letter in braces may well stand in a password.
        ("{", 2, &["}", ":", "!"]),
    ];
    OPENINGS.iter().any(|(open, least, closes)| {
        value.match_indices(open).any(|(at, _)| {
            let rest = &value[at + open.len()..];
            let name = rest
                .bytes()
                .take_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'$')
                })
                .count();
            name >= *least && closes.iter().any(|close| rest[name..].starts_with(close))
        })
    })
}

/// A function call or an index: `get_token()`, `token_data["x"]`, `String(50)`.
fn is_call(value: &str) -> bool {
    let name = value
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':'))
        .count();
    let rest = &value.as_bytes()[name..];
    name > 0
        && !value.as_bytes()[0].is_ascii_digit()
        && (rest.starts_with(b"(")
            || rest.starts_with(b"[\"")
            || rest.starts_with(b"['")
            || rest.starts_with(b"[") && rest.ends_with(b"]")
            || rest.starts_with(b"[") && rest[1..].iter().all(u8::is_ascii_alphanumeric))
}

/// Whether the value is made of names joined by dots, with a digit or two in each at most:
/// `user.password`, `Type::Name`, `base64.b64encode`.
pub(super) fn is_dotted_name(value: &str) -> bool {
    let mut parts = 0;
    let mut numbered = false;
    for part in value.split("::").flat_map(|part| part.split('.')) {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let word = part
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .any(|word| word.len() >= 3);
        let name = part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if part.is_empty() || !name || digits > 2 || digits > 0 && !word {
            return false;
        }
        parts += 1;
        numbered |= digits > 0;
    }
    parts > 1 || !numbered
}

/// A label in brackets: `[EMAIL]`, `[API_KEY:4f…]`, `<EMAIL_k3…>`, and values with a masked front.
fn holds_label(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.contains("****")
        || bytes.windows(3).any(|three| {
            matches!(three[0], b'[' | b'<')
                && three[1].is_ascii_uppercase()
                && (three[2].is_ascii_uppercase() || three[2] == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_variables_stand_for_something() {
        for text in [
            "changeme",
            "YOUR_API_KEY",
            "<your-key>",
            "${DB_PASSWORD}",
            "$SECRET",
            "{{ .Values.key }}",
            "process.env.API_KEY",
            "os.environ[\"KEY\"]",
            "get_token()",
            "String(50)",
            "/etc/ssl/key.pem",
            "AKIAIOSFODNN7EXAMPLE",
            "[GENERIC_SECRET]",
            "[EMAIL:3f9ac1]",
            "<EMAIL_k3v9q2hd7x>",
            "****1111",
            "%(password)s",
            "UTF-8",
        ] {
            assert!(stands_for_something(text), "{text}");
        }
    }

    #[test]
    fn values_stand_for_themselves() {
        for text in ["hunter2", "Tr0ub4dor&3", "9f.81c", "m{{h}o)p${e]n"] {
            assert!(!stands_for_something(text), "{text}");
        }
    }
}
