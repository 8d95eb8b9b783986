//! Text in requests and answers of Gemini. Protobuf JSON takes each field in two spellings.

use super::{
    ALL_TEXT, By, CLEARED, JUDGED, Kinds, LOOSE, Leaf, OPAQUE, PIECE, SEAL, STEADY, TEXT,
    TextMember, TextShape, WORD, m, mm,
};

pub(super) static REQUEST: TextShape = TextShape::object(&[
    m("model", &JUDGED),
    m("contents", &CONTENT),
    mm("systemInstruction", "system_instruction", &CONTENT),
    m("tools", &TOOL),
    mm("toolConfig", "tool_config", &WORDS),
    mm("safetySettings", "safety_settings", &WORDS),
    mm("generationConfig", "generation_config", &CONFIG),
    mm("cachedContent", "cached_content", &WORD),
    mm(
        "generateContentRequest",
        "generate_content_request",
        &REQUEST,
    ),
    m("labels", &ALL_TEXT),
]);

static CONTENT: TextShape = TextShape::object(&[m("role", &WORD), m("parts", &PART)]);

static PART: TextShape = TextShape {
    kinds: PART_KINDS,
    ..TextShape::object(&PART_MEMBERS)
};

/// A part is of the kind that its member has; some members say more about another one.
const PART_KINDS: Option<Kinds> = Some(Kinds::Members(&[
    "text",
    "thought",
    "thoughtSignature",
    "thought_signature",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "functionCall",
    "function_call",
    "functionResponse",
    "function_response",
    "toolCall",
    "tool_call",
    "toolResponse",
    "tool_response",
    "executableCode",
    "executable_code",
    "codeExecutionResult",
    "code_execution_result",
    "audioTranscription",
    "audio_transcription",
    "videoMetadata",
    "video_metadata",
    "mediaResolution",
    "media_resolution",
    "partMetadata",
    "part_metadata",
    "mediaProcessing",
    "media_processing",
    "speechMetadata",
    "speech_metadata",
    "documentMetadata",
    "document_metadata",
    "spreadsheetMetadata",
    "spreadsheet_metadata",
    "audioMetadata",
    "audio_metadata",
]));

static PART_MEMBERS: [TextMember; 10] = [
    m("text", &TEXT),
    mm("inlineData", "inline_data", &DATA),
    mm("fileData", "file_data", &DATA),
    mm("functionCall", "function_call", &CALL),
    mm("functionResponse", "function_response", &RESULT),
    mm("toolCall", "tool_call", &TOOL_CALL),
    mm("toolResponse", "tool_response", &TOOL_RESPONSE),
    mm("executableCode", "executable_code", &CODE),
    mm("codeExecutionResult", "code_execution_result", &CODE),
    mm("thoughtSignature", "thought_signature", &SEAL),
];

static DATA: TextShape = TextShape::object(&[
    mm("mimeType", "mime_type", &WORD),
    m("data", &OPAQUE),
    mm("fileUri", "file_uri", &OPAQUE),
]);

static CALL: TextShape =
    TextShape::object(&[m("id", &WORD), m("name", &WORD), m("args", &ALL_TEXT)]);

static RESULT: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("name", &WORD),
    m("response", &ALL_TEXT),
    m("parts", &PART),
    m("scheduling", &WORD),
]);

/// A call of a tool of the provider's own.
static TOOL_CALL: TextShape = TextShape::object(&[
    m("id", &WORD),
    mm("toolType", "tool_type", &WORD),
    m("args", &ALL_TEXT),
]);

static TOOL_RESPONSE: TextShape = TextShape::object(&[
    m("id", &WORD),
    mm("toolType", "tool_type", &WORD),
    m("response", &ALL_TEXT),
]);

static CODE: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("language", &WORD),
    m("outcome", &WORD),
    m("code", &TEXT),
    m("output", &TEXT),
]);

static TOOL: TextShape = TextShape::object(&[mm(
    "functionDeclarations",
    "function_declarations",
    &DECLARATION,
)]);

static DECLARATION: TextShape = TextShape::object(&[
    m("name", &WORD),
    m("parameters", &ALL_TEXT),
    mm("parametersJsonSchema", "parameters_json_schema", &ALL_TEXT),
    m("response", &ALL_TEXT),
    mm("responseJsonSchema", "response_json_schema", &ALL_TEXT),
]);

/// Settings: a word of the format, or members that are text as any that no table names. A secret
/// has a place in some of them.
static WORDS: TextShape = TextShape {
    rest: Some(&LOOSE),
    ..TextShape::leaf(Leaf::Word)
};

static CONFIG: TextShape = TextShape::object(&[
    mm("responseMimeType", "response_mime_type", &WORD),
    mm("responseModalities", "response_modalities", &WORD),
    mm("responseSchema", "response_schema", &ALL_TEXT),
    mm("responseJsonSchema", "response_json_schema", &ALL_TEXT),
    mm("stopSequences", "stop_sequences", &TEXT),
]);

