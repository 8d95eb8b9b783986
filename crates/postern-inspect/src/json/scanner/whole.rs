//! Scalars that lie whole and plain in one piece, as nearly all do: they are read at once, without
//! the state that those need which are cut or escaped. What is not whole here is left as it is.

use super::super::state::{State, Word};
use super::super::text::plain_run;
use super::super::{Fault, Place, Scalar, Sink, Text};
use super::frame::Key;
use super::{Scanner, tell, tell_text};
use crate::bounds::VALUE_BYTES_MAX;

impl<S: Copy + 'static> Scanner<S> {
    /// Members one after the other, from the key whose quote stands at `at` on, for as long as keys
    /// and scalars lie whole here and nothing stands between them; gives what comes next.
    pub(super) fn whole_members(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<Option<usize>, Fault> {
        let begun = at;
        loop {
            self.place.key = self.offset + at;
            let Some(value) = self.whole_key(bytes, at)? else {
                return Ok((at > begun).then_some(at));
            };
            if self.state != State::Value || value == bytes.len() {
                return Ok(Some(value));
            }
            self.begin_value(value);
            let Some(end) = self.whole_scalar(bytes, value, sink)? else {
                // White space, where the value is yet to come, is passed over outside.
                let is_space = matches!(bytes[value], b' ' | b'\n' | b'\t' | b'\r');
                let next = if is_space {
                    value
                } else {
                    self.start_value(bytes, value, sink)?
                };
                return Ok(Some(next));
            };
            // A member stands in an object, so what follows a comma is a key.
            if bytes.get(end) != Some(&b',') {
                return Ok(Some(end));
            }
            self.place.comma = Some(self.offset + end);
            self.state = State::Key;
            at = end + 1;
            if bytes.get(at) != Some(&b'"') {
                return Ok(Some(at));
            }
        }
    }

    /// The key whose quote stands at `at`, and its colon if that follows; gives what comes next.
    fn whole_key(&mut self, bytes: &[u8], at: usize) -> Result<Option<usize>, Fault> {
        let Some(run) = whole_string(bytes, at) else {
            return Ok(None);
        };
        let key = Key {
            bytes: Some(run),
            plain: true,
            nul: false,
        };
        self.shape = match self.stack.last_mut() {
            Some(frame) => frame.member(self.strict, &key)?,
            None => None,
        };
        let end = at + run.len() + 2;
        if bytes.get(end) == Some(&b':') {
            self.state = State::Value;
            return Ok(Some(end + 1));
        }
        self.state = State::Colon;
        Ok(Some(end))
    }

    /// The scalar that begins at `at`; gives what comes next.
    pub(super) fn whole_scalar(
        &mut self,
        bytes: &[u8],
        at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<Option<usize>, Fault> {
        let end = match bytes[at] {
            b'"' => {
                let Some(run) = whole_string(bytes, at) else {
                    return Ok(None);
                };
                let text = Text {
                    bytes: Some(run),
                    escaped: false,
                    lone_surrogate: false,
                };
                let end = at + run.len() + 2;
                let place = self.place_to(end);
                tell_text(self.shape, (text, run.len() as u64), place, sink)?;
                end
            }
            b'0'..=b'9' => {
                let Some(digits) = whole_integer(&bytes[at..]) else {
                    return Ok(None);
                };
                let written = Some(digits).filter(|digits| digits.len() <= VALUE_BYTES_MAX);
                let end = at + digits.len();
                tell(
                    self.shape,
                    Scalar::Number(written),
                    self.place_to(end),
                    sink,
                )?;
                end
            }
            first => {
                let word = match first {
                    b't' => Word::True,
                    b'f' => Word::False,
                    b'n' => Word::Null,
                    _ => return Ok(None),
                };
                if !bytes[at..].starts_with(word.letters()) {
                    return Ok(None);
                }
                let end = at + word.letters().len();
                tell(self.shape, word.value(), self.place_to(end), sink)?;
                end
            }
        };
        self.end_value();
        Ok(Some(end))
    }

    fn place_to(&self, end: usize) -> Place {
        Place {
            end: self.offset + end,
            ..self.place
        }
    }
}

/// What stands between the quote at `at` and the next one, with no escape on the way.
fn whole_string(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = &bytes[at + 1..];
    let (run, rest) = rest.split_at(plain_run(rest));
    (rest.first() == Some(&b'"')).then_some(run)
}

/// An integer without sign, if what ends it stands here too.
fn whole_integer(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit())?;
    let zero_first = bytes[0] == b'0' && length > 1;
    let goes_on = matches!(bytes[length], b'.' | b'e' | b'E');
    (!zero_first && !goes_on).then(|| &bytes[..length])
}
