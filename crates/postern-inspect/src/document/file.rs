//! Files that are text, sent along as base64: they are read like any text and encoded again.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::body::{FileKind, file_kind};
use crate::bounds::PDF_BEGIN_BYTES;

/// Padding or not: senders differ.
const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER);
const SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER);

/// A file that is text.
pub(super) struct TextFile<'a> {
    pub(super) kind: FileKind,
    pub(super) text: String,
    /// What stands before the data: the beginning of a data address.
    head: &'a str,
    engine: &'static GeneralPurpose,
    /// Whether the data has no padding where there would be some.
    bare: bool,
}

impl<'a> TextFile<'a> {
    /// Reads a data address, or the data of a file of this media type. `None` where it is no text,
    /// or could be something else to another reader.
    pub(super) fn read(data: &'a str, media: Option<&str>) -> Option<Self> {
        let (head, media, data) = match data.strip_prefix("data:") {
            Some(rest) => {
                let (media, bare) = rest.split_once(";base64,")?;
                (&data[..data.len() - bare.len()], media, bare)
            }
            None => ("", media?, data),
        };
        let kind = file_kind(media)?;
        let engine = if data.contains(['-', '_']) {
            &SAFE
        } else {
            &PLAIN
        };
        let text = String::from_utf8(engine.decode(data).ok()?).ok()?;
        // SECURITY: readers that look at the bytes instead of the type must find a text, too.
        let odd = |c: char| {
            let control = c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c');
            // A byte order mark hides the first letter, by which a kind of text is told.
            control || c == '\u{feff}'
        };
        let begin = &text.as_bytes()[..text.len().min(PDF_BEGIN_BYTES)];
        let pdf = memchr::memmem::find(begin, b"%PDF-").is_some();
        let marks: &[char] = match kind {
            FileKind::Text(_) => &['<', '%'],
            FileKind::Markup { .. } => &['%'],
        };
        let other = pdf || text.trim_start().starts_with(marks) || text.starts_with("{\\rtf");
        (!other && !text.contains(odd)).then_some(Self {
            kind,
            text,
            head,
            engine,
            bare: !data.len().is_multiple_of(4),
        })
    }

    /// The file with another text in it.
    pub(super) fn with(&self, text: &str) -> String {
        let mut new = self.head.to_owned();
        self.engine.encode_string(text, &mut new);
        if self.bare {
            new.truncate(new.trim_end_matches('=').len());
        }
        new
    }
}
