//! `cargo xtask bench detect`: how well the detectors find, beside two others, in one run.
//!
//! Presidio (its pattern recognizers over a language model that knows no words) for personal and
//! payment data and national ids, detect-secrets for secrets; both from the Python registry, pinned
//! in `xtask/tools/rivals.txt`. All three read the same texts. What is a find is judged by the
//! labels of the corpora alone; the names of the classes are brought together in `classes.rs`. A
//! second set is made for the purpose (`held_out.rs`), so that it cannot have shaped the rows.

mod classes;
mod corpora;
mod held_out;
mod rows;
mod score;

use crate::run;
use crate::tools::python_environment;
use anyhow::{Context, Result, bail};
use corpora::Material;
use serde::Deserialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Something found: its class in our words, and where, in characters.
#[derive(Debug, Clone)]
struct Found {
    class: String,
    start: usize,
    end: usize,
}

/// What one program found in all texts.
struct Answers {
    found: Vec<Vec<Found>>,
    /// What it finds besides for somebody who asks for one class alone.
    besides: Vec<Vec<Found>>,
    seconds: f64,
}

/// The last line of each program.
#[derive(Deserialize)]
struct Closing {
    seconds: f64,
    /// Number of the text, class, start and end.
    #[serde(default)]
    besides: Vec<(usize, String, usize, usize)>,
}

/// What to print.
#[derive(Default)]
struct Options {
    markdown: bool,
    /// Whether the held-out set is all that is read; it needs no corpora.
    held_out: bool,
    /// Where to write what each program found in each text.
    rows: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match *word {
                "--markdown" => options.markdown = true,
                "--held-out" => options.held_out = true,
                "--rows" => {
                    let path = words.next().context("--rows needs a path")?;
                    options.rows = Some(PathBuf::from(path));
                }
                other => bail!("unknown option `{other}`: --markdown, --held-out, --rows PATH"),
            }
        }
        Ok(options)
    }
}

/// Measures and prints the tables.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    let material = match options.held_out {
        true => Material::default(),
        false => corpora::load(&corpora_folder(root)?, root)?,
    };
    let ours = build(root)?;
    let rivals = python_environment(root, "rivals", "xtask/tools/rivals.txt")?;
    let held_out = held_out::generate(root, &rivals)?;
    let script = root.join("xtask/tools/rivals.py");
    let mut texts = material.texts();
    texts.extend(held_out.iter().map(|row| row.text.clone()));
    let mut all = [
        ask("postern", Command::new(ours), &texts)?,
        ask("presidio", python(&rivals, &script, "presidio"), &texts)?,
        ask(
            "detect-secrets",
            python(&rivals, &script, "detect-secrets"),
            &texts,
        )?,
    ];
    if let Some(path) = &options.rows {
        let kept = material.rows.iter().map(rows::of_corpus);
        rows::write(
            path,
            kept.chain(held_out.iter().map(rows::of_held_out)),
            &all,
        )?;
    }
    let bytes = texts.iter().map(String::len).sum();
    let speed = score::speed(bytes, &all, options.markdown);
    // The rows of the corpora stand first.
    let of_held_out = all.each_mut().map(|answers| Answers {
        found: answers.found.split_off(material.rows.len()),
        besides: answers.besides.split_off(material.rows.len()),
        seconds: answers.seconds,
    });
    if !options.held_out {
        println!("{}", score::tables(&material, &all, options.markdown));
    }
    let tables = held_out::tables(&held_out, &of_held_out, options.markdown);
    println!("{tables}\n{speed}");
    Ok(ExitCode::SUCCESS)
}

fn corpora_folder(root: &Path) -> Result<PathBuf> {
    let folder = match std::env::var_os("POSTERN_CORPORA") {
        Some(folder) => PathBuf::from(folder),
        None => root.join("../shared/corpora"),
    };
    if !folder.join("pii").is_dir() {
        bail!(
            "there are no corpora at {}: set POSTERN_CORPORA to their folder",
            folder.display()
        );
    }
    Ok(folder)
}

/// The program by which the detectors are asked.
const EXAMPLE: &str = "find_all";

/// Builds the program that tells what the detectors find, optimised.
fn build(root: &Path) -> Result<PathBuf> {
    let mut cargo = run::cargo(root);
    cargo.args([
        "build",
        "--quiet",
        "--profile",
        "quick",
        "-p",
        "postern-inspect",
    ]);
    cargo.args(["--example", EXAMPLE]);
    if !cargo.status().context("cannot run cargo")?.success() {
        bail!("the example {EXAMPLE} does not build");
    }
    Ok(super::target(root).join("quick/examples").join(EXAMPLE))
}

fn python(interpreter: &Path, script: &Path, which: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(script).arg(which);
    command
}

/// Gives a program all texts and takes its findings.
fn ask(name: &str, mut command: Command, texts: &[String]) -> Result<Answers> {
    println!("{name}: {} texts", texts.len());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let lines: Vec<String> = texts
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        for line in lines {
            writeln!(stdin, "{line}")?;
        }
        Ok(())
    });
    let output = child.wait_with_output()?;
    let written = writer.join();
    if !output.status.success() {
        bail!("{name} failed");
    }
    written.ok().context("the writer panicked")??;
    let text = String::from_utf8(output.stdout)?;
    let mut lines: Vec<&str> = text.lines().collect();
    let closing: Closing = serde_json::from_str(lines.pop().context("no answer")?)?;
    if lines.len() != texts.len() {
        bail!("{name} answered {} of {} texts", lines.len(), texts.len());
    }
    let found = lines
        .into_iter()
        .map(|line| {
            let rows: Vec<(String, usize, usize)> = serde_json::from_str(line)?;
            Ok(rows.into_iter().filter_map(translate).collect())
        })
        .collect::<Result<_>>()?;
    let mut besides = vec![Vec::new(); texts.len()];
    for (text, class, start, end) in closing.besides {
        let more = besides.get_mut(text).context("an answer to no text")?;
        more.extend(translate((class, start, end)));
    }
    Ok(Answers {
        besides,
        found,
        seconds: closing.seconds,
    })
}

/// Puts a finding into our words; what others find and we have no class for is left out.
fn translate((name, start, end): (String, usize, usize)) -> Option<Found> {
    let class = match classes::of_entity(&name) {
        Some(class) => class.to_owned(),
        None if classes::is_ours(&name) => name,
        None => return None,
    };
    Some(Found { class, start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_is_measured_is_there() {
        // Nothing but the bench builds it, so nothing else would miss it.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let file = format!("crates/postern-inspect/examples/{EXAMPLE}.rs");
        assert!(root.join(file).is_file());
    }
}
