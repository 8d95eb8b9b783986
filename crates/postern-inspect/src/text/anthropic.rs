//! Text in messages of Anthropic.

use super::{
    ALL_TEXT, By, JSON, JSON_PIECE, JUDGED, Kinds, LOOSE, Leaf, OPAQUE, PIECES, SEAL, STEADY,
    Switch, TEXT, THINKING, TextMember, TextShape, WORD, m,
};

pub(super) static REQUEST: TextShape = TextShape::object(&[
    m("model", &JUDGED),
    m("system", &BLOCK),
    m("messages", &MESSAGE),
    m("tools", &TOOL),
    m("tool_choice", &CHOICE),
    m("metadata", &ALL_TEXT),
    m("stop_sequences", &TEXT),
    m("service_tier", &WORD),
    m("thinking", &CHOICE),
    m("output_format", &FORMAT),
    m("output_config", &FORMAT),
    m("container", &CONTAINER),
    m("mcp_servers", &CHOICE),
]);

static CHOICE: TextShape =
    TextShape::object(&[m("type", &WORD), m("name", &WORD), m("display", &WORD)]);

static MESSAGE: TextShape = TextShape::object(&[m("role", &WORD), m("content", &BLOCK)]);

/// A text, a block, or blocks; blocks hold blocks.
static BLOCK: TextShape = TextShape {
    switch: Some(&BLOCKS),
    kinds: BLOCK_KINDS,
    ..TextShape::object(&BLOCK_MEMBERS)
};

/// Blocks, and what stands in their content.
const BLOCK_KINDS: Option<Kinds> = Some(Kinds::Type(&[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "compaction",
    "fallback",
    "container_upload",
    "tool_use",
    "tool_result",
    "tool_reference",
    "tool_addition",
    "tool_removal",
    "server_tool_use",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "mcp_toolset_reference",
    "browser_state",
    "web_search_tool_result",
    "web_search_result",
    "web_search_tool_result_error",
    "web_fetch_tool_result",
    "web_fetch_result",
    "web_fetch_tool_result_error",
    "code_execution_tool_result",
    "code_execution_result",
    "code_execution_output",
    "encrypted_code_execution_result",
    "code_execution_tool_result_error",
    "bash_code_execution_tool_result",
    "bash_code_execution_result",
    "bash_code_execution_output",
    "bash_code_execution_tool_result_error",
    "text_editor_code_execution_tool_result",
    "text_editor_code_execution_view_result",
    "text_editor_code_execution_create_result",
    "text_editor_code_execution_str_replace_result",
    "text_editor_code_execution_tool_result_error",
    "tool_search_tool_result",
    "tool_search_tool_search_result",
    "tool_search_tool_result_error",
    "advisor_tool_result",
    "advisor_result",
    "advisor_redacted_result",
    "advisor_tool_result_error",
]));

static BLOCK_MEMBERS: [TextMember; 17] = [
    m("type", &WORD),
    m("id", &WORD),
    m("tool_use_id", &WORD),
    m("tool_name", &WORD),
    m("name", &WORD),
    m("text", &TEXT),
    m("content", &BLOCK),
    m("input", &ALL_TEXT),
    m("source", &SOURCE),
    m("citations", &CITATION),
    m("cache_control", &CACHE),
    m("caller", &CALLER),
    m("file_id", &OPAQUE),
    m("encrypted_content", &OPAQUE),
    m("encrypted_stdout", &OPAQUE),
    m("signature", &SEAL),
    m("retrieved_at", &WORD),
];

static BLOCKS: Switch = Switch {
    key: "type",
    cases: &[
        ("thinking", &THINKING),
        ("redacted_thinking", &SEALED),
        ("image", &IMAGE),
        ("tool_result", &RESULT),
    ],
};

/// What a tool gave: often JSON in a string.
static RESULT: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("tool_use_id", &WORD),
    m("cache_control", &CACHE),
    m("content", &RESULT_BLOCK),
]);

static RESULT_BLOCK: TextShape = TextShape {
    leaf: Leaf::Json,
    switch: Some(&Switch {
        key: "type",
        cases: &[("text", &RESULT_TEXT), ("image", &IMAGE)],
    }),
    kinds: BLOCK_KINDS,
    ..TextShape::object(&BLOCK_MEMBERS)
};

static RESULT_TEXT: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("text", &JSON),
    m("cache_control", &CACHE),
]);

/// Thinking that nobody but the provider reads.
static SEALED: TextShape = TextShape::object(&[m("type", &WORD), m("data", &OPAQUE)]);

static IMAGE: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("source", &IMAGE_SOURCE),
    m("cache_control", &CACHE),
]);

static IMAGE_SOURCE: TextShape = TextShape {
    rest: Some(&OPAQUE),
    ..TextShape::object(&[m("type", &WORD), m("media_type", &WORD)])
};

