//! What the fuzz targets call: each takes arbitrary bytes and holds the crate to a promise. The
//! targets themselves are one line each; ordinary tests call the same functions.

mod cuts;
mod dialects;
mod plain;
mod seen;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use postern_types::{CanonicalPath, DataRule, Direction, Operation, RuleName};

use crate::clean::{Channel, TextKind};
use crate::{CleanError, Cleaner, MaskKeys, RuleSet};
use crate::{Dialect, ModelsFilter, RefusalText, ResponseOptions, ResponseReader, Target, locate};

use seen::Seen;

pub use cuts::{Cuts, cut_in_two};
pub use dialects::{clean_answer, clean_request};
pub use plain::plain_body;

/// Reads bytes as server-sent events: cutting them anywhere must not change what goes on or what
/// is learnt.
///
/// # Panics
/// When the promise is broken.
pub fn sse_decode(bytes: &[u8]) {
    for (dialect, operation) in [
        (Dialect::OpenAi, Operation::ChatCompletions),
        (Dialect::Anthropic, Operation::Messages),
    ] {
        for strip_usage in [false, true] {
            let options = options(dialect, operation, "text/event-stream", strip_usage);
            let whole = carry(&options, bytes, usize::MAX);
            for cut in [1, 3, 64] {
                assert!(
                    carry(&options, bytes, cut) == whole,
                    "a cut changed the events"
                );
            }
        }
    }
}

/// Reads bytes as a request body of each kind: what is taken must be JSON to an independent
/// reader, with the same model in it, and go on unchanged.
///
/// # Panics
/// When the promise is broken.
pub fn json_body(bytes: &[u8]) {
    for (dialect, path) in [
        (Dialect::OpenAi, "/v1/chat/completions"),
        (Dialect::OpenAi, "/v1/responses"),
        (Dialect::OpenAi, "/v1/embeddings"),
        (Dialect::Anthropic, "/v1/messages"),
        (Dialect::Gemini, "/v1beta/models/m:generateContent"),
    ] {
        let Ok(path) = CanonicalPath::parse(path) else {
            return;
        };
        let target = Target::posted(&path);
        let Ok(facts) = locate(dialect, &target).and_then(|located| located.read(bytes)) else {
            continue;
        };
        let out = facts.outbound(Bytes::copy_from_slice(bytes), false);
        assert!(out.pieces.concat() == bytes, "the body was changed");
        let spliced = facts
            .outbound(Bytes::copy_from_slice(bytes), true)
            .pieces
            .concat();
        for body in [bytes, &spliced] {
            // Numbers and surrogates that no reader is asked about are not interpreted.
            let read = serde_json::from_slice::<Seen<'_>>(body);
            let model = read.expect("what is taken is JSON").model;
            let named = facts.ai.model.as_deref();
            if dialect != Dialect::Gemini {
                assert!(
                    model.as_deref() == named,
                    "another reader sees another model"
                );
            }
        }
    }
}

/// Reads bytes as an answer in every framing and encoding: without editing the bytes go on as they
/// are, cutting changes nothing, and ending it with an error is possible at every point.
///
/// # Panics
/// When the promise is broken.
pub fn response_observe(bytes: &[u8]) {
    let refusal = RefusalText {
        status: 401,
        code: "revoked",
        message: "ended",
        request_id: "0",
    };
    for (dialect, operation) in [
        (Dialect::OpenAi, Operation::ChatCompletions),
        (Dialect::AzureOpenAi, Operation::Responses),
        (Dialect::Anthropic, Operation::Messages),
        (Dialect::Gemini, Operation::StreamGenerateContent),
    ] {
        for content_type in ["", "application/json", "text/event-stream"] {
            for content_encoding in [None, Some("gzip"), Some("deflate"), Some("br")] {
                let mut options = options(dialect, operation, content_type, false);
                options.content_encoding = content_encoding;
                let (out, report) = carry(&options, bytes, usize::MAX);
                assert!(out == bytes, "bytes were changed");
                assert!(
                    carry(&options, bytes, 5) == (out, report),
                    "a cut changed the reading"
                );
                options.strip_usage = true;
                let mut reader = ResponseReader::new(&options, None);
                let mut given = Vec::new();
                // What cannot be decoded for editing is an error, never a panic.
                let _ = reader.push(Bytes::copy_from_slice(bytes), &mut given);
                let _ = reader.error_ending(&refusal);
                let _ = reader.finish(&mut given);
            }
        }
    }
    if let Ok(mut filter) = ModelsFilter::new(None)
        && filter.push(bytes).is_ok()
    {
        // A list in which everything may be seen is given back as it is, or not at all.
        if let Ok(list) = filter.finish(&mut |_| true) {
            assert!(list == bytes, "a list was changed");
        }
    }
}

