//! What a reader of XML or HTML takes out of a text before anybody sees it, and what changes how
//! it is read at all.
//!
//! A value may stand to both sides of a seam: the marks around CDATA and comments without a word
//! in them. They are told apart, so that the text is read without them and written with them. A
//! longer comment is text itself; where it stands inside a word or a number the body is refused, as
//! it is when it declares an encoding other than UTF-8 or an entity, or has a mark that XML and
//! HTML read in two ways: then bytes say one thing here and another there.

use crate::bounds::{DECLARATION_BYTES_MAX, SEAM_BYTES_MAX};
use crate::clean::CleanError;
use crate::clean::{CDATA, CDATA_END, COMMENT, is_read_twice, seam_len};

/// The marks, and what else is looked for; in lower case where the case does not matter.
const MARKS: &[&str] = &[CDATA, CDATA_END, COMMENT, "<!entity", "<?xml", "<meta"];

/// A piece of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::body) enum Part<'a> {
    /// Text, tags and comments.
    Text(&'a str),
    /// A mark that no reader gives on, amid text.
    Seam(&'a str),
}

#[derive(Debug, Clone, Default)]
enum Within {
    #[default]
    Text,
    /// A mark that may have begun.
    Mark,
    /// A comment that is told as text, with the dashes that were just read.
    Comment(usize),
    /// A declaration, with the quotation mark that is open.
    Declaration(Option<char>),
}

/// Tells seams apart from text, in any pieces.
#[derive(Debug, Clone, Default)]
pub(in crate::body) struct Seams {
    within: Within,
    /// A mark or a declaration that has begun.
    begun: String,
    /// Whether it is read as HTML.
    html: bool,
    in_cdata: bool,
    /// The last letter outside of marks and comments.
    last: Option<char>,
    /// The last one that is no white space.
    last_solid: Option<char>,
    /// Whether a comment with words has stood since `last`.
    crossed: bool,
    /// Whether one has stood since `last_solid`.
    crossed_solid: bool,
}

impl Seams {
    /// Reads HTML, or else XML.
    pub(in crate::body) fn new(html: bool) -> Self {
        Self {
            html,
            ..Self::default()
        }
    }

    /// Takes the next text and gives its parts.
    ///
    /// # Errors
    /// Those of `give`, and `CannotInspect` as the module says.
    pub(in crate::body) fn push(
        &mut self,
        text: &str,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if matches!(self.within, Within::Text) && !matches!(letter, '<' | ']') {
                let end = memchr::memchr2(b'<', b']', rest.as_bytes()).unwrap_or(rest.len());
                let (before, behind) = rest.split_at(end);
                self.text(before, give)?;
                rest = behind;
                continue;
            }
            if matches!(self.within, Within::Comment(0)) && letter != '-' {
                let end = memchr::memchr(b'-', rest.as_bytes()).unwrap_or(rest.len());
                let (before, behind) = rest.split_at(end);
                give(Part::Text(before))?;
                rest = behind;
                continue;
            }
            let (one, behind) = rest.split_at(letter.len_utf8());
            rest = behind;
            match self.within {
                Within::Text | Within::Mark => {
                    self.begun.push(letter);
                    self.within = Within::Mark;
                    self.mark(give)?;
                }
                Within::Comment(dashes) => {
                    self.within = comment(dashes, letter)?;
                    give(Part::Text(one))?;
                }
                Within::Declaration(quote) => self.declaration(letter, quote, give)?,
            }
        }
        Ok(())
    }

    /// The text has ended.
    ///
    /// # Errors
    /// As [`Seams::push`].
    pub(in crate::body) fn finish(
        &mut self,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        if matches!(self.within, Within::Declaration(_)) {
            check_declaration(&self.begun)?;
        }
        let begun = std::mem::take(&mut self.begun);
        self.text(&begun, give)
    }

    /// Gives text that is none of the marks.
    fn text(
        &mut self,
        text: &str,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        let Some(first) = text.chars().next() else {
            return Ok(());
        };
        if self.crossed && self.last.is_some_and(is_of_word) && is_of_word(first) {
            return Err(CleanError::CannotInspect("a comment stands inside a word"));
        }
        let solid = |letter: &char| !letter.is_whitespace();
        if self.crossed_solid
            && let Some(first) = text.chars().find(solid)
        {
            if self.last_solid.is_some_and(char::is_numeric) && first.is_numeric() {
                return Err(CleanError::CannotInspect(
                    "a comment stands inside a number",
                ));
            }
            self.crossed_solid = false;
        }
        self.crossed = false;
        self.last = text.chars().next_back();
        self.last_solid = text.chars().rfind(solid).or(self.last_solid);
        give(Part::Text(text))
    }

    /// Looks whether what has begun is a mark, or cannot be one.
    fn mark(
        &mut self,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        while !self.begun.is_empty() {
            let lower = self.begun.to_ascii_lowercase();
            if lower.starts_with(COMMENT) && !(self.in_cdata && self.is_long()) {
                return self.comment_begun(give);
            }
            // A comment of some length is none to a reader of XML inside CDATA.
            if !MARKS.iter().any(|mark| mark.starts_with(&lower)) {
                let first = self.begun.remove(0);
                self.text(first.encode_utf8(&mut [0; 4]), give)?;
                continue;
            }
            if !MARKS.contains(&lower.as_str()) {
                return Ok(());
            }
            match lower.as_str() {
                "<!entity" => {
                    return Err(CleanError::CannotInspect("the document declares an entity"));
                }
                "<?xml" | "<meta" => {
                    self.within = Within::Declaration(None);
                    return Ok(());
                }
                CDATA if self.html => {
                    return Err(CleanError::CannotInspect("marks of CDATA stand in HTML"));
                }
                _ => self.in_cdata = lower == CDATA,
            }
            return self.seam(give);
        }
        self.within = Within::Text;
        Ok(())
    }

    /// A comment has begun: it is a seam if it ends soon and holds no word.
    fn comment_begun(
        &mut self,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        if is_read_twice(&self.begun[COMMENT.len()..]) {
            return Err(two_ends());
        }
        if seam_len(&self.begun).is_some() {
            return self.seam(give);
        }
        if !self.is_long() {
            return Ok(());
        }
        let begun = std::mem::take(&mut self.begun);
        let dashes = begun.len() - begun.trim_end_matches('-').len();
        self.within = Within::Comment(dashes);
        (self.crossed, self.crossed_solid) = (true, true);
        give(Part::Text(&begun))
    }

    /// Whether the comment that has begun is no seam, however it ends.
    fn is_long(&self) -> bool {
        let inner = &self.begun[COMMENT.len()..];
        let ends_cdata = self.in_cdata && inner.contains(CDATA_END);
        ends_cdata
            || inner.contains(char::is_alphanumeric)
            || self.begun.len() >= SEAM_BYTES_MAX && seam_len(&self.begun).is_none()
    }

    fn seam(
        &mut self,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        self.within = Within::Text;
        let begun = std::mem::take(&mut self.begun);
        // Behind a tag it is part of the markup around the text.
        let amid = self.last.is_some_and(|last| last != '>');
        give(if amid {
            Part::Seam(&begun)
        } else {
            Part::Text(&begun)
        })
    }

    fn declaration(
        &mut self,
        letter: char,
        quote: Option<char>,
        give: &mut dyn FnMut(Part<'_>) -> Result<(), CleanError>,
    ) -> Result<(), CleanError> {
        self.begun.push(letter);
        if self.begun.len() > DECLARATION_BYTES_MAX {
            return Err(CleanError::CannotInspect("a declaration is too long"));
        }
        let quote = match (letter, quote) {
            ('"' | '\'', None) => Some(letter),
            (letter, Some(open)) if letter == open => None,
            ('>', None) => {
                check_declaration(&self.begun)?;
                self.within = Within::Text;
                let begun = std::mem::take(&mut self.begun);
                return self.text(&begun, give);
            }
            (_, quote) => quote,
        };
        self.within = Within::Declaration(quote);
        Ok(())
    }
}

/// Where a comment is behind this letter.
fn comment(dashes: usize, letter: char) -> Result<Within, CleanError> {
    match letter {
        '-' => Ok(Within::Comment(dashes + 1)),
        '>' if dashes >= 2 => Ok(Within::Text),
        '!' if dashes >= 2 => Err(two_ends()),
        _ => Ok(Within::Comment(0)),
    }
}

fn two_ends() -> CleanError {
    CleanError::CannotInspect("a comment ends otherwise in XML than in HTML")
}

/// Whether a value may go on with it.
fn is_of_word(letter: char) -> bool {
    !letter.is_whitespace() && !matches!(letter, '<' | '>')
}

/// Refuses every encoding but UTF-8 and ASCII, which is a part of it.
fn check_declaration(declaration: &str) -> Result<(), CleanError> {
    let lower = declaration.to_ascii_lowercase();
    let name = if lower.starts_with("<?xml") {
        "encoding"
    } else {
        "charset"
    };
    let known = lower.split(name).skip(1).all(|behind| {
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            return true;
        };
        let value = value
            .trim_start()
            .trim_start_matches(['"', '\''])
            .trim_start();
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.:+".contains(c);
        let end = value.find(|c| !inner(c)).unwrap_or(value.len());
        matches!(&value[..end], "" | "utf-8" | "utf8" | "us-ascii" | "ascii")
    });
    if known {
        Ok(())
    } else {
        Err(CleanError::CannotInspect("the text is not in UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, cut: usize) -> Result<(String, Vec<String>), CleanError> {
        parts_of(text, cut, false)
    }

    fn parts_of(text: &str, cut: usize, html: bool) -> Result<(String, Vec<String>), CleanError> {
        let (mut seams, mut read, mut all) = (Seams::new(html), String::new(), Vec::new());
        let mut whole = String::new();
        let mut give = |part: Part<'_>| {
            match part {
                Part::Text(text) => {
                    read.push_str(text);
                    whole.push_str(text);
                }
                Part::Seam(raw) => {
                    all.push(raw.to_owned());
                    whole.push_str(raw);
                }
            }
            Ok(())
        };
        let letters: Vec<char> = text.chars().collect();
        for piece in letters.chunks(cut) {
            seams.push(&piece.iter().collect::<String>(), &mut give)?;
        }
        seams.finish(&mut give)?;
        assert_eq!(whole, text, "nothing is lost");
        Ok((read, all))
    }

    #[test]
    fn seams_are_told_apart_wherever_the_text_is_cut() {
        let rows = [
            ("<a>x]]><![CDATA[y</a>", "<a>xy</a>", 2),
            ("<a>x<!-- -->y<!---->z<!-- > -->!", "<a>xyz!", 3),
            ("<a><![CDATA[x]]></a>", "<a><![CDATA[x</a>", 1),
            ("a <!-- a word --> b", "a <!-- a word --> b", 0),
            ("x]]]><!-x", "x]<!-x", 1),
            ("<![CDATA[<!--]]>a<!-- -->b", "<![CDATA[<!--ab", 2),
            ("<p>1 < 2 <", "<p>1 < 2 <", 0),
        ];
        for (text, read, count) in rows {
            for cut in 1..=text.len() {
                let (said, seams) = parts(text, cut).unwrap();
                assert_eq!(
                    (said.as_str(), seams.len()),
                    (read, count),
                    "{text} at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_is_read_otherwise_elsewhere_is_refused() {
        for text in [
            "<?xml version=\"1.0\" encoding=\"utf-7\"?><a>+AEA-</a>",
            "<?xml version='1.0' encoding = 'EBCDIC-CP-US'?><a/>",
            "<META content=\"a>b\" http-equiv=x content='text/html; charset=utf-16'>",
            "<meta charset=hz-gb-2312>",
            "<!DOCTYPE a [<!ENTITY q \"jane.doe@\">]><a>&q;corp.com</a>",
            "<!DOCTYPE a [ <!entity % q 'x'> ]>",
            "<a>jane.doe@<!-- a word -->corp.com</a>",
            "<a>jane.doe@<!-- a word --><!-- -->corp.com</a>",
            "<a>jane.doe@<!--> x -->corp.com</a>",
            "<a>jane.doe@<!---> x -->corp.com</a>",
            "z<!-->!",
            "<a>jane.doe@<!-- w --!-> -->corp.com</a>",
            "<a>x <!-- w --!> -->y</a>",
            "<a>jane.doe@<!-- --!> -->corp.com</a>",
            "<a>jane.doe@<!----!>corp.com</a>",
            "<a>4539 5787 <!-- a word --> 6362 1486</a>",
            "<a>4539 5787 <!-- a word --> <!-- words --> 6362 1486</a>",
            "<a>wJalrXUtnFEMI/<!-- w -->K7MDENG</a>",
        ] {
            for cut in [1, 3, 1000] {
                assert!(parts(text, cut).is_err(), "{text}");
            }
        }
        for text in [
            "<p>jane.doe@<![CDATA[x>corp.com</p>",
            "<p><![cdata[></p><p>jane<!-- -->.doe@corp.com</p>",
        ] {
            assert!(parts_of(text, 2, true).is_err(), "{text}");
            assert!(parts_of(text, 2, false).is_ok(), "{text}");
        }
        for text in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><a/>",
            "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"description\" content=\"x > y\">",
            "<?xml-stylesheet href=\"x\"?>",
            "<p>one</p><!-- a word --><p>two</p> <!-- words -->three",
            "<!--[if !IE]><!--> 1 <!--<![endif]--> one",
            "<td>1</td> <!-- a word --> <td>2</td>",
        ] {
            assert!(parts(text, 2).is_ok(), "{text}");
        }
    }
}
