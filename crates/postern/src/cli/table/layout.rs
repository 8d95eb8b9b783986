//! How wide the columns of a table are, and where texts are broken.
//!
//! As in the automatic layout of CSS 2.1 (section 17.5.2.2): every column has the room of its
//! longest piece, and what is left goes to columns by how much more they could use.

/// What stands between columns.
pub(super) const GAP: u16 = 2;

/// How columns share a width, the best way that it has room for: columns of at most so many letters
/// stay whole, and pieces that are longer than this are broken anywhere (hashes, encoded texts).
const WAYS: [(usize, usize); 5] = [(16, 24), (0, 24), (0, 16), (0, 12), (0, 8)];

/// What a column could use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// Its longest piece.
    longest: usize,
    /// Its longest line.
    most: usize,
}

impl Column {
    /// The column that has room for this cell too.
    pub(super) fn with(self, text: &str) -> Self {
        let most = text.lines().map(letters).max().unwrap_or(0);
        let longest = pieces(text).map(|piece| letters(piece.trim_end())).max();
        Self {
            longest: self.longest.max(longest.unwrap_or(0)),
            most: self.most.max(most),
        }
    }
}

/// The widths of columns that fill at most this width together; `None` where they cannot.
pub(super) fn widths(columns: &[Column], width: usize) -> Option<Vec<usize>> {
    let gaps = usize::from(GAP) * columns.len().saturating_sub(1);
    let width = width.checked_sub(gaps)?;
    WAYS.iter().find_map(|way| shared(columns, width, *way))
}

/// The widths of columns that share this width in one of the ways.
fn shared(
    columns: &[Column],
    width: usize,
    (whole_max, piece_max): (usize, usize),
) -> Option<Vec<usize>> {
    let least = |column: &Column| match column.most {
        most if most <= whole_max => most,
        _ => column.longest.min(piece_max),
    };
    let more = |column: &Column| column.most - least(column);
    let room = width.checked_sub(columns.iter().map(least).sum())?;
    let wish: usize = columns.iter().map(more).sum();
    if room >= wish {
        return Some(columns.iter().map(|column| column.most).collect());
    }
    let share = |column: &Column| least(column) + room * more(column) / wish;
    let mut widths: Vec<usize> = columns.iter().map(share).collect();
    let given: usize = widths.iter().sum();
    // What rounding left over.
    if let Some(last) = widths.last_mut() {
        *last += width - given;
    }
    Some(widths)
}

/// Breaks a text into lines of at most so many letters.
pub(super) fn wrap(text: &str, room: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + 8);
    for (place, line) in text.lines().enumerate() {
        if place > 0 {
            wrapped.push('\n');
        }
        let (mut used, mut at) = (0, 0);
        for piece in pieces(line) {
            // A word that a line has room for is not broken.
            let word = line[at..].split(' ').next().map_or(0, letters);
            let whole = at == 0 || line[..at].ends_with(' ');
            at += piece.len();
            let next = if whole && word <= room {
                word
            } else {
                letters(piece.trim_end())
            };
            if used > 0 && used + next > room {
                wrapped.truncate(wrapped.trim_end_matches(' ').len());
                wrapped.push('\n');
                used = 0;
            }
            for letter in piece.chars() {
                if used == room && letter != ' ' {
                    wrapped.push('\n');
                    used = 0;
                }
                wrapped.push(letter);
                used += 1;
            }
        }
        wrapped.truncate(wrapped.trim_end_matches(' ').len());
    }
    wrapped
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// The pieces in which a text may be broken: words, segments of paths, parts of names and lists;
/// never a time or a number.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().find_map(|(at, letter)| {
            let after = &rest[at + letter.len_utf8()..];
            let next = after.chars().next()?;
            let ends = match letter {
                ' ' | '\n' => next != ' ',
                '/' | ',' | '&' | ';' | '_' => true,
                '-' | '.' | ':' => next.is_alphabetic(),
                _ => false,
            };
            ends.then_some(at + letter.len_utf8())
        });
        if rest.is_empty() {
            return None;
        }
        let (piece, left) = rest.split_at(end.unwrap_or(rest.len()));
        rest = left;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(texts: &[&str]) -> Column {
        let start = Column::default();
        texts.iter().fold(start, |column, text| column.with(text))
    }

    #[test]
    fn texts_are_broken_where_a_reader_would() {
        let parts = |text| pieces(text).collect::<Vec<_>>();
        assert_eq!(parts("13:37:53.679"), ["13:37:53.679"]);
        assert_eq!(parts("POST /v1/a b"), ["POST ", "/", "v1/", "a ", "b"]);
        assert_eq!(parts("token.create"), ["token.", "create"]);
        assert_eq!(parts("service:a-1"), ["service:", "a-1"]);
        assert_eq!(
            wrap("POST /v1/chat/completions x", 12),
            "POST /v1/\nchat/\ncompletions\nx"
        );
        assert_eq!(wrap(&"x".repeat(5), 2), "xx\nxx\nx");
    }

    #[test]
    fn a_column_that_could_use_more_has_more() {
        let columns = [
            column(&["13:37:53.679"]),
            column(&["environment.create", "refused"]),
            column(&["POST /openai/v1/chat/completions with a model of some name"]),
        ];
        assert_eq!(widths(&columns, 200), Some(vec![12, 18, 58]));
        let narrow = widths(&columns, 60).unwrap();
        assert_eq!(narrow[0], 12, "a time is not broken");
        assert!(narrow[1] >= 12 && narrow[2] > 28, "{narrow:?}");
        assert_eq!(narrow.iter().sum::<usize>() + 2 * usize::from(GAP), 60);
        assert_eq!(widths(&columns, 20), None);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_fits(text in "[a-z/. é-]{0,80}", room in 1_usize..30) {
            // Goal: lines fit, and only spaces at their ends are gone.
            let wrapped = wrap(&text, room);
            prop_assert!(wrapped.lines().all(|line| line.chars().count() <= room), "{wrapped:?}");
            let solid = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(solid(&wrapped), solid(&text));
        }
    }
}
