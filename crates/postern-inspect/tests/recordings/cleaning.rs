//! The promise of data controls on recorded traffic: a value does not get through, wherever it is
//! planted, however its text is cut into events and the events into pieces; what is no value stays.

mod between;
mod planting;

pub(crate) use planting::planted_stream;
use planting::{parts, rewrite, spread};

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use memchr::memmem::Finder;
use postern_inspect::{
    Cleaner, Dialect, InspectError, MaskKeys, ResponseOptions, ResponseReader, RuleSet,
};
use postern_types::{
    ClassSelector, DataAction, DataRule, DataRuleSpec, Direction, OpaqueAction, Operation,
    RuleName, ThinkingAction,
};
use serde_json::Value;

use crate::corpus::{self, Exchange};
use crate::streams::{Event, Stream};

/// Values and what stands for each. None holds anything that JSON escapes.
pub(crate) const VALUES: [(&str, &str); 4] = [
    ("4539 5787 6362 1486", "[CARD]"),
    ("jane.doe+tag@mail.example.com", "[EMAIL]"),
    ("GB82 WEST 1234 5698 7654 32", "[IBAN]"),
    ("5425233430109903", "[CARD]"),
];

/// Streams longer than so many cuts are cut less often, to save time.
const LONG: usize = 20_000;

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let classes = ["card", "email", "iban"].map(|class| ClassSelector::parse(class).unwrap());
    let rule = DataRule {
        name: RuleName::parse("test").unwrap(),
        spec: DataRuleSpec {
            upstream: None,
            directions: vec![Direction::Request, Direction::Response],
            classes: classes.to_vec(),
            action: DataAction::Mask,
            dry_run: false,
            confidence_min: 50,
            custom: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            opaque: OpaqueAction::Allow,
            thinking: ThinkingAction::Pass,
            tell_client: false,
        },
    };
    Arc::new(RuleSet::compile(&[rule]).unwrap())
});

pub(crate) fn cleaner(direction: Direction) -> Cleaner {
    let keys = MaskKeys::new(&[7; 32], "test", "token", "request");
    Cleaner::new(Arc::clone(&RULES), direction, &[], keys)
}

/// What goes on of an answer, and whether anything was found in it.
pub(crate) fn carried(
    (dialect, operation, streaming): (Dialect, Operation, bool),
    body: &[u8],
    cut: usize,
) -> Result<(String, bool), InspectError> {
    let options = ResponseOptions {
        operation,
        dialect,
        stream_asked: streaming,
        strip_usage: false,
        keeps_answer: true,
        choices: None,
        content_type: "",
        content_encoding: None,
        status: 200,
    };
    let mut reader = ResponseReader::new(&options, Some(cleaner(Direction::Response)));
    let mut out = Vec::new();
    for piece in body.chunks(cut) {
        reader.push(Bytes::copy_from_slice(piece), &mut out)?;
    }
    reader.finish(&mut out)?;
    let found = !reader.findings().is_empty();
    Ok((String::from_utf8(out.concat()).unwrap(), found))
}

/// A small source of choices: printed with what fails, the same in every run.
pub(crate) struct Choice(pub(crate) u64);

impl Choice {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// The recorded streams that are whole, taken apart.
pub(crate) fn streams() -> Option<Vec<(Exchange, Stream)>> {
    let mut all = Vec::new();
    for exchange in corpus::exchanges()? {
        let Ok(text) = String::from_utf8(exchange.answer.clone()) else {
            continue;
        };
        let head = text.trim_start();
        let streamed = head.starts_with("data:")
            || head.starts_with("event:")
            || head.starts_with(':')
            || (head.starts_with('[') && exchange.operation == Operation::StreamGenerateContent);
        if !exchange.streaming || !(200..300).contains(&exchange.status) || !streamed {
            continue;
        }
        if head.starts_with('[') && serde_json::from_str::<Vec<Value>>(head).is_err() {
            continue;
        }
        let stream = Stream::parse(exchange.dialect, exchange.operation, &text);
        all.push((exchange, stream));
    }
    Some(all)
}

/// Replaces a text in every string of a value.
fn replaced(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => text.replace(from, to).into(),
        Value::Array(all) => all.iter().map(|one| replaced(one, from, to)).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(key, one)| (key.clone(), replaced(one, from, to)))
            .collect(),
        other => other.clone(),
    }
}

