//! Text that others chose, made safe for a terminal.
//!
//! SECURITY: paths, user agents, model names and the like come from clients. A terminal obeys
//! control characters: it moves the cursor, changes colours and titles, and some answer back. So
//! nothing that is not a visible character leaves the command line unescaped, and neither do the
//! characters that reorder or hide what stands beside them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Whether a character may reach a terminal as it is.
fn is_plain(character: char) -> bool {
    let hidden = matches!(character,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Zero width characters and direction marks.
        | '\u{200b}'..='\u{200f}'
        // Line and paragraph separators, bidirectional embeddings and overrides.
        | '\u{2028}'..='\u{202e}'
        // Invisible operators, bidirectional isolates, deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Tag characters, which carry hidden text.
        | '\u{e0000}'..='\u{e007f}');
    !character.is_control() && !hidden
}

/// The text with everything that a terminal could obey written as `\u{…}`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            character if is_plain(character) => safe.push(character),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            other => {
                // Writing into a string does not fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(other));
            }
        }
    }
    Cow::Owned(safe)
}

/// Like [`plain`], but keeps line breaks and tabs: for texts of several lines, such as policies.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let parts: Vec<_> = line.split('\t').map(plain).collect();
            parts.join("    ")
        })
        .collect();
    lines.join("\n")
}

/// A JSON formatter that escapes the same characters, so that `--json` on a terminal is as safe.
struct Safe<F>(F);

macro_rules! hand_on {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $name<W: ?Sized + io::Write>(
            &mut self, writer: &mut W, $($argument: $kind),*
        ) -> io::Result<()> {
            self.0.$name(writer, $($argument),*)
        }
    )*};
}

impl<F: Formatter> Formatter for Safe<F> {
    hand_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0u16; 2];
        let mut start = 0;
        for (at, character) in fragment.char_indices() {
            if is_plain(character) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[start..at])?;
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            start = at + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }
}

/// A value as JSON text that is safe on a terminal: indented, or on one line.
///
/// # Panics
/// Never for the types of this crate: they have text keys only.
#[must_use]
pub fn json<T: serde::Serialize>(value: &T, indented: bool) -> String {
    let mut bytes = Vec::with_capacity(128);
    let written = if indented {
        let formatter = Safe(PrettyFormatter::new());
        value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut bytes, formatter,
        ))
    } else {
        let formatter = Safe(CompactFormatter);
        value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut bytes, formatter,
        ))
    };
    written.expect("the answers of this program have text keys and go into memory");
    String::from_utf8(bytes).expect("JSON is written as UTF-8")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that terminals obey: clear the screen, set the title, ask for an answer, C1 CSI,
    /// overwrite the line, reorder, hide.
    const NAUGHTY: [&str; 9] = [
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;owned\u{7}",
        "\u{1b}[6n",
        "\u{9b}31m",
        "ok\rfail",
        "a\u{202e}txt.exe",
        "zero\u{200b}width",
        "nul\0del\u{7f}",
        "tag\u{e0041}ged",
    ];

    #[test]
    fn control_characters_never_reach_a_terminal() {
        for text in NAUGHTY {
            for safe in [
                plain(text).into_owned(),
                plain_lines(text),
                json(&text, true),
            ] {
                assert!(safe.chars().all(is_plain), "{safe:?}");
            }
        }
        assert_eq!(plain("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(plain_lines("a\n\tb\u{7}"), "a\n    b\\u{7}");
    }

    #[test]
    fn escaped_json_is_still_the_same_value() {
        for text in NAUGHTY {
            let value = serde_json::json!({ "k\u{9b}": [text, 1, null, true], "o": {} });
            for indented in [true, false] {
                let read: serde_json::Value =
                    serde_json::from_str(&json(&value, indented)).unwrap();
                assert_eq!(read, value);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_visible_is_changed_and_nothing_else_passes(text in any::<String>()) {
            let safe = plain(&text);
            prop_assert!(safe.chars().all(is_plain));
            if text.chars().all(is_plain) {
                prop_assert_eq!(safe.as_ref(), text.as_str());
            }
            let read: String = serde_json::from_str(&json(&text, false)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