/// Cleans bytes as text and as JSON text: the same goes on wherever they are cut, with the
/// same findings.
///
/// # Panics
/// When the promise is broken.
pub fn mask_stream(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for kind in [TextKind::Plain, TextKind::Json] {
        let whole = mask(kind, text, usize::MAX);
        for cut in [1, 3, 64] {
            assert!(mask(kind, text, cut) == whole, "a cut changed the text");
        }
    }
}

/// What goes on of a text in pieces of so many characters, with what was found.
fn mask(
    kind: TextKind,
    text: &str,
    cut: usize,
) -> Result<(String, Vec<postern_types::Finding>), CleanError> {
    static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
        let spec = serde_json::json!({
            "directions": ["request"],
            "classes": ["all"],
            "action": "mask",
            "custom": [{ "class": "custom:own", "words": ["the end"], "pattern": "[ab]{2,5} c" }],
        });
        let rule = DataRule {
            name: RuleName::parse("fuzz").expect("the name is valid"),
            spec: serde_json::from_value(spec).expect("the rule is valid"),
        };
        Arc::new(RuleSet::compile(&[rule]).expect("the rule compiles"))
    });
    let keys = MaskKeys::new(&[1; 32], "environment", "token", "request");
    let mut cleaner = Cleaner::new(Arc::clone(&RULES), Direction::Request, &[], keys);
    let mut channel = Channel::new(kind, "place", "");
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let length: usize = rest.chars().take(cut).map(char::len_utf8).sum();
        let (piece, more) = rest.split_at(length);
        channel.push(piece, &mut cleaner, &mut out)?;
        rest = more;
    }
    channel.finish(&mut cleaner, &mut out)?;
    assert!(!channel.holds(), "text is held after its end");
    // Of text that breaks off as JSON, the two readings may find in either order.
    let mut findings = cleaner.findings();
    findings.sort_by_cached_key(|finding| format!("{finding:?}"));
    Ok((out, findings))
}

fn options(
    dialect: Dialect,
    operation: Operation,
    content_type: &str,
    strip_usage: bool,
) -> ResponseOptions<'_> {
    ResponseOptions {
        operation,
        dialect,
        stream_asked: true,
        strip_usage,
        keeps_answer: true,
        choices: None,
        content_type,
        content_encoding: None,
        status: 200,
    }
}

