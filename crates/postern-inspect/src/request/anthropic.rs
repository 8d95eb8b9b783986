//! What is read of the request bodies of Anthropic.

use super::tools::ANTHROPIC;
use super::{COUNT_ALL, Slot, take};
use crate::json::{Leaf, Member, Shape};

type Place = Shape<Slot>;

/// Messages, and the counting of their tokens.
pub(super) static MESSAGES: Place = Shape {
    mark: Some(Slot::Root),
    ..Shape::object(&[
        Member::new("model", &take(Slot::Model)),
        Member::new("stream", &take(Slot::Stream)),
        Member::new("max_tokens", &take(Slot::Cap)),
        Member::new("system", &BLOCK),
        Member::new("messages", &Shape::list(&MESSAGE)),
        Member::new("tools", &Shape::list(&TOOL)),
        Member::new("fallbacks", &take(Slot::NotServed("fallbacks"))),
        Member::new("output_format", &COUNT_ALL),
        Member::new("container", &CONTAINER),
    ])
};

/// A tool. One of them (an advisor) uses a model beside the request's.
static TOOL: Place = Shape {
    leaf: Leaf::Count,
    rest: Some(&COUNT_ALL),
    mark: Some(Slot::Tool(&ANTHROPIC)),
    ..Shape::object(&[
        Member::new("type", &take(Slot::ToolType)),
        Member::new("model", &take(Slot::ToolModel)),
    ])
};

static MESSAGE: Place = Shape::object(&[Member::new("content", &BLOCK)]);

/// A string, a block, or blocks; blocks hold blocks.
static BLOCK: Place = Shape {
    leaf: Leaf::Count,
    elements: Some(&BLOCK),
    ..Shape::object(&[
        Member::new("text", &COUNT_ALL),
        Member::new("thinking", &COUNT_ALL),
        Member::new("title", &COUNT_ALL),
        Member::new("context", &COUNT_ALL),
        Member::new("stdout", &COUNT_ALL),
        Member::new("stderr", &COUNT_ALL),
        Member::new("input", &COUNT_ALL),
        Member::new("content", &BLOCK),
        Member::new("source", &SOURCE),
        Member::new("file_id", &take(Slot::File)),
        // Words of the format, not of the text.
        Member {
            name: "type",
            other: "",
            shape: None,
        },
    ])
};

static SOURCE: Place = Shape {
    mark: Some(Slot::Source),
    leaf: Leaf::Count,
    ..Shape::object(&[
        Member::new("type", &take(Slot::SourceType)),
        Member::new(
            "data",
            &Shape {
                leaf: Leaf::Measure(Slot::Source),
                ..Shape::new()
            },
        ),
        Member::new("content", &BLOCK),
        Member::new("file_id", &take(Slot::File)),
    ])
};

/// A sandbox that the provider keeps.
static CONTAINER: Place = Shape {
    leaf: Leaf::Take(Slot::Container),
    ..Shape::object(&[
        Member::new("id", &take(Slot::Container)),
        Member::new("skills", &Shape::list(&SKILL)),
    ])
};

static SKILL: Place = Shape::object(&[Member::new("skill_id", &take(Slot::Skill))]);
