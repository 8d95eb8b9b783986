//! Detectors of what moves money.

use super::{Detector, joined, rows};

mod bank;
mod card;
mod crypto;
mod iban;

const PARTS: &[&[Detector]] = &[
    card::DETECTORS,
    iban::DETECTORS,
    bank::DETECTORS,
    crypto::DETECTORS,
];

/// The table.
pub(crate) const DETECTORS: &[Detector] = &joined::<{ rows(PARTS) }>(PARTS);
