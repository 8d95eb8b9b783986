//! E-mail addresses: RFC 5321 and 6531, as people write them.

use postern_types::BuiltinClass::Email;

use crate::detect::{Detector, Edges, Needs};

/// A letter beyond ASCII, of the scripts that words are written with (Latin, Greek, Cyrillic,
/// Armenian, Hebrew, Arabic, and the Latin letters of Vietnamese).
macro_rules! letter {
    () => {
        r"[\xC3-\xCA\xCD-\xDB][\x80-\xBF]|\xE1[\xB8-\xBB][\x80-\xBF]"
    };
}

/// What stands before the sign.
macro_rules! local {
    () => {
        concat!(
            r"(?:(?:[0-9A-Za-z_]|",
            letter!(),
            r")(?:[0-9A-Za-z._%+'~-]|",
            letter!(),
            r"){0,254}",
            r#"|"[0-9A-Za-z.@_+-]{1,62}")"#
        )
    };
}

/// The domain behind it.
macro_rules! domain {
    () => {
        concat!(
            r"(?:(?:(?:[0-9A-Za-z-]|",
            letter!(),
            r"){1,63}\.){1,5}(?:[A-Za-z]|",
            letter!(),
            r")",
            r"(?:[0-9A-Za-z-]|",
            letter!(),
            r"){0,61}(?:[0-9A-Za-z]|",
            letter!(),
            r")",
            r"|\[(?:\d{1,3}\.){3}\d{1,3}\])"
        )
    };
}

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "email",
        Email,
        Needs::Byte(b'@'),
        concat!(local!(), "@", domain!()),
    )
    .edges(Edges::Word)
    .check(address)
    .sure(97)
    .at_most(2000)
    .examples(
        &[
            "to ⟦anna.berg+news@mail.example.org⟧.",
            "<⟦o'neil_7@example.co.uk⟧>",
            "mailto:⟦x@xn--bcher-kva.example⟧?subject=1",
            "⟦søren@blåbær.dk⟧, ⟦иван@пример.рф⟧",
            "⟦\"a.b\"@example.com⟧",
            "⟦root@[192.168.7.1]⟧",
            "q=⟦a@b.io⟧&r=1",
        ],
        &[
            "hello-world @ here",
            "git@github.com:org/repo.git",
            "ssh://git@gitlab.example.com/x",
            "@scope/package@1.2.3",
            "logo@2x.png",
            "user@host",
            "a@.com",
            "a@b..com",
        ],
    ),
    // In addresses of the web and in forms the sign is written as its code.
    Detector::new(
        "email_escaped",
        Email,
        Needs::Literal(&["%40"]),
        concat!(
            r"(?:[0-9A-Za-z_](?:[0-9A-Za-z._~+-]|%2[Bb]){0,254})%40",
            domain!()
        ),
    )
    .edges(Edges::Word)
    .check(escaped)
    .sure(93)
    .at_most(2000)
    .examples(
        &[
            "?mail=⟦anna%40example.org⟧&x=1",
            "/u/⟦anna.berg%2Bnews%40example.org⟧",
        ],
        &["a%40", "x%40y", "git%40github.com"],
    ),
];

/// Endings of files that look like domains: `icon@2x.png`.
const FILES: [&str; 22] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "js", "mjs", "cjs", "ts", "tsx",
    "jsx", "css", "scss", "html", "json", "yaml", "yml", "so", "dylib",
];

fn address(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| plausible(local, domain))
}

fn escaped(text: &str) -> bool {
    text.rsplit_once("%40")
        .is_some_and(|(local, domain)| plausible(local, domain))
}

/// `git@host` names a service, and a long number to base 16 is a token before a host: no person.
fn plausible(local: &str, domain: &str) -> bool {
    if domain.starts_with('[') {
        return true;
    }
    let labels = domain.split('.');
    let sound = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let last = domain.rsplit('.').next().unwrap_or_default();
    let top = last.to_ascii_lowercase();
    let code = top.starts_with("xn--");
    let token = local.len() >= 32 && local.bytes().all(|byte| byte.is_ascii_hexdigit());
    local != "git"
        && !token
        && labels.clone().all(sound)
        && (code
            || !top
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte == b'-'))
        && !FILES.contains(&top.as_str())
}
