//! JSON bodies: fields that a rule names by their place, and then all text.
//!
//! A path is a subset of RFC 9535: `$.user.email`, `$['user']`, `$.items[*].note`, `$..password`.
//! What stands inside an object or a list that a path names is found too.

use postern_types::DataClass;

use crate::InspectError;
use crate::bounds::FIELD_STEPS_MAX;
use crate::clean::Cleaner;
use crate::document::{ALL_TEXT, clean_json, told_name};

/// The byte order mark that some servers put before JSON.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Bytes of a place in a finding.
const PLACE_BYTES_MAX: usize = 128;

/// Cleans one document; `None` where nothing changes.
///
/// # Errors
/// `DataBlocked`; `CannotInspect` when the document does not have one reading.
pub(super) fn clean_document(
    body: &[u8],
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, InspectError> {
    let (mark, document) = match body.strip_prefix(MARK) {
        Some(document) => (MARK, document),
        None => (&[][..], body),
    };
    let by_place = clean_fields(document, cleaner)?;
    let by_content = clean_json(by_place.as_deref().unwrap_or(document), &ALL_TEXT, cleaner)?;
    let clean = by_content.or(by_place);
    Ok(clean.map(|clean| [mark, clean.as_slice()].concat()))
}

fn clean_fields(body: &[u8], cleaner: &mut Cleaner) -> Result<Option<Vec<u8>>, InspectError> {
    let rules = cleaner.rules();
    let fields = rules.fields(cleaner.direction());
    if fields.is_empty() {
        return Ok(None);
    }
    let mut wanted = Vec::with_capacity(fields.len());
    for field in fields {
        let path = FieldPath::parse(&field.path).map_err(InspectError::cannot)?;
        wanted.push((path, field.class.clone()));
    }
    let not_json = || InspectError::cannot("the body is not JSON");
    let text = std::str::from_utf8(body).map_err(|_| not_json())?;
    // The walk below relies on it; the depth is bounded here too.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| not_json())?;
    Walk::new(text, &wanted).run(cleaner)
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A member of this name; at any depth below if `deep`.
    Member { name: String, deep: bool },
    /// Any member or element; at any depth below if `deep`.
    Any { deep: bool },
}

/// The path of a field rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath(Vec<Step>);

impl FieldPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "the path of a field is not like $.user.email, $.items[*].note or \
                             $..password";
        let mut rest = text.strip_prefix('$').ok_or(WRONG)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let deep = rest.starts_with("..");
            rest = rest.strip_prefix("..").unwrap_or(rest);
            if let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(']').ok_or(WRONG)?;
                steps.push(bracketed(&inner[..end], deep).ok_or(WRONG)?);
                rest = &inner[end + 1..];
                continue;
            }
            if !deep {
                rest = rest.strip_prefix('.').ok_or(WRONG)?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let name = &rest[..end];
            let plain = |letter: char| !matches!(letter, ']' | '$' | '"' | '\'' | '*');
            if name == "*" {
                steps.push(Step::Any { deep });
            } else if !name.is_empty() && name.chars().all(plain) {
                let name = name.to_owned();
                steps.push(Step::Member { name, deep });
            } else {
                return Err(WRONG);
            }
            rest = &rest[end..];
        }
        if steps.is_empty() {
            return Err(WRONG);
        }
        if steps.len() > FIELD_STEPS_MAX {
            return Err("the path of a field has too many steps");
        }
        Ok(Self(steps))
    }

    /// Which steps may come next inside the member or element, as bits, given those that might
    /// before. The bit after the last step means that the place is named; it stays.
    fn enter(&self, before: u32, member: Option<&str>) -> u32 {
        let mut after = before & (1 << self.0.len());
        for (at, step) in self.0.iter().enumerate() {
            if before & (1 << at) == 0 {
                continue;
            }
            let (taken, deep) = match step {
                Step::Member { name, deep } => (member == Some(name), *deep),
                Step::Any { deep } => (true, *deep),
            };
            if taken {
                after |= 1 << (at + 1);
            }
            if deep {
                after |= 1 << at;
            }
        }
        after
    }

    fn is_named(&self, state: u32) -> bool {
        state & (1 << self.0.len()) != 0
    }
}

fn bracketed(inner: &str, deep: bool) -> Option<Step> {
    if inner == "*" {
        return Some(Step::Any { deep });
    }
    let quote = inner
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    let name = inner[1..].strip_suffix(quote)?;
    let plain = !name.is_empty() && !name.contains(['\'', '"', '\\']);
    plain.then(|| Step::Member {
        name: name.to_owned(),
        deep,
    })
}

/// A container that the walk is in.
struct Level {
    object: bool,
    states: Vec<u32>,
    /// The key of the member that the walk is at.
    key: String,
}

