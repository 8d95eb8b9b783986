//! Character references of XML and HTML, so that none of them hides a value.
//!
//! A reference to a printable ASCII character, other than those that markup itself is made of, is
//! written plainly, wherever it stands: `mona&#64;example.com` is `mona@example.com` to every
//! reader, and the document stays the same when it says so. References to the two spaces that may
//! stand inside a number are read and written as references again. All others stay as they are.
//!
//! WHY NOT decode everything: `&lt;` and `&amp;` must stay, and a letter outside of ASCII can be
//! written only in a charset that the document may declare within itself.

mod seams;

use crate::clean::CleanError;

pub(super) use seams::{Part, Seams};

/// Bytes of a reference at most. Longer ones, full of zeros, are written only to hide something.
const REFERENCE_BYTES_MAX: usize = 24;

/// Names of HTML for characters that values hold.
const NAMED: &[(&str, char)] = &[
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("equals", '='),
    ("hyphen", '-'),
    ("dash", '-'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("nbsp", NO_BREAK_SPACE),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("rpar", ')'),
    ("sol", '/'),
    ("thinsp", THIN_SPACE),
];

const NO_BREAK_SPACE: char = '\u{a0}';
const THIN_SPACE: char = '\u{2009}';

/// Reads text with references, in any pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct References {
    /// A reference that has begun: `&` and what followed so far.
    begun: String,
}

impl References {
    /// Takes the next text; `plain` gets it with harmless references resolved.
    ///
    /// # Errors
    /// `CannotInspect` when a reference is longer than any real one.
    pub(super) fn push(&mut self, text: &str, plain: &mut String) -> Result<(), CleanError> {
        let mut rest = text;
        loop {
            if self.begun.is_empty() {
                let Some(at) = memchr::memchr(b'&', rest.as_bytes()) else {
                    plain.push_str(rest);
                    return Ok(());
                };
                plain.push_str(&rest[..at]);
                self.begun.push('&');
                rest = &rest[at + 1..];
            }
            let Some(letter) = rest.chars().next() else {
                return Ok(());
            };
            if self.goes_on(letter) {
                self.begun.push(letter);
                rest = &rest[letter.len_utf8()..];
                if self.begun.len() > REFERENCE_BYTES_MAX {
                    self.give_up(plain)?;
                }
                continue;
            }
            let ended = letter == ';';
            if ended {
                rest = &rest[1..];
            }
            self.resolve(ended, plain);
        }
    }

    /// The text has ended.
    pub(super) fn finish(&mut self, plain: &mut String) {
        if !self.begun.is_empty() {
            self.resolve(false, plain);
        }
    }

    fn goes_on(&self, letter: char) -> bool {
        let body = &self.begun[1..];
        match letter {
            '#' => body.is_empty(),
            'x' | 'X' if body == "#" => true,
            _ if body.starts_with("#x") || body.starts_with("#X") => letter.is_ascii_hexdigit(),
            _ if body.starts_with('#') => letter.is_ascii_digit(),
            _ => letter.is_ascii_alphanumeric(),
        }
    }

    /// A word after `&` that names nothing is text; a number of such length is refused.
    fn give_up(&mut self, plain: &mut String) -> Result<(), CleanError> {
        if self.begun.starts_with("&#") {
            return Err(CleanError::CannotInspect(
                "a character reference is too long",
            ));
        }
        plain.push_str(&self.begun);
        self.begun.clear();
        Ok(())
    }

    fn resolve(&mut self, ended: bool, plain: &mut String) {
        match meaning(&self.begun[1..], ended).filter(|letter| is_harmless(*letter)) {
            Some(letter) => plain.push(letter),
            None => {
                plain.push_str(&self.begun);
                if ended {
                    plain.push(';');
                }
            }
        }
        self.begun.clear();
    }
}

/// The character that a reference stands for. HTML reads numbers also without the semicolon.
fn meaning(body: &str, ended: bool) -> Option<char> {
    if let Some(digits) = body.strip_prefix(['#']) {
        let number = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        return number.ok().and_then(char::from_u32);
    }
    if !ended && body != "nbsp" {
        return None;
    }
    let named = NAMED.iter().find(|(name, _)| *name == body);
    named.map(|(_, letter)| *letter)
}

fn is_harmless(letter: char) -> bool {
    let markup = matches!(letter, '<' | '>' | '&' | '"' | '\'' | '`');
    let space = matches!(letter, '\t' | NO_BREAK_SPACE | THIN_SPACE);
    space || (matches!(letter, ' '..='~') && !markup)
}

/// Writes clean text: the spaces outside of ASCII that were read as references are references.
pub(super) fn write(clean: &str, out: &mut Vec<u8>) {
    let mut rest = clean;
    while let Some(at) = rest.find([NO_BREAK_SPACE, THIN_SPACE]) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let letter = rest[at..].chars().next().unwrap_or(NO_BREAK_SPACE);
        out.extend_from_slice(format!("&#{};", u32::from(letter)).as_bytes());
        rest = &rest[at + letter.len_utf8()..];
    }
    out.extend_from_slice(rest.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, cut: usize) -> Result<String, CleanError> {
        let (mut references, mut plain) = (References::default(), String::new());
        let letters: Vec<char> = text.chars().collect();
        for piece in letters.chunks(cut) {
            references.push(&piece.iter().collect::<String>(), &mut plain)?;
        }
        references.finish(&mut plain);
        Ok(plain)
    }

    #[test]
    fn references_that_could_hide_a_value_are_resolved_and_no_others() {
        let rows = [
            ("mona&#64;example.com", "mona@example.com"),
            ("mona&#x40;example&#46com", "mona@example.com"),
            ("&#X34;&#049;1&commat;", "411@"),
            (
                "a &lt;b&gt; &amp;#64; &quot;&#39;",
                "a &lt;b&gt; &amp;#64; &quot;&#39;",
            ),
            ("AT&T & co; &", "AT&T & co; &"),
            ("4111&nbsp;1111&#160;1", "4111\u{a0}1111\u{a0}1"),
            ("&eacute;&#233;&#xe9;", "&eacute;&#233;&#xe9;"),
            ("&#; &#x; &#99999999999;", "&#; &#x; &#99999999999;"),
            ("&&#64;", "&@"),
            ("a&#10;b", "a&#10;b"),
        ];
        for (text, expected) in rows {
            for cut in 1..=text.len() {
                assert_eq!(
                    read(text, cut).as_deref(),
                    Ok(expected),
                    "{text} cut at {cut}"
                );
            }
        }
        assert!(read(&format!("&#{}64;", "0".repeat(40)), 1).is_err());
    }

    proptest! {
        #[test]
        fn cuts_never_change_what_is_read(
            text in "(&#?x?[0-9a-f]{0,5};?|&[a-z]{1,30};?|[a-z é;#]{1,4}){0,12}", cut in 1usize..9
        ) {
            prop_assert_eq!(read(&text, cut), read(&text, usize::MAX));
        }
    }
}