pub(super) static ANSWER: TextShape = TextShape::object(&[
    m("candidates", &CANDIDATE),
    mm("modelVersion", "model_version", &WORD),
    mm("responseId", "response_id", &WORD),
    mm("createTime", "create_time", &WORD),
    mm("promptFeedback", "prompt_feedback", &FEEDBACK),
    mm("usageMetadata", "usage_metadata", &WORDS),
]);

static FEEDBACK: TextShape = TextShape::object(&[
    mm("blockReason", "block_reason", &WORD),
    mm("safetyRatings", "safety_ratings", &WORDS),
]);

static CANDIDATE: TextShape = TextShape::object(&[
    m("content", &CONTENT),
    mm("finishReason", "finish_reason", &WORD),
    mm("finishMessage", "finish_message", &TEXT),
    mm("safetyRatings", "safety_ratings", &WORDS),
    mm("groundingMetadata", "grounding_metadata", &LOOSE),
    mm("citationMetadata", "citation_metadata", &LOOSE),
    mm("urlContextMetadata", "url_context_metadata", &LOOSE),
    mm("logprobsResult", "logprobs_result", &CLEARED),
]);

// The usage so far comes with every event, and clients read it of the last.
pub(super) static EVENT: TextShape = TextShape {
    rest: Some(&STEADY),
    keep: &["usageMetadata", "usage_metadata"],
    ..TextShape::object(&[
        m("candidates", &CHUNK),
        mm("modelVersion", "model_version", &WORD),
        mm("responseId", "response_id", &WORD),
        mm("createTime", "create_time", &WORD),
        mm("promptFeedback", "prompt_feedback", &FEEDBACK),
        mm("usageMetadata", "usage_metadata", &WORDS),
    ])
};

static CHUNK: TextShape = TextShape {
    rest: Some(&STEADY),
    keep: &["finishReason", "finish_reason"],
    by: &[By::Protobuf("index")],
    ..TextShape::object(&[
        m("content", &CONTENT_PIECE),
        mm("finishReason", "finish_reason", &WORD),
        mm("finishMessage", "finish_message", &TEXT),
        mm("safetyRatings", "safety_ratings", &WORDS),
        mm("groundingMetadata", "grounding_metadata", &LOOSE),
        mm("citationMetadata", "citation_metadata", &LOOSE),
        mm("urlContextMetadata", "url_context_metadata", &LOOSE),
        mm("logprobsResult", "logprobs_result", &CLEARED),
    ])
};

static CONTENT_PIECE: TextShape = TextShape {
    rest: Some(&STEADY),
    keep: &["role"],
    ..TextShape::object(&[m("role", &WORD), m("parts", &PART_PIECE)])
};

static PART_PIECE: TextShape = TextShape {
    kinds: PART_KINDS,
    by: &[By::Protobuf("thought")],
    ..TextShape::object(&[
        m("text", &TextShape::leaf(TEXT_PIECE)),
        mm("inlineData", "inline_data", &DATA),
        mm("fileData", "file_data", &DATA),
        mm("functionCall", "function_call", &CALL_PIECE),
        mm("functionResponse", "function_response", &RESULT),
        mm("toolCall", "tool_call", &TOOL_CALL),
        mm("toolResponse", "tool_response", &TOOL_RESPONSE),
        mm("executableCode", "executable_code", &CODE),
        mm("codeExecutionResult", "code_execution_result", &CODE),
        mm("audioTranscription", "audio_transcription", &TRANSCRIPT),
        mm("thoughtSignature", "thought_signature", &SEAL),
    ])
};

/// What is heard, as the sound comes in pieces.
static TRANSCRIPT: TextShape = TextShape::object(&[m("text", &PIECE)]);

/// A call whole, or its arguments in pieces.
static CALL_PIECE: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("name", &WORD),
    m("args", &ALL_TEXT),
    mm("partialArgs", "partial_args", &PARTIAL),
]);

static PARTIAL: TextShape = TextShape {
    by: &[By::Place("jsonPath", "json_path")],
    keep: &["willContinue", "will_continue"],
    ..TextShape::object(&[
        mm("jsonPath", "json_path", &WORD),
        mm(
            "stringValue",
            "string_value",
            &TextShape::leaf(PARTIAL_PIECE),
        ),
    ])
};

const PARTIAL_PIECE: Leaf = Leaf::Piece {
    json: false,
    name: PARTIAL_NAME,
};

const TEXT_PIECE: Leaf = Leaf::Piece {
    json: false,
    name: TEXT_NAME,
};

/// The name of the text of a candidate.
pub(crate) const TEXT_NAME: &str = "candidates.content.parts.text";

/// The name of arguments that come in pieces.
pub(crate) const PARTIAL_NAME: &str = "partial_args";