/// A document: as text, as blocks, by its address, or as data.
static SOURCE: TextShape = TextShape {
    switch: Some(&Switch {
        key: "type",
        cases: &[("text", &SOURCE_TEXT), ("content", &SOURCE_TEXT)],
    }),
    rest: Some(&OPAQUE),
    ..TextShape::object(&[m("type", &WORD), m("media_type", &WORD)])
};

static SOURCE_TEXT: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("media_type", &WORD),
    m("data", &TEXT),
    m("content", &BLOCK),
]);

static CITATION: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("file_id", &WORD),
    m("encrypted_index", &SEAL),
]);

static CACHE: TextShape = TextShape::object(&[m("type", &WORD), m("ttl", &WORD)]);

static CALLER: TextShape = TextShape::object(&[m("type", &WORD), m("tool_id", &WORD)]);

static TOOL: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("name", &WORD),
    m("input_schema", &ALL_TEXT),
    m("cache_control", &CACHE),
]);

static FORMAT: TextShape = TextShape::object(&[
    m("type", &WORD),
    m("effort", &WORD),
    m("schema", &ALL_TEXT),
    m("format", &FORMAT),
]);

static CONTAINER: TextShape = TextShape {
    leaf: Leaf::Word,
    ..TextShape::object(&[m("id", &WORD), m("expires_at", &WORD), m("skills", &SKILL)])
};

static SKILL: TextShape =
    TextShape::object(&[m("type", &WORD), m("skill_id", &WORD), m("version", &WORD)]);

pub(super) static ANSWER: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("type", &WORD),
    m("role", &WORD),
    m("model", &JUDGED),
    m("content", &BLOCK),
    m("stop_reason", &WORD),
    m("container", &CONTAINER),
    m("usage", &USAGE),
    m("error", &ERROR),
    m("request_id", &WORD),
]);

static USAGE: TextShape = TextShape {
    rest: Some(&USAGE),
    ..TextShape::leaf(Leaf::Word)
};

static ERROR: TextShape = TextShape::object(&[m("type", &WORD)]);

pub(super) static EVENT: TextShape = TextShape {
    kinds: Some(Kinds::Event(&[
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    ])),
    rest: Some(&STEADY),
    by: &[By::Said("index")],
    keep: &["type"],
    ..TextShape::object(&[
        m("type", &WORD),
        m("message", &ANSWER),
        m("content_block", &STARTED),
        m("delta", &DELTA),
        m("usage", &USAGE),
        m("error", &ERROR),
        m("request_id", &WORD),
    ])
};

/// The beginning of a block, or a block that comes whole.
static STARTED: TextShape = TextShape {
    switch: Some(&Switch {
        key: "type",
        cases: &[("text", &TEXT_PIECES), ("redacted_thinking", &SEALED)],
    }),
    kinds: BLOCK_KINDS,
    ..TextShape::object(&BLOCK_MEMBERS)
};

/// The text of a block, begun in one kind of event and carried on in another.
static TEXT_PIECES: TextShape = TextShape {
    rest: Some(&PIECES),
    keep: &["type"],
    ..TextShape::object(&[
        m("type", &WORD),
        m("text", &TextShape::leaf(TEXT_PIECE)),
        m("citations", &CITATION),
    ])
};

const TEXT_PIECE: Leaf = Leaf::Piece {
    json: false,
    name: TEXT_NAME,
};

/// The name of the text of a block.
pub(crate) const TEXT_NAME: &str = "content.text";

static DELTA: TextShape = TextShape {
    switch: Some(&Switch {
        key: "type",
        cases: &[
            ("text_delta", &TEXT_PIECES),
            ("input_json_delta", &JSON_DELTA),
            ("citations_delta", &CITATION_DELTA),
        ],
    }),
    kinds: Some(Kinds::Type(&[
        "text_delta",
        "input_json_delta",
        "citations_delta",
        "thinking_delta",
        "signature_delta",
        "compaction_delta",
    ])),
    rest: Some(&PIECES),
    keep: &["type"],
    ..TextShape::object(&[
        m("type", &WORD),
        m("stop_reason", &WORD),
        m("stop_sequence", &TEXT),
        m("stop_details", &LOOSE),
        m("container", &CONTAINER),
        m("signature", &SEAL),
    ])
};

static JSON_DELTA: TextShape = TextShape {
    rest: Some(&PIECES),
    keep: &["type"],
    ..TextShape::object(&[
        m("type", &WORD),
        m("partial_json", &TextShape::leaf(JSON_PIECE)),
    ])
};

static CITATION_DELTA: TextShape = TextShape::object(&[m("type", &WORD), m("citation", &CITATION)]);
