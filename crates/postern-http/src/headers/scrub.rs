//! Takes an upstream's credential out of what the upstream sends back.
//!
//! Some servers repeat the key they were given, in error messages or echoes. The match is exact,
//! the mask as long as what it covers, so that lengths stay true. A body is scrubbed as it streams:
//! only bytes that may be the beginning of the credential are held back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use postern_types::Secret;

/// A shorter text is no credential, and masking it would mask half of every answer.
const NEEDLE_BYTES_MIN: usize = 6;

/// Looks for a credential.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scrubber {
    needle: Option<Arc<Secret>>,
}

impl Scrubber {
    pub(super) fn new(secret: Option<&Secret>) -> Self {
        let trimmed = secret.map(|secret| Secret::new(secret.expose().trim_ascii().to_vec()));
        Self {
            needle: trimmed
                .filter(|secret| secret.expose().len() >= NEEDLE_BYTES_MIN)
                .map(Arc::new),
        }
    }

    /// Whether there is anything to look for.
    pub(crate) fn looks(&self) -> bool {
        self.needle.is_some()
    }

    fn needle(&self) -> Option<&[u8]> {
        self.needle.as_ref().map(|secret| secret.expose())
    }

    /// Scrubs the values of header fields.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let Some(needle) = self.needle() else {
            return;
        };
        for value in headers.values_mut() {
            // Nearly all values are shorter than a credential.
            if value.len() < needle.len() || find(value.as_bytes(), needle).is_none() {
                continue;
            }
            let mut bytes = value.as_bytes().to_vec();
            mask(&mut bytes, needle);
            // Stars are as good in a field value as what they replace.
            *value = HeaderValue::from_bytes(&bytes)
                .unwrap_or_else(|_| HeaderValue::from_static("redacted"));
        }
    }

    /// Scrubs a body as it streams.
    pub(crate) fn body<B>(&self, body: B) -> Scrubbed<B> {
        Scrubbed {
            body,
            scrubber: self.clone(),
            held: BytesMut::new(),
            trailing: None,
        }
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, needle)
}

fn mask(bytes: &mut [u8], needle: &[u8]) {
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], needle) {
        let start = from + at;
        from = start + needle.len();
        bytes[start..from].fill(b'*');
    }
}

/// How many bytes at the end may be the beginning of the needle.
fn open_end(bytes: &[u8], needle: &[u8]) -> usize {
    let longest = bytes.len().min(needle.len() - 1);
    let end = &bytes[bytes.len() - longest..];
    memchr::memchr_iter(needle[0], end)
        .map(|at| longest - at)
        .find(|count| bytes.ends_with(&needle[..*count]))
        .unwrap_or(0)
}

/// A body without the credential.
#[derive(Debug)]
pub(crate) struct Scrubbed<B> {
    body: B,
    scrubber: Scrubber,
    held: BytesMut,
    trailing: Option<HeaderMap>,
}

impl<B> Scrubbed<B> {
    /// Takes a piece in; gives what may go out.
    fn push(&mut self, piece: Bytes) -> Bytes {
        let Some(needle) = self.scrubber.needle() else {
            return piece;
        };
        // Nearly every piece is clean, and goes on without being copied.
        let clean = || find(&piece, needle).is_none() && open_end(&piece, needle) == 0;
        if self.held.is_empty() && clean() {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        mask(&mut self.held, needle);
        let open = open_end(&self.held, needle);
        self.held.split_to(self.held.len() - open).freeze()
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Scrubbed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if let Some(trailers) = this.trailing.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        loop {
            let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if this.held.is_empty() => return Poll::Ready(None),
                None => {
                    let rest = this.held.split().freeze();
                    return Poll::Ready(Some(Ok(Frame::data(rest))));
                }
            };
            match frame.into_data() {
                Ok(piece) => {
                    let mut out = this.push(piece);
                    // Whoever knows the length does not ask again after the last byte.
                    if this.body.is_end_stream() && !this.held.is_empty() {
                        let rest = this.held.split();
                        out = [out.as_ref(), rest.as_ref()].concat().into();
                    }
                    if !out.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(out))));
                    }
                }
                Err(frame) => {
                    let mut trailers = frame.into_trailers().unwrap_or_default();
                    this.scrubber.headers(&mut trailers);
                    if this.held.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                    }
                    this.trailing = Some(trailers);
                    let rest = this.held.split().freeze();
                    return Poll::Ready(Some(Ok(Frame::data(rest))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.trailing.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.len() as u64;
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + held);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    const NEEDLE: &str = "sk-sk-skeleton";

    fn scrub(text: &[u8], cut: usize) -> Vec<u8> {
        let scrubber = Scrubber::new(Some(&Secret::from(NEEDLE.to_owned())));
        let frames: Vec<Result<_, std::convert::Infallible>> = text
            .chunks(cut)
            .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let body = scrubber.body(StreamBody::new(futures_util::stream::iter(frames)));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime
            .block_on(body.collect())
            .unwrap()
            .to_bytes()
            .to_vec()
    }

    #[test]
    fn a_credential_in_a_header_is_masked() {
        let scrubber = Scrubber::new(Some(&Secret::from(format!("{NEEDLE}\n"))));
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("Bearer sk-sk-skeleton!"));
        scrubber.headers(&mut headers);
        assert_eq!(headers["x-echo"], "Bearer **************!");
    }

    proptest! {
        #[test]
        fn cutting_never_lets_a_credential_through(
            pieces in proptest::collection::vec(
                prop_oneof![Just(NEEDLE.to_owned()), "[eklnost -]{0,8}"], 0..8),
            cut in 1_usize..40,
        ) {
            // Goal: whatever the cutting, the output is the input with whole credentials starred.
            let text = pieces.concat();
            let stars = "*".repeat(NEEDLE.len());
            let wanted = text.replace(NEEDLE, &stars);
            let out = scrub(text.as_bytes(), cut);
            prop_assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
