//! What can be known of a pattern before it runs: how short a match may be, and which bytes can
//! go on for ever or stand last. The prefilter and the windows live on it.

mod factors;
mod in_row;
mod least;
mod plain;
mod sets;

pub(crate) use self::sets::is_white;
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use self::in_row::in_row;
pub(crate) use self::plain::plain_min;

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of all bytes.
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    pub(crate) fn of(is: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        let fits = (0..=u8::MAX).filter(|byte| is(*byte));
        fits.for_each(|byte| set.add(byte));
        set
    }

    pub(crate) const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }

    pub(crate) const fn add(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    pub(crate) fn join(mut self, other: &Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self
    }

    pub(crate) const fn remove(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] &= !(1 << (byte & 63));
    }

    pub(crate) fn each(&self, act: impl FnMut(u8)) {
        (0..=u8::MAX).filter(|byte| self.has(*byte)).for_each(act);
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the sets have a byte in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .any(|(word, more)| word & more != 0)
    }

    /// Whether the other set has all of its bytes.
    pub(crate) fn within(&self, other: &Self) -> bool {
        let mut words = self.0.iter().zip(other.0);
        words.all(|(word, more)| word & !more == 0)
    }
}

/// How patterns of the tables are read: bytes, and ASCII classes unless they say otherwise.
pub(crate) fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

/// What a pattern can match.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// No match is shorter, in bytes.
    pub(crate) bytes_min: usize,
    /// No match is longer, in bytes; `None` without a bound.
    pub(crate) bytes_max: Option<usize>,
    /// Every byte that a match may hold.
    #[cfg(test)]
    pub(crate) bytes: ByteSet,
    /// The bytes with which a match may begin.
    pub(crate) first: ByteSet,
    /// No match holds fewer digits.
    pub(crate) digits: usize,
    /// Whether matches are made of letters and digits of ASCII and `_` alone.
    pub(crate) of_word: bool,
    /// The bytes of which its last repetition without a bound is made.
    pub(crate) tail: Option<ByteSet>,
    /// The bytes, white space apart, that may stand last in a match.
    pub(crate) last: ByteSet,
    /// Sets of which a match holds a byte each, the smallest first.
    pub(crate) musts: Vec<ByteSet>,
    /// No match holds fewer digits in a row.
    pub(crate) digits_in_row: usize,
    /// No match holds fewer letters, digits and `_` in a row.
    pub(crate) word_in_row: usize,
    /// No match holds fewer bytes in a row of which runs are made, see [`of_run`].
    pub(crate) run_in_row: usize,
    /// Whether white space or nothing matches too.
    may_be_white: bool,
    /// The bytes, white space too, that may stand last, and whether nothing at all matches too.
    end: (ByteSet, bool),
}

impl Facts {
    /// Reads a pattern.
    pub(crate) fn read(pattern: &str) -> Result<Self, String> {
        let hir = syntax::parse_with(pattern, &syntax()).map_err(|error| error.to_string())?;
        let properties = hir.properties();
        Ok(Self {
            bytes_min: properties.minimum_len().unwrap_or(0),
            bytes_max: properties.maximum_len(),
            #[cfg(test)]
            bytes: bytes(&hir),
            first: match least::first(&hir) {
                (_, true) => ByteSet::ALL,
                (set, false) => set,
            },
            digits: least::least(&hir, &ByteSet::of(|byte| byte.is_ascii_digit())),
            of_word: bytes(&hir).within(&ByteSet::of(of_word)),
            tail: tail(&hir),
            last: last(&hir).0,
            musts: musts(&hir),
            digits_in_row: in_row(&hir, &ByteSet::of(|byte| byte.is_ascii_digit())),
            word_in_row: in_row(&hir, &ByteSet::of(of_word)),
            run_in_row: in_row(&hir, &ByteSet::of(of_run)),
            may_be_white: last(&hir).1,
            end: end(&hir),
        })
    }

    /// The bytes, white space too, directly behind which a value may stand if this is what must
    /// stand to its left.
    pub(crate) fn end_of_left(&self) -> ByteSet {
        match self.end {
            (_, true) => ByteSet::ALL,
            (bytes, false) => bytes,
        }
    }

    /// The bytes, white space apart, behind which a value may stand if this is what must stand to
    /// its left.
    pub(crate) fn last_of_left(&self) -> ByteSet {
        if self.may_be_white {
            ByteSet::ALL
        } else {
            self.last
        }
    }
}

/// Whether no edge of a word stands between two such bytes.
pub(crate) const fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether it is a letter, a digit or one of the marks that keys are made of.
pub(crate) const fn of_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.')
}

/// The fewest bytes of the set in a match of the pattern.
pub(crate) fn least(pattern: &str, set: &ByteSet) -> usize {
    let hir = syntax::parse_with(pattern, &syntax());
    hir.map_or(0, |hir| least::least(&hir, set))
}

/// No match of the pattern is longer, in bytes.
pub(crate) fn bytes_max(pattern: &str) -> usize {
    let hir = syntax::parse_with(pattern, &syntax());
    let most = hir.ok().and_then(|hir| hir.properties().maximum_len());
    most.unwrap_or(usize::MAX)
}

/// Texts of which every match of the pattern holds one; see [`factors::factors`].
pub(crate) fn factors(pattern: &str) -> Option<(Vec<String>, bool)> {
    let hir = syntax::parse_with(pattern, &syntax()).ok()?;
    factors::factors(&hir)
}

