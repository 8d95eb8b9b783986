//! Which texts an event ends.

use postern_types::Operation;

use crate::Dialect;
use crate::clean::CleanError;
use crate::json::{Kind, NodeId, Tree};
use crate::text::{GEMINI_TEXT, PARTIAL_NAME};

use super::items::{Items, Said};

/// A group of texts that ends. What is not said of it is true of any.
///
/// SECURITY: an end that leaves out which text it is of ends none but the first, and those of a
/// group only where its kind says that it is of all of them: what is held goes on with its own end.
#[derive(Debug, Default)]
pub(super) struct End {
    name: Option<&'static str>,
    /// What tells texts apart, from the outside in; `None` for all of them.
    ids: Vec<Option<Vec<u8>>>,
    /// Whether more may come all the same: some servers say with each chunk that it is the last.
    pub(super) doubtful: bool,
    /// Whether nothing of it may come any more, unless it is begun anew.
    pub(super) closes: bool,
}

impl End {
    pub(super) fn all() -> Self {
        Self::default()
    }

    fn all_for_good() -> Self {
        Self {
            closes: true,
            ..Self::default()
        }
    }

    fn of(ids: Vec<Option<Vec<u8>>>) -> Self {
        Self {
            ids,
            ..Self::default()
        }
    }

    fn for_good(ids: Vec<Option<Vec<u8>>>) -> Self {
        Self {
            closes: true,
            ..Self::of(ids)
        }
    }

    /// Whether a text is in the group.
    pub(super) fn is_of(&self, name: &str, ids: &[Vec<u8>]) -> bool {
        let agree = |(own, id): (&Option<Vec<u8>>, &Vec<u8>)| {
            own.as_ref().is_none_or(|own| is_same(own, id))
        };
        self.name.is_none_or(|own| own == name) && self.ids.iter().zip(ids).all(agree)
    }
}

/// Whether both tell of one text among several. An index that is left out or null is the first, and
/// what is not said to be a thought is none, as clients read them; so is `1.0` the second.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn bare(id: &[u8]) -> &[u8] {
        let is_first = matches!(id, b"0" | b"null" | b"false");
        if is_first { b"" } else { id }
    }
    let (one, other) = (bare(one), bare(other));
    let plain = |id: &[u8]| id.iter().all(u8::is_ascii_digit);
    one == other || !(plain(one) && plain(other)) && is_same_number(one, other)
}

/// Whether both are one index, however it is written.
fn is_same_number(one: &[u8], other: &[u8]) -> bool {
    /// The longest index, in bytes: what is longer is an id, and may be one of many that are alike.
    const BYTES_MAX: usize = 8;
    let number = |id: &[u8]| {
        let Some(first) = id.first() else {
            return Some(0.0);
        };
        let is_number = id.len() <= BYTES_MAX && (first.is_ascii_digit() || *first == b'-');
        let number = is_number.then(|| std::str::from_utf8(id).ok()?.parse::<f64>().ok());
        // Minus zero is zero.
        number.flatten().map(|number| number + 0.0)
    };
    let both = number(one).zip(number(other));
    both.is_some_and(|(one, other)| one.total_cmp(&other).is_eq())
}

/// The groups of texts that an event ends.
pub(super) fn of(
    dialect: Dialect,
    operation: Operation,
    tree: &Tree<'_>,
    items: &Items,
) -> Vec<End> {
    let root = Event { tree };
    match (dialect, operation) {
        (Dialect::Http, _) => Vec::new(),
        (Dialect::Anthropic, _) => root.anthropic(),
        (Dialect::Gemini, _) => root.gemini(),
        (_, Operation::Responses) => root.responses(items),
        (Dialect::OpenAi | Dialect::AzureOpenAi, _) => root.chat(),
    }
}

/// Notes the item of a response that an event tells to begin.
pub(super) fn items_begin(
    operation: Operation,
    tree: &Tree<'_>,
    items: &mut Items,
) -> Result<(), CleanError> {
    if operation != Operation::Responses {
        return Ok(());
    }
    let kind = tree.said(Tree::ROOT, "type");
    if kind.is_some_and(|kind| kind.ends_with(b"item.added")) {
        items.begin(Said::of(tree, Tree::ROOT))?;
    }
    Ok(())
}

