//! What is read of the request bodies of Gemini. Protobuf JSON takes each field in two spellings.

use super::{COUNT_ALL, Slot, take};
use crate::json::{Leaf, Member, Shape};

type Place = Shape<Slot>;

/// Generating, streaming or not, and the counting of tokens.
pub(super) static GENERATE: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&REQUEST)
};

static REQUEST: [Member<Slot>; 7] = [
    // The path names the model; a second one in the body must be the same.
    Member::new("model", &take(Slot::Model)),
    Member::new("contents", &CONTENT),
    Member::both("systemInstruction", "system_instruction", &CONTENT),
    Member::new("tools", &Shape::list(&TOOL)),
    Member::both(
        "cachedContent",
        "cached_content",
        &take(Slot::CachedContent),
    ),
    Member::both("generationConfig", "generation_config", &CONFIG),
    // What is counted may be given as a whole request.
    Member::both(
        "generateContentRequest",
        "generate_content_request",
        &NESTED,
    ),
];

static NESTED: Place = Shape {
    mark: Some(Slot::Nested),
    ..Shape::object(&REQUEST)
};

static CONTENT: Place = Shape {
    leaf: Leaf::Count,
    elements: Some(&CONTENT),
    ..Shape::object(&[Member::new("parts", &PARTS)])
};

static PARTS: Place = Shape {
    leaf: Leaf::Count,
    elements: Some(&PART),
    ..Shape::object(&PART_MEMBERS)
};

static PART: Place = Shape {
    leaf: Leaf::Count,
    ..Shape::object(&PART_MEMBERS)
};

static PART_MEMBERS: [Member<Slot>; 6] = [
    Member::new("text", &COUNT_ALL),
    Member::both("fileData", "file_data", &FILE_DATA),
    Member::both("functionCall", "function_call", &COUNT_ALL),
    Member::both("functionResponse", "function_response", &FUNCTION_RESPONSE),
    Member::both("executableCode", "executable_code", &COUNT_ALL),
    Member::both("codeExecutionResult", "code_execution_result", &COUNT_ALL),
];

static FILE_DATA: Place =
    Shape::object(&[Member::both("fileUri", "file_uri", &take(Slot::FileUri))]);

static FUNCTION_RESPONSE: Place = Shape::object(&[
    Member::new("name", &COUNT_ALL),
    Member::new("response", &COUNT_ALL),
    Member::new("parts", &Shape::list(&PART)),
]);

/// A tool is an object with one member, which says what it is: functions of the client's, or what
/// the provider runs. Another one could reach what the shared credential opens (Vertex reads a
/// corpus in `retrieval`), so the list is closed.
static TOOL: Place = Shape {
    rest: Some(&UNKNOWN_TOOL),
    ..Shape::object(&[
        Member::both("functionDeclarations", "function_declarations", &COUNT_ALL),
        Member::both("googleSearch", "google_search", &COUNT_ALL),
        Member::both(
            "googleSearchRetrieval",
            "google_search_retrieval",
            &COUNT_ALL,
        ),
        Member::both("googleMaps", "google_maps", &COUNT_ALL),
        Member::both("urlContext", "url_context", &COUNT_ALL),
        Member::both("codeExecution", "code_execution", &COUNT_ALL),
        Member::both("computerUse", "computer_use", &COUNT_ALL),
        Member::both("mcpServers", "mcp_servers", &COUNT_ALL),
        Member::both("fileSearch", "file_search", &FILE_SEARCH),
    ])
};

static UNKNOWN_TOOL: Place = take(Slot::NotServed(
    "a tool of a kind that this release does not know",
));

static FILE_SEARCH: Place = Shape::object(&[Member::both(
    "fileSearchStoreNames",
    "file_search_store_names",
    &STORES,
)]);

static STORES: Place = Shape {
    leaf: Leaf::Take(Slot::FileList),
    ..Shape::list(&STORE)
};
static STORE: Place = take(Slot::File);

static CONFIG: Place = Shape::object(&[
    Member::both("maxOutputTokens", "max_output_tokens", &take(Slot::Cap)),
    Member::both("candidateCount", "candidate_count", &take(Slot::Choices)),
    Member::both("responseSchema", "response_schema", &COUNT_ALL),
    Member::both("responseJsonSchema", "response_json_schema", &COUNT_ALL),
]);
