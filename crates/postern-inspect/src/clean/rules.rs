//! The rules of an upstream, compiled: for each class and direction, what holds.

use std::collections::HashMap;

use postern_types::{
    BuiltinClass, ClassGroup, ClassSelector, DataAction, DataClass, DataRule, Direction, FieldRule,
    OpaqueAction, RuleName, ThinkingAction,
};
use thiserror::Error;

use super::custom::Custom;
use crate::body::FieldPath;
use crate::detect::engine::{ENGINE, Engine, Wanted};

/// Why a rule cannot be used: which one, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the data rule {rule} cannot be used: {cause}; {advice}")]
pub struct RuleError {
    /// The rule.
    pub rule: RuleName,
    /// What is wrong with it.
    pub cause: String,
    /// What to do.
    pub advice: &'static str,
}

/// What one rule says about one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: DataAction,
    pub(super) confidence_min: u8,
    pub(super) dry_run: bool,
    rule: usize,
}

impl Verdict {
    /// Whether it changes text or ends it.
    pub(super) fn acts(&self) -> bool {
        !self.dry_run && !self.action.passes()
    }
}

/// What holds in one direction.
#[derive(Debug, Default)]
struct Way {
    /// The verdicts of each class, the strongest first.
    verdicts: HashMap<DataClass, Vec<Verdict>>,
    opaque: OpaqueAction,
    /// What would happen to it if the rules that only report acted.
    opaque_watched: OpaqueAction,
    /// A rule that only reports, in whose name what would be refused is told.
    watching: Option<usize>,
    thinking: ThinkingAction,
    headers: Vec<String>,
    query: Vec<String>,
    fields: Vec<FieldRule>,
    analyzer: bool,
    /// Whether one of the rules for that is no dry run.
    analyzer_firm: bool,
    applies: bool,
    /// Whether a rule that is no dry run applies.
    firm: bool,
    /// Whether such a rule may change text or end it.
    acts: bool,
}

/// The compiled rules of one upstream: shared, and never changed.
#[derive(Debug)]
pub struct RuleSet {
    engine: &'static Engine,
    names: Vec<RuleName>,
    request: Way,
    response: Way,
    custom: Option<Custom>,
    request_rows: Wanted,
    response_rows: Wanted,
    request_word_rows: Wanted,
    response_word_rows: Wanted,
    tells_client: bool,
}

impl RuleSet {
    /// Compiles the rules that apply together. Where two speak of one class in one direction, the
    /// stronger action holds; equal ones hold in the order given.
    ///
    /// # Errors
    /// When a rule cannot be used: a pattern that is none or too large, a list without words.
    pub fn compile(rules: &[DataRule]) -> Result<Self, RuleError> {
        Self::compile_with(&ENGINE, rules)
    }

    /// As [`RuleSet::compile`], with other tables than those that ship.
    pub(super) fn compile_with(
        engine: &'static Engine,
        rules: &[DataRule],
    ) -> Result<Self, RuleError> {
        check_fields(rules)?;
        let way = |direction| Way::of(rules, direction);
        let (request, response) = (way(Direction::Request), way(Direction::Response));
        let rows = |way: &Way| engine.wanted(|class, confidence| way.asks(class, confidence));
        Ok(Self {
            engine,
            custom: Custom::compile(rules)?,
            request_word_rows: engine.word_rows(&rows(&request)),
            response_word_rows: engine.word_rows(&rows(&response)),
            request_rows: rows(&request),
            response_rows: rows(&response),
            names: rules.iter().map(|rule| rule.name.clone()).collect(),
            tells_client: rules.iter().any(|rule| rule.spec.tell_client),
            request,
            response,
        })
    }

    /// Compiles what else is compiled when text first asks for it, for all rule sets of this
    /// process. It takes long, so it is no work for a thread that carries streams.
    pub fn warm(&self) {
        self.engine.warm(&self.request_rows);
        self.engine.warm(&self.response_rows);
    }

    /// Whether any rule is for the direction; if not, its bytes pass untouched.
    #[must_use]
    pub fn applies(&self, direction: Direction) -> bool {
        self.way(direction).applies
    }

    /// What happens to content that is no text: refused if one rule refuses it.
    #[must_use]
    pub fn opaque(&self, direction: Direction) -> OpaqueAction {
        self.way(direction).opaque
    }

