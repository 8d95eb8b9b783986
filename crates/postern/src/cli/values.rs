//! What may be said for an option, for shells that complete it.
//!
//! Shells offer the names of files for whatever they know nothing about, and a file's name is never
//! that of an environment or a model.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueHint};
use postern_types::{RefusalCode, UpstreamKind};

/// A parser with a list of what it takes. The list is for help and completion; what is not on it is
/// the parser's to refuse, in its own words.
#[derive(Clone)]
pub(super) struct Listed<P> {
    parser: P,
    values: fn() -> Vec<&'static str>,
}

impl<P> Listed<P> {
    pub(super) fn new(parser: P, values: fn() -> Vec<&'static str>) -> Self {
        Self { parser, values }
    }
}

impl<P: TypedValueParser> TypedValueParser for Listed<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            (self.values)().into_iter().map(PossibleValue::new),
        ))
    }
}

/// The kinds of upstreams.
pub(super) fn kinds() -> Vec<&'static str> {
    UpstreamKind::ALL.map(UpstreamKind::as_str).to_vec()
}

/// The kinds of upstreams that are AI providers.
pub(super) fn dialects() -> Vec<&'static str> {
    let http = UpstreamKind::Http.as_str();
    kinds().into_iter().filter(|kind| *kind != http).collect()
}

/// The codes of refusals.
pub(super) fn refusals() -> Vec<&'static str> {
    RefusalCode::ALL.iter().map(|code| code.as_str()).collect()
}

/// The argument with what a shell may offer for it: files and directories where it means them, and
/// nothing of them elsewhere.
pub(super) fn hinted(argument: Arg) -> Arg {
    let named = argument.get_value_names().unwrap_or_default();
    let hint = match named.first().map(|name| name.as_str()) {
        Some("FILE") => ValueHint::FilePath,
        Some("DIR" | "DATA") => ValueHint::DirPath,
        _ => ValueHint::Other,
    };
    if argument.get_action().takes_values() {
        return argument.value_hint(hint);
    }
    argument
}
