//! Which characters beyond ASCII stay inside a run.
//!
//! Letters of scripts that write words with spaces between them do; ideographs, kana, hangul and
//! the scripts of South-East Asia that write without spaces do not, nor do emoji, other symbols and
//! quotes: no value goes over them, and text in them must not be held back.

use crate::bounds::{HOST_BYTES_MAX, LABEL_BYTES_MAX};

/// The bytes of the character that starts with this byte.
pub(super) fn width(first: u8) -> usize {
    match first {
        0..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

/// The bytes of the character at the offset if it stays inside a run; `None` if it ends it.
pub(super) fn inner(text: &str, at: usize) -> Option<usize> {
    let c = text[at..].chars().next()?;
    (!c.is_ascii() && !breaks(c)).then_some(c.len_utf8())
}

/// Whether a letter of a script that is written without spaces between words stands at the offset:
/// it ends a run, but names of mailboxes and of their hosts are made of such letters too.
pub(super) fn is_wide(text: &str, at: usize) -> bool {
    let beyond = text.as_bytes().get(at).is_some_and(|byte| !byte.is_ascii());
    beyond && text[at..].chars().next().is_some_and(wide)
}

/// Where the letters of such scripts end that begin at the offset.
pub(super) fn wide_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + rest.find(|c| !wide(c)).unwrap_or(rest.len())
}

fn wide(c: char) -> bool {
    match u32::from(c) {
        // Thai, Lao, Burmese, Khmer: letters and the marks on them.
        0xe01..=0xe3a | 0xe40..=0xe4e | 0xe81..=0xece | 0x1000..=0x103f | 0x1050..=0x108f => true,
        0x1780..=0x17d3 | 0x1100..=0x11ff => true,
        // Ideographs and their radicals, kana without the dot between words, bopomofo, hangul.
        0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3041..=0x30fa => true,
        0x30fc..=0x318f | 0x31a0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0xa48c => true,
        0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff => true,
        _ => false,
    }
}

/// Whether the run goes on at such a letter as the host of an address: it holds an `@`, and the
/// label that the letter would be in is the first, empty, or of such letters. Text behind
/// `name@example.com` is none of it.
pub(super) fn in_host(run: &[u8]) -> bool {
    let run = &run[run.len().saturating_sub(HOST_BYTES_MAX)..];
    let Some(sign) = memchr::memrchr(b'@', run) else {
        return false;
    };
    let host = &run[sign + 1..];
    let label = memchr::memrchr(b'.', host).map_or(host, |dot| &host[dot + 1..]);
    let goes_on = label.len() == host.len() || !label.is_ascii() || label.is_empty();
    goes_on && label.len() < LABEL_BYTES_MAX
}

/// The bytes of a space at the offset that may join two groups.
pub(super) fn joining_space(text: &str, at: usize) -> Option<usize> {
    let c = text[at..].chars().next()?;
    // No-break space, figure space, thin space, narrow no-break space.
    let joins = matches!(
        c,
        ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}'
    );
    joins.then_some(c.len_utf8())
}

fn breaks(c: char) -> bool {
    match u32::from(c) {
        // C1 controls, no-break space, guillemets and the signs around them.
        0x80..=0xa9 | 0xab..=0xac | 0xae..=0xaf | 0xb6 | 0xb8 | 0xbb..=0xbf => true,
        // Hyphens and what has no width hide in values rather than end them.
        0x200b..=0x2015 | 0x2032..=0x2033 | 0x2060 => false,
        0x2000..=0x206f => true,
        // South-East Asia; hangul; symbols, arrows, boxes, dingbats; braille.
        0xe00..=0xeff | 0x1000..=0x109f | 0x1780..=0x17ff => true,
        0x1100..=0x11ff | 0x20a0..=0x20cf | 0x2190..=0x2bff => true,
        // Radicals, ideographs, kana, hangul, compatibility forms.
        0x2e00..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7ff => true,
        0xe000..=0xfaff | 0xfe10..=0xfe1f | 0xfe30..=0xfe6f => true,
        0xff00..=0xffef | 0xfff9..=0xffff => true,
        // Everything beyond the first plane but mathematical letters: emoji, ideographs.
        0x1_0000..=0x1_d3ff | 0x1_d800..=0x10_ffff => true,
        _ => false,
    }
}
