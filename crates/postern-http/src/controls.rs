//! Data controls on the line: the rules of a permit, compiled and carried along with one request.
//!
//! The rules are compiled once for each change of them, not once a request. A request keeps those
//! that it began with to its end, whatever is changed meanwhile.
//!
//! SECURITY: rules that do not compile refuse every request that they are for; they never let one
//! pass uninspected.

mod ahead;
mod answer;
mod fields;
mod held;
mod keeping;
mod reader;
mod request;

use std::sync::Arc;

use foldhash::HashMap;
use parking_lot::RwLock;
use postern_guard::{Caller, Permit, Upstream};
use postern_inspect::{CleanError, Cleaner, InspectError, KeptPseudonyms, MaskKeys, RuleSet};
use postern_types::{
    DataClass, DataRule, Direction, EnvName, Finding, Refusal, RefusalCode, UpstreamName,
};
use tokio::sync::Semaphore;

use crate::analyzer::{Analyzer, Answers, cannot};
use crate::bounds::CLEANED_INLINE_BYTES_MAX;
use crate::context::{ExchangeBody, refuse};
use crate::gateway::{Journey, Plane};

pub(crate) use ahead::{Ahead, Late};
pub(crate) use answer::{Before, clean_list};
pub(crate) use fields::tell_findings;
pub(crate) use reader::Reader;
pub(crate) use request::CleanRequest;

/// The compiled rules in use, the newest of each upstream, and the places to work on large bodies.
pub(crate) struct Rules {
    known: RwLock<HashMap<(EnvName, UpstreamName), Compiled>>,
    workers: Arc<Semaphore>,
}

struct Compiled {
    of: Arc<[DataRule]>,
    set: Result<Arc<RuleSet>, String>,
}

impl Rules {
    /// Nothing is compiled yet; so many large bodies are worked on at once.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            known: RwLock::default(),
            workers: Arc::new(Semaphore::new(workers)),
        }
    }

    /// The places to work on large bodies.
    pub(crate) fn workers(&self) -> Arc<Semaphore> {
        Arc::clone(&self.workers)
    }

    /// The compiled rules of an upstream.
    ///
    /// # Errors
    /// `cannot_inspect` when they do not compile.
    fn find(
        &self,
        environment: &EnvName,
        upstream: &UpstreamName,
        rules: &Arc<[DataRule]>,
    ) -> Result<Arc<RuleSet>, Refusal> {
        let name = (environment.clone(), upstream.clone());
        let known = {
            let known = self.known.read();
            let current = known.get(&name).filter(|it| Arc::ptr_eq(&it.of, rules));
            current.map(|it| it.set.clone())
        };
        let set = known.unwrap_or_else(|| {
            let set = RuleSet::compile(rules).map(Arc::new);
            let set = set.map_err(|error| error.to_string());
            let of = Arc::clone(rules);
            let compiled = Compiled {
                of,
                set: set.clone(),
            };
            self.known.write().insert(name, compiled);
            set
        });
        set.map_err(|error| {
            let cause = format!("the data rules do not compile: {error}");
            Refusal::new(RefusalCode::CannotInspect, cause)
        })
    }
}

/// The data rules that one request carries with it.
pub(crate) struct Controls {
    pub(crate) rules: Arc<RuleSet>,
    /// That of the request; `None` while it is at work. INVARIANT: only a refusal leaves it `None`.
    cleaner: Option<Cleaner>,
    findings: Vec<Finding>,
    revealed_in_response: Arc<[DataClass]>,
    only_reports: Vec<Direction>,
    /// Whether placeholders are made that outlive the request.
    keeps: bool,
    /// The conversation that the request belongs to, where placeholders outlive it.
    pub(crate) conversation: Option<Arc<str>>,
    /// The placeholders that outlived earlier requests of the token.
    earlier: KeptPseudonyms,
}

impl Controls {
    /// Whether rules are for this direction.
    fn apply(&self, direction: Direction) -> bool {
        self.rules.applies(direction)
    }

    /// What was found in the request so far.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether the rules for a direction only report: then nothing is changed or refused, also what
    /// cannot be inspected.
    pub(crate) fn only_reports(&self, direction: Direction) -> bool {
        self.only_reports.contains(&direction)
    }

    /// The cleaner of the answer; `None` where nothing is to be done to it.
    ///
    /// # Errors
    /// `internal` when the request's is lost.
    fn for_answer(&self) -> Result<Option<Cleaner>, Refusal> {
        let cleaner = self.cleaner.as_ref().ok_or_else(lost)?;
        let mut cleaner = cleaner.for_response(&self.revealed_in_response);
        cleaner.remember(&self.earlier);
        Ok(Some(cleaner).filter(|cleaner| !cleaner.idle()))
    }

    /// Cleans something small, which may need an analyzer: what it changes is worked on as a copy.
    async fn clean_asking<T: Clone + Send>(
        &mut self,
        analyzer: Option<&Analyzer>,
        of: &T,
        work: impl Fn(&mut T, &mut Cleaner) -> Result<(), Refusal> + Send,
    ) -> Result<T, Refusal> {
        let mut cleaner = self.take()?;
        let done = clean_asking(&mut cleaner, analyzer, of, work).await;
        self.give_back(cleaner);
        done
    }

    /// Tells that a request could not be inspected, which passes all the same.
    fn unread(&mut self) {
        if let Some(cleaner) = &mut self.cleaner {
            cleaner.unread("request");
            self.findings = cleaner.findings();
        }
    }

    fn take(&mut self) -> Result<Cleaner, Refusal> {
        self.cleaner.take().ok_or_else(lost)
    }