/// The groups of texts that an event begins anew.
pub(super) fn begun(
    dialect: Dialect,
    operation: Operation,
    tree: &Tree<'_>,
    items: &Items,
) -> Vec<End> {
    let root = Event { tree };
    let kind = || root.says(Tree::ROOT, &["type"]).unwrap_or_default();
    match (dialect, operation) {
        (Dialect::Anthropic, _) if kind() == "content_block_start" => {
            vec![End::of(vec![root.index(Tree::ROOT)])]
        }
        (Dialect::OpenAi | Dialect::AzureOpenAi, Operation::Responses)
            if kind().ends_with(".added") =>
        {
            let item = items.identity(&Said::of(tree, Tree::ROOT));
            vec![End::of(vec![None, Some(item)])]
        }
        _ => Vec::new(),
    }
}

/// Whether an event says why the model stopped.
pub(super) fn says_why(dialect: Dialect, tree: &Tree<'_>) -> bool {
    let root = Event { tree };
    let list = if dialect == Dialect::Gemini {
        "candidates"
    } else {
        "choices"
    };
    let answers = root.elements(Tree::ROOT, list).into_iter();
    let names = ["finishReason", "finish_reason"];
    { answers }.any(|answer| root.says(answer, &names).is_some())
}

/// Whether an event of a chat goes on with an answer that the event before it said has ended.
pub(super) fn goes_on(ended: &Tree<'_>, next: &Tree<'_>) -> bool {
    let ends = Event { tree: ended }.chat();
    let root = Event { tree: next };
    let choices = root.elements(Tree::ROOT, "choices").into_iter();
    { choices }.any(|choice| {
        let ids = [root.id(choice, &["index"])];
        let mut parts = said_in(next, choice);
        ends.iter().any(|end| end.is_of("", &ids)) && parts.any(|part| says_something(next, part))
    })
}

/// Whether an event of a chat has answers, or a place for them, and none of them says anything.
pub(super) fn is_silent(tree: &Tree<'_>) -> bool {
    let root = Event { tree };
    let choices = root.elements(Tree::ROOT, "choices").into_iter();
    let mut parts = choices.flat_map(|choice| said_in(tree, choice));
    tree.member(Tree::ROOT, "choices").is_some() && !parts.any(|part| says_something(tree, part))
}

/// The members of a choice in which text stands.
fn said_in(tree: &Tree<'_>, choice: NodeId) -> impl Iterator<Item = NodeId> {
    ["delta", "message", "text"]
        .into_iter()
        .filter_map(move |name| tree.member(choice, name))
}

/// Whether there is a string with something in it, but for whose words they are.
fn says_something(tree: &Tree<'_>, id: NodeId) -> bool {
    match tree.node(id).kind {
        Kind::Text => !tree.text(id).is_empty(),
        Kind::Array => tree.children(id).any(|child| says_something(tree, child)),
        Kind::Object => {
            let mut children = tree.children(id);
            children.any(|child| tree.key(child) != "role" && says_something(tree, child))
        }
        Kind::Number | Kind::Word => false,
    }
}

struct Event<'a> {
    tree: &'a Tree<'a>,
}

