//! Whether the run before a space and the one behind it belong together.

use std::ops::Range;

use super::month::{self, Month};
use super::script;

/// What the run before a space is the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Link {
    /// Nothing that words could go on with.
    #[default]
    None,
    /// A month follows: a day, or a day and `of`, stood before the space.
    Day,
    /// The year follows: day and month stood before the space.
    Month,
    /// The day follows: a month stood before the space.
    LeadingMonth,
    /// The year follows: month and day stood before the space.
    LeadingDay,
    /// A name follows behind `==` or `!=`: a text in quotes stood before the space.
    Compared,
}

/// What is around a break between runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) link: Link,
    /// Whether the segment has groups already.
    pub(super) joined: bool,
    /// Whether the segment begins where the text does.
    pub(super) first: bool,
    /// Whether there is no more text.
    pub(super) ended: bool,
}

/// What is at a break between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The next character decides, and is not there.
    More,
    /// They belong together; the space has so many bytes.
    Join(usize, Link),
    /// They do not.
    Break,
}

/// The longest group of letters and digits, in characters.
pub(super) const GROUP_CHARS_MAX: usize = 5;

/// A digit and the longest ending of an ordinal, in bytes.
const ENDING_BYTES: usize = 4;

/// Decides about the break behind `run`.
pub(super) fn decide(text: &str, run: Range<usize>, around: Around) -> Stop {
    let (link, ended) = (around.link, around.ended);
    let word = &text[run.clone()];
    let small = around.first && link == Link::None && is_small(word.as_bytes());
    let mut left = Left::of(word, link);
    left.number |= small;
    let compares = ends_quoted(word.as_bytes()) || link == Link::Compared;
    if left == Left::default() && !compares {
        return Stop::Break;
    }
    let mut wide = false;
    let mut space = match script::joining_space(text, run.end) {
        Some(space) => space,
        None if left.number && around.joined => 0,
        None => return Stop::Break,
    };
    if left.number {
        match wide_gap(text, run.end, space, around.joined) {
            Gap::Wide => (space, wide) = (WIDE_BYTES, true),
            Gap::Line => (space, wide) = (1, true),
            // The second byte of the end of a line decides.
            Gap::Narrow if space == 0 && !ended && text[run.end..] == *"\r" => return Stop::More,
            Gap::Narrow if space == 0 => return Stop::Break,
            Gap::Narrow => {}
        }
    }
    let right = &text[run.end + space..];
    let Some(first) = right.chars().next() else {
        return if ended { Stop::Break } else { Stop::More };
    };
    if compares && !wide {
        match compared(word, first, link) {
            Some(stop) => return Stop::Join(space, stop),
            None if left == Left::default() => return Stop::Break,
            None => {}
        }
    }
    if wide {
        return across_gap(right, first, (space, ended));
    }
    if small && !first.is_ascii_digit() {
        return Stop::Break;
    }
    across_space(left, right, (first, space), around)
}

/// Decides about one space between `left` and what begins with `first`.
fn across_space(left: Left, right: &str, (first, space): (char, usize), around: Around) -> Stop {
    let ended = around.ended;
    if first.is_ascii_digit() {
        let joins = left.number || left.decimal || left.link != Link::None;
        return match left.link {
            _ if !joins => Stop::Break,
            Link::LeadingMonth => Stop::Join(space, Link::LeadingMonth),
            _ => Stop::Join(space, Link::None),
        };
    }
    if left.number && matches!(first, '(' | '+') || left.decimal && first == '-' {
        return Stop::Join(space, Link::None);
    }
    let mut undecided = false;
    if left.number {
        match group(right, of_group, GROUP_CHARS_MAX) {
            Some(true) => return Stop::Join(space, Link::None),
            Some(false) => {}
            None if ended => return Stop::Join(space, Link::None),
            None => undecided = true,
        }
    }
    if left.link == Link::Day || left.link == Link::Month {
        match dated(right, left.link, ended) {
            Dated::Joins(link) => return Stop::Join(space, link),
            Dated::Not => {}
            Dated::More => undecided = true,
        }
    }
    if left.number && around.first {
        match group(right, of_small, SMALL_CHARS_MAX) {
            Some(true) => return Stop::Join(space, Link::None),
            Some(false) => {}
            None if ended => return Stop::Join(space, Link::None),
            None => undecided = true,
        }
    }
    if undecided { Stop::More } else { Stop::Break }
}

