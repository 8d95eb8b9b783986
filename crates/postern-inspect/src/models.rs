//! The list of models, cut down to what a token may use.
//!
//! The list is collected whole (bounded), scanned once, and given back as spans of itself: an
//! entry that may not be seen goes with one comma, every other byte stays. A list in which
//! something cannot be judged is not given back at all.

use std::ops::Range;

use bytes::Bytes;

use crate::InspectError;
use crate::bounds::MODELS_BYTES_MAX;
use crate::json::{Fault, Leaf, Member, Place, Scalar, Scanner, Shape, Sink};
use crate::response::{Decoder, Encoding};

/// Collects a list of models and gives it back without the entries that may not be seen.
#[derive(Debug)]
pub struct ModelsFilter {
    body: Vec<u8>,
    encoding: Encoding,
    decoder: Option<Box<Decoder>>,
}

impl ModelsFilter {
    /// A filter for an answer with this `Content-Encoding`. What [`ModelsFilter::finish`] gives is
    /// not encoded.
    ///
    /// # Errors
    /// When the encoding is not one that is read.
    pub fn new(content_encoding: Option<&str>) -> Result<Self, InspectError> {
        let encoding = Encoding::parse(content_encoding);
        if encoding == Encoding::Other {
            return Err(InspectError::upstream(
                "the list of models is in an unknown encoding",
            ));
        }
        let decoder = Decoder::new(encoding).map(Box::new);
        Ok(Self {
            body: Vec::new(),
            encoding,
            decoder,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the list is too long or cannot be decoded.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), InspectError> {
        let body = &mut self.body;
        match (self.encoding, self.decoder.as_mut()) {
            (Encoding::Identity, _) => collect(body, chunk),
            (_, Some(decoder)) => decoder
                .push(chunk, &mut |bytes| {
                    collect(body, bytes).map_err(Undecoded::Refused)
                })
                .map_err(InspectError::from),
            (_, None) => Err(InspectError::upstream(
                "the list of models cannot be decoded",
            )),
        }
    }

    /// The list with the entries that `keep` allows; every other byte as it came.
    ///
    /// # Errors
    /// When the answer is no list of models, or names something that cannot be judged.
    pub fn finish(self, keep: &mut dyn FnMut(&str) -> bool) -> Result<Bytes, InspectError> {
        let mut entries = Entries {
            keep,
            lists: Vec::new(),
            entry: Entry::default(),
        };
        let mut scanner = Scanner::new(&LIST, true);
        scanner
            .push(&self.body, &mut entries)
            .and_then(|()| scanner.finish(&mut entries))
            .map_err(|fault| match fault {
                Fault::Refused(error) => error,
                _ => InspectError::upstream("the list of models is not JSON that can be judged"),
            })?;
        let lists = entries.lists;
        if lists.is_empty() {
            return Err(InspectError::upstream("the answer is no list of models"));
        }
        let mut filtered = Vec::with_capacity(self.body.len());
        let mut done = 0;
        for list in &lists {
            list.write(&self.body, &mut done, &mut filtered);
        }
        filtered.extend_from_slice(&self.body[done..]);
        Ok(Bytes::from(filtered))
    }
}

fn collect(body: &mut Vec<u8>, bytes: &[u8]) -> Result<(), InspectError> {
    if body.len() + bytes.len() > MODELS_BYTES_MAX {
        return Err(InspectError::upstream("the list of models is too long"));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

/// Why a compressed list is not taken.
enum Undecoded {
    Io(std::io::Error),
    Refused(InspectError),
}

impl From<std::io::Error> for Undecoded {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Undecoded> for InspectError {
    fn from(undecoded: Undecoded) -> Self {
        match undecoded {
            Undecoded::Io(error) => Self::upstream(format!("the list of models: {error}")),
            Undecoded::Refused(error) => error,
        }
    }
}

/// The places of a list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Root,
    List,
    Entry,
    Name,
    /// Something beside the entries that could hold more of them.
    Beside,
}

/// OpenAI has the entries in `data`, each with an `id`; llama.cpp repeats them in `models`, where
/// `model` and `name` are the same.
static LIST: Shape<Slot> = Shape {
    leaf: Leaf::Take(Slot::Root),
    rest: Some(&BESIDE),
    ..Shape::object(&[
        Member::new(
            "data",
            &Shape {
                mark: Some(Slot::List),
                ..Shape::list(&DATA_ENTRY)
            },
        ),
        Member::new(
            "models",
            &Shape {
                mark: Some(Slot::List),
                ..Shape::list(&MODELS_ENTRY)
            },
        ),
    ])
};
static BESIDE: Shape<Slot> = Shape::take(Slot::Beside);
static NAME: Shape<Slot> = Shape::take(Slot::Name);
static DATA_ENTRY: Shape<Slot> = Shape {
    leaf: Leaf::Take(Slot::Entry),
    mark: Some(Slot::Entry),
    ..Shape::object(&[Member::new("id", &NAME)])
};
static MODELS_ENTRY: Shape<Slot> = Shape {
    leaf: Leaf::Take(Slot::Entry),
    mark: Some(Slot::Entry),
    ..Shape::object(&[Member::new("model", &NAME), Member::new("name", &NAME)])
};

/// The entries as they are found.
struct Entries<'a> {
    keep: &'a mut dyn FnMut(&str) -> bool,
    lists: Vec<List>,
    entry: Entry,
}

/// One list: the spans of its entries and whether each stays.
#[derive(Debug, Default)]
struct List {
    entries: Vec<(Range<usize>, bool)>,
}

#[derive(Debug, Default)]
struct Entry {
    named: bool,
    /// A name of it may not be seen.
    hidden: bool,
}

impl List {
    /// Writes the body from `done` to the end of this list's last entry. A kept entry goes with
    /// the bytes before it, the first one with those that came before the first.
    fn write(&self, body: &[u8], done: &mut usize, out: &mut Vec<u8>) {
        let (Some((first, _)), Some((last, _))) = (self.entries.first(), self.entries.last())
        else {
            return;
        };
        out.extend_from_slice(&body[*done..first.start]);
        let mut before = first.start;
        let mut begun = false;
        for (span, kept) in &self.entries {
            if *kept {
                let start = if begun { before } else { span.start };
                out.extend_from_slice(&body[start..span.end]);
                begun = true;
            }
            before = span.end;
        }
        *done = last.end;
    }
}

impl Sink<Slot> for Entries<'_> {
    fn scalar(&mut self, slot: Slot, value: Scalar<'_>, _: Place) -> Result<(), Fault> {
        match (slot, value) {
            (Slot::Name, Scalar::Text(text)) => {
                let name = text.as_str().ok_or_else(odd)?;
                self.entry.named = true;
                self.entry.hidden |= !(self.keep)(name);
                Ok(())
            }
            (Slot::Beside, _) => Ok(()),
            _ => Err(odd()),
        }
    }

    fn container(&mut self, slot: Slot, object: bool) -> Result<(), Fault> {
        match slot {
            Slot::Root | Slot::Entry if object => Ok(()),
            _ => Err(odd()),
        }
    }

    fn opened(&mut self, mark: Slot, object: bool) -> Result<(), Fault> {
        match mark {
            Slot::List if object => return Err(odd()),
            Slot::List => self.lists.push(List::default()),
            Slot::Entry => self.entry = Entry::default(),
            Slot::Root | Slot::Name | Slot::Beside => {}
        }
        Ok(())
    }

    fn closed(&mut self, mark: Slot, place: Place, _: bool) -> Result<(), Fault> {
        if mark == Slot::Entry {
            if !self.entry.named {
                return Err(odd());
            }
            if let Some(list) = self.lists.last_mut() {
                list.entries
                    .push((place.start..place.end, !self.entry.hidden));
            }
        }
        Ok(())
    }
}

fn odd() -> Fault {
    let cause = "the list of models holds something that cannot be judged";
    Fault::Refused(InspectError::upstream(cause))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn filter(body: &str) -> Result<String, InspectError> {
        let mut filter = ModelsFilter::new(None)?;
        filter.push(body.as_bytes())?;
        let list = filter.finish(&mut |name| name.starts_with("gpt"))?;
        Ok(String::from_utf8(list.to_vec()).unwrap())
    }

    #[test]
    fn entries_go_with_one_comma_and_nothing_else_changes() {
        let rows = [
            (
                r#"{ "object": "list", "data": [ {"id":"gpt-1"}, {"id":"x"}, {"id":"gpt-2","o":[1]} ] }"#,
                r#"{ "object": "list", "data": [ {"id":"gpt-1"}, {"id":"gpt-2","o":[1]} ] }"#,
            ),
            (
                r#"{"data":[{"id":"x"},{"id":"gpt-1"}]}"#,
                r#"{"data":[{"id":"gpt-1"}]}"#,
            ),
            (
                r#"{"data":[{"id":"gpt-1"},{"id":"x"}]}"#,
                r#"{"data":[{"id":"gpt-1"}]}"#,
            ),
            (r#"{"data":[ {"id":"x"} ,{"id":"y"} ]}"#, r#"{"data":[  ]}"#),
            (r#"{"data":[]}"#, r#"{"data":[]}"#),
            (
                r#"{"models":[{"name":"x","model":"x"}],"data":[{"id":"x"},{"id":"gpt"}]}"#,
                r#"{"models":[],"data":[{"id":"gpt"}]}"#,
            ),
            (
                r#"{"data":[{"id":"g\u0070t"}]}"#,
                r#"{"data":[{"id":"g\u0070t"}]}"#,
            ),
        ];
        for (body, expected) in rows {
            assert_eq!(filter(body).unwrap(), expected);
        }
    }

    #[test]
    fn lists_that_cannot_be_judged_are_not_given_back() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"data":{}}"#,
            r#"{"data":"x"}"#,
            r#"{"data":["x"]}"#,
            r#"{"data":[{"name":"x"}]}"#,
            r#"{"data":[{"id":1}]}"#,
            r#"{"data":[{"id":"gpt","id":"x"}]}"#,
            r#"{"data":[{"id":"gpt","ID":"x"}]}"#,
            r#"{"data":[],"data":[{"id":"x"}]}"#,
            r#"{"data":[],"more":[{"id":"x"}]}"#,
            r#"{"data":[],"more":{"id":"x"}}"#,
            r#"{"data":[{"id":"gpt"}]"#,
            "<html>",
        ] {
            let error = filter(body).unwrap_err();
            assert_eq!(
                error.refusal_code(),
                postern_types::RefusalCode::UpstreamProtocol,
                "{body}"
            );
        }
    }

    #[test]
    fn compressed_lists_are_read_and_bombs_are_not() {
        let gzip = |body: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        };
        let mut filter = ModelsFilter::new(Some("gzip")).unwrap();
        filter
            .push(&gzip(br#"{"data":[{"id":"x"},{"id":"gpt"}]}"#))
            .unwrap();
        let list = filter.finish(&mut |name| name == "gpt").unwrap();
        assert_eq!(list, r#"{"data":[{"id":"gpt"}]}"#);

        let mut filter = ModelsFilter::new(Some("gzip")).unwrap();
        assert!(filter.push(&gzip(&vec![b' '; 16 * 1024 * 1024])).is_err());
        let mut filter = ModelsFilter::new(None).unwrap();
        assert!(filter.push(&vec![b' '; MODELS_BYTES_MAX + 1]).is_err());
        assert!(ModelsFilter::new(Some("br")).is_err());
    }
}
