//! What a request asks for, read from its body.

use bytes::Bytes;
use postern_types::{AiRequest, Operation, OwnedId};

use crate::{Dialect, InspectError, Located};

/// What was read of a request.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// What policy asks about.
    pub ai: AiRequest,
    /// State behind the shared provider credential that the request refers to. A request passes
    /// only if its principal owns each of these.
    pub references: Vec<OwnedId>,
    /// Whether the provider keeps the answer, so that later requests can refer to what it makes.
    pub keeps_answer: bool,
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

/// Which body a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Chat,
}

impl Family {
    pub(crate) fn of(operation: Operation, _dialect: Dialect) -> Option<Self> {
        match operation {
            Operation::ListModels | Operation::ShowModel => None,
            _ => Some(Self::Chat),
        }
    }
}

impl RequestFacts {
    pub(crate) fn without_body(ai: AiRequest) -> Self {
        Self {
            ai,
            references: Vec::new(),
            keeps_answer: false,
        }
    }

    /// The body as it goes upstream. With `splice_usage`, a stream of chat completions that does
    /// not ask for its usage is made to; every other byte stays.
    #[must_use]
    pub fn outbound(&self, body: Bytes, splice_usage: bool) -> Outgoing {
        let _ = splice_usage;
        let len = body.len() as u64;
        Outgoing {
            pieces: vec![body],
            len,
            strip_usage: false,
        }
    }
}

pub(crate) fn read(
    located: Located,
    family: Family,
    body: &[u8],
) -> Result<RequestFacts, InspectError> {
    let _ = (located, family, body);
    Err(InspectError::unsupported("bodies are not read yet"))
}
