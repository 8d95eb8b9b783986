//! May they? Cedar behind a small face.
