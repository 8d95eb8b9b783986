//! Detectors of the group.

use super::Detector;

/// The table.
pub(crate) const DETECTORS: &[Detector] = &[];