pub(crate) fn class_bytes(class: &Class) -> ByteSet {
    let mut set = ByteSet::default();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                (range.start()..=range.end()).for_each(|byte| set.add(byte));
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                let (from, to) = (u32::from(range.start()), u32::from(range.end()));
                (from..=to.min(0x7f)).for_each(|byte| set.add(byte as u8));
                if to > 0x7f {
                    (0x80..=0xff).for_each(|byte| set.add(byte));
                }
            }
        }
    }
    set
}

/// How many sets of a pattern are asked for before it runs: the smallest say nearly all.
const MUSTS_MAX: usize = 4;

/// The smallest sets of which every match holds a byte.
fn musts(hir: &Hir) -> Vec<ByteSet> {
    let mut sets = Vec::new();
    must(hir, &mut sets);
    sets.sort_by_key(ByteSet::len);
    sets.dedup();
    sets.truncate(MUSTS_MAX);
    sets
}

fn must(hir: &Hir, sets: &mut Vec<ByteSet>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => sets.extend(literal.0.iter().map(|byte| {
            let mut set = ByteSet::default();
            set.add(*byte);
            set
        })),
        HirKind::Class(class) => sets.push(class_bytes(class)),
        HirKind::Repetition(repetition) if repetition.min > 0 => must(&repetition.sub, sets),
        HirKind::Repetition(_) => {}
        HirKind::Capture(capture) => must(&capture.sub, sets),
        HirKind::Concat(parts) => parts.iter().for_each(|part| must(part, sets)),
        HirKind::Alternation(parts) => {
            // One of the alternatives matches, so a byte of one of their smallest sets is there.
            let mut any = ByteSet::default();
            for part in parts {
                match musts(part).first() {
                    Some(set) => any = any.join(set),
                    None => return,
                }
            }
            sets.push(any);
        }
    }
}

/// Every byte that a match may hold.
fn bytes(hir: &Hir) -> ByteSet {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => ByteSet::default(),
        HirKind::Literal(literal) => {
            let mut set = ByteSet::default();
            literal.0.iter().for_each(|byte| set.add(*byte));
            set
        }
        HirKind::Class(class) => class_bytes(class),
        HirKind::Repetition(repetition) => bytes(&repetition.sub),
        HirKind::Capture(capture) => bytes(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(ByteSet::default(), |set, part| set.join(&bytes(part))),
    }
}

fn tail(hir: &Hir) -> Option<ByteSet> {
    match hir.kind() {
        HirKind::Repetition(repetition) if repetition.max.is_none() => Some(bytes(&repetition.sub)),
        HirKind::Repetition(repetition) => tail(&repetition.sub),
        HirKind::Capture(capture) => tail(&capture.sub),
        HirKind::Concat(parts) => parts.iter().rev().find_map(tail),
        HirKind::Alternation(parts) => parts
            .iter()
            .filter_map(tail)
            .reduce(|set, other| set.join(&other)),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => None,
    }
}

/// The bytes that may stand last, white space too, and whether nothing at all may.
fn end(hir: &Hir) -> (ByteSet, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (ByteSet::default(), true),
        HirKind::Literal(literal) => {
            let mut set = ByteSet::default();
            literal.0.last().iter().for_each(|byte| set.add(**byte));
            (set, false)
        }
        HirKind::Class(class) => (class_bytes(class), false),
        HirKind::Repetition(repetition) => {
            let (set, nothing) = end(&repetition.sub);
            (set, nothing || repetition.min == 0)
        }
        HirKind::Capture(capture) => end(&capture.sub),
        HirKind::Concat(parts) => {
            let mut set = ByteSet::default();
            for part in parts.iter().rev() {
                let (more, nothing) = end(part);
                set = set.join(&more);
                if !nothing {
                    return (set, false);
                }
            }
            (set, true)
        }
        HirKind::Alternation(parts) => parts.iter().map(end).fold(
            (ByteSet::default(), false),
            |(set, nothing), (more, also)| (set.join(&more), nothing || also),
        ),
    }
}

/// The bytes other than white space that may stand last, and whether all of it may be white space
/// or nothing.
fn last(hir: &Hir) -> (ByteSet, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (ByteSet::default(), true),
        HirKind::Literal(literal) => {
            let mut set = ByteSet::default();
            let solid = literal.0.iter().rfind(|byte| !is_white(**byte));
            if let Some(byte) = solid {
                set.add(*byte);
            }
            (set, solid.is_none())
        }
        HirKind::Class(class) => class_bytes(class).remove_white(),
        HirKind::Repetition(repetition) => {
            let (set, white) = last(&repetition.sub);
            (set, white || repetition.min == 0)
        }
        HirKind::Capture(capture) => last(&capture.sub),
        HirKind::Concat(parts) => {
            let mut set = ByteSet::default();
            for part in parts.iter().rev() {
                let (more, white) = last(part);
                set = set.join(&more);
                if !white {
                    return (set, false);
                }
            }
            (set, true)
        }
        HirKind::Alternation(parts) => parts
            .iter()
            .map(last)
            .fold((ByteSet::default(), false), |(set, white), (more, also)| {
                (set.join(&more), white || also)
            }),
    }
}

#[cfg(test)]
mod tests;
