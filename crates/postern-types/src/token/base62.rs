//! Fixed-width base62: `0-9A-Za-z`, most significant digit first, padded with `0`.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a byte is a base62 digit.
pub(crate) fn is_base62(byte: u8) -> bool {
    DIGITS[byte as usize]
}

/// Every byte of a token is looked up, so it is a table.
const DIGITS: [bool; 256] = {
    let mut table = [false; 256];
    let mut place = 0;
    while place < ALPHABET.len() {
        table[ALPHABET[place] as usize] = true;
        place += 1;
    }
    table
};

/// Writes a big-endian number in exactly `width` digits; digits that do not fit are dropped from
/// the top (12 random bytes into 16 digits lose less than one bit, 32 bytes into 43 lose none).
pub(super) fn encode_fixed(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let part = (remainder << 8) | u32::from(*byte);
            *byte = u8::try_from(part / 62).expect("the quotient of a value below 62 * 256");
            remainder = part % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    zeroize::Zeroize::zeroize(&mut number);
    String::from_utf8(digits).expect("the alphabet is ASCII")
}

/// A number in exactly `WIDTH` digits, which have to be enough for it (six are).
pub(super) fn digits<const WIDTH: usize>(mut number: u32) -> [u8; WIDTH] {
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// 2^256 - 1 in 43 digits: the greatest secret.
const GREATEST: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

/// Whether 43 digits stand for a number below 2^256: the other texts of that length are not secrets
/// that `encode_fixed` could have written. The alphabet is in ASCII order, so numbers of one width
/// compare as their texts do.
pub(super) fn fits_32_bytes(digits: &str) -> bool {
    digits.len() == GREATEST.len() && digits.bytes().all(is_base62) && digits <= GREATEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_secret_is_the_last_that_fits() {
        assert_eq!(encode_fixed(&[255; 32], 43), GREATEST);
        assert!(ALPHABET.is_sorted(), "texts compare as numbers");
        assert!(fits_32_bytes(GREATEST) && fits_32_bytes(&"0".repeat(43)));
        let mut above = GREATEST.to_owned();
        let last = above.pop().expect("it has 43 digits");
        let place = ALPHABET.iter().position(|digit| *digit == last as u8);
        let next = ALPHABET[place.expect("a digit") + 1];
        above.push(char::from(next));
        assert!(!fits_32_bytes(&above) && !fits_32_bytes(&"z".repeat(43)));
        assert!(!fits_32_bytes("0") && !fits_32_bytes(&"_".repeat(43)));
    }
}