/// The most white space that joins two groups, in bytes.
const WIDE_BYTES: usize = 2;

/// White space that is more than one space.
enum Gap {
    Narrow,
    /// Two bytes: two spaces, or the end of a line with a space or a carriage return.
    Wide,
    /// The end of a line.
    Line,
}

/// Whether the white space at `at` joins groups of one number although it is more than a space. The
/// end of a line does so only behind two groups: a column of numbers is none.
fn wide_gap(text: &str, at: usize, space: usize, joined: bool) -> Gap {
    let rest = &text.as_bytes()[at..];
    let second = rest.get(1).copied().unwrap_or(0);
    match rest[0] {
        b' ' if second == b' ' => Gap::Wide,
        b' ' if second == b'\n' && joined => Gap::Wide,
        b'\r' if second == b'\n' && joined => Gap::Wide,
        b'\n' if second == b' ' && joined => Gap::Wide,
        b'\n' if joined && space == 0 => Gap::Line,
        _ => Gap::Narrow,
    }
}

/// Whether groups go on behind more than one space: digits do, and what looks like a group.
fn across_gap(right: &str, first: char, (space, ended): (usize, bool)) -> Stop {
    if first.is_ascii_digit() {
        return Stop::Join(space, Link::None);
    }
    match group(right, of_group, GROUP_CHARS_MAX) {
        Some(true) => Stop::Join(space, Link::None),
        Some(false) => Stop::Break,
        None if ended => Stop::Join(space, Link::None),
        None => Stop::More,
    }
}

/// The longest group of small letters, which counts at the beginning of a text only.
const SMALL_CHARS_MAX: usize = 3;

fn of_small(c: char) -> bool {
    c.is_ascii_lowercase()
}

/// Whether the word may be the small letters of a code: `hh 01 02 03 d`.
pub(super) fn is_small(word: &[u8]) -> bool {
    (1..=SMALL_CHARS_MAX).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase)
}

/// The shortest text in quotes that may be compared with a secret, in bytes.
const QUOTED_BYTES_MIN: usize = 8;

/// Whether the word ends in a quote behind enough to be compared.
pub(super) fn ends_quoted(word: &[u8]) -> bool {
    word.len() >= QUOTED_BYTES_MIN && matches!(word.last(), Some(b'"' | b'\''))
}

/// How `"text" == name` goes on, if that is what stands here.
fn compared(word: &str, next: char, link: Link) -> Option<Link> {
    if link == Link::Compared {
        let operator = (2..=3).contains(&word.len()) && word.bytes().all(|b| b"=!".contains(&b));
        return (operator && (next.is_ascii_alphabetic() || "_$".contains(next)))
            .then_some(Link::None);
    }
    matches!(next, '=' | '!').then_some(Link::Compared)
}

/// What the run before a space could go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Left {
    /// Groups of a number or code.
    number: bool,
    /// The second of two coordinates.
    decimal: bool,
    link: Link,
}

