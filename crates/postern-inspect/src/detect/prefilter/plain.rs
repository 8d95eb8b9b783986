//! Words and groups in which no row finds anything: how short they are, and of what bytes.

use regex_automata::util::syntax::parse_with;
use regex_syntax::hir::Hir;

use crate::detect::engine::Row;
use crate::detect::facts::{self, ByteSet, syntax};
use crate::detect::{Edges, Needs};

/// What the segmenter must know to pass over words in which nothing can be found.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    /// What the segmenter must know of each byte. Plain words are made of letters and the marks of
    /// prose that no row asks for; a capital behind a letter is not plain.
    pub(crate) kinds: [u8; 256],
    /// For which bytes a word has to be looked at closely: no small letter is one.
    pub(crate) odd: [bool; 256],
    /// A segment that is shorter holds nothing.
    pub(crate) least: usize,
    /// A word of letters and marks of prose that is shorter holds nothing.
    pub(crate) lettered_least: usize,
    /// A segment of these that is shorter holds nothing after text whose last byte, white space
    /// apart, is in `lettered_gate`, nor where it is more than a word.
    pub(crate) lettered_gated_least: usize,
    /// As `gate`, of all rows that may match letters and marks of prose.
    pub(crate) lettered_gate: ByteSet,
    /// A segment of letters, digits and marks of prose that is shorter holds nothing.
    pub(crate) numbered_least: usize,
    /// A plain word that is shorter holds nothing.
    pub(crate) bytes_min: usize,
    /// A plain word that is shorter holds nothing after text whose last byte, white space apart,
    /// is in `gate`.
    pub(crate) gated_min: usize,
    /// The bytes in which the text to the left of a value may end, where a row asks for it.
    pub(crate) gate: ByteSet,
}

/// What is known of a segment without asking for what it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// In bytes.
    pub(crate) length: usize,
    /// What kinds of bytes it holds.
    pub(crate) kinds: u8,
    /// Whether it holds a byte that no plain word has, or a capital behind a letter.
    pub(crate) special: bool,
    /// Whether it is several runs.
    pub(crate) joined: bool,
    /// The last byte before it that is no white space.
    pub(crate) before: u8,
}

/// The marks of prose: words with them are still plain.
const MARKS: &[u8] = b".,;:!?'\"()-*";

impl Plain {
    /// What is plain to the rows.
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut bytes = ByteSet::default();
        (b'A'..=b'Z').chain(b'a'..=b'z').for_each(|b| bytes.add(b));
        let asked = |mark: &u8| {
            let mut needs = rows.iter().map(|row| row.detector.needs);
            needs.any(|needs| needs == Needs::Byte(*mark))
        };
        let before = |mark: &u8| {
            rows.iter().any(|row| {
                // What asks for a digit or a mark never takes a plain word, so that the text to its
                // left does not matter here.
                let of_words = !matches!(row.detector.needs, Needs::Digits(1..) | Needs::Byte(_));
                of_words && gated(row) && row.left_last.has(*mark)
            })
        };
        let mut gate_marks = ByteSet::default();
        for mark in MARKS.iter().filter(|mark| !asked(mark)) {
            bytes.add(*mark);
            if before(mark) {
                gate_marks.add(*mark);
            }
        }
        let kinds = kinds(&bytes, &gate_marks);
        let mut plain = Self {
            odd: odd(&kinds),
            kinds,
            least: rows
                .iter()
                .map(|row| row.facts.bytes_min)
                .min()
                .unwrap_or(0),
            lettered_least: usize::MAX,
            lettered_gated_least: usize::MAX,
            lettered_gate: ByteSet::default(),
            numbered_least: usize::MAX,
            bytes_min: usize::MAX,
            gated_min: usize::MAX,
            gate: ByteSet::default(),
        };
        for row in rows {
            let pattern = parse_with(row.detector.pattern, &syntax());
            let pattern = pattern.expect("a test reads every pattern");
            plain.count_word((row, &pattern), &bytes);
            plain.count_segment((row, &pattern), &bytes);
        }
        plain
    }

    /// Whether a row may find something in such a segment.
    pub(crate) fn is_worth(&self, look: Look) -> bool {
        let Look { length, kinds, .. } = look;
        let gated = || kinds & GATE != 0 || self.gate.has(look.before);
        let worth = look.special
            || look.joined
            || length >= self.bytes_min
            || length >= self.gated_min && gated();
        worth && length >= self.least_of(look)
    }

    /// The length from which such a segment may hold something.
    fn least_of(&self, look: Look) -> usize {
        let gated = || look.kinds & GATE != 0 || self.lettered_gate.has(look.before);
        if look.kinds & (OTHER | STOP) != 0 {
            self.least
        } else if look.kinds & DIGIT != 0 {
            self.numbered_least
        } else if look.joined || gated() {
            self.lettered_gated_least
        } else {
            self.lettered_least
        }
    }

    fn count_word(&mut self, (row, pattern): (&Row, &Hir), bytes: &ByteSet) {
        let Some(min) = plain_min((row, pattern), bytes) else {
            return;
        };
        if gated(row) {
            self.gated_min = self.gated_min.min(min);
            self.gate = self.gate.join(&row.left_last);
        } else {
            self.bytes_min = self.bytes_min.min(min);
        }
    }

    fn count_segment(&mut self, (row, pattern): (&Row, &Hir), bytes: &ByteSet) {
        let mut lettered = *bytes;
        WHITE.iter().for_each(|white| lettered.add(*white));
        if let Some(min) = made_of((row, pattern), &lettered) {
            self.lettered_gated_least = self.lettered_gated_least.min(min);
            if gated(row) {
                self.lettered_gate = self.lettered_gate.join(&row.left_last);
            } else {
                self.lettered_least = self.lettered_least.min(min);
            }
        }
        let mut numbered = lettered;
        (b'0'..=b'9').for_each(|digit| numbered.add(digit));
        if let Some(min) = made_of((row, pattern), &numbered) {
            self.numbered_least = self.numbered_least.min(min);
        }
    }
}

