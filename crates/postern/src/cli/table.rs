//! Tables and sheets: the two shapes in which people read answers.
//!
//! Cells take any text and escape it themselves, so that no caller can forget to.

mod layout;

use comfy_table::{Attribute, Color, ContentArrangement, presets};

use super::escape::plain;
use layout::{Column, GAP, widths, wrap};

/// How a cell looks on a terminal with colours. The text alone must say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// The thing to look for: names and ids.
    Strong,
    /// It went well.
    Good,
    /// It was refused, or is over.
    Bad,
    /// Worth a second look.
    Warn,
    /// Less important.
    Faint,
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a tone.
    #[must_use]
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self {
            text: plain(text.as_ref()).into_owned(),
            tone,
        }
    }

    /// An optional text; `-` stands for none.
    #[must_use]
    pub fn maybe<T: std::fmt::Display>(value: Option<T>) -> Self {
        value.map_or_else(
            || Self::new("-", Tone::Faint),
            |value| Self::from(value.to_string()),
        )
    }

    fn render(&self) -> comfy_table::Cell {
        self.shown(&self.text)
    }

    /// The cell, its text in lines of at most so many letters.
    fn within(&self, room: Option<usize>) -> comfy_table::Cell {
        match room {
            Some(room) => self.shown(&wrap(&self.text, room)),
            None => self.render(),
        }
    }

    fn shown(&self, text: &str) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Bad => cell.fg(Color::DarkRed),
            Tone::Warn => cell.fg(Color::DarkYellow),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table with one row a thing.
#[derive(Debug)]
pub struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these column heads.
    #[must_use]
    pub fn new(columns: &[&'static str]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a row fills its columns");
        self.rows.push(cells);
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, wrapped to a width if there is one.
    #[must_use]
    pub fn render(&self, width: Option<u16>) -> String {
        let mut table = plain_table(width);
        table.set_header(
            self.columns
                .iter()
                .map(|head| Cell::new(head, Tone::Faint).render()),
        );
        let rooms = rooms(self.columns.len(), width, |place| {
            let cells = self.rows.iter().filter_map(move |row| row.get(place));
            cells
                .map(|cell| cell.text.as_str())
                .chain([self.columns[place]])
        });
        for row in &self.rows {
            let room = |place: usize| Some(*rooms.as_ref()?.get(place)?);
            let cells = row.iter().enumerate();
            table.add_row(cells.map(|(place, cell)| cell.within(room(place))));
        }
        finish(table, self.columns.len())
    }
}

/// The widths of columns with these texts, where there is a width to fit.
fn rooms<'a, T: Iterator<Item = &'a str>>(
    count: usize,
    width: Option<u16>,
    texts: impl Fn(usize) -> T,
) -> Option<Vec<usize>> {
    let columns: Vec<Column> = (0..count)
        .map(|place| texts(place).fold(Column::default(), Column::with))
        .collect();
    widths(&columns, usize::from(width?))
}

/// What there is to say about one thing, a line a field.
#[derive(Debug, Default)]
pub struct Sheet {
    lines: Vec<(String, Cell)>,
}

impl Sheet {
    /// An empty sheet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn line(&mut self, name: &str, value: impl Into<Cell>) {
        self.lines.push((plain(name).into_owned(), value.into()));
    }

    /// Adds a field if there is something to say.
    pub fn maybe<T: std::fmt::Display>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.line(name, value.to_string());
        }
    }

    /// The sheet as text.
    #[must_use]
    pub fn render(&self, width: Option<u16>) -> String {
        let mut table = plain_table(width);
        let rooms = rooms(2, width, |place| {
            let lines = self.lines.iter();
            lines.map(move |(name, value)| if place == 0 { name } else { &value.text }.as_str())
        });
        let room = |place: usize| Some(*rooms.as_ref()?.get(place)?);
        for (name, value) in &self.lines {
            let name = Cell::new(name, Tone::Faint).within(room(0));
            table.add_row(vec![name, value.within(room(1))]);
        }
        finish(table, 2)
    }
}

fn plain_table(width: Option<u16>) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(presets::NOTHING).enforce_styling();
    match width {
        Some(width) => {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

/// Takes the outer padding off, which only costs width.
fn finish(mut table: comfy_table::Table, columns: usize) -> String {
    for index in 0..columns {
        if let Some(column) = table.column_mut(index) {
            column.set_padding((0, if index + 1 == columns { 0 } else { GAP }));
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(&without_padding(&line));
        text.push('\n');
    }
    text
}

/// The line without the spaces at its end, also those inside the last cell's colours.
fn without_padding(line: &str) -> String {
    let mut text = line.trim_end();
    let mut codes = Vec::new();
    // A code is `ESC [ digits m` and nothing after it; it is kept, the spaces before it are not.
    let is_code = |text: &str| {
        let digits = text
            .strip_prefix("\u{1b}[")
            .and_then(|it| it.strip_suffix('m'));
        digits.is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit() || b == b';'))
    };
    while let Some(code) = text.rfind('\u{1b}').map(|at| &text[at..])
        && is_code(code)
    {
        codes.push(code);
        text = text[..text.len() - code.len()].trim_end();
    }
    codes.reverse();
    text.to_owned() + &codes.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["ID", "PATH"]);
        table.row(vec![Cell::new("0123", Tone::Strong), "/a\u{1b}[2J".into()]);
        table.row(vec![Cell::maybe(None::<u8>), "x".repeat(60).into()]);
        table
    }

    fn without_colours(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn cells_escape_what_a_terminal_would_obey() {
        let text = without_colours(&sample().render(None));
        assert!(text.contains("/a\\u{1b}[2J"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_value_of_digits_keeps_its_distance() {
        // Goal: a number is not taken for the end of the colour before it.
        let mut sheet = Sheet::new();
        sheet.line("requests in progress", "0");
        sheet.line("a longer name than this", "1;2");
        sheet.line("empty", "");
        let text = without_colours(&sheet.render(None));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "requests in progress     0");
        assert_eq!(lines[1], "a longer name than this  1;2");
        assert_eq!(lines[2], "empty");
    }

    #[test]
    fn a_long_path_is_broken_between_its_segments() {
        // Goal: words of a path stay whole. Method: a path of segments that are shorter than the
        // column, beside one word that is longer than any line.
        let mut table = Table::new(&["ID", "PATH"]);
        table.row(vec![
            "0123".into(),
            "POST /openai/v1/chat/completions gpt-4o-mini".into(),
        ]);
        table.row(vec!["4567".into(), "x".repeat(40).into()]);
        let text = without_colours(&table.render(Some(28)));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..4],
            [
                "0123  POST /openai/v1/chat/",
                "      completions",
                "      gpt-4o-mini"
            ],
            "{text}"
        );
        assert!(lines.iter().all(|line| line.len() <= 28), "{text}");
        assert_eq!(lines[4], format!("4567  {}", "x".repeat(22)), "{text}");
    }

    #[test]
    fn a_table_fits_the_width_it_is_given() {
        let text = without_colours(&sample().render(Some(40)));
        assert!(
            text.lines().all(|line| line.chars().count() <= 40),
            "{text}"
        );
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
        let wide = without_colours(&sample().render(None));
        assert!(
            wide.lines().any(|line| line.chars().count() > 60),
            "no width, no wrapping"
        );
    }
}
