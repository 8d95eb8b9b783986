use crate::detect::Detector;
pub(super) const DETECTORS: &[Detector] = &[];
