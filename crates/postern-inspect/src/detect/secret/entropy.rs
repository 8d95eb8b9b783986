//! How much a text looks as if it had been drawn at random.
//!
//! Integer arithmetic throughout: a finding must not depend on the floating point of a machine.

use super::placeholder::{is_dotted_name, stands_for_something};

/// Shannon's entropy of the bytes, in hundredths of a bit for each byte; 0 for an empty text.
pub(super) fn bits(text: &str) -> u32 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let Some(len) = u32::try_from(text.len()).ok().filter(|len| *len > 0) else {
        return 0;
    };
    // H = log2(n) - (1/n) * sum(c * log2(c)), in units of 2^-16 bit.
    let sum: u64 = counts
        .iter()
        .filter(|count| **count > 1)
        .map(|count| u64::from(*count) * log2(*count))
        .sum();
    let entropy = log2(len).saturating_sub(sum / u64::from(len));
    u32::try_from((entropy * 100) >> 16).expect("the logarithm of 32 bits is at most 32")
}

/// The binary logarithm in units of 2^-16, by squaring; `value` is at least 1.
fn log2(value: u32) -> u64 {
    let whole = value.ilog2();
    // The mantissa, in [1, 2) with 31 fractional bits.
    let mut mantissa = u64::from(value) << (31 - whole);
    let mut log = u64::from(whole);
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            log += 1;
        }
    }
    log
}

/// Whether a value that a prefix has given away is a real one: not one letter over and over, not
/// the alphabet, no placeholder.
pub(super) fn varied(value: &str) -> bool {
    let distinct = distinct(value);
    distinct >= 8.min(value.len() / 2)
        && longest_repeat(value) < 6.max(value.len() / 5)
        && longest_walk(value) < 9.max(value.len() / 3)
        && !stands_for_something(value)
}

/// Whether a value holds many kinds of letters, whatever their order: for keys that begin with one
/// letter over and over.
pub(super) fn rich(value: &str) -> bool {
    bits(value) >= 350 && !stands_for_something(value)
}

/// Whether a value is as mixed as a key: letters and digits that do not form words.
///
/// A generated key changes between letters and digits (or letter cases) all along; names, versions
/// and paths do so at their joints only.
pub(super) fn random(value: &str) -> bool {
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let least = match (hex, value.len()) {
        (true, _) => 250,
        (false, ..16) => 260,
        (false, ..24) => 300,
        (false, _) => 330,
    };
    let dotted = value.contains('.') && is_dotted_name(value);
    varied(value) && bits(value) >= least && !dotted && !is_worded(value, is_noise)
}

/// Whether a value behind a vendor's name and the word for a key is one. The words say much
/// already, so that shorter and plainer values than for [`random`] will do.
pub(super) fn keyed(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters == 0 {
        return digits >= 16 && distinct(value) >= 6;
    }
    let mixed = digits >= 2 && letters >= 2 || value.len() >= 24;
    let noise = |part: &str| is_noise(part) || turns(part) >= 2;
    mixed
        && varied(value)
        && bits(value) >= 250
        && !(value.contains('.') && is_dotted_name(value))
        && !is_worded(value, noise)
}

/// Whether a value in quotes behind the name of a secret is one by its marks: many characters that
/// stand neither in words nor between them.
pub(super) fn marked(value: &str) -> bool {
    value.len() >= 10
        && marks(value) >= 3
        && marks(value) * 6 >= value.len()
        && letters_and_digits(value) * 2 >= value.len()
        && bits(value) >= 300
        && !stands_for_something(value)
}

/// Whether a value may be a password: something in it is no plain word.
pub(super) fn password(value: &str) -> bool {
    // A mark at an end belongs to the sentence or the language: `required!`, `@Input`.
    let inner = value.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let letters = inner.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = inner.bytes().filter(u8::is_ascii_digit).count();
    let mixed =
        digits > 0 && letters > 0 || marks(inner) > 0 || digits >= 6 && digits == inner.len();
    mixed
        && distinct(value) >= 4
        && longest_repeat(value) < 6
        && !is_dotted_name(value)
        && !stands_for_something(value)
}

/// Whether a value that is compared with a secret is one.
pub(super) fn compared(value: &str) -> bool {
    marked(value) || password(value) && (random(value) || marks(value) > 0)
}

/// Whether the value is made of words, numbers and joints: `rc0.13.0_20230412`, `getUserName`.
fn is_worded(value: &str, is_noise: impl Fn(&str) -> bool) -> bool {
    if is_uuid(value) || is_hex(value) || marks(value) * 5 >= value.len() {
        return false;
    }
    let parts = value.split(|letter: char| !letter.is_ascii_alphanumeric());
    let (mut word, mut noise) = (0, 0);
    for part in parts.filter(|part| !part.is_empty()) {
        if is_noise(part) {
            noise += part.len();
        } else if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            word += part.len();
        }
    }
    noise < 12.min(value.len() / 2) || noise < word
}

