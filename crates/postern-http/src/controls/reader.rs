//! What reads an answer while it passes: a dialect, a data rule, or both.

use bytes::Bytes;
use postern_inspect::{
    AnalyzedSpan, BodyCleaner, ErrorEnding, InspectError, RefusalText, ResponseReader,
    ResponseReport,
};
use postern_types::{Finding, OwnedId};

/// Reads an answer, and cleans it where a rule says so.
pub(crate) struct Reader {
    way: Way,
    /// Reads the same bytes under rules that only report; what it gives goes nowhere.
    rehearsal: Option<Rehearsal>,
}

struct Rehearsal {
    way: Way,
    failed: bool,
}

impl Rehearsal {
    /// It reads no further, and says so.
    fn fail(&mut self) {
        self.failed = true;
        self.way.unread();
    }
}

/// What is done to the bytes.
pub(super) enum Way {
    /// They pass.
    Pass,
    /// The answer of an AI provider to what it was asked for, under a rule or not.
    Ai(Box<ResponseReader>),
    /// Any other, under a data rule.
    Body(Box<BodyCleaner>),
    /// The reader is at work on a thread of its own.
    Away(Box<Left>),
}

/// What is known of an answer while its reader is away.
pub(super) struct Left {
    report: ResponseReport,
    findings: Vec<Finding>,
    decodes: bool,
    /// How what went on so far may be ended.
    ending: Option<ErrorEnding>,
}

impl Reader {
    pub(super) fn new(way: Way) -> Self {
        Self {
            way,
            rehearsal: None,
        }
    }

    /// Reads one way, and shows the same bytes to another that is asked for its findings alone.
    pub(super) fn rehearsing(way: Way, rehearsed: Way) -> Self {
        let rehearsal = Rehearsal {
            way: rehearsed,
            failed: false,
        };
        Self {
            way,
            rehearsal: Some(rehearsal),
        }
    }

    /// What stands for a reader while it is away: it knows what was known when it left. Nothing
    /// goes on meanwhile, so that the answer can be ended as it could then.
    pub(crate) fn away(&self) -> Self {
        Self::new(Way::Away(Box::new(Left {
            report: self.report(),
            findings: self.findings(),
            decodes: self.decodes(),
            ending: self.way.ending(),
        })))
    }

    /// Takes the next bytes and gives those that may go on.
    ///
    /// # Errors
    /// As the readers say; `NeedsAnalysis` where it goes on only by [`Reader::resume`]. What was
    /// given before stays given.
    pub(crate) fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        let rehearsed = self.rehearse(|way, out| way.push(chunk.clone(), out));
        self.way.push(chunk, out).and(rehearsed)
    }

    /// The answer has ended: gives what was held.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub(crate) fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        let rehearsed = self.rehearse(Way::finish);
        self.way.finish(out).and(rehearsed)
    }

    /// The pieces of text about which an analyzer has to be asked before anything goes on.
    pub(crate) fn wanted(&self) -> Vec<String> {
        let mut wanted = self.way.wanted();
        if let Some(rehearsal) = self.rehearsal.as_ref().filter(|it| !it.failed) {
            wanted.extend(rehearsal.way.wanted());
        }
        wanted
    }

    /// Takes an analyzer's answer about a piece.
    ///
    /// # Errors
    /// When it is not of the text.
    pub(crate) fn answer(
        &mut self,
        piece: &str,
        spans: &[AnalyzedSpan],
    ) -> Result<(), InspectError> {
        if let Some(rehearsal) = self.rehearsal.as_mut().filter(|it| !it.failed)
            && rehearsal.way.answer(piece, spans).is_err()
        {
            rehearsal.fail();
        }
        self.way.answer(piece, spans)
    }

    /// Goes on once the answers are there.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub(crate) fn resume(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        let rehearsed = self.rehearse(Way::resume);
        self.way.resume(out).and(rehearsed)
    }

    /// Does the same to the rehearsal; only its questions are of interest.
    fn rehearse(
        &mut self,
        step: impl FnOnce(&mut Way, &mut Vec<Bytes>) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        let Some(rehearsal) = self.rehearsal.as_mut().filter(|it| !it.failed) else {
            return Ok(());
        };
        let done = step(&mut rehearsal.way, &mut Vec::new());
        if done == Err(InspectError::NeedsAnalysis) {
            return done;
        }
        if done.is_err() {
            rehearsal.fail();
        }
        Ok(())
    }

    /// Tells, where rules only report, that the answer could not be read.
    pub(super) fn unread(&mut self) {
        self.way.unread();
    }

    /// Ids that were seen since the last call.
    pub(crate) fn newly_created(&mut self) -> &[OwnedId] {
        self.way.newly_created()
    }

    /// What the provider said so far; nothing where nobody listens.
    pub(crate) fn report(&self) -> ResponseReport {
        self.way.report()
    }

    /// What was found in the answer so far.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        match &self.rehearsal {
            Some(rehearsal) => rehearsal.way.findings(),
            None => self.way.findings(),
        }
    }

    /// Whether the bytes given out are decoded.
    pub(crate) fn decodes(&self) -> bool {
        self.way.decodes()
    }

    /// Whether the answer's length may no longer hold.
    pub(crate) fn changes_length(&self) -> bool {
        self.way.changes_length()
    }

    /// The bytes that end the answer with an error, where its framing has a place for one.
    pub(crate) fn error_ending(&self, refusal: &RefusalText<'_>) -> Option<Vec<u8>> {
        self.way.ending().map(|ending| ending.write(refusal))
    }
}

