use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use postern_types::{Operation, OwnedKind, RefusalCode, UsageSource};

use super::*;
use crate::RefusalText;
use crate::bounds::{CREATED_MAX, EVENT_HELD_BYTES_MAX};

const REFUSAL: RefusalText<'static> = RefusalText {
    status: 401,
    code: "revoked",
    message: "The token was revoked.",
    request_id: "req-1",
};

fn options(dialect: Dialect, operation: Operation) -> ResponseOptions<'static> {
    ResponseOptions {
        operation,
        dialect,
        stream_asked: true,
        strip_usage: false,
        keeps_answer: true,
        choices: None,
        content_type: "text/event-stream; charset=utf-8",
        content_encoding: None,
        status: 200,
    }
}

fn chat(strip_usage: bool) -> ResponseOptions<'static> {
    ResponseOptions {
        strip_usage,
        ..options(Dialect::OpenAi, Operation::ChatCompletions)
    }
}

fn push(reader: &mut ResponseReader, bytes: &[u8]) -> Result<Vec<u8>, InspectError> {
    let mut out = Vec::new();
    reader.push(Bytes::copy_from_slice(bytes), &mut out)?;
    Ok(out.concat())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const WITH: &str = concat!(
    "data: {\"model\":\"gpt-4o-mini-2024\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}],",
    "\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n",
    "data: [DONE]\n\n",
);
const WITHOUT: &str = concat!(
    "data: {\"model\":\"gpt-4o-mini-2024\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n",
    "data: [DONE]\n\n",
);

#[test]
fn usage_is_marked_until_the_answer_ends() {
    let mut reader = ResponseReader::new(&chat(false), None);
    let cut = WITH.find("data: [DONE]").unwrap();
    push(&mut reader, &WITH.as_bytes()[..cut]).unwrap();
    assert_eq!(
        reader.report().usage.unwrap().source,
        UsageSource::Interrupted
    );
    push(&mut reader, &WITH.as_bytes()[cut..]).unwrap();
    let report = reader.report();
    let usage = report.usage.unwrap();
    assert_eq!((usage.input_uncached, usage.output_text), (9, 2));
    assert_eq!((usage.source, report.ended), (UsageSource::Provider, true));
    assert_eq!(report.response_model.as_deref(), Some("gpt-4o-mini-2024"));
}

#[test]
fn cumulative_reports_are_not_added() {
    // Goal: Anthropic's message_delta may come more than once, with running totals and without
    // what stays; the placeholder of message_start is overwritten.
    let stream = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",",
        "\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":4,",
        "\"cache_creation_input_tokens\":6,\"cache_creation\":{\"ephemeral_5m_input_tokens\":4,",
        "\"ephemeral_1h_input_tokens\":2},\"output_tokens\":1}}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":20}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":12,",
        "\"output_tokens\":50,\"server_tool_use\":{\"web_search_requests\":2}}}\n\n",
    );
    let mut reader = ResponseReader::new(&options(Dialect::Anthropic, Operation::Messages), None);
    push(&mut reader, stream.as_bytes()).unwrap();
    let usage = reader.report().usage.unwrap();
    assert_eq!((usage.input_uncached, usage.cache_read), (12, 4));
    assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (4, 2));
    assert_eq!((usage.output_text, usage.tool_calls_billed), (50, 2));
    assert_eq!(usage.source, UsageSource::Interrupted);
    push(
        &mut reader,
        b"event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n",
    )
    .unwrap();
    let report = reader.report();
    assert!(report.ended && report.failed);
    assert_eq!(
        report.usage.unwrap().source,
        UsageSource::Interrupted,
        "an error cut it off"
    );
}

#[test]
fn ids_are_known_before_their_last_byte_is_out() {
    // Goal: whoever receives an id finds it recorded. Method: byte by byte; the id must be told
    // by the push that gives its closing quote.
    let stream = concat!(
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,",
        "\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5\",\"usage\":null}}\n\n",
        "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",",
        "\"item\":{\"id\":\"rs_1\",\"type\":\"reasoning\"}}\n\n",
        "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",",
        "\"item\":{\"id\":\"msg_1\",\"type\":\"message\"}}\n\n",
    );
    for keeps_answer in [true, false] {
        let given = ResponseOptions {
            keeps_answer,
            ..options(Dialect::OpenAi, Operation::Responses)
        };
        let mut reader = ResponseReader::new(&given, None);
        let (mut out, mut told) = (String::new(), Vec::new());
        for byte in stream.as_bytes() {
            out.push_str(std::str::from_utf8(&push(&mut reader, &[*byte]).unwrap()).unwrap());
            told.extend(reader.newly_created().iter().cloned());
            let known = told.iter().any(|owned| owned.kind == OwnedKind::Response);
            assert_eq!(known, keeps_answer && out.contains("\"resp_1\""), "{out}");
        }
        assert!(
            told.iter()
                .any(|owned| owned.kind == OwnedKind::Item && owned.id == "rs_1")
        );
        assert!(
            !told.iter().any(|owned| owned.id == "msg_1"),
            "messages are carried whole"
        );
        assert_eq!(reader.report().created, told);
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut reader = ResponseReader::new(&options(Dialect::OpenAi, Operation::Responses), None);
    for number in 0..CREATED_MAX * 2 {
        let event = format!("data: {{\"item\":{{\"id\":\"rs_{number}\",\"type\":\"x\"}}}}\n\n");
        push(&mut reader, event.as_bytes()).unwrap();
    }
    assert_eq!(reader.report().created.len(), CREATED_MAX);
}

#[test]
fn huge_events_pass_and_the_next_is_read() {
    // Goal: an event beyond every bound (an image as base64) goes on as it comes, observed and
    // edited streams alike, and memory does not grow with it.
    let image = "A".repeat(EVENT_HELD_BYTES_MAX * 2);
    let huge = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"image\":\"{image}\"}}}}],\"usage\":null}}\n\n"
    );
    for strip in [false, true] {
        for cut in [1000, 65536, usize::MAX] {
            let mut reader = ResponseReader::new(&chat(strip), None);
            let mut all = Vec::new();
            let input = [huge.as_bytes(), WITH.as_bytes()].concat();
            for piece in input.chunks(cut) {
                all.extend(push(&mut reader, piece).unwrap());
            }
            let rest = if strip { WITHOUT } else { WITH };
            let expected = [huge.as_bytes(), rest.as_bytes()].concat();
            assert!(all == expected, "strip {strip}, cut {cut}");
            assert_eq!(reader.report().usage.unwrap().input_uncached, 9);
        }
    }
}

