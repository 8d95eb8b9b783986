//! Everything that is found in one text: for figures about the detectors, and for their tests.

use std::ops::Range;
use std::sync::OnceLock;

use postern_types::{BuiltinClass, DataClass};

use super::context::floor;
use super::engine::{ENGINE, Engine, Wanted};
use super::facts::ByteSet;
use super::fold::{self, Places};
use super::span::{Span, Weight, What};
use super::words::Near;
use crate::segment::{Segmenter, Step};

/// A value in a text: where it stands and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it is.
    pub class: DataClass,
    /// The detector that found it.
    pub detector: &'static str,
    /// How sure it is, in percent.
    pub confidence: u8,
}

/// Finds every value in a text of which a built-in detector is at least so sure, in percent.
#[must_use]
pub fn detect(text: &str, confidence_min: u8) -> Vec<Detected> {
    let wanted = WANTED[usize::from(confidence_min.min(100))]
        .get_or_init(|| ENGINE.wanted(|_, confidence| confidence >= confidence_min));
    scan_for(&ENGINE, text, wanted, confidence_min)
}

/// Finds every value of one class, as a rule does that names no other: also those that [`detect`]
/// tells as values of a likelier class.
#[must_use]
pub fn detect_class(text: &str, class: BuiltinClass, confidence_min: u8) -> Vec<Detected> {
    let asked = |other, confidence| other == class && confidence >= confidence_min;
    scan_for(&ENGINE, text, &ENGINE.wanted(asked), confidence_min)
}

/// The rows for each confidence: texts may be many and short.
static WANTED: [OnceLock<Wanted>; 101] = [const { OnceLock::new() }; 101];

#[cfg(test)]
pub(super) fn scan(engine: &'static Engine, text: &str, confidence_min: u8) -> Vec<Detected> {
    let wanted = engine.wanted(|_, confidence| confidence >= confidence_min);
    scan_for(engine, text, &wanted, confidence_min)
}

fn scan_for(
    engine: &'static Engine,
    text: &str,
    wanted: &Wanted,
    confidence_min: u8,
) -> Vec<Detected> {
    if text.is_ascii() || fold::next(text, 0).is_none() {
        return scan_folded(engine, text, wanted, confidence_min);
    }
    let places = Places::of(text);
    let mut found = scan_folded(engine, &places.text, wanted, confidence_min);
    for detected in &mut found {
        let Range { start, end } = detected.range;
        detected.range = places.written(start)..places.written(end);
    }
    found
}

fn scan_folded(
    engine: &'static Engine,
    text: &str,
    wanted: &Wanted,
    confidence_min: u8,
) -> Vec<Detected> {
    let judge = |_: &DataClass, confidence| {
        if confidence >= confidence_min {
            Weight::Acts(0)
        } else {
            Weight::None
        }
    };
    let mut segmenter = Segmenter::new("");
    let mut spans: Vec<Span> = Vec::new();
    let mut near = Near::default();
    loop {
        match segmenter.step(text, &engine.prefilter.plain, true) {
            Step::More => break,
            Step::Segment(start, end) => {
                let alone = segmenter.is_alone(text, start, end);
                spans.extend(engine.find(text, (start..end, alone), wanted, &mut near, &judge));
            }
            Step::Window(start, end, first) => {
                let found = engine.find(text, (start..end, false), wanted, &mut near, &judge);
                let settled = settle(text, found, start..end, first);
                spans.extend(settled.spans);
                segmenter.cut(text, settled.cut, settled.goes_on);
            }
            Step::Rest(_, end) => {
                if let Some(last) = spans.last_mut() {
                    last.end = end;
                }
            }
        }
    }
    let detected = |span: Span| match span.what {
        What::Found {
            class,
            confidence,
            order,
            ..
        } => Some(Detected {
            range: span.start..span.end,
            class,
            detector: engine.rows[order].detector.id,
            confidence,
        }),
        What::Placeholder(_) | What::Rest => None,
    };
    spans.into_iter().filter_map(detected).collect()
}

/// What a window came to.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The findings that start in its first half.
    pub(crate) spans: Vec<Span>,
    /// Where what is not settled starts.
    pub(crate) cut: usize,
    /// How the last value goes on, if it has no end yet.
    pub(crate) goes_on: Option<ByteSet>,
}

/// Judges a window: what starts before `first` is settled.
pub(crate) fn settle(text: &str, found: Vec<Span>, window: Range<usize>, first: usize) -> Settled {
    let mut settled = Settled {
        spans: Vec::new(),
        cut: first,
        goes_on: None,
    };
    let mut end = window.start + 1;
    for span in found {
        let rest = span.is_part() && span.matched < end;
        if span.start >= first && !rest {
            // Its match may start before the cut: all of it must stay together.
            settled.cut = settled.cut.min(span.matched);
            continue;
        }
        end = span.end;
        if let What::Found { goes_on, .. } = &span.what {
            settled.goes_on = goes_on.filter(|_| span.end == window.end && span.acts());
        }
        settled.spans.push(span);
    }
    settled.cut = floor(text, settled.cut.max(end));
    settled
}
