//! The result as people read it, plain or as Markdown for docs/performance.md.

use super::CONCURRENCY;
use super::gateway::{RULED, UNRULED};
use super::stages::Share;
use super::statistics::{Results, median, median_ratio};
use super::{delays, load, paced, streams};
use std::fmt::Write;

/// The leg that everything is compared with.
const YARDSTICK: &str = "nginx";

/// Both tables and the machine they are from.
pub(super) fn render(results: &Results, markdown: bool) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "\n{}, {} cores, {} GiB, Linux {}; medians of {} interleaved rounds\n\n",
        machine.cpu, machine.cores, machine.memory_gib, machine.kernel, results.rounds
    );
    text.push_str(&layout(&requests(results), markdown));
    text.push('\n');
    text.push_str(&layout(&streams(results), markdown));
    text.push('\n');
    text.push_str(&layout(&events(results), markdown));
    text.push('\n');
    text.push_str(&of_a_rule(results));
    text
}

/// What each stage costs, in the order of the line.
pub(super) fn render_stages(leg: &str, shares: &[Share], markdown: bool) -> String {
    let mut rows = vec![["stage", "us/request", "share"].map(str::to_owned).to_vec()];
    for share in shares {
        rows.push(vec![
            share.stage.clone(),
            format!("{:.1}", share.us_per_request),
            format!("{:.0} %", share.percent),
        ]);
    }
    let total: f64 = shares.iter().map(|share| share.us_per_request).sum();
    rows.push(vec![
        "all".to_owned(),
        format!("{total:.1}"),
        "100 %".to_owned(),
    ]);
    format!("\n{leg}\n\n{}", layout(&rows, markdown))
}

pub(super) type Rows = Vec<Vec<String>>;

