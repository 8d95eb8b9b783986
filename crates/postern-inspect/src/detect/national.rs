//! Detectors of the numbers by which states know people and companies: one file a region.
//!
//! A number of which one in ten or eleven passes its check, and which is nothing but digits, is
//! found only with a word to its left: order numbers and times look the same. Where a number holds
//! a day, a province, two check digits or the separators that its papers print, it speaks for
//! itself.

use super::{Detector, joined, rows};

mod africa_middle_east;
mod alps;
mod east;
mod east_asia;
mod german_papers;
mod germany;
mod labelled;
mod latin_america;
mod north;
mod north_america;
mod oceania;
mod south;
mod south_asia;
mod south_east_asia;
mod vat;
mod west;

const PARTS: &[&[Detector]] = &[
    north_america::DETECTORS,
    west::DETECTORS,
    german_papers::DETECTORS,
    germany::DETECTORS,
    alps::DETECTORS,
    south::DETECTORS,
    north::DETECTORS,
    east::DETECTORS,
    africa_middle_east::DETECTORS,
    latin_america::DETECTORS,
    south_asia::DETECTORS,
    east_asia::DETECTORS,
    south_east_asia::DETECTORS,
    oceania::DETECTORS,
    vat::DETECTORS,
    labelled::DETECTORS,
];

/// The table.
pub(crate) const DETECTORS: &[Detector] = &joined::<{ rows(PARTS) }>(PARTS);
