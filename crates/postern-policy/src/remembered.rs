//! Decisions that were made before.
//!
//! An evaluation is a function of its statements, its entities and its question. Where the layers
//! read no attribute of the request but those in `Asker`, an equal asker has an equal question, so
//! a permit that was given is given again without asking. What is denied is asked anew each time:
//! it is rare, and its cause is worth saying afresh.
//!
//! SECURITY: the layers are named by numbers that are given once and never again in this process.
//! A policy or a grant that changes is compiled anew and has another number, so nothing that was
//! remembered of the old one can be met.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use postern_types::{
    AiRequest, Operation, Principal, RequestContext, SmolStr, UpstreamKind, UpstreamName,
};

use crate::bounds::DECISIONS_REMEMBERED;

/// The number of a compiled layer: a clone is the same layer, and no other has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerId(u64);

impl LayerId {
    /// A number that no layer had before.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for LayerId {
    fn default() -> Self {
        Self::next()
    }
}

/// What both layers say when they permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permits {
    /// The statements that permitted, guard-rails first.
    pub(crate) policies: Arc<[Arc<str>]>,
    /// The headers that these let pass.
    pub(crate) headers: Arc<[Arc<str>]>,
}

/// All that such a question is made from. The environment is that of the layers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asker {
    layers: (LayerId, LayerId),
    principal: Principal,
    upstream: UpstreamName,
    kind: UpstreamKind,
    operation: Option<Operation>,
    model: Option<SmolStr>,
}

struct Met {
    asker: Asker,
    permits: Permits,
}

thread_local! {
    /// A place for each question by its hash; a question that meets another there takes its place.
    static MET: RefCell<Vec<Option<Met>>> = const { RefCell::new(Vec::new()) };
}

/// The permits that were given to an equal question of the same layers.
pub(crate) fn recall(layers: (LayerId, LayerId), request: &RequestContext) -> Option<Permits> {
    MET.with_borrow(|met| {
        let known = met.get(place(layers, request))?.as_ref()?;
        known
            .asker
            .is(layers, request)
            .then(|| known.permits.clone())
    })
}

/// Remembers the permits of a question.
pub(crate) fn remember(layers: (LayerId, LayerId), request: &RequestContext, permits: Permits) {
    let ai = request.ai.as_ref();
    let asker = Asker {
        layers,
        principal: request.subject.principal.clone(),
        upstream: request.upstream.clone(),
        kind: request.upstream_kind,
        operation: ai.map(|ai| ai.operation),
        model: ai.and_then(|ai| ai.model.clone()),
    };
    MET.with_borrow_mut(|met| {
        if met.is_empty() {
            met.resize_with(DECISIONS_REMEMBERED, || None);
        }
        met[place(layers, request)] = Some(Met { asker, permits });
    });
}

impl Asker {
    fn is(&self, layers: (LayerId, LayerId), request: &RequestContext) -> bool {
        let ai = request.ai.as_ref();
        self.layers == layers
            && self.kind == request.upstream_kind
            && self.operation == ai.map(|ai| ai.operation)
            && self.model.as_deref() == ai.and_then(model)
            && self.upstream == request.upstream
            && self.principal == request.subject.principal
    }
}

fn model(ai: &AiRequest) -> Option<&str> {
    ai.model.as_deref()
}

/// Where a question would stand. Only the spread depends on this, never the answer.
fn place((rails, grants): (LayerId, LayerId), request: &RequestContext) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let model = request.ai.as_ref().and_then(model).unwrap_or_default();
    let last = model.as_bytes().iter().rev().take(8);
    let model = last.fold(model.len() as u64, |mixed, byte| {
        mixed.rotate_left(8) ^ u64::from(*byte)
    });
    let mixed = (rails.0 ^ grants.0.rotate_left(32) ^ model.wrapping_mul(MIX)).wrapping_mul(MIX);
    usize::try_from(mixed >> 32).unwrap_or(0) % DECISIONS_REMEMBERED
}
