//! What can be known of a pattern before it runs: how short a match may be, and which bytes can
//! go on for ever or stand last. The prefilter and the windows live on it.

use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of all bytes.
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

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

    fn remove_white(mut self) -> (Self, bool) {
        let white = b" \t\r\n\x0b\x0c";
        let had = white.iter().any(|byte| self.has(*byte));
        for byte in white {
            self.0[(byte >> 6) as usize] &= !(1 << (byte & 63));
        }
        (self, had)
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
    pub(crate) bytes: ByteSet,
    /// The bytes of which its last repetition without a bound is made.
    pub(crate) tail: Option<ByteSet>,
    /// The bytes, white space apart, that may stand last in a match.
    pub(crate) last: ByteSet,
}

impl Facts {
    /// Reads a pattern.
    pub(crate) fn read(pattern: &str) -> Result<Self, String> {
        let hir = syntax::parse_with(pattern, &syntax()).map_err(|error| error.to_string())?;
        let properties = hir.properties();
        Ok(Self {
            bytes_min: properties.minimum_len().unwrap_or(0),
            bytes_max: properties.maximum_len(),
            bytes: bytes(&hir),
            tail: tail(&hir),
            last: last(&hir).0,
        })
    }
}

fn class_bytes(class: &Class) -> ByteSet {
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

/// The bytes other than white space that may stand last, and whether all of it may be white space
/// or nothing.
fn last(hir: &Hir) -> (ByteSet, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (ByteSet::default(), true),
        HirKind::Literal(literal) => {
            let mut set = ByteSet::default();
            let solid = literal.0.iter().rfind(|byte| !byte.is_ascii_whitespace());
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
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_can_match_is_known() {
        let facts = Facts::read(r"(?:eyJ|abc)[a-z]{2,4}\.([0-9.]+)").unwrap();
        assert_eq!((facts.bytes_min, facts.bytes_max), (7, None));
        let tail = facts.tail.unwrap();
        assert!(tail.has(b'7') && tail.has(b'.') && !tail.has(b'a'));
        let left = Facts::read(r"password\s*[:=]?\s*").unwrap();
        assert!(left.last.has(b'd') && left.last.has(b'=') && !left.last.has(b' '));
        assert!(!left.last.has(b'p'));
        assert_eq!(left.tail.map(|set| set.has(b' ')), Some(true));
        assert!(Facts::read("(").is_err());
    }
}
