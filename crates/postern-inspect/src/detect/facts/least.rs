//! What every match of a pattern has at least, and what it can begin with.

use regex_syntax::hir::{Hir, HirKind};

use super::{ByteSet, class_bytes};

/// How many bytes of the set every match holds at least. It may be too small, never too large.
pub(super) fn least(hir: &Hir, set: &ByteSet) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().filter(|byte| set.has(**byte)).count(),
        HirKind::Class(class) => usize::from(class_bytes(class).within(set)),
        HirKind::Repetition(repetition) => {
            let rounds = usize::try_from(repetition.min).unwrap_or(usize::MAX);
            least(&repetition.sub, set).saturating_mul(rounds)
        }
        HirKind::Capture(capture) => least(&capture.sub, set),
        HirKind::Concat(parts) => parts
            .iter()
            .map(|part| least(part, set))
            .fold(0, usize::saturating_add),
        HirKind::Alternation(parts) => {
            let counts = parts.iter().map(|part| least(part, set));
            counts.min().unwrap_or(0)
        }
    }
}

/// The bytes with which a match may begin, and whether nothing at all matches too.
pub(super) fn first(hir: &Hir) -> (ByteSet, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (ByteSet::default(), true),
        HirKind::Literal(literal) => {
            let mut set = ByteSet::default();
            literal.0.first().iter().for_each(|byte| set.add(**byte));
            (set, false)
        }
        HirKind::Class(class) => (class_bytes(class), false),
        HirKind::Repetition(repetition) => {
            let (set, nothing) = first(&repetition.sub);
            (set, nothing || repetition.min == 0)
        }
        HirKind::Capture(capture) => first(&capture.sub),
        HirKind::Concat(parts) => {
            let mut set = ByteSet::default();
            for part in parts {
                let (more, nothing) = first(part);
                set = set.join(&more);
                if !nothing {
                    return (set, false);
                }
            }
            (set, true)
        }
        HirKind::Alternation(parts) => parts.iter().map(first).fold(
            (ByteSet::default(), false),
            |(set, nothing), (more, also)| (set.join(&more), nothing || also),
        ),
    }
}
