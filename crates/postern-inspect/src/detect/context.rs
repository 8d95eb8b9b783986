//! What stands beside a match: edges, and the words to its left.

use std::ops::Range;

use super::Edges;

/// The last boundary between characters at or before the offset.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first boundary between characters at or after the offset.
pub(crate) fn ceiling(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Whether a letter of the scripts in which words are written with letters.
pub(crate) fn is_word_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let script = matches!(
        u32::from(c),
        0xaa | 0xb5 | 0xba | 0xc0..=0x24f | 0x250..=0x2af | 0x370..=0x52f | 0x1c80..=0x1c8f
            | 0x1d00..=0x1dbf | 0x1e00..=0x1fff | 0x2c60..=0x2c7f | 0x2de0..=0x2dff
            | 0xa640..=0xa69f | 0xa720..=0xa7ff | 0xab30..=0xab6f
    );
    script && c.is_alphanumeric()
}

/// Whether what stands beside the match, within `text`, may stand there.
pub(crate) fn edges_hold(edges: Edges, text: &str, whole: &Range<usize>) -> bool {
    if edges == Edges::Any {
        return true;
    }
    let (left, right) = (&text[..whole.start], &text[whole.end..]);
    let (mut before, after) = (left.chars().next_back(), right.chars().next());
    if edges == Edges::Glued && ends_in_short_word(left) {
        before = None;
    }
    if before.is_some_and(is_word_letter) || after.is_some_and(is_word_letter) {
        return false;
    }
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mark = |c: Option<char>, marks: &str| c.is_some_and(|c| marks.contains(c));
    let gap = |c: char| c.is_whitespace() && !c.is_ascii_control();
    match edges {
        Edges::Any | Edges::Word => true,
        Edges::Number | Edges::Groups | Edges::Glued => {
            let apart =
                |c: Option<char>| mark(c, ".-/") || edges == Edges::Groups && c.is_some_and(gap);
            let longer_left = apart(before) && digit(left.chars().rev().nth(1));
            let longer_right = apart(after) && digit(right.chars().nth(1));
            !longer_left && !longer_right
        }
        Edges::Key => !mark(before, "-+/=") && !mark(after, "-+/="),
    }
}

/// The longest word that a value may be glued to, in letters: `number` is one.
const GLUED_LETTERS_MAX: usize = 10;

/// Whether the text ends in a short word in small letters with white space before it.
fn ends_in_short_word(left: &str) -> bool {
    let bytes = left.as_bytes();
    let letters = bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_lowercase());
    let letters = letters.take(GLUED_LETTERS_MAX + 1).count();
    let before = bytes[..bytes.len() - letters].last();
    (1..=GLUED_LETTERS_MAX).contains(&letters) && before.is_none_or(u8::is_ascii_whitespace)
}

/// Whether one of the words, in lower case, stands in the text as a whole word.
pub(crate) fn has_word(left: &str, words: &[&str]) -> bool {
    if words.is_empty() {
        return false;
    }
    let left = left.to_lowercase();
    words.iter().any(|word| {
        left.match_indices(word).any(|(at, _)| {
            let before = left[..at].chars().next_back();
            let after = left[at + word.len()..].chars().next();
            let joins = |inner: Option<char>, outer: Option<char>| {
                inner.is_some_and(char::is_alphanumeric) && outer.is_some_and(char::is_alphanumeric)
            };
            !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_in_any_case() {
        assert!(has_word("My CPR-nr: ", &["cpr"]));
        assert!(has_word("SLÆGT født ", &["født"]));
        assert!(has_word("user_ssn=", &["ssn"]));
        assert!(!has_word("classny ", &["ssn", "class"]));
        assert!(has_word("tel.: ", &["tel."]));
    }

    #[test]
    fn edges_are_those_of_the_row() {
        let holds = |edges, text: &str| {
            let at = text.find("123").unwrap();
            edges_hold(edges, text, &(at..at + 3))
        };
        assert!(holds(Edges::Word, "a-123.4") && !holds(Edges::Word, "é123"));
        assert!(holds(Edges::Word, "号123号"));
        assert!(!holds(Edges::Number, "1.123") && holds(Edges::Number, "x.123."));
        assert!(!holds(Edges::Groups, "1 123") && !holds(Edges::Groups, "123 4"));
        assert!(holds(Edges::Groups, "a 123 b"));
        assert!(!holds(Edges::Key, "123=") && holds(Edges::Key, "123:"));
        assert!(holds(Edges::Any, "a123b"));
    }
}
