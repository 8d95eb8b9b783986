//! Answers that come coded although they were not to be: the credential is looked for in them too.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::Method;
use http_body::Body as _;
use postern_testkit::{Answer, Cut, Framing, ReplayUpstream};
use postern_types::RefusalCode;

use super::upstream::{SECRET, fine, forward, get, request, to, whole};
use super::*;
use crate::forward::{InboundError, OutboundBody};

/// A text in brotli: one metablock that is not compressed, then the empty last one (RFC 7932,
/// section 9.2).
fn brotli(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len() - 1).unwrap();
    let head = (length << 4) | (1 << 20);
    let mut coded = head.to_le_bytes()[..3].to_vec();
    coded.extend_from_slice(text);
    coded.push(0b11);
    coded
}

/// The text in every coding.
fn codings(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let level = Compression::default();
    let mut gzip = GzEncoder::new(Vec::new(), level);
    gzip.write_all(text).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), level);
    zlib.write_all(text).unwrap();
    let mut bare = DeflateEncoder::new(Vec::new(), level);
    bare.write_all(text).unwrap();
    vec![
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", bare.finish().unwrap()),
        ("zstd", zstd::encode_all(text, 3).unwrap()),
        ("br", brotli(text)),
    ]
}

fn coded(coding: &str, body: Vec<u8>) -> Answer {
    Answer::new(200, "text/plain", body)
        .header("content-encoding", coding)
        .header("etag", "\"1\"")
}

#[tokio::test]
async fn the_credential_does_not_come_back_in_a_coded_body() {
    // Goal: no coding carries the credential past the gateway, however the transport cuts it.
    // Method: an echo in every coding, in pieces of several sizes, with and without a length.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let text = format!("{} your key was {SECRET}, thank you", "hello ".repeat(400));
    let wanted = text.replace(SECRET, &"*".repeat(SECRET.len()));
    for (coding, body) in codings(text.as_bytes()) {
        for cut in [1, 7, 4096] {
            for framing in [Framing::Length, Framing::Chunked] {
                let answer = coded(coding, body.clone()).cut(Cut::Every(cut));
                upstream.queue(answer.framed(framing));
                let inbound = forward.send(&to, get()).await.unwrap();
                for field in ["content-encoding", "content-length", "etag"] {
                    assert!(!inbound.headers.contains_key(field), "{coding}: {field}");
                }
                let whole = whole(inbound).await.unwrap();
                assert_eq!(
                    String::from_utf8_lossy(&whole),
                    wanted,
                    "{coding} cut at {cut}"
                );
            }
        }
    }
    assert_eq!(
        upstream.connections(),
        1,
        "the connection is kept all the same"
    );
}

#[tokio::test]
async fn trailers_follow_what_a_coding_held() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (_, gzip) = codings(b"some text").swap_remove(0);
    let answer = coded("gzip", gzip).trailer("x-sum", SECRET);
    upstream.queue(answer);
    let inbound = forward().send(&to(&upstream), get()).await.unwrap();
    let collected = inbound.body.collect().await.unwrap();
    let sum = collected.trailers().unwrap()["x-sum"].clone();
    assert_eq!(sum, "*".repeat(SECRET.len()));
    assert_eq!(collected.to_bytes(), "some text");
}

#[tokio::test]
async fn a_coding_that_cannot_be_looked_through_does_not_pass() {
    // Goal: what cannot be read is not given on. Method: codings nobody decodes, several at once,
    // a part of a coded body, bytes that do not decode, and a bomb.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let (_, gzip) = codings(SECRET.as_bytes()).swap_remove(0);
    let part = coded("gzip", gzip.clone()).header("content-range", "bytes 0-9/99");
    let twice = coded("gzip", gzip.clone()).header("content-encoding", "gzip");
    let unknown = ["compress", "gzip, br", "dcz", "*"].map(|name| coded(name, gzip.clone()));
    for answer in unknown.into_iter().chain([part, twice]) {
        upstream.queue(answer.clone());
        let refusal = forward.send(&to, get()).await.unwrap_err();
        assert_eq!(refusal.code(), RefusalCode::UpstreamProtocol, "{answer:?}");
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let (short, bomb) = (gzip[..gzip.len() - 3].to_vec(), bomb.finish().unwrap());
    for body in [SECRET.as_bytes().to_vec(), short, bomb] {
        upstream.queue(coded("gzip", body));
        let inbound = forward.send(&to, get()).await.unwrap();
        let broken = whole(inbound).await.unwrap_err();
        assert_eq!(broken, InboundError::Malformed);
    }
}

#[tokio::test]
async fn an_answer_without_a_body_keeps_its_fields() {
    // Goal: the head that answers HEAD says what GET would; there is nothing to decode.
    let upstream = ReplayUpstream::start(fine).unwrap();
    upstream.queue(coded("gzip", Vec::new()).framed(Framing::Claimed(99)));
    let head = request(Method::HEAD, OutboundBody::none());
    let inbound = forward().send(&to(&upstream), head).await.unwrap();
    assert_eq!(inbound.headers["content-encoding"], "gzip");
    assert!(inbound.body.is_end_stream());
}