impl Left {
    fn of(word: &str, link: Link) -> Self {
        let bytes = word.as_bytes();
        let mut left = Self::default();
        let Some(last) = bytes.last() else {
            return left;
        };
        // Ordinary words leave here: without a digit at their end they may be a month at most.
        let end = &bytes[bytes.len().saturating_sub(ENDING_BYTES)..];
        let ordinary = last.is_ascii() && !last.is_ascii_uppercase() && *last != b')';
        if ordinary && link == Link::None && !end.iter().any(u8::is_ascii_digit) {
            if month::leads(bytes) {
                left.link = Link::LeadingMonth;
            }
            return left;
        }
        let trimmed = word.strip_suffix([',', ';']);
        left.number = last.is_ascii_digit() || *last == b')' || is_group(word);
        left.decimal = ends_in_decimal(trimmed.unwrap_or(word));
        left.link = match link {
            // `of` and its like stand between.
            Link::Day => Link::Day,
            Link::Month => Link::Month,
            Link::LeadingMonth if day(trimmed.unwrap_or(word)) == Link::Day => Link::LeadingDay,
            _ if month::names(bytes) => Link::LeadingMonth,
            _ => day(word),
        };
        left
    }
}

/// `Link::Day` if the word ends in a day of a month: one or two digits, with an ending at most.
fn day(word: &str) -> Link {
    let end = &word.as_bytes()[word.len().saturating_sub(ENDING_BYTES)..];
    if !end.iter().any(u8::is_ascii_digit) {
        return Link::None;
    }
    let bare = ["st", "nd", "rd", "th", ".", "er", "º", "°"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .unwrap_or(word);
    let digits = bare.bytes().rev().take_while(u8::is_ascii_digit).count();
    let before = bare[..bare.len() - digits].chars().next_back();
    let alone = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | ',' | '-' | '/'));
    if (1..=2).contains(&digits) && alone {
        Link::Day
    } else {
        Link::None
    }
}

/// Whether a capital letter or digit of the scripts in which codes are written.
fn of_group(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, 'Α'..='Ω' | 'А'..='Я')
}

/// Whether the word ends in a short group of capital letters and digits.
fn is_group(word: &str) -> bool {
    // Words end in small letters and marks, and in nothing else of ASCII that could be one.
    let last = word.as_bytes().last().copied().unwrap_or(b' ');
    if last.is_ascii() && !of_group(char::from(last)) {
        return false;
    }
    let mut rest = word.chars().rev();
    let mut letters = 0;
    let before = loop {
        match rest.next() {
            Some(c) if of_group(c) && letters < GROUP_CHARS_MAX => letters += 1,
            other => break other,
        }
    };
    letters > 0 && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// Whether the text begins with a short group; `None` while that is open.
fn group(text: &str, of_group: fn(char) -> bool, most: usize) -> Option<bool> {
    let mut rest = text.chars();
    for letters in 0..=most {
        let c = rest.next()?;
        if !of_group(c) || letters == most {
            return Some(letters > 0 && !c.is_alphanumeric() && c != '_');
        }
    }
    Some(false)
}

fn ends_in_decimal(word: &str) -> bool {
    let bytes = word.as_bytes();
    let decimals = bytes
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let whole = &bytes[..bytes.len() - decimals];
    let point = whole.split_last();
    decimals > 0
        && point.is_some_and(|(p, rest)| *p == b'.' && rest.last().is_some_and(u8::is_ascii_digit))
}

enum Dated {
    Joins(Link),
    Not,
    More,
}

/// The longest name of a month, in characters.
const MONTH_CHARS_MAX: usize = 12;

/// Whether a date goes on in words.
fn dated(right: &str, link: Link, ended: bool) -> Dated {
    let chars = right.chars();
    let length: usize = chars
        .take_while(|c| c.is_alphabetic())
        .take(MONTH_CHARS_MAX + 1)
        .map(char::len_utf8)
        .sum();
    let word = &right[..length];
    let open = length == right.len() && !ended;
    let of = ["of", "de", "del"];
    if open {
        let begins = of.iter().any(|of| of.starts_with(word)) && length > 0
            || link == Link::Day && length > 0 && month::month(word) != Month::No;
        return if begins { Dated::More } else { Dated::Not };
    }
    if of.contains(&word) {
        return Dated::Joins(link);
    }
    if link == Link::Day && month::month(word) == Month::Whole {
        Dated::Joins(Link::Month)
    } else {
        Dated::Not
    }
}
