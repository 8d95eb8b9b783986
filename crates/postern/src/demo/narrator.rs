//! What the tour says: headings, commands to repeat, answers, verdicts.

use std::io;

use crate::cli::escape::plain;
use crate::cli::output::{Out, style};

/// Columns that an answer is cut to when the terminal does not tell its width.
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
        self.out.width()
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
            self.out.raw(&format!("{prompt}{style}{}{style:#}\n", plain(line)))?;
            prompt = "       ";
        }
        Ok(())
    }

    /// What came back: each line indented, and cut where it would wrap.
    pub(super) fn answer(&mut self, text: &str) -> io::Result<()> {
        let width = self.out.width().map_or(COLUMNS, usize::from).saturating_sub(5);
        for line in text.lines() {
            self.out.raw(&format!("     {}\n", cut(line, width)))?;
        }
        Ok(())
    }

    /// Lines to be copied whole.
    pub(super) fn uncut(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|line| self.out.line(&format!("     {line}")))
    }

    /// A piece of a stream, as it comes.
    pub(super) fn piece(&mut self, text: &str) -> io::Result<()> {
        self.out.raw(&plain(text))
    }

    pub(super) fn held(&mut self) -> io::Result<()> {
        self.out.styled(style::GOOD, "   ✓ held")
    }

    pub(super) fn did_not_hold(&mut self) -> io::Result<()> {
        self.out.styled(style::BAD, "   ✗ did not hold")
    }

    pub(super) fn all_held(&mut self, count: usize) -> io::Result<()> {
        self.out.line("")?;
        self.out.styled(style::GOOD, &format!("All {count} steps did what they said."))
    }
}

/// Cuts a line with colours in it to so many visible columns; everything else that a terminal
/// could obey is already escaped in what the command line prints.
fn cut(line: &str, columns: usize) -> String {
    let visible = anstream::adapter::strip_str(line).to_string();
    if visible.chars().count() <= columns {
        return line.to_owned();
    }
    let short: String = visible.chars().take(columns.saturating_sub(1)).collect();
    format!("{short}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_to_the_width() {
        assert_eq!(cut("short", 10), "short");
        assert_eq!(cut("0123456789abc", 10), "012345678…");
        assert_eq!(cut("\u{1b}[1mbold\u{1b}[0m", 4), "\u{1b}[1mbold\u{1b}[0m");
    }
}
