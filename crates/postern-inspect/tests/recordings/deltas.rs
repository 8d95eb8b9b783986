//! The pieces in which the provider gives a text: cut at every character, and put between the
//! characters of another text.

use std::collections::BTreeMap;

use crate::cleaning::{
    Choice, VALUES, between, carried, check, letter_by_letter, moved, no_part_of, piece_by_piece,
    planted, streams,
};
use crate::corpus::Exchange;
use crate::streams::Stream;

/// Up to so many characters, a text is cut at each; a longer one at each near its value.
const EVERY_CHARACTER_MAX: usize = 600;

/// As much of a stream around its text: in a longer one, a text counts as long.
const AROUND_BYTES_MAX: usize = 8 * 1024;

/// How near, in bytes.
const NEAR: usize = 64;

/// Elsewhere in a long text, one cut in so many characters.
const ELSEWHERE: usize = 32;

/// Texts up to so many bytes come character by character between those of another one.
const BETWEEN_MAX: usize = 400;

/// What stands where the two pieces of a text go.
const MARKS: [&str; 2] = ["\u{e000}", "\u{e001}"];

/// A stream around a text that comes in two pieces.
struct Template {
    around: [String; 3],
}

impl Template {
    /// Only the event of each piece and those that carry something else stay.
    fn new(stream: &Stream, key: &str, new: &str) -> Option<Self> {
        let marks = MARKS.map(str::to_owned);
        let mut stream = piece_by_piece(stream, key, new, &marks)?;
        let events = std::mem::take(&mut stream.events);
        let is_empty = |data: &serde_json::Value| {
            let pieces = stream.pieces(data);
            let alone = pieces.len() == 1 && pieces[0].text == key;
            let text = |place: &str| data.pointer(place).and_then(|text| text.as_str());
            alone && text(&pieces[0].place) == Some("") && !data.to_string().contains("inish")
        };
        let mut seen = false;
        stream.events = events
            .into_iter()
            .filter(|event| {
                seen |= event.raw.contains(MARKS[1]);
                !seen || !event.data.as_ref().is_some_and(is_empty)
            })
            .collect();
        let body = stream.body();
        let (before, rest) = body.split_once(MARKS[0])?;
        let (middle, after) = rest.split_once(MARKS[1])?;
        Some(Self {
            around: [before, middle, after].map(str::to_owned),
        })
    }

    fn body(&self, text: &str, cut: usize) -> String {
        let [before, middle, after] = &self.around;
        let (first, second) = text.split_at(cut);
        let written = |text: &str| {
            let written = serde_json::to_string(text).unwrap();
            written[1..written.len() - 1].to_owned()
        };
        [
            before,
            written(first).as_str(),
            middle,
            written(second).as_str(),
            after,
        ]
        .concat()
    }
}

/// The texts of a stream that are not empty, if nothing is found in it.
fn clear_texts(exchange: &Exchange, stream: &Stream) -> Option<Vec<(String, String)>> {
    let given = (exchange.dialect, exchange.operation, true);
    let (_, found) = carried(given, &exchange.answer, usize::MAX).unwrap();
    let texts = stream.texts().into_iter();
    let texts: Vec<_> = texts.filter(|(_, text)| !text.is_empty()).collect();
    (!found && !texts.is_empty()).then_some(texts)
}

/// Where a text is cut: everywhere, or everywhere near its value.
fn cuts_of(template: &Template, text: &str, value: &str) -> Vec<usize> {
    let around: usize = template.around.iter().map(String::len).sum();
    let at = text.find(value).unwrap_or(0);
    let near = at.saturating_sub(NEAR)..=at + value.len() + NEAR;
    let long = text.chars().count() > EVERY_CHARACTER_MAX || around > AROUND_BYTES_MAX;
    let places = text.char_indices().map(|(at, _)| at).enumerate();
    places
        .filter(|(nth, at)| !long || near.contains(at) || nth.is_multiple_of(ELSEWHERE))
        .map(|(_, at)| at)
        .chain([text.len()])
        .collect()
}