impl Event<'_> {
    fn member(&self, id: NodeId, names: &[&str]) -> Option<NodeId> {
        names.iter().find_map(|name| self.tree.member(id, name))
    }

    /// A member that is a string with something in it.
    fn says(&self, id: NodeId, names: &[&str]) -> Option<String> {
        let id = self.member(id, names)?;
        let text = (self.tree.node(id).kind == Kind::Text).then(|| self.tree.text(id))?;
        (!text.is_empty()).then(|| text.into_owned())
    }

    /// The bytes of a member that tells texts apart; empty if it is not there.
    fn id(&self, id: NodeId, names: &[&str]) -> Vec<u8> {
        let Some(id) = self.member(id, names) else {
            return Vec::new();
        };
        match self.tree.node(id).kind {
            Kind::Text => self.tree.text(id).into_owned().into_bytes(),
            _ => self.tree.raw(self.tree.node(id).span).to_vec(),
        }
    }

    /// The index of an answer among several. JSON of protobuf leaves a zero out.
    fn index(&self, id: NodeId) -> Option<Vec<u8>> {
        Some(self.id(id, &["index"]))
    }

    fn elements(&self, id: NodeId, name: &str) -> Vec<NodeId> {
        let list = self.tree.member(id, name);
        let list = list.filter(|id| self.tree.node(*id).kind == Kind::Array);
        list.map_or_else(Vec::new, |id| self.tree.children(id).collect())
    }

    fn chat(&self) -> Vec<End> {
        let choices = self.elements(Tree::ROOT, "choices").into_iter();
        choices
            .filter(|choice| self.says(*choice, &["finish_reason"]).is_some())
            .map(|choice| End {
                doubtful: true,
                ..End::of(vec![self.index(choice)])
            })
            .collect()
    }

    fn responses(&self, items: &Items) -> Vec<End> {
        let Some(kind) = self.says(Tree::ROOT, &["type"]) else {
            return Vec::new();
        };
        let text = match kind.as_str() {
            "response.completed" | "response.incomplete" | "response.failed" | "error" => {
                return vec![End::all_for_good()];
            }
            "response.content_part.done"
            | "response.reasoning_part.done"
            | "response.output_item.done"
            | "response.reasoning_summary_part.done" => None,
            kind => match kind.strip_suffix("done") {
                Some(text) => Some(format!("{text}delta").into_bytes()),
                None => return Vec::new(),
            },
        };
        // An item ends with all of its parts, and a part with all that is said of it.
        let of_part = |parts: &[&str], name: &str| {
            let all = text.is_none() && !parts.contains(&kind.as_str());
            (!all).then(|| self.id(Tree::ROOT, &[name]))
        };
        let with_content = ["response.content_part.done", "response.reasoning_part.done"];
        vec![End::for_good(vec![
            text.clone(),
            Some(items.identity(&Said::of(self.tree, Tree::ROOT))),
            of_part(&with_content, "content_index"),
            of_part(&["response.reasoning_summary_part.done"], "summary_index"),
            of_part(&[], "command_index"),
        ])]
    }

    /// A message says why it ends (`message_delta`) before it does: servers that say so while a
    /// block is open do not end the block by that.
    fn anthropic(&self) -> Vec<End> {
        let kind = self.says(Tree::ROOT, &["type"]);
        match kind.as_deref() {
            Some("content_block_stop") => vec![End::for_good(vec![self.index(Tree::ROOT)])],
            Some("message_stop" | "error") => vec![End::all_for_good()],
            _ => Vec::new(),
        }
    }

    /// Whether a part of Gemini's is something else than text.
    fn has_other_content(&self, part: NodeId) -> bool {
        let beside = ["thought", "thoughtSignature", "thought_signature"];
        let mut members = self.tree.children(part);
        self.tree.member(part, "text").is_none()
            && members.any(|member| !beside.contains(&&*self.tree.key(member)))
    }

    /// Older models give a reason for the end with each part, so that only the end of the stream
    /// ends its texts.
    fn gemini(&self) -> Vec<End> {
        let mut ends = Vec::new();
        for candidate in self.elements(Tree::ROOT, "candidates") {
            let ids = vec![self.index(candidate)];
            let ends_of = |name| End {
                name: Some(name),
                ..End::of(ids.clone())
            };
            let Some(content) = self.tree.member(candidate, "content") else {
                continue;
            };
            for part in self.elements(content, "parts") {
                let call = self.member(part, &["functionCall", "function_call"]);
                let goes_on = call.is_some_and(|call| {
                    self.id(call, &["willContinue", "will_continue"]) == b"true"
                });
                if call.is_some() && !goes_on {
                    ends.push(ends_of(PARTIAL_NAME));
                }
                // Text goes before a part that is no text; one with nothing in it but a seal is
                // skipped by clients, and the text goes on.
                if self.has_other_content(part) {
                    ends.push(ends_of(GEMINI_TEXT));
                }
            }
        }
        ends
    }
}
