//! Which detectors are worth running on a segment: one pass over its bytes answers for all.
//!
//! A row says what a segment must hold ([`Needs`]). Literals of all rows are one automaton; single
//! bytes, digits and runs are counted. Most words of prose are letters only and shorter than every
//! detector that could match such a word, which the segmenter knows from a table of bytes: these
//! never come here.

mod block;
mod count;
mod plain;

pub(crate) use self::block::{BLOCK_BYTES, white_and_small};
pub(crate) use self::count::{Held, length_bit};
pub(crate) use self::plain::{
    CAPITAL, DIGIT, GATE, LETTER, Look, OTHER, Plain, QUOTE, SPECIAL, STOP, WHITE,
};
use super::Needs;
use super::engine::Row;
use super::facts::{self, ByteSet};
use super::literals::{Literals, State};

/// Rows of a table of detectors, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bits([u64; ROWS_MAX / 64]);

/// The rows that the bits have room for; tables are constants, so a test holds it.
pub(crate) const ROWS_MAX: usize = 640;

impl Bits {
    pub(crate) const NONE: Self = Self([0; ROWS_MAX / 64]);

    pub(crate) fn set(&mut self, row: usize) {
        self.0[row / 64] |= 1 << (row % 64);
    }

    pub(crate) fn has(&self, row: usize) -> bool {
        self.0[row / 64] >> (row % 64) & 1 == 1
    }

    pub(crate) fn unset(&mut self, row: usize) {
        self.0[row / 64] &= !(1 << (row % 64));
    }

    /// How many rows they have in common.
    pub(crate) fn common(&self, other: &Self) -> usize {
        let both = self.0.iter().zip(&other.0).map(|(word, more)| word & more);
        // Most are empty, and to count costs more than to see that.
        both.filter(|word| *word != 0)
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    pub(crate) fn drop(&mut self, other: &Self) {
        for (word, less) in self.0.iter_mut().zip(other.0) {
            *word &= !less;
        }
    }

    /// Whether they have a row in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .any(|(word, more)| word & more != 0)
    }

    /// Drops those of `covered` that are not in `also`.
    pub(crate) fn keep_of(&mut self, covered: &Self, also: &Self) {
        let both = self.0.iter_mut().zip(covered.0).zip(also.0);
        for ((word, covered), also) in both {
            *word &= !covered | also;
        }
    }

    /// The rows that they have in common.
    pub(crate) fn meet(mut self, other: &Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word &= more;
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        let (mut index, mut word) = (0, self.0[0]);
        std::iter::from_fn(move || {
            while word == 0 {
                index += 1;
                word = *self.0.get(index)?;
            }
            let bit = word.trailing_zeros() as usize;
            word &= word - 1;
            Some(index * 64 + bit)
        })
    }
}

/// The compiled prefilter.
#[derive(Debug)]
pub(crate) struct Prefilter {
    literals: Literals<LITERAL_CLASSES>,
    /// For each literal, the rows that ask for it, and whether its letter case counts.
    asked: Vec<(usize, bool)>,
    texts: Vec<String>,
    /// The rows that a literal picks.
    by_literal: Bits,
    /// The rows that something else picks, and that hold one of their literals besides.
    literal_too: Bits,
    by_byte: Vec<(u8, Bits)>,
    by_digits: Vec<Bits>,
    by_run: Vec<Bits>,
    /// Fewer digits pick no row, and no shorter run does.
    digits_least: usize,
    run_least: usize,
    /// The rows of which a match may be so short, in bytes.
    by_length: Vec<Bits>,
    /// The rows of which a match may do with so few digits in a row.
    by_digits_in_row: Vec<Bits>,
    /// The rows of which a match may do with so short a run.
    by_run_in_row: Vec<Bits>,
    byte_set: ByteSet,
    pub(crate) plain: Plain,
}

const COUNT_MAX: usize = 128;

/// More than the literals of all rows have letters and marks.
const LITERAL_CLASSES: usize = 64;

