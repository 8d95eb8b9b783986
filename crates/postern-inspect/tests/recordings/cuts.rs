//! The transport, cut in two at every byte of every recorded stream.

use bytes::Bytes;
use postern_inspect::fuzz::{Cuts, cut_in_two};
use postern_inspect::{Dialect, ResponseReader};
use postern_types::{Direction, Operation};

use crate::cleaning::{VALUES, cleaner, planted_stream, streams};
use crate::corpus::Exchange;
use crate::streams::Stream;

/// Streams up to so many bytes are cut into pieces of every size.
const EVERY_SIZE_MAX: usize = 1200;

/// Cuts every stream of some operations, each with a value planted where it has a text.
fn cut_all(wanted: impl Fn(&Exchange) -> bool) -> Option<(usize, Cuts)> {
    let (mut count, mut all) = (0, Cuts::default());
    for (number, (exchange, stream)) in streams()?.iter().enumerate() {
        if !wanted(exchange) {
            continue;
        }
        let value = VALUES[number % VALUES.len()];
        let body = planted_stream(stream, value, number as u64).map(|planted| planted.body());
        let body = body.unwrap_or_else(|| stream.body());
        let options = crate::options(exchange, false);
        eprintln!("{} {}", exchange.id, body.len());
        let cuts = cut_in_two(&options, &cleaner(Direction::Response), body.as_bytes());
        all.made += cuts.made;
        all.left_out += cuts.left_out;
        count += 1;
        if body.len() <= EVERY_SIZE_MAX {
            every_size(exchange, stream, &body);
        }
    }
    eprintln!("{count} streams: {all:?}");
    Some((count, all))
}

/// Cuts a short stream into pieces of each size.
fn every_size(exchange: &Exchange, stream: &Stream, body: &str) {
    let carried = |size: usize| {
        let options = crate::options(exchange, false);
        let mut reader = ResponseReader::new(&options, Some(cleaner(Direction::Response)));
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            reader
                .push(Bytes::copy_from_slice(piece), &mut out)
                .unwrap();
        }
        reader.finish(&mut out).unwrap();
        out.concat()
    };
    let whole = carried(usize::MAX);
    let texts = Stream::parse(
        stream.dialect,
        stream.operation,
        std::str::from_utf8(&whole).unwrap(),
    );
    assert!(!texts.events.is_empty());
    for size in 1..body.len() {
        assert!(carried(size) == whole, "pieces of {size} bytes");
    }
}

// Goal of all: wherever the transport is cut, the same goes on and what comes later finds the same
// state. Method: each recorded stream, a value planted in it, cut in two at every byte; those that
// are short also into pieces of every size. One test a dialect, so that they run side by side.

#[test]
fn chat_streams_are_cut_at_every_byte() {
    let is_chat = |it: &Exchange| it.operation == Operation::ChatCompletions;
    let Some((count, cuts)) = cut_all(is_chat) else {
        return;
    };
    assert!(count >= 40 && cuts.made > 300_000, "{count}: {cuts:?}");
}

#[test]
fn streams_of_responses_are_cut_at_every_byte() {
    let Some((count, cuts)) = cut_all(|it| it.operation == Operation::Responses) else {
        return;
    };
    assert!(count >= 20 && cuts.made > 300_000, "{count}: {cuts:?}");
}

#[test]
fn streams_of_anthropic_are_cut_at_every_byte() {
    let Some((count, cuts)) = cut_all(|it| it.dialect == Dialect::Anthropic) else {
        return;
    };
    assert!(count >= 20 && cuts.made > 100_000, "{count}: {cuts:?}");
}

#[test]
fn streams_of_gemini_are_cut_at_every_byte() {
    let Some((count, cuts)) = cut_all(|it| it.dialect == Dialect::Gemini) else {
        return;
    };
    assert!(count >= 20 && cuts.made > 70_000, "{count}: {cuts:?}");
}