fn requests(results: &Results) -> Rows {
    let heading = [
        "leg",
        "connections",
        "req/s",
        "p50 us",
        "p90 us",
        "p99 us",
        "added p50 us",
        "CPU us/req",
        "x nginx",
        "memory MB",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for &concurrency in CONCURRENCY {
        let nothing = results.requests_of("no proxy", concurrency);
        let yardstick = results.requests_of(YARDSTICK, concurrency);
        for leg in results.legs() {
            let samples = results.requests_of(&leg, concurrency);
            let of = |figure: fn(&load::Sample) -> f64| median(samples.iter().map(|s| figure(s)));
            let every = |samples: &[&load::Sample], figure: fn(&load::Sample) -> f64| {
                samples
                    .iter()
                    .map(|sample| figure(sample))
                    .collect::<Vec<f64>>()
            };
            let added = of(|s| s.p50_us) - median(every(&nothing, |s| s.p50_us));
            let cpu = |s: &load::Sample| s.cpu_us_per_request;
            let ratio = median_ratio(&every(&samples, cpu), &every(&yardstick, cpu));
            let is_proxy = leg != "no proxy";
            rows.push(vec![
                leg.clone(),
                concurrency.to_string(),
                format!("{:.0}", of(|s| s.requests_per_second)),
                format!("{:.0}", of(|s| s.p50_us)),
                format!("{:.0}", of(|s| s.p90_us)),
                format!("{:.0}", of(|s| s.p99_us)),
                only(is_proxy, format!("{added:.0}")),
                only(is_proxy, format!("{:.1}", of(cpu))),
                only(is_proxy, format!("{ratio:.2}")),
                only(
                    is_proxy,
                    format!("{:.1}", of(|s| s.resident_bytes as f64) / 1e6),
                ),
            ]);
        }
    }
    rows
}

fn streams(results: &Results) -> Rows {
    let open = results.streams.first().map_or(0, |sample| sample.streams);
    let heading = [
        format!("leg, {open} streams"),
        "first event p50 us".to_owned(),
        "first event p99 us".to_owned(),
        "CPU us/event".to_owned(),
        "x nginx".to_owned(),
        "bytes/stream".to_owned(),
        "idle MB".to_owned(),
    ];
    let mut rows = vec![heading.to_vec()];
    let yardstick: Vec<f64> = results
        .streams_of(YARDSTICK)
        .iter()
        .map(|sample| sample.cpu_us_per_event)
        .collect();
    for (leg, idle) in results.legs().into_iter().zip(&results.idle_bytes) {
        let samples = results.streams_of(&leg);
        let of = |figure: fn(&streams::Sample) -> f64| median(samples.iter().map(|s| figure(s)));
        let cpu: Vec<f64> = samples
            .iter()
            .map(|sample| sample.cpu_us_per_event)
            .collect();
        let is_proxy = leg != "no proxy";
        rows.push(vec![
            leg.clone(),
            format!("{:.0}", of(|s| s.first_event_p50_us)),
            format!("{:.0}", of(|s| s.first_event_p99_us)),
            only(is_proxy, format!("{:.1}", of(|s| s.cpu_us_per_event))),
            only(is_proxy, format!("{:.2}", median_ratio(&cpu, &yardstick))),
            only(is_proxy, format!("{:.0}", of(|s| s.bytes_per_stream))),
            only(is_proxy, format!("{:.1}", *idle as f64 / 1e6)),
        ]);
    }
    rows
}

/// What one event takes, and the first one of a stream that begins alone.
fn events(results: &Results) -> Rows {
    let heading = [
        "leg",
        "first event p50 us",
        "p99 us",
        "added p99 us",
        "event p50 us",
        "p99 us",
        "added p99 us",
        "behind a value p50 us",
        "p99 us",
        "added p99 us",
        "CPU us/event",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let nothing = event_figures(results, "no proxy");
    for leg in results.legs() {
        let figures = event_figures(results, &leg);
        let mut row = vec![leg.clone()];
        for ((p50, p99), (_, bare)) in figures.into_iter().zip(nothing) {
            row.push(format!("{p50:.0}"));
            row.push(format!("{p99:.0}"));
            row.push(only(leg != "no proxy", format!("{:.0}", p99 - bare)));
        }
        let of_leg = results.delays.iter().filter(|sample| sample.leg == leg);
        let cpu = median(of_leg.map(|sample| sample.cpu_us_per_event));
        row.push(only(leg != "no proxy", format!("{cpu:.1}")));
        rows.push(row);
    }
    rows
}

/// Medians of p50 and p99: the first event, one that is free to go, one behind a value.
fn event_figures(results: &Results, leg: &str) -> [(f64, f64); 3] {
    let paced: Vec<_> = results.paced.iter().filter(|s| s.leg == leg).collect();
    let delays: Vec<_> = results.delays.iter().filter(|s| s.leg == leg).collect();
    let first = |figure: fn(&paced::Sample) -> f64| median(paced.iter().map(|s| figure(s)));
    let each = |figure: fn(&delays::Sample) -> f64| median(delays.iter().map(|s| figure(s)));
    [
        (first(|s| s.p50_us), first(|s| s.p99_us)),
        (each(|s| s.free_p50_us), each(|s| s.free_p99_us)),
        (each(|s| s.decides_p50_us), each(|s| s.decides_p99_us)),
    ]
}

/// What a data rule adds, in words; empty where no gateway was measured.
fn of_a_rule(results: &Results) -> String {
    let cpu = |samples: Vec<&load::Sample>| -> Vec<f64> {
        samples.iter().map(|s| s.cpu_us_per_request).collect()
    };
    let by_event = |leg| median(results.streams_of(leg).iter().map(|s| s.cpu_us_per_event));
    let mut text = String::new();
    for &concurrency in CONCURRENCY {
        let ruled = cpu(results.requests_of(RULED, concurrency));
        let unruled = cpu(results.requests_of(UNRULED, concurrency));
        if ruled.is_empty() || unruled.is_empty() {
            return String::new();
        }
        // Writing into a String cannot fail.
        let _infallible = writeln!(
            text,
            "a data rule over every class, {concurrency} connections: {:.1} us of CPU a request \
             more, x {:.2}",
            median(ruled.iter().copied()) - median(unruled.iter().copied()),
            median_ratio(&ruled, &unruled),
        );
    }
    let _infallible = writeln!(
        text,
        "a data rule over every class, streams: {:.1} us of CPU an event more",
        by_event(RULED) - by_event(UNRULED),
    );
    text
}

fn only(shown: bool, text: String) -> String {
    if shown { text } else { "-".to_owned() }
}

/// Names to the left, figures to the right.
pub(super) fn layout(rows: &Rows, markdown: bool) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(String::len)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        let line = if markdown {
            format!("| {} |", cells.join(" | "))
        } else {
            cells.join("  ").trim_end().to_owned()
        };
        // Writing into a String cannot fail.
        let _infallible = writeln!(text, "{line}");
        if markdown && number == 0 {
            let rules: Vec<&str> = (0..columns)
                .map(|column| if column == 0 { "---" } else { "--:" })
                .collect();
            let _infallible = writeln!(text, "|{}|", rules.join("|"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_a_table() {
        let rows = vec![
            vec!["leg".to_owned(), "p50".to_owned()],
            vec!["nginx".to_owned(), "7".to_owned()],
        ];
        assert_eq!(
            layout(&rows, true),
            "| leg   | p50 |\n|---|--:|\n| nginx |   7 |\n"
        );
        assert_eq!(layout(&rows, false), "leg    p50\nnginx    7\n");
    }
}
