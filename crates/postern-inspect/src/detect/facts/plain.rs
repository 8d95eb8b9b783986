//! What of a pattern fits into plain text.

use regex_syntax::hir::{Hir, HirKind};

use super::{ByteSet, class_bytes};

/// The bytes that a match may be made of.
struct Fitting {
    plain: ByteSet,
    /// Those of `plain` that are no letters.
    marks: ByteSet,
    capitals: ByteSet,
}

/// The shortest match that is made of the bytes in `plain` alone, and of capitals that do not
/// follow a letter; `None` if there is none. It may be too small, never too large.
pub(crate) fn plain_min(pattern: &Hir, plain: &ByteSet) -> Option<usize> {
    let fitting = Fitting {
        plain: *plain,
        marks: ByteSet::of(|byte| plain.has(byte) && !byte.is_ascii_alphabetic()),
        capitals: ByteSet::of(|byte| byte.is_ascii_uppercase()),
    };
    fitting.shortest(pattern, &mut true)
}

impl Fitting {
    /// `free` says whether what comes before may end in something else than a letter.
    fn shortest(&self, hir: &Hir, free: &mut bool) -> Option<usize> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(0),
            HirKind::Literal(literal) => {
                for byte in &literal.0 {
                    let fits = self.plain.has(*byte) || *free && self.capitals.has(*byte);
                    if !fits {
                        return None;
                    }
                    *free = !byte.is_ascii_alphabetic();
                }
                Some(literal.0.len())
            }
            HirKind::Class(class) => {
                let set = class_bytes(class);
                let fits = set.meets(&self.plain) || *free && set.meets(&self.capitals);
                *free = set.meets(&self.marks);
                fits.then_some(1)
            }
            HirKind::Repetition(repetition) => {
                let before = *free;
                let mut length = 0;
                for left in (0..repetition.min).rev() {
                    let before = *free;
                    let one = self.shortest(&repetition.sub, free)?;
                    length += one;
                    // All that follow a round which changed nothing are like it.
                    if *free == before {
                        length += one * left as usize;
                        break;
                    }
                }
                if repetition.max != Some(repetition.min) {
                    // Another round may end in a mark.
                    let mut after = *free;
                    let more = self.shortest(&repetition.sub, &mut after).is_some();
                    *free |= more && after || repetition.min == 0 && before;
                }
                Some(length)
            }
            HirKind::Capture(capture) => self.shortest(&capture.sub, free),
            HirKind::Concat(parts) => {
                let mut length = 0;
                for part in parts {
                    length += self.shortest(part, free)?;
                }
                Some(length)
            }
            HirKind::Alternation(parts) => {
                let before = std::mem::replace(free, false);
                let lengths = parts.iter().filter_map(|part| {
                    let mut after = before;
                    let length = self.shortest(part, &mut after)?;
                    *free |= after;
                    Some(length)
                });
                lengths.min()
            }
        }
    }
}
