//! Text that streams: UTF-8 put together from pieces, through one channel.

use crate::InspectError;
use crate::clean::{Channel, Cleaner, TextKind};

use super::markup::{self, References};

/// Where findings in such a body stand.
const PLACE: &str = "body";

/// One text on its way.
#[derive(Clone)]
pub(super) struct Text {
    channel: Channel,
    /// Reads character references, in XML and HTML.
    references: Option<References>,
    /// The beginning of a letter whose end has not come.
    letter: Vec<u8>,
}

impl Text {
    /// Text that is what it says.
    pub(super) fn plain() -> Self {
        Self {
            channel: Channel::new(TextKind::Plain, PLACE, ""),
            references: None,
            letter: Vec::new(),
        }
    }

    /// Text with character references.
    pub(super) fn markup() -> Self {
        Self {
            channel: Channel::new(TextKind::Markup, PLACE, ""),
            references: Some(References::default()),
            ..Self::plain()
        }
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        let joined;
        let mut bytes = piece;
        if !self.letter.is_empty() {
            joined = [std::mem::take(&mut self.letter).as_slice(), piece].concat();
            bytes = &joined;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                self.letter.extend_from_slice(rest);
                std::str::from_utf8(whole).map_err(|_| not_text())?
            }
            Err(_) => return Err(not_text()),
        };
        self.take(text, cleaner, out)
    }

    fn take(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        let mut clean = String::with_capacity(text.len());
        let pushed = match &mut self.references {
            None => self.channel.push(text, cleaner, &mut clean),
            Some(references) => {
                let mut plain = String::with_capacity(text.len());
                references.push(text, &mut plain)?;
                self.channel.push(&plain, cleaner, &mut clean)
            }
        };
        self.give(&clean, out);
        Ok(pushed?)
    }

    fn give(&self, clean: &str, out: &mut Vec<u8>) {
        match self.references {
            None => out.extend_from_slice(clean.as_bytes()),
            Some(_) => markup::write(clean, out),
        }
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut Vec<u8>,
    ) -> Result<(), InspectError> {
        if !self.letter.is_empty() {
            return Err(not_text());
        }
        let mut clean = String::new();
        if let Some(references) = &mut self.references {
            let mut plain = String::new();
            references.finish(&mut plain);
            self.channel.push(&plain, cleaner, &mut clean)?;
        }
        let finished = self.channel.finish(cleaner, &mut clean);
        self.give(&clean, out);
        Ok(finished?)
    }
}

fn not_text() -> InspectError {
    InspectError::cannot("the text is not in UTF-8")
}
