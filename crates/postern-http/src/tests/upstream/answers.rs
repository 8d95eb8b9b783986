//! Answers as they come from an upstream, whole, in pieces or broken.

use super::*;
use crate::bounds::AT_HAND_BYTES_MAX;

#[tokio::test]
async fn a_small_answer_is_taken_whole_only_where_it_is_there() {
    // Goal: taking an answer at hand waits for nothing and loses nothing. Method: one that is there
    // with its head, one of which half is, one that breaks off, one that is too long, one without a
    // body, one that says no length.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to_quickly(&upstream));
    let at_hand = async |inbound: &mut Inbound| {
        let body = &mut inbound.body;
        std::future::poll_fn(|cx| std::task::Poll::Ready(body.poll_at_hand(cx))).await
    };
    // Head and body may come apart even so: then it is there as it would have been. They come
    // together in one of many.
    let mut taken = 0;
    for _ in 0..50 {
        let mut inbound = forward.send(&to, get()).await.unwrap();
        match at_hand(&mut inbound).await {
            Some(bytes) => {
                assert_eq!(bytes, "fine");
                assert!(inbound.body.is_end_stream());
                taken += 1;
            }
            None => assert_eq!(whole(inbound).await.unwrap(), "fine"),
        }
    }
    assert!(taken > 0);

    let stalls = Answer::new(200, "text/plain", "0123456789").ending(Ending::StallAfter(4));
    upstream.queue(stalls);
    let mut inbound = forward.send(&to, get()).await.unwrap();
    assert_eq!(at_hand(&mut inbound).await, None);
    assert_eq!(
        inbound.body.size_hint().exact(),
        Some(10),
        "what was seen counts"
    );
    let first = inbound.body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "0123");
    let error = inbound.body.frame().await.unwrap().unwrap_err();
    assert_eq!(error, InboundError::TimedOut);

    upstream.queue(Answer::new(200, "text/plain", "0123456789").ending(Ending::ResetAfter(0)));
    let mut inbound = forward.send(&to, get()).await.unwrap();
    // It may have broken off before it was looked at, or after.
    assert_eq!(at_hand(&mut inbound).await, None);
    let error = inbound.body.frame().await.unwrap().unwrap_err();
    assert_eq!(error, InboundError::Reset);
    assert!(inbound.body.frame().await.is_none(), "it fails once");

    let long = vec![b'x'; usize::try_from(AT_HAND_BYTES_MAX).unwrap() + 1];
    upstream.queue(Answer::new(200, "text/plain", long.clone()));
    let mut inbound = forward.send(&to, get()).await.unwrap();
    assert_eq!(at_hand(&mut inbound).await, None);
    assert_eq!(whole(inbound).await.unwrap(), long);

    let head = request(Method::HEAD, OutboundBody::none());
    let mut inbound = forward.send(&to, head).await.unwrap();
    assert_eq!(at_hand(&mut inbound).await, Some(Bytes::new()));

    upstream.queue(Answer::new(200, "text/plain", "fine").framed(Framing::Chunked));
    let mut inbound = forward.send(&to, get()).await.unwrap();
    assert_eq!(at_hand(&mut inbound).await, None, "it could be endless");
    assert_eq!(whole(inbound).await.unwrap(), "fine");
}

#[tokio::test]
async fn silence_has_an_end() {
    // Goal: before the head, between pieces, and in all. Method: an upstream that stalls at each.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to_quickly(&upstream));
    upstream.queue(Answer::silent());
    let refusal = forward.send(&to, get()).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::UpstreamTimeout);

    let stalls = Answer::new(200, "text/plain", "0123456789").ending(Ending::StallAfter(4));
    upstream.queue(stalls);
    let mut inbound = forward.send(&to, get()).await.unwrap();
    let first = inbound
        .body
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert_eq!(
        first, "0123",
        "the first bytes are there at once, though the rest never comes"
    );
    assert_eq!(
        inbound.body.frame().await.unwrap().unwrap_err(),
        InboundError::TimedOut
    );

    let started = Instant::now();
    upstream.queue(Answer::endless(
        "data: 1\n\n",
        "data: 2\n\n",
        Duration::from_millis(20),
    ));
    let error = whole(forward.send(&to, get()).await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error, InboundError::TimedOut);
    assert!(
        started.elapsed() >= Duration::from_millis(1100),
        "{:?}",
        started.elapsed()
    );
    assert!(
        upstream
            .until(|upstream| upstream.open_connections() == 0)
            .await
    );
}

#[tokio::test]
async fn answers_that_break_off_say_so() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let text = || Answer::new(200, "text/plain", "0123456789");
    let broken = [
        text().ending(Ending::ResetAfter(4)),
        text().ending(Ending::CloseAfter(4)),
        text()
            .framed(Framing::Chunked)
            .ending(Ending::CloseAfter(4)),
        text()
            .framed(Framing::Claimed(99))
            .ending(Ending::CloseAfter(10)),
    ];
    for answer in broken {
        let shown = format!("{answer:?}");
        upstream.queue(answer);
        match forward.send(&to, get()).await {
            Ok(inbound) => {
                let error = whole(inbound).await.unwrap_err();
                assert_eq!(error, InboundError::Reset, "{shown}");
                assert_eq!(error.refusal().code(), RefusalCode::UpstreamProtocol);
            }
            // A reset may overtake the head.
            Err(refusal) => assert_eq!(refusal.code(), RefusalCode::UpstreamProtocol, "{shown}"),
        }
    }
    upstream.queue(text().framed(Framing::UntilClose));
    assert_eq!(
        whole(forward.send(&to, get()).await.unwrap())
            .await
            .unwrap(),
        "0123456789"
    );
    assert_eq!(forward.pool().idle(), 0, "a closed connection is not kept");
}

#[tokio::test]
async fn answers_that_could_be_read_in_two_ways_are_not_passed_on() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        "HTTP/1.1 2 OK\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "hello",
        "",
        &long,
        &many,
    ] {
        upstream.queue(Answer::raw(answer.to_owned()));
        let shown: String = answer.chars().take(80).collect();
        match forward.send(&to, get()).await {
            Err(refusal) => {
                assert_eq!(refusal.code(), RefusalCode::UpstreamProtocol, "{shown:?}");
            }
            Ok(inbound) => panic!("{shown:?} passed with {}", inbound.status),
        }
    }
    assert_eq!(forward.pool().idle(), 0);
}

#[tokio::test]
async fn interim_answers_are_skipped_and_redirects_are_not_followed() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let mut answer = Answer::new(302, "text/plain", "").header("location", "http://evil.invalid/");
    answer.interim = vec![100, 103];
    upstream.queue(answer);
    let inbound = forward.send(&to, get()).await.unwrap();
    assert_eq!(inbound.status, 302);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn trailers_come_through() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    upstream.queue(Answer::new(200, "text/plain", "x").trailer("x-sum", "42"));
    let inbound = forward().send(&to(&upstream), get()).await.unwrap();
    let collected = inbound.body.collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-sum"], "42");
}
