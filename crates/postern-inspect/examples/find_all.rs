//! Tells what the detectors find in texts: for `cargo xtask bench detect`, and for curious people.
//!
//! In: a JSON string a line. Out: for each, a list of `[class, start, end]` in characters, a line;
//! last, an object with the seconds of CPU that finding took, and that a whole pass took through a
//! cleaner with every built-in class masked, and `[text, class, start, end]` of what a rule that
//! names one class alone finds besides. Texts are read several times over; the fastest counts.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use postern_inspect::{Cleaner, Detected, MaskKeys, RuleSet, detect, detect_class};
use postern_types::{BuiltinClass, DataRule, DataRuleSpec, Direction, RuleName};

/// How often all texts are read.
const ROUNDS: usize = 5;

/// Findings less sure than this, in percent, do not count: what rules do where they do not say.
const CONFIDENCE_MIN: u8 = 50;

type Failure = Box<dyn std::error::Error>;

fn rules() -> Result<Arc<RuleSet>, Failure> {
    let spec = r#"{"directions":["request"],"classes":["all"],"action":"mask"}"#;
    let spec: DataRuleSpec = serde_json::from_str(spec)?;
    let name = RuleName::parse("all")?;
    Ok(Arc::new(RuleSet::compile(&[DataRule { name, spec }])?))
}

/// The time that this thread has run, waiting apart: the machine may have other work.
fn cpu_time() -> Result<Duration, Failure> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().ok_or("no time")?;
    Ok(Duration::from_nanos(first.parse()?))
}

/// The fastest of several runs, and what the last one gave.
fn timed<T>(mut work: impl FnMut() -> Result<T, Failure>) -> Result<(T, f64), Failure> {
    let mut fastest = Duration::MAX;
    let mut given = work()?;
    for _ in 0..ROUNDS {
        let started = cpu_time()?;
        given = work()?;
        fastest = fastest.min(cpu_time()?.saturating_sub(started));
    }
    Ok((given, fastest.as_secs_f64()))
}

/// A finding as the bench reads it: class, start and end, in characters.
fn told(text: &str, found: &Detected) -> (String, usize, usize) {
    let chars = |at: usize| text[..at].chars().count();
    let range = &found.range;
    (
        found.class.to_string(),
        chars(range.start),
        chars(range.end),
    )
}

/// What rules that name one class alone find besides.
fn besides(texts: &[String], answers: &[Vec<Detected>]) -> Vec<(usize, String, usize, usize)> {
    let mut more = Vec::new();
    for (number, (text, answer)) in texts.iter().zip(answers).enumerate() {
        // Of several findings in one place the best is told, so where none is there is none.
        let classes = BuiltinClass::ALL.into_iter().filter(|_| !answer.is_empty());
        for found in classes.flat_map(|class| detect_class(text, class, CONFIDENCE_MIN)) {
            let (start, end) = (found.range.start, found.range.end);
            let over = |other: &Detected| other.range.start < end && start < other.range.end;
            let told_already = |other: &Detected| other.class == found.class && over(other);
            if !answer.iter().any(told_already) {
                let (class, start, end) = told(text, &found);
                more.push((number, class, start, end));
            }
        }
    }
    more
}

fn main() -> Result<(), Failure> {
    let rules = rules()?;
    let texts: Vec<String> = std::io::stdin()
        .lock()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<_, Failure>>()?;
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let (answers, seconds) = timed(|| {
        let all = texts.iter().map(|text| detect(text, CONFIDENCE_MIN));
        Ok(all.collect::<Vec<Vec<Detected>>>())
    })?;
    let (_, cleaning) = timed(|| {
        let mut cleaner = Cleaner::new(Arc::clone(&rules), Direction::Request, &[], keys.clone());
        for text in &texts {
            cleaner.clean_value("text", "", text)?;
        }
        Ok(())
    })?;
    let mut out = std::io::stdout().lock();
    for (text, found) in texts.iter().zip(&answers) {
        let rows: Vec<_> = found.iter().map(|found| told(text, found)).collect();
        writeln!(out, "{}", serde_json::to_string(&rows)?)?;
    }
    let closing = serde_json::json!({
        "seconds": seconds,
        "cleaning_seconds": cleaning,
        "besides": besides(&texts, &answers),
    });
    writeln!(out, "{closing}")?;
    Ok(())
}