fn carry(
    options: &ResponseOptions<'_>,
    bytes: &[u8],
    cut: usize,
) -> (Vec<u8>, crate::ResponseReport) {
    let mut reader = ResponseReader::new(options, None);
    let mut out = Vec::new();
    for piece in bytes.chunks(cut) {
        let pushed = reader.push(Bytes::copy_from_slice(piece), &mut out);
        assert!(pushed.is_ok(), "bytes that pass as they are never fail");
    }
    assert!(reader.finish(&mut out).is_ok(), "ending never fails");
    (out.concat(), reader.report())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes near to what is read: tokens of JSON and of events, in any order.
    fn near() -> impl Strategy<Value = Vec<u8>> {
        let token = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u0065",
            "\\ud83d",
            "data: ",
            "data:",
            "\n",
            "\r\n",
            "\r",
            "\n\n",
            "event: error",
            "[DONE]",
            "null",
            "true",
            "1",
            "-0.5e3",
            " ",
            "\"model\"",
            "\"model\":\"m\"",
            "\"stream\":true",
            "\"stream_options\":",
            "\"usage\":",
            "\"usage\":null",
            "\"choices\":[]",
            "\"include_usage\":false",
            "\"id\":\"x\"",
            "\"type\":\"message_stop\"",
            "{\"prompt_tokens\":3}",
            "\"usage\":{\"total_tokens\":18446744073709551615,\"completion_tokens\":\
             18446744073709551615,\"output_tokens_details\":{\"reasoning_tokens\":9}}",
            "\"usageMetadata\":{\"promptTokenCount\":1,\"thoughtsTokenCount\":\
             18446744073709551615}",
            "\"response\":",
            "\u{e9}",
            "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"jane.doe@example.com\"",
            "},\"finish_reason\":\"stop\"}]}",
            "}}]}\n\n",
            "{\"model\":\"m\",\"messages\":[{\"content\":\"",
            "4539578763621486",
            "jane@example.org",
            "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\
             \"text\":\"",
            "\"}}",
            "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
            "\"}]}}]}",
        ]);
        let piece = prop_oneof![
            9 => token.prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    /// Text near to what is found, in JSON and out of it.
    fn near_values() -> impl Strategy<Value = Vec<u8>> {
        let token = prop::sample::select(vec![
            "4111 1111 1111 1111",
            "4111",
            " ",
            "\n",
            "a@b.com",
            "@",
            "password=",
            "hunter2!x",
            "-----BEGIN PRIVATE KEY-----\n",
            "MIIEpAIBAAKCAQEA",
            "-----END PRIVATE KEY-----",
            "{\"",
            "\":",
            "\"",
            "[",
            "]",
            "}",
            ",",
            "\\",
            "\\u0040",
            "\\ud83d",
            "\u{e9}",
            "the end",
            "ab",
            "aabb c",
            "12 March",
            " 1980",
            "GB29 NWBK 6016",
            "\u{1f600}",
            "[EMAIL]",
        ]);
        prop::collection::vec(token, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn text_is_cleaned_alike_wherever_it_is_cut(bytes in near_values()) {
            mask_stream(&bytes);
        }
    }

    #[test]
    fn text_that_breaks_off_as_json_is_cleaned_alike() {
        mask_stream(
            concat!(
                r#"[\u00404111 1111 1111 1111MIIEpAIBAAKCAQEA":"#,
                "\n",
                r#"{"aba@b.com\u0040"hunter2!xaabb c}password=":"#,
            )
            .as_bytes(),
        );
        mask_stream(
            concat!(
                r"[\u0040411 1111 1111 1111password= a@b.com",
                "-----BEGIN PRIVATE KEY-----\naabb c",
            )
            .as_bytes(),
        );
    }

    proptest! {
        #[test]
        fn the_promises_hold_on_strange_bytes(bytes in near()) {
            sse_decode(&bytes);
            json_body(&bytes);
            response_observe(&bytes);
        }

        #[test]
        fn the_promises_hold_on_arbitrary_bytes(
            bytes in prop::collection::vec(any::<u8>(), 0..400)
        ) {
            sse_decode(&bytes);
            json_body(&bytes);
            response_observe(&bytes);
            plain_body(&bytes);
        }
    }

    proptest! {
        // Each of these reads its bytes some fifty times.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_promises_of_cleaning_hold_on_strange_bytes(bytes in near()) {
            clean_answer(&bytes);
            clean_request(&bytes);
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_read_alike_wherever_it_is_cut() {
        // Goal: how much a decoder gave before it failed makes no difference. Method: bytes that
        // are deflate for some bytes and then are not.
        response_observe(&[82, 176, 64, 57, 0, 96, 140, 0]);
    }

    #[test]
    fn the_promises_hold_on_bodies_that_are_read() {
        // Goal: the differential check is not passed by refusing everything.
        for body in [
            r#"{"model":"m","stream":true,"messages":[]}"#,
            r#"{ "stream_options" : { "include_usage":false }, "stream":true, "model":"m\/n" }"#,
            r#"{"model":"m","max_tokens":1,"x":{"model":"n","model":1e999}}"#,
        ] {
            json_body(body.as_bytes());
            clean_request(body.as_bytes());
        }
    }
}
