//! Bodies of the first version, which knew no findings: logs outlive releases.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AdminRecord, End, IntentRecord, OutcomeRecord, RequestSummary, StrangerRecord, SystemRecord,
    Timing,
};
use crate::{RefusalCode, Usage};

/// The first byte of such a body.
pub(super) const VERSION: u8 = 1;

/// The records of a body.
#[derive(Serialize, Deserialize)]
pub(super) enum Plain {
    Intent(IntentRecord),
    Outcome(Outcome),
    Admin(AdminRecord),
    Strangers(StrangerRecord),
    System(SystemRecord),
}

/// [`OutcomeRecord`] without what came later. The encoding goes by position: the order of the
/// fields is part of the format.
#[derive(Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) summary: Arc<RequestSummary>,
    pub(super) end: End,
    pub(super) status: Option<u16>,
    pub(super) refusal: Option<RefusalCode>,
    pub(super) cause: Option<String>,
    pub(super) upstream_status: Option<u16>,
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
    pub(super) usage: Option<Usage>,
    pub(super) response_model: Option<SmolStr>,
    pub(super) timing: Timing,
}

impl From<Plain> for super::Plain {
    fn from(plain: Plain) -> Self {
        match plain {
            Plain::Intent(record) => Self::Intent(record),
            Plain::Outcome(record) => Self::Outcome(record.into()),
            Plain::Admin(record) => Self::Admin(record),
            Plain::Strangers(record) => Self::Strangers(record),
            Plain::System(record) => Self::System(record),
        }
    }
}

impl From<Outcome> for OutcomeRecord {
    fn from(record: Outcome) -> Self {
        Self {
            summary: record.summary,
            end: record.end,
            status: record.status,
            refusal: record.refusal,
            cause: record.cause,
            upstream_status: record.upstream_status,
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
            usage: record.usage,
            response_model: record.response_model,
            timing: record.timing,
            findings: Vec::new(),
        }
    }
}
