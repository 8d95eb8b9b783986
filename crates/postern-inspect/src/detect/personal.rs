//! Detectors of what names, reaches or places a person or a device.

use super::{Detector, joined, rows};

mod born;
mod document;
mod email;
mod health;
mod network;
mod phone;
mod place;
mod vehicle;

const PARTS: &[&[Detector]] = &[
    email::DETECTORS,
    phone::DETECTORS,
    network::DETECTORS,
    born::DETECTORS,
    document::DETECTORS,
    health::DETECTORS,
    vehicle::DETECTORS,
    place::DETECTORS,
];

/// The table.
pub(crate) const DETECTORS: &[Detector] = &joined::<{ rows(PARTS) }>(PARTS);
