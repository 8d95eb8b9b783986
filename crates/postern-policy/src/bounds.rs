//! How large a policy may be.

/// Bytes in one policy text. Hand-written guard-rails are a few kilobytes; the parser and the
/// validator run while an administrator waits.
pub(crate) const POLICY_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Statements in all guard-rails of one environment. Each is evaluated on each request, at some
/// hundred nanoseconds.
pub(crate) const STATEMENTS_MAX: usize = 500;

/// HTTP rules and models in all grants of one token. Each is a comparison or more on each request.
pub(crate) const TOKEN_RULES_MAX: usize = 500;

/// Addresses remembered per thread in Cedar's form, at some 200 bytes each. Beyond it all are
/// forgotten, and made again at a microsecond each.
pub(crate) const ADDRESSES_REMEMBERED_MAX: usize = 1_024;

/// Contexts remembered per thread, at some hundred bytes each: one per upstream and model. Beyond
/// it all are forgotten, and made again at a microsecond each.
pub(crate) const CONTEXTS_REMEMBERED_MAX: usize = 128;

/// Sets of entities remembered per thread, at some kilobytes each: one per principal, upstream and
/// model. Beyond it all are forgotten, and made again at about ten microseconds each.
pub(crate) const ENTITIES_REMEMBERED_MAX: usize = 128;

/// Decisions remembered per thread, at some three hundred bytes each: one per token and model in
/// use. Where two want one place, they are asked for in turn.
pub(crate) const DECISIONS_REMEMBERED: usize = 1_024;