    fn give_back(&mut self, cleaner: Cleaner) {
        self.findings = cleaner.findings();
        self.cleaner = Some(cleaner);
    }
}

impl Plane {
    /// The rules that the permit names; `None` without any.
    ///
    /// # Errors
    /// `cannot_inspect` when they cannot be acted on.
    pub(crate) fn controls(
        &self,
        permit: &Permit,
        upstream: &Upstream,
        caller: &Caller,
        body: &ExchangeBody,
        journey: &Journey,
    ) -> Result<Option<Controls>, Refusal> {
        let data = permit.data_rules();
        if data.rules.is_empty() {
            return Ok(None);
        }
        let subject = caller.subject();
        let environment = &subject.environment;
        let rules = self
            .rules
            .find(environment, &upstream.row.name, &data.rules)?;
        // Such a rule cannot be saved without an analyzer, but its section may be gone since.
        let both = [Direction::Request, Direction::Response];
        let needed = both
            .iter()
            .any(|direction| rules.needs_analyzer(*direction));
        if needed && self.analyzer.is_none() {
            return Err(cannot("none is set up ([analyzer] in postern.toml)"));
        }
        let mut keys = MaskKeys::new(
            &*self.guard.mask_key(caller)?,
            environment.as_str(),
            &subject.token.to_string(),
            &journey.flight.request().to_string(),
        );
        let keeps = keeping::keeps(&data.rules);
        let conversation = keeps.then(|| self.conversation(upstream, body, journey));
        if let Some(conversation) = &conversation {
            keys = keys.with_conversation(conversation);
        }
        let revealed = &data.revealed_in_request;
        let cleaner = Cleaner::new(Arc::clone(&rules), Direction::Request, revealed, keys);
        let reports = |direction: &Direction| {
            let mut rules = data.rules.iter().map(|rule| &rule.spec);
            rules.all(|spec| spec.dry_run || !spec.directions.contains(direction))
        };
        Ok(Some(Controls {
            rules,
            cleaner: Some(cleaner),
            findings: Vec::new(),
            revealed_in_response: Arc::clone(&data.revealed_in_response),
            only_reports: both.into_iter().filter(reports).collect(),
            keeps,
            conversation,
            earlier: KeptPseudonyms::default(),
        }))
    }

    /// Does work on so many bytes: at once where they are few, else on a thread of its own, so that
    /// the other streams of this core go on meanwhile.
    ///
    /// # Errors
    /// `internal` when the work panics, or the gateway is going away.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if bytes <= CLEANED_INLINE_BYTES_MAX {
            return Ok(work());
        }
        work_aside(self.rules.workers(), work).await
    }
}

/// Does work on a thread of its own, once there is a place for it.
///
/// # Errors
/// `internal` when the work panics, or the gateway is going away.
pub(crate) async fn work_aside<T: Send + 'static>(
    workers: Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |cause: String| Refusal::new(RefusalCode::Internal, cause);
    let place = workers.acquire_owned().await;
    let place = place.map_err(|error| failed(error.to_string()))?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    done.await
        .map_err(|error| failed(format!("inspecting a body failed: {error}")))
}

/// Answers what a cleaner wants to know.
///
/// # Errors
/// `cannot_inspect` when the analyzer does not answer, or its answer is not of the text.
async fn answer(analyzer: Option<&Analyzer>, cleaner: &mut Cleaner) -> Result<(), Refusal> {
    let needs = cleaner.rules().needs_analyzer(cleaner.direction());
    for (piece, spans) in ask(analyzer, cleaner.wanted(), needs).await? {
        cleaner.answer(piece, &spans).map_err(blocked)?;
    }
    Ok(())
}

/// Asks the analyzer. Where there is none, only rules that report can want it.
///
/// # Errors
/// `cannot_inspect` when it does not answer.
pub(crate) async fn ask(
    analyzer: Option<&Analyzer>,
    pieces: Vec<String>,
    needs: bool,
) -> Result<Answers, Refusal> {
    match analyzer {
        Some(analyzer) => analyzer.ask(pieces, needs).await,
        None if needs => Err(cannot("none is set up")),
        None => Ok(pieces
            .into_iter()
            .map(|piece| (piece, Vec::new()))
            .collect()),
    }
}

/// Does work on a copy of something small until no answer is missing.
async fn clean_asking<T: Clone + Send>(
    cleaner: &mut Cleaner,
    analyzer: Option<&Analyzer>,
    of: &T,
    work: impl Fn(&mut T, &mut Cleaner) -> Result<(), Refusal> + Send,
) -> Result<T, Refusal> {
    loop {
        let mut copy = of.clone();
        let done = cleaner.attempt(|cleaner| work(&mut copy, cleaner).map_err(Stopped::Refused));
        match done {
            Ok(()) => return Ok(copy),
            Err(Stopped::Clean(CleanError::NeedsAnalysis)) => answer(analyzer, cleaner).await?,
            Err(Stopped::Clean(error)) => return Err(blocked(error)),
            Err(Stopped::Refused(refusal)) => return Err(refusal),
        }
    }
}

/// Why small work stopped.
enum Stopped {
    Refused(Refusal),
    Clean(CleanError),
}

impl From<CleanError> for Stopped {
    fn from(error: CleanError) -> Self {
        Self::Clean(error)
    }
}

fn lost() -> Refusal {
    Refusal::new(RefusalCode::Internal, "the cleaner of a request was lost")
}

/// A refusal for what a rule blocks, or for what it could not judge.
fn blocked(error: CleanError) -> Refusal {
    refuse(&InspectError::from(error))
}
