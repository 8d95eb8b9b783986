//! What a request to a model consumed, in one shape for every provider.

use serde::{Deserialize, Serialize};

/// Where the figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The provider reported them.
    #[default]
    Provider,
    /// The gateway estimated them, because the provider reported nothing.
    Estimated,
    /// The provider's report was cut off; the figures are the last it sent.
    Interrupted,
}

/// Units that a model consumed, normalised so that no unit is counted twice: providers disagree on
/// whether cached input is inside the input figure, and whether reasoning is inside the output.
/// `input_uncached + cache_read + cache_write_* + input_audio + input_image` is the whole input,
/// `output_text + output_reasoning + output_audio + output_image` the whole output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input read afresh, text.
    pub input_uncached: u64,
    /// Input read from the provider's cache.
    pub cache_read: u64,
    /// Input written to the cache for five minutes (or the provider's only duration).
    pub cache_write_5m: u64,
    /// Input written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Audio input.
    pub input_audio: u64,
    /// Image input, where the provider counts it apart.
    pub input_image: u64,
    /// Output text, tool arguments included.
    pub output_text: u64,
    /// Reasoning that is billed as output.
    pub output_reasoning: u64,
    /// Audio output.
    pub output_audio: u64,
    /// Image output.
    pub output_image: u64,
    /// Server-side tool calls that are billed apart (web searches).
    pub tool_calls_billed: u64,
    /// Where the figures come from.
    pub source: UsageSource,
}

impl Usage {
    /// All input units.
    #[must_use]
    pub fn input_tokens(&self) -> u64 {
        [
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.input_audio,
            self.input_image,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// All output units.
    #[must_use]
    pub fn output_tokens(&self) -> u64 {
        [
            self.output_text,
            self.output_reasoning,
            self.output_audio,
            self.output_image,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}
