//! The arithmetic that numbers of states and banks have in common. Pure functions over digits.

/// The digits of a written value, without what separates them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits {
    at: [u8; Self::MAX],
    len: usize,
}

impl Digits {
    /// More digits than any number here has.
    const MAX: usize = 48;

    /// The decimal digits of a text as numbers from 0 to 9; those beyond the 48th are not counted.
    pub(super) fn of(text: &str) -> Self {
        let mut found = Self {
            at: [0; Self::MAX],
            len: 0,
        };
        for byte in text.bytes().filter(u8::is_ascii_digit).take(Self::MAX) {
            found.at[found.len] = byte - b'0';
            found.len += 1;
        }
        found
    }

    /// The digits as a number. Only for values of at most 19 digits.
    pub(super) fn number(&self) -> u64 {
        number(self)
    }
}

impl std::ops::Deref for Digits {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.at[..self.len]
    }
}

/// The letters and digits of a written value in upper case, without what separates them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    at: [u8; Self::MAX],
    len: usize,
}

impl Signs {
    /// More letters than any number here has.
    const MAX: usize = 48;

    /// The ASCII letters and digits of a text; those beyond the 48th are not counted.
    pub(super) fn of(text: &str) -> Self {
        let mut found = Self {
            at: [0; Self::MAX],
            len: 0,
        };
        let signs = text.bytes().filter(u8::is_ascii_alphanumeric);
        for byte in signs.take(Self::MAX) {
            found.at[found.len] = byte.to_ascii_uppercase();
            found.len += 1;
        }
        found
    }
}

impl std::ops::Deref for Signs {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.at[..self.len]
    }
}

/// Digits as a number. Wraps beyond 19 digits, which no caller has.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum: u64, &digit| {
        sum.wrapping_mul(10).wrapping_add(u64::from(digit))
    })
}

/// The value of a letter or digit: `0`–`9` are 0–9, `A`–`Z` are 10–35 (ISO 7064, ISO 13616).
pub(super) fn base36(sign: u8) -> u32 {
    char::from(sign).to_digit(36).unwrap_or(0)
}

/// Whether all are the same: no register gives such a number to anybody.
pub(super) fn uniform(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

/// The sum of digits times weights, position by position; what has no partner does not count.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum()
}

/// Luhn's sum (ISO/IEC 7812-1): every second digit from the right is doubled.
pub(super) fn luhn_sum(digits: &[u8]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match u32::from(digit) {
            digit if place % 2 == 0 => digit,
            digit => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum()
}

/// Luhn's check; the last digit is the check digit.
pub(super) fn luhn(digits: &[u8]) -> bool {
    !digits.is_empty() && luhn_sum(digits).is_multiple_of(10)
}

/// The remainder of letters and digits by 97, letters counting 10 to 35 (ISO 7064 mod 97-10).
pub(super) fn mod97(signs: impl Iterator<Item = u8>) -> u32 {
    signs.fold(0, |rest, sign| match base36(sign) {
        value if value < 10 => (rest * 10 + value) % 97,
        value => (rest * 100 + value) % 97,
    })
}

/// ISO 7064 mod 11-10, a hybrid system; the last digit is the check digit.
pub(super) fn mod11_10(digits: &[u8]) -> bool {
    let Some((&check, body)) = digits.split_last() else {
        return false;
    };
    let product = body.iter().fold(10, |product, &digit| {
        let sum = (product + u32::from(digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(check)
}

/// The multiplication table of the dihedral group of order ten: five turns, five mirrorings.
fn dihedral(left: usize, right: usize) -> usize {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right - 5) % 5,
        (false, true) => 5 + (left + 5 - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Verhoeff's check (1969); the last digit is the check digit.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    // The permutation that is applied once more at each place from the right.
    const TURN: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let rest = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |rest, (place, &digit)| {
            let turned = (0..place % 8).fold(usize::from(digit), |at, _| TURN[at]);
            dihedral(rest, turned)
        });
    rest == 0 && !digits.is_empty()
}

/// Whether such a day exists. A year of two digits may stand for any century, so that its 29
/// February needs a year that four divides; a year of four follows the calendar.
pub(super) fn day_exists(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether the first six digits are a day as `yymmdd`.
pub(super) fn yymmdd(digits: &[u8]) -> bool {
    digits.len() >= 6
        && day_exists(
            number(&digits[..2]),
            number(&digits[2..4]),
            number(&digits[4..6]),
        )
}

/// Whether the first six digits are a day as `ddmmyy`.
pub(super) fn ddmmyy(digits: &[u8]) -> bool {
    digits.len() >= 6
        && day_exists(
            number(&digits[4..6]),
            number(&digits[2..4]),
            number(&digits[..2]),
        )
}

/// Whether the first eight digits are a day of 1800 to 2099 as `yyyymmdd`.
pub(super) fn yyyymmdd(digits: &[u8]) -> bool {
    digits.len() >= 8
        && (1800..2100).contains(&number(&digits[..4]))
        && day_exists(
            number(&digits[..4]),
            number(&digits[4..6]),
            number(&digits[6..8]),
        )
}

/// Whether one and the same mark (or none) stands between all groups of digits.
pub(super) fn one_separator(text: &str) -> bool {
    // White space is white space, be it the end of a line.
    let kind = |sign: char| if sign.is_whitespace() { ' ' } else { sign };
    let marks = text.chars().filter(|sign| !sign.is_ascii_alphanumeric());
    let mut marks = marks.map(kind);
    let first = marks.next();
    marks.all(|mark| Some(mark) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_out_of_writing() {
        assert_eq!(&*Digits::of("1a2-3 4"), &[1, 2, 3, 4]);
        assert_eq!(Digits::of("0042").number(), 42);
        assert_eq!(&*Signs::of("gb-1x"), b"GB1X");
        assert_eq!(Digits::of(&"7".repeat(90)).len(), Digits::MAX);
    }

    // Goal: each check finds what it promises to find. Method: a published example, and then every
    // single wrong digit in it, which all of these systems must notice.
    #[test]
    fn every_single_wrong_digit_is_noticed() {
        type Check = fn(&[u8]) -> bool;
        let published: [(&str, Check); 3] = [
            ("79927398713", luhn),
            ("2363", verhoeff),
            ("07945", mod11_10),
        ];
        for (text, check) in published {
            let right = Digits::of(text);
            assert!(check(&right), "{text}");
            for place in 0..right.len() {
                for wrong in (0..10).filter(|&digit| digit != right[place]) {
                    let mut changed = right.to_vec();
                    changed[place] = wrong;
                    assert!(!check(&changed), "{text} at {place} with {wrong}");
                }
            }
            assert!(!check(&[]));
        }
    }

    #[test]
    fn mod_97_reads_letters_as_two_digits() {
        assert_eq!(mod97(b"3214282912345698765432161182".iter().copied()), 1);
        assert_eq!(mod97(b"A".iter().copied()), 10);
    }

    #[test]
    fn days_follow_the_calendar() {
        assert!(day_exists(2000, 2, 29) && day_exists(0, 2, 29));
        assert!(!day_exists(1900, 2, 29) && !day_exists(2023, 2, 29));
        assert!(yymmdd(&Digits::of("991231")) && !yymmdd(&Digits::of("991331")));
        assert!(ddmmyy(&Digits::of("311299")) && !ddmmyy(&Digits::of("310499")));
        assert!(yyyymmdd(&Digits::of("18000101")) && !yyyymmdd(&Digits::of("21000101")));
    }

    #[test]
    fn separators_must_agree() {
        assert!(one_separator("12 34 56") && one_separator("123456"));
        assert!(!one_separator("12-34 56"));
    }
}
