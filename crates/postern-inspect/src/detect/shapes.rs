//! Which rows can match a segment at all, by its shape: where it has digits, letters and marks.
//!
//! Most numbers of a text are no value of any kind, and what tells that is how many digits they
//! have, what stands between the groups and what stands beside them. So the patterns of rows are
//! read as shapes, in which all digits are one and all letters are another, and one automaton over
//! all shapes says which patterns are worth running. Its states are few, because shapes are.
//!
//! INVARIANT: a shape matches wherever its pattern does with edges that hold; it may match more.

use std::sync::LazyLock;

use regex_automata::util::syntax::parse_with;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Repetition};

use super::engine::Row;
use super::facts::{ByteSet, class_bytes, of_word, syntax};
use super::many::{Many, Patterns};
use super::prefilter::Bits;
use super::{Edges, Needs};

/// The longest match of a row whose shape is told, in bytes: the states grow with it.
const BYTES_MAX: usize = 128;

/// The least that such a match may be at most, in bytes: what is longer is rarely tried.
const BYTES_MIN_MAX: usize = 24;

/// The automaton over the shapes of the rows.
pub(crate) fn shapes(rows: &[Row]) -> Many {
    Many::forward(patterns(rows))
}

/// The shapes of the rows.
pub(super) fn patterns(rows: &[Row]) -> Patterns {
    let mut patterns = Patterns::NONE;
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| fits(row)) {
        let pattern = parse_with(row.detector.pattern, &syntax());
        let pattern = pattern.expect("a test reads every pattern");
        patterns.add(beside(row.detector.edges, shape(&pattern)), index);
    }
    patterns
}

/// The shapes of rows that ask for text to their left, before what may stand behind a match, and
/// the rows that have no shape. To be looked for where a match may begin.
pub(super) fn beginning<'a>(rows: impl Iterator<Item = (usize, &'a Row)>) -> (Patterns, Bits) {
    let (mut patterns, mut others) = (Patterns::NONE, Bits::NONE);
    for (index, row) in rows {
        if row.facts.bytes_max.is_none_or(|max| max > BYTES_MAX) {
            others.set(index);
            continue;
        }
        let pattern = parse_with(row.detector.pattern, &syntax());
        let pattern = pattern.expect("a test reads every pattern");
        let (_, behind) = around(row.detector.edges);
        let shape = Hir::concat(vec![shape(&pattern), behind]);
        patterns.add(shape, index);
    }
    (patterns, others)
}

/// Whether the shape of the row says more than its needs: literals say enough, what stands to the
/// left of others is looked for by itself, and without edges a match may begin at each byte.
fn fits(row: &Row) -> bool {
    let literal = matches!(row.detector.needs, Needs::Literal(_) | Needs::AnyCase(_));
    let short = row.facts.bytes_max.is_some_and(|max| max <= BYTES_MAX);
    !literal
        && row.detector.left.is_empty()
        && row.detector.edges != Edges::Any
        && short
        && row.facts.bytes_min <= BYTES_MIN_MAX
}

/// Digits, letters, what is beyond ASCII, and controls: bytes that are alike in a shape.
static ALIKE: LazyLock<[ByteSet; 4]> = LazyLock::new(|| {
    [
        ByteSet::of(|byte| byte.is_ascii_digit()),
        ByteSet::of(|byte| byte.is_ascii_alphabetic()),
        ByteSet::of(|byte| !byte.is_ascii()),
        ByteSet::of(|byte| byte.is_ascii_control()),
    ]
});

/// The set with all bytes that are like one of its own.
fn widened(set: ByteSet) -> ByteSet {
    let met = ALIKE.iter().filter(|alike| alike.meets(&set));
    met.fold(set, |widened, alike| widened.join(alike))
}

fn one_of(set: ByteSet) -> Hir {
    let mut ranges = Vec::new();
    set.each(|byte| ranges.push(ClassBytesRange::new(byte, byte)));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

fn shape(pattern: &Hir) -> Hir {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let each = |byte: &u8| one_of(widened(ByteSet::of(|other| other == *byte)));
            Hir::concat(literal.0.iter().map(each).collect())
        }
        HirKind::Class(class @ Class::Bytes(_)) => one_of(widened(class_bytes(class))),
        HirKind::Class(class @ Class::Unicode(_)) => characters(class_bytes(class)),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min,
            max: repetition.max,
            greedy: true,
            sub: Box::new(shape(&repetition.sub)),
        }),
        HirKind::Capture(capture) => shape(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(shape).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(shape).collect()),
    }
}

/// The shape of one character of ASCII, or of any beyond it if one begins with a byte of the set.
fn characters(set: ByteSet) -> Hir {
    let ascii = ByteSet::of(|byte| byte.is_ascii());
    let beyond = Hir::repetition(Repetition {
        min: 2,
        max: Some(4),
        greedy: true,
        sub: Box::new(one_of(ByteSet::of(|byte| !byte.is_ascii()))),
    });
    let plain = one_of(widened(set.meet(&ascii)));
    match set.within(&ascii) {
        true => plain,
        false => Hir::alternation(vec![plain, beyond]),
    }
}

/// Stands for the edge of a segment, beside which anything may stand. No text holds this byte, and
/// all that may stand beside a match may be it. WHY NOT assertions: an automaton keeps each one
/// that is not met in each of its states, for each pattern, and they took a third of its room.
pub(super) const EDGE: u8 = 0xff;

/// The shape between what may stand beside it.
fn beside(edges: Edges, shape: Hir) -> Hir {
    let (before, behind) = around(edges);
    match edges {
        Edges::Any => shape,
        // A word in small letters may touch it.
        Edges::Glued => Hir::concat(vec![shape, behind]),
        _ => Hir::concat(vec![before, shape, behind]),
    }
}

/// What may stand before a match and behind it: see [`super::context::edges_hold`].
fn around(edges: Edges) -> (Hir, Hir) {
    if edges == Edges::Any {
        return (Hir::empty(), Hir::empty());
    }
    let marks: &[u8] = match edges {
        Edges::Any | Edges::Word => b"",
        Edges::Number | Edges::Glued => b".-/",
        Edges::Groups => b".-/ ",
        Edges::Key => b"-+/=",
    };
    let but = |is: &dyn Fn(u8) -> bool| one_of(ByteSet::of(|byte| !is(byte)));
    let apart = but(&|byte| of_word(byte) || marks.contains(&byte));
    let mark = one_of(ByteSet::of(|byte| marks.contains(&byte)));
    let no_digit = but(&|byte| byte.is_ascii_digit());
    let (mut before, mut behind) = (vec![apart.clone()], vec![apart]);
    if matches!(edges, Edges::Number | Edges::Groups | Edges::Glued) {
        // Behind such a mark only digits make it a longer number.
        before.push(Hir::concat(vec![no_digit.clone(), mark.clone()]));
        behind.push(Hir::concat(vec![mark, no_digit]));
    }
    if edges == Edges::Key {
        // `name=value`: behind a name one such mark may stand.
        let named = but(&|byte| byte <= b' ' || marks.contains(&byte));
        before.push(Hir::concat(vec![
            named,
            one_of(ByteSet::of(|byte| byte == b'=')),
        ]));
    }
    (Hir::alternation(before), Hir::alternation(behind))
}

#[cfg(test)]
mod tests;
