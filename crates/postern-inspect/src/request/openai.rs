//! What is read of the request bodies of OpenAI and Azure OpenAI.

use super::tools::{OPENAI, OPENAI_CHAT};
use super::{COUNT_ALL, Slot, take};
use crate::json::{Leaf, Member, Shape};

type Place = Shape<Slot>;

/// Chat completions.
pub(super) static CHAT: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&[
        Member::new("model", &take(Slot::Model)),
        Member::new("models", &take(Slot::NotServed("models"))),
        Member::new("fallbacks", &take(Slot::NotServed("fallbacks"))),
        Member::new("stream", &take(Slot::Stream)),
        Member::new("stream_options", &STREAM_OPTIONS),
        Member::new("max_tokens", &take(Slot::Cap)),
        Member::new("max_completion_tokens", &take(Slot::Cap)),
        Member::new("n", &take(Slot::Choices)),
        Member::new("messages", &Shape::list(&MESSAGE)),
        Member::new("tools", &Shape::list(&CHAT_TOOL)),
        Member::new("functions", &COUNT_ALL),
        Member::new("response_format", &COUNT_ALL),
        Member::new("prediction", &COUNT_ALL),
        // Azure reads a search service here, as the resource's own identity.
        Member::new("data_sources", &take(Slot::NotServed("data_sources"))),
    ])
};

/// A tool of the client's own: a provider's would act, or ask a model, beside what was judged.
static CHAT_TOOL: Place = Shape {
    leaf: Leaf::Count,
    mark: Some(Slot::Tool(&OPENAI_CHAT)),
    rest: Some(&COUNT_ALL),
    ..Shape::object(&[Member::new("type", &take(Slot::ToolType))])
};

static STREAM_OPTIONS: Place = Shape {
    leaf: Leaf::Take(Slot::StreamOptions),
    mark: Some(Slot::StreamOptions),
    ..Shape::object(&[Member::new("include_usage", &take(Slot::IncludeUsage))])
};

static MESSAGE: Place = Shape::object(&[
    Member::new("content", &CHAT_CONTENT),
    Member::new("refusal", &COUNT_ALL),
    Member::new("reasoning_content", &COUNT_ALL),
    Member::new("name", &COUNT_ALL),
    Member::new("tool_calls", &Shape::list(&TOOL_CALL)),
    Member::new("function_call", &COUNT_ALL),
    // Sound of an earlier answer, by its id.
    Member::new(
        "audio",
        &Shape::object(&[Member::new("id", &take(Slot::Item))]),
    ),
]);

static CHAT_CONTENT: Place = Shape {
    leaf: Leaf::Count,
    ..Shape::list(&CHAT_PART)
};

static CHAT_PART: Place = Shape::object(&[
    Member::new("text", &COUNT_ALL),
    Member::new("refusal", &COUNT_ALL),
    Member::new(
        "file",
        &Shape::object(&[Member::new("file_id", &take(Slot::File))]),
    ),
]);

static TOOL_CALL: Place = Shape::object(&[
    Member::new("function", &COUNT_ALL),
    Member::new("custom", &COUNT_ALL),
]);

/// Responses.
pub(super) static RESPONSES: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&[
        Member::new("model", &take(Slot::Model)),
        Member::new("models", &take(Slot::NotServed("models"))),
        Member::new("fallbacks", &take(Slot::NotServed("fallbacks"))),
        Member::new("stream", &take(Slot::Stream)),
        Member::new("background", &take(Slot::Background)),
        Member::new("store", &take(Slot::Store)),
        Member::new("max_output_tokens", &take(Slot::Cap)),
        Member::new("previous_response_id", &take(Slot::PreviousResponse)),
        Member::new("conversation", &CONVERSATION),
        Member::new("prompt", &PROMPT),
        Member::new("instructions", &INPUT),
        Member::new("input", &INPUT),
        Member::new("tools", &Shape::list(&TOOL)),
        Member::new("text", &COUNT_ALL),
    ])
};

static CONVERSATION: Place = Shape {
    leaf: Leaf::Take(Slot::Conversation),
    ..Shape::object(&[Member::new("id", &take(Slot::ConversationId))])
};

static PROMPT: Place = Shape {
    leaf: Leaf::Take(Slot::Prompt),
    ..Shape::object(&[
        Member::new("id", &take(Slot::PromptId)),
        Member::new("variables", &VARIABLES),
    ])
};

/// Values of a stored prompt, by names of the client's own.
static VARIABLES: Place = Shape {
    rest: Some(&PART),
    elements: Some(&PART),
    ..Shape::new()
};

