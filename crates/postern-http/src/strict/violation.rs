//! What a request on the wire did wrong.

use std::fmt;

use postern_types::{Refusal, RefusalCode};

/// Bytes of the request line that are kept for the record.
const LINE_KEPT_BYTES: usize = 1024;

/// A fault in a request's bytes: the code that the client sees and the cause that the operator
/// sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: RefusalCode,
    pub(crate) cause: &'static str,
}

impl Fault {
    pub(crate) const fn bad(cause: &'static str) -> Self {
        Self {
            code: RefusalCode::BadRequest,
            cause,
        }
    }

    pub(crate) const fn unsupported(cause: &'static str) -> Self {
        Self {
            code: RefusalCode::Unsupported,
            cause,
        }
    }

    pub(crate) fn refusal(self) -> Refusal {
        Refusal::new(self.code, self.cause)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause)
    }
}

impl std::error::Error for Fault {}

/// A fault together with the request line it came with, as far as there was one. The line is what a
/// stranger sent: it goes into records, never into decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) fault: Fault,
    pub(crate) method: String,
    pub(crate) target: String,
}

impl Violation {
    /// Keeps what can be told of the request line that `head` starts with.
    pub(crate) fn new(fault: Fault, head: &[u8]) -> Self {
        let line = head
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .find(|line| !line.is_empty());
        let line = line.unwrap_or_default();
        let line = &line[..line.len().min(LINE_KEPT_BYTES)];
        let mut words = line
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        Self {
            fault,
            method: printable(words.next().unwrap_or_default(), 32),
            target: printable(words.next().unwrap_or_default(), LINE_KEPT_BYTES),
        }
    }
}

/// ASCII text with everything else replaced, cut at `max` bytes.
fn printable(bytes: &[u8], max: usize) -> String {
    let shown = |byte: &u8| {
        if byte.is_ascii_graphic() {
            char::from(*byte)
        } else {
            '?'
        }
    };
    bytes.iter().take(max).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_line_is_short_and_printable() {
        let head = [b"GE\x1bT /a\xff\x00b ".as_slice(), &[b'x'; 5000]].concat();
        let violation = Violation::new(Fault::bad("test"), &head);
        assert_eq!(
            (violation.method.as_str(), violation.target.as_str()),
            ("GE?T", "/a??b")
        );
        let violation = Violation::new(Fault::bad("test"), b"\r\n");
        assert_eq!(
            (violation.method.as_str(), violation.target.as_str()),
            ("", "")
        );
    }
}
