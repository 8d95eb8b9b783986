//! Every cap of this crate, with its unit and its reason.

/// Containers inside each other in a JSON document. Deeper documents overflow the stack of
/// recursive readers behind the gateway; real requests stay below twenty.
pub(crate) const DEPTH_MAX: usize = 128;

/// How deep requests and answers are as a rule: room made once, not again as they deepen.
pub(crate) const DEPTH_USUAL: usize = 8;

/// Bytes of an object key that are kept to compare it; every key that is read is shorter.
pub(crate) const KEY_BYTES_MAX: usize = 64;

/// Bytes of a captured value: ids and model names of all providers are below 128, a Gemini file
/// address below 256.
pub(crate) const VALUE_BYTES_MAX: usize = 512;

/// Segments that the path of an operation has: Azure's have five, the others fewer.
pub(crate) const OPERATION_SEGMENTS_MAX: usize = 8;

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

/// Bytes that stay at hand for the next event of a stream: most events need less, and a stream may
/// hold 64 KiB in all.
pub(crate) const EVENT_KEPT_BYTES: usize = 4 * 1024;

/// Decoded bytes that a compressed answer may always have, before the ratio counts.
pub(crate) const DECODED_BYTES_FREE: u64 = 1024 * 1024;

/// Decoded bytes for each compressed byte beyond that; streams of equal frames reach about 60.
pub(crate) const DECODED_RATIO_MAX: u64 = 200;

/// Bytes of a list of models; the longest public list is below one megabyte.
pub(crate) const MODELS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of a body of plain HTTP that are held under a data rule, decoded: a JSON document, a form,
/// a line of JSON. The text of a long book is five megabytes.
pub(crate) const BODY_HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Decoded bytes that a compressed body may have under a data rule: what is inspected costs time.
/// Beyond it, it is refused, however well it was compressed.
pub(crate) const BODY_DECODED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of the window that a zstd body may ask for, as a power of two: the 8 MiB that every
/// decoder has to support (RFC 8878, section 3.1.1.1.2).
pub(crate) const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Parts of a multipart body.
pub(crate) const PARTS_MAX: usize = 1024;

/// Steps of a field's path in a data rule.
pub(crate) const FIELD_STEPS_MAX: usize = 31;

/// Bytes of a number in a document that is cleaned. No reader gives more digits a meaning, and a
/// longer one would be a way to carry text.
pub(crate) const NUMBER_BYTES_MAX: usize = 100;

/// The exponent of such a number: of what does not fit into 64 bits some readers make infinity or
/// nothing, others a number, others an error.
pub(crate) const EXPONENT_MAX: u32 = 308;

/// Bytes of an answer that is one document and is cleaned: it is held whole. The longest answers
/// are lists of embeddings and pictures, some megabytes each.
pub(crate) const DOCUMENT_HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Strings that the events of one stream may say beside their texts, in members that no table
/// names: a search cites some tens of pages.
pub(crate) const BESIDE_MAX: usize = 4096;

/// Texts of one stream that are open at the same time: OpenAI's limits are 128 choices and 128
/// calls in parallel.
pub(crate) const CHANNELS_MAX: usize = 1024;

/// Bytes of a word of the format that is taken as one (an id, a type, the name of a model); what is
/// longer is inspected as text. Ids of sealed items reach some hundreds.
pub(crate) const WORD_BYTES_MAX: usize = 1024;

/// Bytes of one event that are held while it is cleaned. The last event of a response repeats all
/// of it with its tools, and pictures come in one event, so that this is far above
/// `EVENT_HELD_BYTES_MAX`; what is larger cannot be inspected.
pub(crate) const EVENT_CLEANED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of text to the left of a value that a detector may ask about.
pub(crate) const LEFT_BYTES: usize = 128;

/// Bytes that the automaton of one pattern may keep for states it has met; more are forgotten.
pub(crate) const PATTERN_CACHE_BYTES: usize = 1024 * 1024;

/// Bytes that the automaton over the text to the left of one kind of value may keep for states it
/// has met. Names of vendors with words between them ask for many: half of this was too little for
/// the documentation of this gateway.
pub(crate) const LEFT_CACHE_BYTES: usize = 2 * 1024 * 1024;

/// How often the automaton of one pattern forgets its states before it asks how much was read for
/// each of them.
pub(crate) const PATTERN_CACHES_MIN: usize = 3;

/// Bytes that such an automaton has to read for each state before it may forget them once more; on
/// fewer it gives up, and the pattern is searched without it.
pub(crate) const PATTERN_BYTES_PER_STATE_MIN: usize = 10;

/// Bytes that the automaton of many patterns may keep for states it has met, for each thread that
/// reads with it; texts of one kind meet fewer.
pub(crate) const MANY_CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that such an automaton has to read for each state before it may forget them and begin
/// anew. A new state takes as long as it takes without the automaton to read so many bytes.
pub(crate) const MANY_BYTES_PER_STATE_MIN: usize = 128;

/// Bytes of one window over a run without white space. Twice as many are held at most: a value that
/// starts in the first half and is no longer than half of it is then seen whole.
pub(crate) const WINDOW_BYTES: usize = 4096;

/// Bytes of matches in one segment that fail a row's check before the rest of the segment is taken
/// for a value of the row. Searches start again behind each, so that without a bound a window would
/// cost the square of its bytes; base64 of pictures stays below half of it.
pub(crate) const FAILED_BYTES_MAX: usize = 128 * 2 * WINDOW_BYTES;

/// Bytes of one window over groups joined by spaces; a value that crosses a space is shorter than
/// half of it.
pub(crate) const JOINED_WINDOW_BYTES: usize = 256;

