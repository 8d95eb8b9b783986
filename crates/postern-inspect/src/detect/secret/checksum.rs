//! Checksums that vendors build into their keys.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD};
use postern_types::ApiToken;

/// Takes what encoders of all kinds write: bits left over at the end are no reason to miss a token.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ALLOW_TRAILING);
const ALLOW_TRAILING: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether the last six letters after the prefix (`ghp_`, `npm_`) are the CRC-32 of the thirty
/// before them, in base 62: the format that GitHub published in 2021 and npm took over.
pub(super) fn github(value: &str) -> bool {
    let Some((_, body)) = value.split_once('_') else {
        return false;
    };
    if body.len() != 36 || !body.is_ascii() {
        return false;
    }
    let (random, check) = body.split_at(30);
    let mut rest = crc32fast::hash(random.as_bytes());
    let expected: [u8; 6] = std::array::from_fn(|_| {
        let digit = rest % 62;
        rest /= 62;
        BASE62[digit as usize]
    });
    check.bytes().rev().eq(expected)
}

/// Whether the value is a token of this gateway, checksum included.
pub(super) fn own(value: &str) -> bool {
    ApiToken::parse(value).is_ok()
}

/// The bytes of a base64 text in either alphabet, padded or not; `None` if it is none.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let url_safe = text
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    LENIENT.decode(url_safe).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_holds_for_its_own_letters_only() {
        let random = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT";
        let mut crc = crc32fast::hash(random.as_bytes());
        let mut check = Vec::new();
        for _ in 0..6 {
            check.push(BASE62[(crc % 62) as usize]);
            crc /= 62;
        }
        check.reverse();
        let check = String::from_utf8(check).unwrap();
        assert!(github(&format!("ghp_{random}{check}")));
        assert!(!github(&format!(
            "ghp_{random}{}",
            check.to_lowercase() + "x"
        )));
        assert!(!github(&format!("ghp_1{}{check}", &random[1..])));
        assert!(!github("ghp"));
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(base64("dXNlcjpwYXNz").unwrap(), b"user:pass");
        assert_eq!(base64("-_8=").unwrap(), base64("+/8").unwrap());
        assert!(base64("a b").is_none());
    }
}
