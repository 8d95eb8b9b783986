//! Streams with a value planted in one of their texts.

use super::*;

/// A stream with a value planted in one of its texts; `None` where it has no place for one.
pub(crate) fn planted_stream(stream: &Stream, value: (&str, &str), seed: u64) -> Option<Stream> {
    let mut choice = Choice(seed);
    // A text of choice may be JSON without a place for a value.
    let planted = (0..8).find_map(|_| spread(stream, value, &mut choice));
    planted.map(|[with, _]| with)
}

/// A stream with a value spread over one of its texts, and the same with what stands for it.
pub(super) fn spread(
    stream: &Stream,
    value: (&str, &str),
    choice: &mut Choice,
) -> Option<[Stream; 2]> {
    let texts: Vec<(String, String)> = stream.texts().into_iter().collect();
    let (key, text) = texts.get(choice.below(texts.len()))?;
    let [with, without] = planted(key, text, value, choice)?;
    let data = stream.events.iter().filter_map(|event| event.data.as_ref());
    let pieces = data.flat_map(|data| stream.pieces(data));
    let count = match stream.dialect {
        // A part of Gemini's that is no text ends the text before it.
        Dialect::Gemini => 1,
        _ => pieces.filter(|piece| piece.text == *key).count(),
    };
    let parts = parts(&with, value.0, count, choice);
    Some([
        rewrite(stream, key, &with, &parts),
        rewrite(stream, key, &without, std::slice::from_ref(&without)),
    ])
}

/// Cuts a text into so many parts at places of choice; one of them is inside the value.
pub(super) fn parts(text: &str, value: &str, count: usize, choice: &mut Choice) -> Vec<String> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let mut cuts: Vec<usize> = (1..count)
        .map(|_| places[choice.below(places.len())])
        .collect();
    if let (Some(cut), Some(at)) = (cuts.first_mut(), text.find(value)) {
        *cut = at + 1 + choice.below(value.len() - 1);
    }
    cuts.sort_unstable();
    let ends = cuts.iter().copied().chain([text.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts
        .zip(ends)
        .map(|(start, end)| text[start..end].to_owned())
        .collect()
}

/// Puts a text in place of another, over the same events; its repetitions change along.
pub(super) fn rewrite(stream: &Stream, key: &str, new: &str, parts: &[String]) -> Stream {
    let old = stream.texts().remove(key).unwrap_or_default();
    let mut parts = parts.iter();
    let mut changed = stream.clone();
    for event in &mut changed.events {
        let Some(data) = &event.data else { continue };
        let mut fresh = data.clone();
        if old.len() >= 3 {
            repeat(&mut fresh, &old, new);
        }
        for piece in stream.pieces(data) {
            let place = fresh.pointer_mut(&piece.place).unwrap();
            if piece.text == key {
                *place = parts.next().cloned().unwrap_or_default().into();
            } else {
                *place = data.pointer(&piece.place).unwrap().clone();
            }
        }
        if fresh != *data {
            *event = event.with(stream.array, fresh);
        }
    }
    changed
}

fn repeat(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(all) => all.iter_mut().for_each(|one| repeat(one, old, new)),
        Value::Object(all) => all.values_mut().for_each(|one| repeat(one, old, new)),
        _ => {}
    }
}
