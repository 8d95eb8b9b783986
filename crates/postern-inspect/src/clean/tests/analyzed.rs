//! Names that an analyzer tells: in documents, bodies and streams, wherever they are cut.

use std::collections::BTreeSet;

use bytes::Bytes;
use postern_types::{OpaqueAction, Operation};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    AnalyzedSpan, BodyCleaner, BodyKind, Dialect, InspectError, ResponseOptions, ResponseReader,
    Target, locate,
};

const NAMES: [&str; 3] = ["Jane Doe", "Zoë", "Müller"];

fn names_cleaner(direction: Direction) -> Cleaner {
    let mut names = rule("names", &["person", "email"], "mask");
    names.spec.opaque = OpaqueAction::Allow;
    let rules = RuleSet::compile(&[names]).unwrap();
    let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
    Cleaner::new(Arc::new(rules), direction, &[], keys)
}

/// An analyzer that knows [`NAMES`].
fn oracle(piece: &str) -> Vec<AnalyzedSpan> {
    let of = |name: &&str| {
        let spans = piece.match_indices(*name).map(|(at, found)| {
            let start = piece[..at].chars().count();
            AnalyzedSpan {
                class: BuiltinClass::Person,
                start,
                end: start + found.chars().count(),
                confidence: 85,
            }
        });
        spans.collect::<Vec<_>>()
    };
    NAMES.iter().flat_map(of).collect()
}

/// What was asked about, and what went on.
type Seen = (BTreeSet<String>, String);

