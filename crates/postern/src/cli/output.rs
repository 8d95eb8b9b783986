//! Where a command's answer goes: to people as tables, to scripts as JSON.
//!
//! Commands never write to the terminal themselves. They say what they have to say to an [`Out`],
//! which the tests and the demo can point elsewhere.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::escape::{json, plain};
use super::table::{Sheet, Table};

/// Narrower, tables are not readable: a terminal then breaks their lines itself.
const WIDTH_MIN: u16 = 40;
/// The width of a terminal that does not know its own, as consoles of containers and serial lines.
const WIDTH_UNKNOWN: u16 = 80;

/// The styles of running text.
pub mod style {
    use super::{AnsiColor, Style};

    /// Headings and names.
    pub const STRONG: Style = Style::new().bold();
    /// Less important.
    pub const FAINT: Style = Style::new().dimmed();
    /// It went well.
    pub const GOOD: Style = AnsiColor::Green.on_default();
    /// It did not.
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    /// A command to type.
    pub const COMMAND: Style = AnsiColor::Cyan.on_default();
    /// Worth a second look.
    pub const WARN: Style = AnsiColor::Yellow.on_default();
}

/// The sink of one command's answer.
pub struct Out {
    json: bool,
    width: Option<u16>,
    interactive: bool,
    sink: Box<dyn Write + Send>,
    aside: Box<dyn Write + Send>,
}

impl Out {
    /// Standard output, and standard error for what is said beside the answer.
    #[must_use]
    pub fn terminal(json: bool) -> Self {
        Self {
            json,
            width: terminal_width(),
            interactive: io::stderr().is_terminal(),
            sink: Box::new(anstream::stdout()),
            aside: Box::new(anstream::stderr()),
        }
    }

    /// Into memory or another place; nothing is said beside the answer.
    #[must_use]
    pub fn into_sink(json: bool, width: Option<u16>, sink: Box<dyn Write + Send>) -> Self {
        Self {
            json,
            width,
            interactive: false,
            sink,
            aside: Box::new(io::sink()),
        }
    }

    /// Whether the answer is for a script.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether somebody watches: progress bars and hints make sense.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.interactive && !self.json
    }

    /// The width to wrap to.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        self.width
    }

    /// The answer: the value for scripts, what `human` makes of it for people.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn answer<T: Serialize>(
        &mut self,
        value: &T,
        human: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.json {
            writeln!(self.sink, "{}", json(value, true))
        } else {
            human(self)
        }
    }

    /// One value on one line, for scripts that read a stream of them.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn json_line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        writeln!(self.sink, "{}", json(value, false))?;
        self.sink.flush()
    }

    /// A table, or a line that says there is nothing.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn table(&mut self, table: &Table, nothing: &str) -> io::Result<()> {
        if table.is_empty() {
            return self.line(nothing);
        }
        self.sink.write_all(table.render(self.width).as_bytes())
    }

    /// A sheet.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn sheet(&mut self, sheet: &Sheet) -> io::Result<()> {
        self.sink.write_all(sheet.render(self.width).as_bytes())
    }

    /// A line of running text; what is not plain is escaped.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.sink, "{}", plain(text))
    }

    /// A line in a style.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn styled(&mut self, style: Style, text: &str) -> io::Result<()> {
        writeln!(self.sink, "{style}{}{style:#}", plain(text))
    }

    /// Text that was made by this program and is written as it is.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.sink.write_all(text.as_bytes())?;
        self.sink.flush()
    }

    /// Something said beside the answer, on standard error; scripts do not read it.
    pub fn aside(&mut self, text: &str) {
        // Nobody reads it: no reason to fail.
        let _ = writeln!(self.aside, "{}", plain(text));
    }

    /// A warning beside the answer, shown to scripts too: as one JSON object on one line.
    pub fn warn(&mut self, text: &str) {
        if self.json {
            let warning = serde_json::json!({ "warning": { "message": text } });
            let _ = writeln!(self.aside, "{}", json(&warning, false));
            return;
        }
        let style = style::WARN;
        let _ = writeln!(self.aside, "{style}warning:{style:#} {}", plain(text));
    }
}

/// The terminal's width; `COLUMNS` decides for pipes; without both nothing is wrapped.
fn terminal_width() -> Option<u16> {
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let told = io::stdout().is_terminal();
    width(told.then(|| comfy_table::Table::new().width()), asked)
}

/// The width of a terminal, which tells it or not, or of a pipe. None has a width of zero.
fn width(terminal: Option<Option<u16>>, asked: Option<u16>) -> Option<u16> {
    let known = |width: &u16| *width > 0;
    let asked = asked.filter(known);
    let width = match terminal {
        Some(told) => told.filter(known).or(asked).or(Some(WIDTH_UNKNOWN)),
        None => asked,
    };
    width.map(|width| width.max(WIDTH_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_a_width_has_eighty_columns() {
        for (terminal, asked, width_then) in [
            (Some(Some(120)), Some(90), Some(120)),
            (Some(Some(0)), None, Some(80)),
            (Some(None), None, Some(80)),
            (Some(Some(0)), Some(90), Some(90)),
            (Some(Some(10)), None, Some(40)),
            (None, Some(60), Some(60)),
            (None, Some(0), None),
            (None, None, None),
        ] {
            assert_eq!(width(terminal, asked), width_then, "{terminal:?} {asked:?}");
        }
    }
}
