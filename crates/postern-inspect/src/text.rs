//! Where text stands in the bodies of each dialect.
//!
//! A [`TextShape`] says of a value what its strings are, and by which key which member has another
//! shape. The default is the careful one: every string is text unless a table says that it is
//! something else, and so is every key that no table names. A member that a provider adds, or that
//! a client makes up, is inspected from its first day.
//!
//! What is not text: words of the format (types, roles, ids, names of models), as long as they look
//! like such words and no value stands in them; content that is data (pictures, sound, files,
//! sealed reasoning), which passes or is refused by the rule and is never read as if it were text;
//! numbers of the format.

mod anthropic;
mod gemini;
mod openai_chat;
mod openai_other;
mod openai_responses;

use postern_types::Operation;

use crate::Dialect;
use crate::bounds::WORD_BYTES_MAX;
use crate::request::Family;

pub(crate) use anthropic::TEXT_NAME as ANTHROPIC_TEXT;
pub(crate) use gemini::{PARTIAL_NAME, TEXT_NAME as GEMINI_TEXT};

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// One whole text; its key says nothing about it.
    Text,
    /// One whole text of a member that the table does not name; its key stands to its left.
    Loose,
    /// As `Loose`, and numbers are inspected too: content by names of the client's own.
    Free,
    /// Text that is itself JSON.
    Json,
    /// What policy has judged and what must not change after that.
    Judged,
    /// A word of the format; anything that does not look like one is text, and so is one in which
    /// a value stands.
    Word,
    /// As `Word`, in the events of a stream: what clients put together from several events.
    Joined,
    /// As `Loose`, in the events of a stream, beside their texts: what clients see of each event by
    /// itself. It says the same in every event, or no one text.
    Steady,
    /// As `Loose`, in a list in the events of a stream: what clients put together where it has a
    /// number. With one, it says the same in every event.
    Numbered,
    /// A seal that only the provider reads; anything that does not look like one is text.
    Seal,
    /// Data: passes or is refused by the rule.
    Opaque,
    /// Reasoning that must not be altered: left out or passed whole, by the rule.
    Thinking,
    /// Token ids: numbers that are text, which nobody here can read.
    Tokens,
    /// Text again, in another form: put out of the answer.
    Cleared,
    /// Padding that levels the sizes of events: emptied where the text beside it changes.
    Padding,
    /// The next piece of a text that is spread over events. All pieces with the same name (or, if
    /// that is empty, the same place) under the same identity are one text.
    Piece {
        /// Whether the text is itself JSON.
        json: bool,
        /// What the text is called, where its pieces stand in different places.
        name: &'static str,
    },
    /// A text that each event repeats, longer: what might still become a value at its end is left
    /// out.
    Growing,
}

/// What is known of a value and of what is inside it.
#[derive(Debug)]
pub(crate) struct TextShape {
    pub(crate) leaf: Leaf,
    pub(crate) members: &'static [TextMember],
    /// All other members; `None` for [`LOOSE`].
    pub(crate) rest: Option<&'static TextShape>,
    /// The elements of an array; `None` when they have this shape too.
    pub(crate) elements: Option<&'static TextShape>,
    /// The member whose value says that the object has another shape.
    pub(crate) switch: Option<&'static Switch>,
    /// The kinds of part that are known, where this is a part that says its kind.
    pub(crate) kinds: Option<Kinds>,
    /// What tells texts of equal place apart.
    pub(crate) by: &'static [By],
    /// Members that an event made for a held tail keeps, besides those in `by`.
    pub(crate) keep: &'static [&'static str],
}

/// What tells texts of equal place apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A member. What leaves it out is the first, and then none says that it is another.
    Said(&'static str),
    /// A member of JSON of protobuf, which leaves out what is zero or false.
    Protobuf(&'static str),
    /// A place in JSON, which a member of JSON of protobuf says; by both spellings of its name.
    Place(&'static str, &'static str),
    /// An item of a response: its place in the output, or its id.
    Item,
    /// A call: its index or, where it has none, its id.
    Call,
}

impl By {
    /// Whether a member says it.
    pub(crate) fn is_said_by(self, key: &str) -> bool {
        match self {
            By::Said(name) | By::Protobuf(name) => key == name,
            By::Place(name, other) => key == name || key == other,
            By::Item => matches!(key, "output_index" | "item_id"),
            By::Call => matches!(key, "index" | "id"),
        }
    }
}

/// How a part says its kind, and the kinds that are known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kinds {
    /// By its member `type`, if it has one.
    Type(&'static [&'static str]),
    /// By the names of its members.
    Members(&'static [&'static str]),
    /// An event of a stream, by its member `type`, if it has one. A kind may begin with `*`.
    Event(&'static [&'static str]),
}

