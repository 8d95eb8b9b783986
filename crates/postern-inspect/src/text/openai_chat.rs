//! Text in chat completions of OpenAI, Azure OpenAI and servers that speak their API.

use super::openai_other::ERROR;
use super::{
    ALL_TEXT, ARGUMENTS_PIECE, By, CLEARED, JOINED, JSON, JUDGED, Kinds, LOOSE, Leaf, NUMBERED,
    OPAQUE, PADDING, PIECE, PIECES, SEAL, STEADY, Switch, TEXT, TextMember, TextShape, WORD, m,
};

pub(super) static REQUEST: TextShape = TextShape::object(&[
    m("model", &JUDGED),
    m("messages", &MESSAGE),
    m("tools", &TOOL),
    m("functions", &FUNCTION),
    m("tool_choice", &CHOICE),
    m("function_call", &CHOICE),
    m("response_format", &FORMAT),
    m("prediction", &PREDICTION),
    m("metadata", &ALL_TEXT),
    m("user", &TEXT),
    m("stop", &TEXT),
    m("service_tier", &WORD),
    m("reasoning_effort", &WORD),
    m("verbosity", &WORD),
    m("modalities", &WORD),
    m("audio", &VOICE),
]);

static VOICE: TextShape = TextShape::object(&[m("voice", &WORD), m("format", &WORD)]);

/// What was said: sent in requests, and given in answers that are one document.
static MESSAGE: TextShape = TextShape {
    switch: Some(&Switch {
        key: "role",
        cases: &[("tool", &TOLD), ("function", &TOLD)],
    }),
    ..TextShape::object(&MESSAGE_MEMBERS)
};

static MESSAGE_MEMBERS: [TextMember; 13] = [
    m("role", &WORD),
    m("content", &CONTENT),
    m("refusal", &TEXT),
    m("reasoning_content", &TEXT),
    m("reasoning", &TEXT),
    m("reasoning_details", &REASONING),
    m("name", &TEXT),
    m("tool_call_id", &WORD),
    m("tool_calls", &CALL),
    m("function_call", &CALLED),
    m("audio", &SOUND),
    m("annotations", &ANNOTATION),
    m("images", &PART),
];

/// What a tool gave: often JSON in a string.
static TOLD: TextShape = TextShape::object(&[
    m("role", &WORD),
    m("tool_call_id", &WORD),
    m("name", &WORD),
    m("content", &TOLD_CONTENT),
]);

static TOLD_CONTENT: TextShape = TextShape {
    leaf: Leaf::Json,
    elements: Some(&TOLD_PART),
    kinds: PART_KINDS,
    ..TextShape::object(&PART_MEMBERS)
};

static TOLD_PART: TextShape = TextShape {
    kinds: PART_KINDS,
    ..TextShape::object(&[m("type", &WORD), m("text", &JSON)])
};

static CONTENT: TextShape = TextShape {
    elements: Some(&PART),
    kinds: PART_KINDS,
    ..TextShape::object(&PART_MEMBERS)
};

static PART: TextShape = TextShape {
    kinds: PART_KINDS,
    ..TextShape::object(&PART_MEMBERS)
};

/// Parts of a message: those of OpenAI, and those that compatible servers have besides.
const PART_KINDS: Option<Kinds> = Some(Kinds::Type(&[
    "text",
    "refusal",
    "image_url",
    "input_audio",
    "file",
    "video_url",
    "thinking",
    "reference",
]));

static PART_MEMBERS: [TextMember; 8] = [
    m("type", &WORD),
    m("text", &TEXT),
    m("refusal", &TEXT),
    m("image_url", &PICTURE),
    m("input_audio", &OPAQUE),
    m("video_url", &OPAQUE),
    m("file", &FILE),
    m("thinking", &CONTENT),
];

/// A picture by its address, or in it.
static PICTURE: TextShape = TextShape {
    leaf: Leaf::Opaque,
    ..TextShape::object(&[m("url", &OPAQUE), m("detail", &WORD)])
};

static FILE: TextShape = TextShape::object(&[
    m("file_data", &OPAQUE),
    m("file_id", &OPAQUE),
    m("filename", &TEXT),
]);

static REASONING: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("id", &WORD),
    m("format", &WORD),
    m("signature", &SEAL),
    m("data", &OPAQUE),
]);

static CALL: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("type", &WORD),
    m("function", &CALLED),
    m("custom", &CUSTOM),
    m("extra_content", &EXTRA),
]);

static CUSTOM: TextShape = TextShape::object(&[m("name", &WORD), m("input", &TEXT)]);

/// Gemini's seal, as its compatible API carries it.
static EXTRA: TextShape = TextShape::object(&[m(
    "google",
    &TextShape::object(&[m("thought_signature", &SEAL)]),
)]);

static CALLED: TextShape = TextShape::object(&[m("name", &WORD), m("arguments", &JSON)]);

static SOUND: TextShape =
    TextShape::object(&[m("id", &WORD), m("data", &OPAQUE), m("transcript", &TEXT)]);

static ANNOTATION: TextShape = TextShape::object(&[m("type", &WORD)]);

static TOOL: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("function", &FUNCTION),
    m("custom", &TextShape::object(&[m("name", &WORD)])),
]);

static FUNCTION: TextShape = TextShape::object(&[m("name", &WORD), m("parameters", &ALL_TEXT)]);

static CHOICE: TextShape = TextShape {
    leaf: Leaf::Word,
    ..TextShape::object(&[
        m("type", &WORD),
        m("name", &WORD),
        m("function", &TextShape::object(&[m("name", &WORD)])),
    ])
};

