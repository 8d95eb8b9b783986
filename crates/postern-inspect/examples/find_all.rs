//! Tells what the detectors find in texts: for `cargo xtask bench detect`, and for curious people.
//!
//! In: a JSON string a line. Out: for each, a list of `[class, start, end]` in characters, a line;
//! last, an object with the seconds that the scan took. Texts are scanned several times over, so
//! that a fast scan can be timed; the fastest round counts.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use postern_inspect::{Change, Cleaner, MaskKeys, RuleSet};
use postern_types::{DataRule, DataRuleSpec, Direction, RuleName};

/// How often all texts are scanned.
const ROUNDS: usize = 5;

fn rules() -> Result<Arc<RuleSet>, Box<dyn std::error::Error>> {
    let spec = r#"{"directions":["request"],"classes":["all"],"action":"mask"}"#;
    let spec: DataRuleSpec = serde_json::from_str(spec)?;
    let name = RuleName::parse("all")?;
    Ok(Arc::new(RuleSet::compile(&[DataRule { name, spec }])?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = rules()?;
    let texts: Vec<String> = std::io::stdin()
        .lock()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<_, Box<dyn std::error::Error>>>()?;
    let keys = MaskKeys::new(&[7; 32], "dev", "token", "request");
    let mut fastest = Duration::MAX;
    let mut answers: Vec<Vec<Change>> = Vec::new();
    for _ in 0..ROUNDS {
        let rules = Arc::clone(&rules);
        let mut cleaner = Cleaner::new(rules, Direction::Request, &[], keys.clone());
        let started = Instant::now();
        answers = texts
            .iter()
            .map(|text| cleaner.trace("text", text))
            .collect::<Result<_, _>>()?;
        fastest = fastest.min(started.elapsed());
    }
    let mut out = std::io::stdout().lock();
    for (text, changes) in texts.iter().zip(&answers) {
        let chars = |at: usize| text[..at].chars().count();
        let rows: Vec<(String, usize, usize)> = changes
            .iter()
            .map(|change| {
                let class = change.with.trim_matches(['[', ']']).to_ascii_lowercase();
                (class, chars(change.range.start), chars(change.range.end))
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string(&rows)?)?;
    }
    let seconds = fastest.as_secs_f64();
    writeln!(out, "{}", serde_json::json!({ "seconds": seconds }))?;
    Ok(())
}
