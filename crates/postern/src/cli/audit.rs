//! `postern audit`: tail, search, show, verify.
//!
//! With a gateway running (or with `--url`) the questions go to it, and are recorded there. Without
//! one the log is read from the data directory with the installation's keys.
//!
//! KNOWN GAP: who has the files and the keys can read the log without leaving a record, with this
//! program or another. It is said when it happens.

mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::StringValueParser;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postern_audit::{Checkpoint, Reader, VerifyingKey};

use super::admin::{Admin, encoded, query_string, socket};
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::values::{self, Listed};
use super::{Globals, records};
use crate::installation::{self, Paths, now};
use crate::search::{self, Question};
use crate::shapes::{AuditEntry, AuditProgress, AuditQuery, CheckpointNote, SearchLine};

/// The audit log.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Show the newest records, and with -f go on showing new ones
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: usize,
        /// Go on until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        filter: Box<Filter>,
    },
    /// Search the whole log; what is given must all fit
    Search {
        /// Words that a record holds, in any field, in any case
        #[arg(value_name = "QUERY")]
        words: Vec<String>,
        /// The newest so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        filter: Box<Filter>,
    },
    /// Show everything about one request, or about one entry
    Show {
        /// A request id (postern-request-id of an answer), or an entry number
        id: String,
    },
    /// Check offline that nothing was changed, and say what could and could not be seen
    Verify(verify::Verify),
    /// Print the newest signed checkpoint, to be kept elsewhere for `verify --checkpoint`
    Checkpoint {
        /// Write it to a file instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the public key that checkpoints are checked with
    Key,
}

#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Of this token, also acts on it
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Of this principal
    #[arg(long)]
    principal: Option<String>,
    /// Of this environment
    #[arg(long)]
    env: Option<String>,
    /// With this status, or a class of them (4xx)
    #[arg(long)]
    status: Option<String>,
    /// With this refusal code
    #[arg(long, value_name = "CODE", hide_possible_values = true,
        value_parser = Listed::new(StringValueParser::new(), values::refusals))]
    refusal: Option<String>,
    /// Whose path begins so
    #[arg(long)]
    path: Option<String>,
    /// Of this model; gpt-* for a prefix
    #[arg(long)]
    model: Option<String>,
    /// Of this upstream
    #[arg(long)]
    upstream: Option<String>,
    /// Of this kind
    #[arg(long, value_parser = Listed::new(StringValueParser::new(), search::kinds))]
    kind: Option<String>,
    /// Acts whose name begins so, such as token.
    #[arg(long)]
    action: Option<String>,
    /// In which data rules found this class, a class of this group, or anything (all)
    #[arg(long, value_name = "CLASS")]
    finding: Option<String>,
    /// Not older: a time, or how long ago (15m, 2h, 7d)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Not newer
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Filter {
    fn query(self, limit: usize, follow: bool) -> AuditQuery {
        AuditQuery {
            token: self.token,
            principal: self.principal,
            environment: self.env,
            status: self.status,
            refusal: self.refusal,
            path: self.path,
            model: self.model,
            upstream: self.upstream,
            kind: self.kind,
            action: self.action,
            finding: self.finding,
            since: self.since,
            until: self.until,
            limit: Some(limit),
            follow,
            ..AuditQuery::default()
        }
    }
}

