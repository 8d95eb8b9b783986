//! Numbers, as somebody would write them.

/// A number with an exponent as the integer that it is; `None` where it has no exponent, or is no
/// integer of somebody's.
pub(super) fn without_exponent(written: &str) -> Option<String> {
    /// The longest numbers that are somebody's have some thirty digits.
    const DIGITS_MAX: usize = 40;
    let (digits, exponent) = written.split_once(['e', 'E'])?;
    let exponent: isize = exponent.parse().ok()?;
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, part].concat();
    let point = whole.len().checked_add_signed(exponent)?;
    let zeros = point.saturating_sub(all.len());
    let (integer, behind) = all.split_at_checked(point.min(all.len()))?;
    if zeros > DIGITS_MAX || behind.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    Some(format!("{sign}{integer}{}", "0".repeat(zeros)))
}
