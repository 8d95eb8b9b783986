//! Numbers, as somebody would write them.

use super::edit::New;
use super::names::left_of;
use super::walk::Walk;
use crate::clean::CleanError;
use crate::json::NodeId;
use crate::text::{Leaf, TextShape};

const TOKENS: CleanError = CleanError::CannotInspect("token ids are text in numbers");

/// The shortest number that could be somebody's, in bytes, where numbers of the format stand too.
const NUMBER_BYTES_MIN: usize = 9;

impl Walk<'_, '_> {
    pub(super) fn number(
        &mut self,
        id: NodeId,
        shape: &'static TextShape,
        key: &str,
    ) -> Result<(), CleanError> {
        let raw = self.tree.raw(self.span(id));
        let long = raw.len() >= NUMBER_BYTES_MIN;
        match shape.leaf {
            Leaf::Tokens => self.cleaner.refuse(&self.place, TOKENS),
            Leaf::Free => self.written(id, key),
            Leaf::Cleared => {
                if self.cleaner.acts() {
                    self.edits.put(self.span(id), New::Bytes(b"null".to_vec()));
                }
                Ok(())
            }
            // The numbers of a vector are no text.
            Leaf::Seal if !raw.iter().all(u8::is_ascii_digit) => Ok(()),
            // Wherever a string is expected, a long number is as good as one in quotes.
            _ if long => self.written(id, key),
            _ => Ok(()),
        }
    }

    /// A number, inspected as it is written.
    fn written(&mut self, id: NodeId, key: &str) -> Result<(), CleanError> {
        let written = String::from_utf8_lossy(self.tree.raw(self.span(id)));
        match without_exponent(&written) {
            Some(plain) => {
                let left = left_of(key);
                let clean = self.cleaner.clean_value(&self.place, &left, &plain)?;
                clean
                    .into_iter()
                    .for_each(|new| self.replace(id, &plain, new));
                Ok(())
            }
            None => self.whole(id, &left_of(key), &written),
        }
    }
}

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