impl Audit {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        match self {
            Self::Tail {
                lines,
                follow,
                filter,
            } => {
                let source = Source::of(globals, out)?;
                tail(&source, filter.query(lines, follow), out).await
            }
            Self::Search {
                words,
                limit,
                filter,
            } => {
                let source = Source::of(globals, out)?;
                let mut query = filter.query(limit, false);
                query.text = (!words.is_empty()).then(|| words.join(" "));
                let env = query.environment.clone();
                let found = collect(&source, query, out).await?;
                if let Some(env) = env.filter(|_| found.is_empty()) {
                    source.must_have(env, out).await?;
                }
                out.answer(&found, |out| {
                    out.table(&records::table(&found), "Nothing fits.")
                })?;
                if found.len() == limit && !out.is_json() {
                    out.aside(&format!(
                        "The newest {limit} that fit; older ones: --limit N, or --until TIME"
                    ));
                }
                Ok(())
            }
            Self::Show { id } => {
                let found = Source::of(globals, out)?.about(&id).await?;
                out.answer(&found, |out| {
                    for (place, entry) in found.iter().enumerate() {
                        if place > 0 {
                            out.line("")?;
                        }
                        out.sheet(&records::sheet(entry))?;
                    }
                    Ok(())
                })?;
                Ok(())
            }
            Self::Verify(verify) => verify.run(globals, out),
            Self::Checkpoint { out: file } => checkpoint(globals, file.as_deref(), out).await,
            Self::Key => {
                let key = own_key(&paths(globals))?.to_string();
                out.answer(&serde_json::json!({ "key": key }), |out| out.line(&key))?;
                Ok(())
            }
        }
    }
}

fn paths(globals: &Globals) -> Paths {
    Paths {
        data: globals.data.clone(),
        keys: globals.keys(),
    }
}

/// Where the log is read.
enum Source {
    Server(Admin),
    Files(Reader),
}

impl Source {
    fn of(globals: &Globals, out: &mut Out) -> Outcome<Self> {
        let running = std::os::unix::net::UnixStream::connect(socket(&globals.data)).is_ok();
        if globals.url.is_some() || running {
            return Ok(Self::Server(Admin::of(globals)?));
        }
        let paths = paths(globals);
        let keys = Arc::new(installation::open_keys(&paths)?);
        let reader = installation::open_reader(&paths, &keys)?;
        out.warn("no gateway is running: the files are read directly, and nobody records that");
        Ok(Self::Files(reader))
    }

    /// Asks, and hands on each line as it comes. `each` says whether to go on.
    async fn ask(
        &self,
        query: &AuditQuery,
        each: &mut (dyn FnMut(SearchLine) -> Outcome<bool> + Send),
    ) -> Outcome {
        match self {
            Self::Server(admin) => {
                let path = format!("/api/v1/audit/entries?{}", query_string(query)?);
                admin.lines(&path, each).await
            }
            Self::Files(reader) => {
                let question = Question::parse(query, None, now()).map_err(Failure::usage)?;
                let mut failed = None;
                let mut next = search::scan(reader, &question, &mut |line| {
                    each(line).unwrap_or_else(|failure| {
                        failed = Some(failure);
                        false
                    })
                });
                while query.follow && failed.is_none() {
                    let from = next.map_err(|error| Failure::new(error.to_string()))?;
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    next = search::newer(reader, &question, from, &mut |line| {
                        each(line).unwrap_or_else(|failure| {
                            failed = Some(failure);
                            false
                        })
                    });
                }
                next.map_err(|error| Failure::new(error.to_string()))?;
                failed.map_or(Ok(()), Err)
            }
        }
    }

    /// Fails where there is no such environment: a name that was mistyped has no records either.
    /// One that was deleted still has its own. The files alone do not know.
    async fn must_have(&self, env: String, out: &Out) -> Outcome {
        let Self::Server(admin) = self else {
            return Ok(());
        };
        let path = format!("/api/v1/environments/{}", encoded(&env));
        let Err(missing) = admin.fetch::<serde_json::Value>(&path).await else {
            return Ok(());
        };
        let any = AuditQuery {
            environment: Some(env),
            limit: Some(1),
            ..AuditQuery::default()
        };
        if collect(self, any, out).await?.is_empty() {
            return Err(missing);
        }
        Ok(())
    }

    async fn about(&self, id: &str) -> Outcome<Vec<AuditEntry>> {
        match self {
            Self::Server(admin) => {
                admin
                    .fetch(&format!("/api/v1/audit/entries/{}", encoded(id)))
                    .await
            }
            Self::Files(reader) => {
                let found = search::about(reader, id, None, now())
                    .map_err(|error| Failure::new(error.to_string()))?;
                if found.is_empty() {
                    return Err(Failure::new(search::nothing_about(id)));
                }
                Ok(found)
            }
        }
    }
}

