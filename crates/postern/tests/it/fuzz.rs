//! What the fuzz targets call, and the replay of their corpus as an ordinary test.
//!
//! Each function takes any bytes, must not panic, and asserts the promise that its reader makes.
//! The targets in `fuzz/` are one line each; what the fuzzer finds goes into `fuzz/corpus/` and is
//! replayed here from then on.

pub(crate) use postern_inspect::fuzz::{
    clean_answer, clean_request, json_body, mask_stream, plain_body, response_observe, sse_decode,
};
use postern_types::{ApiToken, AuditRecord, CanonicalPath, Grant, RecordHeader};

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
        let again = CanonicalPath::parse(path.encoded());
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
        ("clean_answer", super::clean_answer),
        ("clean_request", super::clean_request),
        ("grant_parse", super::grant_parse),
        ("json_body", super::json_body),
        ("mask_stream", super::mask_stream),
        ("path_parse", super::path_parse),
        ("plain_body", super::plain_body),
        ("record_decode", super::record_decode),
        ("response_observe", super::response_observe),
        ("sse_decode", super::sse_decode),
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