    /// What would happen to content that is no text if the rules that only report acted, and the
    /// name of such a rule.
    pub(super) fn watched(&self, direction: Direction) -> Option<(OpaqueAction, &RuleName)> {
        let way = self.way(direction);
        let rule = way.watching.filter(|_| !way.firm)?;
        Some((way.opaque_watched, &self.names[rule]))
    }

    /// What happens to signed reasoning: left out if one rule leaves it out.
    #[must_use]
    pub fn thinking(&self, direction: Direction) -> ThinkingAction {
        self.way(direction).thinking
    }

    /// Whether the rules of the direction are dry runs, all of them: then nothing may change.
    #[must_use]
    pub fn only_watches(&self, direction: Direction) -> bool {
        let way = self.way(direction);
        way.applies && !way.firm
    }

    /// Whether what passes may be other than what came: a rule does more than to tell.
    pub(super) fn acts(&self, direction: Direction) -> bool {
        self.way(direction).acts
    }

    /// The headers whose values are inspected, in lower case.
    #[must_use]
    pub fn headers(&self, direction: Direction) -> &[String] {
        &self.way(direction).headers
    }

    /// The query parameters whose values are inspected.
    #[must_use]
    pub fn query(&self) -> &[String] {
        &self.request.query
    }

    /// The fields of JSON bodies that are found by their place.
    #[must_use]
    pub fn fields(&self, direction: Direction) -> &[FieldRule] {
        &self.way(direction).fields
    }

    /// Whether findings are told to the client.
    #[must_use]
    pub fn tells_client(&self) -> bool {
        self.tells_client
    }

    /// Whether a rule asks for a class that only an external analyzer tells.
    #[must_use]
    pub fn wants_analyzer(&self, direction: Direction) -> bool {
        self.way(direction).analyzer
    }

    /// Whether such a rule is no dry run: then nothing passes that no analyzer has seen.
    #[must_use]
    pub fn needs_analyzer(&self, direction: Direction) -> bool {
        self.way(direction).analyzer_firm
    }

    /// The classes that the rules define.
    pub(super) fn custom(&self) -> Option<&Custom> {
        self.custom.as_ref()
    }

    /// The tables.
    pub(super) fn engine(&self) -> &'static Engine {
        self.engine
    }

    /// The rows of the built-in tables that are asked for.
    pub(super) fn rows(&self, direction: Direction) -> &Wanted {
        match direction {
            Direction::Request => &self.request_rows,
            Direction::Response => &self.response_rows,
        }
    }

    /// As [`RuleSet::rows`], those whose values stand in words of the format too.
    pub(super) fn word_rows(&self, direction: Direction) -> &Wanted {
        match direction {
            Direction::Request => &self.request_word_rows,
            Direction::Response => &self.response_word_rows,
        }
    }

    /// The verdict that decides how a finding weighs: the firm one, else one that only reports.
    pub(super) fn verdict(
        &self,
        direction: Direction,
        class: &DataClass,
        confidence: u8,
    ) -> Option<&Verdict> {
        let reports = |verdict: &&Verdict| verdict.action != DataAction::Allow;
        self.firm(direction, class, confidence)
            .filter(reports)
            .or_else(|| self.dry(direction, class, confidence).find(reports))
    }

    /// The strongest verdict that is not a dry run.
    pub(super) fn firm(
        &self,
        direction: Direction,
        class: &DataClass,
        confidence: u8,
    ) -> Option<&Verdict> {
        self.verdicts(direction, class, confidence)
            .find(|verdict| !verdict.dry_run)
    }

    /// The verdicts of dry runs.
    pub(super) fn dry(
        &self,
        direction: Direction,
        class: &DataClass,
        confidence: u8,
    ) -> impl Iterator<Item = &Verdict> {
        self.verdicts(direction, class, confidence)
            .filter(|verdict| verdict.dry_run && verdict.action != DataAction::Allow)
    }

    /// Whether the rules speak of the class, in either direction.
    pub(super) fn knows(&self, class: &DataClass) -> bool {
        let ways = [&self.request, &self.response];
        ways.iter().any(|way| way.verdicts.contains_key(class))
    }

    /// The name of a verdict's rule.
    pub(super) fn name(&self, verdict: &Verdict) -> &RuleName {
        &self.names[verdict.rule]
    }

    fn verdicts(
        &self,
        direction: Direction,
        class: &DataClass,
        confidence: u8,
    ) -> impl Iterator<Item = &Verdict> {
        let known = self.way(direction).verdicts.get(class);
        known
            .into_iter()
            .flatten()
            .filter(move |verdict| verdict.confidence_min <= confidence)
    }

    fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}