#[test]
fn frames_with_text_keep_their_figures() {
    // Goal: only the frame that the option added goes: figures beside choices stay, as do odd
    // frames, comments and frames over several lines.
    for frame in [
        "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n",
        "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n",
        "data: {\"usage\":{\"prompt_tokens\":1}}\n\n",
        "data: not json\n\n",
        ": keep-alive\n\n",
        "data: {\"choices\":\ndata: [],\"usage\":null}\n\n",
        "data: {\"error\":{\"message\":\"no\"}}\n\n",
        "data: {\"x\":{\"usage\":null}}\n\n",
        "data: {\"choices\":[]",
    ] {
        let mut reader = ResponseReader::new(&chat(true), None);
        let mut out = push(&mut reader, frame.as_bytes()).unwrap();
        let mut rest = Vec::new();
        reader.finish(&mut rest).unwrap();
        out.extend(rest.concat());
        assert_eq!(String::from_utf8(out).unwrap(), frame);
    }
    let only = "data: {\"usage\":null}\n\n";
    let mut reader = ResponseReader::new(&chat(true), None);
    assert_eq!(push(&mut reader, only.as_bytes()).unwrap(), b"data: {}\n\n");
}

#[test]
fn compressed_answers_are_read_and_pass_as_they_are() {
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(WITH.as_bytes()).unwrap();
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(WITH.as_bytes()).unwrap();
    let halves = WITH.split_at(40);
    let two = [gzip(halves.0.as_bytes()), gzip(halves.1.as_bytes())].concat();
    for (encoding, coded) in [
        ("gzip", gzip(WITH.as_bytes())),
        ("x-gzip", two),
        ("deflate", deflate.finish().unwrap()),
        ("Deflate", raw.finish().unwrap()),
    ] {
        for cut in [1, 7, 4096] {
            for strip in [false, true] {
                let given = ResponseOptions {
                    content_encoding: Some(encoding),
                    ..chat(strip)
                };
                let mut reader = ResponseReader::new(&given, None);
                assert_eq!(reader.decodes_downstream(), strip);
                let mut all = Vec::new();
                for piece in coded.chunks(cut) {
                    all.extend(push(&mut reader, piece).unwrap());
                }
                let expected = if strip { WITHOUT.as_bytes() } else { &coded };
                assert!(all == expected, "{encoding} cut at {cut}, strip {strip}");
                assert_eq!(
                    reader.report().usage.unwrap().input_uncached,
                    9,
                    "{encoding}"
                );
            }
        }
    }
}

#[test]
fn bombs_and_broken_codings_cost_the_usage_only() {
    // Goal: what cannot be decoded within bounds still passes where nothing is edited, and is a
    // protocol error where it has to be decoded.
    let bomb = gzip(&vec![b' '; 32 * 1024 * 1024]);
    for coded in [bomb, b"this is not gzip".to_vec()] {
        let given = ResponseOptions {
            content_encoding: Some("gzip"),
            ..chat(false)
        };
        let mut reader = ResponseReader::new(&given, None);
        assert_eq!(push(&mut reader, &coded).unwrap(), coded);
        assert_eq!(reader.report().usage, None);

        let given = ResponseOptions {
            strip_usage: true,
            ..given
        };
        let mut reader = ResponseReader::new(&given, None);
        let error = push(&mut reader, &coded).unwrap_err();
        assert_eq!(error.refusal_code(), RefusalCode::UpstreamProtocol);
        assert!(push(&mut reader, b"more").is_err());
    }
    let given = ResponseOptions {
        content_encoding: Some("br"),
        ..chat(true)
    };
    let mut reader = ResponseReader::new(&given, None);
    assert!(!reader.decodes_downstream() && !reader.changes_length());
    assert_eq!(push(&mut reader, b"\x8b\x02").unwrap(), b"\x8b\x02");
}

