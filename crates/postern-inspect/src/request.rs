//! What a request asks for, read from its body, and the body as it goes on.
//!
//! The body is scanned once with the table of its operation (`request/openai.rs` and its
//! siblings). What is found is facts about the request and one span where usage can be asked for;
//! the bytes themselves are never written anew.

mod anthropic;
mod gemini;
mod openai;
mod reading;
mod tools;

use bytes::Bytes;
use postern_types::{AiRequest, Operation, OwnedId, SmolStr};

use crate::clean::Cleaner;
use crate::document::{self, New};
use crate::json::{Leaf, Scanner, Shape, Span};
use crate::text;
use crate::{Dialect, InspectError, Located};
use reading::Reading;
use tools::Types;

/// What was read of a request.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// What policy asks about.
    pub ai: AiRequest,
    /// Models that tools of the request use beside its own. A request passes only if each of them
    /// is allowed too.
    pub tool_models: Vec<SmolStr>,
    /// State behind the shared provider credential that the request refers to. A request passes
    /// only if its principal owns each of these.
    pub references: Vec<OwnedId>,
    /// Whether the provider keeps the answer, so that later requests can name it. Goes into
    /// `ResponseOptions::keeps_answer`.
    pub keeps_answer: bool,
    /// How many answers are asked for. Goes into `ResponseOptions::choices`.
    pub choices: u64,
    /// Which body it has; `None` for none.
    family: Option<Family>,
    splice: Option<Splice>,
}

/// A request body on its way upstream: pieces of the original and what was put between them.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The pieces, in order.
    pub pieces: Vec<Bytes>,
    /// The length of all pieces in bytes.
    pub len: u64,
    /// Whether usage was asked for on the client's behalf. Then the answer is read with
    /// `ResponseOptions::strip_usage`.
    pub strip_usage: bool,
}

/// Bytes that stand in for a span of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Splice {
    start: usize,
    end: usize,
    text: &'static str,
}

/// Which body a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Chat,
    Responses,
    Embeddings,
    Moderations,
    Messages,
    Generate,
}

/// The places that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Root,
    Nested,
    Model,
    Stream,
    StreamOptions,
    IncludeUsage,
    Cap,
    Choices,
    Store,
    Background,
    PreviousResponse,
    Conversation,
    ConversationId,
    Prompt,
    PromptId,
    CachedContent,
    File,
    FileList,
    FileUri,
    Container,
    Skill,
    Item,
    InputItem,
    ItemType,
    ItemId,
    ItemRole,
    ItemEncrypted,
    Source,
    SourceType,
    Tool(&'static Types),
    ToolType,
    ToolModel,
    NotServed(&'static str),
}

const fn take(slot: Slot) -> Shape<Slot> {
    Shape::take(slot)
}

/// All text at any depth counts.
static COUNT_ALL: Shape<Slot> = Shape {
    leaf: Leaf::Count,
    rest: Some(&COUNT_ALL),
    elements: Some(&COUNT_ALL),
    ..Shape::new()
};

impl Family {
    /// The body of an operation; `None` when it has none.
    pub(crate) fn of(operation: Operation, dialect: Dialect) -> Option<Self> {
        match operation {
            Operation::ChatCompletions => Some(Self::Chat),
            Operation::Responses => Some(Self::Responses),
            Operation::Embeddings => Some(Self::Embeddings),
            Operation::Moderations => Some(Self::Moderations),
            Operation::Messages => Some(Self::Messages),
            Operation::CountTokens if dialect == Dialect::Anthropic => Some(Self::Messages),
            Operation::CountTokens
            | Operation::GenerateContent
            | Operation::StreamGenerateContent => Some(Self::Generate),
            Operation::ListModels | Operation::ShowModel => None,
        }
    }

    fn table(self) -> &'static Shape<Slot> {
        match self {
            Self::Chat => &openai::CHAT,
            Self::Responses => &openai::RESPONSES,
            Self::Embeddings => &openai::EMBEDDINGS,
            Self::Moderations => &openai::MODERATIONS,
            Self::Messages => &anthropic::MESSAGES,
            Self::Generate => &gemini::GENERATE,
        }
    }
}

