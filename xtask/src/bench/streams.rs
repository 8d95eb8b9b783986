//! Many slow streams at once: what an open stream holds, what an event costs, and how soon the
//! first one comes.

use super::legs::{self, Leg, Pace};
use super::statistics::percentile;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;

const EVENTS: u32 = 20;

const PACE: Pace = Pace {
    events: EVENTS,
    pause_ms: 250,
    stamped: false,
};

/// How many streams come from one source address, so that a cap per address does not bite.
const STREAMS_PER_ADDRESS: u32 = 50;

/// Streams start spread over this time: a thousand connections in one instant measure the accept
/// queue of the kernel.
const START_SPREAD: Duration = Duration::from_secs(1);

/// One measurement of one leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) leg: String,
    pub(super) round: u32,
    pub(super) streams: u32,
    pub(super) first_event_p50_us: f64,
    pub(super) first_event_p99_us: f64,
    /// CPU of the proxy over all, connection set-up included.
    pub(super) cpu_us_per_event: f64,
    /// How much more memory the proxy holds while all streams are open than it did before any
    /// load, by stream. An allocator keeps what it got, so the first round alone would not do.
    pub(super) bytes_per_stream: f64,
}

impl Sample {
    pub(super) fn line(&self) -> String {
        format!(
            "{:<18} {} streams: first event p50 {:.0} p99 {:.0} us, CPU {:.1} us/event, \
             {:.0} bytes/stream",
            self.leg,
            self.streams,
            self.first_event_p50_us,
            self.first_event_p99_us,
            self.cpu_us_per_event,
            self.bytes_per_stream
        )
    }
}

/// Opens `streams` streams, reads them to their end and answers what they cost. `settled` is the
/// proxy's memory before any load.
pub(super) fn run(leg: &Leg, streams: u32, settled: u64) -> Result<Sample> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(leg, streams, settled))
}

async fn measure(leg: &Leg, streams: u32, settled: u64) -> Result<Sample> {
    let cpu_before = leg.cpu_us();
    // All streams have had their first event, and none has had its last, when this opens.
    let all_open = Arc::new(Barrier::new(streams as usize + 1));
    let mut tasks = Vec::new();
    for index in 0..streams {
        let request = legs::stream_request(leg, index, PACE);
        let (address, source) = (leg.address, source(index));
        let all_open = Arc::clone(&all_open);
        let delay = START_SPREAD * index / streams;
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let outcome = first_event(address, source, &request).await;
            all_open.wait().await;
            let (latency, mut socket, seen) = outcome?;
            drain(&mut socket, seen).await?;
            anyhow::Ok(latency)
        }));
    }
    all_open.wait().await;
    let memory_open = leg.resident_bytes();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.push(
            task.await?
                .context("a stream did not end well")?
                .as_secs_f64()
                * 1e6,
        );
    }
    let cpu_us = leg.cpu_us() - cpu_before;
    latencies.sort_by(f64::total_cmp);
    Ok(Sample {
        leg: leg.name.to_owned(),
        round: 0,
        streams,
        first_event_p50_us: percentile(&latencies, 50.0),
        first_event_p99_us: percentile(&latencies, 99.0),
        cpu_us_per_event: cpu_us as f64 / (f64::from(streams) * f64::from(EVENTS)),
        bytes_per_stream: memory_open.saturating_sub(settled) as f64 / f64::from(streams),
    })
}

/// Sends the request and reads up to the first event.
pub(super) async fn first_event(
    address: SocketAddr,
    source: Ipv4Addr,
    request: &str,
) -> Result<(Duration, TcpStream, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((source, 0)))?;
    let mut socket = socket.connect(address).await?;
    socket.set_nodelay(true)?;
    let started = Instant::now();
    socket.write_all(request.as_bytes()).await?;
    let mut seen = Vec::with_capacity(4096);
    while !contains(&seen, b"data: ") {
        if socket.read_buf(&mut seen).await? == 0 {
            bail!(
                "ended before the first event: {}",
                String::from_utf8_lossy(&seen)
            );
        }
        if seen.len() > 64 * 1024 {
            bail!("64 KB and no event");
        }
    }
    if !seen.starts_with(b"HTTP/1.1 200") {
        bail!("refused: {}", String::from_utf8_lossy(&seen));
    }
    Ok((started.elapsed(), socket, seen))
}

/// Reads until the provider's end mark.
pub(super) async fn drain(socket: &mut TcpStream, mut seen: Vec<u8>) -> Result<()> {
    const END: &[u8] = b"[DONE]";
    loop {
        if contains(&seen, END) {
            return Ok(());
        }
        // Keep only what could be the beginning of the mark.
        let keep = seen.len().saturating_sub(END.len());
        seen.drain(..keep);
        if socket.read_buf(&mut seen).await? == 0 {
            bail!("ended before its last event");
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Every address of 127.0.0.0/8 is this machine.
pub(super) fn source(index: u32) -> Ipv4Addr {
    let host = index / STREAMS_PER_ADDRESS;
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 1, 1)) + host)
}
