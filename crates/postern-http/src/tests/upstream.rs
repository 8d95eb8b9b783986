//! The way upstream: pool, retry rule, timeouts, and what a hostile upstream sends.

mod answers;
mod uploads;

use std::net::TcpListener;

use http::Method;
use http_body_util::BodyExt as _;
use postern_testkit::{Answer, Ending, Framing, Reading, ReplayUpstream};
use postern_types::{EnvName, RefusalCode, Secret, UpstreamKind, UpstreamName};

use super::*;
use crate::arrival::ReceiveError;
use crate::bounds::Timeouts;
use crate::connect::Endpoint;
use crate::forward::{
    Destination, Forward, Inbound, InboundError, OutboundBody, OutboundRequest, PoolKey,
};
use crate::headers::UpstreamCredential;
use crate::own_machine::Reach;
use crate::pool::Pool;

pub(super) const SECRET: &str = "sk-provider-0123456789";

pub(super) fn key(environment: &str, version: u64) -> PoolKey {
    PoolKey {
        environment: EnvName::parse(environment).unwrap(),
        upstream: UpstreamName::parse("api").unwrap(),
        upstream_id: serde_json::from_str("1").unwrap(),
        version,
    }
}

fn destination(url: &str, timeouts: Timeouts) -> Destination {
    let secret = Secret::from(SECRET.to_owned());
    Destination {
        key: key("dev", 1),
        endpoint: Endpoint::parse(url, None, Reach::Anywhere).unwrap(),
        credential: UpstreamCredential::for_kind(UpstreamKind::OpenAi, &secret).unwrap(),
        timeouts,
    }
}

fn quick() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(2),
        first_byte: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        total: Duration::from_millis(1200),
    }
}

pub(super) fn to(upstream: &ReplayUpstream) -> Arc<Destination> {
    Arc::new(destination(&upstream.url(), Timeouts::default()))
}

fn to_quickly(upstream: &ReplayUpstream) -> Arc<Destination> {
    Arc::new(destination(&upstream.url(), quick()))
}

pub(super) fn forward() -> Forward {
    Forward::new(Arc::new(Bounds::default()))
}

pub(super) fn request(method: Method, body: OutboundBody) -> OutboundRequest {
    OutboundRequest {
        method,
        path: postern_types::CanonicalPath::parse("/v1/x").unwrap(),
        query: Some("a=1".to_owned()),
        headers: HeaderMap::new(),
        body,
    }
}

pub(super) fn get() -> OutboundRequest {
    request(Method::GET, OutboundBody::none())
}

fn post() -> OutboundRequest {
    request(
        Method::POST,
        OutboundBody::pieces(vec![Bytes::from("he"), Bytes::from("llo")]),
    )
}

pub(super) async fn whole(inbound: Inbound) -> Result<Bytes, InboundError> {
    Ok(inbound.body.collect().await?.to_bytes())
}

pub(super) fn fine(_: &postern_testkit::SeenRequest) -> Answer {
    Answer::new(200, "text/plain", "fine")
}

