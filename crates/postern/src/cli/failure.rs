//! Why a command failed, and what to do about it.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;

use super::escape::{json, plain_lines};
use super::output::style;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A check failed, or the server refused.
    Failed,
    /// The command was not used as it can be.
    Usage,
    /// Nobody reads the output any more, as in `postern audit search | head`: no failure.
    Unread,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    hints: Vec<String>,
    code: Option<String>,
    request: Option<String>,
}

/// What every command gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Something failed.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            exit: Exit::Failed,
            message,
            hints: Vec::new(),
            code: None,
            request: None,
        }
    }

    /// The command was not used as it can be.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(message)
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the server's code and request id.
    #[must_use]
    pub fn from_server(mut self, code: Option<String>, request: Option<String>) -> Self {
        self.code = code;
        self.request = request;
        self
    }

    /// The same as a failure also where nobody reads the output any more.
    #[must_use]
    pub fn also_unread(mut self) -> Self {
        if self.exit == Exit::Unread {
            self.exit = Exit::Failed;
        }
        self
    }

    /// The server's refusal code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        match self.exit {
            Exit::Failed => ExitCode::from(1),
            Exit::Usage => ExitCode::from(2),
            Exit::Unread => ExitCode::SUCCESS,
        }
    }

    /// Whether there is somebody to tell.
    #[must_use]
    pub fn is_to_be_said(&self) -> bool {
        self.exit != Exit::Unread
    }

    /// The message as it is printed: for people in colour, for scripts as one JSON object.
    #[must_use]
    pub fn render(&self, as_json: bool) -> String {
        if as_json {
            return json(&Wire { error: self.into() }, true);
        }
        let (bad, faint) = (style::BAD, style::FAINT);
        let mut text = format!("{bad}error:{bad:#} {}", plain_lines(&self.message));
        if let Some(request) = &self.request {
            let request = plain_lines(request);
            text.push_str(&format!("\n{faint}request {request}{faint:#}"));
        }
        for hint in &self.hints {
            text.push_str(&format!("\n{faint}hint:{faint:#} {}", plain_lines(hint)));
        }
        text
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    error: WireError<'a>,
}

#[derive(Serialize)]
struct WireError<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hints: &'a [String],
}

impl<'a> From<&'a Failure> for WireError<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            message: &failure.message,
            code: failure.code.as_deref(),
            request_id: failure.request.as_deref(),
            hints: &failure.hints,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self {
                exit: Exit::Unread,
                ..failure
            },
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_and_is_safe_to_print() {
        let failure = Failure::new("there is no upstream \u{1b}[31m\nhere")
            .hint("postern upstream list --env dev")
            .from_server(Some("unknown_upstream".into()), Some("0198".into()));
        let text = anstream::adapter::strip_str(&failure.render(false)).to_string();
        assert_eq!(
            text,
            "error: there is no upstream \\u{1b}[31m\nhere\nrequest 0198\n\
             hint: postern upstream list --env dev"
        );
        let read: serde_json::Value = serde_json::from_str(&failure.render(true)).unwrap();
        assert_eq!(read["error"]["code"], "unknown_upstream");
    }
}
