//! Why bytes cannot be judged.

use std::borrow::Cow;

use postern_types::RefusalCode;
use thiserror::Error;

use crate::CleanError;

/// Why a request or an answer cannot be judged. The text is the operator's cause; it never holds
/// content of the request beyond names that the request itself chose, cut short.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InspectError {
    /// Method and path are not on the closed list of operations.
    #[error("no operation of this upstream: {0}")]
    UnknownOperation(Cow<'static, str>),
    /// The request does not say which model it is for.
    #[error("cannot tell the model: {0}")]
    UnknownModel(Cow<'static, str>),
    /// The request is malformed, or two readers could understand it differently.
    #[error("cannot read the request in one way: {0}")]
    BadRequest(Cow<'static, str>),
    /// A part of the API that this release does not serve.
    #[error("not served: {0}")]
    Unsupported(Cow<'static, str>),
    /// The upstream's answer cannot be read, and it had to be.
    #[error("cannot read the upstream's answer: {0}")]
    Upstream(Cow<'static, str>),
    /// A data rule blocks what is in the text.
    #[error("{0}")]
    DataBlocked(Cow<'static, str>),
    /// A data rule applies, and the bytes cannot be inspected.
    #[error("cannot inspect: {0}")]
    CannotInspect(Cow<'static, str>),
    /// An analyzer has to be asked before work goes on. Whoever does not know that refuses.
    #[error("cannot inspect: an analyzer has to be asked first")]
    NeedsAnalysis,
}

impl From<CleanError> for InspectError {
    fn from(error: CleanError) -> Self {
        match error {
            CleanError::Blocked { .. } => Self::DataBlocked(error.to_string().into()),
            CleanError::CannotInspect(cause) => Self::CannotInspect(cause.into()),
            CleanError::NeedsAnalysis => Self::NeedsAnalysis,
        }
    }
}

impl InspectError {
    /// The code with which the gateway refuses.
    #[must_use]
    pub fn refusal_code(&self) -> RefusalCode {
        match self {
            Self::UnknownOperation(_) => RefusalCode::UnknownOperation,
            Self::UnknownModel(_) => RefusalCode::UnknownModel,
            Self::BadRequest(_) => RefusalCode::BadRequest,
            Self::Unsupported(_) => RefusalCode::Unsupported,
            Self::Upstream(_) => RefusalCode::UpstreamProtocol,
            Self::DataBlocked(_) => RefusalCode::DataBlocked,
            Self::CannotInspect(_) | Self::NeedsAnalysis => RefusalCode::CannotInspect,
        }
    }

    pub(crate) fn bad(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(cause.into())
    }

    pub(crate) fn cannot(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::CannotInspect(cause.into())
    }

    pub(crate) fn upstream(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::Upstream(cause.into())
    }
}
