//! One escape of a JSON string, byte by byte.

/// The escape that is being read; empty between escapes.
#[derive(Debug, Clone, Default)]
pub(in crate::clean) struct Escape {
    pub(super) raw: String,
}

/// What came of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clean) enum Read {
    /// The escape goes on.
    More,
    /// With this byte it is a character.
    Char(char),
    /// It is no escape of JSON, and the byte is none of it.
    Bad,
    /// With this byte a surrogate is whole that has no other half.
    Lone,
}

const ESCAPE_BYTES: usize = 6;

impl Escape {
    pub(super) fn open(&self) -> bool {
        !self.raw.is_empty()
    }

    /// Whether it is half of a pair so far.
    pub(super) fn is_half(&self) -> bool {
        self.raw.len() >= ESCAPE_BYTES
    }

    /// Takes the first half off where it has no other; what stands behind it is read again.
    pub(super) fn split(&mut self) -> (String, Read) {
        let rest = self.raw.split_off(ESCAPE_BYTES);
        let first = std::mem::replace(&mut self.raw, rest);
        let read = if self.open() { self.units() } else { Read::Bad };
        (first, read)
    }

    /// Takes a byte: the backslash first.
    pub(in crate::clean) fn push(&mut self, byte: u8) -> Read {
        let fits = match self.raw.len() % ESCAPE_BYTES {
            0 => byte == b'\\',
            1 if self.is_half() => byte == b'u',
            1 => b"\"\\/bfnrtu".contains(&byte),
            _ => byte.is_ascii_hexdigit(),
        };
        if !fits {
            return Read::Bad;
        }
        self.raw.push(char::from(byte));
        match byte {
            _ if self.raw.len() == 2 && byte != b'u' => Read::Char(match byte {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            }),
            _ if self.raw.len().is_multiple_of(ESCAPE_BYTES) => self.units(),
            _ => Read::More,
        }
    }

    fn units(&self) -> Read {
        let unit = |at: usize| u16::from_str_radix(&self.raw[at + 2..at + ESCAPE_BYTES], 16);
        let mut units = [0_u16; 2];
        let count = self.raw.len() / ESCAPE_BYTES;
        for (index, slot) in units.iter_mut().enumerate().take(count) {
            *slot = unit(index * ESCAPE_BYTES).unwrap_or_default();
        }
        match char::decode_utf16(units[..count].iter().copied()).next() {
            Some(Ok(c)) => Read::Char(c),
            Some(Err(error)) if count == 1 && error.unpaired_surrogate() < 0xdc00 => Read::More,
            Some(Err(_)) | None => Read::Lone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read {
        let mut escape = Escape::default();
        let mut last = Read::More;
        for byte in text.bytes() {
            assert_eq!(last, Read::More, "{text}");
            last = escape.push(byte);
        }
        last
    }

    #[test]
    fn escapes_are_read_as_json_has_them() {
        assert_eq!(read(r"\n"), Read::Char('\n'));
        assert_eq!(read(r"\/"), Read::Char('/'));
        assert_eq!(read(r"\u00e9"), Read::Char('é'));
        assert_eq!(read(r"\ud83d\ude00"), Read::Char('😀'));
        assert_eq!(read(r"\ud83d"), Read::More);
        assert_eq!(read(r"\ud83d\ud83d"), Read::Lone);
        assert_eq!(read(r"\ude00"), Read::Lone);
        assert_eq!(read(r"\ud83dx"), Read::Bad);
        assert_eq!(read(r"\x"), Read::Bad);
        assert_eq!(read(r"\u00g"), Read::Bad);
    }
}