#[test]
fn deltas_are_cut_at_every_character() {
    // Goal: wherever a provider cuts a text in two, every text is the same, events without text
    // keep their order, and no telling part of a value goes on. Method: in every recorded stream a
    // value is planted into a text of choice, which then comes in two events, cut at every
    // character; in a long text or stream at every one near the value, and at some others.
    let Some(streams) = streams() else {
        return;
    };
    let (mut texts, mut cuts) = (0, 0);
    for (number, (exchange, stream)) in streams.iter().enumerate() {
        let Some(known) = clear_texts(exchange, stream) else {
            continue;
        };
        let given = (exchange.dialect, exchange.operation, true);
        let value = VALUES[number % VALUES.len()];
        let mut choice = Choice(number as u64 + 1000);
        let found = (0..4).find_map(|_| {
            let (key, text) = &known[choice.below(known.len())];
            let planted = planted(key, text, value, &mut choice)?;
            let template = Template::new(stream, key, &planted[0])?;
            Some((key, planted, template))
        });
        let Some((key, [with, without], template)) = found else {
            continue;
        };
        eprintln!("{} {key} {}", exchange.id, with.len());
        let before = stream.body();
        let mut expected: BTreeMap<String, String> = stream.texts();
        expected.insert(key.clone(), without);
        for cut in cuts_of(&template, &with, value.0) {
            let body = template.body(&with, cut);
            let (out, _) = carried(given, body.as_bytes(), usize::MAX).unwrap();
            let sent = Stream::parse(stream.dialect, stream.operation, &body);
            check(&sent, &out, &expected, value);
            no_part_of(value.0, &out, &before);
            cuts += 1;
        }
        texts += 1;
    }
    eprintln!("{texts} texts, {cuts} cuts");
    assert!(texts >= 90 && cuts >= 10_000, "{texts} texts, {cuts} cuts");
}

/// Whether the stream ends once: some recordings are several answers behind each other.
fn is_one_message(stream: &Stream) -> bool {
    let ends = |raw: &str| raw.contains("\"message_stop\"") || raw.contains("response.completed\"");
    let ends = stream.events.iter().filter(|event| ends(&event.raw));
    ends.count() <= 1
}

#[test]
fn characters_of_two_texts_come_in_turn() {
    // Goal: as above where one text comes between the characters of another. Method: each recorded
    // stream of one message and the next of its dialect, a value planted in a text of both, both
    // one event a character, put together in turn.
    let Some(streams) = streams() else {
        return;
    };
    let mut mixed = 0;
    for (number, (exchange, first)) in streams.iter().enumerate() {
        let value = VALUES[number % VALUES.len()];
        let mut choice = Choice(number as u64 + 2000);
        let mut spelled = |stream: &Stream, exchange: &Exchange, is_moved: bool| {
            clear_texts(exchange, stream).filter(|_| is_one_message(stream))?;
            let stream = if is_moved {
                moved(stream)
            } else {
                stream.clone()
            };
            let texts: Vec<(String, String)> = stream.texts().into_iter().collect();
            (0..4).find_map(|_| {
                let (key, text) = texts.get(choice.below(texts.len()))?;
                let [with, without] = planted(key, text, value, &mut choice)?;
                let short = with.len() <= BETWEEN_MAX;
                let mut expected = stream.texts();
                expected.insert(key.clone(), without);
                let spelled = letter_by_letter(&stream, key, &with).filter(|_| short)?;
                Some((spelled, expected))
            })
        };
        let alike = |(_, second): &&(Exchange, Stream)| {
            (first.dialect, first.operation, first.array)
                == (second.dialect, second.operation, second.array)
        };
        let Some((mut sent, mut expected)) = spelled(first, exchange, false) else {
            continue;
        };
        let others = streams[number + 1..].iter().filter(alike);
        let next = others.take(4).find_map(|(exchange, second)| {
            let (second, more) = spelled(second, exchange, true)?;
            Some((between(&sent, &second)?, more))
        });
        let Some((both, more)) = next else {
            continue;
        };
        sent = both;
        expected.extend(more);
        eprintln!("{} {}", exchange.id, value.1);
        let given = (exchange.dialect, exchange.operation, true);
        let (out, _) = carried(given, sent.body().as_bytes(), usize::MAX).unwrap();
        check(&sent, &out, &expected, value);
        no_part_of(value.0, &out, &first.body());
        mixed += 1;
    }
    eprintln!("{mixed} mixed");
    assert!(mixed >= 30, "{mixed}");
}
