//! The tables of detectors as the documentation shows them.

use postern_types::BuiltinClass;

use super::{Detector, TABLES};

/// What there is to know of one detector that ships with the product.
#[derive(Debug, Clone, Copy)]
pub struct DetectorFacts {
    /// Its name: snake case, unique.
    pub id: &'static str,
    /// What it finds.
    pub class: BuiltinClass,
    /// The shape of a value, as a regular expression.
    pub pattern: &'static str,
    /// What must stand directly to the left, as a regular expression; empty for nothing.
    pub left: &'static str,
    /// Words that make a match likely when one of them stands to its left.
    pub words: &'static [&'static str],
    /// Whether a checksum or another rule about the value is computed too.
    pub checked: bool,
    /// How sure a match is, in percent, without and with one of the words to its left.
    pub confidence: (u8, u8),
    /// How sure a match is that is the whole text; 0 for no surer than elsewhere.
    pub alone: u8,
    /// No match is longer, in bytes; what is [open-ended](Self::open_ended) may go on.
    pub bytes_max: usize,
    /// Whether a value may be of any length.
    pub open_ended: bool,
}

/// Every detector that ships with the product, in the order of the documentation.
pub fn detectors() -> impl Iterator<Item = DetectorFacts> {
    TABLES.into_iter().flatten().map(facts)
}

fn facts(row: &'static Detector) -> DetectorFacts {
    DetectorFacts {
        id: row.id,
        class: row.class,
        pattern: row.pattern,
        left: row.left,
        words: row.words,
        checked: row.check.is_some(),
        confidence: row.confidence,
        alone: row.alone,
        bytes_max: row.bytes_max,
        open_ended: row.open_ended,
    }
}