/// Holds what came out against the stream that went in and the texts that are expected.
pub(crate) fn check(
    sent: &Stream,
    out: &str,
    texts: &BTreeMap<String, String>,
    planted: (&str, &str),
) {
    let given = Stream::parse(sent.dialect, sent.operation, out);
    assert_eq!(&given.texts(), texts, "a text is not as expected");
    let mut left = sent.events.iter().peekable();
    for event in &given.events {
        let same = |next: &Event| match (&next.data, &event.data) {
            (Some(sent_data), Some(data)) => {
                let bare = replaced(&sent.bare(sent_data), planted.0, planted.1);
                bare == given.bare(data)
            }
            _ => next.raw == event.raw,
        };
        if let Some(next) = left.next_if(|next| same(next)) {
            let untouched = next.data.as_ref().is_none_or(|data| {
                sent.pieces(data).is_empty()
                    && sent.bare(data) == *data
                    && !next.raw.contains(planted.0)
            });
            assert!(
                !untouched || next.raw == event.raw,
                "an event without text was changed"
            );
            continue;
        }
        // An event for a held tail: one text and nothing that a client would add.
        let data = event.data.as_ref().expect("an event was made up");
        let pieces = given.pieces(data);
        assert_eq!(pieces.len(), 1, "an event was made up: {}", event.raw);
        let more = ["\"usage\":{", "\"role\":\"assistant\""];
        let adds = more.iter().any(|more| event.raw.contains(more));
        assert!(
            !adds,
            "an event that adds something was made up: {}",
            event.raw
        );
    }
    assert_eq!(left.count(), 0, "an event is missing");
}

#[test]
fn streams_in_which_nothing_is_found_say_the_same() {
    // Goal: with a rule and nothing found, every text is what it was, events without text are the
    // same bytes in the same order, and cutting the transport changes nothing. Method: every
    // recorded stream, whole and at four cuts.
    let Some(streams) = streams() else {
        return;
    };
    let mut clear = 0;
    for (exchange, stream) in &streams {
        let given = (exchange.dialect, exchange.operation, true);
        let whole = carried(given, &exchange.answer, usize::MAX);
        let (whole, found) = whole.unwrap_or_else(|error| panic!("{}: {error}", exchange.id));
        let cuts = [1, 2, 7, 64].into_iter();
        for cut in cuts.filter(|cut| exchange.answer.len() < cut * LONG) {
            let (out, _) = carried(given, &exchange.answer, cut).unwrap();
            assert!(out == whole, "{} cut at {cut}", exchange.id);
        }
        if !found {
            eprintln!("{}", exchange.id);
            check(stream, &whole, &stream.texts(), ("\u{0}", ""));
            clear += 1;
        }
    }
    assert!(
        clear >= 60 && clear * 10 >= streams.len() * 9,
        "{clear} of {}",
        streams.len()
    );
}

/// Whether a text of the stream is JSON.
fn is_json(text: &str) -> bool {
    text.ends_with(".arguments") || text.contains("arguments.delta") || text.starts_with("json ")
}

/// The places in JSON text where the string value of a member begins.
fn values_of(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let (mut inside, mut escape, mut before) = (false, false, ' ');
    for (at, letter) in text.char_indices() {
        if inside {
            match letter {
                _ if escape => escape = false,
                '\\' => escape = true,
                '"' => inside = false,
                _ => {}
            }
        } else if letter == '"' {
            inside = true;
            if before == ':' {
                places.push(at + 1);
            }
        }
        if !inside && !letter.is_whitespace() {
            before = letter;
        }
    }
    places
}

