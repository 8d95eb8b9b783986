//! Recognising values: what a detector is, and the tables of those that ship with the product.
//!
//! A detector is a row of data: a pattern (a linear-time automaton), what the text must hold for
//! the pattern to be tried at all, a validator, the words to the left that make a value likely, and
//! how sure a match is. Everything else (segments, order, actions) is the engine's, so that a row
//! says what a value looks like and nothing about streams.

pub(crate) mod context;
mod detector;
pub(crate) mod engine;
pub(crate) mod facts;
mod national;
mod payment;
mod personal;
pub(crate) mod prefilter;
pub(crate) mod scan;
mod secret;

pub(crate) use detector::{Detector, Edges, Needs};

/// Every table, in the order of the documentation. Earlier rows win where two findings are equal.
pub(crate) const TABLES: [&[Detector]; 4] = [
    secret::DETECTORS,
    payment::DETECTORS,
    national::DETECTORS,
    personal::DETECTORS,
];

#[cfg(test)]
mod tests;