/// A member that the table names.
#[derive(Debug)]
pub(crate) struct TextMember {
    pub(crate) name: &'static str,
    /// The other spelling of protobuf JSON; empty if none.
    pub(crate) other: &'static str,
    pub(crate) shape: &'static TextShape,
}

/// Other shapes of an object, by the value of one member. A case may begin or end with `*`.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) key: &'static str,
    pub(crate) cases: &'static [(&'static str, &'static TextShape)],
}

impl TextShape {
    pub(crate) const fn leaf(leaf: Leaf) -> Self {
        Self {
            leaf,
            members: &[],
            rest: None,
            elements: None,
            switch: None,
            kinds: None,
            by: &[],
            keep: &[],
        }
    }

    /// An object whose members are named; a string in its place is text.
    pub(crate) const fn object(members: &'static [TextMember]) -> Self {
        Self {
            members,
            ..Self::leaf(Leaf::Text)
        }
    }

    /// The shape of a member, if the table names it.
    pub(crate) fn member(&self, key: &str) -> Option<&'static TextShape> {
        self.named(key).map(|member| member.shape)
    }

    /// The member of this name, if the table names it.
    pub(crate) fn named(&self, key: &str) -> Option<&'static TextMember> {
        let named = |m: &&TextMember| m.name == key || (!m.other.is_empty() && m.other == key);
        self.members.iter().find(named)
    }

    /// The shape of an object whose deciding member has this value.
    pub(crate) fn case(&self, value: &str) -> Option<&'static TextShape> {
        let cases = self.switch?.cases;
        let fits = |case: &str| match (case.strip_prefix('*'), case.strip_suffix('*')) {
            (Some(end), _) => value.ends_with(end),
            (_, Some(start)) => value.starts_with(start),
            _ => value == case,
        };
        cases
            .iter()
            .find(|(case, _)| fits(case))
            .map(|(_, shape)| *shape)
    }
}

const fn m(name: &'static str, shape: &'static TextShape) -> TextMember {
    TextMember {
        name,
        other: "",
        shape,
    }
}

/// A member with both spellings of protobuf JSON.
const fn mm(name: &'static str, other: &'static str, shape: &'static TextShape) -> TextMember {
    TextMember { name, other, shape }
}

/// Every string value, every number and every key: bodies that are nobody's format.
pub(crate) static ALL_TEXT: TextShape = TextShape {
    rest: Some(&ALL_TEXT),
    ..TextShape::leaf(Leaf::Free)
};

/// Members that a table does not name.
pub(crate) static LOOSE: TextShape = TextShape {
    rest: Some(&LOOSE),
    ..TextShape::leaf(Leaf::Loose)
};

/// Members of the events of a stream that a table does not name.
static STEADY: TextShape = TextShape {
    rest: Some(&STEADY),
    ..TextShape::leaf(Leaf::Steady)
};

/// Elements of lists in the events of a stream that come whole.
static NUMBERED: TextShape = TextShape {
    rest: Some(&NUMBERED_INSIDE),
    by: &[By::Said("index")],
    members: &[m("type", &WORD)],
    ..TextShape::leaf(Leaf::Numbered)
};

static NUMBERED_INSIDE: TextShape = TextShape {
    rest: Some(&NUMBERED_INSIDE),
    ..TextShape::leaf(Leaf::Numbered)
};

static TEXT: TextShape = TextShape::leaf(Leaf::Text);
static WORD: TextShape = TextShape::leaf(Leaf::Word);
static JOINED: TextShape = TextShape::leaf(Leaf::Joined);
static JUDGED: TextShape = TextShape::leaf(Leaf::Judged);
static SEAL: TextShape = TextShape::leaf(Leaf::Seal);
static THINKING: TextShape = TextShape::leaf(Leaf::Thinking);
static CLEARED: TextShape = TextShape::leaf(Leaf::Cleared);
static PADDING: TextShape = TextShape::leaf(Leaf::Padding);

