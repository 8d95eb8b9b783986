//! Text in responses of OpenAI and Azure OpenAI.

use super::openai_other::ERROR;
use super::{
    ALL_TEXT, ARGUMENTS_PIECE, By, CLEARED, JSON, JUDGED, Kinds, LOOSE, Leaf, OPAQUE, PADDING,
    PIECES, PLAIN_PIECE, Switch, TEXT, TextMember, TextShape, WORD, m,
};

pub(super) static REQUEST: TextShape = TextShape::object(&RESPONSE_MEMBERS);

/// A response has the members of its request, and what came of it.
pub(super) static ANSWER: TextShape = TextShape::object(&RESPONSE_MEMBERS);

static RESPONSE_MEMBERS: [TextMember; 29] = [
    m("id", &WORD),
    m("object", &WORD),
    m("status", &WORD),
    m("model", &JUDGED),
    m("instructions", &INPUT),
    m("input", &INPUT),
    m("output", &INPUT),
    m("output_text", &TEXT),
    m("prompt", &PROMPT),
    m("tools", &TOOL),
    m("tool_choice", &WORDS),
    m("text", &FORMATS),
    m("reasoning", &WORDS),
    m("include", &WORD),
    m("metadata", &ALL_TEXT),
    m("user", &TEXT),
    m("safety_identifier", &TEXT),
    m("service_tier", &WORD),
    m("truncation", &WORD),
    m("previous_response_id", &WORD),
    m("conversation", &WORDS),
    m("prompt_cache_key", &TEXT),
    m("prompt_cache_retention", &WORD),
    m("incomplete_details", &WORDS),
    m("error", &ERROR),
    m("billing", &WORDS),
    m("stream_options", &WORDS),
    m("prompt_cache_options", &WORDS),
    m("moderation", &WORDS),
];

/// Settings: a word of the format, or members that are text as any that no table names. A secret
/// has a place in some of them.
static WORDS: TextShape = TextShape {
    rest: Some(&LOOSE),
    ..TextShape::leaf(Leaf::Word)
};

static PROMPT: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("version", &WORD),
    m("variables", &VARIABLES),
]);

/// Values by names of the client's own: texts, or parts.
static VARIABLES: TextShape = TextShape {
    rest: Some(&ITEM),
    ..TextShape::leaf(Leaf::Loose)
};

static INPUT: TextShape = TextShape {
    elements: Some(&ITEM),
    kinds: ITEM_KINDS,
    ..TextShape::object(&ITEM_MEMBERS)
};

/// An item, a part of one, or what a tool gave.
static ITEM: TextShape = TextShape {
    kinds: ITEM_KINDS,
    ..TextShape::object(&ITEM_MEMBERS)
};

/// Items, and parts of them. A search in X is of another maker, which speaks this API too.
const ITEM_KINDS: Option<Kinds> = Some(Kinds::Type(&[
    "message",
    "item_reference",
    "reasoning",
    "compaction",
    "compaction_trigger",
    "configuration_update",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "computer_call",
    "computer_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "program",
    "program_output",
    "code_interpreter_call",
    "file_search_call",
    "image_generation_call",
    "web_search_call",
    "x_search_call",
    "mcp_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "additional_tools",
    "tool_search_call",
    "tool_search_output",
    // Parts.
    "input_text",
    "input_image",
    "input_file",
    "input_audio",
    "output_text",
    "refusal",
    "reasoning_text",
    "summary_text",
    "text",
    "computer_screenshot",
    "logs",
    "image",
]));

static ITEM_MEMBERS: [TextMember; 38] = [
    m("type", &WORD),
    m("id", &WORD),
    m("call_id", &WORD),
    m("role", &WORD),
    m("status", &WORD),
    m("phase", &WORD),
    m("name", &WORD),
    m("namespace", &WORD),
    m("server_label", &TEXT),
    m("content", &INPUT),
    m("text", &TEXT),
    m("refusal", &TEXT),
    m("transcript", &TEXT),
    m("annotations", &ANNOTATION),
    m("logprobs", &CLEARED),
    m("summary", &INPUT),
    m("encrypted_content", &OPAQUE),
    m("fingerprint", &OPAQUE),
    m("arguments", &JSON),
    m("input", &TEXT),
    m("output", &OUTPUT),
    m("outputs", &INPUT),
    m("code", &TEXT),
    m("image_url", &PICTURE),
    m("image_b64", &OPAQUE),
    m("file_data", &OPAQUE),
    m("file_url", &OPAQUE),
    m("file_id", &OPAQUE),
    m("input_audio", &OPAQUE),
    m("data", &OPAQUE),
    m("result", &OPAQUE),
    m("results", &RESULT),
    m("tools", &TOOL),
    m("caller", &WORDS),
    m("container_id", &WORD),
    m("approval_request_id", &WORD),
    m("detail", &WORD),
    m("outcome", &WORDS),
];

