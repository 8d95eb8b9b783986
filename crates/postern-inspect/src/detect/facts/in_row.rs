//! What every match of a pattern holds in a row.

use regex_syntax::hir::{Hir, HirKind};

use super::{ByteSet, class_bytes};

/// The bytes of a set that a match holds in a row at least.
#[derive(Debug, Clone, Copy)]
struct InRow {
    /// Whether it is made of such bytes alone.
    all: bool,
    first: usize,
    last: usize,
    most: usize,
}

impl InRow {
    const fn of(all: bool, count: usize) -> Self {
        Self {
            all,
            first: count,
            last: count,
            most: count,
        }
    }

    fn then(self, next: Self) -> Self {
        let joint = self.last + next.first;
        Self {
            all: self.all && next.all,
            first: if self.all { joint } else { self.first },
            last: if next.all { joint } else { next.last },
            most: self.most.max(next.most).max(joint),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            all: self.all && other.all,
            first: self.first.min(other.first),
            last: self.last.min(other.last),
            most: self.most.min(other.most),
        }
    }
}

/// How many rounds of a repetition are counted: no number is asked for that is longer.
const ROUNDS_MAX: u32 = 64;

/// How many bytes of the set every match holds in a row. It may be too small, never too large.
pub(super) fn in_row(hir: &Hir, set: &ByteSet) -> usize {
    counted(hir, set).most
}

fn counted(hir: &Hir, set: &ByteSet) -> InRow {
    let nothing = InRow::of(true, 0);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => nothing,
        HirKind::Literal(literal) => literal.0.iter().fold(nothing, |so_far, byte| {
            let own = set.has(*byte);
            so_far.then(InRow::of(own, usize::from(own)))
        }),
        HirKind::Class(class) => {
            let own = class_bytes(class).within(set);
            InRow::of(own, usize::from(own))
        }
        HirKind::Repetition(repetition) => {
            let round = counted(&repetition.sub, set);
            let rounds = repetition.min.min(ROUNDS_MAX);
            let least = (0..rounds).fold(nothing, |so_far, _| so_far.then(round));
            if repetition.max == Some(repetition.min) {
                return least;
            }
            // More rounds may follow; those of such bytes alone only make a row longer.
            InRow {
                all: least.all && round.all,
                last: if round.all {
                    least.last
                } else {
                    least.last.min(round.last)
                },
                ..least
            }
        }
        HirKind::Capture(capture) => counted(&capture.sub, set),
        HirKind::Concat(parts) => parts
            .iter()
            .fold(nothing, |so_far, part| so_far.then(counted(part, set))),
        HirKind::Alternation(parts) => parts
            .iter()
            .map(|part| counted(part, set))
            .reduce(InRow::or)
            .unwrap_or(nothing),
    }
}
