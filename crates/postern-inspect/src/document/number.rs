//! Numbers, as somebody would write them.

/// A number with an exponent as it is without one; `None` where it has none, or is no number of
/// somebody's.
pub(super) fn without_exponent(written: &str) -> Option<String> {
    /// The longest numbers that are somebody's have some thirty digits.
    const DIGITS_MAX: usize = 40;
    let (digits, exponent) = written.split_once(['e', 'E'])?;
    let exponent: usize = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if exponent < part.len() || exponent > DIGITS_MAX {
        return None;
    }
    let zeros = "0".repeat(exponent - part.len());
    Some(format!("{whole}{part}{zeros}"))
}