/// A byte that ends a run or is part of a character that may.
pub(crate) const STOP: u8 = 0x80;
/// A byte that no plain word has.
pub(crate) const SPECIAL: u8 = 4;
/// A capital; shifted by one it meets `LETTER` of the byte before.
pub(crate) const CAPITAL: u8 = 2;
/// A digit.
pub(crate) const DIGIT: u8 = 8;
/// A letter.
pub(crate) const LETTER: u8 = 1;
/// A byte that is no letter, no digit and no mark of prose that no row asks for.
pub(crate) const OTHER: u8 = 32;
/// A quote in which the name of an address may stand.
pub(crate) const QUOTE: u8 = 64;
/// A mark in which the text to the left of a value may end, so that a word with it is one with such
/// text before it.
pub(crate) const GATE: u8 = 16;

/// See [`Plain::odd`]: bytes that are not plain, and marks behind which a word may go on.
fn odd(kinds: &[u8; 256]) -> [bool; 256] {
    std::array::from_fn(|index| {
        let odd =
            kinds[index] & (SPECIAL | DIGIT | CAPITAL | GATE) != 0 && kinds[index] & STOP == 0;
        odd || b")\"':".contains(&(index as u8))
    })
}

fn kinds(plain: &ByteSet, gate: &ByteSet) -> [u8; 256] {
    std::array::from_fn(|index| {
        let byte = index as u8;
        let of = |is: bool, kind: u8| if is { kind } else { 0 };
        of(byte <= b' ' || byte >= 0x7f, STOP)
            | of(!plain.has(byte), SPECIAL)
            | of(!plain.has(byte) && !byte.is_ascii_digit(), OTHER)
            | of(gate.has(byte), GATE)
            | of(byte == b'"', QUOTE)
            | of(byte.is_ascii_uppercase(), CAPITAL)
            | of(byte.is_ascii_alphabetic(), LETTER)
            | of(byte.is_ascii_digit(), DIGIT)
    })
}

/// Whether a match of the row in a plain word can only stand at its start, so that what stands left
/// of the word decides: the row asks for text to its left, and no such text ends in a letter or in
/// a mark that is plain and no [`GATE`].
fn gated(row: &Row) -> bool {
    !row.detector.left.is_empty() && row.detector.edges != Edges::Any
}

/// The white space that joins groups in a segment, that beyond ASCII apart.
pub(crate) const WHITE: &[u8] = b" \t\r\n";

/// The length from which a segment of these bytes may hold a match of the row; `None` if none does.
fn made_of((row, pattern): (&Row, &Hir), set: &ByteSet) -> Option<usize> {
    let bytes_min = facts::plain_min(pattern, set)?;
    match row.detector.needs {
        Needs::Literal(texts) | Needs::AnyCase(texts) => texts
            .iter()
            .any(|text| text.bytes().all(|byte| set.has(byte)))
            .then_some(bytes_min),
        Needs::Digits(0) => Some(bytes_min),
        Needs::Digits(count) => set.has(b'0').then_some(bytes_min.max(count)),
        Needs::Run(count) => Some(bytes_min.max(count)),
        Needs::Byte(byte) => set.has(byte).then_some(bytes_min),
    }
}

/// The length from which a plain word may hold a match of the row; `None` if none does. In a plain
/// word a capital stands only where no letter stands before it.
fn plain_min((row, pattern): (&Row, &Hir), plain: &ByteSet) -> Option<usize> {
    let mut small = *plain;
    (b'A'..=b'Z').for_each(|capital| small.remove(capital));
    let bytes_min = facts::plain_min(pattern, &small)?;
    let literal = |text: &&str, any_case: bool| {
        let mut before = b'.';
        text.bytes().all(|byte| {
            let byte = if any_case {
                byte.to_ascii_lowercase()
            } else {
                byte
            };
            let fits =
                small.has(byte) || byte.is_ascii_uppercase() && !before.is_ascii_alphabetic();
            before = byte;
            fits
        })
    };
    match row.detector.needs {
        Needs::Literal(texts) => texts
            .iter()
            .any(|text| literal(text, false))
            .then_some(bytes_min),
        Needs::AnyCase(texts) => texts
            .iter()
            .any(|text| literal(text, true))
            .then_some(bytes_min),
        Needs::Digits(count) => (count == 0).then_some(bytes_min),
        Needs::Run(count) => Some(bytes_min.max(count)),
        Needs::Byte(byte) => plain.has(byte).then_some(bytes_min),
    }
}
