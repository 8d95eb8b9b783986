//! What the fuzz targets call, and the replay of their corpus as an ordinary test.
//!
//! Each function takes any bytes, must not panic, and asserts the promise that its reader makes.
//! The targets in `fuzz/` are one line each; what the fuzzer finds goes into `fuzz/corpus/` and is
//! replayed here from then on.

use bytes::Bytes;
use postern_inspect::{Dialect, ResponseOptions, ResponseReader, Target, locate};
use postern_types::{ApiToken, AuditRecord, CanonicalPath, Grant, Operation, RecordHeader};

/// Operations with a body that is read: dialect, method, path.
const REQUESTS: &[(Dialect, &str)] = &[
    (Dialect::OpenAi, "/v1/chat/completions"),
    (Dialect::OpenAi, "/v1/responses"),
    (Dialect::OpenAi, "/v1/embeddings"),
    (Dialect::OpenAi, "/v1/moderations"),
    (Dialect::Anthropic, "/v1/messages"),
    (Dialect::Anthropic, "/v1/messages/count_tokens"),
    (
        Dialect::Gemini,
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    (
        Dialect::Gemini,
        "/v1beta/models/gemini-2.5-flash:countTokens",
    ),
];

/// Answers that are read while they pass: dialect, operation, content type.
const ANSWERS: &[(Dialect, Operation, &str)] = &[
    (
        Dialect::OpenAi,
        Operation::ChatCompletions,
        "text/event-stream",
    ),
    (
        Dialect::OpenAi,
        Operation::ChatCompletions,
        "application/json",
    ),
    (Dialect::OpenAi, Operation::Responses, "text/event-stream"),
    (Dialect::Anthropic, Operation::Messages, "text/event-stream"),
    (
        Dialect::Gemini,
        Operation::StreamGenerateContent,
        "text/event-stream",
    ),
    (
        Dialect::Gemini,
        Operation::StreamGenerateContent,
        "application/json",
    ),
];

/// A token that parses is written as it was read.
pub(crate) fn token_parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(token) = ApiToken::parse(text) {
        assert_eq!(token.expose(), text);
    }
}

/// A canonical path is canonical: reading it again changes nothing.
pub(crate) fn path_parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(path) = CanonicalPath::parse(text) {
        let again = CanonicalPath::parse(&path.encoded());
        assert_eq!(again.expect("what we write we read"), path);
    }
}

/// A grant on the command line is read or refused.
pub(crate) fn grant_parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _read_or_refused = Grant::parse(text);
}

/// A request body that is accepted passes unchanged. The first byte chooses the operation.
pub(crate) fn request_body(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let (dialect, path) = REQUESTS[usize::from(*choice) % REQUESTS.len()];
    let path = CanonicalPath::parse(path).expect("the paths above are canonical");
    let target = Target {
        method: "POST",
        path: &path,
        query: &[],
        content_type: Some("application/json"),
        content_encoding: None,
    };
    let located = locate(dialect, &target).expect("the operations above are on the list");
    if let Ok(facts) = located.read(body) {
        let body = Bytes::copy_from_slice(body);
        assert_eq!(facts.outbound(body.clone(), false).pieces.concat(), body);
    }
}

/// An answer passes unchanged, and means the same, wherever it is cut. The first byte chooses the
/// answer, the second the size of the pieces.
pub(crate) fn response_stream(data: &[u8]) {
    let [choice, cut, body @ ..] = data else {
        return;
    };
    let (dialect, operation, content_type) = ANSWERS[usize::from(*choice) % ANSWERS.len()];
    let options = ResponseOptions {
        operation,
        dialect,
        stream_asked: content_type == "text/event-stream",
        strip_usage: false,
        keeps_answer: true,
        content_type,
        content_encoding: None,
        status: 200,
    };
    let read = |piece_bytes: usize| {
        let mut reader = ResponseReader::new(&options);
        let mut out = Vec::new();
        for piece in body.chunks(piece_bytes) {
            let pushed = reader.push(Bytes::copy_from_slice(piece), &mut out);
            pushed.expect("nothing has to be decoded");
        }
        reader.finish(&mut out).expect("nothing has to be decoded");
        assert_eq!(out.concat(), body);
        reader.report()
    };
    assert_eq!(read(usize::from(*cut) + 1), read(body.len().max(1)));
}

/// The parts of an audit entry are decoded or refused.
pub(crate) fn record_decode(data: &[u8]) {
    let _decoded_or_refused = AuditRecord::decode(data);
    let _decoded_or_refused = RecordHeader::decode(data);
}

/// A segment of the audit log is checked or refused.
pub(crate) fn audit_segment(data: &[u8]) {
    let _checked_or_refused = postern_audit::check_segment(data);
}

#[cfg(test)]
mod replay {
    use std::path::{Path, PathBuf};

    /// A target as its corpus folder is named.
    type Named = (&'static str, fn(&[u8]));

    const TARGETS: &[Named] = &[
        ("audit_segment", super::audit_segment),
        ("grant_parse", super::grant_parse),
        ("path_parse", super::path_parse),
        ("record_decode", super::record_decode),
        ("request_body", super::request_body),
        ("response_stream", super::response_stream),
        ("token_parse", super::token_parse),
    ];

    /// Goal: what a fuzzer once found stays mended, and every target has a corpus and a file.
    /// Method: call each target with each file of its folder, and with its prefixes.
    #[test]
    fn the_fuzz_corpus_is_replayed() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        for (name, target) in TARGETS {
            assert!(
                fuzz.join(format!("fuzz_targets/{name}.rs")).exists(),
                "no target {name}"
            );
            let files = corpus(&fuzz.join("corpus").join(name));
            assert!(!files.is_empty(), "no corpus for {name}");
            for file in files {
                let data = std::fs::read(&file).expect("a corpus file can be read");
                for end in (0..data.len()).step_by(7).chain([data.len()]) {
                    target(&data[..end]);
                }
            }
        }
    }

    fn corpus(folder: &Path) -> Vec<PathBuf> {
        let entries = folder.read_dir().into_iter().flatten();
        entries
            .map(|entry| entry.expect("a folder entry can be read").path())
            .collect()
    }
}