impl Way {
    /// Whether every body of its kind is refused.
    pub(super) fn refuses(&self) -> bool {
        match self {
            Self::Pass | Self::Ai(_) | Self::Away(_) => false,
            Self::Body(cleaner) => cleaner.refuses(),
        }
    }

    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match self {
            Self::Pass => {
                out.push(chunk);
                Ok(())
            }
            Self::Ai(reader) => reader.push(chunk, out),
            Self::Body(cleaner) => cleaner.push(chunk, out),
            // SECURITY: nothing passes beside it.
            Self::Away(_) => Err(away()),
        }
    }

    fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match self {
            Self::Pass => Ok(()),
            Self::Ai(reader) => reader.finish(out),
            Self::Body(cleaner) => cleaner.finish(out),
            Self::Away(_) => Err(away()),
        }
    }

    fn wanted(&self) -> Vec<String> {
        match self {
            Self::Pass | Self::Away(_) => Vec::new(),
            Self::Ai(reader) => reader.wanted(),
            Self::Body(cleaner) => cleaner.wanted(),
        }
    }

    fn answer(&mut self, piece: &str, spans: &[AnalyzedSpan]) -> Result<(), InspectError> {
        match self {
            Self::Pass => Ok(()),
            Self::Ai(reader) => reader.answer(piece.to_owned(), spans),
            Self::Body(cleaner) => cleaner.answer(piece.to_owned(), spans),
            Self::Away(_) => Err(away()),
        }
    }

    fn resume(&mut self, out: &mut Vec<Bytes>) -> Result<(), InspectError> {
        match self {
            Self::Pass => Ok(()),
            Self::Ai(reader) => reader.resume(out),
            Self::Body(cleaner) => cleaner.resume(out),
            Self::Away(_) => Err(away()),
        }
    }

    /// Tells that the answer could not be read.
    pub(super) fn unread(&mut self) {
        match self {
            Self::Ai(reader) => reader.unread(),
            Self::Body(cleaner) => cleaner.unread(),
            Self::Pass | Self::Away(_) => {}
        }
    }

    fn newly_created(&mut self) -> &[OwnedId] {
        match self {
            Self::Ai(reader) => reader.newly_created(),
            Self::Pass | Self::Body(_) | Self::Away(_) => &[],
        }
    }

    fn report(&self) -> ResponseReport {
        match self {
            Self::Ai(reader) => reader.report(),
            Self::Pass | Self::Body(_) => ResponseReport::default(),
            Self::Away(left) => left.report.clone(),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Pass => Vec::new(),
            Self::Ai(reader) => reader.findings(),
            Self::Body(cleaner) => cleaner.findings(),
            Self::Away(left) => left.findings.clone(),
        }
    }

    fn decodes(&self) -> bool {
        match self {
            Self::Pass => false,
            Self::Ai(reader) => reader.decodes_downstream(),
            Self::Body(cleaner) => !cleaner.passes(),
            Self::Away(left) => left.decodes,
        }
    }

    fn changes_length(&self) -> bool {
        match self {
            Self::Pass => false,
            Self::Ai(reader) => reader.changes_length(),
            Self::Body(cleaner) => !cleaner.passes(),
            Self::Away(_) => true,
        }
    }

    /// How the answer can be ended with an error, where its framing has a place for one.
    fn ending(&self) -> Option<ErrorEnding> {
        match self {
            Self::Ai(reader) => reader.ending(),
            Self::Away(left) => left.ending.clone(),
            Self::Pass | Self::Body(_) => None,
        }
    }
}

fn away() -> InspectError {
    InspectError::CannotInspect("the answer's reader is at work".into())
}

#[cfg(test)]
impl Reader {
    /// A reader of plain text under a rule that masks card numbers.
    pub(crate) fn masking_cards() -> Self {
        use postern_inspect::{BodyKind, Cleaner, MaskKeys, RuleSet};
        use postern_types::{DataRule, Direction, RuleName};
        let spec = serde_json::json!({
            "directions": ["response"], "classes": ["card"], "action": "mask",
        });
        let rule = DataRule {
            name: RuleName::parse("cards").unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        let rules = std::sync::Arc::new(RuleSet::compile(&[rule]).unwrap());
        let keys = MaskKeys::new(&[1; 32], "environment", "token", "request");
        let cleaner = Cleaner::new(rules, Direction::Response, &[], keys);
        let kind = BodyKind {
            content_type: Some("text/plain"),
            content_encoding: None,
        };
        Self::new(Way::Body(Box::new(BodyCleaner::new(&kind, cleaner))))
    }
}
