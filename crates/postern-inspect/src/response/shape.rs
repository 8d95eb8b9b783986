//! What is read of answers, a table for each operation.

use postern_types::Operation;

use super::usage::Counter;
use crate::Dialect;
use crate::json::{Leaf, Member, Shape};

/// The places that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The model that answers.
    Model,
    /// The type of an event.
    Type,
    /// The number of an event.
    Sequence,
    /// The id of a response that is kept.
    ResponseId,
    /// An item of a response.
    Item,
    ItemId,
    ItemType,
    /// The id of something kept besides: sound, a sandbox.
    KeptId,
    /// The list of choices.
    Choices,
    /// The usage object, or null.
    Usage,
    /// One figure of it.
    Count(Counter),
    /// One entry of a list of figures by modality; the counters are those of sound and pictures.
    Modal(Counter, Counter),
    Modality,
    ModalCount,
    /// An error object.
    Error,
    /// Why the model stopped.
    Finish,
}

type Place = Shape<Slot>;

/// The table of an operation's answers.
pub(super) fn table(dialect: Dialect, operation: Operation) -> &'static Place {
    match (dialect, operation) {
        // A count of tokens consumes none.
        (_, Operation::CountTokens | Operation::ListModels | Operation::ShowModel)
        | (Dialect::Http, _) => &NOTHING,
        (Dialect::OpenAi | Dialect::AzureOpenAi, Operation::Responses) => &RESPONSES,
        (Dialect::OpenAi | Dialect::AzureOpenAi, _) => &CHAT,
        (Dialect::Anthropic, _) => &MESSAGES,
        (Dialect::Gemini, _) => &GENERATE,
    }
}

static NOTHING: Place = Shape {
    elements: Some(&NOTHING),
    ..Shape::object(&[Member::new("error", &ERROR)])
};

static ERROR: Place = Shape::take(Slot::Error);
static MODEL: Place = Shape::take(Slot::Model);
static KEPT: Place = Shape::object(&[Member::new("id", &Shape::take(Slot::KeptId))]);

const fn figure(counter: Counter) -> Place {
    Shape::take(Slot::Count(counter))
}

/// Chat completions, embeddings, moderations.
static CHAT: Place = Shape::object(&[
    Member::new("model", &MODEL),
    Member::new("choices", &CHOICES),
    Member::new("usage", &OPENAI_USAGE),
    Member::new("error", &ERROR),
]);

static CHOICES: Place = Shape {
    mark: Some(Slot::Choices),
    ..Shape::list(&CHOICE)
};

static CHOICE: Place = Shape::object(&[
    Member::new("message", &CHOICE_MESSAGE),
    Member::new("delta", &CHOICE_MESSAGE),
]);

static CHOICE_MESSAGE: Place = Shape::object(&[Member::new("audio", &KEPT)]);

static OPENAI_USAGE: Place = Shape {
    leaf: Leaf::Take(Slot::Usage),
    mark: Some(Slot::Usage),
    ..Shape::object(&[
        Member::both("prompt_tokens", "input_tokens", &figure(Counter::Input)),
        Member::both(
            "completion_tokens",
            "output_tokens",
            &figure(Counter::Output),
        ),
        Member::new("total_tokens", &figure(Counter::Total)),
        // Compatible servers report cached input beside the total.
        Member::both(
            "cached_tokens",
            "prompt_cache_hit_tokens",
            &figure(Counter::Cached),
        ),
        Member::both(
            "prompt_tokens_details",
            "input_tokens_details",
            &OPENAI_INPUT,
        ),
        Member::both(
            "completion_tokens_details",
            "output_tokens_details",
            &OPENAI_OUTPUT,
        ),
    ])
};

static OPENAI_INPUT: Place = Shape::object(&[
    Member::new("cached_tokens", &figure(Counter::Cached)),
    Member::new("cache_write_tokens", &figure(Counter::CacheWrite)),
    Member::new("audio_tokens", &figure(Counter::InputAudio)),
    Member::new("image_tokens", &figure(Counter::InputImage)),
]);

static OPENAI_OUTPUT: Place = Shape::object(&[
    Member::new("reasoning_tokens", &figure(Counter::Reasoning)),
    Member::new("audio_tokens", &figure(Counter::OutputAudio)),
    Member::new("image_tokens", &figure(Counter::OutputImage)),
]);

/// A response, or an event about one.
static RESPONSES: Place = Shape::object(&[
    Member::new("id", &Shape::take(Slot::ResponseId)),
    Member::new("model", &MODEL),
    Member::new("usage", &OPENAI_USAGE),
    Member::new("output", &Shape::list(&ITEM)),
    Member::new("error", &ERROR),
    Member::new("type", &Shape::take(Slot::Type)),
    Member::new("sequence_number", &Shape::take(Slot::Sequence)),
    Member::new("item", &ITEM),
    Member::new("response", &RESPONSE),
]);

static RESPONSE: Place = Shape::object(&[
    Member::new("id", &Shape::take(Slot::ResponseId)),
    Member::new("model", &MODEL),
    Member::new("usage", &OPENAI_USAGE),
    Member::new("output", &Shape::list(&ITEM)),
    Member::new("error", &ERROR),
]);

