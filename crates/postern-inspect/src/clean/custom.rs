//! Classes that rules define: patterns and words, which may cross white space.
//!
//! Segments do not hold them together, so each possible start is followed by an automaton of its
//! own: text is held exactly as long as a match that started at or before it is alive. The longest
//! match counts. Between the words of a phrase any white space may stand, and letters with marks
//! may be written whole or as letter and mark. Without such a class nothing of this runs.

mod walk;

use aho_corasick::nfa::contiguous;
use postern_types::{CustomDetector, DataClass, DataRule};
use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson;
use unicode_normalization::UnicodeNormalization as _;

use super::rules::RuleError;
use crate::bounds::{
    CUSTOM_AUTOMATON_BYTES_MAX, CUSTOM_MATCH_BYTES_MAX, CUSTOM_PATTERN_BYTES_MAX,
    CUSTOM_WORDS_BYTES_MAX,
};
use crate::detect::facts::{Facts, syntax};
use crate::detect::fold;

pub(super) use walk::Walk;

/// The compiled classes of all rules of a set.
#[derive(Debug)]
pub(super) struct Custom {
    patterns: Vec<(dense::DFA<Vec<u32>>, DataClass)>,
    words: Option<contiguous::NFA>,
    /// The class of each word of the automaton.
    word_classes: Vec<DataClass>,
}

impl Custom {
    /// Compiles the classes that the rules define; `None` if there is none.
    pub(super) fn compile(rules: &[DataRule]) -> Result<Option<Self>, RuleError> {
        let mut custom = Self {
            patterns: Vec::new(),
            words: None,
            word_classes: Vec::new(),
        };
        let mut words = Vec::new();
        let mut last = None;
        for rule in rules {
            for detector in &rule.spec.custom {
                let error = |(cause, advice)| RuleError {
                    rule: rule.name.clone(),
                    cause: format!("{}: {cause}", detector.class),
                    advice,
                };
                custom.add(detector, &mut words).map_err(error)?;
                last = Some(rule);
            }
        }
        let Some(last) = last else {
            return Ok(None);
        };
        if !words.is_empty() {
            custom.words = Some(word_automaton(&words).map_err(|cause| RuleError {
                rule: last.name.clone(),
                cause,
                advice: "shorten the lists of words",
            })?);
        }
        Ok(Some(custom))
    }

    fn add(&mut self, detector: &CustomDetector, words: &mut Vec<String>) -> Result<(), Wrong> {
        if !matches!(detector.class, DataClass::Custom(_)) {
            return Err(("it is a built-in class".to_owned(), "name it custom:NAME"));
        }
        if detector.pattern.is_none() && detector.words.is_empty() {
            return Err((
                "it has neither a pattern nor words".to_owned(),
                "give it one of them",
            ));
        }
        if let Some(pattern) = &detector.pattern {
            // The text is folded before it comes here, so what looks for it is folded too.
            let pattern = fold::pattern(pattern);
            self.patterns
                .push((automaton(&pattern)?, detector.class.clone()));
        }
        for word in &detector.words {
            for spelling in spellings(&fold::folded(word))? {
                words.push(spelling);
                self.word_classes.push(detector.class.clone());
            }
        }
        Ok(())
    }
}

/// What is wrong, and what to do.
type Wrong = (String, &'static str);

/// What a library says last, without its own mark of an error.
fn last_line(error: &str) -> &str {
    let line = error.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

fn automaton(pattern: &str) -> Result<dense::DFA<Vec<u32>>, Wrong> {
    if pattern.len() > CUSTOM_PATTERN_BYTES_MAX {
        let cause = format!("its pattern is longer than {CUSTOM_PATTERN_BYTES_MAX} bytes");
        return Err((cause, "split it into several classes"));
    }
    let facts = Facts::read(pattern).map_err(|error| {
        (
            // The library shows the pattern in several lines; its last one says what is wrong.
            format!("its pattern cannot be read: {}", last_line(&error)),
            "write it without look-around and back references; classes are ASCII unless (?u:…) \
             says otherwise",
        )
    })?;
    if facts.bytes_min == 0 {
        let cause = "its pattern matches the empty text".to_owned();
        return Err((cause, "let it ask for one character at least"));
    }
    if facts
        .bytes_max
        .is_none_or(|max| max > CUSTOM_MATCH_BYTES_MAX)
    {
        let cause = format!("its pattern may match more than {CUSTOM_MATCH_BYTES_MAX} bytes");
        return Err((cause, "bound its repetitions, as in [a-z]{1,40}"));
    }
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(CUSTOM_AUTOMATON_BYTES_MAX))
        .determinize_size_limit(Some(8 * CUSTOM_AUTOMATON_BYTES_MAX));
    dense::Builder::new()
        .syntax(syntax())
        .thompson(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(CUSTOM_AUTOMATON_BYTES_MAX)),
        )
        .configure(config)
        .build(pattern)
        .map_err(|_| {
            (
                "its pattern needs too large an automaton".to_owned(),
                "use smaller repetitions or fewer alternatives",
            )
        })
}

fn spellings(word: &str) -> Result<Vec<String>, Wrong> {
    let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < WORD_LETTERS_MIN || word.len() > CUSTOM_MATCH_BYTES_MAX || word.trim() != word {
        return Err((
            "it has a word that is too short, too long, or begins or ends with white space"
                .to_owned(),
            "use words of three letters or digits at least and 512 bytes at most",
        ));
    }
    // White space of any kind and width is one blank to the walk.
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    // The automaton folds the case of ASCII letters only.
    if word.is_ascii() {
        return Ok(vec![word]);
    }
    let cases = [word.to_lowercase(), word.to_uppercase(), word];
    let whole = cases.iter().map(|word| word.nfc().collect());
    let apart = cases.iter().map(|word| word.nfd().collect());
    let mut spellings: Vec<String> = whole.chain(apart).collect();
    spellings.sort_unstable();
    spellings.dedup();
    Ok(spellings)
}

/// The fewest letters and digits of a word: shorter ones stand in every text.
const WORD_LETTERS_MIN: usize = 3;

fn word_automaton(words: &[String]) -> Result<contiguous::NFA, String> {
    let too_many = || format!("the lists of words need more than {CUSTOM_WORDS_BYTES_MAX} bytes");
    if words.iter().map(String::len).sum::<usize>() > CUSTOM_WORDS_BYTES_MAX {
        return Err(too_many());
    }
    contiguous::Builder::new()
        .ascii_case_insensitive(true)
        .match_kind(aho_corasick::MatchKind::Standard)
        .build(words)
        .map_err(|_| too_many())
}