impl RequestFacts {
    pub(crate) fn without_body(ai: AiRequest) -> Self {
        Self {
            ai,
            tool_models: Vec::new(),
            references: Vec::new(),
            keeps_answer: false,
            choices: 1,
            family: None,
            splice: None,
        }
    }

    /// The body as it goes upstream; it must be the one that was read. With `splice_usage`, a
    /// stream of chat completions that does not ask for its usage is made to: one key is added, or
    /// where the client said `false` or `null`, that value is replaced. Every other byte stays,
    /// and without `splice_usage` all do.
    #[must_use]
    pub fn outbound(&self, body: Bytes, splice_usage: bool) -> Outgoing {
        let Some(splice) = self.wish(&body, splice_usage) else {
            let len = body.len() as u64;
            return Outgoing {
                pieces: vec![body],
                len,
                strip_usage: false,
            };
        };
        let pieces = vec![
            body.slice(..splice.start),
            Bytes::from_static(splice.text.as_bytes()),
            body.slice(splice.end..),
        ];
        let len = pieces.iter().map(|piece| piece.len() as u64).sum();
        Outgoing {
            pieces,
            len,
            strip_usage: true,
        }
    }

    /// The body as it goes upstream under data rules: as [`RequestFacts::outbound`], with its text
    /// cleaned. Bytes that nothing was found in stay as they are.
    ///
    /// # Errors
    /// When it holds a value that is blocked, or something that cannot be inspected;
    /// `NeedsAnalysis` where an analyzer has to be asked ([`Cleaner::wanted`]) before it is called
    /// again.
    pub fn clean_outbound(
        &self,
        body: Bytes,
        splice_usage: bool,
        cleaner: &mut Cleaner,
    ) -> Result<Outgoing, InspectError> {
        let Some(family) = self.family else {
            return Ok(self.outbound(body, splice_usage));
        };
        let places = text::request(family);
        let mut edits = cleaner.attempt(|cleaner| document::edits(&body, places, cleaner))?;
        if edits.is_empty() {
            return Ok(self.outbound(body, splice_usage));
        }
        let splice = self.wish(&body, splice_usage);
        if let Some(Splice { start, end, text }) = splice {
            // It stands at a bracket or in place of a flag, where no text is.
            edits.put(Span { start, end }, New::Bytes(text.as_bytes().to_vec()));
        }
        let body = edits.apply(&body).map_or(body, Bytes::from);
        Ok(Outgoing {
            len: body.len() as u64,
            pieces: vec![body],
            strip_usage: splice.is_some(),
        })
    }

    /// The one key that asks for usage, if it is to go in.
    fn wish(&self, body: &[u8], splice_usage: bool) -> Option<Splice> {
        self.splice
            .filter(|splice| splice_usage && splice.end <= body.len())
    }
}

/// Reads a body with the table of its family.
pub(crate) fn read(
    located: &Located,
    family: Family,
    body: &[u8],
) -> Result<RequestFacts, InspectError> {
    if std::str::from_utf8(body).is_err() {
        return Err(InspectError::bad("the body is not UTF-8"));
    }
    let mut reading = Reading::new(located.operation == Operation::ChatCompletions);
    let mut scanner = Scanner::new(family.table(), true);
    scanner.push(body, &mut reading)?;
    scanner.finish(&mut reading)?;
    let facts = reading.into_facts(located)?;
    Ok(RequestFacts {
        family: Some(family),
        ..facts
    })
}

#[cfg(test)]
pub(crate) fn each_table(told: &mut dyn FnMut(usize)) {
    for family in [
        Family::Chat,
        Family::Responses,
        Family::Embeddings,
        Family::Moderations,
        Family::Messages,
        Family::Generate,
    ] {
        crate::json::each_below(family.table(), told);
    }
}

#[cfg(test)]
mod tests;