/// One pass over a document that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    wanted: &'a [(FieldPath, DataClass)],
    levels: Vec<Level>,
    out: String,
    copied: usize,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, wanted: &'a [(FieldPath, DataClass)]) -> Self {
        Self {
            text,
            wanted,
            levels: Vec::new(),
            out: String::new(),
            copied: 0,
        }
    }

    fn run(mut self, cleaner: &mut Cleaner) -> Result<Option<Vec<u8>>, InspectError> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        let mut key_next = false;
        while at < bytes.len() {
            match bytes[at] {
                b'{' | b'[' => {
                    let object = bytes[at] == b'{';
                    let states = self.states();
                    let key = String::new();
                    self.levels.push(Level {
                        object,
                        states,
                        key,
                    });
                    key_next = object;
                    at += 1;
                }
                b'}' | b']' => {
                    self.levels.pop();
                    at += 1;
                }
                b',' => {
                    key_next = self.levels.last().is_some_and(|level| level.object);
                    at += 1;
                }
                b':' | b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'"' => {
                    let end = string_end(bytes, at);
                    if std::mem::take(&mut key_next) {
                        let key = decoded(&self.text[at..end])?;
                        if let Some(level) = self.levels.last_mut() {
                            level.key = key;
                        }
                    } else {
                        self.scalar(at, end, cleaner)?;
                    }
                    at = end;
                }
                _ => {
                    let bare = |byte: &u8| !b",]} \t\n\r".contains(byte);
                    let end = at + bytes[at..].iter().take_while(|byte| bare(byte)).count();
                    self.scalar(at, end, cleaner)?;
                    at = end;
                }
            }
        }
        if self.copied == 0 {
            return Ok(None);
        }
        self.out.push_str(&self.text[self.copied..]);
        Ok(Some(self.out.into_bytes()))
    }

    /// The states of every path at the value that comes now.
    fn states(&self) -> Vec<u32> {
        let Some(level) = self.levels.last() else {
            return vec![1; self.wanted.len()];
        };
        let member = level.object.then_some(level.key.as_str());
        self.wanted
            .iter()
            .zip(&level.states)
            .map(|((path, _), state)| path.enter(*state, member))
            .collect()
    }

    fn scalar(&mut self, at: usize, end: usize, cleaner: &mut Cleaner) -> Result<(), InspectError> {
        let states = self.states();
        let named = self.wanted.iter().zip(states);
        let mut classes: Vec<&DataClass> = named
            .filter(|((path, _), state)| path.is_named(*state))
            .map(|((_, class), _)| class)
            .collect();
        let raw = &self.text[at..end];
        if classes.is_empty() || raw == "null" {
            return Ok(());
        }
        let text = match raw.starts_with('"') {
            true => decoded(raw)?,
            false => raw.to_owned(),
        };
        // Several rules may name one place: each is asked, and the strongest holds.
        classes.sort_by_key(|class| std::cmp::Reverse(cleaner.strength(class)));
        let mut clean = None;
        for class in classes {
            let replaced = cleaner.found(class, &self.place(), &text)?;
            clean = clean.or(replaced);
        }
        let Some(clean) = clean else {
            return Ok(());
        };
        self.out.push_str(&self.text[self.copied..at]);
        self.out
            .push_str(&serde_json::Value::from(clean).to_string());
        self.copied = end;
        Ok(())
    }

    fn place(&self) -> String {
        let keys: Vec<&str> = self
            .levels
            .iter()
            .filter(|level| level.object)
            .map(|level| told_name(&level.key))
            .collect();
        let mut place = keys.join(".");
        while place.len() > PLACE_BYTES_MAX {
            place.pop();
        }
        place
    }
}

/// The byte after a string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (end + 1).min(bytes.len())
}

fn decoded(raw: &str) -> Result<String, InspectError> {
    serde_json::from_str(raw).map_err(|_| InspectError::cannot("a text is not Unicode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, json: &str) -> Vec<String> {
        // Every scalar that the path names, by a walk that replaces nothing.
        let path = FieldPath::parse(path).unwrap();
        let wanted = [(path, DataClass::parse("email").unwrap())];
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let mut all = Vec::new();
        collect(&wanted[0].0, 1, &value, &mut all);
        all
    }

    fn collect(path: &FieldPath, state: u32, value: &serde_json::Value, all: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, value) in members {
                    collect(path, path.enter(state, Some(name)), value, all);
                }
            }
            serde_json::Value::Array(elements) => {
                for value in elements {
                    collect(path, path.enter(state, None), value, all);
                }
            }
            scalar if path.is_named(state) => all.push(scalar.to_string()),
            _ => {}
        }
    }

    #[test]
    fn paths_name_what_the_standard_says() {
        let json = r#"{"a":1,"b":{"a":2,"c":[{"a":3},{"d":4}]},"e f":5}"#;
        let rows: [(&str, &[&str]); 9] = [
            ("$.a", &["1"]),
            ("$['e f']", &["5"]),
            ("$.b.c[*].a", &["3"]),
            ("$..a", &["1", "2", "3"]),
            ("$..c..a", &["3"]),
            ("$.b", &["2", "3", "4"]),
            ("$.*.a", &["2"]),
            ("$.b..*", &["2", "3", "4"]),
            ("$.c", &[]),
        ];
        for (path, expected) in rows {
            assert_eq!(named(path, json), expected, "{path}");
        }
        for bad in [
            "", "$", "a.b", "$.", "$a", "$.a..", "$[0]", "$[a]", "$['a", "$[?@.a]",
        ] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
        assert!(FieldPath::parse(&format!("${}", ".a".repeat(32))).is_err());
    }
}
