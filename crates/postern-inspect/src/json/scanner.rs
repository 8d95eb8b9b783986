//! The scanner itself.

mod frame;
mod whole;

use super::number::Number;
use super::shape::{Leaf, Shape};
use super::state::{State, Word};
use super::text::{StringState, plain_run};
use super::{Fault, Place, Scalar, Sink, Text};
use crate::bounds::{DEPTH_MAX, DEPTH_USUAL, VALUE_BYTES_MAX};
use frame::{Frame, Key};

/// Reads one JSON document; see the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<S: 'static> {
    root: &'static Shape<S>,
    strict: bool,
    state: State,
    stack: Vec<Frame<S>>,
    /// The shape of the value that comes next or is being read.
    shape: Option<&'static Shape<S>>,
    string: StringState,
    number: Vec<u8>,
    place: Place,
    /// The offset of the first byte of the next piece.
    offset: usize,
}

impl<S: Copy + 'static> Scanner<S> {
    /// A scanner for one document. A strict one holds the keys of the table to one meaning.
    pub(crate) fn new(root: &'static Shape<S>, strict: bool) -> Self {
        Self {
            root,
            strict,
            state: State::Value,
            stack: Vec::with_capacity(DEPTH_USUAL),
            shape: Some(root),
            string: StringState::default(),
            number: Vec::new(),
            place: Place {
                start: 0,
                end: 0,
                key: 0,
                comma: None,
            },
            offset: 0,
        }
    }

    /// Begins another document, keeping the memory.
    pub(crate) fn restart(&mut self) {
        self.state = State::Value;
        self.stack.clear();
        self.shape = Some(self.root);
        self.offset = 0;
    }

    /// Says that the next piece begins at this offset, for pieces that do not follow each other.
    pub(crate) fn seek(&mut self, offset: usize) {
        self.offset = offset;
    }

    /// Reads the next piece.
    ///
    /// # Errors
    /// At the first byte that cannot be read; the scanner is of no more use then.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut impl Sink<S>) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            at = match self.state {
                State::Text => self.text(bytes, at, sink)?,
                State::Number(number) => self.number(number, bytes, at, sink)?,
                State::Escape => self.escape(bytes[at], at)?,
                State::Unit(left, unit) => self.unit(left, unit, bytes[at], at)?,
                State::Word(word, stood) => self.word(word, stood, bytes, at, sink)?,
                state => {
                    if matches!(bytes[at], b' ' | b'\n' | b'\t' | b'\r') {
                        at + 1
                    } else {
                        self.token(state, bytes, at, sink)?
                    }
                }
            };
        }
        self.offset += bytes.len();
        Ok(())
    }

    /// The document has ended.
    ///
    /// # Errors
    /// When it is not complete.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink<S>) -> Result<(), Fault> {
        if let State::Number(number) = self.state
            && number.complete()
        {
            self.end_number(0, sink)?;
        }
        if self.state == State::Done {
            Ok(())
        } else {
            Err(Fault::Syntax("it ends too early"))
        }
    }

    /// Whether a whole document was read.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// In an array that is the document itself, between its elements: whether one stood already
    /// and whether a comma follows it.
    pub(crate) fn between_elements(&self) -> Option<(bool, bool)> {
        let [outer] = self.stack.as_slice() else {
            return None;
        };
        match self.state {
            _ if outer.object => None,
            State::FirstElement => Some((false, false)),
            State::Next => Some((true, false)),
            State::Value => Some((true, true)),
            _ => None,
        }
    }

    /// A byte that is neither in a scalar nor whitespace.
    fn token(
        &mut self,
        state: State,
        bytes: &[u8],
        at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<usize, Fault> {
        let byte = bytes[at];
        match (state, byte) {
            (State::FirstElement, b']') | (State::FirstKey, b'}') => self.close(at, sink)?,
            (State::Value | State::FirstElement, _) => return self.value(bytes, at, sink),
            (State::FirstKey | State::Key, b'"') => {
                if let Some(next) = self.whole_members(bytes, at, sink)? {
                    return Ok(next);
                }
                self.place.key = self.offset + at;
                let wanted = self.stack.last().is_some_and(|frame| frame.shape.is_some());
                self.string.begin(true, wanted);
                self.state = State::Text;
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::Next, b',') => self.comma(at)?,
            (State::Next, b'}' | b']') => {
                if self.stack.last().is_some_and(|frame| frame.object) != (byte == b'}') {
                    return Err(Fault::Syntax("a bracket is closed by another kind"));
                }
                self.close(at, sink)?;
            }
            (State::Done, _) => return Err(Fault::Syntax("bytes follow the document")),
            _ => return Err(Fault::Syntax("an unexpected character")),
        }
        Ok(at + 1)
    }

    fn comma(&mut self, at: usize) -> Result<(), Fault> {
        let frame = self.stack.last().ok_or(Fault::Syntax("a comma outside"))?;
        self.place.comma = Some(self.offset + at);
        if frame.object {
            self.state = State::Key;
        } else {
            self.shape = frame.shape.and_then(|shape| shape.elements);
            self.state = State::Value;
        }
        Ok(())
    }

    fn value(&mut self, bytes: &[u8], at: usize, sink: &mut impl Sink<S>) -> Result<usize, Fault> {
        self.begin_value(at);
        match self.whole_scalar(bytes, at, sink)? {
            Some(next) => Ok(next),
            None => self.start_value(bytes, at, sink),
        }
    }

    /// A value that is not a scalar that lies whole here.
    fn start_value(
        &mut self,
        bytes: &[u8],
        at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<usize, Fault> {
        let byte = bytes[at];
        match byte {
            b'{' | b'[' => self.open(byte == b'{', sink)?,
            b'"' => {
                let wanted = self
                    .shape
                    .is_some_and(|shape| matches!(shape.leaf, Leaf::Take(_)));
                self.string.begin(false, wanted);
                self.state = State::Text;
            }
            b't' => self.state = State::Word(Word::True, 1),
            b'f' => self.state = State::Word(Word::False, 1),
            b'n' => self.state = State::Word(Word::Null, 1),
            _ => {
                let number = Number::start(byte).ok_or(Fault::Syntax("a value is missing"))?;
                self.number.clear();
                self.number.push(byte);
                self.state = State::Number(number);
            }
        }
        Ok(at + 1)
    }

    fn begin_value(&mut self, at: usize) {
        if let Some(frame) = self.stack.last_mut() {
            frame.filled = true;
        }
        self.place.start = self.offset + at;
    }

    fn open(&mut self, object: bool, sink: &mut impl Sink<S>) -> Result<(), Fault> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        if let Some(shape) = self.shape {
            if self.strict && !shape.reads(object) {
                return Err(Fault::Kind);
            }
            if let Leaf::Take(slot) = shape.leaf {
                sink.container(slot, object)?;
            }
            if let Some(mark) = shape.mark {
                sink.opened(mark, object)?;
            }
        }
        let (shape, place) = (self.shape, self.place);
        self.stack.push(Frame {
            shape,
            object,
            seen: 0,
            filled: false,
            place,
        });
        self.place.comma = None;
        if object {
            self.state = State::FirstKey;
        } else {
            self.shape = shape.and_then(|shape| shape.elements);
            self.state = State::FirstElement;
        }
        Ok(())
    }

    fn close(&mut self, at: usize, sink: &mut impl Sink<S>) -> Result<(), Fault> {
        let frame = self
            .stack
            .pop()
            .ok_or(Fault::Syntax("a bracket closes nothing"))?;
        if let Some(mark) = frame.shape.and_then(|shape| shape.mark) {
            let place = Place {
                end: self.offset + at + 1,
                ..frame.place
            };
            sink.closed(mark, place, frame.filled)?;
        }
        self.end_value();
        Ok(())
    }

    fn end_value(&mut self) {
        self.state = if self.stack.is_empty() {
            State::Done
        } else {
            State::Next
        };
    }

    fn text(&mut self, bytes: &[u8], at: usize, sink: &mut impl Sink<S>) -> Result<usize, Fault> {
        let end = at + plain_run(&bytes[at..]);
        let run = &bytes[at..end];
        self.string.bytes += run.len() as u64;
        match bytes.get(end) {
            None => {
                self.string.hold(run);
                return Ok(end);
            }
            Some(b'"') => {
                let whole = if self.string.split {
                    self.string.hold(run);
                    None
                } else {
                    Some(run)
                };
                self.string.end_pair();
                if self.string.key {
                    self.end_key(whole)?;
                } else {
                    self.end_string(whole, end, sink)?;
                }
            }
            Some(b'\\') => {
                self.string.hold(run);
                self.state = State::Escape;
            }
            Some(_) => return Err(Fault::Syntax("a control character stands in a string")),
        }
        Ok(end + 1)
    }

    fn escape(&mut self, byte: u8, at: usize) -> Result<usize, Fault> {
        if byte == b'u' {
            self.state = State::Unit(4, 0);
        } else {
            self.string
                .escape(byte)
                .ok_or(Fault::Syntax("an unknown escape"))?;
            self.state = State::Text;
        }
        Ok(at + 1)
    }

    fn unit(&mut self, left: u8, unit: u16, byte: u8, at: usize) -> Result<usize, Fault> {
        let digit = char::from(byte)
            .to_digit(16)
            .ok_or(Fault::Syntax("a broken escape"))?;
        // Four hexadecimal digits fill the sixteen bits exactly.
        let unit = (unit << 4) | u16::try_from(digit).unwrap_or(0);
        if left == 1 {
            self.string.unit(unit);
            self.state = State::Text;
        } else {
            self.state = State::Unit(left - 1, unit);
        }
        Ok(at + 1)
    }

    fn end_key(&mut self, whole: Option<&[u8]>) -> Result<(), Fault> {
        let key = Key {
            // A key that is too long to be held is none that is read.
            bytes: whole.or_else(|| self.string.held()),
            plain: !self.string.escaped && !self.string.lone_surrogate,
            nul: self.string.nul,
        };
        self.state = State::Colon;
        self.shape = match self.stack.last_mut() {
            Some(frame) => frame.member(self.strict, &key)?,
            None => None,
        };
        Ok(())
    }

    fn end_string(
        &mut self,
        whole: Option<&[u8]>,
        end: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<(), Fault> {
        self.end_value();
        let text = Text {
            bytes: whole.or_else(|| self.string.held()),
            escaped: self.string.escaped,
            lone_surrogate: self.string.lone_surrogate,
        };
        let place = Place {
            end: self.offset + end + 1,
            ..self.place
        };
        tell_text(self.shape, (text, self.string.bytes), place, sink)
    }

    fn number(
        &mut self,
        mut number: Number,
        bytes: &[u8],
        at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<usize, Fault> {
        let mut end = at;
        let mut ended = false;
        while let Some(byte) = bytes.get(end) {
            let Some(next) = number.next(*byte) else {
                ended = true;
                break;
            };
            number = next;
            end += 1;
        }
        if self
            .shape
            .is_some_and(|shape| matches!(shape.leaf, Leaf::Take(_)))
        {
            let room = (VALUE_BYTES_MAX + 1).saturating_sub(self.number.len());
            self.number.extend(bytes[at..end].iter().take(room));
        }
        self.state = State::Number(number);
        if ended {
            if !number.complete() {
                return Err(Fault::Syntax("a broken number"));
            }
            self.end_number(end, sink)?;
        }
        Ok(end)
    }

    fn end_number(&mut self, at: usize, sink: &mut impl Sink<S>) -> Result<(), Fault> {
        self.end_value();
        let written = Some(self.number.as_slice()).filter(|text| text.len() <= VALUE_BYTES_MAX);
        let place = Place {
            end: self.offset + at,
            ..self.place
        };
        tell(self.shape, Scalar::Number(written), place, sink)
    }

    fn word(
        &mut self,
        word: Word,
        stood: u8,
        bytes: &[u8],
        at: usize,
        sink: &mut impl Sink<S>,
    ) -> Result<usize, Fault> {
        let rest = &word.letters()[usize::from(stood)..];
        let given = &bytes[at..bytes.len().min(at + rest.len())];
        if !rest.starts_with(given) {
            return Err(Fault::Syntax("a broken word"));
        }
        let end = at + given.len();
        if given.len() < rest.len() {
            // A word has at most five letters.
            self.state = State::Word(word, stood + u8::try_from(given.len()).unwrap_or(0));
            return Ok(end);
        }
        self.end_value();
        let place = Place {
            end: self.offset + end,
            ..self.place
        };
        tell(self.shape, word.value(), place, sink)?;
        Ok(end)
    }
}

/// Tells the sink of a string, and how many bytes it has.
fn tell_text<S: Copy>(
    shape: Option<&'static Shape<S>>,
    (text, bytes): (Text<'_>, u64),
    place: Place,
    sink: &mut impl Sink<S>,
) -> Result<(), Fault> {
    match shape.map(|shape| shape.leaf) {
        Some(Leaf::Count) => sink.text(bytes),
        Some(Leaf::Measure(slot)) => sink.measured(slot, bytes),
        Some(Leaf::Take(slot)) => {
            let text = Text {
                bytes: text.bytes.filter(|text| text.len() <= VALUE_BYTES_MAX),
                ..text
            };
            return sink.scalar(slot, Scalar::Text(text), place);
        }
        Some(Leaf::Skip) | None => {}
    }
    Ok(())
}

/// Tells the sink of a scalar that is no string. In counted places it costs the model about as
/// much as a short word.
fn tell<S: Copy>(
    shape: Option<&'static Shape<S>>,
    value: Scalar<'_>,
    place: Place,
    sink: &mut impl Sink<S>,
) -> Result<(), Fault> {
    match shape.map(|shape| shape.leaf) {
        Some(Leaf::Take(slot)) => sink.scalar(slot, value, place),
        Some(Leaf::Count) => {
            sink.text(if value == Scalar::Null { 0 } else { 4 });
            Ok(())
        }
        Some(Leaf::Skip | Leaf::Measure(_)) | None => Ok(()),
    }
}
