//! One row of a table of detectors.

use postern_types::BuiltinClass;

/// How one kind of value is recognised.
///
/// A detector sees one *segment* at a time: text in which a value cannot be cut (the segmenter
/// says what stays together), with the text to the left of it. It never sees what comes later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detector {
    /// Its name in findings and in the documentation: snake case, unique.
    pub(crate) id: &'static str,
    /// What it finds.
    pub(crate) class: BuiltinClass,
    /// The pattern, in the syntax of `regex-automata`: bytes, ASCII classes, no look-around. Group
    /// 1, where there is one, is the value; else the whole match is.
    pub(crate) pattern: &'static str,
    /// What a segment must hold for the pattern to be tried.
    pub(crate) needs: Needs,
    /// What may not stand beside the match.
    pub(crate) edges: Edges,
    /// Whether the value (group 1, or the match) is one; `None` if the pattern says enough.
    pub(crate) check: Option<fn(&str) -> bool>,
    /// Words, in lower case, that make a match likely when one of them stands to its left.
    pub(crate) words: &'static [&'static str],
    /// A pattern that the text directly to the left of the match must end with, in any letter case;
    /// empty for none.
    pub(crate) left: &'static str,
    /// How sure a match is, in percent, without and with a word to the left.
    pub(crate) confidence: (u8, u8),
    /// How sure a match is that is the whole text, in percent; 0 for no surer than elsewhere.
    pub(crate) alone: u8,
    /// No match is longer, in bytes.
    pub(crate) bytes_max: usize,
    /// Whether a match that reaches the end of the window goes on until the first byte that no such
    /// value holds (keys in armour, tokens of any length).
    pub(crate) open_ended: bool,
    /// Texts in which it finds exactly what stands between `⟦` and `⟧`.
    pub(crate) found: &'static [&'static str],
    /// Texts in which it finds nothing.
    pub(crate) clear: &'static [&'static str],
}

/// What a segment must hold for a pattern to be tried: one pass over the text answers it for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// One of these texts, exactly; at least three bytes each.
    Literal(&'static [&'static str]),
    /// One of these texts, in any letter case; ASCII, at least three bytes each.
    AnyCase(&'static [&'static str]),
    /// At least so many decimal digits.
    Digits(usize),
    /// This byte.
    Byte(u8),
    /// A run of at least so many letters, digits, `+`, `/`, `=`, `_`, `-` or `.`.
    Run(usize),
}

/// What may not stand directly beside a match; the edge of a segment is always fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// Anything may.
    Any,
    /// No letter, no digit, no `_`.
    Word,
    /// As `Word`, and no `.`, `-` or `/` followed or preceded by a digit (further digits would make
    /// it a longer number).
    Number,
    /// As `Number`, and no further group of digits behind one space: parts of a long number
    /// that is written in groups are not numbers of their own.
    Groups,
    /// As `Word`, and none of `-`, `+`, `/`, `=`: the alphabets of keys. One `=` behind a name is
    /// none of them.
    Key,
    /// As `Number`, and a short word in small letters may touch the match on its left: the space
    /// between them was forgotten.
    Glued,
}

/// How sure a value is that is the whole text: a field of a form, a cell, an answer to a question.
/// Nothing else could stand beside it, so that its shape and check digits have to do. Named for how
/// many texts of the same length and signs pass by accident.
pub(crate) mod alone {
    /// All of them: letters and digits have their places, and that is all.
    pub(crate) const SHAPE: u8 = 54;
    /// One in nine to eleven, of a class that says little (a company, a country without a class of
    /// its own): where a number fits several, a class that says more goes first.
    pub(crate) const UNNAMED: u8 = 55;
    /// Few: its letters are of few kinds and have their places.
    pub(crate) const NARROW_SHAPE: u8 = 56;
    /// One in nine or ten: one decimal check digit.
    pub(crate) const ONE_IN_10: u8 = 57;
    /// One in eleven to twenty.
    pub(crate) const ONE_IN_11: u8 = 58;
    /// One in twenty to fifty: a letter as check sign.
    pub(crate) const ONE_IN_23: u8 = 60;
    /// One in fifty to some hundred: two check digits, or one and a date or a province.
    pub(crate) const ONE_IN_100: u8 = 63;
}

impl Detector {
    /// A row; what is not said by the methods below is as permissive as it can be.
    pub(crate) const fn new(
        id: &'static str,
        class: BuiltinClass,
        needs: Needs,
        pattern: &'static str,
    ) -> Self {
        Self {
            id,
            class,
            pattern,
            needs,
            edges: Edges::Word,
            check: None,
            words: &[],
            left: "",
            confidence: (90, 95),
            alone: 0,
            bytes_max: 128,
            open_ended: false,
            found: &[],
            clear: &[],
        }
    }

    /// What may not stand beside the match.
    pub(crate) const fn edges(mut self, edges: Edges) -> Self {
        self.edges = edges;
        self
    }

    /// The validator.
    pub(crate) const fn check(mut self, check: fn(&str) -> bool) -> Self {
        self.check = Some(check);
        self
    }

    /// The words to the left, and how sure a match is without and with one of them.
    pub(crate) const fn words(
        mut self,
        words: &'static [&'static str],
        without: u8,
        with: u8,
    ) -> Self {
        self.words = words;
        self.confidence = (without, with);
        self
    }

    /// How sure a match is that is the whole text: see [`alone`].
    pub(crate) const fn alone(mut self, percent: u8) -> Self {
        self.alone = percent;
        self
    }

    /// What must stand directly to the left.
    pub(crate) const fn left(mut self, left: &'static str) -> Self {
        self.left = left;
        self
    }

    /// How sure a match is, where no words play a part.
    pub(crate) const fn sure(mut self, percent: u8) -> Self {
        self.confidence = (percent, percent);
        self
    }

    /// Whether its values are told where they stand in a word of a format, such as an id: by their
    /// prefix, shape or checksum, without anything beside them.
    pub(crate) fn is_told_in_words(&self) -> bool {
        /// How sure such a row is, in percent: there are many ids, and one must not break by
        /// accident.
        const SURE: u8 = 70;
        self.left.is_empty() && self.confidence.0 >= SURE
    }

    /// The longest match.
    pub(crate) const fn at_most(mut self, bytes: usize) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// A match may go on beyond the window.
    pub(crate) const fn open_ended(mut self) -> Self {
        self.open_ended = true;
        self
    }

    /// Examples: what is found (between `⟦` and `⟧`), and texts in which nothing is.
    pub(crate) const fn examples(
        mut self,
        found: &'static [&'static str],
        clear: &'static [&'static str],
    ) -> Self {
        self.found = found;
        self.clear = clear;
        self
    }
}
