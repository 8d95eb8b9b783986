//! What stands beside a match: edges, and the words to its left.

use std::ops::Range;

use super::Edges;
use super::facts::is_white;
use crate::bounds::LEFT_BYTES;

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
        Edges::Key => {
            // `name=value`: no key has one `=` inside.
            let named = |c: char| c.is_alphanumeric() || "_]'\"".contains(c);
            let assigned = before == Some('=') && left.chars().rev().nth(1).is_some_and(named);
            (assigned || !mark(before, "-+/=")) && !mark(after, "-+/=")
        }
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
    (1..=GLUED_LETTERS_MAX).contains(&letters) && before.is_none_or(|byte| is_white(*byte))
}

/// What stands between the parts of a name where a text would have a blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// Nothing does.
    None,
    /// This byte does: the `_` of `card_number`, the `-` of `card-number`.
    Here,
    /// A part begins with this byte: `cardNumber`, `USSsn` before `Ssn`.
    Before,
}

/// What joint of a name is at the byte.
#[inline]
pub(crate) fn joint(bytes: &[u8], at: usize) -> Joint {
    let byte = bytes[at];
    if byte.is_ascii_lowercase() || at == 0 {
        return Joint::None;
    }
    let (before, after) = (bytes[at - 1], bytes.get(at + 1));
    let after = |is: fn(&u8) -> bool| after.is_some_and(is);
    match byte {
        b'_' | b'-' if before.is_ascii_alphanumeric() && after(u8::is_ascii_alphanumeric) => {
            Joint::Here
        }
        b'A'..=b'Z' if before.is_ascii_lowercase() => Joint::Before,
        b'A'..=b'Z' if before.is_ascii_uppercase() && after(u8::is_ascii_lowercase) => {
            Joint::Before
        }
        _ => Joint::None,
    }
}

/// Text to the left of a value with blanks at the joints of names.
pub(crate) struct Spaced {
    bytes: [u8; 2 * LEFT_BYTES],
    length: usize,
}

impl Spaced {
    /// `None` where no name has joints. Of a longer text than a row may ask about, the end.
    pub(crate) fn of(left: &str) -> Option<Self> {
        let asked = asked(left);
        let first = (0..asked.len()).find(|at| joint(asked, *at) != Joint::None)?;
        let mut bytes = [0; 2 * LEFT_BYTES];
        bytes[..first].copy_from_slice(&asked[..first]);
        let mut length = first;
        for at in first..asked.len() {
            let joint = joint(asked, at);
            bytes[length] = match joint {
                Joint::None => asked[at],
                Joint::Here | Joint::Before => b' ',
            };
            length += 1;
            if joint == Joint::Before {
                bytes[length] = asked[at];
                length += 1;
            }
        }
        Some(Self { bytes, length })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length])
            .expect("bytes of ASCII were put between characters")
    }
}

/// The end of the text to the left of a value that a row may ask about.
pub(crate) fn asked(left: &str) -> &[u8] {
    &left.as_bytes()[ceiling(left, left.len().saturating_sub(LEFT_BYTES))..]
}

/// The text to the left of a value, as far as words in it speak of the value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'t> {
    /// From the name of something else on, if one numbers the value.
    text: &'t str,
    /// Whether the name of something else stands directly before the value.
    pub(crate) otherwise: bool,
}

impl<'t> Named<'t> {
    /// What is named in the text to the left of a value.
    pub(crate) fn by(left: &'t str) -> Self {
        let other = other_name(left);
        let numbering = other.filter(|other| other.numbers);
        Self {
            text: &left[numbering.map_or(0, |other| other.at)..],
            otherwise: other.is_some(),
        }
    }

    /// Whether one of the words, in lower case, stands there as a whole word; the parts of a name
    /// (`cardNumber`, `card_number`) are words.
    pub(crate) fn has_word(&self, words: &[&str]) -> bool {
        if words.iter().any(|word| stands_in(self.text, word)) {
            return true;
        }
        // Two letters between capitals are there by accident in every key.
        let mut words = words.iter().filter(|word| word.len() > 2).peekable();
        words.peek().is_some()
            && Spaced::of(self.text)
                .is_some_and(|spaced| words.any(|word| stands_in(spaced.text(), word)))
    }
}

/// Whether the word, in lower case, stands in the text as a whole word. Scripts that are written
/// without spaces have no edges of words.
fn stands_in(text: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c != '_' && is_word_letter(c));
    let joins = |inner: Option<char>, outer: Option<char>| letter(inner) && letter(outer);
    let lead = word.as_bytes().first().copied().unwrap_or(0);
    // What is beyond ASCII may be a lead in lower case, and only its letters are looked at closely.
    let begins = |byte: u8| match lead.is_ascii() && byte.is_ascii() {
        true => byte.to_ascii_lowercase() == lead,
        // In the middle of a character nothing begins.
        false => byte & 0xc0 != 0x80,
    };
    let mut from = 0;
    while let Some(next) = text.as_bytes()[from..]
        .iter()
        .position(|byte| begins(*byte))
    {
        let at = from + next;
        from = at + 1;
        let whole = begun(&text[at..], word).is_some_and(|length| {
            let before = text[..at].chars().next_back();
            let after = text[at + length..].chars().next();
            !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
        });
        if whole {
            return true;
        }
    }
    false
}

/// The letter in lower case; the sigma that ends a word as the other one, since in capitals they
/// are one.
pub(crate) fn small(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().map(|c| if c == 'ς' { 'σ' } else { c })
}

