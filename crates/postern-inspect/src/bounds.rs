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

/// Bytes of a number in a document that is cleaned. No reader gives more digits a meaning, and a
/// longer one would be a way to carry text.
pub(crate) const NUMBER_BYTES_MAX: usize = 100;

/// Bytes of an answer that is one document and is cleaned: it is held whole. The longest answers
/// are lists of embeddings and pictures, some megabytes each.
pub(crate) const DOCUMENT_HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Texts of one stream that are open at the same time: OpenAI's limits are 128 choices and 128
/// calls in parallel.
pub(crate) const CHANNELS_MAX: usize = 1024;

/// Bytes of a word of the format that is taken as one (an id, a type, the name of a model); what is
/// longer is inspected as text. Ids of sealed items reach some hundreds.
pub(crate) const WORD_BYTES_MAX: usize = 1024;

/// Bytes of a place in a finding.
pub(crate) const PLACE_BYTES_MAX: usize = 128;

/// Bytes of one event that are held while it is cleaned. The last event of a response repeats all of
/// it with its tools, and pictures come in one event, so that this is far above
/// `EVENT_HELD_BYTES_MAX`; what is larger cannot be inspected.
pub(crate) const EVENT_CLEANED_BYTES_MAX: usize = 8 * 1024 * 1024;
