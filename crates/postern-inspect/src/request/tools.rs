//! Tools that the provider runs, and the models that they use.
//!
//! A request names the model that policy is asked about. Most tools use no other; some use one of
//! their own, which the client names or the provider would choose. A model that the provider would
//! choose is unknown, and so is what a tool does whose type is not on the list.

use std::borrow::Cow;

use postern_types::SmolStr;

use crate::InspectError;
use crate::bounds::TOOL_MODELS_MAX;
use crate::locate::model_name;

/// The types of tools of one API.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Types {
    /// Types that use no model but the request's. A name stands for its dated and marked forms
    /// too, such as `web_search_preview`.
    plain: &'static [&'static str],
    /// Types that use a model of their own.
    with_model: &'static [&'static str],
}

/// Tools of OpenAI's Responses.
pub(super) static OPENAI: Types = Types {
    plain: &[
        "function",
        "custom",
        "namespace",
        "file_search",
        "web_search",
        "code_interpreter",
        "computer",
        "computer-preview",
        "mcp",
        "local_shell",
        "shell",
        "apply_patch",
        "tool_search",
    ],
    with_model: &["image_generation"],
};

/// Tools of OpenAI's chat completions: the client's own. The provider runs none there.
pub(super) static OPENAI_CHAT: Types = Types {
    plain: &["function", "custom"],
    with_model: &[],
};

/// Tools of Anthropic's Messages.
pub(super) static ANTHROPIC: Types = Types {
    plain: &[
        "custom",
        "web_search",
        "web_fetch",
        "code_execution",
        "computer",
        "bash",
        "text_editor",
        "memory",
        "mcp",
        "tool_search",
    ],
    with_model: &["advisor"],
};

/// The tools of one request, as they are read. A tool may hold tools.
#[derive(Debug, Default)]
pub(super) struct Tools {
    open: Vec<Tool>,
    models: Vec<SmolStr>,
}

#[derive(Debug, Default)]
struct Tool {
    kind: Option<String>,
    names_model: bool,
}

impl Tools {
    pub(super) fn begin(&mut self) {
        self.open.push(Tool::default());
    }

    pub(super) fn kind(&mut self, kind: &str) {
        if let Some(tool) = self.open.last_mut() {
            tool.kind = Some(kind.to_owned());
        }
    }

    pub(super) fn model(&mut self, name: &str) -> Result<(), InspectError> {
        let model = model_name(name)?;
        if let Some(tool) = self.open.last_mut() {
            tool.names_model = true;
        }
        if self.models.contains(&model) {
            return Ok(());
        }
        if self.models.len() >= TOOL_MODELS_MAX {
            return Err(InspectError::bad("its tools name too many models"));
        }
        self.models.push(model);
        Ok(())
    }

    /// A tool was read to its end.
    pub(super) fn end(&mut self, types: &Types) -> Result<(), InspectError> {
        let tool = self.open.pop().unwrap_or_default();
        // Without a type it is a function of the client's.
        let Some(kind) = &tool.kind else {
            return Ok(());
        };
        if is_one_of(kind, types.with_model) {
            return if tool.names_model {
                Ok(())
            } else {
                let why = "a tool uses a model and does not name it: the provider would choose";
                Err(InspectError::UnknownModel(Cow::Borrowed(why)))
            };
        }
        if is_one_of(kind, types.plain) {
            return Ok(());
        }
        let why = "a tool of a type that this release does not know";
        Err(InspectError::Unsupported(Cow::Borrowed(why)))
    }

    /// The models that tools name.
    pub(super) fn into_models(self) -> Vec<SmolStr> {
        self.models
    }
}

/// Whether a type is one of these names, or a dated or marked form of one.
fn is_one_of(kind: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        kind.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}
