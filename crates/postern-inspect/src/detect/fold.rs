//! Characters that look like a character of ASCII, or like nothing, and are read as that.
//!
//! A number in full-width or Arabic digits, with dashes of typography, with spaces that do not
//! break a line or with characters of no width inside is the same number to whoever reads it. So
//! text is folded before anything looks at it: such a character becomes the byte of ASCII that it
//! stands for, or nothing. What is not found goes on as it was written. Text of ASCII is not
//! touched, and one look at the first byte of a character tells most others from these.

use std::borrow::Cow;

/// What a character is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Itself.
    Same,
    /// This byte of ASCII.
    As(u8),
    /// Nothing: it has no width.
    Nothing,
}

/// The zero of every row of ten decimal digits beyond ASCII (Unicode 16, general category Nd);
/// full-width digits apart. Those that lie outside the basic plane come last.
const ZEROS: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0x1_04a0, 0x1_0d30, 0x1_0d40, 0x1_1066, 0x1_10f0, 0x1_1136, 0x1_11d0, 0x1_12f0, 0x1_1450,
    0x1_14d0, 0x1_1650, 0x1_16c0, 0x1_16d0, 0x1_16da, 0x1_1730, 0x1_18e0, 0x1_1950, 0x1_1bf0,
    0x1_1c50, 0x1_1d50, 0x1_1da0, 0x1_1f50, 0x1_6a60, 0x1_6ac0, 0x1_6b50, 0x1_ccf0, 0x1_d7ce,
    0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6, 0x1_e140, 0x1_e2f0, 0x1_e4f0, 0x1_e5f1, 0x1_e950,
    0x1_fbf0,
];

/// What the character is read as.
pub(crate) fn fold(c: char) -> Fold {
    match u32::from(c) {
        0..=0x7f => Fold::Same,
        // Soft hyphen, joiners of graphemes and vowels, marks of direction, what joins words,
        // selectors of variants, the frame of a key.
        0xad | 0x34f | 0x61c | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e => Fold::Nothing,
        0x2060..=0x206f | 0x20e3 | 0xfe00..=0xfe0f | 0xfeff => Fold::Nothing,
        // Fillers of Hangul, vowels of Khmer that are only thought, marks of notes on the line,
        // controls of shorthand and of music; tags, and the other selectors of variants.
        0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x3164 | 0xffa0 | 0xfff0..=0xfffb => Fold::Nothing,
        0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff => Fold::Nothing,
        // No-break space, spaces of typography, braille without a dot, the ideographic one.
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x2800 | 0x3000 => Fold::As(b' '),
        // Ends of lines: the next one of C1, and those of Unicode between lines and paragraphs.
        0x85 | 0x2028 | 0x2029 => Fold::As(b'\n'),
        // Hyphens, dashes, minus.
        0x2010..=0x2015 | 0x2043 | 0x2212 | 0xfe58 | 0xfe63 => Fold::As(b'-'),
        0x2024 | 0xfe52 => Fold::As(b'.'),
        0x2044 | 0x2215 => Fold::As(b'/'),
        0xfe6b => Fold::As(b'@'),
        // The full-width forms of 0x21 to 0x7e, in order.
        wide @ 0xff01..=0xff5e => Fold::As((wide - 0xff01) as u8 + b'!'),
        other => digit(other),
    }
}

fn digit(c: u32) -> Fold {
    let row = ZEROS.partition_point(|zero| *zero <= c);
    let zero = row.checked_sub(1).map_or(u32::MAX, |row| ZEROS[row]);
    match c.checked_sub(zero) {
        Some(value @ 0..=9) => Fold::As(b'0' + value as u8),
        _ => Fold::Same,
    }
}

/// The first bytes of characters of which some are folded.
const LEADS: [bool; 256] = {
    let mut leads = [false; 256];
    // U+0085, U+00A0 and U+00AD; U+034F; digits and marks of Arabic, N'Ko; then everything in three
    // and four bytes but ideographs and hangul (E4 to E9, EB to ED), planes without characters (F1,
    // F2) and private use (EE, F4).
    let bytes = [
        0xc2, 0xcd, 0xd8, 0xd9, 0xdb, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xea, 0xef, 0xf0, 0xf3,
    ];
    let mut at = 0;
    while at < bytes.len() {
        leads[bytes[at]] = true;
        at += 1;
    }
    leads
};

/// Bytes that are looked at in one go to see that they are ASCII.
const ASCII_BYTES: usize = 64;