static ITEM: Place = Shape {
    mark: Some(Slot::Item),
    ..Shape::object(&[
        Member::new("id", &Shape::take(Slot::ItemId)),
        Member::new("type", &Shape::take(Slot::ItemType)),
        Member::new("container_id", &Shape::take(Slot::KeptId)),
    ])
};

/// A message of Anthropic, or an event about one.
static MESSAGES: Place = Shape::object(&[
    Member::new("type", &Shape::take(Slot::Type)),
    Member::new("model", &MODEL),
    Member::new("usage", &ANTHROPIC_USAGE),
    Member::new("container", &KEPT),
    Member::new("message", &MESSAGE),
    Member::new("delta", &Shape::object(&[Member::new("container", &KEPT)])),
    Member::new("error", &ERROR),
]);

static MESSAGE: Place = Shape::object(&[
    Member::new("model", &MODEL),
    Member::new("usage", &ANTHROPIC_USAGE),
    Member::new("container", &KEPT),
]);

static ANTHROPIC_USAGE: Place = Shape {
    leaf: Leaf::Take(Slot::Usage),
    mark: Some(Slot::Usage),
    ..Shape::object(&[
        Member::new("input_tokens", &figure(Counter::Input)),
        Member::new("output_tokens", &figure(Counter::Output)),
        Member::new("cache_read_input_tokens", &figure(Counter::Cached)),
        Member::new("cache_creation_input_tokens", &figure(Counter::CacheWrite)),
        Member::new(
            "cache_creation",
            &Shape::object(&[
                Member::new("ephemeral_5m_input_tokens", &figure(Counter::CacheWrite5m)),
                Member::new("ephemeral_1h_input_tokens", &figure(Counter::CacheWrite1h)),
            ]),
        ),
        Member::new(
            "output_tokens_details",
            &Shape::object(&[Member::new("thinking_tokens", &figure(Counter::Reasoning))]),
        ),
        Member::new(
            "server_tool_use",
            &Shape::object(&[Member::new(
                "web_search_requests",
                &figure(Counter::Searches),
            )]),
        ),
    ])
};

/// An answer of Gemini, a part of a stream, or the array that holds the parts.
static GENERATE: Place = Shape {
    elements: Some(&GENERATE),
    ..Shape::object(&[
        Member::both("modelVersion", "model_version", &MODEL),
        Member::both("usageMetadata", "usage_metadata", &GEMINI_USAGE),
        Member::new("candidates", &Shape::list(&CANDIDATE)),
        Member::both(
            "promptFeedback",
            "prompt_feedback",
            &Shape::object(&[Member::both(
                "blockReason",
                "block_reason",
                &Shape::take(Slot::Finish),
            )]),
        ),
        Member::new("error", &ERROR),
    ])
};

static CANDIDATE: Place = Shape::object(&[Member::both(
    "finishReason",
    "finish_reason",
    &Shape::take(Slot::Finish),
)]);

static GEMINI_USAGE: Place = Shape {
    leaf: Leaf::Take(Slot::Usage),
    mark: Some(Slot::Usage),
    ..Shape::object(&[
        Member::both(
            "promptTokenCount",
            "prompt_token_count",
            &figure(Counter::Input),
        ),
        Member::both(
            "cachedContentTokenCount",
            "cached_content_token_count",
            &figure(Counter::Cached),
        ),
        Member::both(
            "candidatesTokenCount",
            "candidates_token_count",
            &figure(Counter::Output),
        ),
        Member::both(
            "thoughtsTokenCount",
            "thoughts_token_count",
            &figure(Counter::Reasoning),
        ),
        Member::both(
            "toolUsePromptTokenCount",
            "tool_use_prompt_token_count",
            &figure(Counter::ToolInput),
        ),
        Member::both(
            "promptTokensDetails",
            "prompt_tokens_details",
            &Shape::list(&INPUT_MODAL),
        ),
        Member::both(
            "cacheTokensDetails",
            "cache_tokens_details",
            &Shape::list(&CACHED_MODAL),
        ),
        Member::both(
            "candidatesTokensDetails",
            "candidates_tokens_details",
            &Shape::list(&OUTPUT_MODAL),
        ),
    ])
};

static MODAL: [Member<Slot>; 2] = [
    Member::new("modality", &Shape::take(Slot::Modality)),
    Member::both("tokenCount", "token_count", &Shape::take(Slot::ModalCount)),
];

static INPUT_MODAL: Place = Shape {
    mark: Some(Slot::Modal(Counter::InputAudio, Counter::InputImage)),
    ..Shape::object(&MODAL)
};
static CACHED_MODAL: Place = Shape {
    mark: Some(Slot::Modal(Counter::CachedAudio, Counter::CachedImage)),
    ..Shape::object(&MODAL)
};
static OUTPUT_MODAL: Place = Shape {
    mark: Some(Slot::Modal(Counter::OutputAudio, Counter::OutputImage)),
    ..Shape::object(&MODAL)
};

/// Every table.
#[cfg(test)]
pub(super) const ALL: [&Place; 5] = [&NOTHING, &CHAT, &RESPONSES, &MESSAGES, &GENERATE];