impl Way {
    fn of(rules: &[DataRule], direction: Direction) -> Self {
        let mut way = Self {
            opaque: OpaqueAction::Allow,
            opaque_watched: OpaqueAction::Allow,
            thinking: ThinkingAction::Pass,
            ..Self::default()
        };
        let meant = |rule: &&DataRule| rule.spec.directions.contains(&direction);
        let acts = rules.iter().filter(meant).any(|rule| !rule.spec.dry_run);
        for (index, rule) in rules.iter().enumerate() {
            if meant(&rule) {
                way.add(index, rule);
                // SECURITY: what only a dry run names must not be changed by the rules beside it.
                if !acts || !rule.spec.dry_run {
                    way.add_places(rule);
                }
            }
        }
        for verdicts in way.verdicts.values_mut() {
            verdicts.sort_by_key(|verdict| std::cmp::Reverse(strength(verdict.action)));
        }
        way
    }

    fn add(&mut self, index: usize, rule: &DataRule) {
        let spec = &rule.spec;
        let verdict = Verdict {
            action: spec.action,
            confidence_min: spec.confidence_min,
            dry_run: spec.dry_run,
            rule: index,
        };
        self.applies = true;
        if spec.dry_run {
            self.watching.get_or_insert(index);
            if spec.opaque == OpaqueAction::Refuse {
                self.opaque_watched = OpaqueAction::Refuse;
            }
        }
        // A dry run must not change what passes.
        if !spec.dry_run {
            self.firm = true;
            self.acts |= verdict.acts();
            if spec.opaque == OpaqueAction::Refuse {
                self.opaque = OpaqueAction::Refuse;
            }
            if spec.thinking == ThinkingAction::Drop {
                self.thinking = ThinkingAction::Drop;
            }
        }
        let builtin = BuiltinClass::ALL.into_iter().map(DataClass::Builtin);
        let selects = |class: &DataClass| spec.classes.iter().any(|s| s.selects(class));
        let mut classes: Vec<DataClass> = builtin.filter(selects).collect();
        classes.extend(spec.classes.iter().filter_map(|selector| match selector {
            ClassSelector::Class(class @ DataClass::Custom(_)) => Some(class.clone()),
            _ => None,
        }));
        classes.extend(spec.custom.iter().map(|custom| custom.class.clone()));
        // A field is what its rule says it is, whether or not `classes` names that.
        classes.extend(spec.fields.iter().map(|field| field.class.clone()));
        classes.sort();
        classes.dedup();
        for class in classes {
            let named = spec.classes.iter().any(|s| s.selects(&class));
            let analyzed = matches!(&class, DataClass::Builtin(class)
                if class.group() == ClassGroup::Analyzed);
            if analyzed && named && spec.action != DataAction::Allow {
                self.analyzer = true;
                self.analyzer_firm |= !spec.dry_run;
            }
            self.verdicts.entry(class).or_default().push(verdict);
        }
    }

    /// Takes up where a rule looks beside the text.
    fn add_places(&mut self, rule: &DataRule) {
        merge(&mut self.headers, &rule.spec.headers);
        merge(&mut self.query, &rule.spec.query);
        merge(&mut self.fields, &rule.spec.fields);
    }

    fn asks(&self, class: BuiltinClass, confidence: u8) -> bool {
        let verdicts = self.verdicts.get(&DataClass::Builtin(class));
        verdicts.into_iter().flatten().any(|verdict| {
            verdict.confidence_min <= confidence && verdict.action != DataAction::Allow
        })
    }
}

/// Finds out whether every field's path can be read.
fn check_fields(rules: &[DataRule]) -> Result<(), RuleError> {
    for rule in rules {
        let mut paths = rule.spec.fields.iter().map(|field| &field.path);
        if let Some(cause) = paths.find_map(|path| FieldPath::parse(path).err()) {
            return Err(RuleError {
                rule: rule.name.clone(),
                cause: cause.to_owned(),
                advice: "write the path with names, [*], * and .. alone",
            });
        }
    }
    Ok(())
}

/// How strong an action is: among equals the one that leaves less, or holds less long.
fn strength(action: DataAction) -> (u8, u8) {
    let within = match action {
        DataAction::KeepLast(count) => u8::MAX - count,
        DataAction::Pseudonym(scope) => u8::MAX - scope as u8,
        _ => 0,
    };
    (action.strength(), within)
}

fn merge<T: Clone + PartialEq>(into: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !into.contains(item) {
            into.push(item.clone());
        }
    }
}