/// Cleans one text in pieces of so many characters.
fn text(kind: TextKind, text: &str, chars: usize) -> Seen {
    let mut cleaner = names_cleaner(Direction::Request);
    let mut asked = BTreeSet::new();
    loop {
        let done = cleaner.attempt(|cleaner| pieces_of(kind, cleaner, text, chars));
        match done {
            Ok(out) => return (asked, out),
            Err(CleanError::NeedsAnalysis) => {
                for piece in cleaner.wanted() {
                    assert!(asked.insert(piece.clone()), "asked twice: {piece}");
                    let spans = oracle(&piece);
                    cleaner.answer(piece, &spans).unwrap();
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Drives a reader as the plane does: whatever it asks is answered, then it goes on.
fn streamed(mut reader: ResponseReader, body: &str, cut: usize) -> (Seen, usize) {
    let (mut asked, mut out) = (BTreeSet::new(), Vec::new());
    let mut answered = |reader: &mut ResponseReader, mut done, out: &mut Vec<Bytes>| {
        while done == Err(InspectError::NeedsAnalysis) {
            for piece in reader.wanted() {
                let spans = oracle(&piece);
                asked.insert(piece.clone());
                reader.answer(piece, &spans).unwrap();
            }
            done = reader.resume(out);
        }
        done.unwrap();
    };
    for piece in body.as_bytes().chunks(cut) {
        let pushed = reader.push(Bytes::copy_from_slice(piece), &mut out);
        answered(&mut reader, pushed, &mut out);
    }
    let before: usize = out.iter().map(Bytes::len).sum();
    let finished = reader.finish(&mut out);
    answered(&mut reader, finished, &mut out);
    let found = reader.findings().iter().map(|f| f.count as usize).sum();
    assert!(before > 0 || out.is_empty() || body.len() < 2000);
    ((asked, String::from_utf8(out.concat()).unwrap()), found)
}

#[test]
fn sentences_and_lines_are_asked_about_and_names_replaced() {
    let input = "Dr. Jane Doe wrote. J. R. Müller met\nZoë (a@b.com)! “And?” Jane Doe [PERSON] 12 ";
    let (asked, out) = text(TextKind::Plain, input, 3);
    assert_eq!(
        out,
        "Dr. [PERSON] wrote. J. R. [PERSON] met\n[PERSON] ([EMAIL])! “And?” [PERSON] [PERSON] 12 "
    );
    let expected = [
        "Dr. Jane Doe wrote. ",
        "J. R. Müller met\n",
        "Zoë ([EMAIL])! ",
        "“And?” ",
        "Jane Doe [PERSON] 12 ",
    ];
    assert_eq!(asked, expected.map(str::to_owned).into());
}

#[test]
fn json_in_text_keeps_its_spelling_around_names() {
    let input =
        r#"{"to":"Jane\u0020Doe \/ Zo\u00eb","n":[1,true],"M\u00fcller":"a@b.com \n Jane Doe"}"#;
    let (_, out) = text(TextKind::Json, input, 1);
    let expected = r#"{"to":"[PERSON] \/ [PERSON]","n":[1,true],"[PERSON]":"[EMAIL] \n [PERSON]"}"#;
    assert_eq!(out, expected);
}

#[test]
fn answers_that_are_not_of_the_text_are_refused() {
    let mut cleaner = names_cleaner(Direction::Request);
    for (start, end) in [(0, 4), (2, 2), (3, 1), (usize::MAX, 1)] {
        let span = AnalyzedSpan {
            class: BuiltinClass::Person,
            start,
            end,
            confidence: 90,
        };
        let answer = cleaner.answer("Zoë".to_owned(), &[span]);
        assert!(matches!(answer, Err(CleanError::CannotInspect(_))));
    }
}

#[test]
fn a_request_is_worked_on_again_and_counted_once() {
    let body = json!({"model":"m","messages":[
        {"role":"user","content":"Zoë knows a@b.com. Zoë!"},
        {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":
            {"name":"f","arguments":"{\"who\":\"Jane Doe\"}"}}]}]});
    let body = Bytes::from(body.to_string());
    let path = postern_types::CanonicalPath::parse("/v1/chat/completions").unwrap();
    let target = Target::posted(&path);
    let facts = locate(Dialect::OpenAi, &target)
        .unwrap()
        .read(&body)
        .unwrap();
    let mut cleaner = names_cleaner(Direction::Request);
    let first = facts.clean_outbound(body.clone(), false, &mut cleaner);
    assert_eq!(first.unwrap_err(), InspectError::NeedsAnalysis);
    assert!(cleaner.findings().is_empty());
    for piece in cleaner.wanted() {
        let spans = oracle(&piece);
        cleaner.answer(piece, &spans).unwrap();
    }
    let out = facts.clean_outbound(body, false, &mut cleaner).unwrap();
    let out = String::from_utf8(out.pieces.concat()).unwrap();
    assert!(out.contains("[PERSON] knows [EMAIL]. [PERSON]!"), "{out}");
    assert!(NAMES.iter().all(|name| !out.contains(name)), "{out}");
    let count: u32 = cleaner.findings().iter().map(|finding| finding.count).sum();
    assert_eq!(count, 4);
}

fn options(dialect: Dialect, operation: Operation, content_type: &str) -> ResponseOptions<'_> {
    ResponseOptions {
        operation,
        dialect,
        stream_asked: true,
        strip_usage: false,
        keeps_answer: false,
        choices: None,
        content_type,
        content_encoding: None,
        status: 200,
    }
}

/// The events of a stream of each dialect that say a text a few letters at a time.
fn streams(text: &str) -> Vec<(ResponseOptions<'static>, String)> {
    let letters: Vec<char> = text.chars().collect();
    let deltas: Vec<String> = letters.chunks(3).map(|run| run.iter().collect()).collect();
    let said = |event: &dyn Fn(&str) -> String| deltas.iter().map(|d| event(d)).collect::<String>();
    let sse = |data: &serde_json::Value| format!("data: {data}\n\n");
    let chat =
        said(&|text| sse(&json!({"id":"c","choices":[{"index":0,"delta":{"content":text}}]})))
            + &sse(&json!({"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}))
            + "data: [DONE]\r\n\r\n";
    let named = |name: &str, data: &serde_json::Value| format!("event: {name}\n{}", sse(data));
    let responses = said(&|text| {
        named(
            "response.output_text.delta",
            &json!({"type":"response.output_text.delta",
            "item_id":"i","output_index":0,"content_index":0,"delta":text,"sequence_number":1}),
        )
    }) + &named(
        "response.output_text.done",
        &json!({"type":"response.output_text.done",
            "item_id":"i","output_index":0,"content_index":0,"text":text,"sequence_number":2}),
    );
    let messages = named(
        "content_block_start",
        &json!({"type":"content_block_start","index":0,
            "content_block":{"type":"text","text":""}}),
    ) + &said(&|text| {
        named(
            "content_block_delta",
            &json!({"type":"content_block_delta",
            "index":0,"delta":{"type":"text_delta","text":text}}),
        )
    }) + &named(
        "content_block_stop",
        &json!({"type":"content_block_stop","index":0}),
    );
    let part = |text: &str| json!({"candidates":[{"content":{"parts":[{"text":text}]},"index":0}]});
    let gemini = said(&|text| sse(&part(text)));
    let elements: Vec<String> = deltas.iter().map(|text| part(text).to_string()).collect();
    let array = format!("[{}]", elements.join(",\n"));
    let events = "text/event-stream";
    vec![
        (
            options(Dialect::OpenAi, Operation::ChatCompletions, events),
            chat,
        ),
        (
            options(Dialect::OpenAi, Operation::Responses, events),
            responses,
        ),
        (
            options(Dialect::Anthropic, Operation::Messages, events),
            messages,
        ),
        (
            options(Dialect::Gemini, Operation::StreamGenerateContent, events),
            gemini,
        ),
        (
            options(
                Dialect::Gemini,
                Operation::StreamGenerateContent,
                "application/json",
            ),
            array,
        ),
    ]
}

/// Goal: a name spread over deltas of any dialect is replaced, wherever the bytes are cut, and text
/// goes on while the stream runs. Method: streams that say names three letters at a time.
#[test]
fn names_over_deltas_are_replaced_in_every_dialect() {
    let said = "Ask Jane Doe today. She met Zoë.\nThen a@b.com, said Müller";
    for (options, body) in streams(said) {
        let whole = {
            let reader = ResponseReader::new(&options, Some(names_cleaner(Direction::Response)));
            streamed(reader, &body, usize::MAX)
        };
        let ((asked, out), found) = &whole;
        let kind = options.operation;
        for event in out.split("\n\n") {
            assert!(
                NAMES.iter().all(|name| !event.contains(name)),
                "{kind:?}: {event}"
            );
        }
        assert!(out.matches("[PERSON]").count() >= 3, "{kind:?}: {out}");
        assert!(
            asked.contains("Ask Jane Doe today. "),
            "{kind:?}: {asked:?}"
        );
        assert!(*found >= 4, "{kind:?}: {found}");
        for cut in [1, 7, 64, 1000] {
            let reader = ResponseReader::new(&options, Some(names_cleaner(Direction::Response)));
            assert_eq!(streamed(reader, &body, cut), whole, "{kind:?} cut at {cut}");
        }
    }
}

#[test]
fn usage_is_still_taken_out_of_a_stream_that_waits() {
    // Goal: the editor and the queue behind it agree on what was left out. Method: frames that end
    // with CR LF, of which one goes and leaves its LF behind.
    let chunk = |delta: &str| {
        let chunk = json!({"id":"c","choices":[{"index":0,"delta":{"content":delta}}]});
        format!("data: {chunk}\r\n\r\n")
    };
    let usage = json!({"id":"c","choices":[],"usage":
        {"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}});
    let body =
        chunk("Jane ") + &chunk("Doe. And") + &format!("data: {usage}\r\n\r\ndata: [DONE]\r\n\r\n");
    let mut options = options(
        Dialect::OpenAi,
        Operation::ChatCompletions,
        "text/event-stream",
    );
    options.strip_usage = true;
    let mut outs = BTreeSet::new();
    for cut in [1, 2, 9, usize::MAX] {
        let reader = ResponseReader::new(&options, Some(names_cleaner(Direction::Response)));
        let ((_, out), _) = streamed(reader, &body, cut);
        assert!(!out.contains("usage") && !out.contains("Doe."), "{out}");
        assert!(out.contains("[PERSON]. ") && out.contains("And"), "{out}");
        assert!(out.ends_with("data: [DONE]\r\n\r\n"), "{out:?}");
        outs.insert(out);
    }
    assert_eq!(outs.len(), 1, "{outs:?}");
}

/// Cleans a body of plain HTTP.
fn plain(content_type: &str, body: &str, cut: usize) -> String {
    let kind = BodyKind {
        content_type: Some(content_type),
        content_encoding: None,
    };
    let mut cleaner = BodyCleaner::new(&kind, names_cleaner(Direction::Response));
    let mut out = Vec::new();
    let answered = |cleaner: &mut BodyCleaner, mut done, out: &mut Vec<Bytes>| {
        while done == Err(InspectError::NeedsAnalysis) {
            for piece in cleaner.wanted() {
                let spans = oracle(&piece);
                cleaner.answer(piece, &spans).unwrap();
            }
            done = cleaner.resume(out);
        }
        done.unwrap();
    };
    for piece in body.as_bytes().chunks(cut) {
        let pushed = cleaner.push(Bytes::copy_from_slice(piece), &mut out);
        answered(&mut cleaner, pushed, &mut out);
    }
    let finished = cleaner.finish(&mut out);
    answered(&mut cleaner, finished, &mut out);
    String::from_utf8(out.concat()).unwrap()
}

#[test]
fn plain_bodies_of_every_kind_are_analyzed() {
    let cases = [
        ("text/plain", "Hi Zoë.\nJane Doe", "Hi [PERSON].\n[PERSON]"),
        (
            "text/html",
            "<b>Jane&#32;Doe</b> &amp; x",
            "<b>[PERSON]</b> &amp; x",
        ),
        (
            "application/json",
            r#"{"a":["Zoë",1]}"#,
            r#"{"a":["[PERSON]",1]}"#,
        ),
        (
            "application/x-ndjson",
            "{\"a\":\"Zoë\"}\n{\"b\":\"Jane Doe\"}\n",
            "{\"a\":\"[PERSON]\"}\n{\"b\":\"[PERSON]\"}\n",
        ),
        (
            "text/event-stream",
            "data: Zoë\n\ndata: x\n\n",
            "data: [PERSON]\n\ndata: x\n\n",
        ),
        (
            "application/x-www-form-urlencoded",
            "a=Jane+Doe&b=1",
            "a=%5BPERSON%5D&b=1",
        ),
    ];
    for (kind, body, expected) in cases {
        for cut in [1, 3, 1000] {
            assert_eq!(plain(kind, body, cut), expected, "{kind} cut at {cut}");
        }
    }
}

fn prose() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Jane Doe",
        "Zoë",
        "Müller",
        "the",
        "Dr.",
        "ends.",
        "ends!",
        "a@b.com",
        "12",
        "(see",
        "x)",
        "\n",
        "“Oh?”",
        "。",
        "4111 1111 1111 1111",
        "[PERSON]",
        "\"",
        "{",
        "}",
        ":",
        "\\",
    ]);
    let long = (
        1_usize..3000,
        prop::sample::select(vec!["ab ", "é", "sk-x"]),
    )
        .prop_map(|(count, of)| of.repeat(count / of.len()));
    let item = prop_oneof![20 => word.prop_map(str::to_owned), 1 => long];
    prop::collection::vec(item, 0..20).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Goal: what is asked and what goes on depend on the text alone, and no name gets through.
    #[test]
    fn cutting_changes_neither_pieces_nor_output(prose in prose(), chars in 1_usize..40) {
        for kind in [TextKind::Plain, TextKind::Json] {
            let whole = text(kind, &prose, usize::MAX);
            prop_assert_eq!(&text(kind, &prose, chars), &whole);
            for name in NAMES {
                prop_assert!(!whole.1.contains(name), "{}", whole.1);
            }
        }
    }
}
