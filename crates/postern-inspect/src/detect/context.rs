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
        // On the left `=` is no padding: `mac=AC-70-…`.
        Edges::Key => !mark(before, "-+/") && !mark(after, "-+/="),
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

/// The text in lower case and, where names of programs stand in it (`nhsNumber`, `tax_id`), once
/// more with their words apart.
pub(crate) fn spoken(text: &str) -> String {
    let mut spoken = text.to_lowercase();
    let mut apart = String::new();
    let (mut taken, mut from) = (0, None);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let small = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
        let starts_word = byte.is_ascii_uppercase()
            && at > 0
            && (small(at - 1)
                || bytes[at - 1].is_ascii_uppercase() && small(at + 1) && small(at + 2));
        if !starts_word && !matches!(byte, b'_' | b'-') {
            continue;
        }
        from.get_or_insert(taken);
        apart.push_str(&text[taken..at]);
        apart.push(' ');
        taken = at + usize::from(!starts_word);
    }
    if from.is_some() {
        apart.push_str(&text[taken..]);
        spoken.push('\n');
        spoken.push_str(&apart.to_lowercase());
    }
    spoken
}

/// Whether one of the words, in lower case, stands in the text as a whole word, and the last thing
/// that is named in it is nothing else.
pub(crate) fn has_word(left: &str, words: &[&str]) -> bool {
    if words.is_empty() {
        return false;
    }
    let named = other_name(left).map_or(left, |at| &left[at..]);
    let spoken = spoken(named);
    words.iter().any(|word| stands_in(&spoken, word))
}

/// Whether the word stands in the text as a whole. Scripts that are written without spaces have
/// no edges of words.
fn stands_in(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let letter = |c: Option<char>| c.is_some_and(|c| c != '_' && is_word_letter(c));
        let joins = |inner: Option<char>, outer| letter(inner) && letter(outer);
        !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
    })
}

/// What is numbered in daily business and is nobody's id.
const OTHERS: [&str; 18] = [
    "order",
    "orders",
    "invoice",
    "ticket",
    "tracking",
    "serial",
    "part",
    "sku",
    "ean",
    "isbn",
    "build",
    "version",
    "bestellung",
    "rechnung",
    "ordre",
    "faktura",
    "pedido",
    "commande",
];

/// Where the name of such a thing starts that stands directly before a value: `order no. 1234`.
pub(crate) fn other_name(left: &str) -> Option<usize> {
    const NUMBER: [&str; 7] = ["number", "nr", "no", "num", "id", "nummer", "numero"];
    let mut rest = left.trim_end_matches(|c: char| " :=#.\"'\t".contains(c));
    let last = |text: &str| {
        let letters = text.bytes().rev().take_while(u8::is_ascii_alphabetic);
        text.len() - letters.count()
    };
    let at = last(rest);
    if NUMBER
        .iter()
        .any(|name| rest[at..].eq_ignore_ascii_case(name))
    {
        rest = rest[..at].trim_end_matches([' ', '_', '-']);
    }
    let at = last(rest);
    let known = |name: &&str| rest[at..].eq_ignore_ascii_case(name);
    OTHERS.iter().any(known).then_some(at)
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
        assert!(has_word("私のマイナンバーは ", &["マイナンバー"]));
    }

    #[test]
    fn names_of_programs_are_words_too() {
        assert!(has_word("{\"nhsNumber\":\"", &["nhs"]));
        assert!(has_word("NHSNumber: ", &["nhs"]));
        assert!(has_word("tax_id: ", &["tax id"]) && has_word("tax_id: ", &["tax_id"]));
        assert!(has_word("socialInsuranceNumber=", &["social insurance"]));
        assert!(!has_word("inhsNumber", &["nhs"]) && !has_word("McNhs", &["mcn"]));
    }

    #[test]
    fn what_is_named_last_counts() {
        assert!(!has_word("the patient's order no. ", &["patient"]));
        assert!(!has_word("NHS, invoice: #", &["nhs"]) && !has_word("nhs_order_id=", &["nhs"]));
        assert!(has_word("order for patient ", &["patient"]));
        assert!(has_word("in order, NHS ", &["nhs"]) && has_word("invoice number ", &["number"]));
        assert_eq!(other_name("border 12 "), None);
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
        assert!(!holds(Edges::Key, "123=") && holds(Edges::Key, "a=123:"));
        assert!(holds(Edges::Any, "a123b"));
    }
}