static FORMAT: TextShape = TextShape::object(&[
    m("type", &WORD),
    m(
        "json_schema",
        &TextShape::object(&[m("name", &WORD), m("schema", &ALL_TEXT)]),
    ),
]);

static PREDICTION: TextShape = TextShape::object(&[m("type", &WORD), m("content", &CONTENT)]);

pub(super) static ANSWER: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("object", &WORD),
    m("model", &JUDGED),
    m("system_fingerprint", &WORD),
    m("service_tier", &WORD),
    m("choices", &ANSWERED),
    m("metadata", &ALL_TEXT),
    m("x_groq", &TextShape::object(&[m("id", &WORD)])),
    m("error", &ERROR),
    // What vLLM says of the request, if asked: tokens are text again.
    m("prompt_token_ids", &CLEARED),
    m("prompt_logprobs", &CLEARED),
]);

static ANSWERED: TextShape = TextShape::object(&[
    m("finish_reason", &WORD),
    m("native_finish_reason", &WORD),
    m("message", &MESSAGE),
    m("logprobs", &CLEARED),
    m("token_ids", &CLEARED),
    m("prompt_token_ids", &CLEARED),
    m("prompt_logprobs", &CLEARED),
]);

pub(super) static EVENT: TextShape = TextShape {
    rest: Some(&STEADY),
    ..TextShape::object(&[
        m("id", &WORD),
        m("object", &WORD),
        m("model", &JUDGED),
        m("system_fingerprint", &WORD),
        m("service_tier", &WORD),
        m("choices", &CHUNK),
        m("usage", &LOOSE),
        m("prompt_filter_results", &LOOSE),
        m("obfuscation", &PADDING),
        m("x_groq", &TextShape::object(&[m("id", &WORD)])),
        m("error", &ERROR),
        m("prompt_token_ids", &CLEARED),
        m("prompt_logprobs", &CLEARED),
    ])
};

/// What is new in one choice. A compatible server may put its text anywhere here, so that whatever
/// is not known is a piece too.
static CHUNK: TextShape = TextShape {
    rest: Some(&PIECES),
    by: &[By::Said("index")],
    ..TextShape::object(&[
        m("finish_reason", &WORD),
        m("native_finish_reason", &WORD),
        m("delta", &DELTA),
        // Some servers repeat the message so far.
        m("message", &SO_FAR),
        m("logprobs", &CLEARED),
        m("token_ids", &CLEARED),
        m("prompt_token_ids", &CLEARED),
        m("prompt_logprobs", &CLEARED),
        m("content_filter_results", &LOOSE),
    ])
};

static DELTA: TextShape = TextShape {
    rest: Some(&PIECES),
    ..TextShape::object(&[
        m("role", &JOINED),
        m("content", &CONTENT_PIECES),
        m("refusal", &PIECE),
        m("tool_calls", &CALL_PIECE),
        m("function_call", &CALLED_PIECE),
        m("audio", &SOUND_PIECE),
        m("annotations", &NUMBERED),
        m("images", &PART),
        m("token_id", &CLEARED),
    ])
};

/// The next piece of what is said, or pieces in parts.
static CONTENT_PIECES: TextShape = TextShape {
    rest: Some(&PIECES),
    kinds: PART_KINDS,
    by: &[By::Said("index")],
    members: &[
        m("type", &WORD),
        m("id", &WORD),
        m("format", &WORD),
        m("signature", &SEAL),
        m("data", &OPAQUE),
        m("image_url", &OPAQUE),
        m("text", &TextShape::leaf(CONTENT_PIECE)),
    ],
    ..TextShape::leaf(CONTENT_PIECE)
};

/// A part of what is said, whichever form it comes in: servers may use both in turns.
const CONTENT_PIECE: Leaf = Leaf::Piece {
    json: false,
    name: "choices.delta.content",
};

static CALL_PIECE: TextShape = TextShape {
    rest: Some(&PIECES),
    by: &[By::Call],
    ..TextShape::object(&[
        m("id", &JOINED),
        m("type", &WORD),
        m("function", &CALLED_PIECE),
        m("custom", &CUSTOM_PIECE),
        m("extra_content", &EXTRA),
    ])
};

static CUSTOM_PIECE: TextShape = TextShape {
    rest: Some(&PIECES),
    ..TextShape::object(&[m("name", &JOINED), m("input", &PIECE)])
};

static CALLED_PIECE: TextShape = TextShape {
    rest: Some(&PIECES),
    ..TextShape::object(&[m("name", &JOINED), m("arguments", &ARGUMENTS_PIECE)])
};

static SOUND_PIECE: TextShape = TextShape {
    rest: Some(&PIECES),
    ..TextShape::object(&[
        m("id", &JOINED),
        m("data", &OPAQUE),
        m("transcript", &PIECE),
    ])
};

static SO_FAR: TextShape = TextShape {
    rest: Some(&SO_FAR),
    members: &[
        m("role", &WORD),
        m("type", &WORD),
        m("id", &WORD),
        m("content", &CONTENT_SO_FAR),
    ],
    ..TextShape::leaf(Leaf::Growing)
};

static CONTENT_SO_FAR: TextShape = TextShape {
    rest: Some(&CONTENT_SO_FAR),
    kinds: PART_KINDS,
    members: &[m("type", &WORD), m("id", &WORD)],
    ..TextShape::leaf(Leaf::Growing)
};
