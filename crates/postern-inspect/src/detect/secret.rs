//! Detectors of secrets: keys of known vendors, private keys, tokens, passwords.
//!
//! Three kinds of rows. A key with a prefix is found by the prefix, wherever it stands. A key that
//! is plain letters and digits is found by the vendor's name in front of an assignment (`keyed`).
//! Everything else is found because somebody called it a password, a token or a key (`generic`).
//! All three leave alone what only stands for a secret: placeholders, variables, labels of ours.

mod armour;
mod assignment;
mod checksum;
mod entropy;
mod generic;
mod keyed;
mod own;
mod placeholder;
mod vendor;
mod web;

use super::{Detector, Edges, Needs};
use postern_types::BuiltinClass;

/// The groups of the table. Earlier rows win where two findings are equal.
const GROUPS: &[&[Detector]] = &[
    own::DETECTORS,
    armour::DETECTORS,
    web::DETECTORS,
    vendor::ai::DETECTORS,
    vendor::cloud::DETECTORS,
    vendor::hosting::DETECTORS,
    vendor::code::DETECTORS,
    vendor::payment::DETECTORS,
    vendor::communication::DETECTORS,
    vendor::data::DETECTORS,
    vendor::observability::DETECTORS,
    vendor::commerce::DETECTORS,
    keyed::DETECTORS,
    generic::DETECTORS,
];

/// The table.
pub(crate) const DETECTORS: &[Detector] = &joined::<{ count(GROUPS) }>(GROUPS);

const fn count(groups: &[&[Detector]]) -> usize {
    let mut rows = 0;
    let mut group = 0;
    while group < groups.len() {
        rows += groups[group].len();
        group += 1;
    }
    rows
}

const fn joined<const N: usize>(groups: &[&[Detector]]) -> [Detector; N] {
    let mut all = [groups[0][0]; N];
    let mut rows = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut row = 0;
        while row < groups[group].len() {
            all[rows] = groups[group][row];
            rows += 1;
            row += 1;
        }
        group += 1;
    }
    all
}

/// A key that one of the given texts gives away.
const fn key(
    id: &'static str,
    literals: &'static [&'static str],
    pattern: &'static str,
    found: &'static [&'static str],
    clear: &'static [&'static str],
) -> Detector {
    Detector::new(id, BuiltinClass::ApiKey, Needs::Literal(literals), pattern)
        .edges(Edges::Word)
        .check(entropy::varied)
        .sure(95)
        .at_most(512)
        .examples(found, clear)
}

/// As [`key`], for the credentials of clouds.
const fn cloud(
    id: &'static str,
    literals: &'static [&'static str],
    pattern: &'static str,
    found: &'static [&'static str],
    clear: &'static [&'static str],
) -> Detector {
    let mut row = key(id, literals, pattern, found, clear);
    row.class = BuiltinClass::CloudCredential;
    row
}

#[cfg(test)]
mod tests;
