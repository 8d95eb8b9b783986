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

const GROUP_CHARS_MAX: usize = 5;

/// A digit and the longest ending of an ordinal, in bytes.
const ENDING_BYTES: usize = 4;

/// Decides about the break behind `run`.
pub(super) fn decide(text: &str, run: Range<usize>, link: Link, ended: bool) -> Stop {
    let word = &text[run.clone()];
    let left = Left::of(word, link);
    if left == Left::default() {
        return Stop::Break;
    }
    let Some(space) = script::joining_space(text, run.end) else {
        return Stop::Break;
    };
    let right = &text[run.end + space..];
    let Some(first) = right.chars().next() else {
        return if ended { Stop::Break } else { Stop::More };
    };
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
        match group(right) {
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
    if undecided { Stop::More } else { Stop::Break }
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
            if bytes[0].is_ascii_uppercase() && month::leads(word) {
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
            _ if month::leads(word) => Link::LeadingMonth,
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
fn group(text: &str) -> Option<bool> {
    let mut rest = text.chars();
    for letters in 0..=GROUP_CHARS_MAX {
        let c = rest.next()?;
        if !of_group(c) || letters == GROUP_CHARS_MAX {
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