/// Where the first character from `from` on stands that is folded, and what it is.
pub(crate) fn next(text: &str, from: usize) -> Option<(usize, char, Fold)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        // Nothing of ASCII is folded, and most text is that.
        let ascii = bytes[at..]
            .chunks(ASCII_BYTES)
            .take_while(|chunk| chunk.is_ascii());
        at += ascii.map(<[u8]>::len).sum::<usize>();
        at += bytes[at..]
            .iter()
            .position(|byte| LEADS[usize::from(*byte)])?;
        let c = text[at..].chars().next()?;
        match fold(c) {
            Fold::Same => at += c.len_utf8(),
            folded => return Some((at, c, folded)),
        }
    }
}

/// The text as it is read.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || next(text, 0).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Places::of(text).text)
}

/// A pattern that finds in folded text what it was written to find: its own characters are folded,
/// and stand for themselves as before. Classes of Unicode and escapes stay as they are.
pub(crate) fn pattern(pattern: &str) -> Cow<'_, str> {
    if pattern.is_ascii() || next(pattern, 0).is_none() {
        return Cow::Borrowed(pattern);
    }
    let mut folded = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        match fold(c) {
            Fold::Same => folded.push(c),
            Fold::Nothing => {}
            Fold::As(b' ') => folded.push_str(r"\x20"),
            Fold::As(b'\n') => folded.push_str(r"\n"),
            Fold::As(byte) => {
                if byte.is_ascii_punctuation() {
                    folded.push('\\');
                }
                folded.push(char::from(byte));
            }
        }
    }
    Cow::Owned(folded)
}

/// A text as it is read, and where each part of it was written.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The text as it is read.
    pub(crate) text: String,
    /// Behind each character that was folded: the offset in what is read, the one in what was
    /// written, and how many bytes are read in its place.
    folded: Vec<(usize, usize, usize)>,
}

impl Places {
    /// Folds all of the text.
    pub(crate) fn of(written: &str) -> Self {
        let mut places = Self {
            text: String::with_capacity(written.len()),
            folded: Vec::new(),
        };
        let mut at = 0;
        while let Some((place, c, fold)) = next(written, at) {
            places.text.push_str(&written[at..place]);
            if let Fold::As(byte) = fold {
                places.text.push(char::from(byte));
            }
            at = place + c.len_utf8();
            let read = usize::from(fold != Fold::Nothing);
            places.folded.push((places.text.len(), at, read));
        }
        places.text.push_str(&written[at..]);
        places
    }

    /// Where what is read before the offset was written to the end. A character of no width belongs
    /// to what follows it.
    pub(crate) fn written(&self, read: usize) -> usize {
        let before = self.folded.partition_point(|(at, ..)| *at < read);
        if let Some((at, written, 1)) = self.folded.get(before)
            && *at == read
        {
            return *written;
        }
        match before.checked_sub(1).map(|last| self.folded[last]) {
            Some((at, written, _)) => written + (read - at),
            None => read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no character that is folded is missed by the look at its first byte, and digits keep
    /// their value. Method: every character there is.
    #[test]
    fn the_first_byte_tells_of_every_character_that_is_folded() {
        let mut digits = 0;
        for c in '\u{80}'..=char::MAX {
            let mut bytes = [0; 4];
            let text = c.encode_utf8(&mut bytes);
            match fold(c) {
                Fold::Same => assert_eq!(next(text, 0), None, "{c:?}"),
                Fold::As(byte) => {
                    assert!(
                        byte.is_ascii() && LEADS[usize::from(text.as_bytes()[0])],
                        "{c:?}"
                    );
                    digits += usize::from(byte.is_ascii_digit());
                }
                Fold::Nothing => assert!(LEADS[usize::from(text.as_bytes()[0])], "{c:?}"),
            }
        }
        assert_eq!(digits, (ZEROS.len() + 1) * 10);
        assert!(ZEROS.is_sorted_by(|one, next| one + 10 <= *next));
    }

    #[test]
    fn what_is_read_is_where_it_was_written() {
        let written = "é４\u{200b}２\u{a0}—x";
        let places = Places::of(written);
        assert_eq!(places.text, "é42 -x");
        let behind = |read: &str| &written[..places.written(read.len())];
        assert_eq!(behind("é"), "é");
        assert_eq!(behind("é4"), "é４");
        assert_eq!(behind("é42"), "é４\u{200b}２");
        assert_eq!(behind("é42 -"), "é４\u{200b}２\u{a0}—");
        assert_eq!(behind("é42 -x"), written);
        assert_eq!(folded("１．２＠ｘ"), "1.2@x");
        assert_eq!(folded("a\u{e0061}b\u{e0100}c\u{3164}d\u{1d173}"), "abcd");
        assert_eq!(folded("a\u{2028}b\u{2029}c\u{85}d"), "a\nb\nc\nd");
        assert_eq!(pattern("(?x) a\u{2028}"), r"(?x) a\n");
        assert!(matches!(folded("né 日本"), Cow::Borrowed(_)));
    }
}
