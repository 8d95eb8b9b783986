//! How text was spelled that is read otherwise (escapes of a JSON string, look-alike characters):
//! what is not changed goes on as it was written.

use std::collections::VecDeque;

use super::channel::Sink;

/// The spelling of text that is decoded and not yet given on.
#[derive(Debug, Clone, Default)]
pub(super) struct Spelling {
    raw: String,
    /// Where the rest of `raw` starts.
    from: usize,
    /// Characters that are spelled otherwise, in order.
    escapes: VecDeque<Escape>,
    /// Decoded bytes given on.
    given: usize,
    /// Decoded bytes taken.
    taken: usize,
}

#[derive(Debug, Clone)]
struct Escape {
    /// Decoded bytes before it.
    at: usize,
    decoded: usize,
    raw: usize,
}

impl Spelling {
    /// Text that is spelled as it reads.
    pub(super) fn plain(&mut self, text: &str) {
        self.raw.push_str(text);
        self.taken += text.len();
    }

    /// A character with its spelling.
    pub(super) fn escaped(&mut self, decoded: char, raw: &str) {
        self.spelled(decoded.len_utf8(), raw);
    }

    /// So many bytes with their spelling. What is spelled and not read belongs to what follows.
    pub(super) fn spelled(&mut self, length: usize, raw: &str) {
        self.escapes.push_back(Escape {
            at: self.taken,
            decoded: length,
            raw: raw.len(),
        });
        self.raw.push_str(raw);
        self.taken += length;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given == self.taken && self.escapes.is_empty()
    }

    /// The spelling of the next decoded bytes, which stay.
    pub(super) fn peek(&self, decoded: usize) -> &str {
        let end = self.given + decoded;
        let next = self.escapes.iter().take_while(|escape| escape.at < end);
        let raw = next.fold(decoded, |raw, escape| raw + escape.raw - escape.decoded);
        &self.raw[self.from..self.from + raw]
    }

    /// The spelling of all that is left.
    pub(super) fn rest(&mut self) -> String {
        let rest = self.raw.split_off(self.from);
        *self = Self::default();
        rest
    }

    /// The spelling of the next decoded bytes.
    fn take(&mut self, decoded: usize) -> &str {
        let end = self.given + decoded;
        let mut raw = decoded;
        while let Some(escape) = self.escapes.front().filter(|escape| escape.at < end) {
            raw = raw + escape.raw - escape.decoded;
            self.escapes.pop_front();
        }
        self.given = end;
        if self.from >= KEPT_BYTES {
            self.raw.drain(..self.from);
            self.from = 0;
        }
        let from = self.from;
        self.from += raw;
        &self.raw[from..from + raw]
    }
}

/// Spelling that was given on and is still kept, in bytes: dropping it costs a move.
const KEPT_BYTES: usize = 4096;

/// Gives on decoded text in its spelling.
pub(super) struct Spelled<'a> {
    pub(super) spelling: &'a mut Spelling,
    pub(super) out: &'a mut dyn Sink,
    /// Whether new text must be written for a JSON string.
    pub(super) quoted: bool,
}

impl Sink for Spelled<'_> {
    fn keep(&mut self, text: &str) {
        if !text.is_empty() {
            self.out.keep(self.spelling.take(text.len()));
        }
    }

    fn replace(&mut self, text: &str, with: &str) {
        let raw = self.spelling.take(text.len());
        if self.quoted {
            self.out.replace(raw, &inner(with));
        } else {
            self.out.replace(raw, with);
        }
    }

    fn skip(&mut self, text: &str) {
        self.out.skip(self.spelling.take(text.len()));
    }
}

/// The text as it stands between the quotes of a JSON string.
pub(super) fn inner(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
