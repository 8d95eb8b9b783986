//! Many raw conversations at once, and what a backend made of them.
//!
//! Each case goes over a connection of its own and carries a mark in its target, so that what the
//! backend parsed can be told apart afterwards.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use postern_testkit::backend::{BackendRequest, Witness};
use postern_testkit::raw::{self, Conversation};

/// Silence after which a conversation is over. Longer than any answer takes on this machine, since
/// what comes later would count as never sent.
const QUIET: Duration = Duration::from_millis(400);
/// Conversations at once.
const AT_ONCE: usize = 24;
/// How long the backend may take to tell the last request.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// Bytes to send, and the mark that tells its requests at the backend.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) mark: String,
    pub(crate) bytes: Vec<u8>,
}

/// What became of a case.
pub(crate) struct Outcome<'a> {
    pub(crate) case: &'a Case,
    pub(crate) conversation: Conversation,
    /// The requests at the backend that carry the mark.
    pub(crate) seen: Vec<BackendRequest>,
}

impl Outcome<'_> {
    /// How many requests were answered with success.
    pub(crate) fn successes(&self) -> usize {
        let success = |status: &&u16| (200..300).contains(*status);
        self.conversation.statuses().iter().filter(success).count()
    }

    /// Everything about it, for a failing test.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{}\n  sent: {:?}\n  answers: {:?}, then {:?}\n  at the backend: {:?}",
            self.case.name,
            String::from_utf8_lossy(&self.case.bytes[..self.case.bytes.len().min(900)]),
            self.conversation.statuses(),
            self.conversation.end,
            self.seen
        )
    }
}

/// The mark of the case with this number: no mark is the start of another.
pub(crate) fn mark(number: usize) -> String {
    format!("case-{number:05}")
}

/// Sends every case to `front` and collects what `backend` parsed. The second part is what the
/// backend saw that carries no case's mark.
pub(crate) fn send_all<'a>(
    front: SocketAddr,
    backend: &dyn Witness,
    cases: &'a [Case],
) -> (Vec<Outcome<'a>>, Vec<BackendRequest>) {
    let before = backend.requests().len();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cases.len()) {
            scope.spawn(|| {
                while let Some((at, case)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(at).map(|case| (at, case))
                } {
                    let conversation = raw::talk(front, &case.bytes, QUIET);
                    let conversation = conversation.expect("the front accepts connections");
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(at, conversation);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut outcomes: Vec<Outcome<'a>> = done
        .into_iter()
        .map(|(at, conversation)| Outcome {
            case: &cases[at],
            conversation,
            seen: Vec::new(),
        })
        .collect();
    let answered: usize = outcomes.iter().map(Outcome::successes).sum();
    let mut marked: BTreeMap<String, Vec<BackendRequest>> = BTreeMap::new();
    let mut unmarked = Vec::new();
    for request in settled(backend, before, answered) {
        match mark_in(&request.target) {
            Some(mark) => marked.entry(mark).or_default().push(request),
            None => unmarked.push(request),
        }
    }
    for outcome in &mut outcomes {
        outcome.seen = marked.remove(&outcome.case.mark).unwrap_or_default();
    }
    unmarked.extend(marked.into_values().flatten());
    (outcomes, unmarked)
}

/// What the backend saw since `before`, once it has told as many requests as were answered.
fn settled(backend: &dyn Witness, before: usize, at_least: usize) -> Vec<BackendRequest> {
    let deadline = Instant::now() + SETTLE_MAX;
    loop {
        let requests = backend.requests().split_off(before);
        if requests.len() >= at_least || Instant::now() > deadline {
            return requests;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn mark_in(target: &str) -> Option<String> {
    let at = target.find("case-")?;
    target.get(at..at + mark(0).len()).map(str::to_owned)
}
