//! Values found: where they stand, what they are, and which of those that overlap holds.

use std::ops::Range;

use postern_types::{BuiltinClass, DataClass};

use super::facts::ByteSet;

/// What a rule set makes of a class at a confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Nobody asks.
    None,
    /// It is reported and passes.
    Passes,
    /// Something is done about it, the more the greater.
    Acts(u8),
    /// Nothing goes on.
    Blocks,
}

/// A value found: where it stands, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the whole match starts, of which the value may be a part; of
    /// [`Known::Part`], where its value starts.
    pub(crate) matched: usize,
    pub(crate) what: What,
}

/// How much of a value a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Whole,
    /// All of it, and an `@` behind it: letters that are left of it would read as an address.
    BeforeAt,
    /// What is left of it beside a value that it overlaps.
    Part,
}

/// What a span is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Found by a detector or a pattern of a rule.
    Found {
        class: DataClass,
        confidence: u8,
        weight: Weight,
        /// Its place among the detectors, to order equal findings.
        order: usize,
        /// The bytes with which it goes on, where it reaches the end of the window.
        goes_on: Option<ByteSet>,
        known: Known,
    },
    /// A placeholder of ours, and what it stands for.
    Placeholder(String),
    /// The value before it goes on.
    Rest,
}

/// Orders spans and drops those that a better one overlaps. What acts comes before what passes:
/// a value that is only reported must not hide one that may not pass. Of a dropped one that acts,
/// what no other span covers stays as a part, so that nothing of it passes. What stands before
/// `from` is taken already.
pub(crate) fn resolve(text: &str, from: usize, spans: &mut Vec<Span>) {
    // SECURITY: a value that blocks must not be lost in a longer one that is only replaced. Nothing
    // of this text goes on then, so nothing else in it counts.
    if spans.iter().any(Span::blocks) {
        spans.retain(Span::blocks);
    }
    if spans.len() < 2 && spans.first().is_none_or(|span| span.start >= from) {
        return;
    }
    spans.sort_by_key(rank);
    let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
    let mut lost: Vec<&Span> = Vec::new();
    let mut taken_to = from;
    for span in spans.iter().filter(|span| span.acts()) {
        if span.start >= taken_to {
            taken_to = span.end;
            kept.push(span.clone());
        } else if span.end > taken_to {
            lost.push(span);
        }
    }
    if !lost.is_empty() {
        let parts = parts(text, from, &lost, &kept);
        kept.extend(parts);
    }
    kept.sort_by_key(|span| span.start);
    let acting = kept.len();
    let mut taken_to = from;
    for span in spans.iter().filter(|span| !span.acts()) {
        let mut acting = kept[..acting].iter();
        if span.start >= taken_to && !acting.any(|k| k.start < span.end && span.start < k.end) {
            taken_to = span.end;
            kept.push(span.clone());
        }
    }
    kept.sort_by_key(|span| span.start);
    *spans = kept;
}

/// What is left of the spans that lost beside those that are kept; both are in order.
fn parts(text: &str, from: usize, lost: &[&Span], kept: &[Span]) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut beside = kept.iter().peekable();
    let mut at = from;
    for span in lost {
        at = at.max(span.start);
        while at < span.end {
            while beside.next_if(|kept| kept.end <= at).is_some() {}
            let next = beside.peek().map_or(usize::MAX, |kept| kept.start);
            if next <= at {
                at = beside.peek().map_or(span.end, |kept| kept.end);
                continue;
            }
            let end = span.end.min(next);
            parts.extend(span.part(text, at..end));
            at = end;
        }
    }
    parts
}

/// Where it starts, then the longer, the stronger, the surer, the earlier in the tables.
///
/// SECURITY: a number may be one of several kinds, and who names but one of them means it too. So
/// among equal values the stronger action comes before the likelier class.
fn rank(span: &Span) -> (usize, std::cmp::Reverse<(usize, Weight, u8)>, usize) {
    let (weight, confidence, order) = match &span.what {
        What::Found {
            weight,
            confidence,
            order,
            ..
        } => (*weight, *confidence, *order),
        What::Placeholder(_) | What::Rest => (Weight::Blocks, u8::MAX, 0),
    };
    let length = span.end - span.start;
    (
        span.start,
        std::cmp::Reverse((length, weight, confidence)),
        order,
    )
}

impl Span {
    /// Notes whether an `@` stands behind it.
    pub(crate) fn stands_before_at(&mut self, text: &str) {
        if let What::Found { known, .. } = &mut self.what
            && *known == Known::Whole
            && text.as_bytes().get(self.end) == Some(&b'@')
        {
            *known = Known::BeforeAt;
        }
    }

    /// The part of a value that stands there, if that says anything.
    fn part(&self, text: &str, range: Range<usize>) -> Option<Self> {
        let piece = &text[range.clone()];
        if matches!(self.what, What::Placeholder(_)) {
            return None;
        }
        let mut part = self.clone();
        (part.start, part.end, part.matched) = (range.start, range.end, self.start);
        if let What::Found { class, known, .. } = &mut part.what {
            *known = Known::Part;
            // The domain of an address is nobody's.
            let domain = piece.starts_with('@') || piece.starts_with("%40");
            if domain && *class == DataClass::Builtin(BuiltinClass::Email) {
                return None;
            }
        }
        piece.contains(char::is_alphanumeric).then_some(part)
    }

    pub(crate) fn is_part(&self) -> bool {
        matches!(&self.what, What::Found { known, .. } if *known == Known::Part)
    }

    pub(crate) fn weight(&self) -> Weight {
        match &self.what {
            What::Found { weight, .. } => *weight,
            What::Placeholder(_) | What::Rest => Weight::Blocks,
        }
    }

    fn blocks(&self) -> bool {
        matches!(&self.what, What::Found { weight, .. } if *weight == Weight::Blocks)
    }

    pub(crate) fn acts(&self) -> bool {
        match &self.what {
            What::Found { weight, .. } => *weight > Weight::Passes,
            What::Placeholder(_) | What::Rest => true,
        }
    }
}
