//! Texts of which every match of a pattern holds one: where none of them stands, it need not run.

use std::collections::BTreeSet;

use regex_syntax::hir::{Hir, HirKind};

use super::{ByteSet, class_bytes};

type Texts = BTreeSet<Vec<u8>>;

/// How many texts are followed at once; a part that has more says nothing.
const TEXTS_MAX: usize = 256;

/// How many bytes of a text are asked for: more say little more.
const BYTES_MAX: usize = 6;

/// The fewest bytes that a text may have to say something.
const BYTES_MIN: usize = 3;

/// How many bytes of a class are followed, each alone: white space of ASCII has so many.
const CLASS_MAX: u32 = 6;

/// What is known of a part: all that it matches, if that is little, and texts of which every match
/// holds one.
struct Known {
    exact: Option<Texts>,
    held: Option<Texts>,
}

/// Texts in lower case, ASCII, of which every match holds one in some letter case, unless it holds
/// a byte beyond ASCII and the second value says so. `None` if there are no such texts.
pub(super) fn factors(hir: &Hir) -> Option<(Vec<String>, bool)> {
    let known = known(hir);
    let texts = better(known.held, known.exact)?;
    let ascii = texts.iter().filter(|text| text.is_ascii());
    let cut = ascii.map(|text| String::from_utf8_lossy(&text[..text.len().min(BYTES_MAX)]).into());
    let cut: BTreeSet<String> = cut.collect();
    let beyond = texts.iter().any(|text| !text.is_ascii());
    Some((cut.into_iter().collect(), beyond))
}

/// How much it says that one of the texts is there: nothing if one of them is too short.
fn worth(texts: &Texts) -> Option<usize> {
    let shortest = texts.iter().map(Vec::len).min()?;
    (shortest >= BYTES_MIN).then_some(shortest.min(BYTES_MAX))
}

fn better(one: Option<Texts>, other: Option<Texts>) -> Option<Texts> {
    let rank = |texts: &Texts| worth(texts).map(|worth| (worth, TEXTS_MAX - texts.len()));
    let one = one.filter(|texts| worth(texts).is_some());
    let other = other.filter(|texts| worth(texts).is_some());
    match (one, other) {
        (Some(one), Some(other)) if rank(&other) > rank(&one) => Some(other),
        (None, other) => other,
        (one, _) => one,
    }
}

fn exactly(texts: impl IntoIterator<Item = Vec<u8>>) -> Known {
    Known {
        exact: Some(texts.into_iter().collect()),
        held: None,
    }
}

/// Each text followed by each other; `None` if these are too many.
fn product(texts: &Texts, next: &Texts) -> Option<Texts> {
    (texts.len() * next.len() <= TEXTS_MAX).then(|| {
        let joined = |text: &Vec<u8>| {
            let text = text.clone();
            next.iter().map(move |next| [&text[..], next].concat())
        };
        texts.iter().flat_map(joined).collect()
    })
}

fn known(hir: &Hir) -> Known {
    let nothing = Known {
        exact: None,
        held: None,
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => exactly([Vec::new()]),
        HirKind::Literal(literal) => exactly([literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => {
            let set = class_bytes(class);
            let lower = ByteSet::of(|byte| {
                !byte.is_ascii_uppercase() && (set.has(byte) || set.has(byte.to_ascii_uppercase()))
            });
            if lower.len() > CLASS_MAX {
                return nothing;
            }
            exactly(
                (0..=u8::MAX)
                    .filter(|byte| lower.has(*byte))
                    .map(|byte| vec![byte]),
            )
        }
        HirKind::Capture(capture) => known(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = known(&repetition.sub);
            match (repetition.min, repetition.max, sub.exact) {
                (0, Some(1), Some(mut exact)) => {
                    exact.insert(Vec::new());
                    exactly(exact)
                }
                (1, Some(1), exact) => Known {
                    exact,
                    held: sub.held,
                },
                (0, ..) => nothing,
                (.., exact) => Known {
                    exact: None,
                    held: better(sub.held, exact),
                },
            }
        }
        HirKind::Concat(parts) => in_a_row(parts),
        HirKind::Alternation(parts) => one_of(parts),
    }
}

fn in_a_row(parts: &[Hir]) -> Known {
    let mut held = None;
    let mut row: Texts = [Vec::new()].into();
    let mut whole = true;
    for part in parts {
        let part = known(part);
        held = better(held, part.held);
        let longer = part.exact.as_ref().and_then(|exact| product(&row, exact));
        if let Some(longer) = longer {
            row = longer;
            continue;
        }
        whole = false;
        held = better(held, Some(row));
        row = part.exact.unwrap_or_else(|| [Vec::new()].into());
    }
    if whole {
        return Known {
            exact: Some(row),
            held,
        };
    }
    Known {
        exact: None,
        held: better(held, Some(row)),
    }
}

fn one_of(parts: &[Hir]) -> Known {
    let (mut exact, mut held) = (Some(Texts::new()), Some(Texts::new()));
    for part in parts {
        let part = known(part);
        if let Some(all) = &mut exact {
            match &part.exact {
                Some(more) if all.len() + more.len() <= TEXTS_MAX => all.extend(more.clone()),
                _ => exact = None,
            }
        }
        if let Some(all) = &mut held {
            match better(part.held, part.exact) {
                Some(more) if all.len() + more.len() <= TEXTS_MAX => all.extend(more),
                _ => held = None,
            }
        }
    }
    Known { exact, held }
}

#[cfg(test)]
mod tests {
    use crate::detect::facts::factors;

    #[test]
    fn what_a_match_must_hold_is_known() {
        let of = |pattern: &str| factors(&format!("(?i:{pattern})"));
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            of("pass(?:word)?[:=]+"),
            Some((texts(&["pass", "passwo"]), false))
        );
        assert_eq!(
            of("(?:tel|phone)[^a-z]{1,8}"),
            Some((texts(&["phone", "tel"]), false))
        );
        assert_eq!(of("(?:a|phone)[^a-z]{1,8}"), None);
        assert_eq!(of("[a-z]*"), None);
        assert_eq!(of(r"[ \t]-u\D"), Some((texts(&["\t-u", " -u"]), false)));
        assert!(of(r"\s-u\D").is_some());
        assert_eq!(
            of(r"(?:tel|\xD0\xA2\xD0\xB5)\D"),
            Some((texts(&["tel"]), true))
        );
        assert_eq!(
            of("x?(?:key|id_no) ?(?:nr)?"),
            Some((texts(&["id_no", "key"]), false))
        );
    }
}
