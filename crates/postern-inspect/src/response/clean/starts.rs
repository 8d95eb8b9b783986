//! Texts that began in the event that told of their item, part or block.
//!
//! Such a text goes on with its event, whole, as most servers mean it: they begin with nothing, or
//! say all. A client puts what pieces say behind it, and a value between the two would get through
//! in halves; so a piece of a text that may be such a one ends the answer. The text of a block of
//! Anthropic's is a piece itself, and is followed.

use postern_types::Operation;

use crate::Dialect;
use crate::bounds::CHANNELS_MAX;
use crate::clean::CleanError;
use crate::json::{Kind, NodeId, Tree};

use super::ends::is_same;
use super::items::Said;
use super::wholes::elements;

/// The members that tell the texts of an item from each other.
const WITHIN: [&str; 3] = ["content_index", "summary_index", "command_index"];

/// Members in which no text begins that pieces carry on: words of the format, what is put beside a
/// text, who made it, and where a tool works.
const NO_BEGINNING: [&str; 25] = [
    "type",
    "role",
    "status",
    "phase",
    "name",
    "namespace",
    "detail",
    "server_label",
    "server_name",
    "tool_name",
    "caller",
    "agent",
    "agent_reference",
    "created_by",
    "metadata",
    "annotation",
    "annotations",
    "citations",
    "cache_control",
    "encrypted_content",
    "fingerprint",
    "signature",
    "obfuscation",
    "logprobs",
    "path",
];

/// Where a text began.
#[derive(Debug, Clone)]
enum Start {
    /// In an item of a response, or in what the numbers tell within it; empty where none is said.
    Item(Said, [Vec<u8>; 3]),
    /// In the block of this number.
    Block(Vec<u8>),
    /// In one of the first blocks of a message, so many.
    Blocks(usize),
}

/// The texts of one answer that began so.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts {
    begun: Vec<Start>,
}

/// SECURITY: the pieces behind it are cleaned as a text of their own.
pub(super) const GOES_ON: CleanError =
    CleanError::CannotInspect("a text goes on that an event of another kind began");

impl Starts {
    /// Reads an event, and says whether pieces in it may go on with a text that began before.
    ///
    /// # Errors
    /// `CannotInspect` when too many texts have begun so.
    pub(super) fn go_on(
        &mut self,
        dialect: Dialect,
        operation: Operation,
        tree: &Tree<'_>,
    ) -> Result<bool, CleanError> {
        let goes_on = !self.begun.is_empty() && {
            let next = Next::of(tree);
            self.begun.iter().any(|start| start.goes_on(&next))
        };
        let begun = match (dialect, operation) {
            (Dialect::Anthropic, _) => block(tree),
            (Dialect::OpenAi | Dialect::AzureOpenAi, Operation::Responses) => items(tree),
            _ => Vec::new(),
        };
        if self.begun.len() + begun.len() > CHANNELS_MAX {
            return Err(CleanError::CannotInspect("too many texts in one answer"));
        }
        self.begun.extend(begun);
        Ok(goes_on)
    }
}

/// What an event says of the text that its pieces are of.
struct Next {
    item: Said,
    within: [Vec<u8>; 3],
    block: Vec<u8>,
}

impl Next {
    fn of(tree: &Tree<'_>) -> Self {
        Self {
            item: Said::of(tree, Tree::ROOT),
            within: within(tree),
            block: tree.said(Tree::ROOT, "index").unwrap_or_default(),
        }
    }
}

impl Start {
    fn goes_on(&self, next: &Next) -> bool {
        match self {
            Self::Item(said, begun) => {
                let mut both = begun.iter().zip(&next.within);
                !said.is_apart(&next.item) && both.all(|(one, other)| !are_apart(one, other))
            }
            Self::Block(begun) => is_same(begun, &next.block),
            Self::Blocks(count) => (0..*count).any(|at| is_same(&digits(at), &next.block)),
        }
    }
}

/// The items, or parts of them, in which the event begins a text.
fn items(tree: &Tree<'_>) -> Vec<Start> {
    let kind = tree.said(Tree::ROOT, "type").unwrap_or_default();
    if kind.ends_with(b".added") {
        let says = says_text(tree, Tree::ROOT);
        let start = || Start::Item(Said::of(tree, Tree::ROOT), within(tree));
        return says.then(start).into_iter().collect();
    }
    let begins = [
        &b"response.created"[..],
        b"response.queued",
        b"response.in_progress",
    ];
    let response = tree.member(Tree::ROOT, "response");
    let response = response.filter(|_| begins.contains(&kind.as_slice()));
    let output = response
        .into_iter()
        .flat_map(|response| elements(tree, response, "output"));
    let starts = output.enumerate().map(|(at, item)| {
        let id = tree.said(item, "id").unwrap_or_default();
        let place = digits(at);
        (item, Start::Item(Said { place, id }, Default::default()))
    });
    let begun = starts.filter(|(item, _)| says_text(tree, *item));
    begun.map(|(_, start)| start).collect()
}

/// The blocks in which the event begins a text that pieces of another name carry on.
fn block(tree: &Tree<'_>) -> Vec<Start> {
    let kind = tree.said(Tree::ROOT, "type").unwrap_or_default();
    let start = match kind.as_slice() {
        b"content_block_start" => tree.member(Tree::ROOT, "content_block").and_then(|block| {
            let kind = tree.said(block, "type").unwrap_or_default();
            let is_followed = matches!(kind.as_slice(), b"text" | b"thinking");
            let begins = !is_followed && says_text(tree, block);
            begins.then(|| Start::Block(tree.said(Tree::ROOT, "index").unwrap_or_default()))
        }),
        b"message_start" => tree.member(Tree::ROOT, "message").and_then(|message| {
            let content = tree.member(message, "content")?;
            let count = elements(tree, message, "content").count().max(1);
            says_text(tree, content).then_some(Start::Blocks(count))
        }),
        _ => None,
    };
    start.into_iter().collect()
}

fn within(tree: &Tree<'_>) -> [Vec<u8>; 3] {
    WITHIN.map(|name| tree.said(Tree::ROOT, name).unwrap_or_default())
}

/// Whether both are said, and differ.
fn are_apart(one: &[u8], other: &[u8]) -> bool {
    !one.is_empty() && !other.is_empty() && !is_same(one, other)
}

fn digits(at: usize) -> Vec<u8> {
    at.to_string().into_bytes()
}

/// Whether there is a string with something in it that may be the beginning of a text.
fn says_text(tree: &Tree<'_>, id: NodeId) -> bool {
    match tree.node(id).kind {
        Kind::Text => !tree.text(id).is_empty(),
        Kind::Array => tree.children(id).any(|child| says_text(tree, child)),
        Kind::Object => tree.children(id).any(|child| {
            let key = tree.key(child);
            let is_word = NO_BEGINNING.contains(&&*key) || key == "id" || key.ends_with("_id");
            !is_word && says_text(tree, child)
        }),
        Kind::Number | Kind::Word => false,
    }
}