#[tokio::test]
async fn requests_go_out_framed_and_connections_are_used_again() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    assert_eq!(
        whole(forward.send(&to, get()).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    assert_eq!(
        whole(forward.send(&to, post()).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    let empty = request(Method::POST, OutboundBody::none());
    assert_eq!(
        whole(forward.send(&to, empty).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    let seen = upstream.requests();
    assert_eq!(upstream.connections(), 1);
    assert_eq!(forward.pool().idle(), 1);
    assert!(
        upstream.malformed().is_empty(),
        "{:?}",
        upstream.malformed()
    );
    assert_eq!(seen[0].target, "/v1/x?a=1");
    assert_eq!(
        seen[0].header("host"),
        Some(upstream.addr().to_string().as_str())
    );
    assert_eq!(
        (seen[1].body.as_slice(), seen[1].header("content-length")),
        (&b"hello"[..], Some("5"))
    );
    assert_eq!(seen[2].header("content-length"), Some("0"));
    // An answer that is dropped at its end gives its connection back, too.
    drop(
        forward
            .send(&to, request(Method::HEAD, OutboundBody::none()))
            .await
            .unwrap(),
    );
    drop(whole(forward.send(&to, get()).await.unwrap()).await);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn connections_are_kept_apart() {
    // Goal: no connection is shared between environments or between versions of a credential.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let forward = forward();
    for (place, key) in [key("dev", 1), key("prod", 1), key("dev", 2)]
        .into_iter()
        .enumerate()
    {
        let to = Arc::new(Destination {
            key,
            ..destination(&upstream.url(), quick())
        });
        whole(forward.send(&to, get()).await.unwrap())
            .await
            .unwrap();
        whole(forward.send(&to, get()).await.unwrap())
            .await
            .unwrap();
        assert_eq!(upstream.connections(), place as u64 + 1);
    }
}

#[tokio::test]
async fn idle_connections_are_closed_and_forgotten() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let mut bounds = Bounds::default();
    bounds.upstream.idle_timeout = Duration::from_millis(100);
    let forward = Forward::new(Arc::new(bounds));
    whole(forward.send(&to(&upstream), get()).await.unwrap())
        .await
        .unwrap();
    assert_eq!((forward.pool().idle(), forward.pool().keys()), (1, 1));
    assert!(
        upstream
            .until(|upstream| upstream.open_connections() == 0)
            .await
    );
    assert_eq!((forward.pool().idle(), forward.pool().keys()), (0, 0));
}

/// An upstream that closes every connection after a given number of requests; each request is
/// counted as soon as a byte of it came.
fn closing_upstream(answers_per_connection: &'static [usize]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&begun);
    std::thread::spawn(move || {
        for answers in answers_per_connection {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            for _ in 0..*answers {
                let mut space = [0; 4096];
                if stream.read(&mut space).unwrap_or(0) == 0 {
                    break;
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
                stream.write_all(answer).unwrap();
            }
            // One request more is read and not answered, where the last figure is zero.
            if *answers == 0 && stream.read(&mut [0; 4096]).unwrap_or(0) > 0 {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, begun)
}

/// Waits until the pool is as it is asked for.
async fn until(forward: &Forward, holds: impl Fn(&Pool) -> bool) {
    let waiting = async {
        while !holds(forward.pool()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("the pool comes to it");
}

/// Waits until it has arrived that what is kept is of no use any more.
async fn no_kept_connection_lives(forward: &Forward) {
    until(forward, |pool| pool.alive() == 0).await;
}

#[tokio::test]
async fn a_dead_kept_connection_costs_nothing_and_a_written_post_is_not_repeated() {
    // Goal: exactly-once as far as a client can have it. Method: an upstream that closes its
    // connection after each answer without saying so; then one that reads a POST and closes.
    let (url, begun) = closing_upstream(&[1, 1, 0, 1]);
    let forward = forward();
    let to = Arc::new(destination(&url, Timeouts::default()));
    assert_eq!(
        whole(forward.send(&to, post()).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    no_kept_connection_lives(&forward).await;
    assert_eq!(
        whole(forward.send(&to, post()).await.unwrap())
            .await
            .unwrap(),
        "fine"
    );
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    no_kept_connection_lives(&forward).await;
    let refusal = forward.send(&to, post()).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::UpstreamProtocol);
    assert_eq!(begun.load(Ordering::SeqCst), 3, "the POST was written once");
}

#[tokio::test]
async fn an_answer_nobody_asked_for_reaches_nobody() {
    // Goal: an upstream cannot leave an answer behind for the next request, which may be another
    // principal's. Method: one that sends two answers to one request, at once and with a pause.
    for pause in [Duration::ZERO, Duration::from_millis(30)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for extra in [true, false] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut space = [0; 4096];
                if stream.read(&mut space).unwrap_or(0) == 0 {
                    return;
                }
                let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine".to_vec();
                let poison = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";
                if extra && pause.is_zero() {
                    answer.extend(poison);
                }
                stream.write_all(&answer).unwrap();
                if extra && !pause.is_zero() {
                    std::thread::sleep(pause);
                    stream.write_all(poison).unwrap();
                }
                // Kept open, so that only what was sent tells the connection's fate.
                let _ = stream.read(&mut space);
            }
        });
        let forward = forward();
        let to = Arc::new(destination(&url, quick()));
        assert_eq!(
            whole(forward.send(&to, get()).await.unwrap())
                .await
                .unwrap(),
            "fine"
        );
        no_kept_connection_lives(&forward).await;
        assert_eq!(
            whole(forward.send(&to, get()).await.unwrap())
                .await
                .unwrap(),
            "fine"
        );
    }
}

#[tokio::test]
async fn no_connection_is_upstream_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let to = Arc::new(destination(&format!("http://127.0.0.1:{port}"), quick()));
    let refusal = forward().send(&to, get()).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::UpstreamUnreachable);
    assert!(!refusal.cause().contains(SECRET));
}

#[tokio::test]
async fn the_credential_does_not_come_back() {
    // Goal: an upstream that repeats its credential gives nothing away. Method: in a header of a
    // good answer, and in the body of a bad one, cut in the middle of the credential.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    let text = format!("Incorrect API key provided: {SECRET}.");
    let answer = Answer::new(401, "text/plain", text.clone())
        .header("x-echo", SECRET)
        .cut(postern_testkit::Cut::Every(7));
    for answer in [answer.clone(), answer.framed(Framing::Chunked)] {
        upstream.queue(answer);
        let inbound = forward.send(&to, get()).await.unwrap();
        assert_eq!(inbound.headers["x-echo"], "*".repeat(SECRET.len()));
        let body = whole(inbound).await.unwrap();
        assert_eq!(body.len(), text.len());
        assert!(body.starts_with(b"Incorrect API key provided: ***") && body.ends_with(b"*."));
    }
    assert_eq!(
        upstream.connections(),
        1,
        "the connection is kept all the same"
    );
}

#[tokio::test]
async fn caps_hold_per_key() {
    // Goal: no more connections than the cap; whoever waits gets the next free one, and whoever
    // waits too long, or behind too many, is told so.
    let upstream = ReplayUpstream::start(fine).unwrap();
    let mut bounds = Bounds::default();
    bounds.upstream.connections_max = 1;
    bounds.upstream.waiters_max = 1;
    bounds.upstream.wait = Duration::from_millis(300);
    let forward = Arc::new(Forward::new(Arc::new(bounds)));
    let to = to(&upstream);
    upstream.queue(Answer::new(200, "text/plain", "0123").ending(Ending::StallAfter(2)));
    let held = forward.send(&to, get()).await.unwrap();
    let (again, also_to) = (Arc::clone(&forward), Arc::clone(&to));
    let waiter = tokio::spawn(async move { again.send(&also_to, get()).await });
    until(&forward, |pool| pool.waiting() == 1).await;
    let refusal = forward.send(&to, get()).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::Overloaded, "one waits already");
    drop(held);
    assert_eq!(whole(waiter.await.unwrap().unwrap()).await.unwrap(), "fine");

    upstream.queue(Answer::new(200, "text/plain", "0123").ending(Ending::StallAfter(2)));
    let held = forward.send(&to, get()).await.unwrap();
    let other = Arc::new(Destination {
        key: key("dev", 9),
        ..destination(&upstream.url(), quick())
    });
    whole(forward.send(&other, get()).await.unwrap())
        .await
        .unwrap();
    let refusal = forward.send(&to, get()).await.unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::Overloaded, "none came free");
    drop(held);
}

#[tokio::test]
async fn what_is_dropped_ends_upstream() {
    let upstream = ReplayUpstream::start(fine).unwrap();
    let (forward, to) = (forward(), to(&upstream));
    upstream.queue(Answer::endless(
        "data: 1\n\n",
        "data: 2\n\n",
        Duration::from_millis(1),
    ));
    let mut inbound = forward.send(&to, get()).await.unwrap();
    inbound.body.frame().await.unwrap().unwrap();
    drop(inbound);
    assert!(
        upstream
            .until(|upstream| upstream.open_connections() == 0)
            .await
    );
    // Also while its head is still awaited.
    upstream.queue(Answer::silent());
    let sending = forward.send(&to, get());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), sending)
            .await
            .is_err()
    );
    assert!(
        upstream
            .until(|upstream| upstream.open_connections() == 0)
            .await
    );
}
