//! Text in embeddings and moderations of OpenAI and Azure OpenAI.

use super::{JUDGED, Kinds, Leaf, OPAQUE, SEAL, TextShape, WORD, m};

/// A text, texts, token ids, or lists of token ids.
static INPUT: TextShape = TextShape::leaf(Leaf::Tokens);

pub(super) static EMBEDDINGS_REQUEST: TextShape = TextShape::object(&[
    m("model", &JUDGED),
    m("input", &INPUT),
    m("encoding_format", &WORD),
]);

pub(super) static MODERATIONS_REQUEST: TextShape =
    TextShape::object(&[m("model", &JUDGED), m("input", &MODERATED)]);

/// A text, texts, or parts.
static MODERATED: TextShape = TextShape {
    kinds: Some(Kinds::Type(&["text", "image_url"])),
    ..TextShape::object(&[m("type", &WORD), m("image_url", &OPAQUE)])
};

/// Vectors say nothing that a person could read; they are numbers, or base64 of numbers.
pub(super) static ANSWER: TextShape = TextShape::object(&[
    m("id", &WORD),
    m("object", &WORD),
    m("model", &JUDGED),
    m(
        "data",
        &TextShape::object(&[
            m("id", &WORD),
            m("object", &WORD),
            m("owned_by", &WORD),
            m("embedding", &SEAL),
        ]),
    ),
    m("error", &ERROR),
]);

/// An error of OpenAI.
pub(super) static ERROR: TextShape =
    TextShape::object(&[m("type", &WORD), m("code", &WORD), m("param", &WORD)]);
