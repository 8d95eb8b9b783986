//! E-mail addresses: RFC 5321 and 6531, as people write them.

use postern_types::BuiltinClass::Email;

use crate::detect::{Detector, Edges, Needs};

/// A letter beyond ASCII: of two bytes (Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic and their
/// neighbours), or of three (India, South-East Asia, Georgia, Ethiopia, the Latin letters of
/// Vietnamese, kana, ideographs, hangul). Where the scripts that have no spaces end a name, the
/// segmenter says. Those of four bytes are in no register of hosts.
macro_rules! letter {
    () => {
        concat!(
            r"[\xC3-\xCA\xCC-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]",
            r"|[\xE1\xE4-\xEC][\x80-\xBF]{2}|\xE3[\x81-\xBF][\x80-\xBF]",
            r"|\xE3\x80[\x85-\x87\xA1-\xA9]|\xED[\x80-\x9F][\x80-\xBF]",
            r"|\xEF[\xA4-\xAB][\x80-\xBF]"
        )
    };
}

/// What stands before the sign: 64 bytes by the standard, which not every server keeps to.
macro_rules! local {
    () => {
        concat!(
            r"(?:[0-9A-Za-z_]|",
            letter!(),
            r")(?:[0-9A-Za-z._%+'~-]|",
            letter!(),
            r"){0,254}"
        )
    };
}

/// The domain behind it: 253 letters and marks at most, no two dots in a row, and its last label
/// begins with a letter.
macro_rules! domain {
    () => {
        concat!(
            r"(?:(?:[0-9A-Za-z-]|",
            letter!(),
            r")(?:\.?(?:[0-9A-Za-z-]|",
            letter!(),
            r")){0,250}\.(?:[A-Za-z]|",
            letter!(),
            r")(?:[0-9A-Za-z-]|",
            letter!(),
            r"){0,61}(?:[0-9A-Za-z]|",
            letter!(),
            r")",
            r"|\[(?:(?:\d{1,3}\.){3}\d{1,3}|(?i:ipv6:)[0-9A-Fa-f:.]{2,45})\])"
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
            "⟦root@[192.168.7.1]⟧, ⟦root@[IPv6:fe80::1]⟧",
            "⟦john@a.mx1.mail.dept.faculty.uni-x.ac.uk⟧",
            "⟦ivan@notion.so⟧",
            "⟦ann@example.com.json⟧",
            "⟦ann@163.com.html⟧, ⟦ann@mail.test⟧",
            "⟦john.doe@example.com.html⟧",
            "⟦ann@example.org.-x.yy⟧",
            "⟦d41d8cd98f00b204e9800998ecf8427e@mail.example.com⟧",
            "⟦अजय@उदाहरण.भारत⟧",
            "⟦zhang@例子.公司⟧，⟦张伟@example.com⟧。",
            "我的邮箱是⟦zhang@example.com⟧谢谢",
            "q=⟦a@b.io⟧&r=1",
        ],
        &[
            "hello-world @ here",
            "git@github.com:org/repo.git",
            "ssh://git@gitlab.example.com/x",
            "@scope/package@1.2.3",
            "logo@2x.png",
            "logo@2x.min.js",
            "page@1.x.test.ts",
            "logo@2x.dark.png",
            "grid@3.5.1.slim.min.js",
            "user@host",
            "a@.com",
            "a@b..com",
        ],
    ),
    // A name may stand in quotes, with blanks and marks in it; such a run is not cut at them.
    Detector::new(
        "email_quoted",
        Email,
        Needs::Byte(b'@'),
        concat!(r#""(?:[^"\\\x00-\x1F\x7F]|\\[ -~]){1,62}"@"#, domain!()),
    )
    .edges(Edges::Word)
    .check(address)
    .sure(97)
    .at_most(1400)
    .examples(
        &[
            "⟦\"a.b\"@example.com⟧",
            "to <⟦\"john doe\"@example.com⟧>",
            "⟦\"a \\\"b\\\" c@d\"@example.com⟧",
        ],
        &["say \"hello you\" @ home", "\"john doe\"@host"],
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
const FILES: [&str; 21] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "js", "mjs", "cjs", "ts", "tsx",
    "jsx", "css", "scss", "html", "json", "yaml", "yml", "dylib",
];

fn address(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| plausible(local, domain))
}

fn escaped(text: &str) -> bool {
    text.rsplit_once("%40")
        .is_some_and(|(local, domain)| plausible(local, domain))
}

/// What stands before the ending of a file: `logo@2x.min.js`.
const BEFORE_ENDINGS: [&str; 4] = ["min", "map", "test", "spec"];

/// `git@host` names a service and no person. What follows a whole domain in the same run, label or
/// not, hides no address; where it is the ending of a file, the domain must be one without it.
fn plausible(local: &str, domain: &str) -> bool {
    if domain.starts_with('[') {
        return true;
    }
    let sound = |label: &str| {
        let edged = label.starts_with('-') || label.ends_with('-');
        !edged && (1..=LABEL_LETTERS_MAX).contains(&label.chars().count())
    };
    let top = |label: &str| {
        let code = label.starts_with("xn--");
        let other = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        label.chars().nth(1).is_some() && (code || !label.bytes().any(other))
    };
    let whole = domain.split('.').take_while(|label| sound(label));
    let any = |of: &[&str], label: &str| of.iter().any(|it| it.eq_ignore_ascii_case(label));
    let is_file = any(&FILES, domain.rsplit('.').next().unwrap_or_default());
    let top = |label: &str| match is_file {
        true => top(label) && !any(&FILES, label) && !any(&BEFORE_ENDINGS, label),
        false => top(label),
    };
    local != "git" && whole.skip(1).any(top) && !(is_file && is_edition(domain))
}

/// Whether what stands behind the sign in a file's name is no host: a scale (`logo@2x.dark.png`),
/// or a version (`grid@3.5.1.slim.js`).
fn is_edition(domain: &str) -> bool {
    let mut labels = domain.split('.');
    let first = labels.next().unwrap_or_default();
    let digits = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
    let scale = first.strip_suffix(['x', 'X']);
    scale.is_some_and(digits) || digits(first) && labels.next().is_some_and(digits)
}

/// The letters of a label of a host (RFC 1035, section 2.3.4).
const LABEL_LETTERS_MAX: usize = 63;