static INPUT: Place = Shape {
    leaf: Leaf::Count,
    ..Shape::list(&ITEM)
};

static ITEM: Place = Shape {
    mark: Some(Slot::InputItem),
    ..Shape::object(&[
        Member::new("type", &take(Slot::ItemType)),
        Member::new("id", &take(Slot::ItemId)),
        Member::new("role", &take(Slot::ItemRole)),
        Member::new(
            "encrypted_content",
            &Shape {
                leaf: Leaf::Measure(Slot::ItemEncrypted),
                ..Shape::new()
            },
        ),
        Member::new("approval_request_id", &take(Slot::Item)),
        Member::new("container_id", &take(Slot::Container)),
        Member::new("content", &PARTS),
        Member::new("summary", &PARTS),
        Member::new("output", &PARTS),
        Member::new("arguments", &COUNT_ALL),
        Member::new("input", &COUNT_ALL),
        Member::new("code", &COUNT_ALL),
        Member::new("action", &COUNT_ALL),
        Member::new("results", &COUNT_ALL),
        Member::new("outputs", &COUNT_ALL),
        Member::new("tools", &COUNT_ALL),
    ])
};

static PARTS: Place = Shape {
    leaf: Leaf::Count,
    elements: Some(&PART),
    ..Shape::object(&PART_MEMBERS)
};

/// A content part; tool outputs put the same members into an object without a list.
static PART: Place = Shape {
    leaf: Leaf::Count,
    ..Shape::object(&PART_MEMBERS)
};

static PART_MEMBERS: [Member<Slot>; 10] = [
    Member::new("text", &COUNT_ALL),
    Member::new("refusal", &COUNT_ALL),
    Member::new("transcript", &COUNT_ALL),
    Member::new("stdout", &COUNT_ALL),
    Member::new("stderr", &COUNT_ALL),
    Member::new("file_id", &take(Slot::File)),
    // What is not text: pictures and files as data or as an address.
    Member {
        name: "image_url",
        other: "",
        shape: None,
    },
    Member {
        name: "file_data",
        other: "",
        shape: None,
    },
    Member {
        name: "file_url",
        other: "",
        shape: None,
    },
    Member {
        name: "type",
        other: "",
        shape: None,
    },
];

static TOOL: Place = Shape {
    leaf: Leaf::Count,
    mark: Some(Slot::Tool(&OPENAI)),
    rest: Some(&COUNT_ALL),
    ..Shape::object(&[
        Member::new("vector_store_ids", &FILES),
        Member::new("container", &CONTAINER),
        Member::new("environment", &CONTAINER),
        Member::new(
            "input_image_mask",
            &Shape::object(&[Member::new("file_id", &take(Slot::File))]),
        ),
        Member::new("tools", &Shape::list(&TOOL)),
        Member::new("type", &take(Slot::ToolType)),
        // A tool may use a model beside the request's.
        Member::new("model", &take(Slot::ToolModel)),
    ])
};

/// A sandbox that the provider keeps: by name, or made for this request with files in it.
static CONTAINER: Place = Shape {
    leaf: Leaf::Take(Slot::Container),
    ..Shape::object(&[
        Member::new("id", &take(Slot::Container)),
        Member::new("container_id", &take(Slot::Container)),
        Member::new("file_ids", &FILES),
        Member::new("skills", &Shape::list(&SKILL)),
    ])
};

static SKILL: Place = Shape::object(&[Member::new("skill_id", &take(Slot::Skill))]);

static FILES: Place = Shape {
    leaf: Leaf::Take(Slot::FileList),
    ..Shape::list(&FILE)
};
static FILE: Place = take(Slot::File);

/// Embeddings: a string, strings, token ids, or lists of token ids.
pub(super) static EMBEDDINGS: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&[
        Member::new("model", &take(Slot::Model)),
        Member::new("models", &take(Slot::NotServed("models"))),
        Member::new("fallbacks", &take(Slot::NotServed("fallbacks"))),
        Member::new("input", &COUNT_ALL),
    ])
};

/// Moderations: a string, strings, or parts.
pub(super) static MODERATIONS: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&[
        Member::new("model", &take(Slot::Model)),
        Member::new("models", &take(Slot::NotServed("models"))),
        Member::new("fallbacks", &take(Slot::NotServed("fallbacks"))),
        Member::new("input", &MODERATED),
    ])
};

static MODERATED: Place = Shape {
    leaf: Leaf::Count,
    elements: Some(&MODERATED),
    ..Shape::object(&[Member::new("text", &COUNT_ALL)])
};