/// What a tool gave: a text that may be JSON, or parts.
static OUTPUT: TextShape = TextShape {
    elements: Some(&ITEM),
    kinds: ITEM_KINDS,
    leaf: Leaf::Json,
    ..TextShape::object(&ITEM_MEMBERS)
};

static PICTURE: TextShape = TextShape {
    leaf: Leaf::Opaque,
    ..TextShape::object(&[m("url", &OPAQUE), m("detail", &WORD)])
};

static ANNOTATION: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("file_id", &WORD),
    m("container_id", &WORD),
]);

static RESULT: TextShape = TextShape::object(&[m("file_id", &WORD), m("attributes", &ALL_TEXT)]);

static TOOL: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("name", &WORD),
    m("parameters", &ALL_TEXT),
    m("input_schema", &ALL_TEXT),
    m("output_schema", &ALL_TEXT),
    m("vector_store_ids", &WORD),
    m("container", &WORDS),
    m("environment", &WORDS),
    m("input_image_mask", &PICTURE_MASK),
    m("tools", &TOOL),
]);

static PICTURE_MASK: TextShape =
    TextShape::object(&[m("image_url", &OPAQUE), m("file_id", &OPAQUE)]);

static FORMATS: TextShape = TextShape::object(&[
    m("verbosity", &WORD),
    m(
        "format",
        &TextShape::object(&[m("type", &WORD), m("name", &WORD), m("schema", &ALL_TEXT)]),
    ),
]);

/// Events with text. What is new, and its end, are read in any that are called so; those that tell
/// how a call of a tool goes on have none.
const EVENT_KINDS: Option<Kinds> = Some(Kinds::Event(&[
    "*delta",
    "*done",
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_summary_part.added",
    // Of vLLM.
    "response.reasoning_part.added",
    "response.output_text.annotation.added",
    "response.shell_call_command.added",
    "response.image_generation_call.partial_image",
    "response.image_generation_call.completed",
    "error",
]));

/// What tells the texts of a stream apart.
const BY: &[By] = &[
    By::Said("type"),
    By::Item,
    By::Said("content_index"),
    By::Said("summary_index"),
    By::Said("command_index"),
];

pub(super) static EVENT: TextShape = TextShape {
    kinds: EVENT_KINDS,
    switch: Some(&Switch {
        key: "type",
        cases: &[
            ("*arguments.delta", &ARGUMENTS_DELTA),
            ("*arguments_delta", &ARGUMENTS_DELTA),
            ("response.audio.delta", &DATA_DELTA),
            ("response.output_audio.delta", &DATA_DELTA),
            ("*delta", &DELTA),
        ],
    }),
    by: BY,
    keep: DELTA_KEEPS,
    ..TextShape::object(&[
        m("type", &WORD),
        m("item_id", &WORD),
        m("delta", &NEW),
        m("response", &ANSWER),
        m("item", &ITEM),
        m("part", &ITEM),
        m("text", &TEXT),
        m("refusal", &TEXT),
        m("transcript", &TEXT),
        m("arguments", &JSON),
        m("input", &TEXT),
        m("code", &TEXT),
        m("annotation", &ANNOTATION),
        m("logprobs", &CLEARED),
        m("partial_image_b64", &OPAQUE),
        m("obfuscation", &PADDING),
        m("error", &ERROR),
    ])
};

/// An event with the next piece of a text, which is every member that is not named.
static DELTA_MEMBERS: [TextMember; 4] = [
    m("type", &WORD),
    m("item_id", &WORD),
    m("obfuscation", &PADDING),
    m("logprobs", &CLEARED),
];

static DELTA: TextShape = TextShape {
    rest: Some(&NEW),
    by: BY,
    keep: DELTA_KEEPS,
    ..TextShape::object(&DELTA_MEMBERS)
};

static ARGUMENTS_DELTA: TextShape = TextShape {
    rest: Some(&ARGUMENTS_PIECE),
    by: BY,
    keep: DELTA_KEEPS,
    ..TextShape::object(&DELTA_MEMBERS)
};

static DATA_DELTA: TextShape = TextShape {
    rest: Some(&OPAQUE),
    ..TextShape::object(&DELTA_MEMBERS)
};

/// The next piece of a text, or of several that have names: what a command writes, and where to.
static NEW: TextShape = TextShape {
    rest: Some(&PIECES),
    ..TextShape::leaf(PLAIN_PIECE)
};

const DELTA_KEEPS: &[&str] = &["sequence_number", "item_id"];