/// A text with a value planted in it, and the same with what stands for the value.
pub(crate) fn planted(
    key: &str,
    text: &str,
    value: (&str, &str),
    choice: &mut Choice,
) -> Option<[String; 2]> {
    let at = if is_json(key) {
        let places = values_of(text);
        *places.get(choice.below(places.len()))?
    } else {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        *places.get(choice.below(places.len()))?
    };
    let with = |value: &str| format!("{}; {value}; {}", &text[..at], &text[at..]);
    Some([with(value.0), with(value.1)])
}

/// Cuts one text into events of one character each, made after an event that carries nothing else.
pub(crate) fn letter_by_letter(stream: &Stream, key: &str, new: &str) -> Option<Stream> {
    let letters: Vec<String> = new.chars().map(String::from).collect();
    piece_by_piece(stream, key, new, &letters)
}

/// Puts a text in place of another, in events of these pieces made after one that carries nothing
/// else.
pub(crate) fn piece_by_piece(
    stream: &Stream,
    key: &str,
    new: &str,
    pieces: &[String],
) -> Option<Stream> {
    let count = stream.texts().len();
    let mut changed = rewrite(stream, key, new, &[]);
    let alone = |data: &Value| {
        let pieces = stream.pieces(data);
        let text = data.to_string();
        let more = [
            "\"role\":\"assistant\"",
            "call_",
            "\"name\"",
            "inish",
            "content_block\"",
        ];
        pieces.len() == 1 && pieces[0].text == key && !more.iter().any(|word| text.contains(word))
            || count == 0
    };
    let at = stream
        .events
        .iter()
        .position(|event| event.data.as_ref().is_some_and(alone))?;
    let model = changed.events.remove(at);
    let data = model.data.as_ref()?;
    let place = stream.pieces(data).pop()?.place;
    let pieces = pieces.iter().map(|piece| {
        let mut data = data.clone();
        *data.pointer_mut(&place).unwrap() = piece.clone().into();
        model.with(stream.array, data)
    });
    let pieces: Vec<Event> = pieces.collect();
    changed.events.splice(at..at, pieces);
    Some(changed)
}

/// No part of a value that tells anything may be in what goes on.
pub(crate) fn no_part_of(value: &str, out: &str, before: &str) {
    /// A part of this length tells something.
    const TELLING: usize = 8;
    for part in value.as_bytes().windows(TELLING) {
        let part = Finder::new(part);
        let is_in = |text: &str| part.find(text.as_bytes()).is_some();
        assert!(
            !is_in(out) || is_in(before),
            "a part of a value went on: {out}"
        );
    }
}

