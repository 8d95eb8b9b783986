//! A stand-in for an analyzer of names: it speaks the API of Presidio's analyzer, as far as a
//! gateway asks it, and knows a list of names. What else it should do is queued as with any
//! [`ReplayUpstream`]: nonsense, silence, an error.

use std::io;

use serde_json::{Value, json};

use crate::{Answer, ReplayUpstream, SeenRequest};

/// Starts one that knows these names, each with its entity (`PERSON`).
///
/// # Errors
///
/// When no loopback port or thread can be had.
pub fn start(known: &[(&str, &str)]) -> io::Result<ReplayUpstream> {
    let own = |(name, entity): &(&str, &str)| ((*name).to_owned(), (*entity).to_owned());
    let known: Vec<(String, String)> = known.iter().map(own).collect();
    ReplayUpstream::start(move |request: &SeenRequest| answer(request, &known))
}

fn answer(request: &SeenRequest, known: &[(String, String)]) -> Answer {
    let Ok(question) = serde_json::from_slice::<Value>(&request.body) else {
        return Answer::json(500, &json!({"error": "no JSON"}));
    };
    let (Some(text), Some(_)) = (question["text"].as_str(), question["language"].as_str()) else {
        return Answer::json(500, &json!({"error": "No text or language provided"}));
    };
    let mut found = Vec::new();
    for (name, entity) in known {
        for (at, _) in text.match_indices(name.as_str()) {
            let start = text[..at].chars().count();
            found.push(json!({"entity_type": entity, "start": start,
                "end": start + name.chars().count(), "score": 0.85,
                "analysis_explanation": null}));
        }
    }
    Answer::json(200, &Value::Array(found))
}
