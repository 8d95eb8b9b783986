//! Recognising values: what a detector is, and the tables of those that ship with the product.
//!
//! A detector is a row of data: a pattern (a linear-time automaton), what the text must hold for
//! the pattern to be tried at all, a validator, the words to the left that make a value likely, and
//! how sure a match is. Everything else (segments, order, actions) is the engine's, so that a row
//! says what a value looks like and nothing about streams.

// First, since its macros are known only to what follows.
#[macro_use]
mod gap;

mod backward;
mod checksum;
pub(crate) mod context;
mod detector;
pub(crate) mod engine;
pub(crate) mod facts;
pub(crate) mod fold;
mod lefts;
mod listing;
mod literals;
mod many;
mod national;
mod payment;
mod personal;
pub(crate) mod prefilter;
pub(crate) mod scan;
mod scout;
mod secret;
mod shapes;
pub(crate) mod span;
pub(crate) mod words;

pub use listing::{DetectorFacts, detectors};

/// One table of several, so that each country and each kind of value has a file of its own.
const fn joined<const N: usize>(parts: &[&[Detector]]) -> [Detector; N] {
    let mut table = [parts[0][0]; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            table[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    assert!(at == N, "the table has as many rows as its parts");
    table
}

/// The number of rows of several tables.
const fn rows(parts: &[&[Detector]]) -> usize {
    let (mut sum, mut part) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}

pub(crate) use detector::{Detector, Edges, Needs, alone};

/// Every table, in the order of the documentation. Earlier rows win where two findings are equal.
pub(crate) const TABLES: [&[Detector]; 4] = [
    secret::DETECTORS,
    payment::DETECTORS,
    national::DETECTORS,
    personal::DETECTORS,
];

#[cfg(test)]
mod likeness;
#[cfg(test)]
mod tests;
