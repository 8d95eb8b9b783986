//! Bodies of requests on their way upstream.

use super::*;

/// A body that counts how much of it was asked for, and may end in an error.
struct Source {
    left: u64,
    taken: Arc<AtomicU64>,
    error: Option<ReceiveError>,
}

impl Body for Source {
    type Data = Bytes;
    type Error = ReceiveError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        if self.left == 0 {
            return Poll::Ready(self.error.map(Err));
        }
        self.left -= 1;
        self.taken.fetch_add(16_384, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16_384])))))
    }
}

fn upload(pieces: u64, error: Option<ReceiveError>) -> (OutboundRequest, Arc<AtomicU64>) {
    let taken = Arc::new(AtomicU64::new(0));
    let body = Source {
        left: pieces,
        taken: Arc::clone(&taken),
        error,
    };
    (
        request(Method::POST, OutboundBody::stream(body, None)),
        taken,
    )
}

#[tokio::test]
async fn uploads_stream_and_wait_for_the_upstream() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, quickly) = (forward(), to_quickly(&upstream));
    let (request, _) = upload(64, None);
    whole(forward.send(&to(&upstream), request).await.unwrap())
        .await
        .unwrap();
    let seen = upstream.take_requests().remove(0);
    assert_eq!(
        (seen.body.len(), seen.header("transfer-encoding")),
        (64 * 16_384, Some("chunked"))
    );

    // An upstream that does not read stops the source, and is given up.
    upstream.set_reading(Reading::HeadOnly);
    let (request, taken) = upload(1 << 20, None);
    let refusal = forward.send(&quickly, request).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::UpstreamTimeout);
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < 16 << 20, "{taken} bytes were taken for nobody");
}

#[tokio::test]
async fn a_client_s_broken_body_is_the_client_s_fault() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let forward = forward();
    let malformed = ReceiveError::Malformed("a chunk size is malformed");
    for (error, code) in [
        (malformed, RefusalCode::BadRequest),
        (ReceiveError::TooLarge, RefusalCode::BodyTooLarge),
        (ReceiveError::TooSlow, RefusalCode::BadRequest),
    ] {
        let (request, _) = upload(2, Some(error));
        let refusal = forward.send(&to(&upstream), request).await.unwrap_err();
        assert_eq!(refusal.code(), code);
    }
    assert!(
        upstream
            .until(|upstream| upstream.open_connections() == 0)
            .await
    );
    assert!(upstream.requests().iter().all(|request| !request.complete));
}

#[tokio::test]
async fn a_connection_that_still_sends_is_not_used_again() {
    // Goal: the rest of an upload never stands before the next request. Method: an upstream that
    // answers before it has read.
    let upstream = ReplayUpstream::start(fine).unwrap();
    upstream.set_reading(Reading::AnswerFirst);
    let (forward, to) = (forward(), to(&upstream));
    let (request, _) = upload(1 << 14, None);
    let inbound = forward.send(&to, request).await.unwrap();
    assert_eq!(whole(inbound).await.unwrap(), "fine");
    assert_eq!(forward.pool().idle(), 0);
    upstream.set_reading(Reading::Whole);
    assert_eq!(
        whole(forward.send(&to, get()).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    assert!(
        upstream.malformed().is_empty(),
        "{:?}",
        upstream.malformed()
    );
}