impl Prefilter {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut built = Self {
            literals: Literals::new::<&str>(&[]),
            asked: Vec::new(),
            texts: Vec::new(),
            by_literal: Bits::NONE,
            literal_too: Bits::NONE,
            by_byte: Vec::new(),
            by_digits: vec![Bits::NONE; COUNT_MAX + 1],
            by_run: vec![Bits::NONE; COUNT_MAX + 1],
            digits_least: 0,
            run_least: 0,
            by_length: vec![Bits::NONE; COUNT_MAX + 1],
            by_digits_in_row: vec![Bits::NONE; COUNT_MAX + 1],
            by_run_in_row: vec![Bits::NONE; COUNT_MAX + 1],
            byte_set: ByteSet::default(),
            plain: Plain::of(rows),
        };
        for (index, row) in rows.iter().enumerate() {
            built.add(index, row);
            built.by_length[row.facts.bytes_min.min(COUNT_MAX)].set(index);
            built.by_digits_in_row[row.facts.digits_in_row.min(COUNT_MAX)].set(index);
            built.by_run_in_row[row.facts.run_in_row.min(COUNT_MAX)].set(index);
        }
        let counted = [
            &mut built.by_digits,
            &mut built.by_run,
            &mut built.by_length,
            &mut built.by_digits_in_row,
            &mut built.by_run_in_row,
        ];
        for counts in counted {
            for count in 1..=COUNT_MAX {
                let less = counts[count - 1];
                counts[count].join(&less);
            }
        }
        let least = |counts: &[Bits]| counts.iter().take_while(|rows| rows.is_empty()).count();
        built.digits_least = least(&built.by_digits);
        built.run_least = least(&built.by_run);
        built.literals = Literals::new(&built.texts);
        built
    }

    fn add(&mut self, row: usize, known: &Row) {
        match known.detector.needs {
            Needs::Literal(texts) => self.literals(row, texts, true),
            Needs::AnyCase(texts) => self.literals(row, texts, false),
            // What asks for more digits has no letters to look for.
            Needs::Digits(2..) => {}
            _ => self.factors(row, known),
        }
        match known.detector.needs {
            Needs::Literal(_) | Needs::AnyCase(_) => self.by_literal.set(row),
            Needs::Digits(count) => {
                let count = count.max(known.facts.digits);
                self.by_digits[count.min(COUNT_MAX)].set(row);
            }
            Needs::Run(count) => self.by_run[count.min(COUNT_MAX)].set(row),
            Needs::Byte(byte) => {
                self.byte_set.add(byte);
                match self.by_byte.iter_mut().find(|(known, _)| *known == byte) {
                    Some((_, rows)) => rows.set(row),
                    None => {
                        let mut rows = Bits::NONE;
                        rows.set(row);
                        self.by_byte.push((byte, rows));
                    }
                }
            }
        }
    }

    fn literals(&mut self, row: usize, texts: &'static [&'static str], case: bool) {
        self.asked.extend(texts.iter().map(|_| (row, case)));
        self.texts
            .extend(texts.iter().map(|text| (*text).to_owned()));
    }

    /// Texts of which every match holds one, if there are such.
    fn factors(&mut self, row: usize, known: &Row) {
        if let Some((texts, false)) = facts::factors(known.detector.pattern) {
            self.literal_too.set(row);
            self.asked.extend(texts.iter().map(|_| (row, false)));
            self.texts.extend(texts);
        }
    }

    /// The rows whose needs the segment meets, and what the segment holds.
    pub(crate) fn pick(&self, segment: &[u8], wanted: &Bits) -> Option<(Bits, Held)> {
        let held = Held::of(segment);
        let special = self.byte_set.meets(&held.bytes);
        let mut found = Bits::NONE;
        let literal = self.find_literals(segment, &mut found);
        if !literal && !special && held.digits < self.digits_least && held.longest < self.run_least
        {
            return None;
        }
        let mut of_bytes = Bits::NONE;
        if special {
            for (byte, rows) in &self.by_byte {
                if held.bytes.has(*byte) {
                    of_bytes.join(rows);
                }
            }
        }
        let of_digits = &self.by_digits[held.digits.min(COUNT_MAX)];
        let of_run = &self.by_run[held.longest.min(COUNT_MAX)];
        let of_length = &self.by_length[segment.len().min(COUNT_MAX)];
        let of_digits_in_row = &self.by_digits_in_row[held.digits_in_row.min(COUNT_MAX)];
        let of_run_in_row = &self.by_run_in_row[held.longest.min(COUNT_MAX)];
        // One pass over the words of the machine: this is asked of each segment.
        let mut picked = Bits::NONE;
        for (at, word) in picked.0.iter_mut().enumerate() {
            let needed = of_digits.0[at] | of_run.0[at] | of_bytes.0[at];
            let found = found.0[at];
            let needed = needed & (!self.literal_too.0[at] | found);
            let needed = needed | found & self.by_literal.0[at];
            *word = needed & wanted.0[at] & of_length.0[at];
            *word &= of_digits_in_row.0[at] & of_run_in_row.0[at];
        }
        (!picked.is_empty()).then_some((picked, held))
    }

    /// Whether a literal stands in the segment, and the rows that ask for those that do.
    fn find_literals(&self, segment: &[u8], found: &mut Bits) -> bool {
        let mut state = State::default();
        let mut any = false;
        for (at, byte) in segment.iter().enumerate() {
            state = self.literals.next(state, *byte);
            if state.ends() {
                any |= self.tell(&segment[..=at], state, found);
            }
        }
        any
    }

    /// [`Self::find_literals`] where some end.
    #[cold]
    fn tell(&self, segment: &[u8], state: State, found: &mut Bits) -> bool {
        let mut any = false;
        for index in self.literals.texts(state) {
            let index = usize::from(*index);
            let (row, case) = self.asked[index];
            if !case || segment.ends_with(self.texts[index].as_bytes()) {
                found.set(row);
                any = true;
            }
        }
        any
    }
}
