//! Cleaning requests and answers of arbitrary bytes.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use postern_types::{
    CanonicalPath, ClassSelector, DataAction, DataRule, DataRuleSpec, Direction, OpaqueAction,
    Operation, RuleName, ThinkingAction,
};

use crate::json::Tree;
use crate::{Cleaner, Dialect, MaskKeys, ResponseOptions, ResponseReader, RuleSet, Target, locate};

/// A rule that masks every class.
static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let rule = DataRule {
        name: RuleName::parse("fuzz").expect("the name is valid"),
        spec: DataRuleSpec {
            upstream: None,
            directions: vec![Direction::Request, Direction::Response],
            classes: vec![ClassSelector::All],
            action: DataAction::Mask,
            dry_run: false,
            confidence_min: 50,
            custom: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            opaque: OpaqueAction::Allow,
            thinking: ThinkingAction::Drop,
            tell_client: false,
        },
    };
    Arc::new(RuleSet::compile(&[rule]).expect("the rule has no patterns of its own"))
});

fn cleaner(direction: Direction) -> Cleaner {
    let keys = MaskKeys::new(&[7; 32], "fuzz", "token", "request");
    Cleaner::new(Arc::clone(&RULES), direction, &[], keys)
}

/// Reads bytes as an answer of each dialect, in each framing, under a rule: cutting them anywhere
/// changes neither what goes on nor whether it ends, and what goes on whole is JSON again.
///
/// # Panics
/// When the promise is broken.
pub fn clean_answer(bytes: &[u8]) {
    for (dialect, operation) in [
        (Dialect::OpenAi, Operation::ChatCompletions),
        (Dialect::OpenAi, Operation::Responses),
        (Dialect::Anthropic, Operation::Messages),
        (Dialect::Gemini, Operation::StreamGenerateContent),
    ] {
        for content_type in ["", "application/json", "text/event-stream"] {
            let options = super::options(dialect, operation, content_type, false);
            let whole = carry(&options, bytes, usize::MAX);
            for cut in [1, 5] {
                assert!(
                    carry(&options, bytes, cut) == whole,
                    "a cut changed the answer"
                );
            }
            if content_type == "application/json" && whole.1 && !whole.0.is_empty() {
                let read = Tree::read(&whole.0);
                assert!(read.is_ok() || operation == Operation::StreamGenerateContent);
            }
        }
    }
}

/// What goes on, and whether the answer came to its end.
fn carry(options: &ResponseOptions<'_>, bytes: &[u8], cut: usize) -> (Vec<u8>, bool) {
    let mut reader = ResponseReader::new(options, Some(cleaner(Direction::Response)));
    let mut out = Vec::new();
    for piece in bytes.chunks(cut) {
        if reader
            .push(Bytes::copy_from_slice(piece), &mut out)
            .is_err()
        {
            return (out.concat(), false);
        }
    }
    let ended = reader.finish(&mut out).is_ok();
    (out.concat(), ended)
}

/// Reads bytes as a request of each kind under a rule: what goes on can be read again, names the
/// same model, and cleaning it once more changes nothing.
///
/// # Panics
/// When the promise is broken.
pub fn clean_request(bytes: &[u8]) {
    for (dialect, path) in [
        (Dialect::OpenAi, "/v1/chat/completions"),
        (Dialect::OpenAi, "/v1/responses"),
        (Dialect::OpenAi, "/v1/embeddings"),
        (Dialect::OpenAi, "/v1/moderations"),
        (Dialect::Anthropic, "/v1/messages"),
        (Dialect::Gemini, "/v1beta/models/m:generateContent"),
    ] {
        let Ok(path) = CanonicalPath::parse(path) else {
            return;
        };
        let target = Target::posted(&path);
        let read = |body: &[u8]| locate(dialect, &target).and_then(|located| located.read(body));
        let Ok(facts) = read(bytes) else {
            continue;
        };
        for splice in [false, true] {
            let body = Bytes::copy_from_slice(bytes);
            let cleaned = facts.clean_outbound(body, splice, &mut cleaner(Direction::Request));
            let Ok(out) = cleaned else {
                continue;
            };
            let out = Bytes::from(out.pieces.concat());
            let again = read(&out).expect("what goes on can be read");
            assert!(again.ai.model == facts.ai.model, "the model was changed");
            let twice = again.clean_outbound(out.clone(), false, &mut cleaner(Direction::Request));
            let twice = twice.expect("what went on once goes on again");
            assert!(twice.pieces.concat() == out, "cleaning twice changed more");
        }
    }
}