/// Whether a part is no word: it changes its kind of letter too often, or has too few vowels.
fn is_noise(part: &str) -> bool {
    let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
    let vowels = part
        .bytes()
        .filter(|byte| b"aeiouyAEIOUY".contains(byte))
        .count();
    switches(part) * 5 >= part.len()
        || letters >= 20 && vowels * 100 < letters * 26
        || longest_consonants(part) >= 8
}

/// Hexadecimal digits of a digest's or key's length are no words, whatever they spell.
fn is_hex(value: &str) -> bool {
    value.len() >= 16
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The form of RFC 9562: five groups of hexadecimal digits.
fn is_uuid(value: &str) -> bool {
    let groups = value.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && value
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// How often a part changes between letters and digits, or between the cases where no camel does.
fn switches(part: &str) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    };
    let bytes = part.as_bytes();
    let changes = bytes.windows(2).filter(|pair| {
        let (left, right) = (kind(pair[0]), kind(pair[1]));
        left != right && (left, right) != (2, 1)
    });
    changes.count()
}

/// How often a part changes between letters and digits.
fn turns(part: &str) -> usize {
    let bytes = part.as_bytes();
    let changes = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    changes.count()
}

/// The length of the longest run of consonants.
fn longest_consonants(part: &str) -> usize {
    part.split(|letter: char| !letter.is_ascii_alphabetic() || "aeiouAEIOU".contains(letter))
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// Characters that stand neither in words nor between them.
fn marks(value: &str) -> usize {
    let plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b',')
    };
    value.len() - value.bytes().filter(plain).count()
}

fn letters_and_digits(value: &str) -> usize {
    value.bytes().filter(u8::is_ascii_alphanumeric).count()
}

fn distinct(value: &str) -> usize {
    let mut seen = [false; 256];
    for byte in value.bytes() {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count()
}

/// The length of the longest run of one byte.
fn longest_repeat(value: &str) -> usize {
    longest(value, |left, right| left == right)
}

/// The length of the longest run in which each byte follows the one before it in the alphabet.
fn longest_walk(value: &str) -> usize {
    longest(value, |left, right| {
        left.to_ascii_lowercase().wrapping_add(1) == right.to_ascii_lowercase()
    })
}

fn longest(value: &str, same: fn(u8, u8) -> bool) -> usize {
    let bytes = value.as_bytes();
    let (mut most, mut run) = (1, 1);
    for pair in bytes.windows(2) {
        run = if same(pair[0], pair[1]) { run + 1 } else { 1 };
        most = most.max(run);
    }
    most.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_shannon() {
        assert_eq!(bits(""), 0);
        assert_eq!(bits("aaaa"), 0);
        assert_eq!(bits("abab"), 100);
        assert_eq!(bits("abcd"), 200);
        assert_eq!(bits("0123456789abcdef"), 400);
        // 3/4 and 1/4: 0.8113 bit.
        assert_eq!(bits("aaab"), 81);
    }

    #[test]
    fn the_logarithm_is_exact_for_powers_and_close_elsewhere() {
        for power in 0..31u32 {
            assert_eq!(log2(1 << power), u64::from(power) << 16);
        }
        // log2(10) = 3.321928.
        assert!(log2(10).abs_diff(217_706) <= 1);
    }

    #[test]
    fn words_and_versions_are_not_random() {
        for text in [
            "searchConfluenceUsingCql",
            "rc0.13.0_20230412_0712-SNAPSHOT",
            "cmp2-qat-1208358310",
            "src/main/java/com/example/Some",
            "blockchain-tests/pallets/supported",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "base64.b64encode",
        ] {
            assert!(!random(text), "{text}");
        }
    }

    #[test]
    fn generated_values_are_random() {
        for text in [
            "h7Kq2Vx9Lm4Tz8Rw3Np6",
            "3f9a1c7be02d58466af1d9e37b20c5d8",
            "Zk3-v9Qh_2dLx7WpT5rMn8Yc",
        ] {
            assert!(random(text), "{text}");
        }
    }

    #[test]
    fn a_password_is_no_plain_word() {
        for text in ["hunter2", "Tr0ub4dor&3", "s3cr!t", "20481024"] {
            assert!(password(text), "{text}");
        }
        for text in [
            "string",
            "user_password",
            "config.password",
            "null",
            "aaaa11",
            "a-b_c",
        ] {
            assert!(!password(text), "{text}");
        }
    }
}