async fn tail(source: &Source, query: AuditQuery, out: &mut Out) -> Outcome {
    if !query.follow {
        let found = collect(source, query, out).await?;
        out.answer(&found, |out| {
            out.table(&records::table(&found), "The log has nothing.")
        })?;
        return Ok(());
    }
    let mut day = records::Day::default();
    source
        .ask(&query, &mut |line| {
            match line {
                SearchLine::Entry(entry) if out.is_json() => out.json_line(&entry)?,
                SearchLine::Entry(entry) => records::tail_line(out, &mut day, &entry)?,
                SearchLine::Failed(why) => return Err(Failure::new(why)),
                SearchLine::Progress(_) | SearchLine::Done(_) => {}
            }
            Ok(true)
        })
        .await
}

/// Reads a whole answer, with a progress bar for somebody who watches.
async fn collect(source: &Source, query: AuditQuery, out: &Out) -> Outcome<Vec<AuditEntry>> {
    let bar = progress_bar(out, "entries");
    let mut found = Vec::new();
    let mut complete = false;
    source
        .ask(&query, &mut |line| {
            match line {
                SearchLine::Progress(progress) => show_progress(&bar, progress),
                SearchLine::Entry(entry) => found.push(entry),
                SearchLine::Failed(why) => return Err(Failure::new(why)),
                SearchLine::Done(progress) => {
                    show_progress(&bar, progress);
                    complete = true;
                }
            }
            Ok(!complete)
        })
        .await?;
    bar.finish_and_clear();
    if complete {
        Ok(found)
    } else {
        Err(Failure::new("the search broke off before its end"))
    }
}

fn progress_bar(out: &Out, unit: &str) -> ProgressBar {
    let target = if out.is_interactive() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let template = format!("{{bar:30}} {{percent:>3}} % of {{len}} {unit}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

fn show_progress(bar: &ProgressBar, progress: AuditProgress) {
    bar.set_length(progress.of);
    bar.set_position(progress.read);
}

async fn checkpoint(globals: &Globals, file: Option<&Path>, out: &mut Out) -> Outcome {
    let running = std::os::unix::net::UnixStream::connect(socket(&globals.data)).is_ok();
    let newest = if globals.url.is_some() || running {
        Admin::of(globals)?
            .fetch("/api/v1/audit/checkpoint")
            .await?
    } else {
        let paths = paths(globals);
        let key = own_key(&paths)?;
        read_checkpoint(&paths.audit().join("checkpoint"), &key).map(|checkpoint| {
            CheckpointNote {
                size: checkpoint.size(),
                note: checkpoint.note().to_owned(),
                key: key.to_string(),
            }
        })?
    };
    if let Some(file) = file {
        installation::write_private(file, newest.note.as_bytes())?;
        let kept = serde_json::json!({ "size": newest.size, "file": file.display().to_string() });
        let line = format!(
            "{} holds a checkpoint over {} entries",
            file.display(),
            newest.size
        );
        out.answer(&kept, |out| {
            out.styled(style::GOOD, &line)?;
            out.line("Keep it on another machine: it shows what was cut off or put back.")
        })?;
        return Ok(());
    }
    out.answer(&newest, |out| {
        out.raw(&super::escape::plain_lines(&newest.note))
    })?;
    Ok(())
}

fn own_key(paths: &Paths) -> Outcome<VerifyingKey> {
    let keys = installation::open_keys(paths)?;
    Ok(installation::signing_key(&keys)?.verifying_key())
}

fn read_checkpoint(file: &Path, key: &VerifyingKey) -> Outcome<Checkpoint> {
    let failed = |why: String| {
        Failure::new(format!("{} {why}", file.display()))
            .hint("`postern audit checkpoint --out FILE` writes one")
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    Checkpoint::parse(&text, key).map_err(|error| {
        let error = anyhow::Error::from(error);
        failed(format!("is no checkpoint of this log: {error:#}"))
    })
}
