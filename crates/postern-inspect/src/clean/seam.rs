//! The marks of XML and HTML that no reader gives on, amid a text: those of CDATA, and a comment
//! without a word in it.

use crate::bounds::SEAM_BYTES_MAX;
use crate::detect::context::floor;

/// Begins text in which nothing is markup; its letters may be written in any case.
pub(crate) const CDATA: &str = "<![cdata[";
/// Ends it.
pub(crate) const CDATA_END: &str = "]]>";
/// Begins a comment.
pub(crate) const COMMENT: &str = "<!--";
/// Ends it.
const COMMENT_END: &str = "-->";

/// The bytes of the seam with which a text begins, if it begins with a whole one.
pub(crate) fn seam_len(text: &str) -> Option<usize> {
    let begins = |mark: &str| {
        text.get(..mark.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
    };
    if let Some(mark) = [CDATA, CDATA_END].into_iter().find(|mark| begins(mark)) {
        return Some(mark.len());
    }
    let inner = text.strip_prefix(COMMENT)?;
    // A longer one is none, and is not read to its end: there may be many beginnings in a text.
    let most = floor(inner, SEAM_BYTES_MAX - COMMENT.len());
    let inner = &inner[..inner[..most].find(COMMENT_END)?];
    let silent = !inner.contains(char::is_alphanumeric) && !is_read_twice(inner);
    silent.then_some(COMMENT.len() + inner.len() + COMMENT_END.len())
}

/// Whether HTML ends a comment that goes on so, where XML does not: at once, or behind an
/// exclamation mark.
pub(crate) fn is_read_twice(inner: &str) -> bool {
    inner.starts_with('>') || inner.starts_with("->") || inner.contains("--!")
}

/// The seams in a text, in order. Behind the end of a tag a comment is a part of the markup there,
/// and so of the text; the marks of CDATA stay in pairs all the same.
pub(super) fn seams(text: &str) -> impl Iterator<Item = &str> {
    let (mut rest, mut last) = (text, None);
    std::iter::from_fn(move || {
        while let Some(letter) = rest.chars().next() {
            let of_text = last == Some('>') && rest.starts_with(COMMENT);
            if let Some(len) = seam_len(rest).filter(|_| !of_text) {
                let (seam, behind) = rest.split_at(len);
                rest = behind;
                return Some(seam);
            }
            last = Some(letter);
            rest = &rest[letter.len_utf8()..];
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seams_are_whole_marks_without_a_word() {
        let rows: [(&str, &[&str]); 9] = [
            ("a]]><![CDATA[b", &["]]>", "<![CDATA["]),
            (
                "a<![cDaTa[b<!-- > -->c<!---->",
                &["<![cDaTa[", "<!-- > -->", "<!---->"],
            ),
            ("a<!--s3cret-->b", &[]),
            ("a<!--é-->b<!-- ", &[]),
            ("a<![Kq7Zp9x b<![aééé9", &[]),
            ("a<!-->b-->c<!--->d<!-- --!>e", &[]),
            ("a<!--------------->b", &[]),
            ("a><!-- -->b]]", &[]),
            ("a><![CDATA[b]]>]]>", &["<![CDATA[", "]]>", "]]>"]),
        ];
        for (text, expected) in rows {
            assert_eq!(seams(text).collect::<Vec<_>>(), expected, "{text}");
        }
        for (inner, fits) in [(SEAM_BYTES_MAX - 7, true), (SEAM_BYTES_MAX - 6, false)] {
            let comment = format!("<!--{}-->é", " ".repeat(inner));
            assert_eq!(seam_len(&comment).is_some(), fits, "{inner} bytes");
        }
    }
}
