//! Streams of the recordings taken apart, changed and put together again, in another way than the
//! crate does it: whole, with `serde_json`.

use std::collections::BTreeMap;

use postern_inspect::Dialect;
use postern_types::Operation;
use serde_json::Value;

/// One event, or one element of an array.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its bytes with the blank line; in an array, the element.
    pub(crate) raw: String,
    /// Its data, if that is JSON.
    pub(crate) data: Option<Value>,
}

/// A stream taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    pub(crate) array: bool,
    pub(crate) events: Vec<Event>,
}

/// A piece of a text: whose it is, and where it stands in the data.
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) place: String,
}

impl Stream {
    pub(crate) fn parse(dialect: Dialect, operation: Operation, body: &str) -> Self {
        let array = body.trim_start().starts_with('[');
        let events = if array {
            let all: Vec<Value> = serde_json::from_str(body).unwrap();
            let event = |data: Value| Event {
                raw: data.to_string(),
                data: Some(data),
            };
            all.into_iter().map(event).collect()
        } else {
            split(body)
        };
        Self {
            dialect,
            operation,
            array,
            events,
        }
    }

    pub(crate) fn body(&self) -> String {
        let raw: Vec<&str> = self.events.iter().map(|event| event.raw.as_str()).collect();
        if self.array {
            format!("[{}\n]\n", raw.join(",\n"))
        } else {
            raw.concat()
        }
    }

    /// The pieces of texts in one event.
    pub(crate) fn pieces(&self, data: &Value) -> Vec<Piece> {
        let mut all = Vec::new();
        match (self.dialect, self.operation) {
            (Dialect::Anthropic, _) => anthropic(data, &mut all),
            (Dialect::Gemini, _) => gemini(data, &mut all),
            (_, Operation::Responses) => responses(data, &mut all),
            _ => chat(data, &mut all),
        }
        all
    }

    /// The texts, whole.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for data in self.events.iter().filter_map(|event| event.data.as_ref()) {
            for piece in self.pieces(data) {
                let part = data.pointer(&piece.place).unwrap().as_str().unwrap();
                *texts.entry(piece.text).or_insert_with(String::new) += part;
            }
        }
        texts
    }

    /// An event's data without its text and what goes with it.
    pub(crate) fn bare(&self, data: &Value) -> Value {
        let mut bare = data.clone();
        for piece in self.pieces(data) {
            *bare.pointer_mut(&piece.place).unwrap() = "".into();
        }
        level(&mut bare);
        bare
    }
}

impl Event {
    /// The event with the blank line that a last one may lack.
    pub(crate) fn closed(&self, array: bool) -> Self {
        let mut closed = self.clone();
        if !array && !closed.raw.ends_with("\n\n") && !closed.raw.ends_with("\r\n\r\n") {
            closed.raw = format!("{}\n\n", closed.raw.trim_end());
        }
        closed
    }

    /// The event with other data.
    pub(crate) fn with(&self, array: bool, data: Value) -> Self {
        let text = data.to_string();
        let raw = if array {
            text
        } else {
            let start = self.raw.find("data: ").unwrap() + "data: ".len();
            let end = start + self.raw[start..].find(['\r', '\n']).unwrap();
            format!("{}{text}{}", &self.raw[..start], &self.raw[end..])
        };
        Self {
            raw,
            data: Some(data),
        }
    }
}

fn split(body: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        // Each is looked for before the end that is known: the rest of a stream is long.
        let shorter =
            |len: usize, end: &str| rest[..len].find(end).map_or(len, |at| at + end.len());
        let len = ["\n\n", "\r\n\r\n", "\r\r"]
            .into_iter()
            .fold(rest.len(), shorter);
        let raw = rest[..len].to_owned();
        let lines = raw.lines().filter_map(|line| line.strip_prefix("data:"));
        let data = serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).ok();
        events.push(Event { raw, data });
        rest = &rest[len..];
    }
    events
}

/// Padding and probabilities are cleared wherever a rule applies.
fn level(value: &mut Value) {
    match value {
        Value::Object(all) => {
            for (key, one) in all.iter_mut() {
                match key.as_str() {
                    "obfuscation" => *one = "".into(),
                    "logprobs" | "logprobsResult" if one.is_array() => *one = Value::Array(vec![]),
                    "logprobs" | "logprobsResult" => *one = Value::Null,
                    _ => level(one),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(level),
        _ => {}
    }
}

fn chat(data: &Value, all: &mut Vec<Piece>) {
    for (at, choice) in list(&data["choices"]).iter().enumerate() {
        let place = format!("/choices/{at}/delta");
        deep(
            &choice["delta"],
            &place,
            &format!("{}", choice["index"]),
            all,
        );
    }
}

/// Every string of a delta but the words of the format is a piece.
fn deep(value: &Value, place: &str, text: &str, all: &mut Vec<Piece>) {
    const WORDS: [&str; 9] = [
        "role",
        "type",
        "id",
        "name",
        "format",
        "signature",
        "data",
        "url",
        "index",
    ];
    match value {
        Value::String(_) => all.push(Piece {
            text: text.to_owned(),
            place: place.to_owned(),
        }),
        Value::Array(list) => {
            for (at, one) in list.iter().enumerate() {
                let text = format!("{text}[{}]", one["index"]);
                deep(one, &format!("{place}/{at}"), &text, all);
            }
        }
        Value::Object(members) => {
            for (key, one) in members {
                if !WORDS.contains(&key.as_str()) {
                    deep(
                        one,
                        &format!("{place}/{key}"),
                        &format!("{text}.{key}"),
                        all,
                    );
                }
            }
        }
        _ => {}
    }
}

fn responses(data: &Value, all: &mut Vec<Piece>) {
    let kind = data["type"].as_str().unwrap_or_default();
    let sound = kind.ends_with("audio.delta");
    if data["delta"].is_string() && !sound {
        let of = |name: &str| data[name].to_string();
        let ids = ["output_index", "content_index", "summary_index"].map(of);
        all.push(Piece {
            text: format!("{kind} {}", ids.join(" ")),
            place: "/delta".to_owned(),
        });
    }
}

fn anthropic(data: &Value, all: &mut Vec<Piece>) {
    let block = data["content_block"]["type"] == "text";
    let places = [
        ("/content_block/text", "text", block),
        ("/delta/text", "text", true),
        ("/delta/partial_json", "json", true),
        ("/delta/content", "content", true),
    ];
    for (place, kind, here) in places {
        if here && data.pointer(place).is_some_and(Value::is_string) {
            all.push(Piece {
                text: format!("{kind} {}", data["index"]),
                place: place.to_owned(),
            });
        }
    }
}

fn gemini(data: &Value, all: &mut Vec<Piece>) {
    for (at, candidate) in list(&data["candidates"]).iter().enumerate() {
        for (part, value) in list(&candidate["content"]["parts"]).iter().enumerate() {
            let call = &value["functionCall"];
            for (argument, told) in list(&call["partialArgs"]).iter().enumerate() {
                if told["stringValue"].is_string() {
                    let place = format!("{part}/functionCall/partialArgs/{argument}/stringValue");
                    all.push(Piece {
                        text: format!("{} {}", candidate["index"], told["jsonPath"]),
                        place: format!("/candidates/{at}/content/parts/{place}"),
                    });
                }
            }
            if value["text"].is_string() {
                all.push(Piece {
                    text: format!("{} {}", candidate["index"], value["thought"]),
                    place: format!("/candidates/{at}/content/parts/{part}/text"),
                });
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
