//! How many entries a second, at what latency and CPU time: run with
//! `cargo run --profile quick -p postern-audit --example append_rate [seconds a case] [directory]`.
//!
//! An entry is a header of 96 and a body of 525 bytes, of words. CPU is that of the whole process.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postern_audit::{
    DomainKey, Durability, Entry, KeyError, Log, LogOptions, Reader, SealingKeys, SigningKey,
    SlotPool, verify,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct OneKey;

impl SealingKeys for OneKey {
    fn current(&self, _domain: &str) -> Result<DomainKey, KeyError> {
        Ok(DomainKey {
            version: 1,
            key: [1; 32].into(),
        })
    }

    fn by_version(&self, domain: &str, _version: u32) -> Result<DomainKey, KeyError> {
        self.current(domain)
    }
}

/// What one case is.
struct Case {
    name: &'static str,
    level: Durability,
    /// Requests at a time, on a runtime of one thread each `threads`.
    tasks: usize,
    threads: usize,
    /// Each request is an awaited intent and an outcome for later; else an awaited entry only.
    outcome_later: bool,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(3), |text| text.parse::<u64>())?;
    let place = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "case, entries/s, CPU us/entry, p50 us, p99 us, max us, bytes/entry on disk"
    )?;
    let buffered = Durability::Buffered;
    let durable = Durability::Durable;
    let case = |name, level, tasks, threads, outcome_later| Case {
        name,
        level,
        tasks,
        threads,
        outcome_later,
    };
    for case in [
        case("buffered, 1 at a time", buffered, 1, 1, false),
        case("buffered, 1 at a time, outcome later", buffered, 1, 1, true),
        case(
            "buffered, 64 on 1 thread, outcome later",
            buffered,
            64,
            1,
            true,
        ),
        case(
            "buffered, 64 on 2 threads, outcome later",
            buffered,
            32,
            2,
            true,
        ),
        case("durable, 1 at a time", durable, 1, 1, false),
        case(
            "durable, 64 on 1 thread, outcome later",
            durable,
            64,
            1,
            true,
        ),
        case(
            "durable, 256 on 2 threads, outcome later",
            durable,
            128,
            2,
            true,
        ),
    ] {
        writeln!(out, "{}", run(&case, Duration::from_secs(seconds), &place)?)?;
    }
    Ok(())
}

fn run(case: &Case, time: Duration, place: &std::path::Path) -> Outcome<String> {
    let dir = place.join(format!("append-rate-{}", std::process::id()));
    let options = LogOptions {
        create: true,
        ..LogOptions::default()
    };
    let signing = SigningKey::from_seed("bench.example/audit", &[7; 32])?;
    let public = signing.verifying_key();
    let (log, _) = Log::open(&dir, Arc::new(OneKey), signing, options)?;
    let log = Arc::new(log);
    let entries = Arc::new(AtomicU64::new(0));
    let (cpu_before, begin) = (cpu_time()?, Instant::now());
    let end = begin + time;
    let threads = (0..case.threads)
        .map(|_| {
            let (log, entries) = (Arc::clone(&log), Arc::clone(&entries));
            let (level, tasks, later) = (case.level, case.tasks, case.outcome_later);
            std::thread::spawn(move || -> Outcome<Vec<u32>> {
                let runtime = tokio::runtime::Builder::new_current_thread().build()?;
                runtime.block_on(async {
                    let tasks = (0..tasks).map(|_| {
                        let (log, entries) = (Arc::clone(&log), Arc::clone(&entries));
                        tokio::spawn(requests(log, entries, level, later, end))
                    });
                    let mut latencies = Vec::new();
                    for task in tasks.collect::<Vec<_>>() {
                        latencies.extend(task.await??);
                    }
                    Ok(latencies)
                })
            })
        })
        .collect::<Vec<_>>();
    let mut latencies = Vec::new();
    for thread in threads {
        latencies.extend(thread.join().map_err(|_| "a thread panicked")??);
    }
    let (wall, cpu) = (begin.elapsed(), cpu_time()?.saturating_sub(cpu_before));
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(log.close())?;
    let bytes = bytes_under(&dir.join("segments"))?;
    let begin_verify = Instant::now();
    if !verify(&dir, &public, None, &mut |_, _| {}).is_sound() {
        return Err("the log does not verify".into());
    }
    let (verified, begin_read) = (begin_verify.elapsed(), Instant::now());
    let reader = Reader::open(&dir, Some(Arc::new(OneKey)))?;
    let opened = reader
        .entries_from(0)?
        .filter(|e| e.as_ref().is_ok_and(|e| e.body.is_ok()));
    let opened = opened.count();
    let read = begin_read.elapsed();
    std::fs::remove_dir_all(&dir)?;
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    let count = entries.load(Ordering::Relaxed);
    Ok(format!(
        "{}: {:.0}, {:.2}, {}, {}, {}, {}, {:.0}, {:.0}",
        case.name,
        count as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count as f64,
        at(0.5),
        at(0.99),
        at(1.0),
        bytes / count.max(1),
        count as f64 / verified.as_secs_f64(),
        opened as f64 / read.as_secs_f64(),
    ))
}

/// Appends until the time is over; the latency of each awaited append, in microseconds.
async fn requests(
    log: Arc<Log>,
    entries: Arc<AtomicU64>,
    level: Durability,
    outcome_later: bool,
    end: Instant,
) -> Outcome<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut i = 0_usize;
    while Instant::now() < end {
        let mut slots = log.reserve(SlotPool::Authenticated, 2)?;
        let begin = Instant::now();
        log.append(&mut slots, entry(i), level).await?;
        latencies.push(u32::try_from(begin.elapsed().as_micros())?);
        entries.fetch_add(1, Ordering::Relaxed);
        if outcome_later {
            log.append_later(&mut slots, entry(i + 1))?;
            entries.fetch_add(1, Ordering::Relaxed);
        }
        i += 7;
        if i.is_multiple_of(64 * 7) {
            tokio::task::yield_now().await;
        }
    }
    Ok(latencies)
}

fn entry(i: usize) -> Entry {
    const WORDS: &[u8] = b"{\"principal\":\"service:billing\",\"path\":\"/v1/chat/completions\",\
        \"model\":\"gpt-4o-mini\",\"address\":\"10.1.2.3\",\"text\":\"please summarise the attached \
        minutes of the meeting and list who promised what until when\",\"findings\":[]} the quick \
        brown fox jumps over the lazy dog while seven wizards boxed quickly in the jolly old house \
        of cards and quartz, and nobody counted how many vexed sphinxes judged my vow; ";
    let body = WORDS
        .iter()
        .cycle()
        .skip(i % WORDS.len())
        .take(525)
        .copied()
        .collect();
    let header = format!("{i:0>96}").into_bytes();
    Entry {
        domain: "prod".into(),
        header,
        body,
    }
}

/// User and system time of this process.
fn cpu_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat
        .rsplit(')')
        .next()
        .ok_or("no fields")?
        .split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn bytes_under(dir: &std::path::Path) -> Outcome<u64> {
    let mut bytes = 0;
    for file in std::fs::read_dir(dir)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}
