//! Server-sent events (WHATWG HTML, section 9.2), as far as observing them needs: where events
//! end and which bytes are data. Lines end with LF, CRLF or CR; nothing is buffered.

/// Takes the data of events.
pub(super) trait EventData {
    /// A further line of data begins in the same event.
    fn another_line(&mut self);
    /// Bytes of data; `at` is their offset in the event's raw bytes.
    fn data(&mut self, run: &[u8], at: usize);
}

/// What the bytes of the current line are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// So many letters of `data` stood, and nothing else.
    Name(usize),
    /// After `data:`, where one space does not count.
    Space,
    /// Data.
    Data,
    /// A comment or another field.
    Other,
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone)]
pub(super) struct Sse {
    line: Line,
    /// The last byte was a CR, so that an LF now belongs to it.
    after_cr: bool,
    /// The event so far has this many raw bytes.
    event_bytes: usize,
    /// The event so far has this many lines of data.
    data_lines: usize,
    /// Bytes of a byte order mark that may still come; only at the beginning.
    mark: &'static [u8],
}

const NAME: &[u8] = b"data";

impl Default for Sse {
    fn default() -> Self {
        Self {
            line: Line::Name(0),
            after_cr: false,
            event_bytes: 0,
            data_lines: 0,
            mark: "\u{feff}".as_bytes(),
        }
    }
}

impl Sse {
    /// Whether the next byte begins a new event.
    pub(super) fn at_boundary(&self) -> bool {
        self.event_bytes == 0
    }

    /// Whether this byte is the LF of a CRLF whose CR has already ended an event.
    pub(super) fn swallows(&mut self, byte: u8) -> bool {
        let stray = self.after_cr && byte == b'\n' && self.event_bytes == 0;
        if stray {
            self.after_cr = false;
        }
        stray
    }

    /// Reads up to the end of the event or of the bytes. Gives how many bytes belong to the event
    /// and, where it has ended, how many lines of data it had.
    pub(super) fn step(
        &mut self,
        bytes: &[u8],
        sink: &mut impl EventData,
    ) -> (usize, Option<usize>) {
        let start = self.event_bytes;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte == b'\n' || byte == b'\r' {
                let second = byte == b'\n' && self.after_cr;
                self.after_cr = byte == b'\r';
                at += 1;
                if !second && self.end_line(sink) {
                    return (at, Some(self.end_event()));
                }
                self.event_bytes = start + at;
                continue;
            }
            self.after_cr = false;
            at += self.inside(&bytes[at..], start + at, sink);
            self.event_bytes = start + at;
        }
        (at, None)
    }

    fn end_event(&mut self) -> usize {
        self.event_bytes = 0;
        std::mem::take(&mut self.data_lines)
    }

    /// Ends a line; says whether it was empty, which ends the event.
    fn end_line(&mut self, sink: &mut impl EventData) -> bool {
        let line = std::mem::replace(&mut self.line, Line::Name(0));
        self.mark = &[];
        if line == Line::Name(NAME.len()) {
            self.begin_data(sink);
        }
        line == Line::Name(0)
    }

    fn begin_data(&mut self, sink: &mut impl EventData) {
        if self.data_lines > 0 {
            sink.another_line();
        }
        self.data_lines += 1;
    }

    /// Reads bytes inside a line, at least one; `bytes` does not begin with a line end.
    fn inside(&mut self, bytes: &[u8], offset: usize, sink: &mut impl EventData) -> usize {
        let byte = bytes[0];
        match self.line {
            Line::Name(0) if self.mark.first() == Some(&byte) => {
                self.mark = &self.mark[1..];
                return 1;
            }
            Line::Name(matched) => {
                self.mark = &[];
                self.line = match NAME.get(matched) {
                    Some(letter) if *letter == byte => Line::Name(matched + 1),
                    None if byte == b':' => {
                        self.begin_data(sink);
                        Line::Space
                    }
                    _ => Line::Other,
                };
                return 1;
            }
            Line::Space => {
                self.line = Line::Data;
                if byte == b' ' {
                    return 1;
                }
            }
            Line::Data | Line::Other => {}
        }
        let end = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
        if self.line == Line::Data {
            sink.data(&bytes[..end], offset);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Collect(Vec<u8>);

    impl EventData for Collect {
        fn another_line(&mut self) {
            self.0.push(b'\n');
        }
        fn data(&mut self, run: &[u8], _: usize) {
            self.0.extend_from_slice(run);
        }
    }

    fn events(bytes: &[u8], cut: usize) -> Vec<String> {
        let (mut sse, mut all, mut data) = (Sse::default(), Vec::new(), Collect::default());
        for mut piece in bytes.chunks(cut) {
            while let Some(first) = piece.first() {
                if sse.swallows(*first) {
                    piece = &piece[1..];
                    continue;
                }
                let (taken, ended) = sse.step(piece, &mut data);
                piece = &piece[taken..];
                if let Some(lines) = ended {
                    let data = std::mem::take(&mut data.0);
                    if lines > 0 {
                        all.push(String::from_utf8_lossy(&data).into_owned());
                    }
                }
            }
        }
        all
    }

    #[test]
    fn events_are_found_in_every_spelling() {
        // Goal: line ends, spaces, comments, other fields and several data lines as in the
        // standard. Method: rows, each at several cuts.
        let rows: [(&str, &[&str]); 9] = [
            ("data: a\n\ndata:b\n\n", &["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data:  a\ndata\ndata: b\n\n", &[" a\n\nb"]),
            (": comment\n\nevent: x\nid: 1\ndata: a\n\n", &["a"]),
            ("data: a\n", &[]),
            ("datax: a\ndat: b\n\n", &[]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("\n\n\ndata: a\n\n\n", &["a"]),
        ];
        for (text, expected) in rows {
            for cut in 1..=text.len() {
                assert_eq!(
                    events(text.as_bytes(), cut),
                    expected,
                    "{text:?} cut at {cut}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn cuts_never_change_the_events(
            text in "(data: ?|event: |:|\r\n|\n|\r|[a-z\u{e9}]{1,3}){0,30}", cut in 1usize..9
        ) {
            prop_assert_eq!(events(text.as_bytes(), cut), events(text.as_bytes(), usize::MAX));
        }
    }
}
