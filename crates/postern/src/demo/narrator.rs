//! What the tour says: headings, commands to repeat, answers, verdicts.

use std::io;

use crate::cli::escape::plain;
use crate::cli::output::{Out, style};

/// Columns that an answer is broken at when the terminal does not tell its width.
const COLUMNS: usize = 100;

/// Says things on the terminal.
pub(super) struct Narrator<'a> {
    out: &'a mut Out,
}

impl<'a> Narrator<'a> {
    pub(super) fn new(out: &'a mut Out) -> Self {
        Self { out }
    }

    pub(super) fn width(&self) -> Option<u16> {
        self.out.width().or(u16::try_from(COLUMNS).ok())
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.out.line("")?;
        self.out.styled(style::STRONG, text)
    }

    pub(super) fn step(&mut self, number: usize, of: usize, says: &str) -> io::Result<()> {
        self.heading(&format!("{number}/{of}  {says}"))
    }

    pub(super) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.out.styled(style::FAINT, &format!("     {text}"))
    }

    /// A command as it can be typed, several lines if it has them.
    pub(super) fn command(&mut self, text: &str) -> io::Result<()> {
        let mut prompt = "   $ ";
        for line in text.lines() {
            let style = style::COMMAND;
            self.out
                .raw(&format!("{prompt}{style}{}{style:#}\n", plain(line)))?;
            prompt = "       ";
        }
        Ok(())
    }

    /// What came back: each line indented, long ones broken at the width.
    pub(super) fn answer(&mut self, text: &str) -> io::Result<()> {
        let width = self
            .out
            .width()
            .map_or(COLUMNS, usize::from)
            .saturating_sub(5);
        for line in text.lines() {
            for part in broken(line, width) {
                self.out.raw(&format!("     {part}\n"))?;
            }
        }
        Ok(())
    }

    /// Lines to be copied whole: neither broken nor indented, which Python would not take.
    pub(super) fn uncut(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|line| self.out.line(line))
    }

    /// A piece of a stream, as it comes.
    pub(super) fn piece(&mut self, text: &str) -> io::Result<()> {
        self.out.raw(&plain(text))
    }

    /// The end of a line of pieces.
    pub(super) fn end_of_line(&mut self) -> io::Result<()> {
        self.out.raw("\n")
    }

    pub(super) fn held(&mut self) -> io::Result<()> {
        self.out.styled(style::GOOD, "   ✓ held")
    }

    pub(super) fn did_not_hold(&mut self) -> io::Result<()> {
        self.out.styled(style::BAD, "   ✗ did not hold")
    }

    pub(super) fn all_held(&mut self, count: usize) -> io::Result<()> {
        self.out.line("")?;
        self.out.styled(
            style::GOOD,
            &format!("All {count} steps did what they said."),
        )
    }
}

/// Breaks a line that has more visible columns than there are; it loses its colours then.
/// Everything else that a terminal could obey is already escaped in what the command line prints.
fn broken(line: &str, columns: usize) -> Vec<String> {
    let visible: Vec<char> = anstream::adapter::strip_str(line)
        .to_string()
        .chars()
        .collect();
    if visible.len() <= columns {
        return vec![line.to_owned()];
    }
    visible
        .chunks(columns.max(1))
        .map(|part| part.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_the_width_and_lose_nothing() {
        assert_eq!(broken("short", 10), ["short"]);
        assert_eq!(broken("0123456789abc", 10), ["0123456789", "abc"]);
        assert_eq!(
            broken("\u{1b}[1mbold\u{1b}[0m", 4),
            ["\u{1b}[1mbold\u{1b}[0m"]
        );
    }
}
