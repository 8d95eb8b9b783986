//! `[log]`: diagnostics, on standard error. Never a secret, never a body, never the audit log.

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "log",
    doc: "Diagnostics on standard error. They hold no secret and no body, and they are not the \
          audit log.",
    keys: &[
        Key {
            name: "level",
            form: "filter",
            default: Some("\"info\""),
            doc: "`error`, `warn`, `info`, `debug` or `trace`; also per part, such as \
                  `\"info,postern_http=debug\"`. Libraries below the gateway speak only when \
                  something is wrong, unless they are named, such as `\"info,sqlx=debug\"`.",
        },
        Key {
            name: "format",
            form: "`\"text\"` or `\"json\"`",
            default: Some("\"text\""),
            doc: "Lines for people, or one JSON object a line.",
        },
    ],
};

/// How lines of the diagnostic log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Diagnostics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The filter, in the form of `tracing_subscriber::EnvFilter`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

pub(super) fn parse(reading: &mut Reading<'_>) -> Log {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let level = |value: &toml::de::DeValue<'_>| {
        let text = units::text(value)?;
        match tracing_subscriber::EnvFilter::try_new(&text) {
            Ok(_) => Ok(text),
            Err(error) => Err(format!("{text:?} is not a filter: {error}")),
        }
    };
    Log {
        level: reading.take(&KEYS, "level", level),
        format: reading.take(&KEYS, "format", units::word(&formats)),
    }
}
