//! The promise of plain bodies under a data rule.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use postern_types::{DataRule, Direction, RuleName};

use crate::{BodyCleaner, BodyKind, Cleaner, MaskKeys, RuleSet};

/// Reads bytes as a body of plain HTTP under a data rule; the first byte chooses the type. Cutting
/// the rest anywhere must not change what goes on, nor whether it does.
///
/// # Panics
/// When the promise is broken.
pub fn plain_body(bytes: &[u8]) {
    const TYPES: [&str; 8] = [
        "text/plain",
        "application/json",
        "application/x-ndjson",
        "text/html",
        "text/event-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/json-seq",
    ];
    const TABLES: [&str; 2] = ["text/csv", "text/tab-separated-values"];
    const CODINGS: [Option<&str>; 5] = [
        None,
        Some("gzip"),
        Some("deflate"),
        Some("br"),
        Some("zstd"),
    ];
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let content_type = match first / 40 {
        1 => TABLES[usize::from(first % 2)],
        _ => TYPES[usize::from(first % 8)],
    };
    let kind = BodyKind {
        content_type: Some(content_type),
        content_encoding: CODINGS[usize::from(first / 8 % 5)],
    };
    let whole = clean(&kind, body, usize::MAX);
    for cut in [1, 3, 64] {
        assert!(clean(&kind, body, cut) == whole, "a cut changed the body");
    }
}

/// What goes on of a body under a rule that masks everything; `None` if it is refused.
fn clean(kind: &BodyKind<'_>, body: &[u8], cut: usize) -> Option<Vec<u8>> {
    static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
        let spec = r#"{"directions":["request"],"classes":["all"],"action":"mask"}"#;
        let rule = DataRule {
            name: RuleName::parse("all").expect("a plain word is a name"),
            spec: serde_json::from_str(spec).expect("the text above is a rule"),
        };
        let rules = RuleSet::compile(&[rule]);
        Arc::new(rules.expect("a rule of built-in classes compiles"))
    });
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let cleaner = Cleaner::new(Arc::clone(&RULES), Direction::Request, &[], keys);
    let (mut cleaner, mut out) = (BodyCleaner::new(kind, cleaner), Vec::new());
    for piece in body.chunks(cut) {
        cleaner.push(Bytes::copy_from_slice(piece), &mut out).ok()?;
    }
    cleaner.finish(&mut out).ok()?;
    Some(out.concat())
}
