//! How long an event takes from the upstream to the client: one in which nothing can be held, and
//! one whose text decides about a value that was held before it.
//!
//! The upstream says in the id of each event what it is and when it was sent, by the clock that
//! both processes share. Events come in threes: a word between spaces, a value, and the text behind
//! it that ends the value. Under a data rule the last one carries what stands for the value.

use super::gateway::RULED;
use super::legs::{self, Leg, Pace};
use super::statistics::{median, percentile};
use super::streams::source;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// Streams at once: so few that events seldom wait for each other.
const STREAMS: u32 = 16;

const PACE: Pace = Pace {
    events: 240,
    pause_ms: 15,
    stamped: true,
};

/// Streams start so far apart, so that their events do not fall together.
const APART: Duration = Duration::from_micros(940);

/// How often all of it is measured in one round. A p99 of a thousand events is that of the dozen
/// slowest, which one pause of the machine decides: it falls into one of the takes, and the middle
/// one is told.
const TAKES: u32 = 3;

/// What an event is: how its id begins, its text, and what the text becomes under a rule.
const KINDS: [(&str, &str, &str); 3] = [
    ("free", " word ", " word "),
    ("value", "jane.doe@example.com", ""),
    ("decides", " and ", "[EMAIL] and "),
];

/// One measurement of one leg; microseconds from the upstream to the client, the median of its
/// takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) leg: String,
    pub(super) round: u32,
    pub(super) free_p50_us: f64,
    pub(super) free_p99_us: f64,
    pub(super) decides_p50_us: f64,
    pub(super) decides_p99_us: f64,
    /// That of each take.
    pub(super) decides_p99s_us: Vec<f64>,
    /// CPU of the proxy, the opening of a stream spread over its many events.
    pub(super) cpu_us_per_event: f64,
}

impl Sample {
    pub(super) fn line(&self) -> String {
        format!(
            "{:<18} event p50 {:.0} p99 {:.0} us, behind a value p50 {:.0} p99 {:.0} us \
             (takes {:.0?}), CPU {:.1} us/event",
            self.leg,
            self.free_p50_us,
            self.free_p99_us,
            self.decides_p50_us,
            self.decides_p99_us,
            self.decides_p99s_us,
            self.cpu_us_per_event
        )
    }
}

/// The next event of a stamped stream that has so many left.
pub(super) fn event(left: u32) -> Bytes {
    // A stream's events are a multiple of three, so that it begins with the first kind.
    let (kind, text, _) = KINDS[2 - (left % 3) as usize];
    let stamp = spell(now_us());
    Bytes::from(format!(
        "data: {{\"id\":\"{kind}-{stamp}\",\"object\":\"chat.completion.chunk\",\
         \"created\":1750000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{{\"index\":0,\
         \"delta\":{{\"content\":\"{text}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
    ))
}

/// Reads stamped streams from one leg.
pub(super) fn run(leg: &Leg) -> Result<Sample> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let cpu_before = leg.cpu_us();
    let mut takes = Vec::new();
    for _ in 0..TAKES {
        let mut delays = runtime.block_on(measure(leg))?;
        for kind in &mut delays {
            kind.sort_by(f64::total_cmp);
        }
        takes.push(delays);
    }
    let cpu_us = leg.cpu_us() - cpu_before;
    let each = |kind: usize, percent: f64| -> Vec<f64> {
        let take = |take: &Delays| percentile(&take[kind], percent);
        takes.iter().map(take).collect()
    };
    let (free, decides) = (0, 2);
    Ok(Sample {
        leg: leg.name.to_owned(),
        round: 0,
        free_p50_us: median(each(free, 50.0)),
        free_p99_us: median(each(free, 99.0)),
        decides_p50_us: median(each(decides, 50.0)),
        decides_p99_us: median(each(decides, 99.0)),
        decides_p99s_us: each(decides, 99.0),
        cpu_us_per_event: cpu_us as f64 / f64::from(TAKES * STREAMS * PACE.events),
    })
}

