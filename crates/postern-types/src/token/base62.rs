//! Fixed-width base62: `0-9A-Za-z`, most significant digit first, padded with `0`.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a byte is a base62 digit.
pub(crate) fn is_base62(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn value(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 36),
        _ => None,
    }
}

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

/// Whether the digits stand for a number below 2^256: the other 43-digit texts are not secrets
/// that `encode_fixed` could have written.
pub(super) fn fits_32_bytes(digits: &str) -> bool {
    let mut number = [0_u8; 32];
    for digit in digits.bytes() {
        let Some(mut carry) = value(digit) else {
            return false;
        };
        for byte in number.iter_mut().rev() {
            let part = u32::from(*byte) * 62 + carry;
            *byte = u8::try_from(part & 0xff).expect("masked to eight bits");
            carry = part >> 8;
        }
        if carry != 0 {
            return false;
        }
    }
    zeroize::Zeroize::zeroize(&mut number);
    true
}