/// How many bytes of the text are the word, in any letter case, with which it begins. A `_` or `-`
/// of the word may be a blank.
fn begun(text: &str, word: &str) -> Option<usize> {
    let mut left = text.char_indices();
    let mut open = word.chars();
    let mut wanted = open.next();
    while wanted.is_some() {
        let (_, c) = left.next()?;
        for small in small(c) {
            let blank = small == ' ' && matches!(wanted, Some('_' | '-'));
            let same =
                wanted.is_some_and(|wanted| wanted == small || wanted == 'ς' && small == 'σ');
            if !same && !blank {
                return None;
            }
            wanted = open.next();
        }
    }
    Some(left.offset())
}

/// What is numbered in daily business and is nobody's id, in words of daily English: a sentence
/// may end in them and go on with a value of another name.
const COMMON_OTHERS: [&str; 8] = [
    "order", "orders", "invoice", "ticket", "tracking", "serial", "build", "version",
];

/// A word so common that it is such a name only where a number is spoken of: `part no.`
const PART: &str = "part";

/// More of that, in words that stand before such numbers alone.
const OTHERS: [&str; 9] = [
    "sku",
    "ean",
    "isbn",
    "bestellung",
    "rechnung",
    "ordre",
    "faktura",
    "pedido",
    "commande",
];

/// The name of such a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Other {
    /// Where it starts.
    at: usize,
    /// Whether the value is its number for certain: `order no. 1234`, and not `for this order:`.
    numbers: bool,
}

/// The name of such a thing, if one stands directly before a value: `order 1234`.
fn other_name(left: &str) -> Option<Other> {
    const NUMBER: [&str; 7] = ["number", "nr", "no", "num", "id", "nummer", "numero"];
    let mut rest = left.trim_end_matches(|c: char| " :=#.\"'\t".contains(c));
    let last = |text: &str| {
        let letters = text.bytes().rev().take_while(u8::is_ascii_alphabetic);
        text.len() - letters.count()
    };
    let mut numbers = left[rest.len()..].contains('#');
    let at = last(rest);
    if NUMBER
        .iter()
        .any(|name| rest[at..].eq_ignore_ascii_case(name))
    {
        numbers = true;
        rest = rest[..at].trim_end_matches([' ', '_', '-']);
    }
    let at = last(rest);
    let known = |name: &&str| rest[at..].eq_ignore_ascii_case(name);
    if COMMON_OTHERS.iter().any(known) || numbers && known(&PART) {
        return Some(Other { at, numbers });
    }
    let other = Other { at, numbers: true };
    OTHERS.iter().any(known).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_word(left: &str, words: &[&str]) -> bool {
        Named::by(left).has_word(words)
    }

    #[test]
    fn words_are_whole_and_in_any_case() {
        assert!(has_word("My CPR-nr: ", &["cpr"]));
        assert!(has_word("SLÆGT født ", &["født"]));
        assert!(has_word("user_ssn=", &["ssn"]));
        assert!(!has_word("classny ", &["ssn", "class"]));
        assert!(has_word("tel.: ", &["tel."]));
        assert!(has_word("ΤΑΥΤΌΤΗΤΑΣ ", &["ταυτότητας"]));
        assert!(has_word("ταυτότητας ", &["ταυτότητας"]));
        assert!(has_word("私のマイナンバーは ", &["マイナンバー"]));
    }

    #[test]
    fn parts_of_names_are_words() {
        let words = ["social security", "passport", "cpr-nr", "cc"];
        for name in [
            "socialSecurityNumber\": \"",
            "userSocialSecurity",
            "SOCIAL_SECURITY: ",
            "social-security=",
            "USPassport ",
            "myPassportNo",
            "cprNr: ",
            "cpr_nr: ",
            "my_cc",
        ] {
            assert!(has_word(name, &words), "{name}");
        }
        for name in [
            "passports",
            "aCcB",
            "socialSecurities",
            "antisocial_security",
        ] {
            assert!(!has_word(name, &words), "{name}");
        }
        let shown = |left| Spaced::of(left).map(|spaced| spaced.text().to_owned());
        assert_eq!(shown("a_b-c dEF-GHi_"), Some("a b c d EF G Hi_".to_owned()));
        assert_eq!(shown("é-b _c plain"), None);
        let longest = "aB".repeat(LEFT_BYTES);
        assert_eq!(
            shown(&longest).map(|text| text.len()),
            Some(2 * LEFT_BYTES - LEFT_BYTES / 2)
        );
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
    fn a_common_word_before_a_number_hides_no_name() {
        assert!(has_word("My SSN for this order: ", &["ssn"]));
        assert!(has_word("My SSN, see order ", &["ssn"]) && has_word("NHS ticket ", &["nhs"]));
        assert!(!has_word("My SSN, see order #", &["ssn"]) && !has_word("NHS, SKU ", &["nhs"]));
        let others = ["order ", "ticket: ", "part no. ", "part #"];
        assert!(others.iter().all(|left| other_name(left).is_some()));
        assert_eq!(other_name("I sent it in part: "), None);
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
        assert!(!holds(Edges::Key, "a==123") && !holds(Edges::Key, "=123"));
        assert!(holds(Edges::Key, "a=123") && !holds(Edges::Key, "a/123"));
        assert!(holds(Edges::Any, "a123b"));
    }
}
