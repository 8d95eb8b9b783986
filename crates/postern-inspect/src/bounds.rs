//! Every cap of this crate, with its unit and its reason.

/// Containers inside each other in a JSON document. Deeper documents overflow the stack of
/// recursive readers behind the gateway; real requests stay below twenty.
pub(crate) const DEPTH_MAX: usize = 128;

/// Bytes of an object key that are kept to compare it; every key that is read is shorter.
pub(crate) const KEY_BYTES_MAX: usize = 64;

/// Bytes of a captured value: ids and model names of all providers are below 128, a Gemini file
/// address below 256.
pub(crate) const VALUE_BYTES_MAX: usize = 512;

/// Bytes of a model's name, as in grants.
pub(crate) const MODEL_BYTES_MAX: usize = 128;

/// The largest output cap that is taken as one: above it no model answers, and sums of it must
/// not overflow.
pub(crate) const OUTPUT_CAP_MAX: u64 = 1_000_000_000;

/// Answers to one request (`n`, `candidateCount`): OpenAI's own limit.
pub(crate) const CHOICES_MAX: u64 = 128;

/// Models that the tools of one request may name: policy is asked about each.
pub(crate) const TOOL_MODELS_MAX: usize = 8;

/// References to stored state in one request; each is looked up.
pub(crate) const REFERENCES_MAX: usize = 256;

/// Ids that one answer may make and that are remembered. Later ones are not remembered, so using
/// them is refused.
pub(crate) const CREATED_MAX: usize = 256;

/// Bytes of one event that are held while it is decided whether usage is taken out of it. A larger
/// event passes unedited: it carries an image or sound, never the extra usage frame.
pub(crate) const EVENT_HELD_BYTES_MAX: usize = 256 * 1024;

/// Decoded bytes that a compressed answer may always have, before the ratio counts.
pub(crate) const DECODED_BYTES_FREE: u64 = 1024 * 1024;

/// Decoded bytes for each compressed byte beyond that; streams of equal frames reach about 60.
pub(crate) const DECODED_RATIO_MAX: u64 = 200;

/// Bytes of a list of models; the longest public list is below one megabyte.
pub(crate) const MODELS_BYTES_MAX: usize = 8 * 1024 * 1024;
