//! How rows are written: RFC 4180, with the separators and line ends that are in use.
//!
//! WHY NOT a library: those that are kept well forgive a stray quote, each in its own way, and tell
//! no field's bytes. Here what has two readings has none, and a field that stays keeps its bytes.

/// What may separate values, those that are likelier first.
pub(super) const SEPARATORS: [u8; 4] = *b",;\t|";

/// What may stand before the first record.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// At the beginning of a field.
    #[default]
    Begin,
    /// In a field without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// Behind a quote that ends them, or is the first of two.
    Quote,
}

/// What a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A byte of the value.
    Content,
    /// The second of two quotes: one quote of the value.
    Doubled,
    /// A quote that stands around the value, or the first of two.
    Quote,
    /// A separator.
    Separator,
    /// A byte that ends the record. Of `\r\n` the second ends one more, without a byte in it.
    LineEnd,
}

/// How one body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grammar {
    /// What separates values; `None` until the first record tells.
    pub(super) separator: Option<u8>,
    /// Whether a quote amid a value without quotes is only a quote.
    pub(super) loose: bool,
}

impl Default for Grammar {
    fn default() -> Self {
        Self {
            separator: Some(b','),
            loose: false,
        }
    }
}

/// A quote stands where no reader need understand it as another does.
pub(super) struct StrayQuote;

impl Grammar {
    /// Reads a byte.
    pub(super) fn step(self, place: &mut Place, byte: u8) -> Result<Mark, StrayQuote> {
        let (next, mark) = match (*place, byte) {
            (Place::Quoted, b'"') => (Place::Quote, Mark::Quote),
            (Place::Quoted, _) => (Place::Quoted, Mark::Content),
            (Place::Quote, b'"') => (Place::Quoted, Mark::Doubled),
            (_, byte) if self.separates(byte) => (Place::Begin, Mark::Separator),
            (_, b'\r' | b'\n') => (Place::Begin, Mark::LineEnd),
            (Place::Begin, b'"') => (Place::Quoted, Mark::Quote),
            (Place::Quote, _) => return Err(StrayQuote),
            // Which separator it is may still be open, and with it whether a field begins here.
            (Place::Bare, b'"') if !self.loose && self.separator.is_some() => {
                return Err(StrayQuote);
            }
            (Place::Begin | Place::Bare, _) => (Place::Bare, Mark::Content),
        };
        *place = next;
        Ok(mark)
    }

    fn separates(self, byte: u8) -> bool {
        match self.separator {
            Some(separator) => byte == separator,
            None => SEPARATORS.contains(&byte),
        }
    }

    /// Whether the value has to stand in quotes.
    pub(super) fn needs_quotes(self, value: &str) -> bool {
        let parts = |byte: u8| self.separates(byte) || matches!(byte, b'\r' | b'\n');
        let quote = if self.loose {
            value.starts_with('"')
        } else {
            value.contains('"')
        };
        quote || value.bytes().any(parts)
    }
}
