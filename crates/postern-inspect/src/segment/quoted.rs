//! A name in quotes before the sign of an address: `"john doe"@example.com` is one run.

use crate::bounds::MAILBOX_BYTES_MAX;

/// What a run with an open quote is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// No address.
    No,
    /// What follows decides, and is not there.
    More,
    /// The name of an address up to this offset, where its sign stands.
    To(usize),
}

/// The end of a word in which an open quote is looked for, in bytes. The name that it opens is
/// shorter, and a long word is looked at for each name in it.
const LOOKED_BYTES: usize = 4 * MAILBOX_BYTES_MAX;

/// Where a quote opens in the word and does not close. Letters and digits may not stand directly
/// before it, and what stands behind `\` is no quote.
fn opening(word: &[u8]) -> Option<usize> {
    let from = word.len().saturating_sub(LOOKED_BYTES);
    memchr::memchr(b'"', &word[from..])?;
    let (mut at, mut open) = (from, None);
    while at < word.len() {
        match word[at] {
            b'\\' => at += 1,
            b'"' if open.is_some() => open = None,
            b'"' if at == 0 || !word[at - 1].is_ascii_alphanumeric() => open = Some(at),
            _ => {}
        }
        at += 1;
    }
    open
}

/// Whether a quote opens in the word and does not close.
pub(super) fn opens(word: &[u8]) -> bool {
    opening(word).is_some()
}

/// Whether the run from `run`, behind which a blank stands at `at`, begins the name of an address
/// in quotes (RFC 5321, section 4.1.2).
pub(super) fn name(bytes: &[u8], run: usize, at: usize, ended: bool) -> Quoted {
    let Some(open) = opening(&bytes[run..at]) else {
        return Quoted::No;
    };
    let open = run + open;
    let mut inner = open + 1;
    while inner - open < MAILBOX_BYTES_MAX {
        match bytes.get(inner) {
            Some(b'"') => break,
            Some(b'\\') => inner += 2,
            Some(0..=0x1f | 0x7f) => return Quoted::No,
            Some(_) => inner += 1,
            None if ended => return Quoted::No,
            None => return Quoted::More,
        }
    }
    match (bytes.get(inner), bytes.get(inner + 1)) {
        (Some(b'"'), Some(b'@')) => Quoted::To(inner + 1),
        (Some(b'"'), None) | (None, _) if !ended => Quoted::More,
        _ => Quoted::No,
    }
}
