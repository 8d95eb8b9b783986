//! What providers report as consumed, brought into one shape.
//!
//! Providers disagree on what is inside what. OpenAI and Gemini count cached input inside the
//! input, Anthropic beside it. OpenAI counts reasoning inside the output, Gemini beside it, and
//! compatible servers do either, which shows in their total. Here each unit is counted once.

use postern_types::{Usage, UsageSource};

use crate::Dialect;

/// A figure that a provider reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Input,
    Output,
    Total,
    Cached,
    CacheWrite,
    CacheWrite5m,
    CacheWrite1h,
    InputAudio,
    InputImage,
    CachedAudio,
    CachedImage,
    ToolInput,
    Reasoning,
    OutputAudio,
    OutputImage,
    Searches,
}

const COUNTERS: usize = Counter::Searches as usize + 1;

/// The figures of one answer so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    figures: [Option<u64>; COUNTERS],
}

impl Counters {
    pub(super) fn clear(&mut self) {
        self.figures = [None; COUNTERS];
    }

    pub(super) fn set(&mut self, counter: Counter, value: u64) {
        self.figures[counter as usize] = Some(value);
    }

    pub(super) fn add(&mut self, counter: Counter, value: u64) {
        let sum = self.of(counter).saturating_add(value);
        self.set(counter, sum);
    }

    fn of(&self, counter: Counter) -> u64 {
        self.figures[counter as usize].unwrap_or(0)
    }

    /// The usage that the figures mean, once any was reported.
    pub(super) fn usage(&self, dialect: Dialect, source: UsageSource) -> Option<Usage> {
        self.figures.iter().any(Option::is_some).then(|| {
            let usage = match dialect {
                Dialect::OpenAi | Dialect::AzureOpenAi | Dialect::Http => self.openai(),
                Dialect::Anthropic => self.anthropic(),
                Dialect::Gemini => self.gemini(),
            };
            Usage { source, ..usage }
        })
    }

    fn openai(&self) -> Usage {
        let mut input = Whole(self.of(Counter::Input));
        let cache_read = input.take(self.of(Counter::Cached));
        let cache_write_5m = input.take(self.of(Counter::CacheWrite));
        let input_audio = input.take(self.of(Counter::InputAudio));
        let input_image = input.take(self.of(Counter::InputImage));

        let (counted, reasoning) = (self.of(Counter::Output), self.of(Counter::Reasoning));
        let beside = self
            .of(Counter::Input)
            .saturating_add(counted)
            .saturating_add(reasoning);
        let is_beside = reasoning > 0 && self.of(Counter::Total) == beside;
        let mut output = Whole(if is_beside {
            counted.saturating_add(reasoning)
        } else {
            counted
        });
        let output_reasoning = output.take(reasoning);
        let output_audio = output.take(self.of(Counter::OutputAudio));
        let output_image = output.take(self.of(Counter::OutputImage));
        Usage {
            input_uncached: input.0,
            cache_read,
            cache_write_5m,
            input_audio,
            input_image,
            output_text: output.0,
            output_reasoning,
            output_audio,
            output_image,
            ..Usage::default()
        }
    }

    fn anthropic(&self) -> Usage {
        let hour = self.of(Counter::CacheWrite1h);
        let parts = self.of(Counter::CacheWrite5m).saturating_add(hour);
        let mut written = Whole(self.of(Counter::CacheWrite).max(parts));
        let cache_write_1h = written.take(hour);
        let mut output = Whole(self.of(Counter::Output));
        let output_reasoning = output.take(self.of(Counter::Reasoning));
        Usage {
            input_uncached: self.of(Counter::Input),
            cache_read: self.of(Counter::Cached),
            cache_write_5m: written.0,
            cache_write_1h,
            output_text: output.0,
            output_reasoning,
            tool_calls_billed: self.of(Counter::Searches),
            ..Usage::default()
        }
    }

    fn gemini(&self) -> Usage {
        let mut input = Whole(self.of(Counter::Input));
        let cache_read = input.take(self.of(Counter::Cached));
        // Cached sound and pictures are inside both the cached figure and the modality's.
        let apart = |all: Counter, cached: Counter| self.of(all).saturating_sub(self.of(cached));
        let input_audio = input.take(apart(Counter::InputAudio, Counter::CachedAudio));
        let input_image = input.take(apart(Counter::InputImage, Counter::CachedImage));
        let mut output = Whole(self.of(Counter::Output));
        let output_audio = output.take(self.of(Counter::OutputAudio));
        let output_image = output.take(self.of(Counter::OutputImage));
        Usage {
            input_uncached: input.0.saturating_add(self.of(Counter::ToolInput)),
            cache_read,
            input_audio,
            input_image,
            output_text: output.0,
            output_reasoning: self.of(Counter::Reasoning),
            output_audio,
            output_image,
            ..Usage::default()
        }
    }
}

/// A figure from which its parts are taken, never more than is left.
struct Whole(u64);

impl Whole {
    fn take(&mut self, part: u64) -> u64 {
        let part = part.min(self.0);
        self.0 -= part;
        part
    }
}