#[test]
fn planted_values_do_not_get_through_streams() {
    // Goal: no value and no telling part of one goes on, and every text is otherwise what it was,
    // however the text is cut into events and the events into pieces. Method: in every recorded
    // stream values are planted into a text of choice, over the events that are there (cut inside
    // the value) and as one event a character; each at several cuts of the transport.
    let Some(streams) = streams() else {
        return;
    };
    let (mut spread, mut letters) = (0, 0);
    for (number, (exchange, stream)) in streams.iter().enumerate() {
        let given = (exchange.dialect, exchange.operation, true);
        let (_, found) = carried(given, &exchange.answer, usize::MAX).unwrap();
        let texts: Vec<(String, String)> = stream
            .texts()
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if found || texts.is_empty() {
            continue;
        }
        let before = stream.body();
        // One of the values in each stream, so that all meet every dialect many times.
        let values = (0..1).map(|at| (number + at) % VALUES.len());
        for (seed, value) in values.map(|at| (at, &VALUES[at])) {
            let mut choice = Choice((number * 10 + seed) as u64);
            let (key, text) = &texts[choice.below(texts.len())];
            let Some([with, without]) = planted(key, text, *value, &mut choice) else {
                continue;
            };
            let mut expected = stream.texts();
            expected.insert(key.clone(), without);
            let pieces = stream.events.iter().filter_map(|event| event.data.as_ref());
            let pieces = pieces.flat_map(|data| stream.pieces(data));
            let count = pieces.filter(|piece| piece.text == *key).count();
            // A part of Gemini's that is no text ends the text before it.
            let mixed = [
                "functionCall",
                "executableCode",
                "codeExecution",
                "inlineData",
            ];
            let count = if mixed.iter().any(|part| before.contains(part)) {
                1
            } else {
                count
            };
            let parts = parts(&with, value.0, count, &mut choice);
            let mut sent = vec![rewrite(stream, key, &with, &parts)];
            spread += 1;
            if with.len() < 600
                && let Some(more) = letter_by_letter(stream, key, &with)
            {
                sent.push(more);
                letters += 1;
            }
            for sent in sent {
                let body = sent.body();
                let whole = carried(given, body.as_bytes(), usize::MAX).unwrap().0;
                eprintln!("{} {key} {}", exchange.id, value.1);
                check(&sent, &whole, &expected, *value);
                no_part_of(value.0, &whole, &before);
                let cuts = [1, 64].into_iter().filter(|cut| body.len() < cut * LONG);
                for cut in cuts {
                    let out = carried(given, body.as_bytes(), cut).unwrap().0;
                    assert!(out == whole, "cut at {cut}");
                }
            }
        }
    }
    assert!(
        spread >= 60 && letters >= 20,
        "{spread} spread, {letters} letter by letter"
    );
}

/// The texts of a second stream, moved so that they are none of the first one's.
pub(crate) fn moved(stream: &Stream) -> Stream {
    const FAR: u64 = 50;
    let far = |value: &mut Value| *value = (value.as_u64().unwrap_or(0) + FAR).into();
    let mut moved = stream.clone();
    moved.events.clear();
    for event in &stream.events {
        let Some(mut data) = event.data.clone() else {
            continue;
        };
        let kind = data["type"].as_str().unwrap_or_default().to_owned();
        let list = match stream.dialect {
            Dialect::Gemini => "candidates",
            _ => "choices",
        };
        if kind.starts_with("content_block") {
            far(&mut data["index"]);
        } else if data["output_index"].is_u64() {
            far(&mut data["output_index"]);
        } else if data[list].as_array().is_some_and(|all| !all.is_empty()) {
            for one in data[list].as_array_mut().unwrap() {
                far(&mut one["index"]);
            }
        } else {
            continue;
        }
        moved.events.push(event.with(stream.array, data));
    }
    moved
}

/// Puts the events of one stream between those of another, from its first text to its last.
pub(crate) fn between(first: &Stream, second: &Stream) -> Option<Stream> {
    let has_text = |event: &Event| {
        let data = event.data.as_ref();
        data.is_some_and(|data| !first.pieces(data).is_empty())
    };
    let start = first.events.iter().position(has_text)?;
    let end = first.events.iter().rposition(has_text)?;
    let mut all = first.clone();
    all.events.clear();
    // What ends an answer ends all of its texts, so that it comes behind them.
    let ends = |event: &&Event| {
        let data = event.data.as_ref().and_then(|data| data["type"].as_str());
        data.is_some_and(|kind| ["message_stop", "response.completed"].contains(&kind))
    };
    let closed = |event: &Event| event.closed(first.array);
    let (last, more): (Vec<_>, Vec<_>) = second.events.iter().partition(ends);
    let mut more = more.into_iter().map(closed);
    let mut last: Vec<_> = last.into_iter().map(closed).collect();
    for (at, event) in first.events.iter().enumerate() {
        let to = if ends(&event) {
            &mut last
        } else {
            &mut all.events
        };
        to.push(closed(event));
        if (start..end).contains(&at) {
            all.events.extend(more.next());
        } else if at == end {
            all.events.extend(more.by_ref());
        }
    }
    all.events.append(&mut last);
    Some(all)
}
