//! The nouns of Postern and their arithmetic: names, ids, API tokens, grants, limits, usage,
//! audit records and refusals.
//!
//! Everything here is pure. No item does I/O, reads a clock or draws randomness: times and random
//! bytes are arguments. The crate holds no logic about requests; it holds the words with which
//! the other crates talk about them.
//!
//! ```
//! use postern_types::{ApiToken, EnvName, TokenKind};
//!
//! let env = EnvName::parse("dev")?;
//! let token = ApiToken::mint(TokenKind::Server, &env, &[7; 12], &[9; 32]);
//! let read_back = ApiToken::parse(token.expose())?;
//! assert_eq!(read_back.id(), token.id());
//! // A token never prints its secret.
//! assert!(!format!("{token:?}").contains(token.expose()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod data;
mod grant;
mod id;
mod limit;
mod name;
mod operation;
mod path;
mod record;
mod refusal;
mod secret;
mod token;
mod upstream;
mod usage;

/// A short text of a request: a segment of its path, a model, the name of a header.
pub use smol_str::SmolStr;

pub use context::{
    AiRequest, OwnedId, OwnedKind, Principal, RequestContext, Source, SourceVia, Subject,
};
pub use data::{
    BuiltinClass, ClassGroup, ClassSelector, CustomDetector, DataAction, DataClass, DataRule,
    DataRuleSpec, DataRules, Direction, FieldRule, Finding, OpaqueAction, ParseDataActionError,
    ParseDataClassError, PseudonymScope, ThinkingAction,
};
pub use grant::{
    BodyRule, CallRule, Conditions, Grant, GrantError, Invoke, METHODS_WITH_BODY, ModelPattern,
    Rights, ValueRule,
};
pub use id::{ParseIdError, RequestId, TokenId};
pub use limit::{Limit, ParseLimitError, RateWindow};
pub use name::{
    EnvName, NameError, PolicyName, PrincipalId, PrincipalKind, RuleName, UpstreamName,
};
pub use operation::Operation;
pub use path::{CanonicalPath, PathError, PathTemplate, Segment};
pub use record::{
    Actor, AdminRecord, AuditRecord, DecodeRecordError, End, IntentRecord, OutcomeRecord,
    RecordHeader, RecordKind, RequestSummary, StrangerRecord, SystemRecord, Timing,
};
pub use refusal::{Fault, RateNotice, Refusal, RefusalCode};
pub use secret::Secret;
pub use token::{ApiToken, ParseTokenError, Pepper, TokenDigest, TokenKind, looks_like_token};
pub use upstream::{ParseUpstreamKindError, UpstreamKind};
pub use usage::{Usage, UsageSource};
