//! How large a policy may be.

/// Bytes in one policy text. Hand-written guard-rails are a few kilobytes; the parser and the
/// validator run while an administrator waits.
pub(crate) const POLICY_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Statements in all guard-rails of one environment. Each is evaluated on each request, at some
/// hundred nanoseconds.
pub(crate) const STATEMENTS_MAX: usize = 500;

/// HTTP rules and models in all grants of one token. Each is a comparison or more on each request.
pub(crate) const TOKEN_RULES_MAX: usize = 500;