/// Bytes of the name before the `@` of an address (RFC 5321, section 4.5.3.1.1). So much is held
/// of text in a script without spaces, and behind a quote that may open such a name; an address in
/// one run is held with its run.
pub(crate) const MAILBOX_BYTES_MAX: usize = 64;

/// Bytes of a label of a host in letters of three bytes: 63 of them (RFC 1035, section 2.3.4).
pub(crate) const LABEL_BYTES_MAX: usize = 3 * 63;

/// Bytes of the host of an address that are looked at: 253 letters and marks (RFC 1035), of three
/// bytes at most where they are letters.
pub(crate) const HOST_BYTES_MAX: usize = 3 * 253;

/// Bytes between `-----BEGIN` and the dashes that close the line: the longest label of a private
/// key is below 40.
pub(crate) const ARMOUR_LABEL_BYTES_MAX: usize = 64;

/// Bytes at the beginning of a file among which readers of PDF look for its mark (PDF Reference
/// 1.7, appendix H.3, note 13).
pub(crate) const PDF_BEGIN_BYTES: usize = 1024;

/// Bytes of a comment of XML or HTML with no word in it: an empty one, or a short line. So much is
/// held until it has ended; a longer one is read as text.
pub(crate) const SEAM_BYTES_MAX: usize = 16;

/// Bytes of a declaration of XML, or of a `meta` tag of HTML: one is held until it is known which
/// encoding it names. Long ones hold a description.
pub(crate) const DECLARATION_BYTES_MAX: usize = 16 * 1024;

/// Bytes of characters without width inside one word. Scripts that join letters with them need one
/// or two for a letter.
pub(crate) const HIDDEN_BYTES_MAX: u32 = 16 * 1024;

/// How often percent-encoded text is read when what it says is encoded once more: an address in an
/// address, as it is passed on, and once more. Each is a search of its own.
pub(crate) const CODED_DEPTH_MAX: usize = 4;

/// Bytes of text that are looked at in one go; a longer piece is taken in slices of it.
pub(crate) const SLICE_BYTES: usize = 32 * 1024;

/// Bytes of a value that a placeholder may stand for; a longer one is masked.
pub(crate) const PSEUDONYM_VALUE_BYTES_MAX: usize = 512;

/// Bytes of placeholders and their values in one request; beyond it values are masked. A long
/// conversation names some hundred.
pub(crate) const PSEUDONYMS_BYTES_MAX: usize = 32 * 1024;

/// Placeholders of one caller that are kept for its later answers, the newest: as many as a long
/// conversation names. Their bytes are bounded by `PSEUDONYMS_BYTES_MAX`.
pub(crate) const PSEUDONYMS_KEPT_MAX: usize = 512;

/// Kinds and places of findings that are told apart in one direction of one request.
pub(crate) const FINDINGS_MAX: usize = 256;

/// Bytes of a finding's place.
pub(crate) const PLACE_BYTES_MAX: usize = 128;

/// Bytes of a number or word in JSON text that are held until it is known to be one.
pub(crate) const JSON_BARE_BYTES_MAX: usize = 512;

/// Bytes at the end of JSON text that are kept for when it turns out to be none: what is held of a
/// word, and what stands to its left.
pub(crate) const JSON_TAIL_BYTES: usize = JSON_BARE_BYTES_MAX + LEFT_BYTES;

/// JSON texts inside strings of each other that are read as such; deeper ones are plain text.
pub(crate) const JSON_INSIDE_MAX: usize = 3;

/// Bytes before the first element of a growing array that wait for it; more is white space of no
/// use.
pub(crate) const LEAD_BYTES_MAX: usize = 1024;

/// JSON texts inside strings of each other in a field of a table whose escapes are read; a field
/// with more is refused. Each is read once more, and doubles the backslashes of the one inside.
pub(crate) const JSON_IN_FIELD_MAX: usize = 8;

/// Backslashes before an escape in JSON text that broke off: as many as four strings inside of each
/// other need.
pub(crate) const JSON_BACKSLASHES_MAX: usize = 15;

/// Bytes that a pattern of a rule may match at most: so much may have to be held.
pub(crate) const CUSTOM_MATCH_BYTES_MAX: usize = 512;

/// Bytes of white space between two words of a phrase of a rule: the end of a line and what the
/// next one is set in by.
pub(crate) const CUSTOM_GAP_BYTES_MAX: usize = 16;

/// Bytes of the text of such a pattern.
pub(crate) const CUSTOM_PATTERN_BYTES_MAX: usize = 2048;

/// Bytes of the automaton of such a pattern; a larger one is refused when the rule is saved.
pub(crate) const CUSTOM_AUTOMATON_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of all words of all rules of an upstream: a deny list of some ten thousand names.
pub(crate) const CUSTOM_WORDS_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a piece of text that an analyzer is asked about: a long sentence. So much may be held,
/// or so much beyond what stands in place of one value, where that alone is longer.
pub(crate) const ANALYZED_PIECE_BYTES_MAX: usize = 1024;

/// Bytes at the end of such a piece that the next one shows again where the sentence goes on. So
/// long may a name be: what is told to be longer, and is cut by an end, is not passed.
pub(crate) const ANALYZED_OVERLAP_BYTES: usize = 256;

/// Bytes of an answer that wait for an analyzer at once: what came since it was asked, and an
/// event.
pub(crate) const QUEUED_BYTES_MAX: usize = 4 * EVENT_CLEANED_BYTES_MAX;

/// Pieces that an analyzer is asked about at once: the sentences of a request of about 200 KiB.
pub(crate) const WANTED_PIECES_MAX: usize = 2048;

/// Bytes of answered pieces that are remembered within one direction of a request; the last event
/// of a stream may repeat all of it.
pub(crate) const ANSWERS_BYTES_MAX: usize = 1024 * 1024;