/// The delays of each kind of event.
type Delays = [Vec<f64>; KINDS.len()];

async fn measure(leg: &Leg) -> Result<Delays> {
    let mut tasks = Vec::new();
    for index in 0..STREAMS {
        let request = legs::stream_request(leg, index, PACE);
        let (address, source) = (leg.address, source(index));
        let ruled = leg.name == RULED;
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(APART * index).await;
            let socket = TcpSocket::new_v4()?;
            socket.bind((source, 0).into())?;
            let mut socket = socket.connect(address).await?;
            socket.set_nodelay(true)?;
            socket.write_all(request.as_bytes()).await?;
            read(&mut socket, ruled).await
        }));
    }
    let mut all = Delays::default();
    for task in tasks {
        let delays = task.await?.context("a stream did not end well")?;
        for (all, one) in all.iter_mut().zip(delays) {
            all.extend(one);
        }
    }
    Ok(all)
}

/// Reads one stream to its end.
async fn read(socket: &mut (impl AsyncReadExt + Unpin), ruled: bool) -> Result<Delays> {
    let mut delays = Delays::default();
    let mut seen = Vec::with_capacity(16 * 1024);
    loop {
        if socket.read_buf(&mut seen).await? == 0 {
            bail!("ended before its last event");
        }
        let arrived = now_us();
        let text = std::str::from_utf8(&seen).context("the stream is not UTF-8")?;
        let Some(end) = text.rfind("\n\n") else {
            continue;
        };
        for event in text[..end].split("\n\n") {
            note(event, ruled, arrived, &mut delays)?;
        }
        if text.contains("[DONE]") {
            break;
        }
        seen.drain(..end);
    }
    let expected = PACE.events as usize / KINDS.len();
    if delays.iter().any(|kind| kind.len() != expected) {
        bail!("events are missing");
    }
    Ok(delays)
}

/// Takes note of an event that has arrived. One that says something else than it should would not
/// be what is measured.
fn note(event: &str, ruled: bool, arrived: u64, delays: &mut Delays) -> Result<()> {
    let Some((_, id)) = event.split_once("\"id\":\"") else {
        return Ok(());
    };
    let id = id.split('"').next().unwrap_or_default();
    let Some((name, stamp)) = id.split_once('-') else {
        return Ok(());
    };
    let Some(kind) = KINDS.iter().position(|kind| kind.0 == name) else {
        return Ok(());
    };
    let (_, sent, cleaned) = KINDS[kind];
    let text = if ruled { cleaned } else { sent };
    if !event.contains(&format!("\"content\":\"{text}\"")) {
        bail!("an event of kind `{name}` does not say `{text}`");
    }
    delays[kind].push(arrived.saturating_sub(read_stamp(stamp)) as f64);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "upstream and client are two processes, which share this clock alone"
)]
fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_micros() as u64)
}

/// A number in letters: digits might be taken for a value.
fn spell(number: u64) -> String {
    let letters = format!("{number:x}");
    letters.bytes().map(letter).collect()
}

fn letter(hexadecimal: u8) -> char {
    let value = char::from(hexadecimal).to_digit(16).unwrap_or(0);
    char::from(b'a' + value as u8)
}

fn read_stamp(letters: &str) -> u64 {
    letters
        .bytes()
        .fold(0, |number, byte| number << 4 | u64::from(byte - b'a'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a stamp is read as it was written, and events come in their turn.
    #[test]
    fn stamps_are_read_as_they_are_written() {
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(read_stamp(&spell(number)), number);
        }
        let kinds = [239, 238, 237, 236].map(|left| {
            let event = String::from_utf8(event(left).to_vec()).expect("it is text");
            KINDS.iter().position(|kind| event.contains(&kind.0[..4]))
        });
        assert_eq!(kinds, [Some(0), Some(1), Some(2), Some(0)]);
    }
}