#[test]
fn a_growing_array_is_read_and_closed() {
    let given = ResponseOptions {
        content_type: "application/json",
        ..options(Dialect::Gemini, Operation::StreamGenerateContent)
    };
    let element = "{\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,\
        \"thoughtsTokenCount\":5},\"modelVersion\":\"gemini-2.5\"}";
    // Where the array stands, and whether it can be closed there.
    for (sent, closes) in [
        (String::new(), false),
        ("[".to_owned(), true),
        (format!("[{element}"), true),
        (format!("[{element}\n,\n"), true),
        (format!("[{element},{{\"candidates\""), false),
        (format!("[{element}]"), false),
    ] {
        let mut reader = ResponseReader::new(&given, None);
        push(&mut reader, sent.as_bytes()).unwrap();
        let ending = reader.error_ending(&REFUSAL);
        assert_eq!(ending.is_some(), closes, "{sent}");
        if let Some(ending) = ending {
            let all = [sent.as_bytes(), &ending].concat();
            let all: Vec<serde_json::Value> = serde_json::from_slice(&all).unwrap();
            assert_eq!(all.last().unwrap()["error"]["code"], 401);
        }
        assert_eq!(reader.report().ended, sent.ends_with(']'));
        if sent.len() > 1 {
            let usage = reader.report().usage.unwrap();
            assert_eq!((usage.input_uncached, usage.output_text), (3, 4));
            assert_eq!(
                usage.output_reasoning, 5,
                "thoughts are beside the candidates"
            );
        }
    }
}

#[test]
fn an_error_ends_a_stream_wherever_it_stands() {
    // Goal: after the ending, a reader of events finds a whole error event of the dialect, also
    // when the upstream broke off inside an event. Method: cut a stream at every byte.
    let anthropic = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    for (dialect, operation, stream) in [
        (Dialect::OpenAi, Operation::ChatCompletions, WITHOUT),
        (
            Dialect::OpenAi,
            Operation::Responses,
            "event: a\ndata: {\"sequence_number\":6}\n\n",
        ),
        (Dialect::Anthropic, Operation::Messages, anthropic),
        (
            Dialect::Gemini,
            Operation::StreamGenerateContent,
            "data: {}\r\n\r\n",
        ),
    ] {
        for cut in 0..=stream.len() {
            let mut reader = ResponseReader::new(&options(dialect, operation), None);
            push(&mut reader, &stream.as_bytes()[..cut]).unwrap();
            let ending = String::from_utf8(reader.error_ending(&REFUSAL).unwrap()).unwrap();
            let all = format!("{}{ending}", &stream[..cut]).replace("\r\n", "\n");
            let all = all.replace('\r', "\n");
            let last = all.trim_end().rsplit("\n\n").next().unwrap();
            let data = last
                .lines()
                .find_map(|line| line.strip_prefix("data: "))
                .unwrap();
            let error: serde_json::Value = serde_json::from_str(data).unwrap();
            assert_eq!(error["error"]["message"], "The token was revoked.", "{all}");
            if operation == Operation::Responses && cut == stream.len() {
                assert_eq!(error["sequence_number"], 7);
            }
            if dialect == Dialect::Anthropic && cut > 0 && cut < stream.len() {
                assert!(all.contains("\nevent: ping\n\n"), "{all}");
            }
        }
    }
    let held = "data: {\"choices\":[";
    let mut reader = ResponseReader::new(&chat(true), None);
    assert!(push(&mut reader, held.as_bytes()).unwrap().is_empty());
    assert!(
        reader
            .error_ending(&REFUSAL)
            .unwrap()
            .starts_with(b"data: {\"error\"")
    );

    for given in [
        ResponseOptions {
            content_encoding: Some("gzip"),
            ..chat(false)
        },
        ResponseOptions {
            stream_asked: false,
            ..chat(false)
        },
        ResponseOptions {
            status: 500,
            ..chat(false)
        },
    ] {
        assert_eq!(
            ResponseReader::new(&given, None).error_ending(&REFUSAL),
            None
        );
    }
}

#[test]
fn reasoning_beside_the_output_is_told_by_the_total() {
    let usage = |text: &str| {
        let given = ResponseOptions {
            content_type: "application/json",
            ..chat(false)
        };
        let mut reader = ResponseReader::new(&given, None);
        push(&mut reader, text.as_bytes()).unwrap();
        let usage = reader.report().usage.unwrap();
        (
            usage.input_tokens(),
            usage.output_text,
            usage.output_reasoning,
        )
    };
    let figures = |total: u64| {
        format!(
            "{{\"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":9,\"total_tokens\":{total},\
            \"completion_tokens_details\":{{\"reasoning_tokens\":5}}}}}}"
        )
    };
    assert_eq!(usage(&figures(19)), (10, 4, 5));
    assert_eq!(usage(&figures(24)), (10, 9, 5));
    let zero = "{\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}";
    assert_eq!(usage(zero), (0, 0, 0), "an explicit zero is a report");
}