/// Data; what is beside it in an object is data too.
static OPAQUE: TextShape = TextShape {
    rest: Some(&OPAQUE),
    ..TextShape::leaf(Leaf::Opaque)
};

/// JSON in a string; some servers put the value itself there.
static JSON: TextShape = TextShape {
    rest: Some(&ALL_TEXT),
    elements: Some(&ALL_TEXT),
    ..TextShape::leaf(Leaf::Json)
};

/// Pieces of text at any depth, in the parts of an event that carry what is new.
static PIECES: TextShape = TextShape {
    rest: Some(&PIECES),
    by: &[By::Said("index")],
    members: &PIECES_MEMBERS,
    ..TextShape::leaf(PLAIN_PIECE)
};

static PIECES_MEMBERS: [TextMember; 6] = [
    m("type", &WORD),
    m("id", &WORD),
    m("format", &WORD),
    m("signature", &SEAL),
    m("data", &OPAQUE),
    m("image_url", &OPAQUE),
];

const PLAIN_PIECE: Leaf = Leaf::Piece {
    json: false,
    name: "",
};

const JSON_PIECE: Leaf = Leaf::Piece {
    json: true,
    name: "",
};

/// The next piece of arguments: a string, strings that make it up together, or the arguments
/// themselves.
static ARGUMENTS_PIECE: TextShape = TextShape {
    rest: Some(&ALL_TEXT),
    ..TextShape::leaf(JSON_PIECE)
};

static PIECE: TextShape = TextShape::leaf(PLAIN_PIECE);

/// The text of a request body.
pub(crate) fn request(family: Family) -> &'static TextShape {
    match family {
        Family::Chat => &openai_chat::REQUEST,
        Family::Responses => &openai_responses::REQUEST,
        Family::Embeddings => &openai_other::EMBEDDINGS_REQUEST,
        Family::Moderations => &openai_other::MODERATIONS_REQUEST,
        Family::Messages => &anthropic::REQUEST,
        Family::Generate => &gemini::REQUEST,
    }
}

/// The text of an answer that is one document.
pub(crate) fn answer(dialect: Dialect, operation: Operation) -> &'static TextShape {
    match (dialect, operation) {
        (Dialect::Http, _) => &ALL_TEXT,
        (Dialect::Anthropic, _) => &anthropic::ANSWER,
        (Dialect::Gemini, _) => &gemini::ANSWER,
        (_, Operation::ChatCompletions) => &openai_chat::ANSWER,
        (_, Operation::Responses) => &openai_responses::ANSWER,
        _ => &openai_other::ANSWER,
    }
}

/// The text of one event of an answer, or of one element of a growing array.
pub(crate) fn event(dialect: Dialect, operation: Operation) -> &'static TextShape {
    match (dialect, operation) {
        (Dialect::Http, _) => &ALL_TEXT,
        (Dialect::Anthropic, _) => &anthropic::EVENT,
        (Dialect::Gemini, _) => &gemini::EVENT,
        (_, Operation::ChatCompletions) => &openai_chat::EVENT,
        (_, Operation::Responses) => &openai_responses::EVENT,
        _ => &openai_other::ANSWER,
    }
}

/// Whether a string looks like a word of the format: an id, a type, a name. A number that could be
/// somebody's is none.
pub(crate) fn is_word(text: &str) -> bool {
    /// The longest word without a letter.
    const DIGITS_MAX: usize = 8;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/+=~$[]*-".contains(&byte);
    text.len() <= WORD_BYTES_MAX
        && text.bytes().all(letter)
        && (text.len() <= DIGITS_MAX || text.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Whether a string looks like a signature: base64 that is longer than a number or a key that
/// somebody could put there.
pub(crate) fn is_seal(text: &str) -> bool {
    /// The shortest signature, in bytes; shorter strings are read as text.
    const BYTES_MIN: usize = 64;
    text.is_empty() || text.len() >= BYTES_MIN && is_base64(text)
}

/// Whether a string looks like a picture, sound or a file: base64, as it is or in a data address.
pub(crate) fn is_data(text: &str) -> bool {
    let bare = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map_or("?", |(_, data)| data),
        None => text,
    };
    is_base64(bare)
}

fn is_base64(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-\r\n".contains(&byte);
    text.bytes().all(letter)
}
